"""Contrasts and pairwise comparisons of margins."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pandas as pd

from sparsemixed.design.fixed.terms import level_text
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.contrast_operators import WEIGHTED, operator_rows
from sparsemixed.postestimation.contrasts import Comparisons
from sparsemixed.postestimation.letter_groups import with_groups
from sparsemixed.postestimation.margins.asked import Asked
from sparsemixed.postestimation.margins.tested_comparisons import MarginComparison, tested
from sparsemixed.postestimation.margins.values import Block, Margins, pieces_of
from sparsemixed.time_series import unmarked


def compared_margins(fit: Fit, found: Margins, asked: Asked) -> Comparisons:
    """Pairs or contrasts, as asked for."""
    if asked.pairs:
        pairs = pairs_of_margins(fit, found)
        return _with_letters(found, pairs) if asked.shape.groups else pairs
    return contrasts_of_margins(fit, found, asked)


def pairs_of_margins(fit: Fit, found: Margins) -> Comparisons:
    """All pairs within each term: margins of all points of at() and groups of over() are compared too, as in Stata."""
    terms = [_pairs(block, found) for block in found.blocks]
    return tested(fit, found, terms, joint=False, title=f"Pairwise comparisons of {kind_of(found).lower()}", overall=False)


def _with_letters(found: Margins, pairs: Comparisons) -> Comparisons:
    """With the margins, and letters that those share whose pairs do not differ."""
    keys = []
    for block in found.blocks:
        term = _shown(block, name_of(block, found))
        keys += [(term, " ".join(label)) for label in labels_of(block, found)]
    index = pd.MultiIndex.from_tuples(keys, names=["term", "margin"])
    numbers = {"estimate": found.estimate, "std_err": found.std_err, "low": found.low, "high": found.high}
    return replace(pairs, margins=with_groups(pd.DataFrame(numbers, index=index), pairs.effects, pairs.level), groups=True)


def _pairs(block: Block, found: Margins) -> MarginComparison:
    """The pairs among a block's margins, the later one minus the earlier."""
    texts = [" ".join(label) for label in labels_of(block, found)]
    pairs = list(combinations(range(len(texts)), 2))
    if not pairs:
        raise OptionError("pwcompare: there is only one margin, and nothing to compare it with")
    C = np.zeros((len(pairs), len(texts)))
    for row, (i, j) in zip(C, pairs, strict=True):
        row[[i, j]] = (-1.0, 1.0)
    several = any(" " in text for text in texts)
    shown = [f"({text})" if several else text for text in texts]
    words = tuple(f"{shown[j]} vs {shown[i]}" for i, j in pairs)
    return _comparison(name_of(block, found), block, found, C, words, len(texts))


def contrasts_of_margins(fit: Fit, found: Margins, asked: Asked) -> Comparisons:
    """Contrasts of each term by the operators before its factors, of the points of at() and of groups by operators of their own.

    Factors after `@`, and without an operator the groups of over() and the points of at(), are looked at one by one.
    """
    terms = []
    for i, block in enumerate(found.blocks):
        terms.append(_contrast(fit, found, block, asked, asked.terms[i % len(asked.terms)] if asked.terms else ""))
    return tested(fit, found, terms, joint=True, title=f"Contrasts of {kind_of(found).lower()}", overall=asked.shape.overall)


Parts = tuple[np.ndarray, list[str]]
"""Rows of a contrast among some levels, and their labels."""


def _contrast(fit: Fit, found: Margins, block: Block, asked: Asked, typed: str) -> MarginComparison:
    n_at, elsewhere = block.places[0], bool(asked.operators.at) or any(asked.operators.by)
    inner, _, outer = typed.partition("@")
    own: Parts = (np.ones((1, 1)), [""])
    for piece in pieces_of(inner):
        mark, variable = unmarked(piece)
        # With operators on points or groups alone, the factors of the list are looked at level by level.
        mark = "" if mark in ("", "i") and elsewhere else "r" if mark in ("", "i") else mark
        counts = fit.design.counts.get(variable) if mark in WEIGHTED else None
        own = _crossed(own, _operated(mark, fit.design.levels[variable], counts))
    levels: Parts = (np.ones((1, 1)), [""])
    for piece in pieces_of(outer):
        levels = _crossed(levels, _operated("", fit.design.levels[unmarked(piece)[1]]))
    points = _operated(asked.operators.at, tuple(range(1, n_at + 1))) if n_at > 1 or asked.operators.at else (np.eye(1), [""])
    groups = _groups(found, asked.operators.by)
    C = np.kron(np.kron(points[0], groups[0]), np.kron(own[0], levels[0]))
    order = (lambda a, g, c, o: (a, g, c, o)) if elsewhere else (lambda a, g, c, o: (c, o, a, g))
    every = list(product(points[1], groups[1], own[1], levels[1]))
    labels = tuple(" ".join(filter(None, order(*one))) for one in every)
    parts = _parts(asked, every)
    if not any(parts) and (elsewhere or any(unmarked(piece)[0] not in ("", "i") for piece in pieces_of(inner))):
        parts = labels  # a contrast each
    term = _comparison(_title(found, block, asked, typed), block, found, C, labels, C.shape[1])
    return replace(term, parts=parts)


def _parts(asked: Asked, every: list[tuple[str, str, str, str]]) -> tuple[str, ...]:
    """For each row, by its point, group, contrast and level, what it is tested with besides all others."""
    together = asked.shape.together
    point = not asked.operators.at and "at" not in together
    group = not any(asked.operators.by) and "groups" not in together
    level = "levels" not in together
    kept = ((level * o, point * a, group * g) for a, g, _, o in every)
    return tuple(" ".join(filter(None, one)) for one in kept)


def _operated(mark: str, levels: tuple, counts: np.ndarray | None = None) -> Parts:
    """Contrasts among levels by an operator; every level by itself without one."""
    texts = tuple(map(level_text, levels))
    if not mark:
        return np.eye(len(levels)), list(texts)
    rows, labels = operator_rows(mark, levels, texts, counts)
    return rows, [f"({label})" for label in labels]


def _crossed(a: Parts, b: Parts) -> Parts:
    return np.kron(a[0], b[0]), [f"{x} {y}".strip() for x in a[1] for y in b[1]]


def _groups(found: Margins, operators: tuple[str, ...]) -> Parts:
    """Contrasts among the groups of over() and within().

    Raises
    ------
    OptionError
        An operator where not every combination of the variables' levels occurs.
    """
    if not any(operators):
        return np.eye(len(found.groups)), [" ".join(map(level_text, group)) for group in found.groups]
    levels = [tuple(dict.fromkeys(group[i] for group in found.groups)) for i in range(len(operators))]
    levels = [tuple(sorted(own)) for own in levels]
    if int(np.prod([len(own) for own in levels])) != len(found.groups):
        raise OptionError("margins: operators in over() need every combination of its variables' levels in the data")
    parts: Parts = (np.ones((1, 1)), [""])
    for mark, own in zip(operators, levels, strict=True):
        parts = _crossed(parts, _operated(mark, own))
    return parts


def _title(found: Margins, block: Block, asked: Asked, typed: str) -> str:
    """The name of a contrast, `r._at#r.sex@group`: what is compared, then what is looked at level by level."""
    marks = dict(zip(found.request.by, asked.operators.by, strict=False))
    compared = [f"{asked.operators.at}._at"] if asked.operators.at else []
    compared += [f"{mark}.{name}" for name, mark in marks.items() if mark]
    compared += [typed] if typed else []
    apart = ["_at"] * (block.places[0] > 1 and not asked.operators.at)
    apart += [name for name in found.request.by if not marks.get(name)]
    return "@".join(["#".join(compared), *apart]) if compared or apart else block.variable


def labels_of(block: Block, found: Margins) -> list[tuple[str, ...]]:
    """The labels of a block's margins: point of at() where there are several, group of over(), levels."""
    n_at = block.places[0]
    points = [(str(i + 1),) if n_at > 1 else () for i in range(n_at)]
    groups = [tuple(map(level_text, group)) for group in found.groups]
    cells = [tuple(map(level_text, cell)) for cell in block.cells]
    return [(*a, *g, *c) for a in points for g in groups for c in cells]


def name_of(block: Block, found: Margins) -> str:
    """What a block is headed by: `sex#group`, `_at#sex`, `_cons` for the margin over everything."""
    names = [*["_at"] * (block.places[0] > 1), *found.request.by, *block.factors]
    return "#".join(names) or "_cons"


def _comparison(name: str, block: Block, found: Margins, C: np.ndarray, labels: tuple[str, ...], groups: int) -> MarginComparison:
    unknown = C @ found.unknown[block.rows]
    size = np.maximum(np.abs(C) @ np.abs(found.unknown[block.rows]), 1.0)
    estimable = ~np.any(np.abs(unknown) > 1e-9 * size, axis=1)
    whole = np.zeros((len(C), len(found.jacobian)))
    whole[:, block.rows] = C
    return MarginComparison(_shown(block, name), whole, estimable, labels, groups)


def _shown(block: Block, name: str) -> str:
    """The name of a term, that of the variable by which is differentiated before it."""
    return f"{block.variable}: {name}" if block.variable and name != block.variable else name


def kind_of(found: Margins) -> str:
    """What margins are called: predictions where nothing is averaged over the rows."""
    if found.request.derivative.kind:
        return "Average marginal effects" if found.averaged else "Conditional marginal effects"
    return "Predictive margins" if found.averaged else "Adjusted predictions"
