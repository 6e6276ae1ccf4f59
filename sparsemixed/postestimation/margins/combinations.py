"""Tests and linear combinations of margins by their names, as after Stata's option post."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.command.hypothesis import read_hypotheses, read_linear
from sparsemixed.errors import CommandError, OptionError, suggestion
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.hypotheses.hypothesis import terms_text
from sparsemixed.inference.hypotheses.wald import HypothesisTest, tabulated
from sparsemixed.linear_form import LinearForm
from sparsemixed.postestimation.linear_tests import LinearCombination
from sparsemixed.postestimation.margins.tested_comparisons import MarginComparison, MarginTests
from sparsemixed.postestimation.margins.values import Margins


def margins_test(fit: Fit, found: Margins, names: Sequence[str], hypothesis: str) -> HypothesisTest:
    """Joint test of linear hypotheses about margins, such as `1.sex = 2.sex`.

    Parameters
    ----------
    names : sequence of str
        Of the margins.

    Raises
    ------
    CommandError
        Texts that cannot be understood, and unknown names.
    OptionError
        A margin that is not estimable.
    """
    text = terms_text(hypothesis, "test", "1.sex = 2.sex")
    rows = [_row(found, names, form, text) for form in read_hypotheses(text)]
    C, r = np.array([row for row, _ in rows]), np.array([0.0 - constant for _, constant in rows])
    equations = tuple(_written(names, row, value) for row, value in zip(C, r, strict=True))
    test = MarginTests(fit, found).wald(C, r)
    return HypothesisTest(test.statistic, test.df, test.ddf, test.pvalue, test.note, test.kind, equations=equations)


def margins_lincom(fit: Fit, found: Margins, names: Sequence[str], expression: str) -> LinearCombination:
    """Estimate, test and interval of a linear expression in margins, such as `2.sex - 1.sex`; errors as for `margins_test`."""
    text = terms_text(expression, "lincom", "2.sex - 1.sex")
    row, constant = _row(found, names, read_linear(text), text)
    single = MarginTests(fit, found).single(MarginComparison("", row[None], np.ones(1, bool), ("",), 1))
    shown = tabulated(single.estimate + constant, single.std_err, single.df, found.request.level)
    numbers = (float(x[0]) for x in (shown.estimate, shown.std_err, shown.statistic, shown.pvalue, shown.low, shown.high))
    estimate, std_err, statistic, pvalue, low, high = numbers
    df = None if single.df is None else float(single.df[0])
    equation = _written(names, row, 0.0 - constant)
    return LinearCombination(estimate, std_err, statistic, 1, df, pvalue, low, high, found.request.level, equation, "")


def _row(found: Margins, names: Sequence[str], form: LinearForm, source: str) -> tuple[np.ndarray, float]:
    """Weights (m,) on the margins, and the constant."""
    row = np.zeros(len(names))
    for typed, weight in form.weights.items():
        name = typed[1:].replace("]", ":", 1) if typed.startswith("[") else typed
        if name not in names:
            known = f"; there are {', '.join(names[:6])}"
            raise CommandError(f"there is no margin {typed}{suggestion(name, names) or known}", source, form.positions.get(typed))
        place = list(names).index(name)
        if not found.estimable[place]:
            raise OptionError(f"the margin {typed} is not estimable")
        row[place] += weight
    if not row.any():
        raise OptionError(f"no margin is left in {source}")
    return row, form.constant


def _written(names: Sequence[str], row: np.ndarray, value: float) -> str:
    """`1.sex - 2.sex = 0`."""
    text = ""
    for name, weight in zip(names, row, strict=True):
        if weight:
            size = "" if abs(weight) == 1 else f"{abs(weight):g}*"
            text += (" - " if weight < 0 else " + ") + size + name if text else ("-" if weight < 0 else "") + size + name
    return f"{text} = {value:g}"
