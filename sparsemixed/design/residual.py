"""The residual part: groups, times and levels of by(), with every rule of the manual's residuals() option checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sparsemixed.design.checks import changing_rows
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.values import ResidualPart
from sparsemixed.errors import DataError, OptionError
from sparsemixed.spec import ModelSpec, ResidualSpec
from sparsemixed.structures.residual_errors.base import ResidualStructure, Times
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.gaps import common_divisor, neighbouring_gaps
from sparsemixed.structures.residual_errors.table import DEFAULT, RESIDUAL_STRUCTURES


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
    family = RESIDUAL_STRUCTURES[asked.name]
    notes = ()
    if asked.t is not None and not family.needs_time():
        notes = ("Note: t() not required for this residual structure; ignored",)
    if asked.one_variance:
        return None, notes
    if spec.estimation.nostderr:
        alone = f"residuals({DEFAULT})"
        raise OptionError(f"nostderr is allowed only with {alone} and one variance", spec.text, asked.position)
    if not spec.random:
        message = f"residuals({asked.name}) works within groups: name them, as in || id:"
        raise OptionError(message, spec.text, asked.position)
    grouping = error_grouping(spec)
    codes, n_groups = groups.codes(grouping)
    by, labels = _by(spec, rows, value_labels)
    largest = int(np.bincount(codes).max())
    if family.independent_rows:
        assert by is not None
        structure = family.build(Times(largest, levels=labels), None)
        return ResidualPart(structure, codes, n_groups, by.astype(float), _equation(structure, asked), None), notes
    if by is not None:
        _check_constant(by, codes, n_groups, asked)
    t, levels = _times(spec, family, rows, codes)
    longest = _longest_lag(t, codes, n_groups, asked) if family.time == "integer" else None
    structures = _structures(spec, family, Times(largest, longest, levels), t, codes, by, len(labels))
    structure = structures[0]
    if by is not None:
        structure = ByLevel(structures, labels)
        t = np.column_stack([t, by])
    named = groups.labels(grouping)
    return ResidualPart(structure, codes, n_groups, t, _equation(structure, asked), levels, named), notes


def error_grouping(spec: ModelSpec) -> tuple[str, ...]:
    """The variables that name the groups within which errors are correlated."""
    return spec.random[-1].grouping if spec.residual.group is None else spec.residual.group


def _structures(
    spec: ModelSpec,
    family: type[ResidualStructure],
    times: Times,
    t: np.ndarray,
    codes: np.ndarray,
    by: np.ndarray | None,
    n_levels: int,
) -> tuple[ResidualStructure, ...]:
    """The structure, or with by() that of every level, whose groups may have gaps of their own."""
    order = _order(spec, family, times)
    if family.time not in ("integer", "real"):
        return (family.build(times, order),) * max(n_levels, 1)
    rows = [slice(None)] if by is None else [by == level for level in range(n_levels)]
    found = []
    for own in rows:
        gaps = neighbouring_gaps(t[own], codes[own])
        shortest, common = (float(gaps.min()), common_divisor(gaps)) if gaps.size else (1.0, 1)
        found.append(family.build(replace(times, shortest_gap=shortest, common_gap=common), order))
    return tuple(found)


def _equation(structure: ResidualStructure, asked: ResidualSpec) -> str:
    return f"Residual: {structure.title}" + (f", by {asked.by}" if asked.by else "")


def _by(spec: ModelSpec, rows: Rows, value_labels: dict) -> tuple[np.ndarray | None, tuple[str, ...]]:
    name = spec.residual.by
    if name is None:
        return None, ()
    codes, values = rows.distinct(name)
    labels = value_labels.get(name, {})
    return codes, tuple(str(labels.get(value, level_label(value))) for value in values)


def level_label(value) -> str:
    """A level as printed: whole numbers without a point, others to six digits."""
    if not isinstance(value, (float, np.floating)):
        return str(value)
    return f"{value:.0f}" if float(value).is_integer() else f"{value:g}"


def _check_constant(by: np.ndarray, codes: np.ndarray, n_groups: int, asked: ResidualSpec) -> None:
    bad = changing_rows(by, codes, n_groups)
    if bad.size:
        free = _names(lambda family: family.independent_rows)
        raise DataError(
            f"by({asked.by}) must be constant within the lowest-level groups for residuals({asked.name}); it varies in "
            f"{np.unique(codes[bad]).size} of {n_groups} groups (only {free} allows that)"
        )


def _times(
    spec: ModelSpec, family: type[ResidualStructure], rows: Rows, codes: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """t (n,) float64, and for a family of levels the labels of the levels that it numbers."""
    asked = spec.residual
    if not family.needs_time():
        return np.zeros(rows.n), None
    if asked.t is None:
        message = f"residuals({asked.name}) needs a time variable: residuals({asked.name}, t(varname))"
        raise OptionError(message, spec.text, asked.position)
    if not rows.frame[asked.t].counts_as_number:
        held = {"dates": "times of day"}.get(rows.frame[asked.t].kind, rows.frame[asked.t].kind)
        raise DataError(f"t({asked.t}) must hold numbers or dates for residuals({asked.name}); {asked.t} holds {held}")
    t = rows.numbers(asked.t) if family.time == "levels" else rows.differences(asked.t)
    if family.time != "real" and not np.all(t == np.round(t)):
        real, unit = _names(lambda other: other.time == "real"), rows.frame[asked.t].unit
        counts = f"; it counts {unit}" if unit else ""
        raise DataError(f"t({asked.t}) must be integer-valued for residuals({asked.name}){counts}; use {real} for real times")
    if family.time == "levels" and t.min() < 0:
        raise DataError(f"t({asked.t}) must be nonnegative for residuals({asked.name}); its smallest value is {t.min():g}")
    order = np.lexsort((t, codes))
    repeated = (codes[order][1:] == codes[order][:-1]) & (t[order][1:] == t[order][:-1])
    if repeated.any():
        first = rows.numbers(asked.t)[int(order[1:][repeated][0])]
        raise DataError(
            f"t({asked.t}) repeats within groups ({int(repeated.sum())} times, first t = {first:g}); residuals({asked.name}) "
            "needs distinct times within each lowest-level group"
        )
    if family.time != "levels":
        return t, None
    levels, place = np.unique(t, return_inverse=True)
    return place.astype(float), tuple(level_label(level) for level in levels)


def _names(wanted: Callable[[type[ResidualStructure]], bool]) -> str:
    """The structures of one kind, as a message names them."""
    return " or ".join(f"residuals({name})" for name, family in RESIDUAL_STRUCTURES.items() if wanted(family))


def _longest_lag(t: np.ndarray, codes: np.ndarray, n_groups: int, asked: ResidualSpec) -> int:
    """Largest difference of integer times within a group."""
    low, high = np.full(n_groups, np.inf), np.full(n_groups, -np.inf)
    np.minimum.at(low, codes, t)
    np.maximum.at(high, codes, t)
    longest = int((high - low).max())
    if longest == 0:
        raise DataError(f"no lowest-level group has two observations at different t({asked.t}); there is no lag to model")
    return longest


def _order(spec: ModelSpec, family: type[ResidualStructure], times: Times) -> int | None:
    """The order asked for or the family's default, within its limits."""
    asked, limits = spec.residual, family.order_limits
    if limits is None:
        return None
    largest, words = times.largest_order or (None, "")
    order = (limits.default if limits.default is not None else largest) if asked.order is None else asked.order
    if order is None:
        raise OptionError(f"residuals({asked.name}) needs an order: residuals({asked.name} #)", spec.text, asked.position)
    if order < limits.smallest or (largest is not None and order > largest):
        must = f"be at least {limits.smallest}" if largest is None else f"lie between {limits.smallest} and {largest} ({words})"
        raise OptionError(f"residuals({asked.name} {order}): the order must {must}", spec.text, asked.position)
    return order
