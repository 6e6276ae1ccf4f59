"""Every way to search ends at the same maximum, on random designs."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import sparsemixed
from property_tests.test_fits import MODELS, frame

SEARCHES = (
    {"matlog": True},
    {"technique": "bfgs"},
    {"technique": "dfp 3 nr 2"},
    {"technique": "nr 1 bfgs 2", "matlog": True},
    {"emiterate": 3},
    {"difficult": True, "solver": "dense"},
    {"nonrtolerance": True},
)


@given(MODELS, st.sampled_from(SEARCHES))
def test_same_maximum(model, search):
    """To 1e-9 of the log likelihood: predicted distances are below 1e-11, and settling on the boundary may cost up to 5e-8."""
    seed, command, reml = model
    data = frame(seed)
    newton = sparsemixed.mixed(command, data, reml=reml)
    other = sparsemixed.mixed(command, data, reml=reml, **search)
    assume(newton.converged and other.converged)
    assert other.llf == pytest.approx(newton.llf, rel=1e-9, abs=5e-8)


@given(MODELS)
def test_em_never_passes_the_maximum(model):
    seed, command, reml = model
    data = frame(seed)
    newton = sparsemixed.mixed(command, data, reml=reml)
    em = sparsemixed.mixed(command, data, reml=reml, emonly=True, emiterate=30)
    assume(newton.converged)
    assert em.llf <= newton.llf + 5e-8
    path = [entry.llf for entry in em.fit.em_log]
    assert path == sorted(path) or max(abs(a - b) for a, b in zip(path, sorted(path), strict=True)) < 1e-9
