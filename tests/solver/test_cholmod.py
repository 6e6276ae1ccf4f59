"""The door to scikit-sparse, through both of its interfaces: the one that is installed, and that of 0.5."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.sparse as sp

import sparsemixed
from sparsemixed.datasets import simulate_crossed
from sparsemixed.errors import NumericalError
from sparsemixed.solver.factored import cholmod
from sparsemixed.solver.factored.cholmod import SymbolicFactor
from tests.oracles import new_cholmod


@pytest.fixture(params=["installed", "0.5"])
def interface(request, monkeypatch):
    if request.param == "0.5":
        monkeypatch.setattr(cholmod, "_cholmod", new_cholmod)
        monkeypatch.setattr(cholmod, "_NEW_INTERFACE", True)
        monkeypatch.setattr(cholmod, "_OVERFLOW", new_cholmod.CholmodOverflowError)
        monkeypatch.setattr(cholmod, "_TOO_LARGE", (new_cholmod.CholmodOverflowError, MemoryError))
    return request.param


def arrow(values):
    """Lower triangle of a matrix whose first column is full: its factor fills up unless that column goes last."""
    S = np.diag(np.asarray(values, float))
    S[1:, 0] = 1.0
    return S + np.tril(S, -1).T, sp.csc_matrix(S)


@pytest.mark.parametrize("natural", [False, True])
def test_factor_solve_and_permutation(interface, natural):
    S, lower = arrow([9.0, 2.0, 3.0, 4.0, 5.0])
    symbolic = SymbolicFactor(lower, natural)
    p = symbolic.permutation()
    assert sorted(p) == list(range(5))
    assert not natural or list(p) == list(range(5))
    factor = symbolic.factor(lower)
    L = factor.lower()
    np.testing.assert_allclose((L @ L.T).toarray(), S[np.ix_(p, p)], atol=1e-12)
    assert L.nnz == L.data.size == (15 if natural else 9)
    assert L.has_sorted_indices
    L.data[:] = 0.0  # a copy: the factor stays
    b = np.arange(10.0).reshape(5, 2)
    np.testing.assert_allclose(S @ factor.solve(b), b, atol=1e-12)


def test_factors_of_one_analysis_are_independent(interface):
    first, lower = arrow([9.0, 2.0, 3.0])
    second, other = arrow([4.0, 7.0, 5.0])
    symbolic = SymbolicFactor(lower)
    one, two = symbolic.factor(lower), symbolic.factor(other)
    for S, factor in ((first, one), (second, two)):
        np.testing.assert_allclose(factor.solve(np.eye(3)), np.linalg.inv(S), atol=1e-12)


def test_entries_that_happen_to_be_zero_keep_their_place(interface):
    _, lower = arrow([9.0, 2.0, 3.0, 4.0])
    symbolic = SymbolicFactor(lower, natural=True)
    pattern = symbolic.factor(lower).lower()
    lower.data[1:4] = 0.0
    diagonal = symbolic.factor(lower).lower()
    np.testing.assert_array_equal(diagonal.indices, pattern.indices)
    np.testing.assert_allclose(diagonal.toarray(), np.diag([3.0, 2**0.5, 3**0.5, 2.0]))


def test_an_indefinite_matrix_is_told(interface):
    _, lower = arrow([0.1, 2.0, 3.0])
    with pytest.raises(NumericalError, match="not positive definite"):
        SymbolicFactor(lower).factor(lower).lower()


def test_unlike_pivots_are_no_warning(interface):
    lower = sp.csc_matrix(np.diag([1e20, 1.0, 1e-20]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = SymbolicFactor(lower).factor(lower).solve(np.ones((3, 1)))
    np.testing.assert_allclose(found[:, 0], [1e-20, 1.0, 1e20])


@pytest.mark.parametrize("option", ["", "reml dfmethod(satterthwaite)"])
def test_a_fit_is_the_same(interface, option):
    data = simulate_crossed(400, 30, 20, seed=1)
    command = f"y x || _all: R.user || item:, {option}"
    fit, dense = (sparsemixed.mixed(f"{command} solver({solver})", data) for solver in ("sparse", "dense"))
    assert (fit.fit.solver, dense.fit.solver) == ("sparse", "dense")
    np.testing.assert_allclose(fit.params, dense.params, rtol=1e-7)
    np.testing.assert_allclose(fit.bse, dense.bse, rtol=1e-6)
    np.testing.assert_allclose(fit.random_params["std_err"], dense.random_params["std_err"], rtol=1e-5)
