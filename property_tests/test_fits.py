"""Fits as a user meets them: invariances that hold for any data, on random designs, through the public interface."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sparsemixed

SEEDS = st.integers(0, 2**32 - 1)
COMMANDS = (
    "y x || g:",
    "y x || g: x",
    "y x || g: x, cov(un)",
    "y x || _all: R.h || g:",
    "y x || g: || h:",
    "y x || h: x z, cov(exchangeable)",
)
MODELS = st.tuples(SEEDS, st.sampled_from(COMMANDS), st.booleans())


def frame(seed, n=80):
    """Clear variance components most of the time, a nearly singular one now and then."""
    rng = np.random.default_rng(seed)
    g, h = rng.integers(0, 10, n), rng.integers(0, 6, n)
    x, z = rng.normal(size=(2, n))
    scale = rng.choice([0.0, 1.0, 1.0, 1.5])
    y = 2 + 0.5 * x + rng.normal(size=10)[g] + scale * rng.normal(size=10)[g] * x + rng.normal(size=6)[h] + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": g, "h": h})


def variances(fit):
    return fit.random_params["estimate"].to_numpy()


@given(MODELS)
def test_rows_in_any_order(model):
    seed, command, reml = model
    data = frame(seed)
    a = sparsemixed.mixed(command, data, reml=reml)
    b = sparsemixed.mixed(command, data.sample(frac=1.0, random_state=seed % 1000), reml=reml)
    assert b.llf == pytest.approx(a.llf, rel=1e-10)
    np.testing.assert_allclose(b.params, a.params, rtol=1e-6, atol=1e-8)


@given(MODELS)
def test_group_labels_do_not_matter(model):
    seed, command, reml = model
    data = frame(seed)
    renamed = data.assign(g=(data["g"] * 7919 + 13) % 1009, h=data["h"].map(lambda v: f"level {9 - v}"))
    a, b = (sparsemixed.mixed(command, d, reml=reml) for d in (data, renamed))
    assert b.llf == pytest.approx(a.llf, rel=1e-10)


@given(MODELS, st.floats(-50, 50), st.floats(0.01, 100))
def test_affine_response(model, shift, scale):
    """y -> a + c y shifts the constant, scales beta and sds by c, and the likelihood by -df log c."""
    seed, command, reml = model
    data = frame(seed)
    a = sparsemixed.mixed(command, data, reml=reml)
    b = sparsemixed.mixed(command, data.assign(y=shift + scale * data["y"]), reml=reml)
    df = len(data) - (2 if reml else 0)
    assert b.llf == pytest.approx(a.llf - df * np.log(scale), rel=1e-8, abs=1e-6)
    assert b.params["x"] == pytest.approx(scale * a.params["x"], rel=1e-5, abs=1e-7 * scale)
    assert b.params["_cons"] == pytest.approx(shift + scale * a.params["_cons"], rel=1e-5, abs=1e-6 * scale)
    np.testing.assert_allclose(variances(b), scale**2 * variances(a), rtol=2e-3, atol=1e-5 * scale**2)


@given(SEEDS, st.sampled_from(COMMANDS[:1] + COMMANDS[3:5]), st.booleans())
def test_reparameterised_fixed_part(seed, command, reml):
    """X -> XT with |det T| = 1 leaves both likelihoods and every fitted value alone."""
    data = frame(seed)
    data["w"] = data["z"] + 3 * data["x"] - 2
    a = sparsemixed.mixed(command.replace("y x", "y x z"), data, reml=reml)
    b = sparsemixed.mixed(command.replace("y x", "y x w"), data, reml=reml)
    assert b.llf == pytest.approx(a.llf, rel=1e-9)
    assert b.params["x"] == pytest.approx(a.params["x"] - 3 * a.params["z"], rel=1e-5, abs=1e-6)


@given(SEEDS, st.booleans())
def test_richer_structures_fit_no_worse(seed, reml):
    data = frame(seed)
    fits = [
        sparsemixed.mixed(f"y x || g: x, cov({structure})", data, reml=reml)
        for structure in ("identity", "independent", "unstructured")
    ]
    exchangeable = sparsemixed.mixed("y x || g: x, cov(exchangeable)", data, reml=reml)
    assert fits[0].llf <= fits[1].llf + 1e-6 <= fits[2].llf + 2e-6
    assert fits[0].llf <= exchangeable.llf + 1e-6 <= fits[2].llf + 2e-6


@given(SEEDS, st.booleans())
def test_a_level_and_its_crossed_form(seed, reml):
    """`|| _all: R.g` is `|| g:`, and so with a second factor (manual, example 10, technical note)."""
    data = frame(seed)
    pairs = [("y x || g:", "y x || _all: R.g"), ("y x || _all: R.h || g:", "y x || _all: R.h || _all: R.g")]
    for left, right in pairs:
        a, b = (sparsemixed.mixed(command, data, reml=reml) for command in (left, right))
        assert b.llf == pytest.approx(a.llf, rel=1e-9)
        np.testing.assert_allclose(b.bse, a.bse, rtol=1e-5)


@given(MODELS, st.sampled_from(["dense", "sparse"]))
def test_storage_does_not_matter(model, solver):
    seed, command, reml = model
    data = frame(seed)
    a, b = sparsemixed.mixed(command, data, reml=reml), sparsemixed.mixed(command, data, reml=reml, solver=solver)
    assert b.llf == pytest.approx(a.llf, rel=1e-10)
