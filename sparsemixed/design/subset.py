"""A design without some of its rows: what is said of columns and levels stays, groups without rows go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sparsemixed.design.values import Design, RandomTerm, Weights

COLLINEAR = 1e-9
"""Length of what a column adds to those before it, relative to its own, up to which it adds nothing."""


def rows_kept(design: Design, keep: np.ndarray) -> Design:
    """The design with the rows where `keep` (n,) is true; clusters of standard errors are left out."""
    found = [_term(term, keep) for term in design.random]
    part = design.residual
    if part is not None:
        codes, used = _renumbered(part.codes[keep], part.n_groups)
        part = replace(part, codes=codes, n_groups=len(used), t=part.t[keep])
    weights = design.weights
    if weights is not None:
        groups = tuple(own[used] for own, (_, used) in zip(weights.groups, found, strict=True))
        weights = Weights(weights.kind, weights.rows[keep], groups)
    return replace(
        design,
        y=design.y[keep],
        X=np.ascontiguousarray(design.X[keep]),
        random=tuple(term for term, _ in found),
        kept=design.kept[keep],
        residual=part,
        weights=weights,
        clusters=None,
        index=None if design.index is None else design.index[keep],
        offset=None if design.offset is None else design.offset[keep],
    )


def _term(term: RandomTerm, keep: np.ndarray) -> tuple[RandomTerm, np.ndarray]:
    """The term, and the places of its groups among those before."""
    codes, used = _renumbered(term.codes[keep], term.n_groups)
    members = None if term.members is None else term.members[used]
    labels = term.labels.iloc[used].reset_index(drop=True)
    columns = np.ascontiguousarray(term.columns[keep])
    return replace(term, codes=codes, n_groups=len(used), columns=columns, labels=labels, members=members), used


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
