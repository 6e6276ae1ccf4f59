"""The residual part: groups, times and levels of by(), with every rule of the manual's residuals() option checked."""

from __future__ import annotations

import numpy as np

from sparsemixed.design.checks import changing_rows
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.values import ResidualPart
from sparsemixed.errors import DataError, OptionError
from sparsemixed.spec import ModelSpec, ResidualSpec
from sparsemixed.structures.residual_errors.base import ResidualStructure
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES

NO_TIME = ("independent", "exchangeable")


def residual_part(spec: ModelSpec, rows: Rows, groups: Groups, value_labels: dict) -> tuple[ResidualPart | None, tuple[str, ...]]:
    """The residual structure over the lowest-level groups, or None for independent errors with one variance; and notes.

    Raises
    ------
    OptionError
        t() missing, an order out of range, `nostderr` with a structure, no level to group by.
    DataError
        Times that are not of the family's kind or repeat within a group; by() not constant within groups.
    """
    asked = spec.residual
    notes = ()
    if asked.t is not None and asked.name in NO_TIME:
        notes = ("Note: t() not required for this residual structure; ignored",)
    if asked.name == "independent" and asked.by is None:
        return None, notes
    if spec.estimation.nostderr:
        raise OptionError("nostderr is allowed only with residuals(independent) and one variance", spec.text, asked.position)
    if not spec.random:
        message = f"residuals({asked.name}) works within groups: name them, as in || id:"
        raise OptionError(message, spec.text, asked.position)
    codes, n_groups = groups.codes(spec.random[-1].grouping if asked.group is None else asked.group)
    by, labels = _by(spec, rows, value_labels)
    if asked.name == "independent":
        structure = RESIDUAL_STRUCTURES["independent"](labels)  # type: ignore[call-arg]
        assert by is not None
        return ResidualPart(structure, codes, n_groups, by.astype(float), _equation(structure, asked), None), notes
    if by is not None:
        _check_constant(by, codes, n_groups, asked)
    t, levels = _times(spec, rows, codes, n_groups)
    structure = _structure(spec, t, levels, codes, n_groups)
    if by is not None:
        structure = ByLevel((structure,) * len(labels), labels)
        t = np.column_stack([t, by])
    return ResidualPart(structure, codes, n_groups, t, _equation(structure, asked), levels), notes


def _equation(structure: ResidualStructure, asked: ResidualSpec) -> str:
    return f"Residual: {structure.title}" + (f", by {asked.by}" if asked.by else "")


def _by(spec: ModelSpec, rows: Rows, value_labels: dict) -> tuple[np.ndarray | None, tuple[str, ...]]:
    name = spec.residual.by
    if name is None:
        return None, ()
    codes, values = rows.distinct(name)
    labels = value_labels.get(name, {})
    return codes, tuple(str(labels.get(value, _text(value))) for value in values)


def _text(value) -> str:
    """A level as printed: whole numbers without a point, others to six digits."""
    if not isinstance(value, (float, np.floating)):
        return str(value)
    return f"{value:.0f}" if float(value).is_integer() else f"{value:g}"


def _check_constant(by: np.ndarray, codes: np.ndarray, n_groups: int, asked: ResidualSpec) -> None:
    bad = changing_rows(by, codes, n_groups)
    if bad.size:
        raise DataError(
            f"by({asked.by}) must be constant within the lowest-level groups for residuals({asked.name}); it varies in "
            f"{np.unique(codes[bad]).size} of {n_groups} groups (only residuals(independent) allows that)"
        )


def _times(spec: ModelSpec, rows: Rows, codes: np.ndarray, n_groups: int) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """t (n,) float64, and for unstructured and banded the labels of the levels that it numbers."""
    asked = spec.residual
    if asked.name in NO_TIME:
        return np.zeros(rows.n), None
    if asked.t is None:
        message = f"residuals({asked.name}) needs a time variable: residuals({asked.name}, t(varname))"
        raise OptionError(message, spec.text, asked.position)
    if not rows.frame[asked.t].is_number:
        raise DataError(f"t({asked.t}) must hold numbers for residuals({asked.name}); {asked.t} holds {rows.frame[asked.t].kind}")
    t = rows.numbers(asked.t)
    if asked.name != "exponential" and not np.all(t == np.round(t)):
        raise DataError(
            f"t({asked.t}) must be integer-valued for residuals({asked.name}); use residuals(exponential) for real times"
        )
    if asked.name in ("unstructured", "banded") and t.min() < 0:
        raise DataError(f"t({asked.t}) must be nonnegative for residuals({asked.name}); its smallest value is {t.min():g}")
    order = np.lexsort((t, codes))
    repeated = (codes[order][1:] == codes[order][:-1]) & (t[order][1:] == t[order][:-1])
    if repeated.any():
        where = int(order[1:][repeated][0])
        raise DataError(
            f"t({asked.t}) repeats within groups ({int(repeated.sum())} times, first t = {t[where]:g}); residuals({asked.name}) "
            "needs distinct times within each lowest-level group"
        )
    if asked.name not in ("unstructured", "banded"):
        return t, None
    levels, place = np.unique(t, return_inverse=True)
    return place.astype(float), tuple(_text(level) for level in levels)


def _structure(
    spec: ModelSpec, t: np.ndarray, levels: tuple[str, ...] | None, codes: np.ndarray, n_groups: int
) -> ResidualStructure:
    asked = spec.residual
    family = RESIDUAL_STRUCTURES[asked.name]
    if asked.name == "exchangeable":
        return family(int(np.bincount(codes).max()))  # type: ignore[call-arg]
    if asked.name == "exponential":
        return family()
    if levels is not None:
        band = (
            None
            if asked.name == "unstructured"
            else _order(spec, len(levels) - 1, 0, len(levels) - 1, "number of levels less one")
        )
        return family(levels, band)  # type: ignore[call-arg]
    low, high = np.full(n_groups, np.inf), np.full(n_groups, -np.inf)
    np.minimum.at(low, codes, t)
    np.maximum.at(high, codes, t)
    longest = int((high - low).max())
    if longest == 0:
        raise DataError(f"no lowest-level group has two observations at different t({asked.t}); there is no lag to model")
    if asked.name == "toeplitz":
        return family(_order(spec, longest, 1, longest, "longest lag"))  # type: ignore[call-arg]
    return family(_order(spec, 1, 1, longest, "longest lag"))  # type: ignore[call-arg]


def _order(spec: ModelSpec, default: int, smallest: int, largest: int, limit: str) -> int:
    asked = spec.residual
    order = default if asked.order is None else asked.order
    if not smallest <= order <= largest:
        message = f"residuals({asked.name} {order}): the order must lie between {smallest} and {largest} (the {limit})"
        raise OptionError(message, spec.text, asked.position)
    return order
