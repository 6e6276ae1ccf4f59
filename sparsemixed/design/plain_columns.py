"""Designs of one model on one small frame after another, whose columns are numbers without more to be told.

What a design says in words, its coefficients, their names, the effects of each group, then follows from the specification alone,
and all that is new are numbers. So the design of the first frame serves the others with other rows, as `build_design` would have
made it: wherever a value asks for a word of its own, a missing value or a collinear column say, it is left to make the design.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.design.data.codes import compress, group_sizes
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.deferred import changed, deferred
from sparsemixed.design.fixed.collinear import CLEARLY, RELATIVE_ROUNDING
from sparsemixed.design.row_data import without_rows
from sparsemixed.design.values import Column, Design, GroupRow, RandomTerm
from sparsemixed.spec import ModelSpec, Term

MOST_ROWS = 1 << 12
"""Rows from which words take no time beside numbers."""
WORTH_KNOWING = 8
"""Designs of a specification after which the loops for it are worth loading."""
KEPT = 16
"""Specifications that are remembered, before all of them are forgotten."""
SPREAD, LEAST_SPREAD = 4, 1024
"""How far groups may lie apart to be numbered by a table, as of `design.data.codes.compress`: so many times their rows."""


@dataclass
class Known:
    """What is known of a specification.

    Attributes
    ----------
    spec : ModelSpec
    design : Design or None
        One of its designs without rows; None where it is not plain.
    fixed, effects : tuple of str
        The variables of the columns of X and of the random effects, without the constants.
    constants : tuple of bool
        Whether a constant ends either.
    met : int
        How many designs there have been.
    """

    spec: ModelSpec
    design: Design | None
    fixed: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    constants: tuple[bool, bool] = (False, False)
    met: int = 0


_KNOWN: dict[int, Known] = {}
"""By the id of the specification, which cannot be another's while it is kept."""


def plain_design(spec: ModelSpec, frame: Frame) -> Design | None:
    """The design, where one of the same specification is known and the frame holds nothing but numbers; None for others."""
    known = _KNOWN.get(id(spec))
    if known is None or known.design is None:
        return None
    known.met += 1
    if known.met < WORTH_KNOWING or not 0 < frame.n_rows <= MOST_ROWS or frame.value_labels or frame.units:
        return None
    columns = _Columns(frame)
    y, X = columns.numbers(spec.response), columns.matrix(known.fixed, known.constants[0])
    if y is None or X is None or (y[0] == y[-1] and y.min() == y.max()) or X.shape[1] >= len(y):
        return None
    same = known.effects == known.fixed and known.constants[0] == known.constants[1]
    Z = X if same else columns.matrix(known.effects, known.constants[1])
    groups = columns.groups(spec.random[0].grouping[0])
    if Z is None or groups is None:
        return None
    codes, distinct, sizes = groups
    (term,), (row,), n = known.design.random, known.design.groups, len(y)
    own = {"codes": codes, "n_groups": len(distinct), "columns": Z, "blocks": term.blocks}
    labels = {("labels",): lambda: {"labels": pd.DataFrame(distinct[:, None], columns=list(spec.random[0].grouping))}}
    return changed(
        known.design,
        y=y,
        X=X,
        random=(deferred(RandomTerm, labels, **own),),
        groups=(GroupRow(row.name, len(distinct), int(sizes.min()), n / len(distinct), int(sizes.max())),),
        kept=np.arange(n),
        index=None if frame.index is None else frame.index[:],
    )


class _Columns:
    """The columns of a frame that are numbers of the usual types, all of them finite; None in place of others."""

    def __init__(self, frame: Frame):
        self._frame = frame
        self._found: dict[str, np.ndarray | None] = {}

    def _values(self, name: str) -> np.ndarray | None:
        if name not in self._found:
            self._found[name] = self._frame.plain_numbers(name)
        return self._found[name]

    def numbers(self, name: str) -> np.ndarray | None:
        values = self._values(name)
        return None if values is None else values.astype(np.float64)

    def matrix(self, names: tuple[str, ...], constant: bool) -> np.ndarray | None:
        """The columns with a constant behind; None also where one may be a combination of those before it."""
        from sparsemixed.design.kernels import keep_their_norm  # delayed: one fit needs none of it

        p = len(names)
        out = np.empty((self._frame.n_rows, p + constant))
        for place, name in enumerate(names):
            values = self._values(name)
            if values is None:
                return None
            out[:, place] = values
        if constant:
            out[:, p] = 1.0
        return out if not p or keep_their_norm(out, p, constant, CLEARLY, RELATIVE_ROUNDING) else None

    def groups(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Codes (n,) of the groups, their values and their sizes."""
        from sparsemixed.design.kernels import number_whole  # delayed, as above

        values = self._values(name)
        if values is None:
            return None
        if values.dtype.kind == "i":
            # Of a copy: arrays that may not be written to, or are not contiguous, are other types, and compiled once more.
            count, codes, distinct, sizes = number_whole(values.copy(), SPREAD * len(values) + LEAST_SPREAD)
            if count:
                return codes, distinct[:count], sizes[:count]
        codes, distinct = compress(values)
        return codes, distinct, group_sizes(codes, len(distinct))


def remember(spec: ModelSpec, frame: Frame, design: Design) -> None:
    """Keep what a design of a specification, made in full, says of the others."""
    if id(spec) in _KNOWN or design.n_rows > MOST_ROWS:
        return
    if len(_KNOWN) >= KEPT:
        _KNOWN.clear()
    _KNOWN[id(spec)] = _known(spec, frame, design) or Known(spec, None)


def _known(spec: ModelSpec, frame: Frame, design: Design) -> Known | None:
    asked = (spec.weights, spec.tsset, spec.sample.condition, spec.sample.first, spec.sample.last, spec.vce.variable)
    more = spec.computed or spec.offsets or spec.constraints or spec.abbreviations or any("~" in name for name in spec.positions)
    told = (design.residual, design.weights, design.constraints, design.clusters, design.sparse, design.offset)
    said = design.notes or design.value_labels or design.levels or design.combinations or design.units or design.counts
    if more or said or any(one is not None for one in (*asked, *told)) or not spec.residual.one_variance:
        return None
    if len(design.random) != 1 or len(spec.random) != 1 or spec.residual.t is not None or spec.residual.by is not None:
        return None
    (equation,), (term,) = spec.random, design.random
    if equation.factor is not None or len(equation.grouping) != 1 or equation.collinear or term.members is not None:
        return None
    fixed = _variables([(column.term, column.cell) for column in design.columns if column.term >= 0], spec.fixed)
    effects = _variables(list(term.blocks[0].cells), equation.terms)
    estimated = all(isinstance(column, Column) and column.status == "estimated" for column in design.columns)
    if fixed is None or effects is None or not estimated or any(frame.plain_numbers(name) is None for name in (*fixed, *effects)):
        return None
    words = without_rows(design, random=(without_rows(term, labels=None),))
    return Known(spec, words, fixed, effects, (spec.constant, equation.constant))


def _variables(cells: Sequence[tuple[int, tuple]], terms: Sequence[Term]) -> tuple[str, ...] | None:
    """The variables that columns are, by the terms and cells of these; None where one is anything else."""
    if any(cell != (None,) or len(terms[term].factors) != 1 for term, cell in cells):
        return None
    return tuple(terms[term].factors[0].variable for term, _ in cells)
