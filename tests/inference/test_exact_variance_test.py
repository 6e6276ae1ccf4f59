"""Exact tests of one variance: the spectral form against actual fits, tails against RLRsim, and every refusal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import DataError, NotAvailableError, OptionError
from sparsemixed.inference.hypotheses import exact_variance_test
from sparsemixed.inference.hypotheses.exact_variance_test import Spectrum, balanced_pvalue, simulated, spectrum
from tests.golden import golden, load

FIGURES = golden("rlrsim")
LEVELS = np.array([0.5, 0.75, 0.9, 0.95, 0.99])
SAMPLES = {
    "intercepts": ("sleepstudy_unbalanced", "Subject", None, ["Days"]),
    "slopes": ("sleepstudy_unbalanced", "Subject", "Days", ["Days"]),
    "plates": ("penicillin_unbalanced", "plate", None, []),
    "casks": ("pastes", "batch", None, []),
}


def matrices(data, group, column, fixed):
    """Codes, columns, number of groups, and orthonormal columns of the fixed part."""
    codes = pd.factorize(data[group], sort=True)[0].astype(np.int32)
    z = np.ones(len(data)) if column is None else data[column].to_numpy(float)
    X = np.column_stack([*(data[x].to_numpy(float) for x in fixed), np.ones(len(data))])
    return codes, np.ascontiguousarray(z[:, None]), int(codes.max()) + 1, np.linalg.qr(X)[0]


@pytest.mark.parametrize("name", SAMPLES)
def test_eigenvalues_are_those_of_the_dense_matrices(name):
    sample, *names = SAMPLES[name]
    codes, Z, J, Q = matrices(load(sample), *names)
    found = spectrum(codes, Z, J, Q)
    whole = np.where(codes[:, None] == np.arange(J), Z, 0.0)
    left = whole - Q @ (Q.T @ whole)
    for matrix, values, times in ((left.T @ left, found.mu, found.mu_times), (whole.T @ whole, found.xi, found.xi_times)):
        expected = np.linalg.eigvalsh(matrix)
        assert np.repeat(values, times) == pytest.approx(expected[expected > 1e-9 * expected[-1]], rel=1e-7)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("kind", ["reml", "ml"])
def test_tails_are_those_of_rlrsim(name, kind):
    """Both simulate: 200,000 and 100,000 statistics."""
    sample, *names = SAMPLES[name]
    draws = simulated(spectrum(*matrices(load(sample), *names)), kind == "reml", np.random.default_rng(1))
    figures = FIGURES[name][kind]
    for level, quantile in zip(LEVELS[1:], figures["quantiles"][1:], strict=True):
        error = np.sqrt(level * (1 - level) * (1 / 200_000 + 1 / 100_000))
        assert np.mean(draws >= quantile) == pytest.approx(1 - level, abs=4 * error)
    zero = figures["zero"]
    assert np.mean(draws < 1e-6) == pytest.approx(zero, abs=4 * np.sqrt(zero * (1 - zero) * 1.5e-5))


def test_the_closed_form_of_balanced_designs_against_rlrsim_and_its_own_simulation():
    data = load("pastes")
    full = sparsemixed.mixed("strength ~ 1 + (1 | batch)", data, reml=True)
    found = sparsemixed.lrtest(full, full.update("strength ~ 1"), exact=True)
    assert found.statistic == pytest.approx(FIGURES["casks"]["statistic"], rel=1e-5)
    expected = FIGURES["casks"]["pvalue"]
    assert found.pvalue == pytest.approx(expected, abs=4 * np.sqrt(expected / 200_000))
    assert "simulated" not in found.note
    table = spectrum(*matrices(data, "batch", None, []))
    draws = simulated(table, True, np.random.default_rng(2))
    for statistic in (0.2, 1.0, 3.0):
        p = balanced_pvalue(statistic, table)
        assert np.mean(draws >= statistic) == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / len(draws)))


@pytest.mark.parametrize("reml", [True, False])
def test_the_spectral_form_is_the_statistic_of_fits(reml):
    """w_k from a response's own projections give twice the difference of two log likelihoods."""
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(9), rng.integers(2, 9, 9))
    data = pd.DataFrame({"g": group, "x": rng.normal(size=group.size)})
    positive = 0
    for _ in range(6):
        data["y"] = rng.normal(size=group.size) + 0.5 * rng.normal(size=9)[group]
        fits = [sparsemixed.mixed(model, data, reml=reml) for model in ("y ~ x + (1 | g)", "y ~ x")]
        statistic = max(2 * (fits[0].llf - fits[1].llf), 0.0)
        codes, _, J, Q = matrices(data, "g", None, ["x"])
        whole = (codes[:, None] == np.arange(J)).astype(float)
        left = whole - Q @ (Q.T @ whole)
        U, s, _ = np.linalg.svd(left, full_matrices=False)
        U, mu = U[:, s > 1e-9], s[s > 1e-9] ** 2
        w2 = (U.T @ data.y.to_numpy()) ** 2
        e = data.y.to_numpy() - Q @ (Q.T @ data.y.to_numpy())
        rest = e @ e - w2.sum()
        lam = np.exp(np.linspace(-12, 6, 40_001))[:, None]
        D = (w2 / (1 + lam * mu)).sum(axis=1) + rest
        nu, values = (len(data) - 2, mu) if reml else (len(data), np.bincount(codes).astype(float))
        height = nu * np.log((w2.sum() + rest) / D) - np.log1p(lam * values).sum(axis=1)
        assert statistic == pytest.approx(max(height.max(), 0.0), abs=1e-5)
        positive += statistic > 0.1
    assert positive >= 2


def test_other_variances_precision_weights_and_what_is_printed():
    data = sparsemixed.datasets.simulate_longitudinal(25, 5, seed=2, unbalanced=True)
    data["w"] = 1.0 + data.index % 3
    data["c"] = data["time"] - 2.0
    full = sparsemixed.mixed("y c || id: c", data, reml=True, precision_weights="w")
    small = sparsemixed.mixed("y c || id:", data, reml=True, precision_weights="w")
    found = sparsemixed.lrtest(small, full, exact=True, seed=3)
    assert found.kind == "RLRT"
    assert found.pvalue == sparsemixed.lrtest(full, small, exact=True, seed=3).pvalue
    assert "p-value from 100,000 simulated statistics" in found.note
    assert "without the other random effects" in found.note
    assert "Exact restricted likelihood-ratio test" in str(found)
    assert "Prob >= RLRT" in str(found)
    assert found.frame.index.tolist() == ["Exact restricted likelihood-ratio test"]
    mixture = sparsemixed.lrtest(small, full).mixture_pvalue
    assert found.pvalue == pytest.approx(mixture, abs=0.1)


def test_effects_of_a_factor_and_effects_that_share_a_variance():
    data = sparsemixed.datasets.simulate_crossed(300, 20, 15, seed=2)
    small = sparsemixed.mixed("y x || _all: R.user", data, reml=True)
    full = sparsemixed.mixed("y x || _all: R.user || item:", data, reml=True)
    assert 0 <= sparsemixed.lrtest(small, full, exact=True).pvalue <= 1
    data["z"] = data["x"] ** 2
    shared = sparsemixed.mixed("y x || item: x z, noconstant covariance(identity)", data, reml=True)
    none = sparsemixed.mixed("y x", data, reml=True)
    assert 0 <= sparsemixed.lrtest(shared, none, exact=True).pvalue <= 1


def test_a_statistic_of_zero_has_probability_one():
    data = load("dyestuff2")
    full = sparsemixed.mixed("Yield ~ 1 + (1 | Batch)", data, reml=True)
    assert sparsemixed.lrtest(full, full.update("Yield ~ 1"), exact=True).pvalue == 1.0
    ml = sparsemixed.mixed("Yield ~ 1 + (1 | Batch)", data)
    assert sparsemixed.lrtest(ml, ml.update("Yield ~ 1"), exact=True).pvalue == 1.0


def test_refusals(tmp_path, monkeypatch):
    data = sparsemixed.datasets.simulate_longitudinal(20, 5, seed=2, unbalanced=True).assign(w=2)
    fits = {
        name: sparsemixed.mixed(f"y time || {random}", data)
        for name, random in {
            "one": "id:", "both": "id: time", "covary": "id: time, covariance(unstructured)",
            "ar": "id:, residuals(ar 1, t(time))", "ar alone": "id:, noconstant residuals(ar 1, t(time))",
        }.items()
    }  # fmt: skip
    for a, b in (("one", "covary"), ("one", "one")):
        with pytest.raises(OptionError, match="exact=True tests a single variance"):
            sparsemixed.lrtest(fits[a], fits[b], exact=True)
    with pytest.raises(NotAvailableError, match="exact=True needs independent errors"):
        sparsemixed.lrtest(fits["ar"], fits["ar alone"], exact=True)
    counted = [sparsemixed.mixed(f"y time [fweight=w]{random}", data) for random in ("", " || id:")]
    with pytest.raises(NotAvailableError, match="not available with weights that replicate"):
        sparsemixed.lrtest(*counted, exact=True)
    monkeypatch.setattr(exact_variance_test, "LARGEST_ORDER", 3)
    with pytest.raises(NotAvailableError, match="eigenvalues of a matrix of order"):
        sparsemixed.lrtest(fits["one"], fits["both"], exact=True)
    fits["one"].save(tmp_path / "small.fit")
    fits["both"].save(tmp_path / "full.fit")
    with pytest.raises(DataError, match="saved without its data"):
        sparsemixed.lrtest(*(sparsemixed.load(tmp_path / f"{name}.fit") for name in ("small", "full")), exact=True)


def test_no_eigenvalue_no_statistic():
    none = Spectrum(np.zeros(0), np.zeros(0, np.int64), np.ones(1), np.ones(1, np.int64), 5, 4)
    assert not simulated(none, True, np.random.default_rng(0), 10).any()
