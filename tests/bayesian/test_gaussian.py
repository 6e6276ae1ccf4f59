"""Posteriors without a factorization, beside the exact ones of a design that has both."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.priors import HalfT, InverseGamma, Normal

MODEL, DRAWS = "y x || _all: R.item || user:", 300


@pytest.fixture(scope="module")
def rows():
    rng, n, users, items = np.random.default_rng(1), 3000, 150, 80
    user, item, x = rng.integers(0, users, n), rng.integers(0, items, n), rng.normal(size=n)
    y = 3.5 + 0.1 * x + 0.4 * rng.normal(size=users)[user] + 0.5 * rng.normal(size=items)[item] + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": x, "user": user, "item": item})


@pytest.fixture(scope="module")
def both(rows):
    options = {"draws": DRAWS, "seed": 1, "reml": True}
    return sparsemixed.bayes(MODEL, rows, **options), sparsemixed.bayes(MODEL, rows, **options, solver="krylov")


def test_it_agrees_with_the_exact_posterior(both):
    exact, found = both
    a, b = exact.summary, found.summary
    error = np.hypot(a["mcse"], b["mcse"])
    # Besides Monte Carlo error: the skewness of a log standard deviation of J groups, 1 / sqrt(2 J) of its standard deviation.
    assert np.all(np.abs(a["mean"] - b["mean"]) < 4 * error + 0.08 * a["sd"])
    share = 1 / np.sqrt(2 * exact.ess) + 1 / np.sqrt(2 * DRAWS)
    np.testing.assert_allclose(b["sd"], a["sd"], rtol=4 * share)
    np.testing.assert_allclose(b["sd"].iloc[:2], a["sd"].iloc[:2], rtol=0.01)
    # Means of effects are over 24 draws: an eighth over sqrt(24) in a variance, a quarter of it in shrinkage, three of their own
    # standard deviations out; four standard errors of that.
    for name, frame in exact.random_effects.items():
        own = found.random_effects[name]
        column = frame.columns[-1]
        assert np.abs(own[column] - frame[column]).max() < 0.08 * frame[column].std()
        np.testing.assert_allclose(found.random_effects_sd[name][column], exact.random_effects_sd[name][column], rtol=0.1)


def test_it_says_that_it_is_approximate(both, tmp_path):
    exact, found = both
    assert "approximate: Gaussian in the variance" in " ".join(str(found).split())
    assert "approximate" not in str(exact)
    assert found.summary.attrs["approximate"] == "Gaussian in the variance parameters"
    assert not exact.summary.attrs
    assert np.isnan(found.log_marginal)
    assert np.isnan(found.khat)
    assert found.ess == DRAWS
    found.save(tmp_path / "p.smx", data=True)
    assert str(sparsemixed.load(tmp_path / "p.smx")) == str(found)


def test_the_fit_may_be_by_maximum_likelihood_and_threads_change_nothing(rows, both):
    """The likelihood is the restricted one whatever the model was fitted by."""
    found = sparsemixed.bayes(MODEL, rows, draws=200, seed=3, solver="krylov")
    again = sparsemixed.bayes(MODEL, rows, draws=200, seed=3, solver="krylov", n_jobs=2)
    np.testing.assert_array_equal(found.draws, again.draws)
    np.testing.assert_allclose(found.summary["mean"], both[1].summary["mean"], atol=0.3 * both[1].summary["sd"].max())


@pytest.mark.slow
def test_priors_move_it(rows, both):
    """A prior that pulls moves the mode by its gradient times the covariance."""
    pulled = sparsemixed.bayes(MODEL, rows, {"user: var": InverseGamma(40, 10)}, draws=200, seed=1, solver="krylov", reml=True)
    exact = sparsemixed.bayes(MODEL, rows, {"user: var": InverseGamma(40, 10)}, draws=200, seed=1, reml=True)
    name = "var(_cons)"
    assert pulled.summary["mean"][name] > both[1].summary["mean"][name] + both[1].summary["sd"][name]
    assert abs(pulled.summary["mean"][name] - exact.summary["mean"][name]) < 0.5 * exact.summary["sd"][name]


def test_what_it_does_not_have(rows, both):
    fit = sparsemixed.mixed(MODEL, rows, reml=True, solver="krylov")
    with pytest.raises(NotAvailableError, match="flat priors"):
        fit.bayes({"b": Normal(0, 10)})
    with pytest.raises(NotAvailableError, match="needs a factorization"):
        fit.bayes(method="sampling")
    with pytest.raises(NotAvailableError, match="no DIC"):
        both[1].bayesstats("ic")
    with pytest.raises(OptionError, match="not known"):
        both[1].bayes_factor(both[0])
    lucky = rows.assign(lucky=np.random.default_rng(5).integers(0, 40, len(rows)))
    flat = sparsemixed.mixed("y x || _all: R.item || _all: R.lucky || user:", lucky, reml=True, solver="krylov")
    assert flat.fit.boundary_names
    with pytest.raises(NotAvailableError, match="estimated as zero"):
        flat.bayes({"sd": HalfT(3, 1)})
