"""CR0, CR2 and CR3 against dense n x n algebra, and what must hold exactly."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.design.values import Clusters
from sparsemixed.errors import DataError, NumericalError, OptionError
from sparsemixed.inference.covariance import cluster_blocks as cluster_covariance
from sparsemixed.inference.covariance.cluster_robust import cluster_moments
from tests.oracles.dense_sandwich import Sandwich, covariance
from tests.oracles.weighted_cases import nested

MODELS = {
    "intercept": "y x z || a:",
    "intercept by reml": "y x z || a:, reml",
    "slope": "y x z || a: x, covariance(unstructured)",
    "three levels": "y x z || b: || a: x, reml",
    "above the top": "y x z || a: x, vce(NAME b)",
    "crossed inside": "y ~ x + z + (1 | a) + (1 | item)",
    "ar": "y x z || a:, noconstant residuals(ar 1, t(t)) reml",
    "ar and intercepts": "y x z || b: || a:, residuals(ar 1, t(t))",
    "by": "y x z || a:, residuals(independent, by(sex))",
    "constraints": "y x z sex || a: x",
    "rows": "y x z",
    "informed by one": "y x z first || b: || a:",
    "fixed effects": "y x ibn.a, noconstant || b: || a: x, noconstant",
    "no fixed part": "y, noconstant || a:",
}
ALONE = ("informed by one", "fixed effects")
"""Models that need every cluster."""
CASES = [(name, vce) for name in MODELS for vce in ("cr0", "cr2", "cr3") if vce != "cr3" or name not in ALONE]


def data_of(seed=1):
    data = nested(seed)
    return data.assign(first=(data["b"] == 0) * 1.0, w=1.0 + data["w"] ** 2, item=4 * data["b"] + data["t"] % 4)


def fitted(name, vce, **options):
    if name == "constraints":
        options["constraints"] = ["x = z"]
    if name == "crossed inside":
        options["vce"] = f"{vce} b"
    elif "NAME" not in MODELS[name]:
        options["vce"] = vce
    return sparsemixed.mixed(MODELS[name].replace("NAME", vce), data_of(), **options)


def dense(fit, vce):
    fit = fit.fit
    X, y = fit.design.X, fit.design.y
    if fit.design.constraints is not None:
        X, y = X @ fit.design.constraints.T, y - X @ fit.design.constraints.a
    return Sandwich(y, X, covariance(fit), fit.design.clusters.codes, vce)


@pytest.mark.parametrize(("name", "vce"), CASES)
def test_covariance_and_degrees_of_freedom(name, vce):
    fit = fitted(name, vce)
    expected = dense(fit, vce)
    p = expected.Phi.shape[0]
    T = np.eye(p) if fit.fit.design.constraints is None else fit.fit.design.constraints.T
    assert fit.cov_params().to_numpy() == pytest.approx(T @ expected.covariance @ T.T, rel=1e-7, abs=1e-10)
    df = [expected.degrees(row[None] @ T) if abs(row @ T).sum() else np.nan for row in np.eye(len(T))]
    assert fit.df.to_numpy() == pytest.approx(np.array(df), rel=1e-7, nan_ok=True)


@pytest.mark.parametrize("vce", ["cr0", "cr2", "cr3"])
@pytest.mark.parametrize("name", ["intercept", "three levels", "ar and intercepts", "above the top"])
def test_joint_tests_are_hotellings(name, vce):
    fit = fitted(name, vce)
    expected = dense(fit, vce)
    K = np.array([[1.0, 0.0, 0.0], [0.0, 100.0, 1.0]])
    nu = expected.degrees(K)
    found = fit.test(K, small=True)
    gap = K @ fit.params.to_numpy()
    chi2 = gap @ np.linalg.solve(K @ expected.covariance @ K.T, gap)
    assert found.statistic == pytest.approx((nu - 1) / nu * chi2 / 2, rel=1e-7)
    assert (found.df, found.ddf) == (2, pytest.approx(nu - 1, rel=1e-7))
    assert fit.test(K).statistic == pytest.approx(chi2, rel=1e-7)


def test_three_clusters_are_too_few_for_three_coefficients():
    fit = sparsemixed.mixed("y x z sex || c:", data_of(), vce="cr2")
    found = fit.test("x z sex", small=True)
    assert np.isnan([found.statistic, found.ddf, found.pvalue]).all()


@pytest.mark.parametrize("vce", ["cr0", "cr2", "cr3"])
def test_precision_weights(vce):
    fit = sparsemixed.mixed("y x z || a: x", data_of(), vce=vce, precision_weights="w")
    expected = dense(fit, vce)
    assert fit.cov_params().to_numpy() == pytest.approx(expected.covariance, rel=1e-7)
    assert fit.df.to_numpy() == pytest.approx([expected.degrees(row[None]) for row in np.eye(3)], rel=1e-7)


@pytest.mark.parametrize("name", ["intercept", "slope", "three levels", "ar and intercepts", "rows", "constraints"])
def test_cr2_is_unbiased_when_the_model_is_right(name):
    """In coordinates with Phi = I the expectation is sum a_j'V_j a_j - sum (X_j'a_j)'(X_j'a_j)."""
    moments = cluster_moments(fitted(name, "cr2").fit, "cr2")
    expected = moments.spread.sum(axis=0) - np.einsum("nas,nat->st", moments.pull, moments.pull)
    assert expected == pytest.approx(np.eye(len(expected)), abs=1e-9)


def test_a_coefficient_that_one_cluster_alone_informs_has_no_degrees_of_freedom():
    fit = sparsemixed.mixed("y ibn.b, noconstant", data_of(), vce="cr2 b")
    assert fit.df.isna().all()
    assert fit.pvalues.isna().all()
    assert "are not defined: one cluster alone informs a coefficient" in " ".join(str(fit).split())


def test_means_of_equal_clusters():
    """The variance of a mean of M independent means is their sample variance over M, on M - 1 degrees of freedom."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(np.arange(9), 5), "y": rng.normal(size=45) + np.repeat(rng.normal(size=9), 5)})
    fit = sparsemixed.mixed("y || g:", data, vce="cr2")
    means = data.groupby("g")["y"].mean()
    assert fit.bse["_cons"] == pytest.approx(np.sqrt(means.var(ddof=1) / 9), rel=1e-10)
    assert fit.df["_cons"] == pytest.approx(8, rel=1e-10)


def test_cr2_of_rows_is_hc2_and_cr3_leaves_one_out():
    data = data_of()
    X = np.column_stack([data["x"], data["z"], np.ones(len(data))])
    bread = np.linalg.inv(X.T @ X)
    leverage = np.einsum("ij,jk,ik->i", X, bread, X)
    for vce, power in (("cr0", 0), ("cr2", 1), ("cr3", 2)):
        fit = sparsemixed.mixed("y x z", data, vce=vce)
        e = data["y"].to_numpy() - X @ fit.params.to_numpy()
        expected = bread @ (X.T * (e**2 / (1 - leverage) ** power)) @ X @ bread
        assert fit.cov_params().to_numpy() == pytest.approx(expected, rel=1e-10)


def test_rows_that_vary_hugely_between_groups_cost_no_digits():
    """Intercepts that vary a million times as much as errors; the covariance of a cluster has condition 2e7."""
    rng = np.random.default_rng(0)
    g = np.repeat(np.arange(12), 20)
    data = pd.DataFrame({"g": g, "x": rng.normal(size=240), "z": rng.normal(size=12)[g]})
    data["y"] = data["x"] + 1000 * rng.normal(size=12)[g] + rng.normal(size=240)
    fit = sparsemixed.mixed("y x z || g:", data, vce="cr2").fit
    moments = cluster_moments(fit, "cr2")
    expected = moments.spread.sum(axis=0) - np.einsum("nas,nat->st", moments.pull, moments.pull)
    assert expected == pytest.approx(np.eye(3), abs=1e-8)


def test_the_model_keeps_its_own_figures():
    fit, plain = fitted("slope", "cr2"), sparsemixed.mixed(MODELS["slope"], data_of())
    pd.testing.assert_frame_equal(fit.random_params, plain.random_params)
    pd.testing.assert_frame_equal(fit.e["V_modelbased"], plain.e["V"])
    pd.testing.assert_frame_equal(fit.e["V_df"], fit.cov_params())
    assert fit.llf == plain.llf
    assert (fit.e["vce"], fit.e["vcetype"], fit.e["dfmethod"], fit.e["small"], fit.e["N_clust"]) == ("cr2", "CR2", "cr2", 1, 18)
    assert sparsemixed.lrtest(fit, fitted("intercept", "cr2")).statistic > 0


def test_large_sample_tables_use_the_same_covariance():
    fit = fitted("intercept", "cr2")
    text = fit.summary(small=False)
    assert "DF method" not in text
    assert "CR2" in text
    assert "P>|z|" in text
    assert f"{fit.bse['x']:.6f}".lstrip("0") in text


def test_another_method_after_the_fit():
    robust = sparsemixed.mixed(MODELS["slope"], data_of(), vce="robust")
    table = robust.estat.df(["cr0", "cr2", "residual"])
    assert list(table) == ["Bell-McCaffrey (CR0)", "Bell-McCaffrey (CR2)", "Residual"]
    posted, fit = robust.estat.df(post="cr2"), fitted("slope", "cr2")
    pd.testing.assert_series_equal(posted.bse, fit.bse)
    pd.testing.assert_series_equal(posted.df, fit.df)
    with pytest.raises(OptionError, match=r"rest on the model's covariance"):
        robust.estat.df(post="residual")


def test_what_is_refused():
    data = data_of()
    plain = sparsemixed.mixed(MODELS["slope"], data)
    with pytest.raises(OptionError, match=r"cr2 needs clusters: fit the model with vce\(cr2\)"):
        plain.estat.df(["cr2"])
    weighted = sparsemixed.mixed("y x [pw=w] || a:", data)
    with pytest.raises(OptionError, match="cr2 is not available with weights that replicate"):
        weighted.estat.df(["cr2"])
    with pytest.raises(OptionError, match=r"vce\(cr3\): without one of the clusters some coefficient is not determined"):
        sparsemixed.mixed(MODELS["informed by one"], data, vce="cr3")
    with pytest.raises(OptionError, match="are crossed"):
        sparsemixed.mixed("y ~ x + (1 | a) + (1 | sex)", data, vce="cr2")


def test_clusters_beyond_memory_are_refused(monkeypatch):
    monkeypatch.setattr(cluster_covariance, "MAX_CLUSTER_ROWS", 10)
    with pytest.raises(DataError, match=r"a cluster of a needs a dense covariance matrix of \d+ rows, and 10 is the limit"):
        fitted("ar", "cr2")
    fitted("slope", "cr2")  # rotated, its clusters have five rows


def test_a_singular_covariance_matrix_is_named():
    fit = sparsemixed.mixed("y x || b:, noconstant residuals(exchangeable)", data_of(), vce="cr2").fit
    broken = dataclasses.replace(fit, sigma2=-fit.sigma2)
    with pytest.raises(NumericalError, match="the estimated covariance matrix of some cluster is singular"):
        cluster_moments(broken, "cr2")


def test_small_stacks_make_no_difference(monkeypatch):
    whole = fitted("three levels", "cr2").cov_params()
    monkeypatch.setattr(cluster_covariance, "NUMBERS", 100)
    monkeypatch.setattr(cluster_covariance, "SIZE_RATIO", 5.0)
    assert fitted("three levels", "cr2").cov_params().to_numpy() == pytest.approx(whole.to_numpy(), rel=1e-10)


def test_clusters_count_what_frequency_weights_stand_for():
    labels = pd.DataFrame({"a": [1, 2]})
    assert Clusters(np.array([0, 1, 1]), 2, "a", labels).number == 2
    assert Clusters(np.array([0, 1, 1]), 2, "a", labels, np.array([3.0, 2.0])).number == 5
