"""What results of margins hold: comparisons and how they are shown, Stata's stored results, tests by name."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.errors import CommandError, OptionError
from tests.postestimation.margins.dense import simulated


@pytest.fixture(scope="module")
def plain():
    data = simulated(60)
    return sparsemixed.mixed("y i.a##i.b x z || g:, reml dfmethod(satterthwaite)", data)


@pytest.fixture(scope="module")
def ml():
    return sparsemixed.mixed("y i.a##i.b c.x##c.x z || g:, vce(robust)", simulated(61))


def test_operators_of_groups(plain):
    found = plain.margins("a, over(r.b)")
    means = plain.margins("a, over(b)")
    estimate = means.estimate.reshape(2, 3)
    np.testing.assert_allclose(found.effects["estimate"], estimate[1] - estimate[0], rtol=1e-9)
    assert found.effects.index.tolist()[0] == ("r.b#a", "(1 vs 0) 1")
    both = plain.margins("", over="r.b", at={"x": [1, 3]}, contrast="atcontrast(r._at)")
    assert both.effects["estimate"].tolist() == pytest.approx([0.0], abs=1e-10)
    within = plain.margins("a", within="ar.b")
    np.testing.assert_allclose(within.effects["estimate"], found.effects["estimate"], rtol=1e-12)


def test_operators_in_groups_need_all_of_them():
    data = simulated(62)
    data["m"] = np.where(data["b"] == 1, 1, data["w"])
    fit = sparsemixed.mixed("y i.a x || g:", data)
    with pytest.raises(OptionError, match="every combination"):
        fit.margins(over="r.b m")


@pytest.mark.parametrize("operator", ["r", "a", "ar", "g", "h", "j", "p", "q", "gw", "rb2"])
def test_every_operator_compares_as_contrast_does(plain, operator):
    """Balanced margins over balanced factors: the sampling of the other factor does not matter."""
    mine, theirs = plain.margins(f"{operator}.a, asbalanced small"), plain.contrast(f"{operator}.a", small=True)
    np.testing.assert_allclose(mine.effects.to_numpy(), theirs.effects.to_numpy(), rtol=1e-8)
    points = plain.margins(at={"x": [1, 2, 4]}, contrast=f"atcontrast({operator}._at) effects") if operator[-1] != "w" else None
    assert points is None or np.isfinite(points.effects.to_numpy()[:, 0]).all()


def test_adjusted_for_all_terms_together(plain):
    apart, together = (plain.margins(f"a b, pwcompare mcompare({how})").effects for how in ("sidak", "sidak adjustall"))
    plain_p = plain.margins("a b, pwcompare").effects["pvalue"]
    np.testing.assert_allclose(together["pvalue"], 1 - (1 - plain_p) ** 4, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(apart["pvalue"], 1 - (1 - plain_p) ** np.array([3, 3, 3, 1]), rtol=1e-9, atol=1e-14)
    single, whole = (plain.margins(f"a b, mcompare({how}) small").pvalue for how in ("bonferroni", "bonferroni adjustall"))
    raw = plain.margins("a b, small").pvalue
    np.testing.assert_allclose(single, np.minimum(1, raw * np.array([3, 3, 3, 2, 2])), rtol=1e-9)
    np.testing.assert_allclose(whole, np.minimum(1, raw * 5), rtol=1e-9)


def test_comparisons_with_unconditional_variances(ml):
    margins = ml.margins("a, vce(unconditional)")
    found = ml.margins("r.a, vce(unconditional) contrast(effects)")
    C = np.array([[-1, 1, 0], [-1, 0, 1]])
    V = C @ margins.covariance @ C.T
    np.testing.assert_allclose(found.effects["std_err"], np.sqrt(np.diag(V)), rtol=1e-10)
    d = C @ margins.estimate
    assert found.tests["statistic"].iloc[0] == pytest.approx(d @ np.linalg.solve(V, d), rel=1e-8)
    assert found.tests["df"].iloc[0] == 2
    assert "Unconditional" in str(found)
    with_df = ml.margins("r.a, vce(unconditional) df(20)")
    assert with_df.tests["ddf"].iloc[0] == 20
    assert with_df.tests["statistic"].iloc[0] == pytest.approx(found.tests["statistic"].iloc[0] / 2)


def test_where_everything_is_set_sampling_adds_nothing(ml):
    """The variance is then that of vce(robust)."""
    text = "a, at(x=3 z=0 b=1)"
    delta, unconditional = ml.margins(text), ml.margins(text, vce="unconditional")
    np.testing.assert_allclose(unconditional.covariance, delta.covariance, rtol=1e-10)
    assert unconditional.n_clusters == 25
    assert unconditional.r["N_clust"] == 25
    assert unconditional.r["vce"] == "unconditional"
    np.testing.assert_allclose(ml.margins("a, atmeans", vce="unconditional").covariance, ml.margins("a, atmeans").covariance)


def test_contrasts_are_tested_part_by_part(plain):
    found = plain.margins("r.a@b, small")
    apart = [plain.margins(f"r.a, at(b={level}) small") for level in (0, 1)]
    assert found.parts is not None
    assert found.parts.index.tolist() == [("r.a@b", "0"), ("r.a@b", "1")]
    wanted = [one.tests.iloc[0].to_list() for one in apart]
    np.testing.assert_allclose(found.parts.to_numpy(), wanted, rtol=1e-8)
    single = plain.margins("r.a, small")
    np.testing.assert_allclose(single.parts["statistic"], single.effects["statistic"] ** 2, rtol=1e-8)
    points = plain.margins("r.a, at(x=(1 2))").parts
    assert points.index.tolist() == [("r.a@_at", "1"), ("r.a@_at", "2")]
    for word, text in (("atjoint", "a, at(x=(1 2))"), ("overjoint", "a, over(w)"), ("noatlevels", "a@b")):
        parts = plain.margins(f"r.{text}{' ' if ',' in text else ', '}contrast({word})").parts
        assert parts is None or not set(parts.index.get_level_values("part")) & {"1", "2", "3", "0"}
    assert plain.margins("a, contrast").parts is None
    assert plain.margins("r.a, contrast(overall)").tests.index.tolist() == ["r.a", "Overall"]


def test_comparisons_of_elasticities(plain):
    margins = plain.margins("a, eydx(x)")
    found = plain.margins("r.a, eydx(x)")
    C = np.array([[-1, 1, 0], [-1, 0, 1]])
    V = C @ margins.covariance @ C.T
    np.testing.assert_allclose(found.effects["estimate"], C @ margins.estimate, rtol=1e-10)
    np.testing.assert_allclose(found.effects["std_err"], np.sqrt(np.diag(V)), rtol=1e-8)
    d = C @ margins.estimate
    assert found.tests["statistic"].iloc[0] == pytest.approx(d @ np.linalg.solve(V, d), rel=1e-7)


def test_tests_and_combinations_by_name(plain):
    margins = plain.margins("a##b, small post")
    joint, contrast = margins.test("1.a = 2.a = 3.a"), plain.margins("r.a, small")
    assert joint.statistic == pytest.approx(contrast.tests["statistic"].iloc[0], rel=1e-8)
    assert joint.ddf == pytest.approx(contrast.tests["ddf"].iloc[0], rel=1e-8)
    one, effect = margins.lincom("_b[2.a] - 1.a"), contrast.effects.iloc[0]
    assert one.estimate == pytest.approx(effect["estimate"])
    assert one.std_err == pytest.approx(effect["std_err"])
    assert one.ddf == pytest.approx(effect["ddf"])
    assert one.pvalue == pytest.approx(effect["pvalue"])
    assert margins.lincom("2.a#1.b + 1").estimate == pytest.approx(margins.b["2.a#1.b"] + 1)
    assert margins.test("1.a = 3").equations == ("1.a = 3",)
    slopes = plain.margins("a, dydx(x z)")
    assert slopes.lincom("[x]1.a - [z]1.a").estimate == pytest.approx(slopes.b["x:1.a"] - slopes.b["z:1.a"])
    with pytest.raises(CommandError, match=r"no margin 4.a"):
        margins.test("4.a = 1.a")
    with pytest.raises(OptionError, match="no margin is left"):
        margins.lincom("1.a - 1.a")


def test_margins_that_are_not_estimable_are_not_tested():
    fit = sparsemixed.mixed("y i.a##i.b x || g:", simulated(63, empty=True))
    with pytest.raises(OptionError, match=r"3.a is not estimable"):
        fit.margins("a, asbalanced").test("1.a = 3.a")


def test_stored_results_have_statas_names(plain):
    r = plain.margins("a, at(x=1) at((mean) x (asbalanced) b) over(w) mcompare(bonferroni adjustall)").r
    scalars = {"N": plain.nobs, "k_predict": 1, "k_margins": 18, "k_by": 3, "k_at": 2, "level": 95, "N_sub": plain.nobs}
    assert {name: r[name] for name in scalars} == scalars
    texts = {
        "cmd": "margins",
        "est_cmd": "mixed",
        "est_cmdline": "mixed y i.a##i.b x z || g:, reml dfmethod(satterthwaite)",
        "vce": "delta",
        "vcetype": "Delta-method",
        "model_vce": "oim",
        "margins": "a",
        "over": "w",
        "by": "w",
        "by2": "2.w",
        "within": "",
        "emptycells": "strict",
        "mcmethod": "bonferroni",
        "mcadjustall": "adjustall",
        "derivatives": "",
        "expression": "predict()",
        "predict1_label": "Linear prediction, fixed portion",
        "atstats1": "values x",
        "atstats2": "mean x asbalanced b",
    }
    assert {name: r[name] for name in texts} == texts
    assert r["cmdline"].startswith("margins a, at(x=1)")
    assert r["at"].index.tolist()[:2] == ["1._at 1", "1._at 2"]
    assert r["at"]["x"].iloc[:3].tolist() == [1.0] * 3
    assert r["_N"].tolist()[:3] == [r["_N"].iloc[0]] * 3
    assert r["table"].index.tolist() == ["b", "se", "z", "pvalue", "ll", "ul", "df", "crit", "eform"]
    assert plain.margins(dydx="x").r["derivatives"] == "dy/dx"
    assert plain.margins(dydx="x z").r["xvars"] == "x z"


def test_posted_margins_are_estimation_results(plain):
    with pytest.raises(OptionError, match="only margins with post"):
        _ = plain.margins("a").e
    e = plain.margins("a, post asbalanced").e
    assert e["properties"] == "b V"
    assert e["asbalanced"] == "a b"
    assert e["b"].index.tolist() == ["1.a", "2.a", "3.a"]
    weighted = sparsemixed.mixed("y i.a x [fw=w] || g:", simulated(64))
    assert weighted.margins("a", post=True).e["wexp"] == "= w"
    assert weighted.margins("a", post=True, noweights=True).e["wexp"] == ""


def test_crossed_groups_have_no_clusters():
    fit = sparsemixed.mixed("y i.a x || _all: R.g || c:", simulated(65))
    with pytest.raises(
        OptionError, match=r"vce\(unconditional\) needs independent clusters, and the groups of this model are crossed"
    ):
        fit.margins("a, vce(unconditional)")


def test_corrections_for_coefficients_alone():
    fit = sparsemixed.mixed("y i.a x || g:, vce(cr2)", simulated(66))
    with pytest.raises(OptionError, match=r"not defined with vce\(cr2\)"):
        fit.margins("a, vce(unconditional)")


def test_letters_of_margins_that_do_not_differ(plain):
    mine, theirs = plain.margins("a, asbalanced pwcompare(groups)"), plain.pwcompare("a, groups")
    assert mine.margins["group"].tolist() == theirs.margins["group"].tolist()
    shift = (mine.margins["estimate"] - theirs.margins["estimate"]).to_numpy()  # covariates as observed, and at zero
    np.testing.assert_allclose(shift, shift[0], rtol=1e-8)
    assert "sharing a letter" in str(mine)
