"""Robust standard errors: scores and sandwich against dense algebra, weights, the manual's printed tables, what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import DataError, OptionError
from sparsemixed.estimation.parameters import parameters
from sparsemixed.estimation.scores import cluster_scores
from sparsemixed.inference.covariance.vce import beta_covariance, theta_covariance
from sparsemixed.inference.estimation_metric import variance_metric
from sparsemixed.results import Results
from tests.oracles import dense_sandwich, weighted_oracle
from tests.oracles.weighted_cases import MODELS as WEIGHTED
from tests.oracles.weighted_cases import command, nested, replicated

MODELS = {
    "slope": "y x z || a: x, covariance(unstructured)",
    "exchangeable": "y x || a: x z, covariance(exchangeable)",
    "three levels": "y x z || b: || a: x",
    "above the top": "y x z || a: x, vce(cluster b)",
    "crossed inside": "y ~ x + z + (1 | a) + (1 | item)",
    "ar": "y x z || a:, noconstant residuals(ar 1, t(t))",
    "ar and intercepts": "y x z || b: || a:, residuals(ar 1, t(t))",
    "by": "y x z || a: x, residuals(independent, by(sex))",
    "toeplitz": "y x || a:, residuals(toeplitz 1, t(t))",
}


def data_of(seed=1, n=160):
    data = nested(seed, n)
    return data.assign(item=4 * data["b"] + data["t"] % 4)


def fitted(name):
    vce = {"above the top": {}, "crossed inside": {"vce": "cluster b"}}.get(name, {"vce": "robust"})
    return sparsemixed.mixed(MODELS[name], data_of(), **vce)


@pytest.mark.parametrize("name", MODELS)
def test_scores_and_sandwich_against_dense_algebra(name):
    fit = fitted(name).fit
    assert not fit.boundary.any()
    clusters = fit.design.clusters
    beta, theta = dense_sandwich.robust(fit, clusters.codes)
    assert beta_covariance(fit) == pytest.approx(beta, rel=1e-6, abs=1e-9)
    assert theta_covariance(fit).matrix == pytest.approx(theta, rel=1e-5, abs=1e-8)
    found = cluster_scores(fit, clusters.codes.astype(np.int64), clusters.n_clusters)
    expected = dense_sandwich.scores(fit, clusters.codes)
    p = len(fit.beta)
    assert found.beta == pytest.approx(expected[:, :p] @ fit.root, rel=1e-6, abs=1e-6)
    assert found.theta == pytest.approx(expected[:, p:], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", ["slope", "three levels", "four levels", "upper only", "rows only", "by", "ar", "none"])
def test_frequency_weights_stand_for_replicated_rows_and_groups(name):
    data, levels = nested(2), WEIGHTED[name][1]
    one = sparsemixed.mixed(command(name), data, vce="robust")
    other = sparsemixed.mixed(_without_weights(name), replicated(data, levels, "[W]" in WEIGHTED[name][0]), vce="robust")
    assert one.e["vce"] == "robust"
    assert one.bse.to_numpy() == pytest.approx(other.bse.to_numpy(), rel=1e-6)
    free = one.random_params["std_err"].notna().to_numpy()
    assert one.random_params["std_err"].to_numpy()[free] == pytest.approx(
        other.random_params["std_err"].to_numpy()[free], rel=1e-4
    )
    assert one.fit.design.clusters.number == other.fit.design.clusters.n_clusters


def _without_weights(name):
    text = WEIGHTED[name][0].replace(" [W]", "")
    for level in "abc":
        text = text.replace(f" w(w{level})", "")
    return text


def test_frequency_weights_below_the_clusters_make_larger_clusters():
    data = nested(2)
    one = sparsemixed.mixed(command("slope"), data, vce="cluster b")
    other = sparsemixed.mixed(_without_weights("slope"), replicated(data, ["a"], True), vce="cluster b")
    assert one.bse.to_numpy() == pytest.approx(other.bse.to_numpy(), rel=1e-6)
    assert one.e["N_clust"] == other.e["N_clust"] == 6


@pytest.mark.parametrize("name", ["slope", "three levels", "slopes above"])
def test_scores_of_sampling_weights_are_derivatives_of_the_weighted_integral(name):
    data = nested(3, 90)
    for weight in ("w", "wa", "wb", "wc"):
        data[weight] = 0.5 + data[weight] ** 1.5
    fit = sparsemixed.mixed(command(name, "pweight"), data).fit
    layout, X = parameters(fit.design.random), fit.design.X
    order = np.argsort([term.n_groups for term in fit.design.random])
    psi = np.concatenate([fit.beta, fit.theta, [np.log(fit.sigma2)]])
    p = len(fit.beta)

    def log_likelihood(own):
        def at(psi):
            sigma2 = np.exp(psi[-1])
            factors = dict(zip(layout.order, dense_sandwich.named_factors(layout, psi[p:-1]), strict=True))
            levels = []
            for r in order:
                term = fit.design.random[r]
                groups = data[f"w{term.blocks[0].equation}"].to_numpy()
                weights = np.zeros(term.n_groups)
                weights[term.codes] = groups
                levels.append((term.codes[own], term.columns[own], sigma2 * factors[r] @ factors[r].T, weights))
            e = (fit.design.y - X @ psi[:p])[own]
            return weighted_oracle.log_likelihood(e, sigma2, levels, data["w"].to_numpy()[own])

        return at

    clusters = fit.design.clusters
    found = cluster_scores(fit, clusters.codes.astype(np.int64), clusters.n_clusters)
    for j in range(clusters.n_clusters):
        at = log_likelihood(clusters.codes == j)
        expected = np.array([dense_sandwich.slope(at, psi, k) for k in range(len(psi))])
        assert found.beta[j] == pytest.approx(expected[:p] @ fit.root, rel=1e-6, abs=1e-6)
        assert found.theta[j] == pytest.approx(expected[p:], rel=1e-6, abs=1e-6)


def test_other_renderers_say_robust_and_name_the_clusters():
    fit = fitted("slope")
    for text in (fit.to_latex(), fit._repr_html_()):
        assert text.count("Robust std. err.") == 2
        assert "(Std. err. adjusted for 18 clusters in a)" in text
    fit = sparsemixed.mixed(MODELS["slope"], data_of(), vce="cr2")
    for text in (fit.to_latex(), fit._repr_html_()):
        assert (text.count("CR2 std. err."), text.count("Std. err.")) == (1, 2)
        assert "(Std. err. adjusted for 18 clusters in a)" in text
    assert "adjusted" not in fit.summary(nofetable=True)


def test_what_goes_without_saying():
    """Single rows are no clusters worth naming, and ordinary tables stay as they are."""
    text = str(sparsemixed.mixed("y x z", data_of(), vce="robust"))
    assert "adjusted" not in text
    assert "|               Robust" in text
    text = str(sparsemixed.mixed(MODELS["slope"], data_of()))
    assert "adjusted" not in text
    assert "Robust" not in text


def test_stored_results():
    fit, plain = fitted("above the top"), sparsemixed.mixed("y x z || a: x", data_of())
    e = fit.e
    assert (e["vce"], e["vcetype"], e["N_clust"], e["clustvar"], e["title"]) == (
        "cluster",
        "Robust",
        6,
        "b",
        "Mixed-effects regression",
    )
    pd.testing.assert_frame_equal(e["V_modelbased"], plain.e["V"])
    assert (plain.e["vce"], plain.e["vcetype"]) == ("oim", "")
    assert not {"N_clust", "clustvar", "V_modelbased"} & set(plain.e)
    assert "N_clust" not in sparsemixed.mixed("y x z", data_of(), vce="robust").e
    assert np.isnan(e["chi2_c"])
    assert np.sqrt(np.diag(e["V"]))[:2] == pytest.approx(fit.bse.to_numpy()[:2])


def test_no_likelihood_ratio_tests():
    fit, plain = fitted("slope"), sparsemixed.mixed("y x || a: x, covariance(unstructured)", data_of())
    assert "LR test" not in str(fit)
    with pytest.raises(OptionError, match="lrtest: with robust standard errors"):
        sparsemixed.lrtest(fit, plain)


def test_scores_add_up_to_zero_and_make_the_covariance():
    fit = fitted("slope")
    scores, m = fit.predict(what="scores"), 18
    assert list(scores.columns) == list(fit.e["b"].columns)
    assert list(scores.index) == list(range(18))
    assert scores.index.name == "a"
    assert np.abs(scores.sum()).max() < 1e-4
    V = fit.e["V_modelbased"].to_numpy()
    sandwich = m / (m - 1) * V @ scores.T.to_numpy() @ scores.to_numpy() @ V
    for block in (np.ix_(range(3), range(3)), np.ix_(range(3, 7), range(3, 7))):
        assert sandwich[block] == pytest.approx(fit.e["V"].to_numpy()[block], rel=1e-6)
    pd.testing.assert_frame_equal(scores, sparsemixed.mixed(MODELS["slope"], data_of()).predict(what="scores"))


@pytest.mark.parametrize("name", ["slope", "by", "ar"])
def test_scores_are_derivatives_in_the_metric_of_the_estimates(name):
    """The linear change of the log parameters undoes that of the scores: s' db is the same in both."""
    fit = fitted(name).fit
    scores = Results(fit).predict(what="scores").to_numpy()
    expected = dense_sandwich.scores(fit, fit.design.clusters.codes)
    p = len(fit.beta)
    assert scores[:, :p] == pytest.approx(expected[:, :p], rel=1e-6, abs=1e-6)
    assert scores[:, p:] @ variance_metric(fit)[1] == pytest.approx(expected[:, p:], rel=1e-6, abs=1e-6)


def test_scores_of_other_models():
    data = data_of()
    rows = sparsemixed.mixed("y x z if t > 0", data).predict(what="scores")
    assert list(rows.index) == list(np.flatnonzero(data["t"] > 0))
    e = sparsemixed.mixed("y x z if t > 0", data)
    residual = e.predict(what="residuals").to_numpy() / e.fit.sigma2
    assert rows["y", "x"].to_numpy() == pytest.approx(data["x"][data["t"] > 0].to_numpy() * residual, rel=1e-6, abs=1e-9)
    numbered = sparsemixed.mixed(MODELS["ar"], data).predict(what="scores")
    assert numbered.index.name == "cluster"
    tied = sparsemixed.mixed("y x z || a: x", data, constraints=["x = z"]).predict(what="scores")
    assert tied["y", "x"].to_numpy() == pytest.approx(tied["y", "z"].to_numpy())
    assert abs(tied.sum()).max() < 1e-4
    flat = data.assign(
        y=data["x"] + np.random.default_rng(0).normal(size=len(data)) - 0.9 * data.groupby("a")["x"].transform("mean")
    )
    fit = sparsemixed.mixed("y x || a:", flat.assign(y=flat["y"] - flat.groupby("a")["y"].transform("mean")))
    assert fit.fit.boundary.all()
    scores = fit.predict(what="scores")
    assert scores["lns1_1_1"].isna().all(axis=None)
    assert scores["lnsig_e"].notna().all(axis=None)


def test_scores_that_are_refused():
    data = data_of()
    with pytest.raises(OptionError, match="scores need ML"):
        sparsemixed.mixed("y x || a:, reml", data).predict(what="scores")
    with pytest.raises(OptionError, match="are crossed"):
        sparsemixed.mixed("y ~ x + (1 | a) + (1 | sex)", data).predict(what="scores")
    with pytest.raises(OptionError, match="tie the whole sample together"):
        sparsemixed.mixed("y x || _all: x, noconstant", data).predict(what="scores")


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        ("y ~ x + (1 | a) + (1 | sex)", {"vce": "robust"}, OptionError, "the groups of sex and a are crossed"),
        ("y x || _all: R.sex || a:", {"vce": "robust"}, OptionError, "level _all tie the whole sample"),
        ("y x || a:", {"vce": "cluster t"}, DataError, "the cluster variable `t` changes within the group a = 0"),
        ("y x || a:, reml", {"vce": "robust"}, OptionError, "is not available with reml"),
        ("y x || a:, reml vce(cluster b)", {}, OptionError, "is not available with reml"),
        ("y x || a:", {"vce": "robust", "dfmethod": "residual"}, OptionError, "exclude each other"),
        ("y x || a:, reml", {"vce": "cr2", "dfmethod": "kroger"}, OptionError, "exclude each other"),
        ("y x || a:", {"vce": "cluster one"}, DataError, "there is only one cluster"),
        ("y x || a:", {"vce": "cluster nobody"}, None, "nobody"),
        ("y x [fw=w] || a:", {"vce": "cr2"}, OptionError, "is not available with fweights"),
        ("y x || a:", {"vce": "robust", "dftable": "ci"}, OptionError, "needs degrees of freedom"),
    ],
)
def test_what_is_refused(model, options, error, message):
    with pytest.raises(error or sparsemixed.errors.SparseMixedError, match=message):
        sparsemixed.mixed(model, data_of().assign(one=1), **options)
