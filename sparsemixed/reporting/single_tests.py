"""Tests of single linear combinations, and means with their errors, as statsmodels' results have them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.inference.hypotheses.distributions import critical
from sparsemixed.postestimation.linear_tests import LinearCombinations
from sparsemixed.reporting.document import Document, Equations, Row, Section, Table
from sparsemixed.reporting.shown import Shown
from sparsemixed.reporting.tables.columns import quantity_columns
from sparsemixed.spec.numbers import is_number


def level_of(alpha: float) -> float:
    """The confidence level in per cent that leaves `alpha` to both tails.

    Raises
    ------
    OptionError
        Unless 0.0001 <= alpha <= 0.9, the range of levels.

    Examples
    --------
    >>> level_of(0.05)
    95.0
    """
    if not is_number(alpha) or not 0.0001 <= alpha <= 0.9:
        raise OptionError(f"alpha={alpha!r} is not a probability between 0.0001 and 0.9; alpha=0.05 is the level of 95 per cent")
    return round(100.0 * (1.0 - float(alpha)), 10)


@dataclass(frozen=True, repr=False)
class SingleTests(LinearCombinations, Shown):
    """Tests of linear combinations one by one: `effect`, `sd`, `tvalue`, `pvalue`, `conf_int(alpha)`.

    The other attributes are those of `LinearCombinations`; `str()`, `to_html()`, `to_latex()`, `to_markdown()` and notebooks show
    it, and `frame` has its numbers.
    """

    @property
    def effect(self) -> np.ndarray:
        """The estimates (l,)."""
        return self.estimate.copy()

    @property
    def sd(self) -> np.ndarray:
        """Their standard errors (l,)."""
        return self.std_err.copy()

    @property
    def tvalue(self) -> np.ndarray:
        """The statistics (l,): z, or t after `small=True`."""
        return self.statistic.copy()

    def conf_int(self, alpha: float = 0.05) -> np.ndarray:
        """Confidence limits (l, 2) of the estimates; `alpha` is the probability outside."""
        half = critical(level_of(alpha), self.df) * np.where(self.std_err == 0, np.nan, self.std_err)
        return np.column_stack([self.estimate - half, self.estimate + half])

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each: estimate, std_err, df (of t tests only), statistic, pvalue, low, high."""
        low, high = self.conf_int().T
        found = {"estimate": self.estimate, "std_err": self.std_err, "df": self.df, "statistic": self.statistic}
        found |= {"pvalue": self.pvalue, "low": low, "high": high}
        return pd.DataFrame({k: v for k, v in found.items() if v is not None}, index=list(self.equations), dtype=float)

    def summary(self) -> str:
        """The table as text, `str(self)`."""
        return str(self)

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """`frame` with limits for another `alpha`."""
        return self.frame.assign(**dict(zip(("low", "high"), self.conf_int(alpha).T, strict=True)))

    def document(self) -> Document:
        """The hypotheses, numbered, and a table of their tests."""
        numbers = self.frame.to_numpy()
        rows = tuple(Row(f"({i})", tuple(map(float, row))) for i, row in enumerate(numbers, start=1))
        table = Table("fixed", "", quantity_columns("Estimate", self.df is not None, 95.0), (Section("", rows, "variable"),))
        return Document((Equations(self.equations), table))

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, repr=False)
class MeanPrediction:
    """Predicted means of the fixed part with their standard errors, one per row.

    Attributes
    ----------
    predicted : Series
        `predict(what="xb")`, (m,).
    std_err : Series
        `predict(what="stdp")`, (m,): of the mean, the errors and the random effects left out.
    """

    predicted: pd.Series
    std_err: pd.Series

    @property
    def predicted_mean(self) -> pd.Series:
        """The means."""
        return self.predicted.copy()

    @property
    def se_mean(self) -> pd.Series:
        """Their standard errors."""
        return self.std_err.copy()

    def conf_int(self, alpha: float = 0.05) -> np.ndarray:
        """Large-sample confidence limits (m, 2) of the means; `alpha` is the probability outside."""
        half = critical(level_of(alpha), None) * self.std_err.to_numpy()
        mean = self.predicted.to_numpy()
        return np.column_stack([mean - half, mean + half])

    @property
    def frame(self) -> pd.DataFrame:
        """Columns estimate, std_err, low, high for a level of 95 per cent."""
        low, high = self.conf_int().T
        return pd.DataFrame({"estimate": self.predicted, "std_err": self.std_err, "low": low, "high": high})

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """The same by statsmodels' names: mean, mean_se, mean_ci_lower, mean_ci_upper."""
        low, high = self.conf_int(alpha).T
        columns = {"mean": self.predicted, "mean_se": self.std_err, "mean_ci_lower": low, "mean_ci_upper": high}
        return pd.DataFrame(columns)

    def _repr_html_(self) -> str:
        return self.frame.to_html()

    def __repr__(self) -> str:
        return repr(self.frame)
