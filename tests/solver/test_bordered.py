"""log|M| and the marginal sums by one bordered factorization, against dense V."""

from __future__ import annotations

import numpy as np
import pytest

from sparsemixed.solver.factored import bordered
from sparsemixed.solver.factored.bordered import BorderedSchur
from tests.oracles.engine_cases import make_objective, make_terms

SEVERAL = ("crossed", "crossed vectors", "nested", "nested, crossed")


def dense(terms, factors, order, Xy):
    """log|V0| and [X y]'inv(V0)[X y] of V0 = I + sum of Z (I x lambda lambda') Z'."""
    n = len(Xy)
    V = np.eye(n)
    for r, factor in zip(order, factors, strict=True):
        Z = np.zeros((n, terms[r].n_groups, terms[r].columns.shape[1]))
        Z[np.arange(n), terms[r].codes] = terms[r].columns
        half = (Z @ factor).reshape(n, -1)
        V += half @ half.T
    return np.linalg.slogdet(V)[1], Xy.T @ np.linalg.solve(V, Xy)


@pytest.mark.parametrize("p", [0, 3])
@pytest.mark.parametrize("full", [True, False], ids=["all cells", "cells that occur"])
@pytest.mark.parametrize("shape", SEVERAL)
def test_values_are_those_of_dense_v(shape, full, p, monkeypatch):
    monkeypatch.setattr(bordered, "FULL_SHARE", 0.0 if full else 2.0)
    rng = np.random.default_rng(5)
    terms = make_terms(rng, 60, shape)
    X, y = rng.normal(size=(60, p)), rng.normal(size=60)
    objective, orthogonal = make_objective(terms, X, y, True, "dense")
    Xy, values = np.column_stack([orthogonal.Q, orthogonal.residual]), BorderedSchur(objective.cp)
    # Twice, because the arrays of one Lambda serve the next; then a singular one.
    for scale in (1.0, 0.3, 0.0):
        theta = scale * rng.normal(size=objective.n_theta)
        factors = objective.parameters.factors(theta)
        logdet, W = values.values(factors)
        expected = dense(terms, factors, objective.parameters.order, Xy)
        assert logdet == pytest.approx(expected[0], rel=1e-10, abs=1e-10)
        np.testing.assert_allclose(W, expected[1], rtol=1e-9, atol=1e-9)


def test_no_numbers_where_there_is_no_factor():
    rng = np.random.default_rng(6)
    objective, _ = make_objective(make_terms(rng, 60, "crossed"), rng.normal(size=(60, 1)), rng.normal(size=60), True, "dense")
    values = BorderedSchur(objective.cp)
    for theta in ([np.nan, 1.0], [1.0, np.inf], [1e200, 1.0]):
        with np.errstate(all="ignore"):
            logdet, W = values.values(objective.parameters.factors(np.array(theta)))
        assert np.isnan(logdet)
        assert np.isnan(W).all()
    assert np.isfinite(values.values(objective.parameters.factors(np.ones(2)))[0])
