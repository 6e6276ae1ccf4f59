"""Functions whose values in one row depend on the data as a whole, done by formulaic's stateful transforms but for `ns()`.

What formulaic remembers of the data is a mapping of names to numbers, arrays of numbers, and mappings of these; it is kept with
the specification, and saved with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from sparsemixed.design.computed.natural_spline import natural_spline
from sparsemixed.errors import DataError

SPLINES = ("bs", "ns", "cr", "cs", "cc")


def stateful_columns(name: str, x: np.ndarray, parameters: Mapping[str, Any], state: dict, text: str) -> np.ndarray:
    """The columns of a stateful function in the m rows of `x`.

    Parameters
    ----------
    name : str
        One of `spec.functions` that is stateful.
    x : (m,) float64
        NaN where missing; such rows are NaN, and nothing is learned from them.
    parameters : mapping
    state : dict
        What is known of the data; an empty one is filled.
    text : str
        As R writes the call, for messages.

    Returns
    -------
    columns : (m, k) float64

    Raises
    ------
    DataError
        Nothing to learn from, settings that these values do not allow, infinite values.
    """
    there = np.isfinite(x)
    if not state and not there.any():
        raise DataError(f"{text} has no value to be made from: all of its {len(x)} rows are missing")
    if np.isinf(x).any():
        raise DataError(f"{text}: its argument is infinite in {int(np.isinf(x).sum())} rows")
    if not state and name in ("poly", *SPLINES) and not parameters.get("raw"):
        _check_distinct(name, x[there], parameters, text)
    try:
        found = _transform(name)(x[there], _state=state, **_settings(name, parameters))
    except (ValueError, ZeroDivisionError, np.linalg.LinAlgError) as error:
        raise DataError(f"{text}: {str(error).strip().splitlines()[0]}") from None
    values = _matrix(found, int(there.sum()))
    columns = np.full((len(x), values.shape[1]), np.nan)
    columns[there] = values
    return columns


def _transform(name: str) -> Any:
    if name == "ns":
        return natural_spline
    # formulaic takes a third of a second to import, which commands need not wait for.
    from formulaic.transforms import TRANSFORMS

    return TRANSFORMS[name]


def _settings(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    settings = dict(parameters)
    bounds = settings.pop("Boundary.knots", None)
    if bounds is not None:
        settings["lower_bound"], settings["upper_bound"] = bounds
    if name in SPLINES and name != "ns":
        # R goes on beyond the boundary with the last polynomial; formulaic's default is an error.
        settings.setdefault("extrapolation", "extend")
    return settings


def _check_distinct(name: str, x: np.ndarray, parameters: Mapping[str, Any], text: str) -> None:
    least = int(parameters.get("degree", 1)) + 1 if name == "poly" else 2
    distinct = len(np.unique(x))
    if distinct < least:
        raise DataError(f"{text} needs at least {least} distinct values, found {distinct}")


def _matrix(found: Any, m: int) -> np.ndarray:
    """formulaic's columns, an array or a mapping of arrays, as (m, k) float64."""
    values = getattr(found, "__wrapped__", found)
    if isinstance(values, Mapping):
        values = np.column_stack([np.asarray(column, dtype=float) for column in values.values()]) if values else np.empty((m, 0))
    values = np.asarray(values, dtype=np.float64)
    return values.reshape(m, prod(values.shape[1:]))
