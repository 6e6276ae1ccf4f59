"""The rows that margins average over where they come in batches: every request is one pass over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from sparsemixed.command.expression import read_expression
from sparsemixed.design.batches import used_columns
from sparsemixed.design.data.frame import read_frame
from sparsemixed.design.data.rows import Level, Rows
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.sample import sample_rows
from sparsemixed.errors import NoObservationsError, OptionError
from sparsemixed.postestimation.margins.cell_means import RowStatistics, RowValues, cell_totals, needed_shapes, of_totals
from sparsemixed.postestimation.margins.request import Item
from sparsemixed.postestimation.margins.sample import (
    MOST_GROUPS,
    MarginSample,
    check_known,
    grouped_rows,
    replaced_values,
    selected_rows,
)


class Membership(NamedTuple):
    """Which rows belong to a group: those with these levels of these variables."""

    names: tuple[str, ...]
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class BatchSample(MarginSample):
    """Rows in batches. They have no weights, and no percentiles.

    Attributes
    ----------
    read : callable
        Names of columns -> tables that have them, the same each time.
    columns : frozenset of str
        All names.
    conditions : tuple of str
        Of the rows taken.
    """

    read: Callable[[list[str]], Iterator[Any]] = field(kw_only=True, repr=False)
    columns: frozenset[str] = field(kw_only=True)
    conditions: tuple[str, ...] = ()

    def overall(self) -> RowStatistics:
        """Of all rows."""
        return self.known if self.known is not None else self._statistics((), ())[()]

    def subset(self, condition: str) -> BatchSample:
        """The rows that a condition selects."""
        self._check(condition, "subpop()")
        found = replace(self, conditions=(*self.conditions, condition), known=None)
        return replace(found, known=found.overall())

    def groups(self, over: Sequence[str], within: Sequence[str] = ()) -> list[tuple[tuple[Level, ...], RowStatistics, Any]]:
        """Levels, means and what tells the rows of every group."""
        if not over and not within:
            return [((), self.overall(), None)]
        check_known(over, within, self.columns)
        names = (*over, *within)
        found = self._statistics(names, ())
        return [(levels, found[levels], Membership(names, levels)) for levels in sorted(found)]

    def generated(self, items: Sequence[Item], given: RowStatistics, where: Membership | None) -> RowStatistics:
        """Means once some covariates are what expressions make of them; those `given` without any."""
        if not items:
            return given
        for item in items:
            self._check(item.values[0], f"at(): generate({item.values[0]})")
        names, levels = ((), ()) if where is None else where
        return self._statistics(names, items)[levels]

    def pieces(self, items: Sequence[Item], where: Membership | None, what: str) -> Iterator[tuple[RowValues, np.ndarray]]:
        """Every batch with the positions of a group's rows."""
        names, levels = ((), ()) if where is None else where
        for values in self._batches([*names, *self._variables(items)]):
            own = np.arange(values.n) if where is None else dict(grouped_rows(values, names)).get(levels, np.zeros(0, np.int64))
            if len(own):
                yield replaced_values(self.fit, values, items), own

    def _check(self, text: str, where: str) -> None:
        unknown = next((name for name in sorted(read_expression(text).variables) if name not in self.columns), None)
        if unknown is not None:
            raise OptionError(f"{where}: variable `{unknown}` is not in the data")

    @staticmethod
    def _variables(items: Sequence[Item]) -> list[str]:
        return [name for item in items for name in sorted(read_expression(item.values[0]).variables)]

    def _batches(self, names: Sequence[str]) -> Iterator[RowValues]:
        """The rows of the sample, batch by batch, with some columns beside the model's."""
        spec = self.fit.spec
        wanted = [*names, *(name for text in self.conditions for name in sorted(read_expression(text).variables))]
        for table in self.read(list(dict.fromkeys([*used_columns(spec), *wanted]))):
            frame = model_frame(spec, read_frame(table))
            try:
                values = RowValues(Rows(frame, sample_rows(spec, frame)), self.fit.design.levels)
            except NoObservationsError:
                continue
            for condition in self.conditions:
                values = selected_rows(values, condition)
            if values.n:
                yield values

    def _statistics(self, names: tuple[str, ...], items: Sequence[Item]) -> dict[tuple[Level, ...], RowStatistics]:
        """Means of every group, in one pass."""
        shapes = needed_shapes(self.fit.design, self.fit.spec)
        totals: dict[tuple[Level, ...], list[np.ndarray]] = {}
        counts: dict[tuple[Level, ...], float] = {}
        for values in self._batches([*names, *self._variables(items)]):
            made = replaced_values(self.fit, values, items)
            groups = grouped_rows(values, names) if names else [((), np.arange(values.n))]
            for levels, where in groups:
                own = cell_totals(made, shapes, where if names else None)
                totals[levels] = [a + b for a, b in zip(totals[levels], own, strict=True)] if levels in totals else own
                counts[levels] = counts.get(levels, 0.0) + len(where)
            if len(totals) > MOST_GROUPS:
                raise OptionError(f"over() and within() make more than {MOST_GROUPS:,} groups")
        if not totals:
            raise OptionError(f"margins: {' & '.join(self.conditions) or 'the sample'} selects no rows")
        return {levels: of_totals(shapes, own, counts[levels], counts[levels], {}) for levels, own in totals.items()}
