"""A fit with standard errors from its replicates: what Stata prints after `bootstrap:` and `jackknife:` of a command alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.values import GroupRow
from sparsemixed.estimation.fit import Fit, VarianceParameter
from sparsemixed.inference.hypotheses.distributions import critical
from sparsemixed.inference.hypotheses.wald import HypothesisTest, tabulated, tested_coefficients, wald_chi2, with_degrees
from sparsemixed.inference.intervals import SCALES
from sparsemixed.reporting.document import Block, Column, Document, Entry, Header, Note, Row, Section, Table
from sparsemixed.reporting.hypothesis_tests import statistic_entries
from sparsemixed.reporting.number_format import count
from sparsemixed.reporting.report import group_entries, groups_table
from sparsemixed.reporting.resampled import Bootstrap, Jackknife
from sparsemixed.reporting.shown import Shown
from sparsemixed.reporting.tables.columns import coefficient_columns, layout, limit_columns
from sparsemixed.reporting.tables.fixed import fixed_sections
from sparsemixed.reporting.tables.titles import criterion_name, title


@dataclass(frozen=True, repr=False, eq=False)
class ResampledFit(Shown):
    """A fit whose standard errors are those of its replicates.

    Attributes
    ----------
    fit : Fit
    resampled : Bootstrap or Jackknife
        Of the coefficients, then of the variance parameters as the fit shows them: `replicates`, `conf_int(method)`, `bse`, `e`.
    cluster : str
        What was drawn or left out.
    """

    fit: Fit
    resampled: Bootstrap | Jackknife
    cluster: str

    @property
    def df(self) -> float | None:
        """Degrees of freedom of t tests, of a jackknife; None for z."""
        return float(self.resampled.reps - 1) if isinstance(self.resampled, Jackknife) else None

    @property
    def params(self) -> pd.Series:
        """Coefficients of the fixed part."""
        return self.resampled.params.iloc[: len(self.fit.beta)]

    @property
    def bse(self) -> pd.Series:
        """Their standard errors from the replicates."""
        return self.resampled.bse.iloc[: len(self.fit.beta)]

    @property
    def replicates(self) -> pd.DataFrame:
        """One row for each replicate."""
        return self.resampled.replicates

    @property
    def e(self) -> dict[str, Any]:
        """Stata's stored results of the prefix."""
        return self.resampled.e

    def conf_int(self, *arguments: Any, **options: Any) -> pd.DataFrame:
        """Limits, as of `resampled.conf_int`."""
        return self.resampled.conf_int(*arguments, **options)

    @property
    def frame(self) -> pd.DataFrame:
        """As of `resampled.frame`, variance parameters with limits on the scales of their kinds, as printed."""
        found = self.resampled.frame
        p, own = len(self.fit.beta), self._variances()
        for place, (_, _, std_err, low, high) in enumerate(own, start=p):
            found.iloc[place, [found.columns.get_loc(name) for name in ("std_err", "low", "high")]] = (std_err, low, high)
        return found

    def _parameters(self) -> tuple[VarianceParameter, ...]:
        return self.fit.deviations if self.fit.spec.display.stddeviations else self.fit.variances

    def _variances(self) -> list[tuple[VarianceParameter, float, float, float, float]]:
        """Each variance parameter with its estimate, standard error and limits, by its replicates on the scale of its kind."""
        values = self.resampled.values[:, len(self.fit.beta) :]
        half = critical(self.fit.spec.display.level, self.df)
        spread = _jackknife_spread if isinstance(self.resampled, Jackknife) else _spread
        return [_on_scale(one, own, float(half), spread) for one, own in zip(self._parameters(), values.T, strict=True)]

    def model_test(self) -> HypothesisTest:
        """That all regressors have coefficient zero, by the covariance of the replicates."""
        rows = tested_coefficients(self.fit)
        found = wald_chi2(self.fit.beta[rows], self.resampled.covariance[np.ix_(rows, rows)], "Wald test of the model")
        return with_degrees(found, self.df)

    def document(self) -> Document:
        """The head of the fit, its tables with these standard errors, and notes about replicates."""
        whole, fit, p = self.resampled.document(), self.fit, len(self.fit.beta)
        options = fit.spec.display
        levels = () if options.nogroup else fit.design.groups
        own = self.resampled.frame.iloc[:p]
        df = None if self.df is None else np.full(p, self.df)
        test = tabulated(fit.beta, own["std_err"].to_numpy(dtype=float), df, options.level)
        columns, arrays = coefficient_columns(test, replace(options, dftable="default"), f"{self._whose} std. err.")
        columns = tuple(map(self._retitled, columns))
        caption = f"(Replications based on {count(self._clusters)} clusters in {self.cluster})" if self.cluster else ""
        fixed = Table("fixed", fit.spec.response, columns, fixed_sections(fit, options, arrays), layout(options), caption)
        blocks: list[Block] = [] if options.noheader else [self._header(levels)]
        blocks += [] if options.nofetable or not p else [fixed]
        blocks += [] if options.noretable else [self._random_table()]
        return Document((*blocks, *(block for block in whole.blocks if not isinstance(block, (Header, Table))), *self._notes()))

    def _notes(self) -> list[Note]:
        without = [one.label for one, estimate, _, low, _ in self._variances() if np.isnan(low) and estimate > 0]
        if not without or self.fit.spec.display.noci:
            return []
        how = "" if self.df is not None else '; see conf_int("percentile")'
        words = "replicates on the boundary have no place on their scales"
        return [Note(f"Note: Normal-based limits of {', '.join(without)} are not defined: {words}{how}.")]

    @property
    def _whose(self) -> str:
        return "Jackknife" if isinstance(self.resampled, Jackknife) else "Bootstrap"

    @property
    def _clusters(self) -> int:
        return self.resampled.groups.n_groups if isinstance(self.resampled, Jackknife) else self.resampled.clusters

    def _retitled(self, column: Column) -> Column:
        if column.title == "Coefficient":
            return replace(column, title="Observed coefficient")
        normal = column.kind == "limit" and column.title and self.df is None
        return replace(column, title=f"Normal-based {column.title}") if normal else column

    def _header(self, levels: tuple[GroupRow, ...]) -> Header:
        fit = self.fit
        statistic, pvalue = statistic_entries(self.model_test(), "Wald ")
        entries = (
            Entry("Number of obs", fit.design.nobs, "count"),
            *(group_entries(levels[0]) if len(levels) == 1 else ()),
            Entry("Replications", self.resampled.reps, "count"),
            statistic,
            replace(pvalue, beside=Entry(criterion_name(fit.spec), fit.llf, "criterion")),
        )
        return Header(title(fit.spec), entries, groups_table(levels) if len(levels) > 1 else None)

    def _random_table(self) -> Table:
        options = self.fit.spec.display
        columns = (Column("Observed estimate", "estimate", options.cformat),)
        columns += (Column(f"{self._whose} std. err.", "std_err", options.cformat),)
        columns += () if options.noci else tuple(map(self._retitled, limit_columns(options)))
        sections: dict[str, list[Row]] = {}
        for one, estimate, std_err, low, high in self._variances():
            numbers = (estimate, std_err, low, high)[: len(columns)]
            sections.setdefault(one.equation, []).append(Row(one.label, numbers))
        shown = tuple(Section(equation, tuple(rows), "equation") for equation, rows in sections.items())
        return Table("random", "Random-effects parameters", columns, shown)

    def __repr__(self) -> str:
        return f"<{self._whose.lower()} of {self.fit.spec.text!r}: {self.resampled.reps:,} replicates>"


def _spread(values: np.ndarray) -> float:
    """Standard deviation of bootstrap replicates (B,)."""
    return float(np.std(values, ddof=1))


def _jackknife_spread(values: np.ndarray) -> float:
    """Jackknife standard error from values without each group (J,)."""
    return float(np.sqrt((len(values) - 1) * np.var(values)))


def _on_scale(
    parameter: VarianceParameter, values: np.ndarray, half: float, spread: Callable[[np.ndarray], float]
) -> tuple[VarianceParameter, float, float, float, float]:
    """Estimate, standard error, limits; replicates on the boundary have no place on the scale, and then there are no limits."""
    scale, estimate = SCALES[parameter.kind], parameter.estimate
    known = values[~np.isnan(values)]
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.array([float(scale.to(value)) for value in known])
    if len(known) < 2 or not np.all(np.isfinite(moved)) or not scale.valid(estimate):
        natural = spread(known) if len(known) > 1 else float("nan")
        return parameter, estimate, natural, float("nan"), float("nan")
    error, at = spread(moved), float(scale.to(estimate))
    std_err = float(error / scale.slope(estimate))
    with np.errstate(over="ignore"):
        return parameter, estimate, std_err, float(scale.back(at - half * error)), float(scale.back(at + half * error))
