"""What tells margins apart: values of at(), groups of over(), levels of factors, variables that are differentiated by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pandas as pd

from sparsemixed.design.fixed.terms import level_text
from sparsemixed.postestimation.margins.settings import Setting
from sparsemixed.postestimation.margins.values import Block, Margins, MarginsRequest

TERM, POINT, DERIVATIVE = "_term", "_at", "_deriv"
"""Dimensions without a variable: the term of the list of margins, the number of an at(), and what is differentiated by."""


class ShownMargins(Protocol):
    """Margins with their title and labels, as `reporting.margins.MarginsResult` has them."""

    blocks: tuple[Block, ...]
    at: tuple[tuple[Setting, ...], ...]
    groups: tuple[tuple, ...]
    request: MarginsRequest
    labels: dict

    @property
    def title(self) -> str:
        """What these margins are."""
        ...


Labels = Mapping[str, Mapping[Any, str]]
"""Of levels by variable and level."""


def dimensions(found: Margins | Any, labels: Labels) -> pd.DataFrame:
    """One row for each margin, a column for each dimension with more than one value; numbers of covariates, texts of levels."""
    rows = [row for block in found.blocks for row in _block_rows(found, block, labels)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    table: Any = pd.DataFrame({name: pd.Series([row.get(name, "") for row in rows], dtype=object) for name in names})
    kept = [name for name in names if table[name].nunique() > 1]
    return table[[*kept]] if kept else table.iloc[:, :0]


def at_variables(found: Margins | Any) -> list[str]:
    """The variables of at() whose values differ between its points, in order; `_at` where they do not tell the points apart."""
    n = len(found.at)
    if n == 1:
        return []
    shown = [_settings(point[0]) for point in found.at]
    names = list(dict.fromkeys(name for one in shown for name in one))
    listed = set.intersection(*(set(block.factors) for block in found.blocks))
    varying = [name for name in names if name not in listed and len({str(one.get(name)) for one in shown}) > 1]
    keys = {tuple(str(one.get(name)) for name in varying) for one in shown}
    return varying if len(keys) == n else [POINT]


def _settings(setting: Setting) -> dict[str, Any]:
    """Variable -> number or level that it is set to, or the statistic."""
    out: dict[str, Any] = {}
    for name, value in setting.values.items():
        out[name] = float(value)
    for name, shares in setting.shares.items():
        out[name] = next(iter(shares)) if len(shares) == 1 else setting.texts.get(name, "(shares)")
    return out


def _block_rows(found: Any, block: Block, labels: Labels) -> list[dict[str, Any]]:
    varying = at_variables(found)
    out = []
    for i in range(block.places[0]):
        for g in range(block.places[1]):
            at = {POINT: i + 1} if varying == [POINT] else _at_values(found, i, varying, labels)
            groups = {name: _label(labels, name, level) for name, level in zip(found.request.by, found.groups[g], strict=True)}
            for cell in block.cells:
                key = {TERM: "#".join(block.factors), DERIVATIVE: block.variable} | at | groups
                key |= {name: _label(labels, name, level) for name, level in zip(block.factors, cell, strict=True)}
                out.append(key)
    return out


def _at_values(found: Any, i: int, names: list[str], labels: Labels) -> dict[str, Any]:
    """Values at a point as its first group has them: means of groups differ, but they are one point."""
    own = _settings(found.at[i][0])
    values = {name: own.get(name, "(as observed)") for name in names}
    return {name: value if isinstance(value, float) else _label(labels, name, value) for name, value in values.items()}


def _label(labels: Labels, variable: str, level: Any) -> str:
    """The label of a level, or the level itself."""
    text = level if isinstance(level, str) else level_text(level)
    known = labels.get(variable, {})
    return next((str(label) for value, label in known.items() if level_text(value) == text), text)
