"""Bootstrap and jackknife as they are shown: Stata's tables after the prefixes of these names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sparsemixed.inference.hypotheses.distributions import critical, two_sided, z_pvalue
from sparsemixed.reporting.document import Block, Column, Document, Entry, Header, Note, Row, Section, Table
from sparsemixed.reporting.render import render
from sparsemixed.reporting.shown import Shown
from sparsemixed.reporting.tables.columns import limit_columns
from sparsemixed.resampling.bootstrapped import Bootstrapped, read_reps
from sparsemixed.resampling.jackknife import Jackknifed
from sparsemixed.resampling.replicated import Replicated
from sparsemixed.spec import DisplayOptions
from sparsemixed.spec.numbers import check_level

if TYPE_CHECKING:
    from sparsemixed.plots.picture import Picture

KEYS = {"normal": "(N)", "percentile": "(P)", "bc": "(BC)", "bca": "(BCa)", "basic": "(B)", "shortest": "(S)"}
"""How limits are marked where several kinds stand in one table."""
WORDS = {
    "normal": "Normal",
    "percentile": "Percentile",
    "bc": "Bias-corrected",
    "bca": "Bias-corrected and accelerated",
    "basic": "Basic",
    "shortest": "Shortest",
}


class AsSeries(Replicated):
    """Numbers by name."""

    @property
    def bse(self) -> pd.Series:
        """Standard errors: a bootstrap's are the standard deviations of its replicates."""
        return pd.Series(self.std_err, index=list(self.names))

    @property
    def params(self) -> pd.Series:
        """What was observed."""
        return pd.Series(self.observed, index=list(self.names))


@dataclass(frozen=True, repr=False)
class Bootstrap(Bootstrapped, AsSeries, Shown):
    """Replicates of estimates, or of a statistic.

    The attributes are those of `Bootstrapped`: `observed`, `bias`, `reps`, `n_failed`, `n_singular`, `singular`; `replicates`,
    `bse` and `conf_int` as pandas; `str()`, `to_html()`, `to_latex()`, `to_markdown()` and notebooks show it.
    """

    @property
    def replicates(self) -> pd.DataFrame:
        """(B, k) values, one row per replicate; rows of those that failed are missing."""
        return pd.DataFrame(self.values, columns=list(self.names))

    def conf_int(self, method: str = "percentile", level: float | None = None) -> pd.DataFrame:
        """Confidence limits, columns `low` and `high`.

        Parameters
        ----------
        method : {"percentile", "normal", "bc", "bca", "basic", "shortest"}
            Quantiles of the replicates; observed plus and minus z standard deviations; quantiles corrected for median bias (bc),
            and for a standard error that moves with the parameter (bca, by the jackknife over the top groups); quantiles mirrored
            at the observed value (basic); the shortest interval that holds so many replicates.
        level : float, optional
            In per cent; by default that of the fit.
        """
        low, high = self.limits(method, self._level(level))
        return pd.DataFrame({"low": low, "high": high}, index=list(self.names))

    @property
    def plot(self) -> Picture:
        """Densities of the replicates: `bootstrap.plot("var(_cons)")`; `bootstrap.plot.frame()` has the numbers."""
        from sparsemixed.plots.densities import KIND  # delayed, with what it needs, for a quick start
        from sparsemixed.plots.picture import Picture

        return Picture("densities", KIND, self)

    def extend(self, reps: int) -> Bootstrap:
        """The same bootstrap with more replicates, those that one run of all would have had.

        Parameters
        ----------
        reps : int
            How many more.
        """
        return replace(self, run=self.up_to(len(self.run) + read_reps(reps, "extend")))

    def _level(self, level: float | None) -> float:
        return check_level(self.fit.spec.display.level if level is None else level)

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each number: estimate, bias, std_err, statistic, pvalue, and normal limits low and high."""
        low, high = self.limits("normal", self._level(None))
        statistic = _ratio(self.observed, self.std_err)
        found = {"estimate": self.observed, "bias": self.bias, "std_err": self.std_err, "statistic": statistic}
        return pd.DataFrame({**found, "pvalue": z_pvalue(statistic), "low": low, "high": high}, index=list(self.names))

    @property
    def e(self) -> dict[str, Any]:
        """Stata's stored results: N_reps, N_misreps, N_clust, b, b_bs, reps, bias, se, V, z0, ci_normal, ci_percentile, ci_bc."""
        names, low_high = list(self.names), ["ll", "ul"]
        there = (~np.isnan(self.run.values)).sum(axis=0)
        found: dict[str, Any] = {"N_reps": float(self.reps), "N_misreps": float(self.n_failed), "level": self._level(None)}
        if self.clusters:
            found["N_clust"] = float(self.clusters)
        for name, values in (("b", self.observed), ("b_bs", self.observed + self.bias), ("reps", there), ("bias", self.bias)):
            found[name] = pd.Series(np.asarray(values, dtype=float), index=names)
        found["se"], found["z0"] = self.bse, pd.Series(self.z0, index=names)
        found["V"] = pd.DataFrame(self.covariance, names, names)
        for method in ("normal", "percentile", "bc"):
            found[f"ci_{method}"] = pd.DataFrame(self.limits(method, self._level(None)), index=low_high, columns=names)
        return found

    def document(self) -> Document:
        """Observed values, bootstrap standard errors and normal limits, and what became of the replicates."""
        table = _quantities(self.frame, "Bootstrap", "z", self._level(None), self.fit.spec.response, "Normal-based ")
        return Document((_header("Bootstrap results", self), table, *self._notes()))

    def table(self, *methods: str, level: float | None = None) -> Document:
        """Bias, standard errors and limits by several methods, as `estat bootstrap` shows them: see `show`."""
        asked, at = methods or ("bc",), self._level(level)
        limits = {method: self.limits(method, at) for method in asked}
        own = tuple(Column(title, "once") for title in ("Observed coefficient", "Bias", "Bootstrap std. err."))
        columns = (*own, *limit_columns(DisplayOptions(level=at)))
        sections = []
        for j, name in enumerate(self.names):
            rows = []
            for method, (low, high) in limits.items():
                first = (self.observed[j], self.bias[j], self.std_err[j]) if not rows else (np.nan,) * 3
                label = name if not rows else ""
                rows.append(Row(label, (*map(float, first), float(low[j]), float(high[j])), KEYS[method]))
            sections.append(Section("", tuple(rows), "variable"))
        key = "Key: " + "; ".join(f"{KEYS[method].strip('()')}: {WORDS[method]}" for method in asked)
        blocks: tuple[Block, ...] = (Table("fixed", self.fit.spec.response, columns, tuple(sections)), Note(key))
        return Document((_header("Bootstrap results", self), *blocks, *self._notes()))

    def show(self, *methods: str, level: float | None = None) -> str:
        """The text of Stata's `estat bootstrap`: limits by any of the methods of `conf_int`, by default `bc`."""
        return render(self.table(*methods, level=level), "text")

    def _notes(self) -> list[Note]:
        notes = []
        if self.n_failed:
            notes.append(f"Note: replicates that failed and are left out: {self.n_failed:,}.")
        if self.n_not_converged:
            notes.append(f"Note: replicates that have not converged: {self.n_not_converged:,}.")
        if self.n_singular:
            named = "; ".join(f"{words} in {count:,}" for words, count in self.singular.items())
            notes.append(f"Note: replicates on the boundary, which are kept: {self.n_singular:,}; {named}.")
        if self.kind == "wild":
            notes.append("Note: wild replicates keep the size of all residuals; they serve for coefficients, not variances.")
        return [Note(text, joined=i > 0) for i, text in enumerate(notes)]

    def __repr__(self) -> str:
        return f"<Bootstrap ({self.kind}) of {self.fit.spec.text!r}: {self.reps:,} replicates of {len(self.names)} numbers>"


@dataclass(frozen=True, repr=False)
class Jackknife(Jackknifed, AsSeries, Shown):
    """A statistic without each group.

    The attributes are those of `Jackknifed`: `observed`, `bias`, `pseudovalues`; `replicates`, `bse` and `conf_int` as pandas;
    `str()`, `to_html()`, `to_latex()`, `to_markdown()` and notebooks show it.
    """

    @property
    def replicates(self) -> pd.DataFrame:
        """(J, k) values, one row for each group that was left out."""
        return pd.DataFrame(self.values, columns=list(self.names), index=self.groups.index)

    def conf_int(self, level: float | None = None) -> pd.DataFrame:
        """Limits by Student's t with J - 1 degrees of freedom, columns `low` and `high`."""
        frame = self._frame(check_level(self.fit.spec.display.level if level is None else level))
        return frame.filter(["low", "high"])

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each number: estimate, bias, std_err, df, statistic, pvalue, low, high."""
        return self._frame(self.fit.spec.display.level)

    def _frame(self, level: float) -> pd.DataFrame:
        df = float(self.reps - 1)
        statistic, half = _ratio(self.observed, self.std_err), critical(level, df) * self.std_err
        found = {"estimate": self.observed, "bias": self.bias, "std_err": self.std_err, "df": df, "statistic": statistic}
        limits = {"low": self.observed - half, "high": self.observed + half}
        return pd.DataFrame({**found, "pvalue": two_sided(statistic, df), **limits}, index=list(self.names))

    @property
    def e(self) -> dict[str, Any]:
        """Stata's stored results by name: N_reps, N_misreps, N_clust, df_r, b, b_jk, bias, se, V."""
        names = list(self.names)
        found: dict[str, Any] = {"N_reps": float(self.reps), "N_misreps": float(self.n_failed), "df_r": float(self.reps - 1)}
        found |= {"N_clust": float(self.groups.n_groups), "b": self.params, "b_jk": pd.Series(self.mean, index=names)}
        found |= {"bias": pd.Series(self.bias, index=names), "se": self.bse}
        return {**found, "V": pd.DataFrame(self.covariance, names, names)}

    def document(self) -> Document:
        """Observed values, jackknife standard errors and limits."""
        table = _quantities(self.frame, "Jackknife", "t", self.fit.spec.display.level, self.fit.spec.response)
        notes = [Note(f"Note: fits that failed and are left out: {self.n_failed:,}.")] if self.n_failed else []
        return Document((_header("Jackknife results", self), table, *notes))

    def __repr__(self) -> str:
        return f"<Jackknife of {self.fit.spec.text!r}: {self.reps:,} groups left out in turn>"


def _ratio(estimate: np.ndarray, std_err: np.ndarray) -> np.ndarray:
    return np.divide(estimate, std_err, out=np.full_like(estimate, np.nan), where=std_err > 0)


def _header(title: str, found: Bootstrapped | Jackknifed) -> Header:
    """Title, observations, clusters and replications."""
    entries = [Entry("Number of obs", float(found.fit.design.nobs), "count")]
    clusters = found.clusters if isinstance(found, Bootstrapped) else found.groups.n_groups
    if clusters:
        entries.append(Entry("Number of clusters", float(clusters), "count"))
    return Header(title, (*entries, Entry("Replications", float(found.reps), "count")))


def _quantities(frame: pd.DataFrame, whose: str, test: str, level: float, stub: str, limits: str = "") -> Table:
    """The table of a frame: estimates, `whose` standard errors, tests and limits, which `limits` names."""
    own = (Column("Observed coefficient", "estimate"), Column(f"{whose} std. err.", "std_err"))
    tests = (Column(test, "statistic"), Column(f"P>|{test}|", "pvalue"))
    low, high = limit_columns(DisplayOptions(level=level))
    shown = frame[["estimate", "std_err", "statistic", "pvalue", "low", "high"]]
    rows = tuple(Row(str(name), tuple(map(float, values))) for name, values in zip(shown.index, shown.to_numpy(), strict=True))
    columns = (*own, *tests, replace(low, title=limits + low.title), high)
    return Table("fixed", stub, columns, (Section("", rows, "variable"),))
