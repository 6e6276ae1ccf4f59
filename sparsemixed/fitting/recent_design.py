"""The design of the last small fit, for a fit of the same model to the same columns with another response.

Who simulates, permutes, or fits one model to many outcomes calls `mixed` with frames that differ in their response alone. All
that such a call has to do beyond a prepared model is to see that they do: columns are compared value by value with copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.variable import Variable
from sparsemixed.design.deferred import changed
from sparsemixed.design.sample import used_variables
from sparsemixed.design.values import Design
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.prepared_design import PreparedDesign, prepared_design
from sparsemixed.solver.groups.profiled import is_met_often
from sparsemixed.solver.groups.roots import few
from sparsemixed.spec import ModelSpec, Sample


@dataclass(frozen=True)
class RecentDesign:
    """A design, and what it was made from.

    Attributes
    ----------
    asked : ModelSpec
        As the user typed it.
    names : list of str
        Of all columns of the data, by which wildcards are expanded.
    columns : tuple of Variable
        Copies of those that are used, without the response.
    value_labels, units : dict
        Of the data.
    spec, design : ModelSpec, Design
        The specification as the data complete it, and its design.
    """

    asked: ModelSpec
    names: list[str]
    columns: tuple[Variable, ...]
    value_labels: dict
    units: dict
    spec: ModelSpec
    design: Design

    @cached_property
    def prepared(self) -> PreparedDesign:
        """The design without its response."""
        return prepared_design(self.spec, self.design)

    def is_for(self, asked: ModelSpec, frame: Frame) -> bool:
        """Whether the model is the same, and data of the same names and length are given."""
        return (
            asked is self.asked
            and frame.n_rows == self.design.n_rows
            and frame.names == self.names
            and frame.value_labels == self.value_labels
            and frame.units == self.units
        )

    def has_columns_of(self, frame: Frame) -> bool:
        """Whether all columns but the response hold the same."""
        return all(_same(frame[kept.name], kept) for kept in self.columns)


_LAST: list[RecentDesign | None] = [None]


def fit_on_recent(asked: ModelSpec, frame: Frame) -> Fit | None:
    """The fit, where the last small design serves and nothing about it may be remarkable; else None."""
    last = _LAST[0]
    if last is None or not last.is_for(asked, frame):
        return None
    response = frame[last.spec.response]
    if not response.is_number or response.missing is not None or not last.has_columns_of(frame):
        return None
    y = response.numbers()
    if not (np.isfinite(y).all() and y.min() < y.max()):
        return None
    fit = last.prepared.plain_fit(y)
    # An index has a name that may be changed, so every fit has one of its own.
    return fit if fit is None or frame.index is None else changed(fit, design=changed(fit.design, index=frame.index[:]))


def keep_design(asked: ModelSpec, spec: ModelSpec, design: Design, frame: Frame) -> None:
    """Keep the design of a fit, if another response may meet it: few groups, and every row used whatever its response."""
    if not (is_met_often() and type(frame) is Frame and _is_simple(spec, design) and design.n_rows == frame.n_rows):
        return
    names = [name for name in used_variables(spec) if name != spec.response]
    variables = [frame[name] for name in names]
    if all(variable.missing is None and variable.exact is None for variable in variables):
        copies = tuple(changed(variable, values=variable.values.copy()) for variable in variables)
        _LAST[0] = RecentDesign(asked, frame.names, copies, frame.value_labels, frame.units, spec, design)


def _is_simple(spec: ModelSpec, design: Design) -> bool:
    """Whether the response enters nothing but y, and the model is one whose searches are compiled."""
    if spec.sample != Sample() or spec.offsets or spec.computed or spec.tsset is not None or spec.weights is not None:
        return False
    if design.residual is not None or design.constraints is not None or design.sparse is not None or len(design.random) != 1:
        return False
    (term,) = design.random
    factors = (
        factor.variable for terms in (spec.fixed, *(e.terms for e in spec.random)) for each in terms for factor in each.factors
    )
    others = {*factors, *(name for e in spec.random for name in (*e.grouping, e.factor)), spec.vce.variable}
    return spec.response not in others and few(term.n_groups, term.k, len(design.names) + 1)


def _same(found: Variable, kept: Variable) -> bool:
    """Whether a column holds what one without missing values held."""
    return (
        found.kind == kept.kind
        and found.missing is None
        and found.exact is None
        and found.values.dtype == kept.values.dtype
        and found.categories == kept.categories
        and found.ordered == kept.ordered
        and found.unit == kept.unit
        and np.array_equal(found.values, kept.values)
    )
