"""Designs of copied rows, in which every copy of a group is a group of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sparsemixed.design.subset import Coding, design_at, errors_at
from sparsemixed.design.values import Design
from sparsemixed.resampling.top_groups import nested


def copied_clusters(design: Design, counts: np.ndarray) -> Design:
    """Rows (n,) as often as they are counted, all rows of a top group alike; the copies of a group share nothing."""
    rows = np.repeat(np.arange(len(counts)), counts)
    copy = copy_numbers(counts)
    return _copied(design, rows, [copy] * len(design.random), copy)


def copied_levels(design: Design, counts: Sequence[np.ndarray | None]) -> Design:
    """Every level of crossed factors as often as it is counted, each copy a level of its own: rows as often as the product.

    Parameters
    ----------
    counts : sequence of ((J,) int or None)
        For every random term; None for those whose groups lie within other terms', which are copied with these.
    """
    n = len(design.y)
    factors = [t for t, own in enumerate(counts) if own is not None]
    of_rows = {t: own[design.random[t].codes] for t, own in enumerate(counts) if own is not None}
    total = np.prod([of_rows[t] for t in factors], axis=0).astype(np.int64)
    rows, place = np.repeat(np.arange(n), total), copy_numbers(total)
    copy: dict[int, np.ndarray] = {}
    for t in factors:
        copy[t] = place % of_rows[t][rows]
        place = place // of_rows[t][rows]
    numbers = []
    for t, term in enumerate(design.random):
        own = np.zeros(len(rows), np.int64)
        for f in factors:
            if f == t or (t not in copy and nested(term.codes, design.random[f].codes)):
                own = own * (int(counts[f].max()) + 1) + copy[f]  # type: ignore[union-attr]
        numbers.append(own)
    return _copied(design, rows, numbers, np.arange(len(rows)))


def copy_numbers(counts: np.ndarray) -> np.ndarray:
    """0, 1, ..., one after another for each of what is counted."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)


def _copied(design: Design, rows: np.ndarray, copies: Sequence[np.ndarray], errors: np.ndarray) -> Design:
    """The design with `rows`, of which the groups of each term, and those of the errors, are told apart by numbers of copies."""
    codings = [_told_apart(copy, term.n_groups) for term, copy in zip(design.random, copies, strict=True)]
    part = design.residual
    if part is not None:
        part = replace(errors_at(part, rows, _told_apart(errors, part.n_groups)), labels=None)
    return design_at(design, rows, codings, part)


def _told_apart(copy: np.ndarray, n_groups: int) -> Coding:
    """Every copy of a group is one of its own."""

    def coding(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found, own = np.unique(codes.astype(np.int64) + n_groups * copy, return_inverse=True)
        return own.astype(np.int32), found % n_groups

    return coding
