"""Weights on data drawn at random: whole weights are replicates, for every structure, at every level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import sparsemixed
from tests.estimation.test_weights_engine import unweighted
from tests.oracles.weighted_cases import MODELS, command, nested, replicated

DRAWS = st.tuples(st.sampled_from(sorted(MODELS)), st.integers(0, 2**31 - 1))


@given(DRAWS)
def test_whole_weights_are_replicates(draw):
    name, seed = draw
    data = nested(seed)
    fit = sparsemixed.mixed(command(name), data)
    whole = sparsemixed.mixed(unweighted(name), replicated(data, MODELS[name][1], "[W]" in MODELS[name][0]))
    assume(fit.converged and whole.converged)
    assert fit.llf == pytest.approx(whole.llf, rel=1e-9)
    assert fit.fit.llf_linear == pytest.approx(whole.fit.llf_linear, rel=1e-10)
    np.testing.assert_allclose(fit.params, whole.params, rtol=1e-3, atol=1e-4)


@given(DRAWS, st.floats(0.1, 50.0))
def test_a_constant_at_the_top_scales_the_likelihood_only(draw, factor):
    name, seed = draw
    top = next((level for level in "cba" if level in MODELS[name][1]), None)
    assume(top is not None and name != "rows only")
    data = nested(seed)
    fit = sparsemixed.mixed(command(name, "pweight"), data, emiterate=0)
    data[f"w{top}"] *= factor
    other = sparsemixed.mixed(command(name, "pweight"), data)
    assume(fit.converged and other.converged)
    assert other.llf == pytest.approx(factor * fit.llf, rel=1e-9)
    np.testing.assert_allclose(other.params, fit.params, rtol=1e-3, atol=1e-4)
