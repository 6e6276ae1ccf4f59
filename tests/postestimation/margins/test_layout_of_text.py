"""The text of margins, place by place, as Stata sets it after `mixed`."""

from __future__ import annotations

import sparsemixed
from tests.postestimation.margins.dense import simulated

RULE = "-" * 78
HEAD = [
    RULE,
    "             |            Delta-method",
    "             |     Margin   std. err.      z    P>|z|     [95% conf. interval]",
    "-------------+" + "-" * 64,
]


def lines(fit, text):
    return str(fit.margins(text)).splitlines()


def fitted():
    data = simulated(40)
    return sparsemixed.mixed("y i.a i.b x || g:", data), len(data)


def test_head_and_rows_of_a_factor():
    fit, n = fitted()
    shown = lines(fit, "a")
    assert shown[0] == f"{'Predictive margins':<59}Number of obs = {n}"
    assert shown[1:4] == ["", "Expression: Linear prediction, fixed portion, predict()", ""]
    assert shown[4:8] == HEAD
    assert shown[8] == "           a |"
    assert [line[:14] for line in shown[9:12]] == ["          1  |", "          2  |", "          3  |"]
    assert all(len(line) == 78 for line in shown[9:13])
    assert shown[12] == RULE


def test_one_margin_has_no_factor_above():
    fit, _ = fitted()
    assert lines(fit, "")[8].startswith("       _cons |")
    assert lines(fit, ", dydx(x)")[3:8] == ["dy/dx wrt:  x", "", *HEAD[:2], HEAD[2].replace("Margin ", " dy/dx ")]


def test_points_are_listed_with_their_signs_aligned():
    fit, _ = fitted()
    shown = lines(fit, "a, at(x=(1 2)) asbalanced")
    assert shown[3:7] == [
        "1._at: x =        1",
        "       b =          (asbalanced)",
        "2._at: x =        2",
        "       b =          (asbalanced)",
    ]
    assert shown[12].strip() == "_at#a |"
    assert shown[0].startswith("Adjusted predictions")
    assert "_at:" not in str(fit.margins("a, at(x=(1 2)) noatlegend"))
