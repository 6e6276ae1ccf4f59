"""The rows that margins average over, or their means alone."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsemixed.command.expression import read_expression
from sparsemixed.design.data.codes import combine_all
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.rows import Level, Rows
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.weights.values import weight_values
from sparsemixed.errors import DataError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.fit_cache import CachedValue, cached_values, restore_cache
from sparsemixed.postestimation.margins.cell_means import (
    RowStatistics,
    RowValues,
    continuous_variables,
    needed_shapes,
    row_statistics,
)
from sparsemixed.postestimation.margins.request import Item
from sparsemixed.spec import ModelSpec

KEY = "margin-statistics"
MOST_GROUPS = 10_000
"""Groups of over()."""


@dataclass(frozen=True)
class MarginSample:
    """Rows with their weights, or their means.

    Attributes
    ----------
    fit : Fit
    values : RowValues or None
    known : RowStatistics or None
        Of all rows, where they have been computed.
    foreign : bool
        Whether the rows are other than those of the fit.
    ranked : bool
        Whether percentiles of covariates are computed, which takes longer than everything else.
    """

    fit: Fit
    values: RowValues | None = None
    known: RowStatistics | None = None
    foreign: bool = False
    ranked: bool = False

    def overall(self) -> RowStatistics:
        """Of all rows."""
        return self.known if self.known is not None else self._of(self.rows("margins"), None)

    def rows(self, what: str) -> RowValues:
        """The rows.

        Raises
        ------
        DataError
            They are not there.
        """
        if self.values is None:
            raise DataError(f"{what} needs the rows of the data, which this fit was left without; give them by data=")
        return self.values

    def subset(self, condition: str) -> MarginSample:
        """The rows that a condition selects.

        Raises
        ------
        OptionError
            It selects none, or names a variable that is not in the data.
        """
        values = self.rows("subpop()")
        selected = selected_rows(values, condition)
        if not selected.n:
            raise OptionError(f"margins: subpop({condition}) selects none of the {values.n} rows")
        return replace(self, values=selected, known=None)

    def groups(self, over: Sequence[str], within: Sequence[str] = ()) -> list[tuple[tuple[Level, ...], RowStatistics, Any]]:
        """Levels, means and what tells the rows of every group of over() and within(); one of all rows without."""
        if not over and not within:
            return [((), self.overall(), None)]
        values = self.rows("over()" if over else "within()")
        check_known(over, within, values.rows.frame)
        return [(levels, self._of(values, where), where) for levels, where in grouped_rows(values, (*over, *within))]

    def generated(self, items: Sequence[Item], given: RowStatistics, where: Any) -> RowStatistics:
        """Means once some covariates are what expressions make of them; those `given` without any."""
        return self._of(self.replaced(items, "generate()"), where) if items else given

    def replaced(self, items: Sequence[Item], what: str) -> RowValues:
        """The rows once some covariates are what expressions make of them; `what` needs them, for messages."""
        return replaced_values(self.fit, self.rows(what), items)

    def pieces(self, items: Sequence[Item], where: Any, what: str) -> Iterator[tuple[RowValues, np.ndarray]]:
        """The rows once some covariates are what expressions make of them, and positions of a group's; as many as it takes."""
        values = self.replaced(items, what)
        yield values, np.arange(values.n) if where is None else where

    def _of(self, values: RowValues, where: np.ndarray | None) -> RowStatistics:
        design, spec = self.fit.design, self.fit.spec
        weights = design.weights if design.has_rows else None
        frequency = weights is not None and weights.kind == "frequency" and values.weights is not None
        covariates = continuous_variables(design, spec) if self.ranked else ()
        return row_statistics(values, needed_shapes(design, spec), covariates, frequency, where)


def evaluated(values: RowValues, text: str, where: str) -> np.ndarray:
    """(n,) values of an expression in the rows.

    Raises
    ------
    OptionError
        `where`, a variable is not in the data, or the values are texts or missing.
    """
    expression, frame = read_expression(text), values.rows.frame
    unknown = next((name for name in sorted(expression.variables) if name not in frame), None)
    if unknown is not None:
        raise OptionError(f"{where}: variable `{unknown}` is not in the data")
    columns = {name: frame[name].for_expression() for name in expression.variables}
    whole = np.broadcast_to(np.asarray(expression.evaluate(columns, frame.n_rows)), (frame.n_rows,))
    if whole.dtype.kind not in "bfiu":
        raise OptionError(f"{where}: {text} is a text, and no number")
    found = whole[values.rows.kept].astype(float)
    if not np.all(np.isfinite(found)):
        raise OptionError(f"{where}: {text} is missing in {int((~np.isfinite(found)).sum())} of the rows")
    return found


def selected_rows(values: RowValues, condition: str) -> RowValues:
    """The rows where a condition is not zero."""
    selected = evaluated(values, condition, "subpop()") != 0
    rows = Rows(values.rows.frame, values.rows.kept[selected])
    return RowValues(rows, values.levels, None if values.weights is None else values.weights[selected])


def replaced_values(fit: Fit, values: RowValues, items: Sequence[Item]) -> RowValues:
    """The rows with covariates as expressions make them."""
    made = {}
    for item in items:
        for name in item.variables:
            if name not in continuous_variables(fit.design, fit.spec):
                raise OptionError(f"at(): generate() is for continuous variables, and {name} is none of the fixed part")
            made[name] = evaluated(values, item.values[0], f"at(): generate({item.values[0]})")
    return values.replaced(made) if made else values


def check_known(over: Sequence[str], within: Sequence[str], known: Container[str]) -> None:
    """Raise unless all variables of over() and within() are in the data."""
    for option, names in (("over()", over), ("within()", within)):
        for name in names:
            if name not in known:
                raise OptionError(f"{option}: variable `{name}` is not in the data")


def grouped_rows(values: RowValues, names: Sequence[str]) -> list[tuple[tuple[Level, ...], np.ndarray]]:
    """Levels of some variables, and the positions of the rows that have them, in the order of the levels."""
    pairs = [values.rows.factor(name) for name in names]
    if not values.n:
        return []
    whole = combine_all([codes for codes, _ in pairs], values.n)
    order = np.argsort(whole, kind="stable")
    starts = np.flatnonzero(np.diff(whole[order], prepend=whole[order][0] - 1))
    if len(starts) > MOST_GROUPS:
        raise OptionError(f"over() and within() make {len(starts):,} groups; at most {MOST_GROUPS:,} are taken")
    found = []
    for where in np.split(order, starts[1:]):
        each = [int(codes[where[0]]) for codes, _ in pairs]
        if min(each) >= 0:  # rows with a missing value are in no group
            found.append((each, where))
    found.sort(key=lambda one: one[0])
    return [(tuple(levels[c] for c, (_, levels) in zip(each, pairs, strict=True)), where) for each, where in found]


def sample_of(
    fit: Fit, data: object = None, weighted: bool = True, everywhere: bool = False, ranked: bool = False
) -> MarginSample:
    """The rows of the fit's own data, or its means where they are kept.

    Parameters
    ----------
    fit : Fit
    data : Frame or anything that becomes one, optional
        The data of the fit's call.
    weighted : bool
        Whether the weights of the estimation count.
    everywhere : bool
        Also the rows that the model was not fitted to, as far as they have what margins need.
    ranked : bool
        Whether percentiles are needed.
    """
    kept = kept_statistics(fit) if weighted and not everywhere else None
    if data is None or not fit.design.has_rows:
        if kept is None:
            raise DataError(
                "margins average over the rows, and this fit does not know its data: it came from another process, or was saved "
                "before margins were; fit the model again, or give data="
            )
        return MarginSample(fit, None, kept)
    frame = model_frame(fit.spec, data)
    every = row_weights(fit.spec, frame) if weighted else None
    rows = Rows(frame, complete_rows(fit, frame, every) if everywhere else fit.design.kept)
    weights = None if every is None else every[rows.kept]
    kept = None if kept is None or (ranked and not kept.percentiles) else kept
    found = MarginSample(fit, RowValues(rows, fit.design.levels, weights), kept, everywhere, ranked)
    if weighted and not everywhere and kept is None:
        known = found.overall()
        keep_statistics(fit, known)
        return replace(found, known=known)
    return found


def row_weights(spec: ModelSpec, frame: Frame) -> np.ndarray | None:
    """(n_rows,) the weights of the estimation before pwscale(): of the row times those of all groups that hold it."""
    if spec.weights is None:
        return None
    return np.prod([weight_values(spec.weights, weight, frame) for weight in spec.weights.each], axis=0)


def complete_rows(fit: Fit, frame: Frame, weights: np.ndarray | None = None) -> np.ndarray:
    """Positions of the rows that have all variables of the fixed part, and a positive weight.

    Raises
    ------
    DataError
        A variable of the fixed part is not in the data, or no row has all of them.
    """
    factors = (factor.variable for term in fit.spec.fixed for factor in term.factors)
    complete = np.ones(frame.n_rows, dtype=bool)
    for name in dict.fromkeys((*factors, *fit.spec.offsets)):
        if name not in frame:
            raise DataError(f"margins: variable `{name}` of the fixed part is not in the data given")
        missing = frame[name].missing
        if missing is not None:
            complete &= ~missing
    if weights is not None:
        complete &= np.isfinite(weights) & (weights > 0)
    if not complete.any():
        raise DataError("margins: no row of the data given has all variables of the fixed part")
    return np.flatnonzero(complete)


def kept_statistics(fit: Fit) -> RowStatistics | None:
    """What was computed before, here or by who saved the fit."""
    return next((one.value for one in cached_values(fit) if one.key == KEY), None)  # type: ignore[return-value]


def keep_statistics(fit: Fit, statistics: RowStatistics) -> None:
    """Keep the means of all rows with the fit, in memory and in its file."""
    restore_cache(fit, [CachedValue(KEY, (), statistics)])
