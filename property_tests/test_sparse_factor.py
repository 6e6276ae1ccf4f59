"""Sparse factors of matrices drawn at random, by CHOLMOD and without it, against dense algebra."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.solver.test_sparse_factor import LIBRARIES, check_against_dense, random_matrix


@given(
    st.integers(1, 40), st.floats(0.0, 1.0), st.integers(0, 2**31 - 1), st.booleans(), st.sampled_from(sorted(LIBRARIES))
)  # fmt: skip
def test_factors_equal_dense_algebra(size, density, seed, natural, name):
    check_against_dense(random_matrix(size, density**3, seed), natural, name)
