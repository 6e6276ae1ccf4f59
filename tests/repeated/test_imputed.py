"""Several imputations combined: figures of mice and mitml, Rubin's rules written out, Stata's layout, and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

import sparsemixed
from sparsemixed.errors import DataError, OptionError, SparseMixedError
from sparsemixed.inference.estimation_metric import metric_estimates
from sparsemixed.inference.pooling import Pooled, joint_test, pool
from tests.golden import flat, golden, load

FIGURES = golden("mice")
MODELS = {
    "intercepts": ("Reaction ~ Days + x + (1 | Subject)", False),
    "slopes": ("Reaction ~ Days * x + (1 + Days | Subject)", True),
}
COMMAND = "Reaction Days x || Subject: Days, covariance(unstructured)"


@pytest.fixture(scope="module")
def tables() -> list[pd.DataFrame]:
    return [own.reset_index(drop=True) for _, own in load("imputed").groupby("imp")]


@pytest.fixture(scope="module")
def pooled(tables):
    return sparsemixed.mi(COMMAND, tables)


def laid_out(found) -> dict[str, float]:
    own = found.value.coefficients
    columns = {
        "estimate": own.estimate,
        "se": own.std_err,
        "within": np.diag(own.within),
        "between": np.diag(own.between),
        "rvi": own.rvi,
        "df": own.df,
        "fmi": own.fmi,
    }
    rows = {name: {key: values[i] for key, values in columns.items()} for i, name in enumerate(found.params.index)}
    return flat(rows)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("part", "dfcom"), [("large", None), ("small", 40.0)])
def test_figures_of_mice(tables, name, part, dfcom):
    formula, reml = MODELS[name]
    found = sparsemixed.mi(formula, tables, reml=reml, dfcom=dfcom)
    assert laid_out(found) == pytest.approx(flat(FIGURES[name][part]), rel=3e-7)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("part", "dfcom"), [("joint", None), ("joint_small", 40.0)])
def test_joint_tests_of_mitml(tables, name, part, dfcom):
    formula, reml = MODELS[name]
    found = sparsemixed.mi(formula, tables, reml=reml, dfcom=dfcom)
    test, figures = found.test([one for one in found.params.index if one != "_cons"]), FIGURES[name][part]
    assert (test.statistic, test.df, test.ddf) == pytest.approx((figures["F"], figures["df"], figures["ddf"]), rel=3e-7)
    assert test.pvalue == pytest.approx(figures["p"], rel=1e-6)


def test_joint_test_of_few_imputations(tables):
    """With t = l(M - 1) = 4 the other formula for the degrees of freedom serves."""
    found = sparsemixed.mi(MODELS["intercepts"][0], tables, nimputations=3)
    test, figures = found.test("Days x"), FIGURES["intercepts"]["joint_three"]
    assert (test.statistic, test.ddf) == pytest.approx((figures["F"], figures["ddf"]), rel=3e-7)


def test_a_single_row_is_the_square_of_its_t_test(pooled):
    test = pooled.test("Days = 0")
    assert test.statistic == pytest.approx(pooled.tvalues["Days"] ** 2, rel=1e-12)
    assert test.ddf == pytest.approx(pooled.df["Days"], rel=1e-12)
    assert test.pvalue == pytest.approx(pooled.pvalues["Days"], rel=1e-9)


def test_joint_tests_with_unequal_fractions_of_missing_information(tables, pooled):
    found = sparsemixed.mi(COMMAND, tables, ufmitest=True)
    fits = [sparsemixed.mixed(COMMAND, own) for own in tables]
    names = [name for name in found.params.index if name != "_cons"]
    Q = np.array([fit.params[names] for fit in fits])
    W = np.mean([fit.cov_params().loc[names, names] for fit in fits], axis=0)
    M, l_rows, B = len(fits), len(names), np.cov(Q.T)
    statistic = Q.mean(axis=0) @ np.linalg.inv(W + (1 + 1 / M) * B) @ Q.mean(axis=0) / l_rows
    r = (1 + 1 / M) * np.trace(B @ np.linalg.inv(W)) / l_rows
    test = found.test(names)
    assert l_rows == 2
    assert (test.statistic, test.df) == pytest.approx((statistic, l_rows), rel=1e-9)
    assert test.ddf == pytest.approx((M - 1) * (1 + 1 / r) ** 2, rel=1e-9)
    assert (found.e["F_mi"], found.e["df_r_mi"]) == pytest.approx((test.statistic, test.ddf), rel=1e-12)
    assert (found.e["ufmi_mi"], found.e["modeltest_mi"]) == (1, "Unrestricted FMI")
    assert found.e["rvi_avg_F_mi"] == pytest.approx(r, rel=1e-9)
    assert "Model F test: Unrestricted FMI" in str(found)
    # Asked for by the test alone, in the text, and of a single row, where there is no difference.
    assert pooled.e["ufmi_mi"] == 0
    assert pooled.test(names).statistic != pytest.approx(statistic, rel=1e-4)
    assert pooled.test(names, ufmitest=True).statistic == pytest.approx(statistic, rel=1e-9)
    assert found.test(names, ufmitest=False).statistic == pytest.approx(pooled.test(names).statistic, rel=1e-12)
    assert str(sparsemixed.mixed(f"mi estimate, ufmitest: mixed {COMMAND}", tables)) == str(found)
    for of in (pooled, found):
        assert of.test("Days = 0").ddf == pytest.approx(pooled.df["Days"], rel=1e-12)


def pooled_of(M: int, rows: int, increase: float, complete: float = np.inf) -> Pooled:
    """Estimates of M imputations with W = I, whose average relative increase in variance is `increase`."""
    rng = np.random.default_rng(M)
    Q = rng.normal(size=(M, rows))
    B = np.cov(Q.T).reshape(rows, rows)
    Q *= np.sqrt(increase / ((1 + 1 / M) * np.trace(B) / rows)) if increase else 0.0
    return pool(Q + 1.0, np.tile(np.eye(rows), (M, 1, 1)), np.full(rows, complete))


@pytest.mark.parametrize(
    ("M", "rows", "equal", "unrestricted"),
    [(8, 2, 254.59996720946631, 225.3330905488389), (3, 2, 220.15507571351091, 146.770050475674)],
)
def test_degrees_of_freedom_of_both_tests_are_statas(M, rows, equal, unrestricted):
    """Of one model each by Stata 18's `mi test, nosmall` with and without `ufmitest`: both are functions of rbar alone."""
    K, zero = np.eye(rows), np.zeros(rows)
    increase = brentq(lambda r: joint_test(pooled_of(M, rows, r), K, zero).ddf - equal, 1e-3, 5.0, xtol=1e-15)
    assert joint_test(pooled_of(M, rows, increase), K, zero, unrestricted=True).ddf == pytest.approx(unrestricted, rel=1e-9)


def test_joint_tests_of_few_imputations_know_the_degrees_of_freedom_of_complete_data():
    """Two equal imputations, 396 degrees of freedom: Stata 18 has 394.01503759398503, and 3/2 of that with equal fractions."""
    own, K, zero = pooled_of(2, 2, 0.0, 396.0), np.eye(2), np.zeros(2)
    assert joint_test(own, K[:1], zero[:1]).ddf == pytest.approx(394.01503759398503, rel=1e-14)
    assert joint_test(own, K, zero, unrestricted=True).ddf == pytest.approx(394.01503759398503, rel=1e-14)
    assert joint_test(own, K, zero).ddf == pytest.approx(1.5 * 394.01503759398503, rel=1e-14)
    few = joint_test(pooled_of(3, 2, 0.2, 12.0), K, zero)
    assert few.ddf == pytest.approx(1.5 * joint_test(pooled_of(3, 2, 0.2, 12.0), K, zero, unrestricted=True).ddf, rel=1e-12)
    assert few.ddf < 1.5 * 12.0 < joint_test(pooled_of(3, 2, 0.2), K, zero).ddf


def test_rubins_rules_in_the_metric_of_e_b(tables, pooled):
    metrics = [metric_estimates(sparsemixed.mixed(COMMAND, own).fit) for own in tables]
    M, b = len(metrics), np.array([one.b for one in metrics])
    W, B = sum(one.V for one in metrics) / M, np.cov(b.T)
    T = W + (1 + 1 / M) * B
    r = (1 + 1 / M) * np.diag(B) / np.diag(W)
    df = (M - 1) * (1 + 1 / r) ** 2
    frame = pooled.frame
    assert frame.index.tolist() == list(metrics[0].names)
    assert frame["estimate"].to_numpy() == pytest.approx(b.mean(axis=0), rel=1e-12)
    assert frame["std_err"].to_numpy() == pytest.approx(np.sqrt(np.diag(T)), rel=1e-12)
    assert frame["df"].to_numpy() == pytest.approx(df, rel=1e-9)
    assert frame["fmi"].to_numpy() == pytest.approx((r + 2 / (df + 3)) / (r + 1), rel=1e-9)
    assert pooled.variance_information["efficiency"].to_numpy() == pytest.approx(1 / (1 + frame["fmi"].to_numpy() / M))


def test_standard_deviations_are_averaged_in_logs(pooled):
    shown, frame = pooled.random_params, pooled.frame
    row = frame.loc[("lns1_1_1", "_cons")]
    printed = shown.loc[("Subject: Unstructured", "sd(Days)")]
    assert printed["estimate"] == pytest.approx(np.exp(row["estimate"]), rel=1e-12)
    assert printed["std_err"] == pytest.approx(np.exp(row["estimate"]) * row["std_err"], rel=1e-12)
    assert printed[["ci_low", "ci_high"]].tolist() == pytest.approx(np.exp(row[["low", "high"]]).tolist(), rel=1e-12)
    corr = shown.loc[("Subject: Unstructured", "corr(Days,_cons)")]
    assert corr["estimate"] == pytest.approx(np.tanh(frame.loc[("atr1_1_1_2", "_cons"), "estimate"]), rel=1e-12)


def test_variances_where_they_are_asked_for(tables):
    found = sparsemixed.mi(f"{COMMAND} variance", tables)
    assert "var(Days)" in str(found)
    assert found.random_params.index[0][1] == "var(Days)"
    assert "sd(Days)" in str(sparsemixed.mi(COMMAND, tables))


def test_equal_imputations_leave_the_fit_as_it_is(tables):
    fit = sparsemixed.mixed(COMMAND, tables[0])
    found = sparsemixed.mi(COMMAND, [tables[0], tables[0]])
    assert found.params.to_numpy() == pytest.approx(fit.params.to_numpy(), rel=1e-14)
    assert found.bse.to_numpy() == pytest.approx(fit.bse.to_numpy(), rel=1e-12)
    assert np.all(np.isinf(found.df))
    assert found.pvalues.to_numpy() == pytest.approx(fit.pvalues.to_numpy(), rel=1e-9)
    # Stata prints points in their place
    assert "F(   2,      .)" in str(found)


def test_degrees_of_freedom_of_a_method(tables):
    fits = [sparsemixed.mixed(COMMAND, own, reml=True, dfmethod="kroger") for own in tables]
    found = sparsemixed.mi(COMMAND, tables, reml=True, dfcom="kroger")
    M = len(fits)
    W = np.mean([fit.bse**2 for fit in fits], axis=0)
    B = np.var([fit.params for fit in fits], axis=0, ddof=1)
    assert found.bse.to_numpy() == pytest.approx(np.sqrt(W + (1 + 1 / M) * B), rel=1e-12)
    complete, r = np.mean([fit.df for fit in fits], axis=0), (1 + 1 / M) * B / W
    observed = complete * (complete + 1) / (complete + 3) / (1 + r)
    assert found.df.to_numpy() == pytest.approx(1 / (1 / ((M - 1) * (1 + 1 / r) ** 2) + 1 / observed), rel=1e-9)
    assert found.e["dfadjust_mi"] == "Small sample"
    large = sparsemixed.mi(COMMAND, tables, reml=True, dfcom="kroger", nosmall=True)
    assert large.e["dfadjust_mi"] == "Large sample"


def test_monte_carlo_errors_are_jackknifed(tables):
    found = sparsemixed.mi(COMMAND, tables, mcerror=True)
    M = len(tables)
    without = [sparsemixed.mi(COMMAND, tables[:m] + tables[m + 1 :]).frame for m in range(M)]
    for name in ("estimate", "std_err", "fmi"):
        values = np.array([one[name] for one in without])
        wanted = np.sqrt((M - 1) * np.var(values, axis=0))
        assert found.mcerror[name].to_numpy() == pytest.approx(wanted, rel=1e-9)
    assert "Monte Carlo errors" in str(found)


HEAD = """\
Multiple-imputation estimates                     Imputations      =         6
Mixed-effects ML regression                       Number of obs    =       180
Group variable: Subject                           Number of groups =        18
                                                  Obs per group:
                                                               min =        10
                                                               avg =      10.0
                                                               max =        10
                                                  Average RVI      ="""


def test_layout(pooled):
    lines = str(pooled).splitlines()
    assert "\n".join(lines[:8]).startswith(HEAD)
    assert lines[8].split("=")[0].strip() == "Largest FMI"
    assert lines[9].startswith("DF adjustment:   Large sample                     DF:     min      =")
    assert lines[12].startswith("Model F test:       Equal FMI                     F(   2,")
    assert "sd(Residual)" in str(pooled)
    assert "LR test" not in str(pooled)
    assert "Multiple-imputation estimates" in pooled.to_html()
    assert "sd(Days)" in pooled.to_latex()
    assert "| Model | Mixed-effects ML regression |" in pooled.to_markdown().replace("  ", " ")


def test_tables_of_variances_and_degrees_of_freedom(tables):
    text = str(sparsemixed.mi(COMMAND, tables, vartable=True, dftable=True))
    for word in (
        "Variance information",
        "Within",
        "Between",
        "Total",
        "RVI",
        "FMI",
        "lns1_1_1",
        "lnsig_e",
        "% increase std. err.",
    ):
        assert word in text


def test_stored_results(pooled):
    e = pooled.e
    assert (e["M_mi"], e["N_mi"], e["m_est_mi"]) == (6, 180, "1 2 3 4 5 6")
    assert e["V_mi"].loc["Reaction:Days", "Reaction:Days"] == pytest.approx(pooled.bse["Days"] ** 2)
    assert e["F_mi"] == pooled.test("Days x").statistic
    assert e["fmi_max_mi"] == pooled.frame["fmi"].max()


# --- what holds the imputations ---------------------------------------------------------------------------------------------


def styles(tables: list[pd.DataFrame]) -> dict[str, object]:
    """The same imputations as a dict, as Stata's flong and mlong, and as R's mice has them."""
    number = np.arange(1, len(tables[0]) + 1)
    numbered = [own.assign(_mi_m=m, _mi_id=number) for m, own in enumerate(tables, start=1)]
    incomplete = np.zeros(len(number), bool)
    for own in tables[1:]:
        incomplete |= (own[["Days", "x"]] != tables[0][["Days", "x"]]).any(axis=1).to_numpy()
    original = numbered[0].assign(_mi_m=0)
    original.loc[incomplete, ["Days", "x"]] = np.nan
    flong = pd.concat([original, *numbered])
    return {
        "dict": dict(enumerate(tables, start=1)),
        "flong": flong,
        "mlong": pd.concat([original, *(own[incomplete] for own in numbered)]),
        "mice": flong.rename(columns={"_mi_m": ".imp", "_mi_id": ".id"}),
    }


@pytest.mark.parametrize("style", ["dict", "flong", "mlong", "mice"])
def test_styles_of_imputed_data(tables, pooled, style):
    found = sparsemixed.mixed(f"mi estimate: mixed {COMMAND}", styles(tables)[style])
    assert found.frame.to_numpy() == pytest.approx(pooled.frame.to_numpy(), rel=1e-12)


def test_a_column_of_another_name_and_chosen_imputations(tables):
    long = load("imputed")
    found = sparsemixed.mi(COMMAND, long, imputation="imp", imputations=[2, 5, 6])
    plain = sparsemixed.mi(COMMAND, [tables[1], tables[4], tables[5]])
    assert found.frame.to_numpy() == pytest.approx(plain.frame.to_numpy())
    assert found.e["m_est_mi"] == "2 5 6"
    same = sparsemixed.mixed(f"mi estimate, imputation(imp) imputations(2 5/6): mixed {COMMAND}", long)
    assert same.frame.to_numpy() == pytest.approx(plain.frame.to_numpy())


def test_options_of_the_prefix(tables):
    found = sparsemixed.mixed(f"mi est, ni(4) dfcom(30) level(90): mixed {COMMAND}", tables)
    plain = sparsemixed.mi(COMMAND, tables[:4], dfcom=30, level=90)
    assert str(found) == str(plain)
    assert "[90% conf. interval]" in str(found)


# --- refusals -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"dfmethod": "kroger", "reml": True}, OptionError, r"not allowed with dfmethod\(kroger\).*dfcom"),
        ({"vce": "cr2"}, OptionError, r"not allowed with vce\(cr2\)"),
        ({"dfcom": "kroger"}, OptionError, "needs REML"),
        ({"dfcom": "kenward"}, OptionError, "dfcom is a number or a method"),
        ({"dfcom": 0}, OptionError, "positive number"),
        ({"dfcom": True}, OptionError, "positive number"),
        ({"nimputations": 7}, OptionError, "from 2 to 6"),
        ({"nimputations": 1}, OptionError, "from 2 to 6"),
        ({"imputations": [1, 9]}, OptionError, "no imputation 9"),
        ({"imputations": [3]}, DataError, "two imputations or more"),
        ({"imputations": [3, 4], "nimputations": 2}, OptionError, "exclude each other"),
        ({"imputations": [3, 4], "mcerror": True}, OptionError, "three or more"),
        ({"nonsense": 1}, OptionError, "nonsense"),
    ],
)
def test_options_that_are_refused(tables, options, kind, message):
    with pytest.raises(kind, match=message):
        sparsemixed.mi(COMMAND, tables, **options)


def test_samples_that_differ(tables):
    fewer = tables[1].copy()
    fewer.loc[3, "x"] = np.nan
    with pytest.raises(DataError, match="estimation sample varies: imputations 1 and 2 have 180 and 179 rows"):
        sparsemixed.mi(COMMAND, [tables[0], fewer])
    other = tables[0].copy()
    other.loc[4, "x"] = np.nan
    with pytest.raises(DataError, match="not all the same"):
        sparsemixed.mi(COMMAND, [other, fewer])
    found = sparsemixed.mi(COMMAND, [tables[0], fewer], esampvaryok=True)
    assert found.nobs == 179


def test_coefficients_that_differ(tables):
    constant = tables[1].assign(x=1.0)
    with pytest.raises(DataError, match="imputation 2 has other coefficients than imputation 1"):
        sparsemixed.mi(COMMAND, [tables[0], constant])


def test_imputations_that_cannot_be_fitted(tables):
    broken = tables[2].assign(Reaction=5.0)
    with pytest.raises(SparseMixedError, match=r"imputation 3: .*constant"):
        sparsemixed.mi(COMMAND, [*tables[:2], broken])
    found = sparsemixed.mi(COMMAND, [*tables[:2], broken], errorok=True)
    assert found.value.numbers == (1, 2)
    assert "imputation 3 is left out" in str(found)
    with pytest.raises(DataError, match="1 of 2 imputations cannot be fitted"):
        sparsemixed.mi(COMMAND, [tables[0], broken], errorok=True)


def test_data_that_hold_no_imputations(tables):
    with pytest.raises(OptionError, match="without a column _mi_m"):
        sparsemixed.mi(COMMAND, tables[0])
    with pytest.raises(OptionError, match=r"no variable `inp`.*imp"):
        sparsemixed.mi(COMMAND, load("imputed"), imputation="inp")
    with pytest.raises(DataError, match="whole numbers from 0"):
        sparsemixed.mi(COMMAND, load("imputed"), imputation="Days")
    with pytest.raises(DataError, match="two imputations or more, and the data hold 1"):
        sparsemixed.mi(COMMAND, [tables[0]])
    with pytest.raises(DataError, match="the data hold 0"):
        sparsemixed.mi(COMMAND, [])


def test_a_model_with_an_error_shows_it_once(tables):
    with pytest.raises(SparseMixedError, match="variable `z` not found") as caught:
        sparsemixed.mixed("mi estimate: mixed Reaction z || Subject:", tables)
    *_, line, caret = str(caught.value).split("\n")
    assert line.strip() == "mi estimate: mixed Reaction z || Subject:"
    assert line[caret.index("^") :].startswith("z ||")


def test_a_variance_of_zero_in_some_imputations_has_no_standard_error():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(np.arange(12), 5), "x": rng.normal(size=60)})
    flat_data = data.assign(y=data.x + rng.normal(size=60))
    flat_data["y"] -= flat_data.groupby("g")["y"].transform("mean") * 0.9
    lively = flat_data.assign(y=flat_data.y + np.repeat(rng.normal(size=12), 5))
    found = sparsemixed.mi("y x || g:", [flat_data, lively])
    row = found.random_params.iloc[0]
    assert row["estimate"] == 0.0
    assert np.isnan(row["std_err"])
    assert "on the boundary of the parameter space in imputations 1: " in str(found)
    assert np.all(np.isfinite(found.bse))
