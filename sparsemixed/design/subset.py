"""A design at some of its rows, or at copies of them: what is said of columns and levels stays, groups without rows go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from sparsemixed.design.values import Design, RandomTerm, ResidualPart, Weights

COLLINEAR = 1e-9
"""Length of what a column adds to those before it, relative to its own, up to which it adds nothing."""


Coding = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From the codes of rows (m,) among the groups before to those among the groups that are left, and which of them these are."""


def rows_kept(design: Design, keep: np.ndarray) -> Design:
    """The design with the rows where `keep` (n,) is true; clusters of standard errors are left out."""
    codings = [_renumbering(term.n_groups) for term in design.random]
    part = design.residual
    if part is not None:
        part = errors_at(part, keep, _renumbering(part.n_groups))
    index = None if design.index is None else design.index[keep]
    return replace(design_at(design, keep, codings, part), index=index)


def design_at(design: Design, rows: np.ndarray, codings: Sequence[Coding], errors: ResidualPart | None) -> Design:
    """The design with `rows`, a mask or places, without their index and without clusters of standard errors.

    Parameters
    ----------
    codings : sequence of Coding
        Of the groups of every random term.
    errors : ResidualPart or None
        The errors of these rows.
    """
    found = [_term(term, rows, coding) for term, coding in zip(design.random, codings, strict=True)]
    weights = design.weights
    if weights is not None:
        groups = tuple(own[used] for own, (_, used) in zip(weights.groups, found, strict=True))
        weights = Weights(weights.kind, weights.rows[rows], groups)
    return replace(
        design,
        y=design.y[rows],
        X=np.ascontiguousarray(design.X[rows]),
        sparse=None,
        random=tuple(term for term, _ in found),
        kept=design.kept[rows],
        residual=errors,
        weights=weights,
        clusters=None,
        index=None,
        offset=None if design.offset is None else design.offset[rows],
    )


def errors_at(part: ResidualPart, rows: np.ndarray, coding: Coding) -> ResidualPart:
    """The errors of rows."""
    codes, used = coding(part.codes[rows])
    return replace(part, codes=codes, n_groups=len(used), t=part.t[rows])


def _term(term: RandomTerm, rows: np.ndarray, coding: Coding) -> tuple[RandomTerm, np.ndarray]:
    """The term, and the places of its groups among those before."""
    codes, used = coding(term.codes[rows])
    members = None if term.members is None else term.members[used]
    labels = term.labels.iloc[used].reset_index(drop=True)
    columns = np.ascontiguousarray(term.columns[rows])
    return replace(term, codes=codes, n_groups=len(used), columns=columns, labels=labels, members=members), used


def _renumbering(n_groups: int) -> Coding:
    """Of the groups that occur."""
    return lambda codes: _renumbered(codes, n_groups)


def _renumbered(codes: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes (m,) int32 of the groups that occur, and which these are."""
    used = np.flatnonzero(np.bincount(codes, minlength=n_groups))
    place = np.zeros(n_groups, np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    return place[codes], used


def determines_coefficients(design: Design) -> bool:
    """Whether no column of the fixed part, as far as constraints leave it free, is a combination of others."""
    X = design.X if design.constraints is None else design.X @ design.constraints.T
    n, r = X.shape
    if n < r:
        return False
    length = np.linalg.norm(X, axis=0)
    if not np.all(length > 0):
        return False
    return bool(np.abs(np.diag(np.linalg.qr(X / length, mode="r"))).min(initial=1.0) > COLLINEAR)
