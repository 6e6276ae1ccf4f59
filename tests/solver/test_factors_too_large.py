"""A factor that CHOLMOD refuses: solver(auto) goes on without, and solver(sparse) says what to do."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_crossed
from sparsemixed.errors import FactorTooLargeError, NumericalError
from sparsemixed.solver.factored import cholmod, choose


class _Refuses:
    """In place of the library, whichever interface it has."""

    def __init__(self, library, error: type[Exception]):
        self._library, self._error = library, error

    def analyze(self, *arguments, **options):
        raise self._error("problem too large")

    CholeskyFactor = analyze

    def __getattr__(self, name):
        return getattr(self._library, name)


@pytest.mark.parametrize("error", [cholmod._OVERFLOW, cholmod._cholmod.CholmodOutOfMemoryError])
def test_the_iterative_solver_takes_over(error, monkeypatch):
    data = simulate_crossed(3000, 900, 500, seed=1)
    right = sparsemixed.mixed("y x || _all: R.user || item:", data)
    assert right.fit.solver != "krylov"
    monkeypatch.setattr(choose, "MOST_DENSE", 100)  # as with a remaining factor of 60,000 levels
    monkeypatch.setattr(choose, "DENSE_SHARE", 2.0)
    monkeypatch.setattr(cholmod, "_cholmod", _Refuses(cholmod._cholmod, error))
    fit = sparsemixed.mixed("y x || _all: R.user || item:", data)
    assert fit.fit.solver == "krylov"
    np.testing.assert_allclose(fit.params, right.params, atol=0.02)
    with pytest.raises(FactorTooLargeError, match=r"of order \d+, is too large for CHOLMOD .*solver\(krylov\) does without"):
        sparsemixed.mixed("y x || _all: R.user || item:, solver(sparse)", data)
    assert issubclass(FactorTooLargeError, NumericalError)


@pytest.mark.nightly
def test_a_million_rows_of_two_large_factors():
    fit = sparsemixed.mixed("y x || _all: R.user || item:", simulate_crossed(1_000_000, 400_000, 60_000, seed=1))
    assert fit.converged
    assert fit.fit.solver == "krylov"
    np.testing.assert_allclose(fit.params, [0.5, 1.0], atol=0.02)
