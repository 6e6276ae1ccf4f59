"""What is stored only with some structures and options of residuals()."""

from __future__ import annotations

from functools import partial

import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.reporting.stored.row import Condition, Stored
from sparsemixed.spec import ResidualSpec
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES


def residual_text(fit: Fit) -> str:
    """The option's argument as typed; in the same words where the text was not kept."""
    asked = fit.spec.residual
    if asked.text:
        return asked.text
    order = "" if asked.order is None else f" {asked.order}"
    variables = " ".join(f"{option}({name})" for option, name in (("by", asked.by), ("t", asked.t)) if name)
    return f"{asked.name}{order}" + (f", {variables}" if variables else "")


def order(fit: Fit) -> int | None:
    """The order of the structure."""
    assert fit.design.residual is not None
    return fit.design.residual.structure.within_level.order


def time_variable(fit: Fit) -> str | None:
    """The variable of t()."""
    return fit.spec.residual.t


def by_variable(fit: Fit) -> str | None:
    """The variable of by()."""
    return fit.spec.residual.by


def by_levels(fit: Fit) -> str:
    """The levels of by() as printed, in quotes where they are not one word."""
    assert fit.design.residual is not None
    return " ".join(map(_quoted, fit.design.residual.structure.by_labels))


def _quoted(label: str) -> str:
    """A label that is one word of a list."""
    return f'"{label}"' if " " in label or not label else label


def time_map(fit: Fit) -> pd.DataFrame:
    """(1, p): the value of t() that each place of the matrix stands for."""
    assert fit.design.residual is not None
    levels = fit.design.residual.levels or ()
    return pd.DataFrame([list(map(float, levels))], index=["tmap"], columns=[f"c{i + 1}" for i in range(len(levels))])


def _is_asked(fit: Fit) -> bool:
    return fit.spec.residual != ResidualSpec()


def _uses_time(fit: Fit) -> bool:
    part = fit.design.residual
    return part is not None and fit.spec.residual.t is not None and part.structure.within_level.needs_time()


def _has_by(fit: Fit) -> bool:
    return fit.design.residual is not None and fit.spec.residual.by is not None


def _has_levels(fit: Fit) -> bool:
    return fit.design.residual is not None and fit.design.residual.levels is not None


def _has_order(fit: Fit, name: str) -> bool:
    limits = None if fit.design.residual is None else fit.design.residual.structure.within_level.order_limits
    return limits is not None and limits.stored == name


WITH_BY = Condition(_has_by, "residuals(, by())")

OPTIONS = (
    Stored("resopt", "macro", residual_text, Condition(_is_asked, "residuals()")),
    Stored("timevar", "macro", time_variable, Condition(_uses_time, "residuals(, t()) of a structure that uses it")),
    Stored("rbyvar", "macro", by_variable, WITH_BY),
    Stored("rglabels", "macro", by_levels, WITH_BY),
    Stored("tmap", "matrix", time_map, Condition(_has_levels, "residuals(unstructured) or residuals(banded)")),
)


def residual_rows() -> tuple[Stored, ...]:
    """Those of the options, and an order under each name that a structure of the table has for it."""
    families: dict[str, list[str]] = {}
    for family in RESIDUAL_STRUCTURES.values():
        if family.order_limits is not None:
            families.setdefault(family.order_limits.stored, []).append(f"residuals({family.name})")
    return (*OPTIONS, *(_order_row(name, " or ".join(words)) for name, words in families.items()))


def _order_row(name: str, advice: str) -> Stored:
    return Stored(name, "scalar", order, Condition(partial(_has_order, name=name), advice))
