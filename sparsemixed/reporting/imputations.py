"""Combined fits of several imputations as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
import pandas as pd

from sparsemixed.command.keywords import DisplayKeywords
from sparsemixed.inference.degrees.table import degrees_summary
from sparsemixed.inference.hypotheses.wald import Coefficients, HypothesisTest, tabulated
from sparsemixed.inference.pooling import Pooled
from sparsemixed.postestimation.imputations import PooledFits, model_increase, pooled_model_test, pooled_test, pooled_variances
from sparsemixed.reporting.display import display_options
from sparsemixed.reporting.document import Block, Column, Document, Entry, Header, Heading, Note, Row, Section, Table
from sparsemixed.reporting.hypothesis_tests import TestResult, statistic_entries
from sparsemixed.reporting.render import render
from sparsemixed.reporting.report import group_entries, groups_table
from sparsemixed.reporting.shown import Shown
from sparsemixed.reporting.tables.columns import coefficient_columns, layout, limit_columns
from sparsemixed.reporting.tables.fixed import fixed_sections
from sparsemixed.reporting.tables.titles import title
from sparsemixed.spec import DisplayOptions
from sparsemixed.spec.numbers import check_level

VARIANCE = (
    *(Column(name, "estimate") for name in ("Within", "Between", "Total")),
    *(Column(name, "std_err") for name in ("RVI", "FMI", "Rel. efficiency")),
)
"""Columns of the table of `vartable`."""
INFORMATION = ("within", "between", "total", "rvi", "fmi", "efficiency")


@dataclass(frozen=True)
class Tables:
    """Which tables are shown besides that of the estimates.

    Attributes
    ----------
    vartable : bool
        Variances within and between imputations.
    dftable : bool
        Degrees of freedom and increases of standard errors, in place of confidence limits.
    """

    vartable: bool = False
    dftable: bool = False


@dataclass(frozen=True, repr=False, eq=False)
class PooledResults(Shown):
    """Fits of several imputations as one, by Rubin's rules; `sparsemixed.mi` makes it.

    Attributes
    ----------
    value : PooledFits
        The numbers that everything is computed from.
    tables : Tables
    display : DisplayOptions
    """

    value: PooledFits
    tables: Tables
    display: DisplayOptions

    def _series(self, numbers: np.ndarray) -> pd.Series:
        return pd.Series(np.array(numbers, dtype=float), index=list(self.value.first.design.names))

    def _coefficients(self, level: float | None = None) -> Coefficients:
        own = self.value.coefficients
        return tabulated(own.estimate, own.std_err, own.df, self.display.level if level is None else check_level(level))

    @property
    def params(self) -> pd.Series:
        """Coefficients: the average of the imputations', by name."""
        return self._series(self.value.coefficients.estimate)

    @property
    def bse(self) -> pd.Series:
        """Standard errors, from the variances within and between imputations."""
        return self._series(self.value.coefficients.std_err)

    @property
    def df(self) -> pd.Series:
        """Degrees of freedom of the coefficients' t tests."""
        return self._series(self.value.coefficients.df)

    @property
    def fmi(self) -> pd.Series:
        """Fractions of missing information."""
        return self._series(self.value.coefficients.fmi)

    @property
    def rvi(self) -> pd.Series:
        """Relative increases in variance due to what is missing (R's riv)."""
        return self._series(self.value.coefficients.rvi)

    @property
    def tvalues(self) -> pd.Series:
        """Coefficients over their standard errors."""
        return self._series(self._coefficients().statistic)

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values of the coefficients."""
        return self._series(self._coefficients().pvalue)

    @property
    def nobs(self) -> int:
        """Number of observations; the smallest where samples differ."""
        return min(fit.design.nobs for fit in self.value.fits)

    def conf_int(self, level: float | None = None) -> pd.DataFrame:
        """Confidence limits of the coefficients, columns `low` and `high`."""
        found = self._coefficients(level)
        return pd.DataFrame({"low": found.low, "high": found.high}, index=list(self.value.first.design.names))

    def cov_params(self) -> pd.DataFrame:
        """Total covariance matrix (p, p) of the coefficients."""
        names = list(self.value.first.design.names)
        return pd.DataFrame(self.value.coefficients.total, index=names, columns=names)

    @property
    def random_params(self) -> pd.DataFrame:
        """Variance parameters as printed: index (equation, parameter), columns estimate, std_err, ci_low, ci_high."""
        found = [one for _, one in pooled_variances(self.value, self.display.level, self.display.stddeviations)]
        index = pd.MultiIndex.from_tuples(
            [(one.parameter.equation, one.parameter.label) for one in found], names=["equation", "parameter"]
        )
        rows = [(one.estimate, one.std_err, one.low, one.high) for one in found]
        return pd.DataFrame(rows, index=index, columns=["estimate", "std_err", "ci_low", "ci_high"], dtype=float)

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each entry of e(b), (equation, name): estimate, std_err, df, statistic, pvalue, low, high, rvi, fmi."""
        own = self.value.pooled
        t = tabulated(own.estimate, own.std_err, own.df, self.display.level)
        columns = {"estimate": t.estimate, "std_err": t.std_err, "df": own.df, "statistic": t.statistic, "pvalue": t.pvalue}
        return self._framed({**columns, "low": t.low, "high": t.high, "rvi": own.rvi, "fmi": own.fmi})

    @property
    def variance_information(self) -> pd.DataFrame:
        """One row for each entry of e(b): variances within, between and total, rvi, fmi, relative efficiency (`vartable`)."""
        return self._framed(dict(zip(INFORMATION, _information(self.value.pooled), strict=True)))

    @property
    def mcerror(self) -> pd.DataFrame:
        """Monte Carlo errors of estimate, std_err, df, rvi and fmi, one row for each entry of e(b); empty without `mcerror`."""
        return self._framed(self.value.mc_errors or {})

    def _framed(self, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
        index = pd.MultiIndex.from_tuples(self.value.names, names=["equation", "name"])
        return pd.DataFrame({name: np.array(values, dtype=float) for name, values in columns.items()}, index=index)

    @property
    def e(self) -> dict[str, Any]:
        """Stata's stored results by name: M_mi, N_mi, b_mi, V_mi, B_mi, W_mi, df_mi, fmi_mi, rvi_mi, re_mi, F_mi and others."""
        own, test, whole = self.value.pooled, pooled_model_test(self.value), self.value.parameters
        names = [f"{equation}:{name}" for equation, name in self.value.names]
        low, mean, high = degrees_summary(whole.df)
        found: dict[str, Any] = {"cmd_mi": "mixed", "prefix_mi": "mi estimate", "M_mi": own.n, "N_mi": self.nobs}
        found |= {"m_est_mi": " ".join(map(str, self.value.numbers)), "dfadjust_mi": _adjustment(self.value)}
        found |= {"rvi_avg_mi": _average(whole.rvi), "fmi_max_mi": _largest(whole.fmi)}
        found |= {"df_min_mi": low, "df_avg_mi": mean, "df_max_mi": high}
        found |= {"modeltest_mi": _model_test(self.value), "ufmi_mi": int(self.value.unrestricted)}
        found |= {"rvi_avg_F_mi": model_increase(self.value)}
        found |= {"F_mi": test.statistic, "df_m_mi": test.df, "df_r_mi": test.ddf, "p_mi": test.pvalue}
        rows = {"b_mi": own.estimate, "df_mi": own.df, "rvi_mi": own.rvi, "fmi_mi": own.fmi, "re_mi": own.efficiency}
        found |= {name: pd.Series(values.copy(), index=names) for name, values in {**rows, "pise_mi": own.increase}.items()}
        squares = {"V_mi": own.total, "W_mi": own.within, "B_mi": own.between}
        return found | {name: pd.DataFrame(matrix.copy(), index=names, columns=names) for name, matrix in squares.items()}

    def test(self, hypothesis: Any, values: Any = None, ufmitest: bool | None = None) -> TestResult:
        """F test of a linear hypothesis about the coefficients: D1 of Li et al. (1991), or the unrestricted test of Rubin (1987).

        Parameters
        ----------
        hypothesis, values
            As `Results.test` takes them.
        ufmitest : bool, optional
            Let fractions of missing information differ between the rows; by default as `mi` was asked to.
        """
        return TestResult.of(pooled_test(self.value, hypothesis, values, ufmitest))

    def document(self, **display: Unpack[DisplayKeywords]) -> Document:
        """Head, tables and notes; display options as `Results.summary` takes them."""
        shown = display_options(replace(self.value.first, spec=replace(self.value.first.spec, display=self.display)), display)
        blocks: list[Block] = [] if shown.noheader else [_header(self.value, shown)]
        if self.tables.vartable:
            blocks.append(Heading("Variance information"))
            blocks.append(_table(self.value, VARIANCE, _information(self.value.pooled), joined=True))
        if shown.estmetric or self.tables.vartable or self.tables.dftable:
            blocks.append(self._metric_table(shown))
        else:
            blocks += [] if shown.nofetable else [_fixed(self.value, shown)]
            blocks += [] if shown.noretable else [_random(self.value, shown)]
        if self.value.mc_errors is not None:
            names = ("estimate", "std_err", "df", "rvi", "fmi")
            columns = tuple(Column(name, "std_err") for name in ("Estimate", "Std. err.", "DF", "RVI", "FMI"))
            blocks.append(Heading("Monte Carlo errors"))
            blocks.append(_table(self.value, columns, [self.value.mc_errors[name] for name in names], joined=True))
        return Document((*blocks, *(Note(f"Note: {text}.") for text in self.value.notes)))

    def _metric_table(self, shown: DisplayOptions) -> Table:
        """Everything in e(b) with tests and limits, or degrees of freedom and increases of standard errors."""
        own = self.value.pooled
        t = tabulated(own.estimate, own.std_err, own.df, shown.level)
        if not self.tables.dftable:
            columns, arrays = coefficient_columns(t, replace(shown, dftable="default"), "Std. err.")
            return _table(self.value, columns, arrays)
        columns = (Column("Coefficient", "estimate", shown.cformat), Column("Std. err.", "std_err", shown.cformat))
        columns += (Column("t", "statistic", shown.sformat), Column("P>|t|", "pvalue", shown.pformat), Column("DF", "df"))
        columns += (Column("% increase std. err.", "chi2"),)
        return _table(self.value, columns, [t.estimate, t.std_err, t.statistic, t.pvalue, own.df, own.increase])

    def summary(self, **display: Unpack[DisplayKeywords]) -> str:
        """The tables as text, display options as of `Results.summary`."""
        return render(self.document(**display), "text")

    def __repr__(self) -> str:
        return f"<{self.value.pooled.n} imputations of {self.value.first.spec.text!r}: {self.nobs} observations>"


def _information(own: Pooled) -> list[np.ndarray]:
    squares = [np.diag(matrix) for matrix in (own.within, own.between, own.total)]
    return [*squares, own.rvi, own.fmi, own.efficiency]


def _average(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _largest(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if known.size else float("nan")


def _adjustment(value: PooledFits) -> str:
    return "Small sample" if value.small else "Large sample"


def _model_test(value: PooledFits) -> str:
    return "Unrestricted FMI" if value.unrestricted else "Equal FMI"


def _header(value: PooledFits, shown: DisplayOptions) -> Header:
    """Stata's head of `mi estimate`, with the groups of the first imputation."""
    fit, whole = value.first, value.parameters
    levels = () if shown.nogroup else fit.design.groups
    name = title(fit.spec)
    observations = min(one.design.nobs for one in value.fits)
    entries = [
        Entry("Imputations", value.pooled.n, "count"),
        Entry("Number of obs", observations, "count", beside=Entry("Model", name, "title")),
        *(group_entries(levels[0]) if len(levels) == 1 else ()),
        Entry("Average RVI", _average(whole.rvi), "probability"),
        Entry("Largest FMI", _largest(whole.fmi), "probability"),
    ]
    low, mean, high = degrees_summary(np.where(np.isinf(whole.df), np.nan, whole.df))
    test = pooled_model_test(value)
    statistic, pvalue = statistic_entries(test)
    entries += [
        Entry("DF:     min", low, "chi2", beside=_right("DF adjustment", _adjustment(value), 15)),
        Entry("        avg", mean, "chi2"),
        Entry("        max", high, "chi2"),
        replace(statistic, label=_f_label(test), beside=_right("Model F test", _model_test(value), 16)),
        pvalue,
    ]
    return Header("Multiple-imputation estimates", tuple(entries), groups_table(levels) if len(levels) > 1 else None)


def _f_label(test: HypothesisTest) -> str:
    """`F(   5, 3279.8)`, as this head has it."""
    ddf = "." if test.ddf is None or not np.isfinite(test.ddf) else f"{test.ddf:.1f}"
    return f"F({test.df:4g},{ddf:>7})"


def _right(label: str, text: str, width: int) -> Entry:
    return Entry(label, text, "text", aligned=f"{label}:{text:>{max(width, len(text) + 1)}}")


def _fixed(value: PooledFits, shown: DisplayOptions) -> Table:
    fit, own = value.first, value.coefficients
    t = tabulated(own.estimate, own.std_err, own.df, shown.level)
    columns, arrays = coefficient_columns(t, replace(shown, dftable="default"), "Std. err.")
    return Table("fixed", fit.spec.response, columns, fixed_sections(fit, shown, arrays), layout(shown))


def _random(value: PooledFits, shown: DisplayOptions) -> Table:
    fit = value.first
    columns = (Column("Estimate", "estimate", shown.cformat), Column("Std. err.", "std_err", shown.cformat))
    columns += () if shown.noci else limit_columns(shown)
    sections: dict[int | None, list[Row]] = {}
    titles: dict[int | None, str] = {}
    for position, one in pooled_variances(value, shown.level, shown.stddeviations):
        numbers = (one.estimate, one.std_err, one.low, one.high)[: len(columns)]
        sections.setdefault(position, []).append(Row(one.parameter.label, numbers))
        titles[position] = one.parameter.equation
    for position, equation in enumerate(fit.spec.random):
        titles.setdefault(position, f"{equation.label}: (empty)")
    order = (*range(len(fit.spec.random)), None)
    shown_sections = tuple(Section(titles.get(k, ""), tuple(sections.get(k, ())), "equation") for k in order)
    return Table("random", "Random-effects parameters", columns, shown_sections)


def _table(value: PooledFits, columns: tuple[Column, ...], arrays: Any, joined: bool = False) -> Table:
    """A row for every entry of e(b), by equation; the numbers of a base level are not shown."""
    fit, p = value.first, len(value.first.design.columns)
    rows = [tuple(map(float, row)) for row in zip(*arrays, strict=True)]
    coefficients = [
        Row(name, rows[i]) for i, (_, name) in enumerate(value.names[:p]) if fit.design.columns[i].status == "estimated"
    ]
    sections = [Section(fit.spec.response, tuple(coefficients), "equation")] if coefficients else []
    sections += [Section(name, (Row("_cons", rows[p + i]),), "equation") for i, (name, _) in enumerate(value.names[p:])]
    return Table("fixed", fit.spec.response, columns, tuple(sections), joined=joined)
