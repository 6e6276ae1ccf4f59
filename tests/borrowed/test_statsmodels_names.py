"""The examples of statsmodels' documentation of MixedLM, with another import and formula, against statsmodels' own figures.

Log likelihoods agree to seven digits, variances to three. Its standard errors come from the Hessian of coefficients and variances
together, those here from that of the coefficients, which differ by up to two in a thousand.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import OptionError
from tests.golden import golden, load
from tests.oracles import manual_fits

FIGURES = golden("mixedlm")


class Example(NamedTuple):
    """A model as statsmodels is asked for it, the same as a formula, and which of our variances is which of its."""

    sample: str
    borrowed: dict[str, Any]
    formula: str
    places: dict[str, tuple[str, str | None, str | None]]


def own(grp: str, var1: str = "_cons", var2: str | None = None) -> tuple[str, str | None, str | None]:
    return grp, var1, var2


PIG = {"cov_re 00": own("Pig")}
PIG_SLOPES = {**PIG, "cov_re 11": own("Pig", "Time"), "cov_re 10": own("Pig", "Time", "_cons")}
TREE = {"cov_re 00": own("tree")}
TREE_SLOPES = {**TREE, "cov_re 11": own("tree", "Time"), "cov_re 10": own("tree", "Time", "_cons")}
ROOM = {"cov_re 00": own("school"), "vcomp classroom": own("school:classroom")}
EXAMPLES = {
    "pigs, intercepts": Example("dietox", {"model": "Weight ~ Time", "groups": "Pig"}, "Weight ~ Time + (1 | Pig)", PIG),
    "pigs, slopes": Example(
        "dietox",
        {"model": "Weight ~ Time", "groups": "Pig", "re_formula": "~Time"},
        "Weight ~ Time + (Time | Pig)",
        PIG_SLOPES,
    ),
    "pigs, independent slopes": Example(
        "dietox",
        {"model": "Weight ~ Time", "groups": "Pig", "vc_formula": {"level": "1", "slope": "0 + Time"}},
        "Weight ~ Time + (Time || Pig)",
        {**PIG, "cov_re 11": own("Pig", "Time")},
    ),
    "trees, intercepts": Example("sitka", {"model": "size ~ Time", "groups": "tree"}, "size ~ Time + (1 | tree)", TREE),
    "trees, slopes": Example(
        "sitka",
        {"model": "size ~ Time", "groups": "tree", "re_formula": "1 + Time"},
        "size ~ Time + (Time | tree)",
        TREE_SLOPES,
    ),
    "nested": Example(
        "nested_components",
        {"model": "y ~ 1", "groups": "group1", "re_formula": "1", "vc_formula": {"group2": "0 + C(group2)"}},
        "y ~ 1 + (1 | group1/group2)",
        {"cov_re 00": own("group1"), "vcomp group2": own("group1:group2")},
    ),
    "crossed": Example(
        "crossed_components",
        {"model": "y ~ 1", "groups": np.ones(1000), "vc_formula": {"g1": "0 + C(group1)", "g2": "0 + C(group2)"}},
        "y ~ 1 + (1 | group1) + (1 | group2)",
        {"vcomp g1": own("group1"), "vcomp g2": own("group2")},
    ),
    "classrooms": Example(
        "schools",
        {"model": "test_score ~ age", "groups": "school", "re_formula": "1", "vc_formula": {"classroom": "0 + C(classroom)"}},
        "test_score ~ age + (1 | school/classroom)",
        ROOM,
    ),
    "classrooms, pretest": Example(
        "schools",
        {
            "model": "test_score ~ age + pretest",
            "groups": "school",
            "re_formula": "1",
            "vc_formula": {"classroom": "0 + C(classroom)", "pretest": "0 + pretest"},
        },
        "test_score ~ age + pretest + (1 | school/classroom) + (0 + pretest | school)",
        {**ROOM, "vcomp pretest": own("school", "pretest")},
    ),
    "classrooms, correlated": Example(
        "schools",
        {
            "model": "test_score ~ age + pretest",
            "groups": "school",
            "re_formula": "1 + pretest",
            "vc_formula": {"classroom": "0 + C(classroom)"},
        },
        "test_score ~ age + pretest + (pretest | school) + (1 | school:classroom)",
        {**ROOM, "cov_re 11": own("school", "pretest"), "cov_re 10": own("school", "pretest", "_cons")},
    ),
}


def borrowed_fit(name: str, reml: bool) -> sparsemixed.results.Results:
    example = EXAMPLES[name]
    options = {**example.borrowed, "method": "reml" if reml else "ml"}
    data = load(example.sample)
    if isinstance(options["groups"], str) and reml:
        options["groups"] = data[options["groups"]]  # a Series, as the documentation has it, as well as a name
    return sparsemixed.mixed(options.pop("model"), data, **options)


@pytest.mark.parametrize("reml", [True, False], ids=["reml", "ml"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_documented_examples(name, reml):
    """What the examples show: the likelihood, coefficients, standard errors, variances, tests, residuals."""
    theirs, example = FIGURES[name]["reml" if reml else "ml"], EXAMPLES[name]
    fit = borrowed_fit(name, reml)
    formula = sparsemixed.mixed(example.formula, load(example.sample), reml=reml)
    assert fit.llf == pytest.approx(formula.llf, rel=1e-12)
    assert fit.llf == pytest.approx(theirs["llf"], rel=1e-7, abs=1e-5)
    assert fit.llf > theirs["llf"] - 1e-7 * abs(fit.llf)
    assert fit.fe_params.to_dict() == pytest.approx(theirs["params"], rel=1e-4)
    assert fit.bse_fe.to_dict() == pytest.approx(theirs["bse"], rel=2e-3)
    assert fit.df_resid == theirs["df_resid"]
    assert fit.scale == pytest.approx(theirs["variances"]["Residual"], rel=1e-3)
    table = fit.VarCorr()
    keys = list(zip(table["grp"], table["var1"], table["var2"], strict=True))
    found = {place: table["vcov"].iloc[keys.index(key)] for place, key in example.places.items()}
    variances = {key: value for key, value in theirs["variances"].items() if key in found}
    assert found == pytest.approx(variances, rel=5e-3, abs=1e-4 * fit.scale)


@pytest.mark.parametrize("name", EXAMPLES)
def test_documented_methods(name):
    theirs, fit = FIGURES[name]["reml"], borrowed_fit(name, True)
    names = list(fit.fe_params.index)
    single = fit.t_test(np.eye(len(names)))
    assert dict(zip(names, single.tvalue, strict=True)) == pytest.approx(theirs["tvalues"], rel=2e-3)
    joint = fit.wald_test(np.eye(len(names)), scalar=True)
    assert joint.statistic == pytest.approx(theirs["wald"]["statistic"], rel=4e-3)
    assert joint.pvalue == pytest.approx(theirs["wald"]["pvalue"], rel=1e-2, abs=1e-12)
    limits = fit.conf_int(alpha=0.1)
    assert limits["low"].to_dict() == pytest.approx(theirs["low 90"], rel=1e-3)
    assert limits["high"].to_dict() == pytest.approx(theirs["high 90"], rel=1e-3)
    spread = 2e-3 * np.sqrt(fit.scale)
    for mine, others in ((fit.resid, theirs["resid"]), (fit.fittedvalues, theirs["fittedvalues"])):
        assert {place: mine.iloc[int(place)] for place in others} == pytest.approx(others, abs=spread)


def test_cov_re_is_the_matrix_of_one_level():
    fit = borrowed_fit("pigs, slopes", True)
    assert list(fit.cov_re.index) == list(fit.cov_re.columns) == ["Time", "_cons"]
    printed = fit.random_params["estimate"]
    title = "Pig: Unstructured"
    assert fit.cov_re.loc["Time", "_cons"] == pytest.approx(printed[title, "cov(Time,_cons)"])
    assert np.diag(fit.cov_re) == pytest.approx([printed[title, "var(Time)"], printed[title, "var(_cons)"]])
    independent = borrowed_fit("pigs, independent slopes", True).cov_re
    assert independent.shape == (2, 2)
    assert independent.iloc[0, 1] == 0
    with pytest.raises(OptionError, match=r"2 levels, school, school:classroom; VarCorr\(\)"):
        _ = borrowed_fit("classrooms", True).cov_re
    with pytest.raises(OptionError, match="no random effects"):
        _ = sparsemixed.mixed("Weight ~ Time", load("dietox")).cov_re


@pytest.fixture(scope="module")
def trial():
    data = sparsemixed.datasets.simulate_longitudinal(60, 6, seed=1)
    data["arm"] = pd.Series(data["id"] % 3).map({0: "a", 1: "b", 2: "c"})
    data["dose"] = data["id"] % 3
    return data


def test_tests_of_several_hypotheses_in_one_text(trial):
    fit = sparsemixed.mixed("y ~ arm * time + (1 | id)", trial)
    single = fit.t_test("arm[T.b] = 0, arm[T.c]:time = 0.5, Intercept = time")
    frame = single.frame
    assert list(frame.columns) == ["estimate", "std_err", "statistic", "pvalue", "low", "high"]
    one = fit.lincom("c.arm#c.time - 0.5")
    assert frame["statistic"].iloc[1] == pytest.approx(one.statistic)
    assert frame["pvalue"].iloc[1] == pytest.approx(one.pvalue)
    assert frame["estimate"].iloc[1] == pytest.approx(one.estimate + 0.5)
    wide = fit.lincom("c.arm#c.time", level=90)
    assert single.conf_int(0.1)[1] == pytest.approx([wide.low, wide.high])
    joint = fit.wald_test("arm[T.b] = 0, arm[T.c]:time = 0.5, Intercept = time")
    assert joint.statistic == pytest.approx(fit.test("(b.arm = 0) (c.arm#c.time = 0.5) (_cons = time)").statistic)
    assert str(single) == single.summary() == repr(single)
    with pytest.raises(OptionError, match="scalar"):
        fit.wald_test("time", scalar=False)


def test_small_sample_tests(trial):
    fit = sparsemixed.mixed("y ~ arm * time + (1 | id)", trial, reml=True, dfmethod="kroger")
    table = fit.t_test(np.eye(len(fit.params)), use_t=True).frame
    assert table["df"].to_numpy() == pytest.approx(fit.df.to_numpy())
    assert table["std_err"].to_numpy() == pytest.approx(fit.bse.to_numpy())
    assert table["pvalue"].to_numpy() == pytest.approx(fit.pvalues.to_numpy())
    assert table[["low", "high"]].to_numpy() == pytest.approx(fit.conf_int().to_numpy())
    assert fit.t_test(np.eye(len(fit.params))).frame["std_err"].to_numpy() == pytest.approx(fit.bse_fe.to_numpy())
    assert fit.wald_test("arm[T.b], arm[T.c]", use_f=True).ddf == pytest.approx(fit.test("b.arm c.arm", small=True).ddf)


def test_rows_that_constraints_fix_have_no_test(trial):
    fit = sparsemixed.mixed("y time i.dose || id:", trial, constraints=["time = 0.5"])
    table = fit.t_test(["time = 0.5", "1.dose = 0"]).frame
    assert table["std_err"].iloc[0] == 0
    assert table.iloc[0][["statistic", "pvalue", "low", "high"]].isna().all()
    assert table.iloc[1].notna().all()


def test_predicted_means_with_limits(trial):
    fit = sparsemixed.mixed("y ~ arm * time + (1 | id)", trial)
    rows = trial.iloc[[3, 100]]
    found = fit.get_prediction(rows)
    X = fit.fit.design.X[[3, 100]]
    mean, se = X @ fit.params.to_numpy(), np.sqrt(np.diag(X @ fit.cov_params().to_numpy() @ X.T))
    assert found.predicted_mean.to_numpy() == pytest.approx(mean)
    assert found.se_mean.to_numpy() == pytest.approx(se)
    table = found.summary_frame(alpha=0.1)
    assert list(table.columns) == ["mean", "mean_se", "mean_ci_lower", "mean_ci_upper"]
    assert list(table.index) == [3, 100]
    assert table["mean_ci_upper"].to_numpy() == pytest.approx(mean + 1.6448536269514722 * se)
    assert found.frame["low"].to_numpy() == pytest.approx(mean - 1.959963984540054 * se)
    assert len(fit.get_prediction().frame) == len(trial)


def test_alpha_is_a_probability():
    fit = sparsemixed.results.Results(manual_fits.example_3())
    assert fit.conf_int(alpha=0.01).equals(fit.conf_int(99))
    for wrong in (95, 0, -0.1, True, "0.05"):
        with pytest.raises(OptionError, match=r"alpha=0\.05 is the level of 95 per cent"):
            fit.conf_int(alpha=wrong)
    with pytest.raises(OptionError, match="not both"):
        fit.conf_int(90, alpha=0.1)
    with pytest.raises(OptionError, match=r"0\.05 is not a level in per cent"):
        fit.conf_int(0.05)
