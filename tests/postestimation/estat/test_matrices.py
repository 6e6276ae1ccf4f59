"""estat group, recovariance, sd, wcorrelation, summarize and vce: numbers, r(), text, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import DataError, OptionError
from tests.oracles.dense_predictions import dense
from tests.oracles.random_models import random_model


@pytest.fixture(scope="module")
def visits():
    data = simulate_longitudinal(30, 5, seed=3)
    data["clinic"] = data.id % 5
    return data


@pytest.fixture(scope="module")
def fit(visits):
    return sparsemixed.mixed("y time || clinic: || id: time, covariance(unstructured) reml", visits)


def test_groups(fit, visits):
    found = fit.estat.group()
    assert found.loc["id"].tolist() == [30, 5, 5.0, 5]
    assert found.loc["clinic"].tolist() == [5, 30, 30.0, 30]
    assert "Grouping information" in str(found)
    assert "clinic" in found.to_html()
    with pytest.raises(OptionError, match="the model has no groups"):
        sparsemixed.mixed("y time", visits).estat.group()


def test_covariances_of_random_effects(fit):
    printed = fit.random_params["estimate"]
    found = fit.estat.recovariance()
    assert found.loc[("id", "time"), ("id", "_cons")] == pytest.approx(printed["id: Unstructured", "cov(time,_cons)"], rel=1e-12)
    assert found.loc[("clinic", "_cons"), ("clinic", "_cons")] == pytest.approx(
        printed["clinic: Identity", "var(_cons)"], rel=1e-12
    )
    assert found.loc[("clinic", "_cons"), ("id", "_cons")] == 0.0
    own = fit.estat.recovariance(relevel="id")
    pd.testing.assert_frame_equal(own.r["Cov2"], own.frame)
    assert found.r["relevels"] == "clinic id"
    assert found.r["Cov3"].shape == (1, 1)
    assert str(own).startswith("Random-effects covariance matrix for level id\n\n")
    correlations = fit.estat.recovariance(relevel="id", correlation=True)
    a, b = np.sqrt(np.diag(own))
    assert correlations.loc["time", "_cons"] == pytest.approx(own.loc["time", "_cons"] / (a * b))
    assert "correlation matrix for level id" in str(correlations)
    assert correlations.r["Corr2"].loc["time", "time"] == 1.0
    with pytest.raises(OptionError, match="there is no level 'school'; the levels are clinic, id"):
        fit.estat.recovariance(relevel="school")


def test_standard_deviations(fit):
    found, shown = fit.estat.sd(), fit.summary(stddeviations=True)
    for line in str(found).splitlines()[4:-1]:
        assert line in shown
    b, V = found.r["b"], found.r["V"]
    np.testing.assert_allclose(np.sqrt(np.diag(V)), found.std_err, rtol=1e-10)
    assert b.to_numpy()[0].tolist() == found.estimate.tolist()
    np.testing.assert_array_equal(found.r["table"].loc["se"], found.std_err)
    assert dict(found.e) == {}
    posted = fit.estat.sd(post=True)
    assert posted.e["cmd"] == "estat sd"
    assert posted.e["properties"] == "b V"
    assert str(posted) == shown
    assert "_b[clinic: Identity:sd(_cons)]" in str(fit.estat.sd(post=True, coeflegend=True))
    with pytest.raises(OptionError, match="variance is allowed only after menl"):
        fit.estat.sd(variance=True)
    with pytest.raises(OptionError, match="coeflegend needs verbose or post"):
        fit.estat.sd(coeflegend=True)


@pytest.mark.parametrize("seed", [0, 3, 7, 9, 11, 15])
def test_within_cluster_matrices_are_those_of_dense_algebra(seed):
    model = random_model(seed)
    fit = sparsemixed.mixed(model.command, model.data, **model.options)
    oracle = dense(fit.fit)
    V, R = (matrix[np.ix_(oracle.first, oracle.first)] for matrix in (oracle.V, oracle.R))
    whole = fit.estat.wcorrelation(all=True, covariance=True, nosort=True)
    np.testing.assert_allclose(whole, V, rtol=1e-10, atol=1e-12 * V.max())
    np.testing.assert_allclose(whole.r["R"], R, rtol=1e-10, atol=1e-12 * V.max())
    Z, G = whole.r["Z"].to_numpy(), whole.r["G"].to_numpy()
    np.testing.assert_allclose(Z @ G @ Z.T + R, V, rtol=1e-9, atol=1e-10 * V.max())


def test_one_cluster(fit, visits):
    found = fit.estat.wcorrelation(at={"id": 7})
    pd.testing.assert_frame_equal(fit.estat.wcorrelation(at="id = 7").frame, found.frame)
    rows = found.r["rows"]
    assert visits.iloc[rows].id.tolist() == [7] * 5
    np.testing.assert_array_equal(np.diag(found), 1.0)
    sd = found.r["sd"].to_numpy()[0]
    covariance = fit.estat.wcorrelation(at={"id": 7, "clinic": 2}, covariance=True)
    np.testing.assert_allclose(covariance, found * np.outer(sd, sd), rtol=1e-12)
    assert str(found).startswith("Standard deviations and correlations for id = 7:\n")
    assert str(covariance).startswith("Covariances for id = 7, clinic = 2:\n")
    first = fit.estat.wcorrelation(list=True)
    assert first.r["rows"].tolist() == [0, 1, 2, 3, 4]
    assert "Data:" in str(first)
    shuffled = visits.sample(frac=1, random_state=2).reset_index(drop=True)
    other = sparsemixed.mixed("y time || id:, residuals(ar 1, t(time))", shuffled)
    rows = other.estat.wcorrelation(at={"id": 3}).r["rows"]
    assert shuffled.iloc[rows].time.tolist() == sorted(shuffled[shuffled.id == 3].time)
    for options, message in [
        ({"at": {"school": 1}}, "at= names no level 'school'; the levels are clinic, id"),
        ({"at": {"id": 99}}, "the sample has no group with id = 99"),
        ({"at": {"id": 1}, "all": True}, "at and all exclude each other"),
    ]:
        with pytest.raises(OptionError, match=message):
            fit.estat.wcorrelation(**options)


def test_summary_of_the_sample(visits):
    fit = sparsemixed.mixed("y time if time < 4 || id:", visits)
    used = visits[visits.time < 4]
    found = fit.estat.summarize()
    np.testing.assert_allclose(found.to_numpy(), used[["y", "time"]].agg(["mean", "std", "min", "max"]).T, rtol=1e-12)
    assert found.r["N"] == len(used)
    weighted = sparsemixed.mixed("y time [fweight=w] || id:", used.assign(w=used.time + 1))
    copies = used.loc[used.index.repeat(used.time + 1)]
    np.testing.assert_allclose(weighted.estat.summarize().loc["time", "sd"], copies.time.std(), rtol=1e-12)


def test_covariance_of_the_coefficients(fit, visits):
    pd.testing.assert_frame_equal(fit.estat.vce().frame, fit.cov_params())
    found = fit.estat.vce(correlation=True)
    assert found.loc["time", "time"] == pytest.approx(1.0)
    assert "Correlation matrix of coefficients of mixed model" in str(found)
    robust = sparsemixed.mixed("y time || id:, vce(robust)", visits)
    pd.testing.assert_frame_equal(robust.estat.vce().r["V"], robust.cov_params())


def test_covariance_by_equation(fit):
    """Stata's estat vce, equation(): parts of e(V)."""
    V = fit.e["V"]
    whole = fit.estat.vce(equation="_all")
    np.testing.assert_array_equal(whole.to_numpy(), V.to_numpy())
    assert list(whole.frame.index) == [":".join(name) for name in V.index]
    equations = list(V.index.get_level_values("equation").unique())
    one = fit.estat.vce(equation=equations[-1])
    assert one.frame.index.tolist() == ["_cons"]
    assert one.to_numpy()[0, 0] == V.to_numpy()[-1, -1] > 0.0
    np.testing.assert_array_equal(
        fit.estat.vce(equation=equations[1:]).to_numpy(), V.loc[equations[1:], equations[1:]].to_numpy()
    )
    with pytest.raises(OptionError, match="there is no equation `lns9`; there are y, "):
        fit.estat.vce(equation="lns9")


def test_loaded_fits(fit, tmp_path):
    fit.save(tmp_path / "saved.fit")
    loaded = sparsemixed.load(tmp_path / "saved.fit")
    for name in ("group", "recovariance", "sd", "vce"):
        assert str(getattr(loaded.estat, name)()) == str(getattr(fit.estat, name)())
    with pytest.raises(DataError, match="saved without its data"):
        loaded.estat.wcorrelation()
