"""`by`: the same model for the rows of each level of some variables."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import pandas as pd

from sparsemixed.errors import CommandError, OptionError, SparseMixedError, SparseMixedWarning
from sparsemixed.fitting.levels import Levels
from sparsemixed.repeated.quantities import COLUMNS, quantities
from sparsemixed.reporting.compare import side_by_side
from sparsemixed.reporting.compare_lines import CompareKeywords, Shape
from sparsemixed.reporting.document import Block, Document, Heading, Note
from sparsemixed.reporting.ruled import ruled
from sparsemixed.reporting.shown import Shown
from sparsemixed.reporting.side_by_side import SideBySide
from sparsemixed.results import Results
from sparsemixed.solver.groups.profiled import expect


@dataclass(frozen=True, repr=False, eq=False)
class FitsByLevel(Shown, Mapping[Any, Any]):
    """Fits by level: `found[1]`, or `found["new", 2]` of two variables. Levels that could not be fitted are in `errors`.

    Attributes
    ----------
    by : tuple of str
        The variables.
    results : dict
        Level -> Results, or what another prefix made of its rows.
    errors : dict
        Level -> the message of the error.
    headings : dict
        Level -> `school = 1`, for all levels in their order.
    """

    by: tuple[str, ...]
    results: dict[Any, Any]
    errors: dict[Any, str]
    headings: dict[Any, str]

    def __getitem__(self, level: Any) -> Any:
        if level in self.errors:
            raise KeyError(f"{self.headings[level]} could not be fitted: {self.errors[level]}")
        return self.results[level]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each estimate of each level, after the variables; a level without a fit is one row with its `message`."""
        parts = []
        for level in self.headings:
            part = quantities(self.results[level]) if level in self.results else pd.DataFrame({"name": [None]})
            part["message"] = self.errors.get(level)
            values = level if len(self.by) > 1 else (level,)
            for place, (name, value) in enumerate(zip(self.by, values, strict=True)):
                part.insert(place, name, value)
            parts.append(part)
        whole: pd.DataFrame = pd.concat([part.astype(object) for part in parts], ignore_index=True).infer_objects()
        first = [*self.by, *(name for name in COLUMNS if name in whole)]
        return whole.reindex(columns=[*first, *(name for name in whole if name not in first)])

    @property
    def glance(self) -> pd.DataFrame:
        """One row for each level that was fitted: nobs, sigma, logLik, AIC, BIC, converged, status and others."""
        parts = [one.glance().assign(status=one.status) for one in self.results.values() if isinstance(one, Results)]
        keys = [level for level, one in self.results.items() if isinstance(one, Results)]
        names = list(self.by)
        index = pd.MultiIndex.from_tuples(keys, names=names) if len(names) > 1 else pd.Index(keys, name=names[0])
        return pd.concat(parts, ignore_index=True).set_index(index) if parts else pd.DataFrame()

    def compare(
        self,
        stats: Sequence[str] = ("N", "ll", "aic", "bic"),
        se: bool = True,
        stars: bool | Sequence[float] = False,
        **options: Unpack[CompareKeywords],
    ) -> SideBySide:
        """The fits in the columns of one table, as `sparsemixed.compare` sets them."""
        fits = {self.headings[level]: one for level, one in self.results.items() if isinstance(one, Results)}
        return side_by_side([one.fit for one in fits.values()], list(fits), stats, Shape.read(se, stars, **options))

    def document(self) -> Document:
        """Heading and tables, level by level."""
        blocks: list[Block] = []
        for level, heading in self.headings.items():
            blocks.append(Heading(f"-> {heading}"))
            blocks += [Note(self.errors[level])] if level in self.errors else self.results[level].document().blocks
        return Document(tuple(blocks))

    def __str__(self) -> str:
        return "\n\n".join(f"{ruled(text)}\n\n{self._text(level)}" for level, text in self.headings.items())

    def _text(self, level: Any) -> str:
        return self.errors[level] if level in self.errors else str(self.results[level])

    def __repr__(self) -> str:
        failed = f", {len(self.errors)} failed" if self.errors else ""
        return f"<fits by {' '.join(self.by)}: {len(self.results)} levels{failed}>"


def fits_by_level(levels: Levels, fit: Callable[[Any], Any]) -> FitsByLevel:
    """Fit the rows of each level; what fails is kept with its message.

    Parameters
    ----------
    levels : Levels
    fit : callable
        From a frame to a result.

    Raises
    ------
    SparseMixedError
        No level could be fitted: the error of the first.
    """
    expect(len(levels))
    results: dict[Any, Any] = {}
    errors: dict[Any, SparseMixedError] = {}
    for level in levels:
        try:
            results[level] = quietly(fit, levels.rows(level))
        except SparseMixedError as error:
            errors[level] = error
    if errors and not results:
        raise next(iter(errors.values()))
    messages = {level: message_of(error) for level, error in errors.items()}
    return FitsByLevel(levels.names, results, messages, {level: levels.heading(level) for level in levels})


def quietly(fit: Callable[[Any], Any], data: Any) -> Any:
    """A fit without warnings: of one among many its `status` says the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparseMixedWarning)
        return fit(data)


def message_of(error: SparseMixedError) -> str:
    """What an error says, in one line."""
    return " ".join((error.message if isinstance(error, CommandError) else str(error)).split())


def names_of(by: Any, function: str) -> tuple[str, ...]:
    """The variables that a user named: one, or several in a sequence.

    Raises
    ------
    OptionError
    """
    names = (by,) if isinstance(by, str) else tuple(by) if isinstance(by, Sequence) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise OptionError(f"{function}: by is the name of a variable, or a list of names, found {by!r}")
    return names
