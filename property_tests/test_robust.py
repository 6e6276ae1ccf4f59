"""Robust and cluster-robust covariances of random designs: dense algebra, and what must not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import sparsemixed
from sparsemixed.inference.covariance.cluster_robust import cluster_moments
from sparsemixed.inference.covariance.vce import beta_covariance, theta_covariance
from tests.oracles import dense_sandwich
from tests.oracles.weighted_cases import nested, replicated

FEW = settings(max_examples=max(settings().max_examples // 4, 9))
MODELS = (
    "y x || a:",
    "y x z || a: x, covariance(unstructured)",
    "y x || b: || a: x",
    "y x z || a:, residuals(independent, by(sex))",
    "y x || a:, noconstant residuals(ar 1, t(t))",
    "y x || b:, noconstant residuals(exchangeable)",
)
SEEDS, NAMES = st.integers(0, 2**32 - 1), st.sampled_from(MODELS)
VCE = st.sampled_from(("robust", "cr0", "cr2", "cr3"))


def fitted(model, data, vce, **options):
    """A fit inside the parameter space; errors that are all but singular (negative correlations) count as outside."""
    fit = sparsemixed.mixed(model, data, **options)
    assume(fit.converged and not fit.fit.boundary.any() and np.abs(fit.fit.theta).max() < 20)
    return sparsemixed.mixed(model, data, vce=vce, **options)


def tables(fit):
    """Standard errors of both parts, and degrees of freedom."""
    df = fit.df if fit.e["small"] else []
    return np.concatenate([fit.bse, fit.random_params["std_err"], df])


@FEW
@given(SEEDS, NAMES)
def test_sandwich_against_dense_algebra(seed, model):
    fit = fitted(model, nested(seed, 60), "robust").fit
    # Where the likelihood is nearly flat, differences see its curvature only to a few digits.
    assume(np.linalg.cond(fit.information) < 1e5)
    beta, theta = dense_sandwich.robust(fit, fit.design.clusters.codes)
    assert beta_covariance(fit) == pytest.approx(beta, rel=1e-6, abs=1e-9 * beta.max())
    assert theta_covariance(fit).matrix == pytest.approx(theta, rel=1e-4, abs=1e-5 * np.abs(theta).max())


@FEW
@given(SEEDS, NAMES, st.sampled_from(("cr0", "cr2", "cr3")), st.booleans())
def test_small_sample_corrections_against_dense_algebra(seed, model, vce, reml):
    fit = fitted(model, nested(seed, 60), vce, reml=reml)
    design = fit.fit.design
    expected = dense_sandwich.Sandwich(design.y, design.X, dense_sandwich.covariance(fit.fit), design.clusters.codes, vce)
    scale = np.diag(expected.covariance).max()
    assert fit.cov_params().to_numpy() == pytest.approx(expected.covariance, rel=1e-6, abs=1e-8 * scale)
    assert fit.df.to_numpy() == pytest.approx([expected.degrees(row[None]) for row in np.eye(len(fit.df))], rel=1e-6)


@FEW
@given(SEEDS, NAMES)
def test_cr2_is_unbiased_under_the_model(seed, model):
    moments = cluster_moments(fitted(model, nested(seed, 60), "cr2").fit, "cr2")
    expected = moments.spread.sum(axis=0) - np.einsum("nas,nat->st", moments.pull, moments.pull)
    assert expected == pytest.approx(np.eye(len(expected)), abs=1e-8)


@FEW
@given(SEEDS, NAMES, VCE)
def test_order_of_rows_and_names_of_groups_do_not_matter(seed, model, vce):
    data = nested(seed, 60)
    one = fitted(model, data, vce)
    other = data.sample(frac=1.0, random_state=seed % 1000)
    for level in "ab":
        other[level] = (other[level] * 7919 + 13) % 1009
    again = sparsemixed.mixed(model, other, vce=vce)
    assert tables(again) == pytest.approx(tables(one), rel=1e-3, abs=1e-6)


@FEW
@given(SEEDS, NAMES, VCE, st.floats(-2.0, 2.0))
def test_units_of_the_response_and_of_covariates(seed, model, vce, exponent):
    data, factor = nested(seed, 60), 10.0**exponent
    one = fitted(model, data, vce)
    again = sparsemixed.mixed(model, data.assign(y=factor * data["y"], z=data["z"] / factor), vce=vce)
    assert again.bse["x"] == pytest.approx(factor * one.bse["x"], rel=1e-4)
    if "z" in one.params:
        assert again.bse["z"] == pytest.approx(factor**2 * one.bse["z"], rel=1e-4)
    if vce != "robust":
        assert again.df.to_numpy() == pytest.approx(one.df.to_numpy(), rel=1e-3)


@FEW
@given(SEEDS, st.sampled_from(("robust", "cluster b")))
def test_frequency_weights_stand_for_replicated_data(seed, vce):
    data = nested(seed, 60)
    one = fitted("y x [fw=w] || a: x, fweight(wa)", data, vce)
    again = sparsemixed.mixed("y x || a: x", replicated(data, ["a"], True), vce=vce)
    assert tables(again) == pytest.approx(tables(one), rel=1e-3, abs=1e-6)


@FEW
@given(SEEDS, NAMES, st.sampled_from(("oim", "robust")))
def test_scores_add_up_to_zero(seed, model, vce):
    fit = fitted(model, nested(seed, 60), vce)
    scores = fit.predict(what="scores")
    size = np.sqrt((scores**2).sum())
    assert isinstance(scores, pd.DataFrame)
    assert (np.abs(scores.sum()) <= 1e-4 * size + 1e-6).all()
