"""The estimator: scikit-learn's own checks, and its predictions against dense conditional distributions."""

from __future__ import annotations

import contextlib
import pickle
import unittest

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import sparsemixed
from sparsemixed.errors import CommandError, OptionError
from sparsemixed.sklearn import MixedRegressor
from tests.oracles.marginal import covariance_of

FAIL = {"check_regressors_no_decision_function": "its data are fitted exactly, and then no likelihood has a maximum"}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([MixedRegressor()], expected_failed_checks=lambda _: FAIL)
def test_checks_of_scikit_learn(estimator, check):
    with contextlib.suppress(unittest.SkipTest):  # the check of the array API, which scipy has to be set up for
        check(estimator)


def visits(n=120, seed=0):
    rng = np.random.default_rng(seed)
    site, user = np.repeat(np.arange(6), n // 6), np.repeat(np.arange(n // 5), 5)
    x, arm = rng.normal(size=n), np.array(["a", "b"])[rng.integers(0, 2, n)]
    y = 1 + x + rng.normal(size=6)[site] + rng.normal(size=n // 5)[user] * (1 + 0.7 * x) + rng.normal(size=n)
    return pd.DataFrame({"site": site, "user": user, "x": x, "arm": arm, "t": np.tile(np.arange(5), n // 5), "y": y})


DATA = visits()
X, Y = DATA.drop(columns="y"), DATA["y"]
MODELS = {
    "one level": ("~ x + arm + (1 + x | user)", {}),
    "two levels": ("y ~ x + arm + (1 | site) + (1 + x | site:user)", {}),
    "crossed": ("~ x + (1 | user) + (1 | arm)", {}),
    "command": ("y x || site: || user: x, covariance(unstructured)", {}),
    "correlated errors": ("~ x + (1 | user)", {"residuals": "ar 1, t(t)"}),
    "errors by level": ("~ x + (1 | user)", {"residuals": "independent, by(arm)"}),
    "precisions": ("~ x + (1 | user)", {"precision_weights": "1 + t"}),
    "no effects": ("~ x + arm", {}),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("reml", [True, False])
def test_predictions_and_their_standard_deviations(name, reml):
    """Mean and variance of z'b + e given y, from the joint covariance of sample and new rows, written out."""
    text, options = MODELS[name]
    model = MixedRegressor(text, reml=reml, options=options).fit(X, Y)
    new = pd.concat([X.iloc[::7], X.iloc[[3, 4]].assign(user=999, site=99)], ignore_index=True)
    mean, std = model.predict(new, return_std=True)
    fit, n = model.results_, len(X)
    both = pd.concat([X, new], ignore_index=True)
    random, errors = covariance_of(fit, both)
    V, C = (random + errors)[:n, :n], random[:n, n:]
    np.testing.assert_allclose(mean, fit.predict(new, "xb") + C.T @ np.linalg.solve(V, Y - fit.predict(X, "xb")), rtol=1e-6)
    variances = np.diag(random)[n:] + np.diag(errors)[n:] - np.sum(C * np.linalg.solve(V, C), axis=0)
    np.testing.assert_allclose(std, np.sqrt(variances), rtol=1e-7)
    model.set_params(effects="population")
    mean, std = model.predict(new, return_std=True)
    np.testing.assert_allclose(mean, fit.predict(new, "xb"), rtol=1e-12)
    np.testing.assert_allclose(std, np.sqrt(np.diag(random + errors)[n:]), rtol=1e-9)


def test_the_fit_is_that_of_mixed():
    model = MixedRegressor("~ x + arm + (1 | user)").fit(X, Y)
    assert model.results_.llf == sparsemixed.mixed("y ~ x + arm + (1 | user)", DATA, reml=True).llf
    assert model.score(X, Y) > 0.5
    assert list(model.feature_names_in_) == list(X.columns)
    polars = MixedRegressor("~ x + arm + (1 | user)").fit(pl.from_pandas(X), Y.to_numpy())
    np.testing.assert_array_equal(polars.predict(pl.from_pandas(X)), model.predict(X))


def test_parameters_clones_and_pickles():
    model = MixedRegressor("~ x + (1 | user)", reml=False, options={"level": 90})
    copy = clone(model)
    assert copy.get_params() == model.get_params() == {
        "effects": "groups", "model": "~ x + (1 | user)", "options": {"level": 90}, "reml": False,
    }  # fmt: skip
    assert not hasattr(copy.fit(X, Y), "nothing")
    again = pickle.loads(pickle.dumps(copy))
    for found, wanted in zip(again.predict(X, return_std=True), copy.predict(X, return_std=True), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_within_scikit_learn():
    split = GroupKFold(4)
    scores = cross_val_score(MixedRegressor("~ x + (1 | user)"), X, Y, groups=X["user"], cv=split, error_score="raise")
    assert scores.shape == (4,)
    grid = {"model": ["~ x + (1 | user)", "~ x + (1 + x | user)"], "reml": [True, False]}
    search = GridSearchCV(MixedRegressor(), grid, cv=split, error_score="raise").fit(X, Y, groups=X["user"])
    assert search.best_params_["model"] in grid["model"]
    pipe = make_pipeline(FunctionTransformer(lambda frame: frame.assign(x=2 * frame["x"])), MixedRegressor("~ x + (1 | user)"))
    np.testing.assert_allclose(pipe.fit(X, Y).predict(X), MixedRegressor("~ x + (1 | user)").fit(X, Y).predict(X), rtol=1e-8)


def test_missing_values_are_not_predicted():
    holes = X.copy()
    holes.loc[2, "x"], holes.loc[5, "user"] = np.nan, np.nan
    mean, std = MixedRegressor("~ x + (1 | user)").fit(holes, Y).predict(holes, return_std=True)
    assert np.flatnonzero(np.isnan(mean)).tolist() == np.flatnonzero(np.isnan(std)).tolist() == [2, 5]


def test_what_cannot_be_fitted():
    with pytest.raises(OptionError, match="X has a column `y`, the response of the model"):
        MixedRegressor("y ~ x").fit(DATA, Y)
    with pytest.raises(OptionError, match="effects='all' is neither"):
        MixedRegressor("y ~ x", effects="all").fit(X, Y)
    with pytest.raises(CommandError, match="variable `z` not found"):
        MixedRegressor("~ z").fit(X, Y)
    model = MixedRegressor("~ x + (1 | user)", options={"precision_weights": np.ones(len(X))}).fit(X, Y)
    with pytest.raises(CommandError, match="variable `precision_weights` not found"):
        model.predict(X, return_std=True)
    weights = {"fweights": np.ones(len(X), int)}
    model = MixedRegressor("~ x + (1 | user)", reml=False, options=weights).fit(X, Y)
    with pytest.raises(OptionError, match="weights that replicate observations"):
        model.predict(X, return_std=True)
