"""Autocorrelations and variograms, against loops and against the covariance that the model gives its residuals."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.errors import OptionError
from sparsemixed.postestimation.random_covariances import term_covariances


def residual_covariance(fit, rows):
    """S inv(V) S of some rows of one group, with random intercepts and AR(1) errors."""
    part = fit.fit.design.residual
    R = part.structure.covariance(fit.fit.theta[-part.structure.n_rho :], part.t[rows])
    S = fit.fit.sigma2 * R
    G = float(fit.estat.recovariance().iloc[0, 0])
    return S @ np.linalg.solve(S + G, S) / fit.fit.sigma2


@pytest.mark.parametrize("what", ["conditional", "rstandard", "marginal"])
def test_autocorrelations_are_mean_products(autoregressive, what):
    frame = autoregressive.plot.autocorrelation.frame(what=what, lags=4)
    kind = {"conditional": "residuals"}.get(what, what)
    values = autoregressive.predict(what=kind).to_numpy().reshape(40, 12)
    scaled = values / np.sqrt(np.mean(values**2))
    for lag in range(5):
        expected = np.mean(scaled[:, lag:] * scaled[:, : 12 - lag])
        assert frame["correlation"][lag] == pytest.approx(expected)
        assert frame["pairs"][lag] == 40 * (12 - lag)


def test_the_models_autocorrelations_are_those_of_its_residuals(autoregressive):
    frame = autoregressive.plot.autocorrelation.frame(lags=4)
    C = residual_covariance(autoregressive, np.arange(12))
    expected = [np.mean(np.diag(C, lag)) / np.mean(np.diag(C)) for lag in range(5)]
    assert frame["model"].to_numpy() == pytest.approx(expected)
    # Data of the model are near its curve, and far from that of errors without predicted effects.
    assert np.abs(frame["correlation"] - frame["model"]).max() < 0.12


def test_the_variogram_is_half_the_mean_square_of_differences(autoregressive):
    frame = autoregressive.plot.variogram.frame()
    values = autoregressive.predict(what="residuals").to_numpy().reshape(40, 12) / np.sqrt(autoregressive.fit.sigma2)
    C = residual_covariance(autoregressive, np.arange(12))
    assert frame["distance"].tolist() == list(range(1, 12))
    for lag in (1, 5, 11):
        row = frame[frame["distance"] == lag].iloc[0]
        assert row["semivariance"] == pytest.approx(np.mean((values[:, lag:] - values[:, : 12 - lag]) ** 2) / 2)
        i, j = np.arange(12 - lag), np.arange(lag, 12)
        assert row["model"] == pytest.approx(np.mean((C[i, i] + C[j, j]) / 2 - C[i, j]))


def test_the_order_of_rows_does_not_matter_where_the_model_has_times(autoregressive):
    data = autoregressive.call.data if hasattr(autoregressive.call, "data") else None
    if data is None:
        pytest.skip("the call does not hold its data")
    mixed_up = sparsemixed.mixed(autoregressive.fit.spec.text, data.sample(frac=1.0, random_state=1))
    first, second = (one.plot.autocorrelation.frame(lags=3) for one in (autoregressive, mixed_up))
    assert second["correlation"].to_numpy() == pytest.approx(first["correlation"].to_numpy(), abs=1e-6)


def test_distances_of_a_variable(intercepts):
    frame = intercepts.plot.variogram.frame(time="time", what="marginal")
    assert frame["distance"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert frame["model"].nunique() == 1 or np.ptp(frame["model"]) < 1e-12
    binned = intercepts.plot.variogram.frame(time="time", bins=2)
    assert len(binned) == 2
    assert binned["pairs"].sum() == 60 * 15


def test_groups_of_one_row_have_no_pairs():
    data = sparsemixed.datasets.simulate_crossed(60, 60, 5, seed=1).drop_duplicates("user")
    fit = sparsemixed.mixed("y x || item:", data)
    axes = fit.plot.autocorrelation("item", lags=2)
    assert axes.lines
    lonely = data.groupby("item").head(1)
    few = sparsemixed.mixed("y || item:", lonely, iterate=20)
    axes = few.plot.variogram("item")
    assert [text.get_text() for text in axes.texts] == ["no group has two rows"]


def test_words_are_checked(intercepts):
    with pytest.raises(OptionError, match="what='condition' is not one of conditional, marginal, rstandard; did you mean"):
        intercepts.plot.variogram(what="condition")
    with pytest.raises(OptionError, match="no variable `tim`; did you mean time"):
        intercepts.plot.variogram(time="tim")


def of_all_rows(fit):
    """Covariance of all residuals over sigma2, from V of all rows."""
    design, V = fit.design, fit.sigma2 * np.eye(fit.design.n_rows)
    for term, G in zip(design.random, term_covariances(fit), strict=True):
        z = term.columns
        V += np.where(term.codes[:, None] == term.codes, z @ G @ z.T, 0.0)
    return fit.sigma2 * np.linalg.inv(V)


@pytest.mark.parametrize(("group", "t"), [("item", 1), ("_all: R.user", 0)])
def test_what_others_tell_of_crossed_effects_counts(crossed, group, t):
    C, term = of_all_rows(crossed.fit), crossed.fit.design.random[t]
    same = np.triu(term.codes[:, None] == term.codes, 1)
    i, j = np.nonzero(same)
    frame = crossed.plot.variogram.frame(group, bins=1)
    # All groups have fewer rows than are cut off: the mean is that over all pairs.
    assert frame["pairs"].sum() == len(i)
    expected = np.mean(0.5 * (C[i, i] + C[j, j]) - C[i, j])
    assert np.average(frame["model"], weights=frame["pairs"]) == pytest.approx(expected, rel=1e-9)
    assert frame["semivariance"].mean() == pytest.approx(frame["model"].mean(), rel=0.05)


def test_of_many_rows_what_others_tell_counts_as_all(crossed, monkeypatch):
    exact = crossed.plot.variogram.frame("item", bins=1)["model"].mean()
    monkeypatch.setattr("sparsemixed.plots.residual_series.MOST_TOGETHER", 100)
    assert crossed.plot.variogram.frame("item", bins=1)["model"].mean() == pytest.approx(exact, rel=0.05)


def test_groups_within_groups():
    data = sparsemixed.datasets.load("districts")
    fit = sparsemixed.mixed("score ~ books + (1 | district / school)", data)
    C, terms = of_all_rows(fit.fit), fit.fit.design.random
    i, j = np.nonzero(np.triu(terms[0].codes[:, None] == terms[0].codes, 1))
    frame = fit.plot.variogram.frame("district", bins=1)
    assert np.average(frame["model"], weights=frame["pairs"]) == pytest.approx(np.mean(0.5 * (C[i, i] + C[j, j]) - C[i, j]))
    order = np.argsort(terms[1].codes, kind="stable")
    i, j = order[:-1], order[1:]
    next_to = terms[1].codes[i] == terms[1].codes[j]
    model = fit.plot.autocorrelation.frame("district:school")["model"]
    assert model[1] == pytest.approx(np.mean(C[i, j][next_to]) / np.mean(np.diag(C)))
