"""Every residual structure: positive definite by construction, exact derivatives, submatrices for gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sparsemixed.structures.residual_by import ByLevel
from sparsemixed.structures.residual_table import RESIDUAL_STRUCTURES

LEVELS = ("0", "4", "6", "8", "12")
MAKE = {
    "independent": lambda rng: RESIDUAL_STRUCTURES["independent"](LEVELS),
    "exchangeable": lambda rng: RESIDUAL_STRUCTURES["exchangeable"](5),
    "ar": lambda rng: RESIDUAL_STRUCTURES["ar"](int(rng.integers(1, 4))),
    "ma": lambda rng: RESIDUAL_STRUCTURES["ma"](int(rng.integers(1, 4))),
    "unstructured": lambda rng: RESIDUAL_STRUCTURES["unstructured"](LEVELS),
    "banded": lambda rng: RESIDUAL_STRUCTURES["banded"](LEVELS, int(rng.integers(0, 4))),
    "toeplitz": lambda rng: RESIDUAL_STRUCTURES["toeplitz"](int(rng.integers(1, 5))),
    "exponential": lambda rng: RESIDUAL_STRUCTURES["exponential"](),
}
CASES = st.tuples(st.sampled_from(sorted(MAKE)), st.booleans(), st.integers(0, 2**32 - 1))


def setting(case):
    name, by, seed = case
    rng = np.random.default_rng(seed)
    structure = MAKE[name](rng)
    t = np.sort(rng.permuted(np.tile(np.arange(5.0), (3, 1)), axis=1)[:, :4], axis=1)
    if structure.time == "real":
        t = np.sort(rng.uniform(0, 3, (3, 4)), axis=1)
    if by and name != "independent":
        structure = ByLevel((structure, MAKE[name](np.random.default_rng(seed))), ("a", "b"))
        t = np.stack([t, np.broadcast_to(np.array([[0.0], [1.0], [1.0]]), t.shape)], axis=-1)
    scale = 0.15 if name == "toeplitz" else 0.7
    return structure, scale * rng.normal(size=structure.n_rho), t, rng


def test_the_table_is_covered():
    assert set(MAKE) == set(RESIDUAL_STRUCTURES)


@given(CASES)
def test_positive_definite(case):
    structure, rho, t, _ = setting(case)
    R = structure.covariance(rho, t)
    assert R.shape == (3, 4, 4)
    smallest = np.linalg.eigvalsh(R).min()
    assume(case[0] != "toeplitz" or smallest > 0)
    assert smallest > 0
    np.testing.assert_allclose(R, R.transpose(0, 2, 1))


@given(CASES)
def test_derivatives_match_the_complex_step_and_differences(case):
    structure, rho, t, rng = setting(case)
    weights = rng.normal(size=(3, 4, 4))
    first, step = structure.dcovariance(rho, t), 1e-6
    second = structure.second(rho, t, weights)
    for j in range(structure.n_rho):
        unit = step * np.eye(structure.n_rho)[j]
        moved = rho.astype(complex)
        moved[j] += 1e-100j
        np.testing.assert_allclose(first[j], structure.covariance(moved, t).imag / 1e-100, atol=1e-12)
        change = (structure.dcovariance(rho + unit, t) - structure.dcovariance(rho - unit, t)) / (2 * step)
        expected = np.tensordot(change, weights, axes=3)
        np.testing.assert_allclose(second[j], expected, atol=1e-6 * max(1.0, np.abs(expected).max()))


@given(CASES)
def test_display_gradients(case):
    structure, rho, _, _ = setting(case)
    step = 1e-6
    for j in range(structure.n_rho):
        unit = step * np.eye(structure.n_rho)[j]
        up, down = structure.display(rho + unit), structure.display(rho - unit)
        for row, high, low in zip(structure.display(rho), up, down, strict=True):
            assert row.gradient[j] == pytest.approx((high.value - low.value) / (2 * step), rel=1e-5, abs=1e-6)


@given(CASES)
def test_a_gap_takes_a_submatrix(case):
    structure, rho, t, _ = setting(case)
    keep = [0, 1, 3]
    whole = structure.covariance(rho, t)[:, keep][:, :, keep]
    np.testing.assert_allclose(structure.covariance(rho, t[:, keep]), whole, atol=1e-14)
