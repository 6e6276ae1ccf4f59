"""Every residual structure: positive definite by construction, exact derivatives, submatrices for gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sparsemixed.structures.base import as_deviations
from sparsemixed.structures.residual_errors.base import ResidualStructure, Times
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES

LEVELS = ("0", "4", "6", "8", "12")
CASES = st.tuples(st.sampled_from(sorted(RESIDUAL_STRUCTURES)), st.booleans(), st.integers(0, 2**32 - 1))


def member(name, rng, gap=1, shortest=1.0):
    """A member of a family of the table, built as a design builds it: for five times that are multiples of `gap`."""
    family = RESIDUAL_STRUCTURES[name]
    levels = LEVELS if family.time == "levels" or family.independent_rows else None
    times = Times(len(LEVELS), 4 * gap if family.time == "integer" else None, levels, shortest, gap)
    limits = family.order_limits
    if limits is None:
        return family.build(times, None)
    largest = 3 if limits.default is not None else times.largest_order[0]
    return family.build(times, int(rng.integers(limits.smallest, largest + 1)))


def setting(case):
    name, by, seed = case
    rng = np.random.default_rng(seed)
    gap, shortest = int(rng.integers(1, 3)), float(rng.choice([1.0, 0.01, 0.3]))
    structure = member(name, rng, gap, shortest)
    t = np.sort(rng.permuted(np.tile(np.arange(5.0), (3, 1)), axis=1)[:, :4], axis=1)
    if structure.time == "integer":
        t *= gap
    if structure.time == "real":
        t = np.sort(rng.uniform(0, 3, (3, 4)), axis=1)
    if by and not structure.independent_rows:
        structure = ByLevel((structure, member(name, np.random.default_rng(seed), gap)), ("a", "b"))
        t = np.stack([t, np.broadcast_to(np.array([[0.0], [1.0], [1.0]]), t.shape)], axis=-1)
    scale = 0.15 if name == "toeplitz" else 0.7
    return structure, scale * rng.normal(size=structure.n_rho), t, rng


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


@given(st.sampled_from(sorted(set(RESIDUAL_STRUCTURES) - {"independent"})), st.integers(0, 2**32 - 1))
def test_second_derivatives_by_level_are_the_complex_step_of_the_first(name, seed):
    """Rows that random effects tie together can hold groups of several levels."""
    rng = np.random.default_rng(seed)
    structure = ByLevel(tuple(member(name, np.random.default_rng(seed)) for _ in range(3)), ("a", "b", "c"))
    t = np.stack([np.tile(np.arange(4.0), (5, 1)), rng.integers(0, 3, (5, 4))], axis=-1)
    rho, weights = 0.15 * rng.normal(size=structure.n_rho), rng.normal(size=(5, 4, 4))
    weights = weights + weights.transpose(0, 2, 1)
    general = ResidualStructure.second(structure, rho, t, weights)
    np.testing.assert_allclose(structure.second(rho, t, weights), general, atol=1e-12 * np.abs(general).max())


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
def test_deviations_are_made_by_keys_of_the_same_level(case):
    """The printed correlation of two errors is that of R, whichever level of by() they belong to and whatever it is called."""
    structure, rho, _, _ = setting(case)
    rows = structure.display(rho)
    variances = {(row.level, row.key[1:]): row.value for row in rows if row.kind == "variance"}
    for row, shown in zip(rows, as_deviations(rows), strict=True):
        if row.kind == "variance":
            assert (shown.label, shown.value) == (row.label.replace("var(", "sd("), pytest.approx(np.sqrt(row.value)))
        elif row.kind == "covariance":
            product = variances[row.level, row.key[1:2]] * variances[row.level, row.key[2:3]]
            assert (shown.label, shown.kind) == (row.label.replace("cov(", "corr("), "correlation")
            assert shown.value == pytest.approx(row.value / np.sqrt(product))
        else:
            assert shown is row


def test_levels_of_the_same_name_are_not_mixed_up():
    """Two values of by() may have the same value label."""
    exchangeable = RESIDUAL_STRUCTURES["exchangeable"](3)
    rows = ByLevel((exchangeable,) * 2, ("a", "a")).display(np.array([0.5, 1.0, -0.3]))
    assert [row.label for row in rows] == ["a: var(e)", "a: cov(e)"] * 2
    first, second = (row.value for row in as_deviations(rows) if row.kind == "correlation")
    assert first == pytest.approx(rows[1].value / rows[0].value)
    assert second == pytest.approx(rows[3].value / rows[2].value)


@given(CASES)
def test_a_gap_takes_a_submatrix(case):
    structure, rho, t, _ = setting(case)
    keep = [0, 1, 3]
    whole = structure.covariance(rho, t)[:, keep][:, :, keep]
    np.testing.assert_allclose(structure.covariance(rho, t[:, keep]), whole, atol=1e-14)


CORRELATIONS = st.floats(-0.95, 0.95)
TIMES = st.lists(st.integers(-5, 12), min_size=2, max_size=6, unique=True).map(lambda t: np.array(sorted(t), float))


@given(st.integers(1, 4), TIMES, st.sampled_from(["ar", "ma", "toeplitz"]))
def test_without_correlation_errors_are_independent(order, t, name):
    np.testing.assert_array_equal(RESIDUAL_STRUCTURES[name](order).covariance(np.zeros(order), t), np.eye(t.size))


@given(CORRELATIONS, TIMES)
def test_a_toeplitz_matrix_of_order_one_has_the_correlations_of_a_moving_average(theta, t):
    moving = RESIDUAL_STRUCTURES["ma"](1).covariance(np.arctanh([-theta]), t)
    toeplitz = RESIDUAL_STRUCTURES["toeplitz"](1).covariance(np.arctanh([theta / (1 + theta**2)]), t)
    np.testing.assert_allclose(moving, toeplitz, atol=1e-14)


@given(CORRELATIONS)
def test_two_exchangeable_errors_are_autoregressive(c):
    exchangeable = RESIDUAL_STRUCTURES["exchangeable"](2).covariance(np.array([np.log((1 + c) / (1 - c))]), np.zeros(2))
    autoregressive = RESIDUAL_STRUCTURES["ar"](1).covariance(np.arctanh([c]), np.array([3.0, 4.0]))
    np.testing.assert_allclose(exchangeable, autoregressive, atol=1e-14)


@given(st.integers(0, 2**32 - 1))
def test_a_full_band_is_unstructured(seed):
    banded, unstructured = RESIDUAL_STRUCTURES["banded"](LEVELS, 4), RESIDUAL_STRUCTURES["unstructured"](LEVELS)
    rho, t = np.random.default_rng(seed).normal(size=14), np.arange(5.0)
    np.testing.assert_array_equal(banded.covariance(rho, t), unstructured.covariance(rho, t))
    assert [p.label for p in banded.display(rho)] == [p.label for p in unstructured.display(rho)]


@given(st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_a_band_is_zero_beyond_its_width(seed, width):
    banded = RESIDUAL_STRUCTURES["banded"](LEVELS, width)
    R = banded.covariance(np.random.default_rng(seed).normal(size=banded.n_rho), np.arange(5.0))
    distance = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    np.testing.assert_array_equal(R[distance > width], 0.0)
    assert np.all(R[distance <= width] != 0.0)


@given(st.floats(0.01, 0.99), TIMES)
def test_exponential_errors_at_integer_times_are_autoregressive(rho, t):
    exponential = RESIDUAL_STRUCTURES["exponential"]().covariance(np.array([np.log(rho / (1 - rho))]), t)
    autoregressive = RESIDUAL_STRUCTURES["ar"](1).covariance(np.arctanh([rho]), t)
    np.testing.assert_allclose(exponential, autoregressive, atol=1e-13)


@given(st.integers(1, 3), st.integers(0, 2**32 - 1), TIMES)
def test_a_higher_order_with_a_last_partial_autocorrelation_of_zero_is_the_lower_order(order, seed, t):
    rho = np.random.default_rng(seed).normal(size=order)
    for name in ("ar", "ma"):
        low = RESIDUAL_STRUCTURES[name](order).covariance(rho, t)
        high = RESIDUAL_STRUCTURES[name](order + 1).covariance(np.append(rho, 0.0), t)
        np.testing.assert_allclose(low, high, atol=1e-12)


@given(CASES)
def test_levels_may_be_mixed_within_rows_that_belong_together(case):
    """Rows that random effects tie together can hold groups of several levels: each pair has its own level's covariance."""
    structure, rho, t, _ = setting((case[0], True, case[2]))
    assume(isinstance(structure, ByLevel))
    mixed = t[0].copy()
    mixed[:, 1] = [0.0, 1.0, 1.0, 0.0]
    whole = structure.covariance(rho, mixed)
    for rows in ([0, 3], [1, 2]):
        np.testing.assert_allclose(whole[np.ix_(rows, rows)], structure.covariance(rho, mixed[rows]), atol=1e-14)
    np.testing.assert_array_equal(whole[np.ix_([0, 3], [1, 2])], 0.0)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("far", [-800.0, 800.0])
@pytest.mark.parametrize("name", ["exchangeable", "exponential", "ar", "ma"])
def test_far_out_parameters_do_not_overflow(name, far):
    """The search may go there when a correlation ends on the edge of its range."""
    structure = member(name, np.random.default_rng(0))
    rho, t = np.full(structure.n_rho, far), np.array([0.0, 1.0, 3.0, 4.0])
    for values in (structure.covariance(rho, t), structure.dcovariance(rho, t), [p.value for p in structure.display(rho)]):
        assert np.all(np.isfinite(values))
