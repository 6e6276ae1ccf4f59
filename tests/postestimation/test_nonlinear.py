"""nlcom and testnl, and variance parameters in test and lincom, against the delta method done by hand in the metric of e(b)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sparsemixed
from sparsemixed.errors import CommandError, OptionError, SparseMixedError

STEP = 1e-30


def data(seed=4, groups=30, size=8):
    rng = np.random.default_rng(seed)
    n = groups * size
    frame = pd.DataFrame(
        {"x": rng.normal(size=n), "f": rng.integers(1, 4, n), "g": np.arange(n) // size, "t": np.arange(n) % size}
    )
    frame["h"] = frame["g"] // 5
    effects = rng.normal(size=(groups, 2)) @ np.array([[1.0, 0.3], [0.0, 0.5]])
    y = 1 + frame["x"] * (0.8 + effects[frame["g"], 1]) + 0.4 * (frame["f"] == 2) + effects[frame["g"], 0]
    return frame.assign(y=y + 0.7 * rng.normal(size=6)[frame["h"]] + rng.normal(size=n))


MODELS = {
    "unstructured": ("y x i.f || g: x, covariance(unstructured) reml", "exp(2*[lns1_1_1]_cons)*tanh([atr1_1_1_2]_cons)*_b[x]"),
    "two levels": (
        "y x i.f || h: || g:, covariance(identity)",
        "exp(2*[lns1_1_1]_cons)/(exp(2*[lns1_1_1]_cons) + exp(2*[lns2_1_1]_cons))",
    ),
    "exchangeable": ("y x || g: x, covariance(exchangeable)", "_b[x]*tanh([atr1_1_1]_cons) + exp([lnsig_e]_cons)"),
    "robust": ("y x i.f || g: x, vce(robust)", "exp(2*[lns1_1_1]_cons)/exp(2*[lnsig_e]_cons) + _b[2.f]^2"),
    "errors": ("y x || g:, residuals(ar 1, t(t)) reml", "_b[x]/exp([lnsig_e]_cons)"),
    "by": ("y x || g:, residuals(independent, by(f))", "exp([lnsig_e]_cons + [r_lns2ose]_cons)*_b[x]"),
}


@pytest.fixture(scope="module")
def frame():
    return data()


@pytest.fixture(scope="module", params=MODELS)
def model(request, frame):
    command, expression = MODELS[request.param]
    return sparsemixed.mixed(command, frame), expression


def by_hand(fit, expression):
    """Value and standard error from e(b) and e(V), the gradient by complex steps of the expression as Python has it."""
    b, V = fit.e["b"].iloc[0], fit.e["V"].to_numpy()
    text = expression.replace("^", "**")
    for equation, name in b.index:
        for typed in (f"_b[{name}]", f"[{equation}]{name}"):
            text = text.replace(typed, f"b[{list(b.index).index((equation, name))}]")
    functions = {"exp": np.exp, "tanh": np.tanh}

    def value(point):
        return eval(text, {"b": point, **functions})

    point = b.to_numpy().astype(complex)
    gradient = np.array([value(point + 1j * STEP * np.eye(len(b))[i]).imag / STEP for i in range(len(b))])
    return value(point).real, float(np.sqrt(gradient @ V @ gradient))


def test_nlcom_is_the_delta_method(model):
    fit, expression = model
    found, (value, std_err) = fit.nlcom(expression), by_hand(fit, expression)
    assert found.estimate[0] == pytest.approx(value, rel=1e-12)
    assert found.std_err[0] == pytest.approx(std_err, rel=1e-9)
    z = value / std_err
    assert found.frame.iloc[0]["statistic"] == pytest.approx(z, rel=1e-9)
    assert found.pvalue[0] == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-7)


def test_testnl_is_the_square_of_z(model):
    fit, expression = model
    value, std_err = by_hand(fit, expression)
    test = fit.testnl(f"{expression} = .25")
    assert test.r["chi2"] == pytest.approx(((value - 0.25) / std_err) ** 2, rel=1e-8)
    assert test.df == 1
    assert test.pvalue == pytest.approx(stats.chi2.sf(test.statistic, 1), rel=1e-9)


@pytest.fixture(scope="module")
def fit(frame):
    return sparsemixed.mixed("y x i.f || h: || g: x, covariance(unstructured) reml dfmethod(satterthwaite)", frame)


def test_names_as_printed_and_as_stored(fit):
    pairs = [
        ("[g]var(_cons)", "exp(2*[lns2_1_2]_cons)"),
        ("var(_cons[g])", "exp(2*[lns2_1_2]_cons)"),
        ("var(x)", "exp(2*_b[lns2_1_1:_cons])"),
        ("sd(x)", "exp(_b[/lns2_1_1])"),
        ("h:var(_cons)", "exp(2*[lns1_1_1]_b[_cons])"),
        ("corr(x,_cons)", "tanh([atr2_1_1_2]_cons)"),
        ("cov(_cons, x)", "tanh([atr2_1_1_2]_cons)*exp([lns2_1_1]_cons + [lns2_1_2]_cons)"),
        ("var(Residual)", "exp(2*[lnsig_e]_cons)"),
    ]
    for printed, stored in pairs:
        printed = f"_b[{printed}]" if printed.startswith("h:") else printed
        ours, theirs = fit.nlcom(printed), fit.nlcom(stored)
        assert ours.estimate == pytest.approx(theirs.estimate, rel=1e-12)
        assert ours.std_err == pytest.approx(theirs.std_err, rel=1e-9)
    printed = fit.random_params
    assert fit.nlcom("[h]var(_cons)").std_err[0] == pytest.approx(printed["std_err"].iloc[0], rel=1e-9)


def test_several_functions_share_a_covariance(fit):
    found = fit.nlcom("(ratio: _b[x]/_b[2.f]) (_b[x]*var(x)), level(90)")
    assert found.labels == ("ratio", "_nl_2")
    assert found.level == 90
    assert np.diag(found.covariance) == pytest.approx(found.std_err**2)
    joint = fit.testnl("(_b[x]/_b[2.f] = 0) (_b[x]*var(x) = 0)")
    wanted = found.estimate @ np.linalg.solve(found.covariance, found.estimate)
    assert joint.statistic == pytest.approx(wanted, rel=1e-8)
    assert list(found.r) == ["b", "V", "level"]
    assert list(fit.nlcom("x", "x^2", level=80).labels) == ["_nl_1", "_nl_2"]


def test_linear_functions_are_those_of_lincom_and_test(fit):
    one, other = fit.nlcom("_b[2.f] - 2*x"), fit.lincom("2.f - 2*x")
    assert one.std_err[0] == pytest.approx(other.std_err, rel=1e-12)
    assert fit.nlcom("2.f - 2*x, small").df[0] == pytest.approx(fit.lincom("2.f - 2*x", small=True).ddf, rel=1e-10)
    joint = fit.testnl("(_b[2.f] = 0) (_b[3.f] = 0), small")
    wanted = fit.test("2.f 3.f", small=True)
    assert (joint.statistic, joint.ddf, joint.pvalue) == pytest.approx((wanted.statistic, wanted.ddf, wanted.pvalue), rel=1e-9)
    assert "approximate" in joint.note


def test_degrees_given(fit):
    z, t = fit.nlcom("x^2"), fit.nlcom("x^2, df(12)")
    assert t.r["df_r"][0] == 12
    assert t.pvalue[0] == pytest.approx(2 * stats.t.sf(abs(z.statistic[0]), 12))
    F = fit.testnl("x^2 = 1, df(12)")
    assert F.r["F"] == pytest.approx(fit.testnl("x^2 = 1").statistic)
    assert F.pvalue == pytest.approx(stats.f.sf(F.statistic, 1, 12))
    assert fit.lincom("x, df(12) level(90)").r["df"] == 12
    assert fit.test("2.f 3.f", df=9).pvalue == pytest.approx(stats.f.sf(fit.test("2.f 3.f").statistic / 2, 2, 9))


def test_variance_parameters_in_test_and_lincom(fit):
    test, own = fit.test("[lns1_1_1]_cons = [lns2_1_1]_cons"), fit.testnl("[lns1_1_1]_cons = [lns2_1_1]_cons")
    assert test.equations == ("[lns1_1_1]_cons - [lns2_1_1]_cons = 0",)
    assert test.statistic == pytest.approx(own.statistic, rel=1e-10)
    mixed = fit.test("(x = .5) (var(x) = 2)")
    assert mixed.equations == ("[y]x = .5", "[g]var(x) = 2")
    assert mixed.df == 2
    combination = fit.lincom("[h]var(_cons) + [g]var(_cons) + var(Residual)")
    assert combination.std_err == pytest.approx(fit.nlcom("[h]var(_cons) + [g]var(_cons) + var(Residual)").std_err[0], rel=1e-10)
    assert combination.equation == "[h]var(_cons) + [g]var(_cons) + var(Residual) = 0"
    assert fit.test(["x", "var(x)"]).df == 2


def test_accumulate(fit):
    first = fit.test("2.f = 3.f")
    both = fit.test("x = 0", accumulate=first)
    assert both.statistic == pytest.approx(fit.test("(2.f = 3.f) (x = 0)").statistic)
    assert both.equations == fit.test("(2.f = 3.f) (x = 0)").equations
    third = fit.test(np.eye(4)[[3]], [1.0], accumulate=both)
    assert third.df == 3
    assert fit.test("var(x) = 1", accumulate=first).df == 2
    assert fit.test("x", accumulate=fit.testparm("i.f")).df == 3
    with pytest.raises(OptionError, match="pass it"):
        fit.test("x = 0, accumulate")


def test_one_by_one(fit):
    found = fit.test("(2.f = 0) (3.f = 0) (x = 1), mtest(holm)")
    plain = [fit.test(text).pvalue for text in ("2.f = 0", "3.f = 0", "x = 1")]
    order = np.argsort(plain)
    wanted, most = np.empty(3), 0.0
    for rank, i in enumerate(order):
        most = max(most, min(1.0, (3 - rank) * plain[i]))
        wanted[i] = most
    assert found.r["mtest"]["p"].to_numpy() == pytest.approx(wanted)
    assert found.r["mtmethod"] == "holm"
    for method, adjust in {"bonferroni": lambda p: min(1, 3 * p), "sidak": lambda p: 1 - (1 - p) ** 3, "noadjust": float}.items():
        singles = fit.test("(2.f = 0) (3.f = 0) (x = 1)", mtest=method).singles
        assert [one.pvalue for one in singles] == pytest.approx([adjust(p) for p in plain])
    assert fit.test("(2.f) (3.f), m").mtest == "noadjust"
    assert fit.testnl("(2.f^2 = 1) (x^2 = 1), m(b)").singles[1].pvalue == pytest.approx(min(1, 2 * fit.testnl("x^2 = 1").pvalue))
    small = fit.test("(2.f = 0) (x = 1)", small=True, mtest="sidak")
    assert [one.ddf for one in small.singles] == pytest.approx([fit.test(t, small=True).ddf for t in ("2.f = 0", "x = 1")])


SHOWN = """\
         icc:  [h]var(_cons)/([h]var(_cons) + var(Residual))

------------------------------------------------------------------------------
           y | Coefficient  Std. err.      z    P>|z|     [95% conf. interval]
-------------+----------------------------------------------------------------
         icc |"""


def test_layout(fit):
    assert str(fit.nlcom("icc: [h]var(_cons)/([h]var(_cons) + var(Residual))")).startswith(SHOWN)
    assert "icc" in fit.nlcom("icc: var(x)").to_html()
    table = str(fit.test("(2.f = 0) (3.f = 0), mtest(sidak)"))
    assert " ( 1)  [y]2.f = 0" in table
    assert "Sidak-adjusted p-values." in table
    assert "All |" in table


def test_a_variance_of_zero_has_no_standard_error():
    frame = data(seed=1)
    frame["y"] = frame["x"] + np.random.default_rng(5).normal(size=len(frame)) - 0.2 * (frame["t"] % 2)
    frame["k"] = np.arange(len(frame)) % 40
    with pytest.warns(sparsemixed.errors.BoundaryWarning):
        fit = sparsemixed.mixed("y x || g:", frame.assign(y=frame["y"] - frame.groupby("g")["y"].transform("mean")))
    found = fit.nlcom("(share: var(_cons)/(var(_cons) + var(Residual))) (x^2)")
    assert found.estimate[0] == 0.0
    assert np.isnan(found.std_err[0])
    assert found.std_err[1] > 0
    assert "[g]var(_cons) lies on the boundary" in found.note
    assert np.isnan(fit.testnl("var(_cons) = 1").statistic)
    assert np.isnan(fit.lincom("var(_cons) + x").std_err)


def test_saved_fits_have_all_of_it(fit, tmp_path):
    fit.save(tmp_path / "one.fit")
    loaded = sparsemixed.load(tmp_path / "one.fit")
    expression = "_b[x]/sqrt(var(x)) + corr(x,_cons)"
    assert loaded.nlcom(expression).std_err == pytest.approx(fit.nlcom(expression).std_err, rel=1e-12)
    assert loaded.testnl("var(x) = x^2").statistic == pytest.approx(fit.testnl("var(x) = x^2").statistic, rel=1e-12)


def test_intraclass_correlation_of_the_manual(manual_data):
    manual_data("productivity")
    fit = sparsemixed.mixed(
        "gsp private emp hwy water other unemp || region: || state:", sparsemixed.datasets.load("productivity")
    )
    found = fit.nlcom("[region]var(_cons)/([region]var(_cons) + [state]var(_cons) + var(Residual))")
    assert found.estimate[0] == pytest.approx(0.159893, rel=1e-5)
    assert found.std_err[0] == pytest.approx(0.127627, rel=1e-5)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda fit: fit.nlcom("_b[nothing]^2"), "there is no coefficient nothing"),
        (lambda fit: fit.nlcom("var(nothing)"), r"variance parameters are \[h\]var\(_cons\)"),
        (lambda fit: fit.lincom("var(nothing)"), "variance parameters"),
        (lambda fit: fit.nlcom("var(_cons)"), r"write \[h\]var\(_cons\) or \[g\]var\(_cons\)"),
        (lambda fit: fit.test("var(_cons) = 1"), "is a parameter of several levels"),
        (lambda fit: fit.nlcom("[other]var(_cons)"), "the only equation of fixed effects is"),
        (lambda fit: fit.nlcom(), "name at least one function"),
        (lambda fit: fit.nlcom(3), "takes a text"),
        (lambda fit: fit.nlcom("(a: x) (a: x^2)"), "two functions are called a"),
        (lambda fit: fit.nlcom("ln(-exp(x))"), "has no value"),
        (lambda fit: fit.nlcom("x + 1e999"), "beyond the range"),
        (lambda fit: fit.nlcom("+".join(["x"] * 3000)), "nested too deeply"),
        (lambda fit: fit.nlcom("(" * 5000 + "x"), "nested too deeply"),
        (lambda fit: fit.nlcom("x\x00 + 1"), "is no text"),
        (lambda fit: fit.nlcom("x, level(200)"), "must lie between"),
        (lambda fit: fit.nlcom("x, df(0)"), "df must be a positive number"),
        (lambda fit: fit.nlcom("x, df(3)", df=4), "given twice"),
        (lambda fit: fit.nlcom("x, df(3) small"), "cannot be combined"),
        (lambda fit: fit.nlcom("x, post"), "unknown option post"),
        (lambda fit: fit.nlcom("var(x), small"), "small is for coefficients"),
        (lambda fit: fit.lincom("var(x), small"), "small is for coefficients"),
        (lambda fit: fit.testnl("x^2"), "testnl tests equations"),
        (lambda fit: fit.testnl("(x = 1) (2*x = 3)"), "follow from or contradict"),
        (lambda fit: fit.testnl("x - x = 1"), "depends on nothing"),
        (lambda fit: fit.testnl("1 = 2"), "depends on nothing"),
        (lambda fit: fit.testnl("x = 1, mtest(tukey)"), "is not one of noadjust, bonferroni, holm, sidak"),
        (lambda fit: fit.test("x, mtest(foo)"), "is not one of"),
        (lambda fit: fit.test("x = 0, 2.f = 0"), "expected an option"),
        (lambda fit: fit.test("x = 0, equal"), "option of testparm"),
        (lambda fit: fit.test("x = 0, df(3"), "not closed"),
        (lambda fit: fit.test("x = 0, df(a)"), "takes a number"),
        (lambda fit: fit.test(np.eye(4), accumulate=fit.test("var(x) = 1")), "cannot be joined"),
        (lambda fit: fit.test("x", accumulate=fit.testnl("x = 1")), "no equations to add to"),
    ],
)
def test_bad_input(fit, ask, message):
    with pytest.raises(SparseMixedError, match=message):
        ask(fit)


def test_errors_show_the_place(fit):
    with pytest.raises(CommandError) as caught:
        fit.nlcom("x + ln(_b[none])")
    assert caught.value.position == 7
