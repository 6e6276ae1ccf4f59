"""Contrasts and pairwise comparisons of margins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from sparsemixed.design.fixed.terms import level_text
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.contrast_operators import WEIGHTED, operator_rows
from sparsemixed.postestimation.contrasts import Comparisons, TermContrasts, compared
from sparsemixed.postestimation.margins.margins import Block, Margins
from sparsemixed.time_series import unmarked


def pairs_of_margins(fit: Fit, found: Margins, reverse: bool = False, within: int = 0) -> Comparisons:
    """All pairs within each term: margins of all points of at() and groups of over() are compared too, as in Stata.

    Parameters
    ----------
    reverse : bool
        First minus second, as R has it.
    within : int
        Compare only within the levels of so many of the first factors, at each point by itself; adjustments are for each.
    """
    _check_linear(found)
    terms = []
    for block in found.blocks:
        labels = labels_of(block, found)
        apart = 0 if not within else len(labels[0]) - len(block.factors) + within
        for key in dict.fromkeys(label[:apart] for label in labels):
            terms.append(_pairs(block, found, labels, key, reverse))
    return _compared(fit, found, terms, joint=False, title="Pairwise comparisons of ")


def _pairs(block: Block, found: Margins, labels: list[tuple[str, ...]], key: tuple[str, ...], reverse: bool) -> TermContrasts:
    """The pairs among margins whose labels begin with `key`."""
    places = [i for i, label in enumerate(labels) if label[: len(key)] == key]
    texts = {i: " ".join(labels[i][len(key) :]) for i in places}
    pairs = list(combinations(places, 2))
    if not pairs:
        raise OptionError("pwcompare: there is only one margin, and nothing to compare it with")
    C = np.zeros((len(pairs), len(labels)))
    for row, (i, j) in zip(C, pairs, strict=True):
        row[[i, j]] = (1.0, -1.0) if reverse else (-1.0, 1.0)
    several = any(" " in text for text in texts.values())
    shown = {i: f"({text})" if several else text for i, text in texts.items()}
    words = tuple(f"{shown[i]} vs {shown[j]}" if reverse else f"{shown[j]} vs {shown[i]}" for i, j in pairs)
    names = name_of(block, found).split("#")
    name = "#".join(names[len(key) :])
    if key:
        name += f"@{' '.join(f'{level}.{factor}' for level, factor in zip(key, names, strict=False))}"
    return replace(_term(name, block, found, C, words), groups=len(places))


def contrasts_of_margins(fit: Fit, found: Margins, typed: Sequence[str], at_operator: str = "") -> Comparisons:
    """Contrasts of each term by the operators before its factors; `at_operator` compares the points of at() as well.

    Factors after `@`, groups of over(), and without an operator of their own the points of at(), are looked at one by one.
    """
    _check_linear(found)
    terms = []
    for i, block in enumerate(found.blocks):
        own = typed[i % len(typed)] if typed else ""
        terms.append(_contrast(fit, found, block, own, at_operator))
    return _compared(fit, found, terms, joint=True, title="Contrasts of ")


def _contrast(fit: Fit, found: Margins, block: Block, typed: str, at_operator: str) -> TermContrasts:
    n_at, n_over, _ = block.places
    C, labels, name = np.ones((1, 1)), [""], [typed] if typed else []
    shown_at = [str(i + 1) for i in range(n_at)]
    if at_operator:
        rows, own = operator_rows(at_operator, tuple(range(1, n_at + 1)), tuple(shown_at))
        C, labels = rows, [f"({label})" for label in own]
        name.insert(0, f"{at_operator}._at")
    inside, by = np.ones((1, 1)), [""]
    inner, _, outer = typed.partition("@")
    pieces = [(p, True) for p in inner.split("#") if p] + [(p, False) for p in outer.replace("@", "#").split("#") if p]
    for piece, compares in pieces:
        mark, variable = unmarked(piece)
        levels = fit.design.levels[variable]
        texts = tuple(map(level_text, levels))
        rows, own = np.eye(len(levels)), list(texts)
        if compares and (mark not in ("", "i") or not at_operator):
            operator = "r" if mark in ("", "i") else mark
            counts = fit.design.counts.get(variable) if operator in WEIGHTED else None
            rows, own = operator_rows(operator, levels, texts, counts)
            own = [f"({label})" for label in own]
        inside = np.kron(inside, rows)
        by = [f"{a} {b}".strip() for a in by for b in own]
    groups = [" ".join(map(level_text, group)) for group in found.groups]
    if not at_operator:
        C, labels = np.eye(n_at), shown_at if n_at > 1 else [""]
    C = np.kron(np.kron(C, np.eye(n_over)), inside)
    if at_operator:
        texts = [" ".join(filter(None, (a, g, b))) for a in labels for g in groups for b in by]
    else:
        texts = [" ".join(filter(None, (b, a, g))) for a in labels for g in groups for b in by]
    apart = ["_at"] * (n_at > 1 and not at_operator) + list(found.request.over)
    title = "@".join(["#".join(name), *apart]) if name or apart else block.variable
    return _term(title, block, found, C, tuple(texts))


def labels_of(block: Block, found: Margins) -> list[tuple[str, ...]]:
    """The labels of a block's margins: point of at() where there are several, group of over(), levels."""
    n_at = block.places[0]
    points = [(str(i + 1),) if n_at > 1 else () for i in range(n_at)]
    groups = [tuple(map(level_text, group)) for group in found.groups]
    cells = [tuple(map(level_text, cell)) for cell in block.cells]
    return [(*a, *g, *c) for a in points for g in groups for c in cells]


def name_of(block: Block, found: Margins) -> str:
    """What a block is headed by: `sex#group`, `_at#sex`, `_cons` for the margin over everything."""
    names = [*["_at"] * (block.places[0] > 1), *found.request.over, *block.factors]
    return "#".join(names) or "_cons"


def _term(name: str, block: Block, found: Margins, C: np.ndarray, labels: tuple[str, ...]) -> TermContrasts:
    rows, unknown = found.jacobian[block.rows], C @ found.unknown[block.rows]
    size = np.maximum(np.abs(C) @ np.abs(found.unknown[block.rows]), 1.0)
    estimable = ~np.any(np.abs(unknown) > 1e-9 * size, axis=1)
    shown = f"{block.variable}: {name}" if block.variable and name != block.variable else name
    return TermContrasts(shown, C @ rows, estimable, labels, C.shape[1])


def _compared(fit: Fit, found: Margins, terms: list[TermContrasts], joint: bool, title: str) -> Comparisons:
    asked = found.request
    heading = title + ("average marginal effects" if asked.derivative.kind else kind_of(found).lower())
    return compared(fit, terms, asked.mcompare, asked.level, asked.small, joint, title=heading, given_df=asked.df)


def kind_of(found: Margins) -> str:
    """What margins are called: predictions where nothing is averaged over the rows."""
    if found.request.derivative.kind:
        return "Average marginal effects" if found.averaged else "Conditional marginal effects"
    return "Predictive margins" if found.averaged else "Adjusted predictions"


def _check_linear(found: Margins) -> None:
    if found.request.derivative.kind in ("eydx", "eyex"):
        raise OptionError(f"comparisons of {found.request.derivative.kind}() are not available; those of dydx() and dyex() are")
