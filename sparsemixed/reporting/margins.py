"""Margins as they are shown."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np
import pandas as pd

from sparsemixed.design.fixed.terms import level_text
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.margins.asked import Asked
from sparsemixed.postestimation.margins.comparisons import (
    contrasts_of_margins,
    kind_of,
    labels_of,
    name_of,
    pairs_of_margins,
)
from sparsemixed.postestimation.margins.margins import Block as MarginBlock
from sparsemixed.postestimation.margins.margins import Margins, margins, plain
from sparsemixed.postestimation.margins.sample import MarginSample
from sparsemixed.postestimation.margins.settings import Setting
from sparsemixed.reporting.comparisons import ContrastResult
from sparsemixed.reporting.document import Block, Column, Document, Header, Note, Row, Section, Table, Verbatim
from sparsemixed.reporting.document import Entry as HeadEntry
from sparsemixed.reporting.number_format import general
from sparsemixed.reporting.shown import Shown
from sparsemixed.reporting.tables.columns import limit_columns
from sparsemixed.spec import DisplayOptions

DERIVATIVE = {"dydx": "dy/dx", "dyex": "dy/ex", "eydx": "ey/dx", "eyex": "ey/ex"}
EXPRESSION = "Linear prediction, fixed portion, predict()"
NOT_ESTIMABLE = "(not estimable)"


@dataclass(frozen=True)
class MarginsResult(Margins, Shown):
    """Margins with their tests; the attributes are those of `Margins`.

    `str()`, `to_html()`, `to_latex()`, `to_markdown()` and notebooks show them, `frame` has their numbers, `r` Stata's stored
    results.

    Attributes
    ----------
    labels : dict
        Variable -> {level: label}, of the data.
    legend : bool
        Whether the values of at() are listed.
    nopvalues : bool
    n : float
        Observations of the fit.
    subpop : str
        The condition that selects the rows averaged over.
    """

    labels: dict = field(default_factory=dict)
    legend: bool = True
    nopvalues: bool = False
    n: float = float("nan")
    subpop: str = ""

    @property
    def title(self) -> str:
        """What these margins are, as Stata heads them."""
        return kind_of(self)

    def document(self) -> Document:
        """Heading, expression, values of at(), and the table."""
        entry = HeadEntry("Number of obs", self.n, "count")
        blocks: list[Block] = [Header(self.title, (entry,))]
        lines = [f"Expression: {EXPRESSION}"]
        if self.request.derivative.kind:
            names = [block.variable for block in self.blocks]
            lines.append(f"{DERIVATIVE[self.request.derivative.kind]} wrt:  {' '.join(dict.fromkeys(names))}")
        if self.request.over:
            lines.append(f"Over:       {' '.join(self.request.over)}")
        if self.subpop:
            lines.append(f"Subpop:     {self.subpop}")
        if self.legend:
            lines += _legend(self)
        blocks.append(Verbatim("\n".join(lines)))
        blocks.append(_table(self))
        if self.note:
            blocks.append(Note(f"Note: {self.note}"))
        return Document(tuple(blocks))

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each margin.

        Columns: `variable` by which is differentiated, `_at` the number of the point where there are several, the variables of
        over() and of the list of margins (missing in terms without them), then estimate, std_err, df (of t tests only),
        statistic, pvalue, low, high.
        """
        rows = [key for block in self.blocks for key in _keys(block, self)]
        names = [n for n in ("variable", "_at", *self.request.over) if any(n in row for row in rows)]
        names += list(dict.fromkeys(name for block in self.blocks for name in block.factors))
        keys = pd.DataFrame({name: [row.get(name) for row in rows] for name in dict.fromkeys(names)})
        numbers = {"estimate": self.estimate, "std_err": self.std_err, "df": self.df, "statistic": self.statistic}
        numbers |= {"pvalue": self.pvalue, "low": self.low, "high": self.high}
        values = pd.DataFrame({name: np.array(one) for name, one in numbers.items() if one is not None})
        return pd.concat([keys, values], axis=1)

    @property
    def names(self) -> tuple[str, ...]:
        """Stata's names of the margins: `_cons`, `1.sex`, `2._at#1.sex`."""
        return tuple(_stata_name(key) for block in self.blocks for key in _keys(block, self))

    @property
    def r(self) -> dict:
        """Stata's stored results, by name: `b`, `V`, `Jacobian`, `table`, `at`, `_N`, `error`, and scalars and texts."""
        names = list(self.names)
        df = np.full(len(names), np.nan) if self.df is None else self.df
        table = {"b": self.estimate, "se": self.std_err, "statistic": self.statistic, "pvalue": self.pvalue}
        table |= {"ll": self.low, "ul": self.high, "df": df}
        kind = self.request.derivative.kind
        return {
            "N": self.n,
            "level": self.request.level,
            "k_margins": len(names),
            "k_at": len(self.at) if self.request.at else 0,
            "cmd": "margins",
            "est_cmd": "mixed",
            "title": self.title,
            "expression": "predict()",
            "predict_label": "Linear prediction, fixed portion",
            "vce": "delta",
            "derivatives": DERIVATIVE.get(kind, ""),
            "over": " ".join(self.request.over),
            "margins": " ".join("#".join(term) for term in self.request.terms),
            "mcmethod": self.request.mcompare,
            "b": pd.Series(np.where(self.estimable, self.estimate, 0.0), index=names),
            "V": pd.DataFrame(np.where(np.outer(self.estimable, self.estimable), self.covariance, 0.0), names, names),
            "Jacobian": pd.DataFrame(self.jacobian.copy(), index=names),
            "error": pd.Series(np.where(self.estimable, 0, 8), index=names),
            "_N": np.array(self.counts),
            "table": pd.DataFrame(table, index=names).T,
        }


def _keys(block: MarginBlock, found: Margins) -> list[dict]:
    n_at, n_over, _ = block.places
    out = []
    for i in range(n_at):
        for group in found.groups[:n_over]:
            for cell in block.cells:
                key: dict = {"variable": block.variable} if block.variable else {}
                key |= {"_at": i + 1} if n_at > 1 else {}
                key |= dict(zip(found.request.over, group, strict=True))
                out.append(key | dict(zip(block.factors, cell, strict=True)))
    return out


def _stata_name(key: dict) -> str:
    parts = [f"{level_text(value)}.{name}" for name, value in key.items() if name != "variable"]
    name = "#".join(parts)
    return f"{key['variable']}:{name or '_cons'}" if "variable" in key else name or "_cons"


def _legend(result: MarginsResult) -> list[str]:
    """One line for each variable that is set, `1._at: age = 20`."""
    several = len(result.at) > 1
    shown: list[tuple[str, str, str]] = []
    hidden = set(result.blocks[0].factors).intersection(*(block.factors for block in result.blocks))
    for i, point in enumerate(result.at):
        lead = f"{i + 1}._at:" if several else "At:"
        for group, setting in zip(result.groups, point, strict=True):
            where = " ".join(map(level_text, group))
            for name, value in _described(setting, hidden):
                shown.append((lead, f"{where}: {name}" if where and setting.texts else name, value))
                lead = ""
            if not setting.texts:
                break
    if not shown:
        return []
    width, names = max(len(lead) for lead, _, _ in shown), max(len(name) for _, name, _ in shown)
    width = max(width, len("Expression:")) if not several else width
    return [f"{lead:<{width}} {name:<{names}} = {value}" for lead, name, value in shown]


def _described(setting: Setting, hidden: set[str]) -> list[tuple[str, str]]:
    """Every variable with its value, but for those that each margin sets to levels of its own."""
    out = []
    for name, value in setting.values.items():
        text = setting.texts.get(name, "")
        out.append((name, f"{general(value):>8} {text}".rstrip()))
    for name, shares in setting.shares.items():
        text = setting.texts.get(name, "")
        if name in hidden:
            continue
        if len(shares) == 1:
            out.append((name, f"{level_text(next(iter(shares))):>8} {text}".rstrip()))
        elif text == "(asbalanced)":
            out.append((name, f"{'':>8} {text}"))
        else:
            out += [(f"{level_text(level)}.{name}", f"{general(share):>8} {text}") for level, share in shares.items()]
    return out


def _table(result: MarginsResult) -> Table:
    kind = result.request.derivative.kind
    estimate = DERIVATIVE[kind] if kind else "Margin"
    name = "z" if result.df is None else "t"
    arrays = [result.estimate, result.std_err]
    columns = [Column(estimate, "estimate"), Column("Delta-method std. err.", "std_err")]
    if result.df is not None:
        columns.append(Column("DF", "df"))
        arrays.append(result.df)
    if not result.nopvalues:
        columns += [Column(name, "statistic"), Column(f"P>|{name}|", "pvalue")]
        arrays += [result.statistic, result.pvalue]
    columns += limit_columns(DisplayOptions(level=result.request.level))
    arrays += [result.low, result.high]
    numbers = np.column_stack(arrays)
    sections = [_section(block, result, numbers) for block in result.blocks]
    if kind:
        sections = [one for block, section in zip(result.blocks, sections, strict=True) for one in _headed(block, section)]
    return Table("fixed", "", tuple(columns), tuple(sections))


def _headed(block: MarginBlock, section: Section) -> list[Section]:
    """The name of the variable before the margins of its derivative."""
    if not section.title:
        return [section]
    return [Section(block.variable, (), "equation"), section]


def _section(block: MarginBlock, result: MarginsResult, numbers: np.ndarray) -> Section:
    rows = []
    single = name_of(block, result) == "_cons"
    for label, values, ok in zip(_labels(block, result), numbers[block.rows], result.estimable[block.rows], strict=True):
        text = (block.variable or "_cons") if single else label
        if not ok:
            rows.append(Row(text, (), NOT_ESTIMABLE))
        elif values[1] == 0:
            rows.append(Row(text, (float(values[0]),), "(constrained)"))
        else:
            rows.append(Row(text, tuple(map(float, values))))
    if single:
        return Section("", tuple(rows), "variable")
    name = name_of(block, result)
    return Section(name, tuple(rows), "interaction" if "#" in name else "factor")


def _labels(block: MarginBlock, result: MarginsResult) -> list[str]:
    """Labels of the levels where the data have them, else the levels themselves."""
    names = [*["_at"] * (block.places[0] > 1), *result.request.over, *block.factors]
    plain = labels_of(block, result)
    known = [{level_text(k): v for k, v in result.labels.get(name, {}).items()} for name in names]
    texts = [[own.get(text, text) for own, text in zip(known, row, strict=True)] for row in plain]
    widths = [max(len(row[i]) for row in texts) for i in range(len(names))]
    return ["  ".join(f"{text:>{w}}" for text, w in zip(row, widths, strict=True)) for row in texts]


def margins_result(fit: Fit, asked: Asked, sample: MarginSample) -> MarginsResult | ContrastResult:
    """Margins as asked for, or their comparisons, ready to be shown."""
    sample = sample.subset(asked.subpop) if asked.subpop else sample
    found = margins(fit, asked.request if not (asked.pairs or asked.contrasts) else plain(asked.request), sample)
    if asked.pairs or asked.contrasts:
        found = replace(found, request=asked.request)
        if asked.pairs:
            return ContrastResult.of(pairs_of_margins(fit, found, asked.reverse, asked.within))
        return ContrastResult.of(contrasts_of_margins(fit, found, asked.terms, asked.at_operator))
    own = {field.name: getattr(found, field.name) for field in fields(found)}
    shown = {"labels": fit.design.value_labels, "legend": asked.legend, "nopvalues": not asked.pvalues, "subpop": asked.subpop}
    return MarginsResult(**own, **shown, n=float(fit.design.nobs))


def shown_means(fit: Fit, found: Margins) -> MarginsResult:
    """Means on a reference grid, ready to be shown."""
    own = {field.name: getattr(found, field.name) for field in fields(found)}
    return MarginsResult(**own, labels=fit.design.value_labels, n=float(fit.design.nobs))
