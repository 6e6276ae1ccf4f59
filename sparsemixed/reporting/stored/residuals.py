"""What is stored of residuals(): the structure, its orders, its variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.spec import ResidualSpec
from sparsemixed.structures.residual_errors.base import ResidualStructure
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.independent import IndependentErrors

ORDERS = {"ar": "ar_p", "ma": "ma_q", "banded": "res_order", "toeplitz": "res_order"}
"""Structure -> the name of its order."""

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
    if asked.name in ORDERS:
        found[ORDERS[asked.name]] = lambda fit: _order(fit)
    if asked.t is not None and _one(part.structure).time is not None and asked.name != "independent":
        found["timevar"] = lambda fit: fit.spec.residual.t
    if asked.by is not None:
        found |= {"rbyvar": lambda fit: fit.spec.residual.by, "rglabels": lambda fit: " ".join(map(_quoted, group_labels(fit)))}
    if part.levels is not None:
        found["tmap"] = _time_map
    return found


def group_labels(fit: Fit) -> tuple[str, ...]:
    """The levels of by(), as printed."""
    structure = None if fit.design.residual is None else fit.design.residual.structure
    return structure.labels if isinstance(structure, (ByLevel, IndependentErrors)) else ()


def residual_text(fit: Fit) -> str:
    """The option's argument as typed; in the same words where the text was not kept."""
    asked = fit.spec.residual
    if asked.text:
        return asked.text
    order = "" if asked.order is None else f" {asked.order}"
    variables = " ".join(f"{option}({name})" for option, name in (("by", asked.by), ("t", asked.t)) if name)
    return f"{asked.name}{order}" + (f", {variables}" if variables else "")


def _one(structure: ResidualStructure) -> ResidualStructure:
    """The structure in one group of by()."""
    return structure.structures[0] if isinstance(structure, ByLevel) else structure


def _order(fit: Fit) -> int:
    assert fit.design.residual is not None
    structure = _one(fit.design.residual.structure)
    order = getattr(structure, "band", None) if fit.spec.residual.name == "banded" else getattr(structure, "order", None)
    assert order is not None
    return int(order)


def _quoted(label: str) -> str:
    """A label that is one word of a list."""
    return f'"{label}"' if " " in label or not label else label


def _time_map(fit: Fit) -> pd.DataFrame:
    """(1, p): the value of t() that each place of the matrix stands for."""
    assert fit.design.residual is not None
    levels = fit.design.residual.levels or ()
    return pd.DataFrame([list(map(float, levels))], index=["tmap"], columns=[f"c{i + 1}" for i in range(len(levels))])
