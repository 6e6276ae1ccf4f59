"""Contrasts of a categorical variable that are no indicators, `C(f, contr.sum)`: coded by formulaic, named as in R."""

from __future__ import annotations

import numpy as np

from sparsemixed.design.data.rows import Level, Rows
from sparsemixed.errors import DataError
from sparsemixed.spec.computed import ColumnName, Computed

_POLYNOMIALS = {1: ".L", 2: ".Q", 3: ".C"}


def is_contrast(computed: Computed) -> bool:
    """Whether it codes a categorical variable."""
    return computed.expression.function == "C"


def coded_variable(computed: Computed) -> str:
    """The categorical variable."""
    name = computed.expression.arguments[0]
    assert isinstance(name, ColumnName)
    return name.variable


def contrast_state(computed: Computed, levels: tuple[Level, ...]) -> dict:
    """What is remembered: the L levels, and the coding (L, L - 1).

    Raises
    ------
    DataError
        There is one level.
    """
    from formulaic.transforms.contrasts import ContrastsRegistry

    if len(levels) < 2:
        raise DataError(f"{computed.text}: contrasts need two levels, and `{coded_variable(computed)}` has {len(levels)}")
    coding = getattr(ContrastsRegistry, str(dict(computed.expression.parameters)["contrast"]))()
    matrix = np.asarray(coding.get_coding_matrix(list(levels), reduced_rank=True), dtype=np.float64)
    return {"levels": levels, "matrix": matrix}


def contrast_names(computed: Computed, n_levels: int) -> tuple[str, ...]:
    """`C(f, contr.sum)1`, `C(f, contr.poly).L`."""
    polynomials = dict(computed.expression.parameters)["contrast"] == "poly"
    suffixes = [_POLYNOMIALS.get(k, f"^{k}") if polynomials else str(k) for k in range(1, n_levels)]
    return tuple(f"{computed.text}{suffix}" for suffix in suffixes)


def contrast_values(computed: Computed, rows: Rows) -> np.ndarray:
    """The columns of contrasts, (n, L - 1) float64; NaN where the variable is missing or has a level that is not known."""
    state = computed.states[computed.text]
    codes, own = rows.factor(coded_variable(computed))
    place = {level: position for position, level in enumerate(state["levels"])}
    places = np.array([*(place.get(level, -1) for level in own), -1])[codes]
    coding = np.vstack([state["matrix"], np.full(len(place) - 1, np.nan)])
    return coding[places]
