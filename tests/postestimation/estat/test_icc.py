"""Intraclass correlations: Stata's figures, dense algebra, derivatives by differences, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_crossed, simulate_longitudinal
from sparsemixed.errors import OptionError
from sparsemixed.inference.covariance.vce import theta_covariance
from tests.oracles.dense_sandwich import covariance


@pytest.fixture(scope="module")
def visits():
    data = simulate_longitudinal(30, 5, seed=3)
    data["clinic"], data["arm"] = data.id % 5, data.id % 2
    return data


def test_figures_of_the_manual(manual_data):
    """[ME] estat icc prints .159893 (.127627) [.0287143, .5506202], to the accuracy of Stata's search."""
    model = "gsp private emp hwy water other unemp || region: || state:"
    fit = sparsemixed.mixed(model, manual_data("productivity"))
    found = fit.estat.icc()
    assert list(found.index) == ["region", "state|region"]
    np.testing.assert_allclose(found.loc["region"], [0.159893, 0.127627, 0.0287143, 0.5506202], rtol=6e-6)
    assert str(found).startswith("Residual intraclass correlation\n\n-----")
    assert "                      region |   .15989" in str(found)
    r = found.r
    assert (r["label2"], r["label3"], r["level"]) == ("state|region", "region", 95.0)
    assert r["icc3"] == found.icc["region"]
    assert r["ci2"].to_numpy().tolist() == [found.loc["state|region", ["low", "high"]].tolist()]


MODELS = [
    ("y time || clinic: || id: time, covariance(unstructured) reml", {"at": {"time": 2.0}}, [("clinic",), ("clinic", "id")]),
    ("y time || id: time, covariance(unstructured)", {"at": ({"time": 0.0}, {"time": 3.0})}, [("id",)]),
    ("y || id:, residuals(ar 1, t(time)) reml", {"at": ({"time": 0}, {"time": 3})}, [("id",)]),
    ("y || id:, residuals(independent, by(arm)) reml", {"at": {"arm": 1}}, [("id",)]),
    ("y || id:, residuals(exchangeable, by(arm))", {"at": {"arm": 1}}, [("id",)]),
    ("y || id:, noconstant residuals(unstructured, t(time))", {"at": ({"time": 1}, {"time": 4})}, [("id",)]),
    ("y time || clinic: i.arm, noconstant || id:", {"at": ({"arm": 0}, {"arm": 0})}, [("clinic",), ("clinic", "id")]),
]


@pytest.mark.parametrize(("model", "options", "sets"), MODELS)
def test_correlations_are_those_of_two_rows_of_v(model, options, sets, visits):
    fit = sparsemixed.mixed(model, visits)
    if "unstructured, t" in model:
        with pytest.raises(OptionError, match="the model has no random effects"):
            fit.estat.icc(**options)
        return
    found, W = fit.estat.icc(**options), theta_covariance(fit.fit).matrix
    one, other = options["at"] if isinstance(options["at"], tuple) else (options["at"], options["at"])
    data = visits.reset_index(drop=True)
    psi = np.append(fit.fit.theta, np.log(fit.fit.sigma2))

    def rows(point):
        here = np.ones(len(data), bool)
        for name, value in point.items():
            here &= (data[name] == value).to_numpy()
        return np.flatnonzero(here)

    for label, shared in zip(found.index, sets, strict=True):
        left, right = rows(one), rows(other)
        pairs = [
            (i, j) for i in left for j in right
            if i != j and all(data[s][i] == data[s][j] for s in shared)
            and ("id" in shared or data.id[i] != data.id[j])
        ]  # fmt: skip
        if not pairs:  # two observations of one person at one time: none in the data, but a copy would be
            continue
        i, j = pairs[0]

        def rho(values, i=i, j=j):
            V = covariance(fit.fit, values[:-1], np.exp(values[-1]))
            return V[i, j] / np.sqrt(V[i, i] * V[j, j])

        slopes = [(rho(psi + h) - rho(psi - h)) / 2e-5 for h in 1e-5 * np.eye(len(psi))]
        np.testing.assert_allclose(found.icc[label], rho(psi), rtol=1e-9, atol=1e-12)
        if 0 < found.icc[label] < 1:
            np.testing.assert_allclose(found.std_err[label], np.sqrt(slopes @ W @ slopes), rtol=1e-6)


def test_shares_of_crossed_factors():
    data = simulate_crossed(600, 40, 30, seed=2)
    fit = sparsemixed.mixed("y x || _all: R.item || user:, reml", data)
    V = fit.random_params["estimate"].to_numpy()
    found = fit.estat.icc(by=["user", "item", ("user", "item")])
    np.testing.assert_allclose(found.icc, np.array([V[1], V[0], V[0] + V[1]]) / V.sum(), rtol=1e-12)
    assert list(found.index) == ["user", "R.item", "user and R.item"]
    with pytest.raises(OptionError, match="not defined for crossed effects; name the groups"):
        fit.estat.icc()
    with pytest.raises(OptionError, match=r"there is no level 'film'; the levels are R\.item, user"):
        fit.estat.icc(by="film")


def test_headings_are_those_of_stata(visits):
    for model, heading in [
        ("y || id:", "Intraclass correlation"),
        ("y time || id:", "Residual intraclass correlation"),
        ("y time || id: time", "Conditional intraclass correlation"),
    ]:
        assert str(sparsemixed.mixed(model, visits).estat.icc(level=90)).splitlines()[0] == heading
    assert "[90% conf. interval]" in str(sparsemixed.mixed("y || id:", visits).estat.icc(level=90))


def test_an_intercept_without_variance_has_no_limits(visits):
    flat = visits.assign(y=np.random.default_rng(3).normal(size=len(visits)))
    flat["y"] -= flat.groupby("id").y.transform("mean")
    found = sparsemixed.mixed("y || id:", flat).estat.icc()
    assert found.icc.iloc[0] == 0.0
    assert found.iloc[0, 1:].isna().all()


def test_what_cannot_be(visits):
    for model, options, message in [
        ("y time", {}, "the model has no random effects"),
        ("y time || id: time, noconstant", {}, "level id has no random intercept"),
        ("y || id:, residuals(ar 1, t(time))", {}, "correlations depend on more than the level"),
        ("y || id:, residuals(ar 1, t(time))", {"by": "id"}, "correlations depend on time with residuals"),
        ("y || id:, residuals(ar 1, t(time))", {"at": {"time": 1}}, "two observations of a group differ in time"),
        ("y || id: time", {"at": {}}, "at= needs values of time"),
        ("y || id: time", {"at": 3}, "neither a mapping of covariates to values nor a pair"),
        ("y || id:", {"level": 3}, "level: 3 is not a level in per cent, which must lie between 10 and 99.99"),
    ]:
        with pytest.raises(OptionError, match=message):
            sparsemixed.mixed(model, visits).estat.icc(**options)


def test_loaded_fits_know_them(visits, tmp_path):
    fit = sparsemixed.mixed("y time || clinic: || id: time, reml", visits)
    fit.save(tmp_path / "saved.fit")
    loaded = sparsemixed.load(tmp_path / "saved.fit")
    for options in ({}, {"at": {"time": 2.0}}):
        pd.testing.assert_frame_equal(loaded.estat.icc(**options).frame, fit.estat.icc(**options).frame)
