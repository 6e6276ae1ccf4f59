"""Sums over independent groups against dense algebra and against the factored system, whose values they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.objectives.groups import GroupsObjective
from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.estimation.problems import independent
from sparsemixed.estimation.sources.reduction import Products
from sparsemixed.estimation.start import moments_groups
from sparsemixed.solver import threads
from sparsemixed.solver.factored.choose import penalized_system
from sparsemixed.solver.groups import roots
from tests.oracles.engine_cases import make_objective, make_term
from tests.solver.test_engine import setting

SHAPES = ("intercept", "slope", "blocks", "exchangeable")


def both(shape, reml, seed):
    """The same objective twice, by a factored system and by sums over groups."""
    factored, _, theta, X, _, Z = setting(shape, "block", reml, seed)
    return factored, GroupsObjective(factored.cp, factored.system, factored.parameters, reml), theta, X, Z


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", [0.0, 1e-3, 1.0, 30.0])
def test_everything_equals_the_factored_system(shape, reml, scale, weighted):
    factored, sums, theta, _, _ = both(shape, reml, 5)
    if weighted:
        weights = [np.random.default_rng(1).uniform(0.5, 3.0, sums.roots.n_groups)]
        parts = factored.cp, penalized_system(factored.cp, "auto", weights), factored.parameters, reml
        factored, sums = PenalizedObjective(*parts), GroupsObjective(*parts)
    at, same = factored.evaluate(scale * theta), sums.evaluate(scale * theta)
    first, second = factored.derivatives(at), sums.derivatives(same)
    assert same.deviance == pytest.approx(at.deviance, rel=1e-11)
    np.testing.assert_allclose(same.u, at.u, atol=1e-10)
    for name in ("gradient", "fixed_slopes"):
        size = np.abs(getattr(first, name)).max(initial=1e-6)
        np.testing.assert_allclose(getattr(second, name), getattr(first, name), rtol=1e-8, atol=1e-9 * size, err_msg=name)
    for name in ("observed_information", "average_information"):
        expected = getattr(first, name).hessian
        np.testing.assert_allclose(getattr(second, name).hessian, expected, rtol=1e-7, atol=1e-8 * np.abs(expected).max())
    design: Any = SimpleNamespace(random=(None,))
    for found, wanted in zip(sums.predictions(design, second), factored.predictions(design, first), strict=True):
        np.testing.assert_allclose(found[0], wanted[0], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_large_variances_lose_no_digits(seed):
    """Beside a variance of 1e16 the deviance is that of fixed intercepts, but for log|M|: dense algebra has no digit left."""
    rng = np.random.default_rng(seed)
    n, groups = 60, np.arange(60) % 6
    term = make_term(rng, n, 6, [("identity", 1)], groups)
    y = rng.normal(size=n) + groups
    objective, orthogonal = make_objective([term], np.ones((n, 1)), y, False, "groups")
    at = objective.evaluate(np.array([1e8]))
    means = np.bincount(groups, y) / 10
    within = float(np.sum((y - means[groups]) ** 2))
    assert at.pwrss == pytest.approx(within, rel=1e-12)
    assert at.deviance == pytest.approx(6 * np.log(10e16 + 1) + n * (1 + np.log(2 * np.pi * within / n)), rel=1e-13)
    assert orthogonal.Q.shape == (n, 1)


def test_pieces_and_threads_change_nothing_but_rounding(monkeypatch):
    _, sums, theta, _, _ = both("slope", True, 2)
    at = sums.evaluate(theta)
    whole = sums.derivatives(at).observed_information.hessian
    monkeypatch.setattr(roots, "LANES", 2)
    monkeypatch.setattr(roots, "CHUNK", 4)
    _, pieces, theta, _, _ = both("slope", True, 2)
    assert (sums.roots.n_blocks, pieces.roots.n_blocks) == (1, 5)  # two, two and one of which are a thread's piece
    found = []
    for number in (1, 2):
        monkeypatch.setattr(threads.numba, "get_num_threads", lambda number=number: number)
        again = pieces.evaluate(theta)
        assert again.deviance == pytest.approx(at.deviance, rel=1e-13)
        found.append(pieces.derivatives(again).observed_information.hessian)
        np.testing.assert_allclose(found[-1], whole, rtol=1e-11)
    np.testing.assert_array_equal(found[0], found[1])


def test_groups_with_fewer_rows_than_effects():
    """Their cross-products are singular, and their roots have rows of zeros."""
    rng = np.random.default_rng(0)
    n = 12
    term = make_term(rng, n, 9, [("unstructured", 3)])
    y, X = rng.normal(size=n), np.ones((n, 1))
    (sums, _), (factored, _) = (make_objective([term], X, y, True, solver) for solver in ("groups", "block"))
    theta = rng.normal(size=6)
    at, same = factored.evaluate(theta), sums.evaluate(theta)
    assert same.deviance == pytest.approx(at.deviance, rel=1e-12)
    expected = factored.derivatives(at).observed_information.hessian
    np.testing.assert_allclose(sums.derivatives(same).observed_information.hessian, expected, rtol=1e-8, atol=1e-9)


def test_overflow_is_told():
    _, sums, theta, _, _ = both("slope", True, 0)
    with pytest.raises(NumericalError, match="orders of magnitude"):
        sums.evaluate(1e200 * theta)


@pytest.mark.parametrize("shape", SHAPES)
def test_starting_equations_equal_dense_algebra(shape):
    _, sums, _, X, Z = both(shape, True, 3)
    k, n = sums.roots.k, len(X)
    prior = np.linspace(0.2, 0.7, k)
    components = moments_groups._components(k)[0]
    D = np.zeros((len(components), k, k))
    for matrix, c in zip(D, components, strict=True):
        matrix[c.a, c.b] = matrix[c.b, c.a] = 1.0
    system, forms = moments_groups._equations(sums.roots, sums.rest, prior, D, n)
    moves = [Z @ np.kron(np.eye(sums.roots.n_groups), d) @ Z.T for d in D] + [np.eye(n)]
    V = np.eye(n) + Z @ np.kron(np.eye(sums.roots.n_groups), np.diag(prior)) @ Z.T
    inverse = np.linalg.inv(V)
    P = inverse - inverse @ X @ np.linalg.solve(X.T @ inverse @ X, X.T @ inverse)
    y = setting(shape, "block", True, 3)[4]
    np.testing.assert_allclose(system, [[np.trace(P @ a @ P @ b) for b in moves] for a in moves], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(forms, [y @ P @ a @ P @ y for a in moves], rtol=1e-8, atol=1e-9)


def test_many_columns_are_factored(monkeypatch):
    factored, sums, *_ = both("slope", True, 1)
    products = Products(factored.cp, factored.parameters, None)
    assert type(independent.independent_objective(products, True)) is GroupsObjective
    monkeypatch.setattr(independent, "MOST_COLUMNS", sums.roots.k - 1)
    assert type(independent.independent_objective(products, True)) is not GroupsObjective
