"""Many fits to one design are those that `mixed` would make one by one."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import DataError, SparseMixedError
from sparsemixed.estimation.estimate import estimate_response
from sparsemixed.estimation.sources.responses import responses
from sparsemixed.resampling.response_fits import ResponseFits
from tests.resampling.models import COMPILED, CROSSED, LONG, MODELS, OFTEN, fitted


def assert_fits(found, row, fit, rel):
    """A row of replicates has the numbers of a whole fit."""
    scale = np.sqrt(np.sum(fit.root**2, axis=1))
    assert found.llf[row] == pytest.approx(fit.llf, rel=1e-10, abs=1e-8)
    np.testing.assert_allclose(found.beta[row], fit.beta, rtol=0, atol=rel * scale.max(initial=0.0))
    np.testing.assert_allclose(found.errors[row], scale, rtol=10 * rel)
    expected = np.array([parameter.estimate for parameter in fit.variances])
    np.testing.assert_allclose(found.variances[row], expected, rtol=0, atol=10 * rel * np.abs(expected).max())
    assert found.converged[row] == fit.converged
    assert found.boundary[row] == "; ".join(fit.boundary_names)


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in OFTEN else pytest.mark.slow) for n in MODELS])
def test_refits_are_fresh_fits(name):
    result = fitted(name)
    model = responses(result.fit.spec, result.fit.design)
    fits = ResponseFits(model, result.fit)
    assert fits.compiled == (name in COMPILED)
    Y = result.simulate(3, seed=2).to_numpy().T
    Y = Y if result.fit.design.offset is None else Y - result.fit.design.offset
    found = fits.of(Y)
    for row, y in enumerate(Y):
        assert_fits(found, row, estimate_response(model, y), 1e-5)


@pytest.mark.parametrize("name", ["random, unstructured", "reml", "constraints", "crossed"])
def test_refits_that_go_on_to_the_last_digit_are_fresh_fits(name):
    result = fitted(name, nrtolerance=1e-17, iterate=60)
    model = responses(result.fit.spec, result.fit.design)
    Y = result.simulate(4, seed=5).to_numpy().T
    found = ResponseFits(model, result.fit).of(Y)
    for row, y in enumerate(Y):
        assert_fits(found, row, estimate_response(model, y), 1e-8)


@pytest.mark.parametrize("share", [0.0, 0.3, 5.0])
@pytest.mark.parametrize("model", ["y time || id:", "y time || id: time, covariance(unstructured) reml"])
def test_responses_of_any_kind_are_fitted_from_common_starts(model, share):
    rng = np.random.default_rng(7)
    Y = rng.normal(size=(len(LONG), 12)) + share * rng.normal(size=(1000, 12))[LONG.id.to_numpy()]
    many = sparsemixed.mixed_many(model, LONG, Y)
    for j in range(12):
        fit = sparsemixed.mixed(model, LONG.assign(y=Y[:, j]))
        assert many.llf[j] == pytest.approx(fit.llf, abs=1e-8)
        np.testing.assert_allclose(many.params.loc[j], fit.params, atol=1e-5)
        np.testing.assert_allclose(many.bse.loc[j], fit.bse, rtol=1e-4)
        np.testing.assert_allclose(many.random_params.loc[j], fit.random_params.estimate, atol=1e-4)
        assert many.boundary[j] == "; ".join(fit.fit.boundary_names)
    assert list(many.random_params.columns) == list(fit.random_params.index)


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "model", ["y time || id:, residuals(ar 1, t(time))", "y time || id:, reml dfmethod(kroger)", "y time || id:, vce(robust)"]
)
def test_models_that_are_not_compiled(model, n_jobs):
    frame = fitted("intercept").simulate(3, seed=1)
    many = sparsemixed.mixed_many(model, LONG, frame, n_jobs=n_jobs)
    for j in range(3):
        fit = sparsemixed.mixed(model, LONG.assign(y=frame[j]))
        np.testing.assert_allclose(many.params.loc[j], fit.params, rtol=1e-8)
        np.testing.assert_allclose(many.bse.loc[j], fit.bse, rtol=1e-8)


def test_workers_do_not_change_a_digit():
    frame = fitted("intercept").simulate(600, seed=1)
    one, two = (sparsemixed.mixed_many("y time || id: time", LONG, frame, n_jobs=n).frame for n in (1, 2))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_weights_of_rows_and_groups():
    frame = fitted("intercept").simulate(3, seed=1)
    data = LONG.assign(v=1.0 + LONG.id % 3)
    many = sparsemixed.mixed_many("y time [pweight=w] || id:, pweight(v)", data, frame)
    for j in range(3):
        fit = sparsemixed.mixed("y time [pweight=w] || id:, pweight(v)", data.assign(y=frame[j]))
        assert many.llf[j] == pytest.approx(fit.llf, rel=1e-11)
        np.testing.assert_allclose(many.bse.loc[j], fit.bse, rtol=1e-6)


def test_failures_are_rows_with_their_message():
    frame = fitted("intercept").simulate(5, seed=1).rename(columns="g{}".format)
    frame["g1"], frame["g2"] = 3.0, LONG.time.astype(float)
    frame.loc[[2, 7], "g3"] = np.nan
    many = sparsemixed.mixed_many("anything ~ time + (1 | id)", LONG, frame)
    assert list(many.params.index) == list(frame.columns)
    assert "constant" in many.message["g1"]
    assert "exactly" in many.message["g2"]
    assert many.params.loc[["g1", "g2"]].isna().all(axis=None)
    assert many.converged.tolist() == [True, False, False, True, True]
    assert [line.split()[0] for line in str(many).splitlines() if "(failed)" in line] == ["g1", "g2"]
    rest = sparsemixed.mixed("y ~ time + (1 | id)", LONG.assign(y=frame["g3"]))
    assert rest.nobs == len(LONG) - 2
    np.testing.assert_allclose(many.params.loc["g3"], rest.params, rtol=1e-9)
    assert "2 failed" in repr(many)
    assert many.frame.shape == (5, 10)


def test_columns_of_the_data_are_responses():
    data = LONG.assign(z=LONG.y**2)
    many = sparsemixed.mixed_many("y ~ time + (1 | id)", data, ["y", "z"])
    np.testing.assert_allclose(many.params.loc["z"], sparsemixed.mixed("z ~ time + (1 | id)", data).params, rtol=1e-7)


@pytest.mark.parametrize(
    ("model", "wanted", "words"),
    [
        ("y ~ time + (1 | id)", ["q"], "no column `q`"),
        ("y ~ time + (1 | id)", np.zeros(5), r"found shape \(5,\)"),
        ("y ~ time + (1 | id)", np.zeros((5, 2)), "has 5 values and the data have"),
        ("y ~ time + (1 | id)", np.zeros((len(LONG), 0)), "there are no responses"),
        ("log(y) ~ time + (1 | id)", np.ones((len(LONG), 2)), "plain name"),
        ("y ~ time + (1 | id)", pd.DataFrame({"a": ["x"] * len(LONG)}), "`a` is to be numbers"),
        ("y ~ time + (1 | id)", np.full((len(LONG), 1), np.inf), "infinite"),
    ],
)
def test_bad_responses(model, wanted, words):
    with pytest.raises(SparseMixedError, match=words):
        sparsemixed.mixed_many(model, LONG, wanted)


def test_refit_is_a_fresh_fit():
    fit = fitted("precision")
    y = fit.simulate(seed=1)[0]
    again = fit.refit(y)
    fresh = sparsemixed.mixed("y time || id: time", LONG.assign(y=y), precision_weights="w")
    assert str(again) == str(fresh)
    np.testing.assert_array_equal(fit.refit(fit.simulate(2, seed=1)).llf[0], fit.refit(fit.simulate(2, seed=1)).llf[0])
    with pytest.raises(DataError, match="refit: the response is to have"):
        fit.refit(y[:-1])
    with pytest.raises(DataError, match="refit: the responses are to have"):
        fit.refit(pd.DataFrame({"a": [1.0]}))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_random_models(seed):
    from tests.oracles.random_models import random_model

    drawn = random_model(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = sparsemixed.mixed(drawn.command, drawn.data, **drawn.options)
        except SparseMixedError:
            pytest.skip("no fit")
        model = responses(result.fit.spec, result.fit.design)
        rng = np.random.default_rng(seed)
        Y = np.array([result.fit.design.y + result.fit.sigma2**0.5 * rng.normal(size=len(result.fit.design.y)) for _ in range(4)])
        found = ResponseFits(model, result.fit, alike=False).of(Y)
        for row, y in enumerate(Y):
            try:
                fit = estimate_response(model, y)
            except SparseMixedError:
                assert found.failed[row]
                continue
            assert found.llf[row] >= fit.llf - 1e-6


def test_crossed_designs_keep_their_analysis():
    model = responses(fitted("crossed").fit.spec, fitted("crossed").fit.design)
    fits = ResponseFits(model, fitted("crossed").fit)
    problem = fits._prepared.problem(*model.reduced(CROSSED.y.to_numpy() * 2.0))
    assert problem.objective.system.schur is fits._prepared.first.objective.system.schur
