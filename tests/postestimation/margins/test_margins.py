"""Margins against their dense definition: rows of X averaged, K b and K V K'."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import DataError, OptionError, SparseMixedError
from tests.postestimation.margins.dense import X_of, mean_row, simulated

MODELS = {
    "interactions": ("y i.a##i.b##c.x c.x#c.x z || g:, reml dfmethod(satterthwaite)", 1),
    "no main effect": ("y i.a#c.x i.b || g:", 2),
    "full coding": ("y ibn.a#i.b c.x##c.z, noconstant || g:", 3),
    "text factor": ("y i.c##i.a x || g: x, cov(un)", 4),
    "random residuals": ("y i.a##c.x i.b || g:, residuals(exchangeable)", 5),
    "frequency weights": ("y i.a##i.b x [fw=w] || g:", 6),
    "sampling weights": ("y i.a##i.b x [pw=p] || g:", 7),
    "robust": ("y i.a##i.b x || g:, vce(robust)", 8),
    "some rows": ("y i.a i.b##c.x if x > 2 || g:", 10),
}


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    model, seed = MODELS[request.param]
    data = simulated(seed)
    return sparsemixed.mixed(model, data), data


def agrees(fit, found, K) -> None:
    K = np.atleast_2d(K)
    V = fit.cov_params().to_numpy()
    np.testing.assert_allclose(found.jacobian, K, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.estimate, K @ fit.params.to_numpy(), rtol=1e-10)
    np.testing.assert_allclose(found.covariance, K @ V @ K.T, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.std_err, np.sqrt(np.diag(K @ V @ K.T)), rtol=1e-9)


def test_mean_of_everything(case):
    fit, data = case
    agrees(fit, fit.margins(), mean_row(fit, X_of(fit, data)))


def test_levels_of_a_factor(case):
    fit, data = case
    agrees(fit, fit.margins("a"), [mean_row(fit, X_of(fit, data, a=level)) for level in (1, 2, 3)])


def test_values_and_levels(case):
    fit, data = case
    factor = "b" if "b" in fit.fit.design.levels else "a"
    variables = {"x": 2.5, factor: 1}
    points = [{**variables, "x": value} for value in (2.5, 4.0)]
    found = fit.margins(at={"x": [2.5, 4.0], factor: 1})
    agrees(fit, found, [mean_row(fit, X_of(fit, data, **point)) for point in points])


def test_over_groups(case):
    fit, data = case
    used = data["w"].to_numpy()[fit.fit.design.kept]
    wanted = [mean_row(fit, X_of(fit, data, a=level), used == group) for group in (1, 2, 3) for level in (1, 2, 3)]
    agrees(fit, fit.margins("a, over(w)"), wanted)


def test_a_subpopulation(case):
    fit, data = case
    used = ((data["x"] > 2.5) & (data["w"] != 2)).to_numpy()[fit.fit.design.kept]
    wanted = [mean_row(fit, X_of(fit, data, a=level), used) for level in (1, 2, 3)]
    agrees(fit, fit.margins("a, subpop(x > 2.5 & w != 2)"), wanted)
    with pytest.raises(OptionError, match="selects none"):
        fit.margins(subpop="x > 99")
    with pytest.raises(OptionError, match="is not in the data"):
        fit.margins(subpop="nothing == 1")


def test_slopes_are_central_differences(case):
    fit, data = case
    h = 1e-4
    x = data["x"].to_numpy()
    up, down = (X_of(fit, data, x=x + sign * h) for sign in (1, -1))
    slopes = (up - down) / (2 * h)
    found, scaled = fit.margins(dydx="x"), fit.margins(dyex="x")
    np.testing.assert_allclose(found.jacobian[0], mean_row(fit, slopes), rtol=1e-7, atol=1e-7)
    own = x[fit.fit.design.kept]
    np.testing.assert_allclose(scaled.jacobian[0], mean_row(fit, slopes * own[:, None]), rtol=1e-7, atol=1e-7)


def test_elasticities_and_their_derivatives(case):
    fit, data = case
    beta, h, x = fit.params.to_numpy(), 1e-4, data["x"].to_numpy()
    X, (up, down) = X_of(fit, data), (X_of(fit, data, x=x + sign * h) for sign in (1, -1))
    D, own = (up - down) / (2 * h), x[fit.fit.design.kept]

    def mean(b, weight):
        return mean_row(fit, (D @ b / (X @ b) * weight)[:, None])[0]

    for kind, weight in (("eydx", 1.0), ("eyex", own)):
        found = fit.margins(**{kind: "x"})
        assert found.estimate[0] == pytest.approx(mean(beta, weight), rel=1e-7)
        steps = 1e-6 * np.maximum(np.abs(beta), 1.0) * np.eye(len(beta))
        numeric = [(mean(beta + s, weight) - mean(beta - s, weight)) / (2 * s.sum()) for s in steps]
        np.testing.assert_allclose(found.jacobian[0], numeric, rtol=1e-5, atol=1e-7)


def test_differences_between_levels(case):
    fit, data = case
    found = fit.margins(dydx="a")
    base = mean_row(fit, X_of(fit, data, a=1))
    agrees(fit, found, [mean_row(fit, X_of(fit, data, a=level)) - base for level in (2, 3)])
    assert [block.variable for block in found.blocks] == ["2.a", "3.a"]


@pytest.fixture(scope="module")
def plain():
    data = simulated(20)
    return sparsemixed.mixed("y i.a##i.b x z || g:, reml dfmethod(satterthwaite)", data), data


def test_means_of_variables(plain):
    fit, data = plain
    shares = {level: (data["a"] == level).mean() for level in (1, 2, 3)}
    rows = []
    for b in (0, 1):
        each = [shares[a] * X_of(fit, data, a=a, b=b, x=data["x"].mean(), z=data["z"].mean())[0] for a in shares]
        rows.append(sum(each))
    found = fit.margins("b, atmeans")
    agrees(fit, found, rows)
    assert found.title == "Adjusted predictions"


def test_ranks_of_covariates(plain):
    fit, data = plain
    x = np.sort(data["x"].to_numpy())
    n = len(x)
    for word, value in (("median", np.median(x)), ("min", x[0]), ("max", x[-1]), ("zero", 0.0)):
        agrees(fit, fit.margins(at=f"({word}) x"), mean_row(fit, X_of(fit, data, x=value)))
    place = n * 25 / 100
    low = (x[int(place) - 1] + x[int(place)]) / 2 if place == int(place) else x[int(place)]
    agrees(fit, fit.margins(at={"x": "p25"}), mean_row(fit, X_of(fit, data, x=low)))


def test_generated_values(plain):
    fit, data = plain
    found = fit.margins(at=["(asobserved) _all", "x=generate(2*x+z)"])
    agrees(fit, found, [mean_row(fit, X_of(fit, data)), mean_row(fit, X_of(fit, data, x=2 * data["x"] + data["z"]))])


def test_several_at_and_their_combinations(plain):
    fit, _ = plain
    found = fit.margins("b, at(x=(1(1)3) a=(1 2)) at((mean) x)")
    assert len(found.at) == 7
    assert [point[0].values["x"] for point in found.at[:6]] == [1, 1, 2, 2, 3, 3]
    assert [list(point[0].shares["a"]) for point in found.at[:4]] == [[1], [2], [1], [2]]
    same = fit.margins("b", at=[{"x": [1, 2, 3], "a": [1, 2]}, {"x": "mean"}])
    np.testing.assert_array_equal(found.jacobian, same.jacobian)


def test_balanced_margins_are_those_of_contrast(plain):
    fit, _ = plain
    mine, theirs = fit.margins("r.a, asbalanced small"), fit.contrast("r.a", small=True)
    np.testing.assert_allclose(mine.effects.to_numpy(), theirs.effects.to_numpy(), rtol=1e-9)
    np.testing.assert_allclose(mine.tests.to_numpy(), theirs.tests.to_numpy(), rtol=1e-9)
    pairs, same = fit.margins("a#b, asbalanced pwcompare mcompare(tukey)"), fit.pwcompare("a#b", mcompare="tukey")
    np.testing.assert_allclose(pairs.effects.to_numpy(), same.effects.to_numpy(), rtol=1e-9)


def test_degrees_of_freedom_are_those_of_the_row(plain):
    fit, _ = plain
    found = fit.margins("a##b, small dydx(x)")
    for i, row in enumerate(found.jacobian):
        weights = pd.Series(row, index=fit.params.index)
        test = fit.test(weights, small=True)
        assert found.df[i] == pytest.approx(test.ddf, rel=1e-9)
        assert found.pvalue[i] == pytest.approx(test.pvalue, rel=1e-7)
    assert fit.margins("a, df(20)").df.tolist() == [20.0] * 3


def test_contrasts_of_points(plain):
    fit, _ = plain
    found = fit.margins(at={"x": [1, 2, 4]}, contrast="atcontrast(ar._at)")
    slope = fit.params["x"]
    np.testing.assert_allclose(found.effects["estimate"], [slope, 2 * slope], rtol=1e-9)
    alone = fit.margins("r.b, at(a=(1 2))").effects
    assert alone.index.get_level_values("contrast").tolist() == ["(1 vs 0) 1", "(1 vs 0) 2"]
    b, name = fit.params, "2.a#1.b"
    np.testing.assert_allclose(alone["estimate"], [b["1.b"], b["1.b"] + b[name]], rtol=1e-9)


def test_an_empty_cell():
    data = simulated(30, empty=True)
    fit = sparsemixed.mixed("y i.a##i.b x || g:", data)
    found = fit.margins("a##b, asbalanced")
    shown = dict(zip(found.names, found.estimable, strict=True))
    assert not shown["3.a"]
    assert not shown["1.b"]
    assert not shown["3.a#1.b"]
    assert shown["1.a"]
    assert shown["0.b"]
    assert shown["3.a#0.b"]
    assert np.isnan(found.estimate[~found.estimable]).all()
    assert "(not estimable)" in str(found)
    assert found.r["error"]["3.a"] == 8
    assert found.r["b"]["3.a"] == 0
    observed = fit.margins()
    agrees(fit, observed, mean_row(fit, X_of(fit, data)))


def test_a_collinear_column():
    data = simulated(31)
    data["twice"] = 2 * data["x"]
    fit = sparsemixed.mixed("y i.a x twice || g:", data)
    assert fit.margins().estimable.all()
    # twice stays as observed while x moves: not the combination that it was
    assert not fit.margins(at={"x": 9}).estimable.any()
    assert fit.margins(at={"x": 9, "twice": 18}).estimable.all()


def test_weights_of_the_estimation_and_without():
    data = simulated(32)
    fit = sparsemixed.mixed("y i.a x [fw=w] || g:", data)
    weighted, plain = fit.margins(), fit.margins(noweights=True)
    np.testing.assert_allclose(weighted.jacobian[0, 2], np.average(data["x"], weights=data["w"]), rtol=1e-12)
    np.testing.assert_allclose(plain.jacobian[0, 2], data["x"].mean(), rtol=1e-12)
    assert fit.margins(data=data.head(50)).jacobian[0, 2] == pytest.approx(data["x"].head(50).mean())


def test_constraints():
    data = simulated(33)
    fit = sparsemixed.mixed("y i.a x z || g:", data, constraints=["z = 0.5"])
    found = fit.margins(dydx="z")
    assert found.estimate[0] == pytest.approx(0.5)
    assert found.std_err[0] == 0
    assert "(constrained)" in str(found)


def test_saved_fits_need_no_data(plain, tmp_path):
    fit, _ = plain
    fit.save(tmp_path / "fit.smx")
    loaded = sparsemixed.load(tmp_path / "fit.smx")
    for text in ("a##b, small", "a, at((median) x)", "b, atmeans", ", dydx(*)", "r.a, asbalanced"):
        assert str(loaded.margins(text)) == str(fit.margins(text))
    with pytest.raises(DataError, match="needs the rows"):
        loaded.margins("a, over(b)")
    with pytest.raises(DataError, match="needs the rows"):
        loaded.margins(eyex="x")


@pytest.fixture(scope="module")
def batches(tmp_path_factory):
    """A fit to data in memory, and the same model fitted to batches of them: folder, data set, function."""
    data = simulated(34, n_groups=60)
    data["extra"] = data["z"] ** 2
    folder = tmp_path_factory.mktemp("parts")
    parts = [data.iloc[own] for own in np.array_split(np.arange(len(data)), 3)]
    for i, part in enumerate(parts):
        part.to_parquet(folder / f"part{i}.parquet")
    model = "y i.a##i.b c.x##c.x if z > -1 || g:"
    sources = {"folder": folder, "function": lambda: iter(parts)}
    return sparsemixed.mixed(model, data), {name: sparsemixed.mixed(model, source) for name, source in sources.items()}


@pytest.mark.parametrize(
    "text",
    [
        "a##b",
        ", dydx(x a)",
        "a, atmeans",
        "r.a",
        "a, over(w)",
        "a, over(w) at((omean) x)",
        "b, subpop(extra > 0.5)",
        "b, at(x=generate(x+extra)) over(a)",
        "a, within(b) asbalanced",
        "b, eydx(x)",
        ", eydx(a) over(w) subpop(extra < 2)",
        "r.b, over(w) contrast(effects)",
    ],
)
def test_batches(batches, text):
    whole, in_batches = batches
    for fit in in_batches.values():
        mine, theirs = fit.margins(text).frame, whole.margins(text).frame
        columns = ["estimate", "std_err"]
        np.testing.assert_allclose(mine[columns], theirs[columns], rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (", at((median) x)", "percentiles need the rows"),
        ("a, over(nothing)", "is not in the data"),
        ("a, subpop(nothing > 1)", "is not in the data"),
        ("a, at(x=generate(nothing))", "is not in the data"),
        ("a, subpop(extra < 0)", "selects no rows"),
        ("a, noesample", "needs all rows at once"),
        ("a, vce(unconditional)", "needs the rows that the model was fitted to"),
    ],
)
def test_what_batches_cannot_do(batches, text, message):
    _, in_batches = batches
    with pytest.raises(SparseMixedError, match=message) as caught:
        in_batches["folder"].margins(text)
    assert len(str(caught.value).splitlines()) == 1


def test_batches_of_dask():
    dask_frames = pytest.importorskip("dask.dataframe")
    data = simulated(34, n_groups=40)
    model = "y i.a##i.b x || g:"
    whole, parts = sparsemixed.mixed(model, data), sparsemixed.mixed(model, dask_frames.from_pandas(data, npartitions=3))
    for text in ("a##b", "a, over(w)", "a, eydx(x) subpop(z > 0)"):
        columns = ["estimate", "std_err"]
        np.testing.assert_allclose(parts.margins(text).frame[columns], whole.margins(text).frame[columns], rtol=1e-6)


@pytest.mark.parametrize("before", ["a", None])
def test_changed_data_are_noticed(before):
    """Also when margins have been computed before: those of groups read the rows again."""
    data = simulated(35)
    fit = sparsemixed.mixed("y i.a x || g:", data)
    if before is not None:
        fit.margins(before)
    data["y"] += 1
    for text in ("a", "a, over(b)", ", at((median) x)"):
        with pytest.raises(SparseMixedError, match="margins"):
            fit.margins(text)


def test_percentiles_after_margins_without_them(tmp_path):
    data = simulated(35)
    fit = sparsemixed.mixed("y i.a x || g:", data)
    fit.margins("a")
    assert fit.margins(", at((median) x)").at[0][0].values["x"] == pytest.approx(data["x"].median())
    other = sparsemixed.mixed("y i.a x || g:", data)
    other.margins("a")
    other.save(tmp_path / "fit.smx")
    assert sparsemixed.load(tmp_path / "fit.smx").margins(", at((median) x)").names == ("_cons",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q", "q is not a factor of the fixed part; its factors are a, b"),
        ("x", "x is not a factor"),
        ("c.x", "is continuous and has no margins"),
        ("a, at(x=1", "parentheses do not match"),
        ("a, at(q=1)", "q is not a variable of the fixed part"),
        ("a, at(b=7)", "7 is no level of b; its levels in the sample are 0, 1"),
        ("a, at(x=high)", "x is continuous and takes a number"),
        ("a, at((median) b)", "is for continuous variables"),
        ("a, at((asbalanced) x)", "x is not a factor"),
        ("a, at((mode) x)", "is no statistic"),
        ("a, at(x=generate(nothing+1))", "variable `nothing` is not in the data"),
        ("a, at(x=())", "a list of values is empty"),
        ("a, at(x=(1(0)5))", "is no list of numbers"),
        ("a, at(x=(1(.0001)9))", "at most 10,000"),
        ("a, over(nothing)", "is not in the data"),
        ("a, over(x)", "nonnegative whole numbers"),
        ("a, dydx(a)", "cannot be in the list of margins and in dydx"),
        ("a, dydx(x) eyex(x)", "cannot be combined"),
        (", eyex(b)", "is for continuous variables"),
        ("a, unheard(1)", "unknown option unheard"),
        ("a, atmeans(1)", "option atmeans takes none"),
        ("a, level", "option level takes an argument"),
        ("a, level(200)", "level: 200.0 is not a level in per cent, which must lie between 10 and 99.99"),
        ("a, mcompare(best)", "mcompare"),
        ("a, df(0)", "must be positive"),
        ("a, df(5) small", "cannot be combined"),
        ("a, vce(unconditional)", "needs a fit by ML"),
        ("a, vce(unconditional) small", "cannot be combined"),
        ("a, vce(robust)", r"vce\(robust\) is not one of"),
        ("a, emptycells(zero)", r"emptycells\(zero\) is not one of"),
        ("a, within(nothing)", r"within\(\): variable `nothing` is not in the data"),
        ("a, continuous", "needs dydx"),
        ("a, mcompare(scheffe adjustall)", "only bonferroni and sidak take adjustall"),
        ("a, pwcompare(best)", r"pwcompare\(best\) is not one of"),
        ("a, pwcompare(effects pveffects)", "cannot be combined"),
        ("a, contrast(best)", r"contrast\(best\) is not one of"),
        ("a, contrast(lincom)", r"test\(\) and lincom\(\) of the margins"),
        ("a, contrast(atcontrast(_at))", "needs an operator"),
        (", eydx(b) at((zero) x) at(x=-90)", "is not positive"),
        (", pwcompare", "only one margin"),
        ("r.a, pwcompare", "cannot be combined"),
        ("k.a", "unknown contrast operator"),
        ("a; b", "is not a factor"),
    ],
)
def test_bad_input_gets_one_clear_message(plain, text, message):
    fit, _ = plain
    with pytest.raises(SparseMixedError, match=message) as caught:
        fit.margins(text)
    assert len(str(caught.value).splitlines()) == 1


def test_small_without_a_method():
    fit = sparsemixed.mixed("y i.a x || g:", simulated(36))
    with pytest.raises(OptionError, match="small needs degrees of freedom"):
        fit.margins("a, small")


def test_formulas_of_lme4():
    data = simulated(37)
    fit = sparsemixed.mixed("y ~ c * x + (x | g)", data)
    agrees(fit, fit.margins("c"), [mean_row(fit, X_of(fit, data, c=level)) for level in ("low", "mid", "top")])
    agrees(fit, fit.margins(at={"c": "mid", "x": 2}), mean_row(fit, X_of(fit, data, c="mid", x=2.0)))


def test_all_formats_and_stored_results(plain):
    fit, _ = plain
    found = fit.margins("a, at(x=(1 2)) small")
    for text in (found.to_html(), found.to_latex(), found.to_markdown()):
        assert "Margin" in text
        assert "nan" not in text
    assert found.frame.columns.tolist()[:3] == ["_at", "a", "estimate"]
    r = found.r
    assert r["b"].index.tolist()[0] == "1._at#1.a"
    np.testing.assert_allclose(r["V"].to_numpy(), found.covariance)
    assert r["table"].loc["df"].to_numpy() == pytest.approx(found.df)


def test_computed_columns_move_with_their_variable():
    fit = sparsemixed.mixed("y ~ log(z^2 + 1) + c * x + (1 | g)", simulated(38))
    agrees(fit, fit.margins(), mean_row(fit, fit.fit.design.X))
    assert fit.margins("c", dydx="x").estimable.all()
    for options in ({"dydx": "*"}, {"at": {"z": 1}}, {"atmeans": True}):
        with pytest.raises(OptionError, match="in the formula"):
            fit.margins(**options)


def test_an_offset_is_part_of_the_prediction():
    data = simulated(39)
    data["o"] = 0.3 * data["x"] + data["z"]
    fit = sparsemixed.mixed("y ~ x + c + offset(o) + (1 | g)", data)
    same = sparsemixed.mixed("y ~ x + c + (1 | g)", data.assign(y=data["y"] - data["o"]))
    plain, shifted = same.margins("c"), fit.margins("c")
    np.testing.assert_allclose(shifted.estimate, plain.estimate + data["o"].mean(), rtol=1e-10)
    np.testing.assert_allclose(shifted.std_err, plain.std_err, rtol=1e-10)
    np.testing.assert_allclose(fit.margins(dydx="x").estimate, fit.params["x"], rtol=1e-12)
    assert fit.margins().estimate[0] == pytest.approx(fit.predict().mean())
    # It is set and differentiated as any other variable.
    points = fit.margins(at={"o": [0, 2]})
    np.testing.assert_allclose(points.estimate, np.array([0, 2]) + same.margins().estimate, rtol=1e-10)
    assert fit.margins(dydx="o").estimate[0] == pytest.approx(1.0)
    assert [block.variable for block in fit.margins(dydx="_continuous").blocks] == ["x"]
    moved = fit.margins(at={"o": [0, 2]}, contrast="atcontrast(r)")
    assert moved.effects["estimate"].tolist() == pytest.approx([2.0])
    groups = data.groupby("c")["o"].mean()
    over = fit.margins(over="c").estimate - same.margins(over="c").estimate
    np.testing.assert_allclose(over, groups, rtol=1e-9)
    pairs = fit.margins(over="c", pwcompare=True).effects["estimate"].to_numpy()
    moves = [groups[b] - groups[a] for a, b in (("low", "mid"), ("low", "top"), ("mid", "top"))]
    np.testing.assert_allclose(pairs, same.margins(over="c", pwcompare=True).effects["estimate"] + np.array(moves), rtol=1e-9)
    eta = fit.predict().to_numpy()
    assert fit.margins(eydx="x").estimate[0] == pytest.approx(np.mean(fit.params["x"] / eta))
    assert fit.emmeans("c").estimate == pytest.approx(same.emmeans("c").estimate + data["o"].mean())


def test_offsets_of_saved_fits(tmp_path):
    fit = sparsemixed.mixed("y ~ x + offset(log(w)) + (1 | g)", simulated(39))
    fit.save(tmp_path / "fit.smx")
    assert str(sparsemixed.load(tmp_path / "fit.smx").margins()) == str(fit.margins())
    assert fit.margins().estimate[0] == pytest.approx(fit.predict().mean())
