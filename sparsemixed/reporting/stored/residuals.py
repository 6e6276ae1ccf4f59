"""What is stored of residuals(): the structure, its orders, its variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.spec import ResidualSpec

ALWAYS: dict[str, Callable[[Fit], Any]] = {
    "rstructure": lambda fit: fit.spec.residual.name,
    "rstructlab": lambda fit: "Independent" if fit.design.residual is None else fit.design.residual.structure.title,
    "nrgroups": lambda fit: max(len(group_labels(fit)), 1),
}


def stored_residuals(fit: Fit) -> dict[str, Callable[[Fit], Any]]:
    """What is stored only with some structures and options of residuals()."""
    asked, part = fit.spec.residual, fit.design.residual
    found: dict[str, Callable[[Fit], Any]] = {}
    if asked != ResidualSpec():
        found["resopt"] = lambda fit: residual_text(fit)
    if part is None:
        return found
    structure = part.structure.within_level
    if structure.order_limits is not None:
        found[structure.order_limits.stored] = lambda fit: structure.order
    if asked.t is not None and structure.needs_time():
        found["timevar"] = lambda fit: fit.spec.residual.t
    if asked.by is not None:
        found |= {"rbyvar": lambda fit: fit.spec.residual.by, "rglabels": lambda fit: " ".join(map(_quoted, group_labels(fit)))}
    if part.levels is not None:
        found["tmap"] = _time_map
    return found


def group_labels(fit: Fit) -> tuple[str, ...]:
    """The levels of by(), as printed."""
    return () if fit.design.residual is None else fit.design.residual.structure.by_labels


def residual_text(fit: Fit) -> str:
    """The option's argument as typed; in the same words where the text was not kept."""
    asked = fit.spec.residual
    if asked.text:
        return asked.text
    order = "" if asked.order is None else f" {asked.order}"
    variables = " ".join(f"{option}({name})" for option, name in (("by", asked.by), ("t", asked.t)) if name)
    return f"{asked.name}{order}" + (f", {variables}" if variables else "")


def _quoted(label: str) -> str:
    """A label that is one word of a list."""
    return f'"{label}"' if " " in label or not label else label


def _time_map(fit: Fit) -> pd.DataFrame:
    """(1, p): the value of t() that each place of the matrix stands for."""
    assert fit.design.residual is not None
    levels = fit.design.residual.levels or ()
    return pd.DataFrame([list(map(float, levels))], index=["tmap"], columns=[f"c{i + 1}" for i in range(len(levels))])
