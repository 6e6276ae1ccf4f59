"""Long groups whitened row after row: against dense blocks of R, value, gradient, Hessian, products and whole fits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sparsemixed
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.problems import residual as residual_problems
from sparsemixed.solver import threads
from sparsemixed.solver.residual import whitened
from sparsemixed.solver.residual.precision import BlockPrecision
from sparsemixed.solver.residual.whitened import WhitenedPrecision, covariance_products, has_recursion
from sparsemixed.structures.residual_errors.base import Times
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES

LONGEST = 9
RECURSIVE = {
    f"{name} {order or ''}".strip(): RESIDUAL_STRUCTURES[name].build(Times(LONGEST, LONGEST, tuple("0123456789")), order)
    for name, family in RESIDUAL_STRUCTURES.items()
    for order in ((1, 2, 3) if family.order_limits is not None and family.time == "integer" else (None,))
    if family.time in ("integer", "real")
}
RECURSIVE = {name: structure for name, structure in RECURSIVE.items() if has_recursion(structure)}


def test_which_families_have_recursions():
    expected = {"ar 1", "ar 2", "ar 3", "ma 1", "ma 2", "ma 3", "toeplitz 1", "toeplitz 2", "toeplitz 3", "exponential"}
    assert set(RECURSIVE) == expected


def dense_products(structure, t, start, weights, rows, rho, S=None):
    """(C'QC, log|R|), its derivatives, and second derivatives contracted with S, by the dense blocks."""
    block = BlockPrecision(structure, t, start, weights)
    row = np.repeat(np.arange(len(t)), np.diff(block.indptr))
    group = np.repeat(np.arange(len(start) - 1), np.diff(start))[row]

    def products(data):
        out = np.zeros((len(start) - 1, rows.shape[1], rows.shape[1]))
        np.add.at(out, group, data[:, None, None] * rows[row][:, :, None] * rows[block.indices][:, None, :])
        return out.ravel()

    value, logdet = block.values(rho)
    first, logs = block.derivatives(rho)
    psi = np.einsum("ea,eab,eb->e", rows[row], S.reshape(-1, rows.shape[1], rows.shape[1])[group], rows[block.indices])
    return products(value), logdet, np.array([products(each) for each in first]), logs, block.second(rho, psi)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(sorted(RECURSIVE)), st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([0.0, 0.3, 0.7]))
def test_products_and_derivatives_are_those_of_dense_blocks(name, seed, by, missing):
    rng = np.random.default_rng(seed)
    structure = ByLevel((RECURSIVE[name],) * 2, ("a", "b")) if by else RECURSIVE[name]
    sizes = rng.integers(1, 25, 4)
    steps = [np.where(rng.random(size) < missing, rng.integers(1, 12, size), 1) for size in sizes]
    times = [rng.integers(-30, 30) + np.cumsum(each) for each in steps]
    start = np.concatenate([[0], np.cumsum([len(each) for each in times])])
    t = np.concatenate(times).astype(float)
    if by:
        t = np.column_stack([t, np.repeat(np.arange(4) % 2, np.diff(start))])
    weights, rows = rng.uniform(0.5, 3, 4), rng.normal(size=(len(t), 3))
    rho = rng.normal(size=structure.n_rho) * (0.12 if "toeplitz" in name else 0.5)
    S = rng.normal(size=(4, 3, 3))
    S = (S + S.transpose(0, 2, 1)).ravel()
    own = WhitenedPrecision(structure, t, start, weights, rows)
    value, logdet, first, logs, second = dense_products(structure, t, start, weights, rows, rho, S)
    found, found_first = own.values(rho), own.derivatives(rho)
    scale = np.abs(value).max()
    np.testing.assert_allclose(found[0], value, rtol=1e-9, atol=1e-10 * scale)
    assert found[1] == pytest.approx(logdet, rel=1e-9, abs=1e-10)
    np.testing.assert_allclose(found_first[0], first, rtol=1e-8, atol=1e-8 * scale)
    np.testing.assert_allclose(found_first[1], logs, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(own.second(rho, S), second, rtol=1e-8, atol=1e-8 * np.abs(second).max())


@pytest.mark.parametrize("name", sorted(RECURSIVE))
@pytest.mark.parametrize("by", [False, True])
def test_products_with_the_covariance(name, by):
    rng = np.random.default_rng(8)
    structure = ByLevel((RECURSIVE[name],) * 2, ("a", "b")) if by else RECURSIVE[name]
    start, t = np.array([0, 5, 6, 11]), np.array([0, 1, 2, 5, 6, 3, 1, 3, 4, 9, 30.0])
    times = np.column_stack([t, [0] * 5 + [1] * 6]) if by else t
    rho, w = 0.3 * rng.normal(size=structure.n_rho), rng.normal(size=11)
    product, change = covariance_products(structure, times, start, rho, w)
    for low, high in ((0, 5), (5, 6), (6, 11)):
        R, dR = structure.covariance(rho, times[low:high]), structure.dcovariance(rho, times[low:high])
        np.testing.assert_allclose(product[low:high], R @ w[low:high], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(change[:, low:high], dR @ w[low:high], rtol=1e-11, atol=1e-13)


def test_gaps_of_any_length_cost_nothing():
    """Predictions over a gap of 2^40 units are those of the mean, and the cost is that of its logarithm."""
    structure = RESIDUAL_STRUCTURES["ar"](2)
    rho, rows = np.array([0.8, -0.4]), np.random.default_rng(2).normal(size=(6, 2))
    far = WhitenedPrecision(structure, np.array([0, 1, 2, 2.0**40, 2.0**40 + 1, 2.0**40 + 2]), np.array([0, 6]), np.ones(1), rows)
    apart = WhitenedPrecision(structure, np.array([0, 1, 2, 0, 1, 2.0]), np.array([0, 3, 6]), np.ones(2), rows)
    one, two = far.values(rho), apart.values(rho)
    assert one[1] == pytest.approx(two[1], rel=1e-13)
    np.testing.assert_allclose(one[0], two[0].reshape(2, -1).sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize("name", ["ar 2", "toeplitz 2"])
def test_threads_change_nothing(name, monkeypatch):
    """Each takes groups of its own; one that cannot be whitened is found by whichever takes it."""
    rng = np.random.default_rng(3)
    structure, sizes = RECURSIVE[name], rng.integers(1, 12, 9)
    start, t = np.append(0, np.cumsum(sizes)), np.concatenate([np.arange(float(size)) for size in sizes])
    own = WhitenedPrecision(structure, t, start, np.ones(9), rng.normal(size=(t.size, 2)))
    rho = 0.1 * rng.normal(size=structure.n_rho)
    S = rng.normal(size=9 * 4)
    wanted = *own.values(rho), *own.derivatives(rho), own.second(rho, S)
    monkeypatch.setattr(whitened, "WORTH_THREADS", 0)
    monkeypatch.setattr(whitened, "PARTS", 4)
    monkeypatch.setattr(threads.numba, "get_num_threads", lambda: 2)
    for found, value in zip((*own.values(rho), *own.derivatives(rho), own.second(rho, S)), wanted, strict=True):
        np.testing.assert_array_equal(found, value)
    monkeypatch.setattr(whitened, "shared_out", lambda work, begins, ends: [True, False])
    with pytest.raises(NumericalError, match="not positive definite"):
        own.values(rho)


def test_correlations_that_are_impossible_are_refused():
    structure = RESIDUAL_STRUCTURES["toeplitz"](1)
    own = WhitenedPrecision(structure, np.arange(30.0), np.array([0, 30]), np.ones(1), np.ones((30, 1)))
    with pytest.raises(NumericalError, match="not positive definite"):
        own.values(np.arctanh(np.array([0.6])))


COMMANDS = (
    "y x || id:, residuals(ar 2, t(t))",
    "y x || id: x, noconstant residuals(ma 2, t(t)) reml",
    "y x || top: x || id:, residuals(toeplitz 2, t(t)) reml",
    "y x || top: || mid: || id:, residuals(ar 3, t(t))",
    "y x || id:, noconstant residuals(ma 1, t(t) by(b)) vce(robust)",
    "y x || id:, noconstant residuals(ar 1, t(t) by(b)) reml dfmethod(satterthwaite, oim)",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_fits_are_those_of_dense_blocks(command, monkeypatch):
    rng = np.random.default_rng(4)
    n, groups = 16, 24
    data = pd.DataFrame({"id": np.repeat(np.arange(groups), n), "t": np.tile(np.arange(n), groups)})
    data["top"], data["mid"], data["b"] = data.id // 8, data.id // 4, data.id % 2
    e = rng.normal(size=(groups, n + 1))
    data["x"] = rng.normal(size=len(data))
    data["y"] = data.x * (1 + 0.5 * rng.normal(size=groups)[data.id]) + (e[:, 1:] + 0.6 * e[:, :-1]).ravel()
    for level in ("top", "mid", "id"):
        data["y"] += rng.normal(size=groups)[data[level]]
    data = data[rng.random(len(data)) > 0.25]
    monkeypatch.setattr(residual_problems, "SMALL_CLUSTER", 0)
    fits = []
    for longest in (10**6, 0):
        monkeypatch.setattr(residual_problems, "LONG_GROUP", longest)
        fits.append(sparsemixed.mixed(command, data))
    dense, long = fits
    assert long.llf == pytest.approx(dense.llf, rel=1e-12)
    np.testing.assert_allclose(long.bse, dense.bse, rtol=1e-8)
    np.testing.assert_allclose(long.random_params["estimate"], dense.random_params["estimate"], rtol=1e-6, atol=1e-9)
    for left, right in zip(long.fit.u, dense.fit.u, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-8)
    if "reml" not in command:
        np.testing.assert_allclose(long.predict(what="scores"), dense.predict(what="scores"), rtol=1e-5, atol=1e-5)
