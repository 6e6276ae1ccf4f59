"""The engine against dense algebra: deviance, beta, u, gradient and Hessian, for every shape, storage and criterion."""

from __future__ import annotations

import numpy as np
import pytest

from sparsemixed.errors import NumericalError
from sparsemixed.solver.crossproducts import crossproducts
from sparsemixed.solver.crossproducts.block_products import diagonal_sums, symmetric_product, times_lambda
from sparsemixed.solver.crossproducts.crossproducts import TermData, cells_in, cells_of, cross_products
from sparsemixed.solver.factored import dense
from sparsemixed.solver.factored.traces import determinant_hessian, trace_products
from tests.oracles import dense_oracle as oracle
from tests.oracles.engine_cases import SHAPES, make_objective, make_terms, solvers_for

N = 60
CASES = [(shape, solver) for shape in SHAPES for solver in (*solvers_for(shape), "all cells")]
"""The solver "all cells" is dense by BLAS on full matrices, "dense" by loops over the cells that occur."""


def setting(shape, solver, reml, seed=0):
    rng = np.random.default_rng([seed, list(SHAPES).index(shape)])
    terms = make_terms(rng, N, shape)
    X = np.column_stack([np.ones(N), rng.normal(size=N), rng.normal(3.0, 2.0, N)])
    y = rng.normal(size=N) + X @ [5.0, 1.0, -1.0] + rng.normal(size=20)[terms[0].codes]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "FULL_SHARE", 0.0 if solver == "all cells" else 2.0)
        objective, orthogonal = make_objective(terms, X, y, reml, "dense" if solver == "all cells" else solver)
    theta = rng.uniform(0.3, 1.2, objective.parameters.n_theta) * rng.choice([-1, 1], objective.parameters.n_theta)
    ordered = [(terms[r].codes, terms[r].n_groups, terms[r].columns) for r in objective.parameters.order]
    return objective, orthogonal, theta, X, y, oracle.random_design(ordered)


@pytest.mark.parametrize("shape", SHAPES)
def test_cells_in_a_pattern_are_those_that_made_it(shape):
    terms = make_terms(np.random.default_rng(1), N, shape)
    cp = cross_products(terms, np.ones((N, 1)), np.arange(float(N)))
    for found, made in zip(cells_in(cp, terms), cells_of(terms[0], terms[1:])[2], strict=True):
        np.testing.assert_array_equal(found, made)


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_patterns_group_by_group_are_those_level_by_level(shape, in_order, monkeypatch):
    """Of many rows the pattern is found by groups of the first term, however rows are ordered; some groups meet nothing."""
    terms = [TermData(t.codes, t.n_groups, t.columns) for t in make_terms(np.random.default_rng(2), N, shape)]
    head = terms[0]._replace(codes=np.sort(terms[0].codes) if in_order else terms[0].codes, n_groups=terms[0].n_groups + 2)
    few = cells_of(head, terms[1:])
    monkeypatch.setattr(crossproducts, "LONG", 1)
    for found in (cells_of(head, terms[1:]), crossproducts._cells(head, terms[1:])):
        for one, other in zip((*found[:2], *found[2]), (*few[:2], *few[2]), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
    cp = cross_products([head, *terms[1:]], np.ones((N, 1)), np.arange(float(N)))
    for cell, start in zip(few[2], cp.starts, strict=True):
        np.testing.assert_array_equal(start, np.unique(cell))


def covariance(objective, theta, Z):
    """V0 and its first and second derivatives in theta."""
    sizes = objective.cp.n_groups
    root = oracle.repeated(objective.parameters.factors(theta), sizes)
    moves = [oracle.repeated(d, sizes) for d in objective.parameters.directions()]
    V = np.eye(N) + Z @ root @ root.T @ Z.T
    first = [Z @ (m @ root.T + root @ m.T) @ Z.T for m in moves]
    second = [[Z @ (a @ b.T + b @ a.T) @ Z.T for b in moves] for a in moves]
    return V, first, second


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize(("shape", "solver"), CASES)
def test_deviance_beta_and_predictions(shape, solver, reml):
    objective, orthogonal, theta, X, y, Z = setting(shape, solver, reml)
    at = objective.evaluate(theta)
    V, _, _ = covariance(objective, theta, Z)
    constant = orthogonal.constant(reml)
    assert at.deviance + constant == pytest.approx(oracle.deviance(y, X, at.sigma2 * V, reml), rel=1e-11)
    inverse = np.linalg.inv(V)
    beta = np.linalg.solve(X.T @ inverse @ X, X.T @ inverse @ y)
    np.testing.assert_allclose(orthogonal.coefficients(at.beta), beta, rtol=1e-9)
    root = orthogonal.root(np.linalg.cholesky(at.XVX_inverse))
    np.testing.assert_allclose(root @ root.T, np.linalg.inv(X.T @ inverse @ X), rtol=1e-8, atol=1e-12)
    root = oracle.repeated(objective.parameters.factors(theta), objective.cp.n_groups)
    b = root @ root.T @ Z.T @ inverse @ (y - X @ beta)
    np.testing.assert_allclose(times_lambda(objective.cp, at.factors, at.u[:, None])[:, 0], b, atol=1e-10)


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize(("shape", "solver"), CASES)
def test_gradient_and_observed_information(shape, solver, reml):
    objective, _, theta, X, y, Z = setting(shape, solver, reml)
    at = objective.evaluate(theta)
    derivatives = objective.derivatives(at)
    V, first, second = covariance(objective, theta, Z)
    V, first, second = oracle.with_scale(at.sigma2, V, first, second)
    expected = oracle.gradient(y, X, V, first, reml)
    np.testing.assert_allclose(derivatives.gradient, expected[:-1], rtol=1e-8, atol=1e-9)
    assert abs(expected[-1]) < 1e-8  # sigma2 is profiled out
    full = oracle.hessian(y, X, V, first, second, reml)
    np.testing.assert_allclose(derivatives.observed_information.hessian, full, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize(("shape", "solver"), CASES)
def test_average_information_replaces_only_one_trace(shape, solver, reml):
    objective, _, theta, X, y, Z = setting(shape, solver, reml)
    at = objective.evaluate(theta)
    V, first, second = covariance(objective, theta, Z)
    s2 = at.sigma2
    first, second = [s2 * v for v in first], [[s2 * v for v in row] for row in second]
    inverse, P = oracle.projection(s2 * V, X)
    Q, Py = (P if reml else inverse), P @ y
    n = len(first)
    expected = np.array(
        [
            [Py @ first[k] @ P @ first[l] @ Py + np.sum(Q * second[k][l]) - Py @ second[k][l] @ Py for l in range(n)]
            for k in range(n)
        ]
    )
    got = objective.derivatives(at).average_information.hessian[:-1, :-1]
    np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("shape", "solver"), CASES)
def test_average_information_is_exact_at_a_singular_covariance(shape, solver):
    objective, _, theta, _, _, _ = setting(shape, solver, True)
    for rows, form, _ in objective.singular_faces(theta):
        on_the_face = theta - form * (form @ theta) / (form @ form)
        if not rows.any():
            continue
        derivatives, step = objective.derivatives(objective.evaluate(on_the_face)), 1e-5
        differences = [
            objective.derivatives(objective.evaluate(on_the_face + sign * step * unit)).gradient
            for unit in np.eye(theta.size)
            for sign in (1.0, -1.0)
        ]
        expected = (np.array(differences[::2]) - np.array(differences[1::2])) / (2 * step)
        np.testing.assert_allclose(
            derivatives.average_information.profiled, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max()
        )


@pytest.mark.parametrize("shape", [shape for shape, solver in CASES if solver == "dense"])
def test_the_factor_comes_back_after_the_inverse_that_took_its_place(shape, monkeypatch):
    objective, _, theta, _, _, _ = setting(shape, "dense", False)
    system = objective.system.factor(objective.parameters.factors(theta))
    b = np.random.default_rng(1).normal(size=(objective.cp.q, 2))
    solved, halfway = system.solve(b), system.half_solve(b)
    monkeypatch.setattr(dense, "inverted", lambda _: 1)
    for _ in range(2):  # what is half inverted is not taken for inv(S) the next time
        with pytest.raises(NumericalError, match="cannot be inverted"):
            _ = system.schur.inverse
    monkeypatch.undo()
    inverse = system.schur.inverse.copy()
    np.testing.assert_allclose(system.solve(b), solved, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(system.half_solve(b), halfway, rtol=1e-10, atol=1e-12)
    system.schur.spent_inverse().fill(np.nan)
    np.testing.assert_allclose(system.solve(b), solved, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(system.schur.inverse, inverse, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("shape", "solver"), CASES)
def test_inverse_blocks_and_traces(shape, solver):
    objective, _, theta, _, _, Z = setting(shape, solver, False)
    cp, layout = objective.cp, objective.parameters
    factors = layout.factors(theta)
    system = objective.system.factor(factors)
    root = oracle.repeated(factors, cp.n_groups)
    A = Z.T @ Z
    M = root.T @ A @ root + np.eye(cp.q)
    N_dense = np.linalg.inv(M)
    np.testing.assert_allclose(cp.matrix.toarray(), A, atol=1e-11)
    assert system.logdet == pytest.approx(np.linalg.slogdet(M)[1], rel=1e-12)
    inverse = system.inverse_blocks
    k0, j0 = cp.k[0], cp.n_groups[0]
    for i in range(j0):
        block = N_dense[i * k0 : (i + 1) * k0, i * k0 : (i + 1) * k0]
        np.testing.assert_allclose(inverse.first[i], block, atol=1e-11)
        for entry in range(cp.indptr[i], cp.indptr[i + 1]):
            column = cp.sizes[0] + cp.columns[entry]
            np.testing.assert_allclose(inverse.cross[entry], N_dense[i * k0 : (i + 1) * k0, column], atol=1e-11)
    product = N_dense @ root.T @ A
    for total, where, k in zip(diagonal_sums(cp, inverse, factors), cp.slices, cp.k, strict=True):
        part = product[where, where]
        expected = sum(part[i : i + k, i : i + k] for i in range(0, part.shape[0], k))
        np.testing.assert_allclose(total, expected, atol=1e-9)
    moves = [oracle.repeated(d, cp.n_groups) for d in layout.directions()]
    changes = [N_dense @ (m.T @ A @ root + root.T @ A @ m) for m in moves]
    expected = np.array([[np.sum(a * b.T) for b in changes] for a in changes])
    derivatives = [symmetric_product(cp, d, factors) for d in layout.directions()]
    np.testing.assert_allclose(trace_products(system, derivatives), expected, rtol=1e-9, atol=1e-9)
    second = np.array([[2.0 * np.sum(N_dense * (a.T @ A @ b)) for a in moves] for b in moves])
    hessian = determinant_hessian(system, factors, layout.directions())
    np.testing.assert_allclose(hessian, second - expected, rtol=1e-9, atol=1e-9)


def test_derivatives_at_a_singular_factor():
    """No inverse of Lambda is taken: at a zero variance the gradient is zero and the Hessian that of the formulas."""
    objective, _, theta, X, y, Z = setting("crossed vectors", "dense", True)
    theta[0] = 0.0
    at = objective.evaluate(theta)
    V, first, second = covariance(objective, theta, Z)
    expected = oracle.gradient(y, X, at.sigma2 * V, [at.sigma2 * v for v in first], True)
    derivatives = objective.derivatives(at)
    np.testing.assert_allclose(derivatives.gradient, expected, rtol=1e-8, atol=1e-9)
    assert derivatives.gradient[0] == 0.0
    full = oracle.hessian(
        y, X, at.sigma2 * V, [at.sigma2 * v for v in first], [[at.sigma2 * v for v in row] for row in second], True
    )
    np.testing.assert_allclose(derivatives.observed_information.hessian[:-1, :-1], full, rtol=1e-7, atol=1e-8)
