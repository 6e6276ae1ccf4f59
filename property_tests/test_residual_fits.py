"""Fits with residual structures: families that contain each other, and what must not matter."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import sparsemixed

SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=max(settings().max_examples // 4, 9))
STRUCTURES = (
    "exchangeable",
    "ar 1, t(t)",
    "ar 2, t(t)",
    "ma 1, t(t)",
    "unstructured, t(t)",
    "banded 1, t(t)",
    "toeplitz 2, t(t)",
    "exponential, t(u)",
    "exponential, t(u) by(arm)",
    "ar 1, t(t) by(arm)",
)
RANDOM = ("|| g:, noconstant", "|| g:,")
CASES = st.tuples(SEEDS, st.sampled_from(STRUCTURES), st.sampled_from(RANDOM), st.booleans())


def longitudinal(seed, times=4, groups=30, rho=0.5, gaps=True):
    """Groups of unequal sizes with gaps, autoregressive errors, a weak random intercept."""
    rng = np.random.default_rng(seed)
    errors = rng.normal(size=(groups, times))
    for t in range(1, times):
        errors[:, t] = rho * errors[:, t - 1] + np.sqrt(1 - rho**2) * errors[:, t]
    there = rng.random((groups, times)) < (0.85 if gaps else 1.0)
    there[:8] = True
    g, t = np.nonzero(there)
    table = pd.DataFrame({"g": g, "t": t, "u": t + 0.3 * t**2, "arm": g % 2, "x": rng.normal(size=g.size)})
    table["y"] = 1.0 + 0.5 * table["x"] + 0.5 * rng.normal(size=groups)[g] + errors[g, t]
    return table


def fit(data, structure, random=RANDOM[0], reml=False):
    return sparsemixed.mixed(f"y x {random} residuals({structure})", data, reml=reml)


@FEW
@given(CASES, st.integers(-3, 40))
def test_order_of_rows_names_of_groups_and_origin_of_time_do_not_matter(case, shift):
    seed, structure, random, reml = case
    data = longitudinal(seed)
    one = fit(data, structure, random, reml)
    assume(one.converged and not one.fit.boundary.any())
    other = data.sample(frac=1.0, random_state=seed % 1000)
    other["g"] = (other["g"] * 7919) % 1009
    for time in ("t", "u"):
        other[time] += shift if structure.split()[0] not in ("unstructured,", "banded") else abs(shift)
    again = fit(other, structure, random, reml)
    assert again.llf == pytest.approx(one.llf, rel=1e-9)
    assert again.params.to_numpy() == pytest.approx(one.params.to_numpy(), rel=1e-4, abs=1e-5)
    assert again.random_params["estimate"].to_numpy() == pytest.approx(
        one.random_params["estimate"].to_numpy(), rel=1e-3, abs=1e-4
    )


@FEW
@given(SEEDS, st.booleans())
def test_time_may_run_backwards(seed, reml):
    data = longitudinal(seed)
    for structure in ("ar 1, t(t)", "ar 2, t(t)", "ma 1, t(t)", "toeplitz 2, t(t)"):
        found = [fit(d, structure, reml=reml) for d in (data, data.assign(t=-data["t"]))]
        assert found[0].llf == pytest.approx(found[1].llf, rel=1e-9)


@FEW
@given(SEEDS, st.booleans())
def test_families_that_are_the_same(seed, reml):
    data = longitudinal(seed)
    pairs = [
        ("banded, t(t)", "unstructured, t(t)"),
        ("banded 0, t(t)", "independent, by(t)"),
        ("ar 1, t(t)", "exponential, t(t)"),
    ]
    for one, other in pairs:
        assert fit(data, one, reml=reml).llf == pytest.approx(fit(data, other, reml=reml).llf, rel=1e-8), (one, other)


@FEW
@given(SEEDS, st.booleans())
def test_two_visits_exchangeable_autoregressive_and_toeplitz_agree(seed, reml):
    data = longitudinal(seed, times=2)
    found = [fit(data, structure, reml=reml).llf for structure in ("exchangeable", "ar 1, t(t)", "toeplitz 1, t(t)")]
    assert found == pytest.approx([found[0]] * 3, rel=1e-9)


@FEW
@given(SEEDS, st.booleans())
def test_exchangeable_errors_are_a_random_intercept(seed, reml):
    data = longitudinal(seed)
    errors = fit(data, "exchangeable", reml=reml)
    intercept = sparsemixed.mixed("y x || g:", data, reml=reml)
    common = errors.random_params["estimate"].iloc[1]
    assume(common > 0.01)
    assert errors.llf == pytest.approx(intercept.llf, rel=1e-9)
    assert common == pytest.approx(intercept.random_params["estimate"].iloc[0], rel=1e-3)
    assert errors.bse.to_numpy() == pytest.approx(intercept.bse.to_numpy(), rel=1e-4)


@FEW
@given(SEEDS, st.booleans())
def test_a_moving_average_is_a_toeplitz_matrix_of_order_one(seed, reml):
    data = longitudinal(seed, rho=0.2)
    moving, toeplitz = fit(data, "ma 1, t(t)", reml=reml), fit(data, "toeplitz 1, t(t)", reml=reml)
    assert toeplitz.llf > moving.llf - 1e-7
    if abs(toeplitz.random_params["estimate"].iloc[0]) < 0.49:
        assert toeplitz.llf == pytest.approx(moving.llf, rel=1e-8)


@FEW
@given(SEEDS, st.booleans())
def test_larger_families_fit_better(seed, reml):
    data = longitudinal(seed)
    chains = [
        ("independent", "ar 1, t(t)", "ar 2, t(t)", "ar 3, t(t)", "toeplitz 3, t(t)", "unstructured, t(t)"),
        ("independent", "toeplitz 1, t(t)", "toeplitz 2, t(t)", "toeplitz 3, t(t)"),
        ("exponential, t(u)", "exponential, t(u) by(arm)"),
        ("banded 0, t(t)", "banded 1, t(t)", "banded 2, t(t)", "banded, t(t)"),
    ]
    for chain in chains:
        values = [fit(data, structure, reml=reml).llf for structure in chain]
        assert all(larger > smaller - 1e-6 for smaller, larger in pairwise(values)), (chain, values)


@FEW
@given(SEEDS)
def test_levels_with_coefficients_of_their_own_are_fits_of_their_own(seed):
    data = longitudinal(seed, groups=40)
    for structure in ("exchangeable, ", "ar 1, t(t) ", "exponential, t(u) ", "unstructured, t(t) "):
        whole = sparsemixed.mixed(
            f"y ibn.arm ibn.arm#c.x, noconstant || g:, noconstant residuals({structure} by(arm))", data, reml=True
        )
        parts = [fit(data[data["arm"] == arm], structure.rstrip(", "), reml=True) for arm in (0, 1)]
        assert whole.llf == pytest.approx(parts[0].llf + parts[1].llf, rel=1e-8)


@FEW
@given(SEEDS, st.sampled_from([0.5, 3.0, 20.0]))
def test_the_unit_of_time_changes_only_the_decay(seed, unit):
    data = longitudinal(seed)
    one, other = fit(data, "exponential, t(u)"), fit(data.assign(u=unit * data["u"]), "exponential, t(u)")
    assert other.llf == pytest.approx(one.llf, rel=1e-8)
    rho, scaled = (f.random_params["estimate"].iloc[0] for f in (one, other))
    assert scaled**unit == pytest.approx(rho, rel=1e-3, abs=1e-4)
