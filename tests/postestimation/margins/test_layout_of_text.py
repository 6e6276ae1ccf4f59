"""The text of margins, place by place, as Stata sets it after `mixed`."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

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
    shown = lines(fit, "a, at(x=(1 20)) asbalanced")
    assert shown[3:7] == [
        "1._at: x =  1",
        "       b      (asbalanced)",
        "2._at: x = 20",
        "       b      (asbalanced)",
    ]
    assert shown[12].strip() == "_at#a |"
    assert shown[0].startswith("Adjusted predictions")
    assert "_at:" not in str(fit.margins("a, at(x=(1 2)) noatlegend"))


def ends(line: str) -> list[tuple[int, int]]:
    """Where the words of a line begin and end; numbers by their end alone, since their digits differ."""
    words = re.finditer(r"\S+", line)
    return [(0 if re.fullmatch(r"-?[\d.]+", m[0]) else m.start(), m.end()) for m in words]


@pytest.fixture(scope="module")
def agents():
    """852 answers to agents of three types."""
    rng = np.random.default_rng(1)
    n = 852
    data = pd.DataFrame({"id": np.arange(n) // 6, "AgentType": rng.choice(["DMP", "RL", "XCS"], n)})
    data["obsday"], data["ses"], data["stucomp"] = rng.integers(1, 51, n), rng.normal(size=n), rng.uniform(1, 8, n)
    data["y"] = 1.2 + 0.3 * (data["AgentType"] == "RL") + 0.02 * data["obsday"] * data["ses"] + rng.normal(size=n)
    data["y"] += rng.normal(size=142)[data["id"]]
    return sparsemixed.mixed("y i.AgentType c.ses##c.stucomp obsday || id:", data)


def test_a_log_with_pairs_of_predictive_margins(agents):
    shown = lines(agents, "AgentType")
    wanted = """\
Predictive margins                                         Number of obs = 852

Expression: Linear prediction, fixed portion, predict()

------------------------------------------------------------------------------
             |            Delta-method
             |     Margin   std. err.      z    P>|z|     [95% conf. interval]
-------------+----------------------------------------------------------------
   AgentType |""".splitlines()
    assert shown[:9] == wanted
    assert ends(shown[9]) == ends("        DMP  |   1.212647   .0315719    38.41   0.000     1.150767    1.274526")
    assert len(shown) == 13
    shown = lines(agents, "AgentType, pwcompare(effects) mcompare(bonferroni)")
    wanted = """\
Pairwise comparisons of predictive margins                 Number of obs = 852

Expression: Linear prediction, fixed portion, predict()

---------------------------
             |    Number of
             |  comparisons
-------------+-------------
   AgentType |            3
---------------------------

------------------------------------------------------------------------------
             |            Delta-method    Bonferroni           Bonferroni
             |   Contrast   std. err.      z    P>|z|     [95% conf. interval]
-------------+----------------------------------------------------------------
   AgentType |""".splitlines()
    assert shown[:16] == wanted
    assert ends(shown[16]) == ends("  RL vs DMP  |   .2126470   .0315719     8.41   0.000     .1507670    .2745260")
    unadjusted = lines(agents, "AgentType, pwcompare(effects)")
    assert unadjusted[5] == "             |            Delta-method    Unadjusted           Unadjusted"
    limits = lines(agents, "AgentType, pwcompare")
    assert limits[4:7] == [
        "-" * 62,
        "             |            Delta-method         Unadjusted",
        "             |   Contrast   std. err.     [95% conf. interval]",
    ]


def test_a_log_with_points_and_slopes(agents):
    """`margins, nopvalues at(obsday=(1(7)50)) vsquish`, and `margins, dydx(ses) at(stucomp=(1(1)8)) vsquish`."""
    shown = lines(agents, ", nopvalues at(obsday=(1(7)50)) vsquish")
    legend = [f"{i + 1}._at: obsday = {1 + 7 * i:>2}" for i in range(8)]
    assert shown[3:11] == legend
    assert shown[12:17] == [
        "-" * 62,
        "             |            Delta-method",
        "             |     Margin   std. err.     [95% conf. interval]",
        "-------------+" + "-" * 48,
        "         _at |",
    ]
    assert ends(shown[17]) == ends("          1  |   2.312647   .0315719      2.250767    2.374526")
    shown = lines(agents, ", dydx(ses) at(stucomp=(1(1)8)) vsquish")
    assert shown[0] == f"{'Average marginal effects':<59}Number of obs = 852"
    assert shown[2:5] == [
        "Expression: Linear prediction, fixed portion, predict()",
        "dy/dx wrt:  ses",
        "1._at: stucomp = 1",
    ]
    assert shown[15] == "             |      dy/dx   std. err.      z    P>|z|     [95% conf. interval]"
    assert [line.split()[0] for line in shown[17:19]] == ["ses", "_at"]
    assert ends(shown[19]) == ends("          1  |   .3126470   .0315719     8.41   0.000     .2507670    .3745260")
    # Nothing is left to average once everything is set.
    assert lines(agents, ", dydx(ses) atmeans")[0].startswith("Conditional marginal effects ")
    assert lines(agents, "AgentType, atmeans")[0].startswith("Adjusted predictions ")


def test_contrasts_have_joint_tests_first(agents):
    shown = lines(agents, "r.AgentType, contrast(effects)")
    wanted = """\
Contrasts of predictive margins                            Number of obs = 852

Expression: Linear prediction, fixed portion, predict()
""".splitlines()
    assert shown[:3] == wanted
    table = shown[4:12]
    assert set(table[0]) == {"-"}
    assert table[1].split() == ["|", "df", "chi2", "P>chi2"]
    labels = ["r.AgentType", "(RL vs DMP)", "(XCS vs DMP)", "Joint"]
    assert [line.partition("|")[0].strip() for line in table[3:7]] == labels
    assert len({line.index("|") for line in table[3:7]}) == 1
    assert any("Unadjusted" in line for line in shown[12:])
    assert len(lines(agents, "r.AgentType, contrast(nowald)")) < len(lines(agents, "r.AgentType"))
    assert not any("Contrast " in line for line in lines(agents, "r.AgentType, contrast(noeffects)"))


def test_levels_of_a_factor_stand_together_in_derivatives(agents):
    shown = lines(agents, ", dydx(AgentType)")
    assert [line.split()[0] for line in shown[9:12]] == ["AgentType", "RL", "XCS"]
    assert shown[-1] == "Note: dy/dx for factor levels is the discrete change from the base level."


def test_a_log_with_a_factor_at_points(agents):
    """`margins intervention, at(warmth = (1 2))` of a public log: levels stand one space apart; a single point has no number."""
    shown = lines(agents, "AgentType, at(stucomp=(1 2))")
    assert shown[3:5] == ["1._at: stucomp = 1", "2._at: stucomp = 2"]
    assert shown[10] == "_at#AgentType |"
    assert [line[:15] for line in shown[11:17]] == [f"{f'{i} {a:>3}':>12}  |" for i in (1, 2) for a in ("DMP", "RL", "XCS")]
    assert shown[0] == f"{'Predictive margins':<59}Number of obs = 852"
    assert lines(agents, "AgentType, at(stucomp=1)")[3] == "At: stucomp = 1"
