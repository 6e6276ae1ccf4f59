"""Margins as they are shown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sparsemixed.design.fixed.terms import level_text
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.margins.asked import Asked
from sparsemixed.postestimation.margins.combinations import margins_lincom, margins_test
from sparsemixed.postestimation.margins.comparisons import compared_margins, kind_of, labels_of, name_of
from sparsemixed.postestimation.margins.margins import margins, plain
from sparsemixed.postestimation.margins.sample import MarginSample
from sparsemixed.postestimation.margins.settings import Setting
from sparsemixed.postestimation.margins.values import Block as MarginBlock
from sparsemixed.postestimation.margins.values import Margins
from sparsemixed.reporting.comparisons import ContrastResult
from sparsemixed.reporting.document import Block, Column, Document, Header, Layout, Note, Row, Section, Table, Verbatim
from sparsemixed.reporting.document import Entry as HeadEntry
from sparsemixed.reporting.hypothesis_tests import TestResult
from sparsemixed.reporting.linear_combination import LincomResult
from sparsemixed.reporting.margin_comparisons import MarginComparisonResult
from sparsemixed.reporting.margins_stored import (
    DERIVATIVE,
    EXPRESSION,
    margin_facts,
    margin_keys,
    margin_names,
    posted_margins,
    stored_margins,
)
from sparsemixed.reporting.number_format import general
from sparsemixed.reporting.shown import Shown
from sparsemixed.reporting.tables.columns import limit_columns
from sparsemixed.spec import DisplayOptions
from sparsemixed.time_series import unmarked

if TYPE_CHECKING:
    from sparsemixed.plots.picture import Picture

NOT_ESTIMABLE = "(not estimable)"


@dataclass(frozen=True)
class MarginsResult(Margins, Shown):
    """Margins with their tests; the attributes are those of `Margins`.

    `str()`, `to_html()`, `to_latex()`, `to_markdown()` and notebooks show them, `frame` has their numbers, `r` Stata's stored
    results, and `test` and `lincom` take the names that these have.

    Attributes
    ----------
    fit : Fit
        Whose margins these are.
    labels : dict
        Variable -> {level: label}, of the data.
    legend, pvalues, squish : bool
        Whether the text lists the values of at(), has p-values, and leaves out blank lines.
    facts : dict
        What `r` has of the fit and the call.
    post : bool
        Whether `e` has them, too.
    """

    fit: Fit | None = field(default=None, repr=False, compare=False)
    labels: dict = field(default_factory=dict)
    legend: bool = True
    pvalues: bool = True
    squish: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    post: bool = False

    @property
    def title(self) -> str:
        """What these margins are, as Stata heads them."""
        return kind_of(self)

    @property
    def b(self) -> pd.Series:
        """Estimates by Stata's names; missing where a margin is not estimable."""
        return pd.Series(self.estimate.copy(), index=list(self.names))

    @property
    def V(self) -> pd.DataFrame:
        """Covariance matrix by Stata's names."""
        return pd.DataFrame(self.covariance.copy(), list(self.names), list(self.names))

    def document(self) -> Document:
        """Heading, expression, values of at(), and the table."""
        blocks = (*head_blocks(self, self.title, self.facts, self.legend), _table(self))
        notes = filter(None, (discrete_change(self), self.note))
        return Document((*blocks, *(Note(f"Note: {note}") for note in notes)))

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each margin, the index as printed: `1 0` under `_at#dose`; `b` has Stata's names, which are unique.

        Columns: `variable` by which is differentiated, `_at` the number of the point where there are several, the variables of
        over() and within() and of the list of margins (missing in terms without them), then estimate, std_err, df (of t tests
        only), statistic, pvalue, low, high.
        """
        rows = [key for block in self.blocks for key in margin_keys(block, self)]
        names = [n for n in ("variable", "_at", *self.request.by) if any(n in row for row in rows)]
        names += list(dict.fromkeys(name for block in self.blocks for name in block.factors))
        keys = pd.DataFrame({name: [row.get(name) for row in rows] for name in dict.fromkeys(names)})
        numbers = {"estimate": self.estimate, "std_err": self.std_err, "df": self.df, "statistic": self.statistic}
        numbers |= {"pvalue": self.pvalue, "low": self.low, "high": self.high}
        values = pd.DataFrame({name: np.array(one) for name, one in numbers.items() if one is not None})
        labels = [" ".join(row) for block in self.blocks for row in _texts(block, self)]
        return pd.concat([keys, values], axis=1).set_axis(labels, axis=0)

    @property
    def names(self) -> tuple[str, ...]:
        """Stata's names of the margins: `_cons`, `1.sex`, `2._at#1.sex`."""
        return margin_names(self)

    @property
    def r(self) -> dict[str, Any]:
        """Stata's stored results, by name: `b`, `V`, `Jacobian`, `table`, `at`, `_N`, `error`, and scalars and texts."""
        return stored_margins(self, self.title, self.facts)

    @property
    def e(self) -> dict[str, Any]:
        """Stata's estimation results after `post`: those of `r`, `properties`, `asbalanced`, `wtype` and `wexp`.

        Raises
        ------
        OptionError
            Without the option.
        """
        if not self.post:
            raise OptionError("margins: only margins with post have e(); r has their stored results")
        return posted_margins(self, self.title, self.facts)

    @property
    def plot(self) -> Picture:
        """The picture of Stata's `marginsplot`: `margins.plot(xdimension="dose")`; `margins.plot.frame()` has its numbers."""
        from sparsemixed.plots.margins import RESULT  # delayed, with what it needs, for a quick start
        from sparsemixed.plots.picture import Picture

        return Picture("margins", RESULT, self)

    def test(self, hypothesis: str) -> TestResult:
        """Wald test of linear hypotheses about the margins, by Stata's names: `"1.sex = 2.sex"`, with `small` an F test."""
        return TestResult.of(margins_test(self._known(), self, self.names, hypothesis))

    def lincom(self, expression: str) -> LincomResult:
        """Estimate, test and interval of a linear expression in the margins: `"2.sex - 1.sex"`."""
        return LincomResult.of(margins_lincom(self._known(), self, self.names, expression))

    def _known(self) -> Fit:
        assert self.fit is not None
        return self.fit


def head_blocks(found: Margins, title: str, facts: dict[str, Any], legend: bool) -> list[Block]:
    """Title and number of observations; the expression, what is differentiated by, groups, and values of at()."""
    entries = [HeadEntry("Number of obs", facts["N"], "count")]
    if facts["subpop"]:
        entries.append(HeadEntry("Subpop. no. obs", float(np.sum(found.counts)), "count"))
    lines = [f"Expression: {EXPRESSION}"]
    if found.request.derivative.kind:
        names = [block.variable for block in found.blocks]
        lines.append(f"{DERIVATIVE[found.request.derivative.kind]} wrt:  {' '.join(dict.fromkeys(names))}")
    if found.request.over:
        lines.append(f"Over:       {' '.join(found.request.over)}")
    if found.request.within:
        lines.append(f"Within:     {' '.join(found.request.within)}")
    if found.request.reweight:
        lines.append("Empty cells: reweight")
    return [Header(title, tuple(entries)), Verbatim("\n".join([*lines, *(_legend(found) if legend else [])]))]


def _legend(result: Margins) -> list[str]:
    """One line for each variable that is set, `1._at: age = 20 (mean)`; values are aligned to the right."""
    several = len(result.at) > 1
    shown: list[tuple[str, str, str, str]] = []
    hidden = set(result.blocks[0].factors).intersection(*(block.factors for block in result.blocks))
    for i, point in enumerate(result.at):
        lead = f"{i + 1}._at:" if several else "At:"
        for group, setting in zip(result.groups, point, strict=True):
            where = " ".join(map(level_text, group))
            for name, value, text in _described(setting, hidden):
                shown.append((lead, f"{where}: {name}" if where and setting.texts else name, value, text))
                lead = ""
            if not setting.texts:
                break
    if not shown:
        return []
    width, names, values = (max(len(line[i]) for line in shown) for i in range(3))
    return [
        f"{lead:<{width}} {name:<{names}} {'=' if value else ' '} {value:>{values}} {text}".rstrip()
        for lead, name, value, text in shown
    ]


def _described(setting: Setting, hidden: set[str]) -> list[tuple[str, str, str]]:
    """Every variable with its value and its statistic, but for those that each margin sets to levels of its own."""
    out = [(name, general(value), setting.texts.get(name, "")) for name, value in setting.values.items()]
    for name, shares in setting.shares.items():
        text = setting.texts.get(name, "")
        if name in hidden:
            continue
        if len(shares) == 1:
            out.append((name, level_text(next(iter(shares))), text))
        elif text == "(asbalanced)":
            out.append((name, "", text))
        else:
            out += [(f"{level_text(level)}.{name}", general(share), text) for level, share in shares.items()]
    return out


def _table(result: MarginsResult) -> Table:
    kind = result.request.derivative.kind
    estimate = DERIVATIVE[kind] if kind else "Margin"
    name = "z" if result.df is None else "t"
    arrays = [result.estimate, result.std_err]
    columns = [Column(estimate, "estimate"), Column(f"{std_err_kind(result)} std. err.", "std_err")]
    if result.df is not None:
        columns.append(Column("DF", "df"))
        arrays.append(result.df)
    if result.pvalues:
        columns += [Column(name, "statistic"), Column(f"P>|{name}|", "pvalue")]
        arrays += [result.statistic, result.pvalue]
    columns += limit_columns(DisplayOptions(level=result.request.level))
    arrays += [result.low, result.high]
    numbers = np.column_stack(arrays)
    sections = [_section(block, result, numbers) for block in result.blocks]
    if kind:
        headed = [one for block, section in zip(result.blocks, sections, strict=True) for one in _headed(block, section)]
        sections = _levels_together(headed)
    return Table("fixed", "", tuple(columns), tuple(sections), Layout(squish=result.squish))


def discrete_change(found: Margins) -> str:
    """What derivatives by factors are, where there are any."""
    asked = found.request.derivative
    if asked.continuous or not any(unmarked(block.variable)[0] for block in found.blocks):
        return ""
    return f"{DERIVATIVE[asked.kind]} for factor levels is the discrete change from the base level."


def std_err_kind(found: Margins) -> str:
    """What standard errors of margins are called."""
    return "Unconditional" if found.request.unconditional else "Delta-method"


def _headed(block: MarginBlock, section: Section) -> list[Section]:
    """The name of the variable before the margins of its derivative."""
    if not section.title:
        return [section]
    return [Section(block.variable, (), "equation"), section]


def _levels_together(sections: list[Section]) -> list[Section]:
    """The levels of one factor, each a derivative of its own, under the factor's name."""
    found: list[Section] = []
    for section in sections:
        level, factor = unmarked(section.rows[0].label) if section.kind == "variable" and section.rows else ("", "")
        if not level:
            found.append(section)
            continue
        rows = (replace(section.rows[0], label=level),)
        if found and found[-1].kind == "factor" and found[-1].title == factor:
            rows = (*found.pop().rows, *rows)
        found.append(Section(factor, rows, "factor"))
    return found


def _section(block: MarginBlock, result: MarginsResult, numbers: np.ndarray) -> Section:
    rows = []
    single = name_of(block, result) == "_cons"
    for text, values, ok in zip(_labels(block, result), numbers[block.rows], result.estimable[block.rows], strict=True):
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


def _texts(block: MarginBlock, result: MarginsResult) -> list[tuple[str, ...]]:
    """What each row says: labels of the levels where the data have them, else the levels themselves."""
    if name_of(block, result) == "_cons":
        return [(block.variable or "_cons",)] * len(labels_of(block, result))
    names = [*["_at"] * (block.places[0] > 1), *result.request.by, *block.factors]
    known = [{level_text(k): v for k, v in result.labels.get(name, {}).items()} for name in names]
    return [tuple(own.get(text, text) for own, text in zip(known, row, strict=True)) for row in labels_of(block, result)]


def _labels(block: MarginBlock, result: MarginsResult) -> list[str]:
    """The same, one below the other."""
    texts = _texts(block, result)
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return [" ".join(f"{text:>{w}}" for text, w in zip(row, widths, strict=True)) for row in texts]


def margins_result(fit: Fit, asked: Asked, sample: MarginSample, typed: str = "") -> MarginsResult | ContrastResult:
    """Margins as asked for, or their comparisons, ready to be shown; `typed` is the text of the call."""
    sample = sample.subset(asked.subpop) if asked.subpop else sample
    compares = asked.pairs or asked.contrasts
    listed = not compares or asked.shape.margins
    found = margins(fit, asked.request if listed else plain(asked.request), sample)
    facts = margin_facts(fit, typed, asked.subpop, asked.weighted)
    result = MarginsResult.of(
        found,
        fit=fit,
        labels=fit.design.value_labels,
        legend=asked.legend,
        pvalues=asked.pvalues,
        squish=asked.squish,
        facts=facts,
        post=asked.post,
    )
    if not compares:
        return result
    found = replace(found, request=asked.request)
    compared = compared_margins(fit, found, asked)
    head = tuple(head_blocks(found, compared.title, facts, asked.legend))
    table = (_table(replace(result, pvalues=False)),) if asked.shape.margins else ()
    return MarginComparisonResult.shaped(compared, found, asked, (*head, *table))
