"""The observed information on singular covariance matrices, against differences in the coordinates of the face alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.inference.degrees.kenward_roger import KenwardRoger
from sparsemixed.inference.degrees.satterthwaite import Satterthwaite
from sparsemixed.inference.information.blocks import with_independent_errors
from sparsemixed.inference.information.penalized import fixed_derivatives
from tests.oracles import dense_dof
from tests.oracles import dense_oracle as oracle


def longitudinal(seed, columns, rank, groups=12, rows=6):
    """Effects of `columns` columns in groups, of a covariance matrix without full rank."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rows)
    z = np.column_stack([np.ones(g.size), *rng.normal(size=(columns - 1, g.size))])
    root = rng.normal(size=(columns, rank))
    effects = rng.normal(size=(groups, rank)) @ root.T
    y = z[:, 1] + np.sum(z * effects[g], axis=1) + rng.normal(size=g.size)
    data = pd.DataFrame({"y": y, "g": g, "h": g // 3, **{f"x{i}": z[:, i] for i in range(1, columns)}})
    return data.assign(t=np.tile(np.arange(rows), groups))


def face(fit):
    """V as a function of the face's own coordinates, those of the fit, and the number of random ones among them.

    Every block of G is A A' with A (m, rank) from its eigenvectors; A is made lower triangular in its largest rows, so that no
    rotation is left.
    """
    design, blocks = fit.design, []
    for component in fit.components[:-1]:
        structure, own = component.block.structure, fit.theta[component.theta]
        G = fit.sigma2 * structure.factor(own) @ structure.factor(own).T
        term = design.random[component.position]
        values, vectors = np.linalg.eigh(G)
        kept = values > 1e-9 * max(values.max(), 1e-300)
        A = vectors[:, kept] * np.sqrt(values[kept])
        rank = A.shape[1]
        pivots = np.argsort(-np.abs(A).sum(axis=1))[:rank]
        turned = A @ np.linalg.qr(A[pivots].T)[0]
        free = np.ones(turned.shape, bool)
        free[pivots] = np.tril(np.ones((rank, rank), bool))
        blocks.append((term, turned, free))

    def covariance(x):
        V, start = np.exp(x[-1]) * np.eye(len(design.y)), 0
        for term, turned, free in blocks:
            A, stop = np.zeros(turned.shape), start + free.sum()
            A[free] = x[start:stop]
            half = oracle.random_design([(term.codes, term.n_groups, term.columns)]) @ np.kron(np.eye(term.n_groups), A)
            V, start = V + half @ half.T, stop
        return V

    return covariance, np.concatenate([*(turned[free] for _, turned, free in blocks), [np.log(fit.sigma2)]])


def slopes_and_hessian(fit, functions, step=1e-3):
    """Gradients of `functions` of V and the Hessian of half the deviance, by fourth-order differences along the face."""
    covariance, x = face(fit)
    n, unit = x.size, np.eye(x.size) * step
    y, X = fit.design.y, fit.design.X

    def half(at):
        return 0.5 * oracle.deviance(y, X, covariance(at), True)

    def along(f, u):
        return (8 * (f(x + u) - f(x - u)) - (f(x + 2 * u) - f(x - 2 * u))) / (12 * step)

    hessian = np.array([[0.0] * n] * n)
    for i in range(n):
        for j in range(i + 1):
            corners = [half(x + a * unit[i] + b * unit[j]) * a * b for a in (1, -1) for b in (1, -1)]
            wide = [half(x + 2 * a * unit[i] + 2 * b * unit[j]) * a * b for a in (1, -1) for b in (1, -1)]
            hessian[i, j] = hessian[j, i] = (16 * sum(corners) - sum(wide)) / (48 * step**2)
    gradients = np.array([[along(lambda at, f=f: f(covariance(at)), u) for u in unit] for f in functions])
    return gradients, hessian


MODELS = {
    "perfect correlation": ("y x1 || g: x1, covariance(unstructured)", 2, 1),
    "three effects of rank one": ("y x1 x2 || g: x1 x2, covariance(unstructured)", 3, 1),
    "three effects of rank two": ("y x1 x2 || g: x1 x2, covariance(unstructured)", 3, 2),
    "nested": ("y x1 || h: || g: x1, covariance(unstructured)", 2, 1),
}


@pytest.mark.parametrize("seed", [1, 2, 5])
@pytest.mark.parametrize("model", MODELS)
def test_satterthwaite_by_differences_on_the_face(model, seed):
    command, columns, rank = MODELS[model]
    # A Hessian does not depend on the coordinates of the face where the gradient is zero, and only there.
    fit = sparsemixed.mixed(command, longitudinal(seed, columns, rank), reml=True, nrtolerance=1e-15).fit
    assert any("linear combination" in name for name in fit.boundary_names)
    X = fit.design.X
    functions = [lambda V, j=j: np.linalg.inv(X.T @ np.linalg.solve(V, X))[j, j] for j in range(X.shape[1])]
    gradients, hessian = slopes_and_hessian(fit, functions)
    variances = np.diag(fit.vcov_beta)
    wanted = 2 * variances**2 / np.einsum("ik,kl,il->i", gradients, np.linalg.inv(hessian), gradients)
    assert list(Satterthwaite("oim").coefficients(fit)) == pytest.approx(wanted, rel=2e-4)
    assert list(KenwardRoger("oim").coefficients(fit)) == pytest.approx(wanted, rel=2e-4)


@pytest.mark.parametrize("model", MODELS)
def test_kenward_roger_with_the_covariance_on_the_face(model):
    """W of the entries of G carried from the face by differences; P and Q densely."""
    command, columns, rank = MODELS[model]
    fit = sparsemixed.mixed(command, longitudinal(1, columns, rank), reml=True).fit
    assert any("linear combination" in name for name in fit.boundary_names)
    known = np.array([not np.any(fit.theta[c.theta]) for c in fit.components[:-1] for _ in range(c.stop - c.start)])
    first = dense_dof.directions(fit.design.random, known)
    flat = np.array([d.ravel() for d in first]).T
    entries = [lambda V, k=k: float(np.linalg.lstsq(flat, V.ravel(), rcond=None)[0][k]) for k in range(len(first))]
    gradients, hessian = slopes_and_hessian(fit, entries)
    W = gradients @ np.linalg.inv(hessian) @ gradients.T
    found = fixed_derivatives(fit, "oim")
    np.testing.assert_allclose(dense_dof.named(fit, found.covariance("oim"), known), W, rtol=2e-4, atol=1e-5 * np.abs(W).max())
    V = face(fit)[0](face(fit)[1])
    Phi, P, Q, _ = dense_dof.precision(V, fit.design.X, first)
    np.testing.assert_allclose(
        KenwardRoger("oim").covariance(fit), dense_dof.adjusted_covariance(Phi, P, Q, W), rtol=1e-5, atol=1e-9
    )


@pytest.mark.parametrize("model", MODELS)
def test_the_way_by_patterns_gives_the_same(model):
    """Also where the fit kept no information (option nostderr)."""
    command, columns, rank = MODELS[model]
    fit = sparsemixed.mixed(command, longitudinal(1, columns, rank), reml=True).fit
    bare = dataclasses.replace(fit, information=None, slopes=None)
    wanted = KenwardRoger("oim").coefficients(fit)
    assert list(KenwardRoger("oim").coefficients(bare)) == pytest.approx(wanted, rel=1e-6)
    assert list(KenwardRoger("oim").coefficients(with_independent_errors(fit))) == pytest.approx(wanted, rel=1e-6)


def test_published_case_of_a_correlation_of_one():
    """lmerTest 3.1 on these data: 23.566 (its numerical Hessian in theta); pbkrtest: 11."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(np.arange(12), 5), "t": np.tile(np.arange(5.0), 12)})
    data["y"] = data.t + rng.normal(size=12)[data.g] * (1 + 0.3 * data.t) + rng.normal(size=60)
    for method, right in (("satterthwaite, oim", 23.566), ("kroger, oim", 23.566), ("satterthwaite", 11.0), ("kroger", 11.0)):
        assert sparsemixed.mixed("y ~ t + (t|g)", data, reml=True, dfmethod=method).df["t"] == pytest.approx(right, rel=5e-4)
