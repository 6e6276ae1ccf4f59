"""Residual structures against dense algebra: n x n matrices of every structure, with every kind of random effects.

Both ways to compute are tested on the same designs: covariance matrices of patterns of clusters, and the precision matrix.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from sparsemixed.command import read_model
from sparsemixed.design.build import build_design
from sparsemixed.estimation.orthonormal import engine_term
from sparsemixed.estimation.parameters import NO_TERM
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.sources.rows import reduce_rows
from sparsemixed.solver.residual.kernels import pattern_moments
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES
from tests.oracles import dense_oracle as oracle

RANDOM = {
    "none": "|| id:, noconstant",
    "intercept": "|| id:",
    "slope": "|| id: z, covariance(unstructured)",
    "nested": "|| site: z || id:",
    "crossed": "|| _all: R.week || id:",
    "nested, crossed": "|| _all: R.week || site: || id: z",
}
ERRORS = {
    "independent": "independent, by(week)",
    "independent by arm": "independent, by(arm)",
    "exchangeable": "exchangeable",
    "ar 1": "ar 1, t(week)",
    "ar 2": "ar 2, t(week)",
    "ar 3": "ar 3, t(week)",
    "ma 1": "ma 1, t(week)",
    "ma 2": "ma 2, t(week)",
    "unstructured": "unstructured, t(week)",
    "banded 0": "banded 0, t(week)",
    "banded 1": "banded 1, t(week)",
    "toeplitz 1": "toeplitz 1, t(week)",
    "toeplitz": "toeplitz, t(week)",
    "exponential": "exponential, t(hour)",
}
LISTED = {name.split()[0] for name in ERRORS}
TIMES = {"none": "", "integer": ", t(week)", "levels": ", t(week)", "real": ", t(hour)"}
ERRORS |= {name: name + TIMES[family.time] for name, family in RESIDUAL_STRUCTURES.items() if name not in LISTED}
BY = {
    f"{name}, by": argument + ("" if "," in argument else ", ") + " by(arm)"
    for name, argument in ERRORS.items()
    if name.split()[0] != "independent"
}
CASES = [(errors, random) for errors in {**ERRORS, **BY} for random in RANDOM]
# Both likelihoods of every model, and both ways to each likelihood: of the four pairs the next case has the other two.
HALVES = ([(False, "clusters"), (True, "precision")], [(True, "clusters"), (False, "precision")])
MODELS = [
    pytest.param(errors, random, reml, engine, marks=[] if (reml, engine) in half else pytest.mark.slow)
    for case, (errors, random) in enumerate(CASES)
    for half in (HALVES[(case + case // len(RANDOM)) % 2],)
    for reml in (False, True)
    for engine in ("clusters", "precision")
]
WEEKS = ((0, 1, 2, 4), (0, 1, 2, 4), (0, 2, 4), (1, 4), (0, 1, 2, 4), (2,), (0, 2, 4), (1, 2), (0, 1, 2, 4), (0, 4), (1, 4))


@cache
def data():
    """Unequal groups with gaps, in no order; several groups share their weeks."""
    rng = np.random.default_rng(3)
    rows = [(i, i // 3, i % 2, week, week + 0.1 * week**2) for i, weeks in enumerate(WEEKS) for week in weeks]
    table = pd.DataFrame(rows, columns=["id", "site", "arm", "week", "hour"])
    table["x"], table["z"] = rng.normal(size=(2, len(table)))
    table["y"] = 3.0 + table["x"] + rng.normal(size=11)[table["id"]] + rng.normal(size=len(table))
    return table.sample(frac=1.0, random_state=1)


@cache
def setting(errors, random, reml, engine="clusters"):
    command = f"y x i.arm {RANDOM[random]} residuals({(ERRORS | BY)[errors]})"
    command = command if "noconstant" in command else command.replace(" residuals(", ", residuals(")
    command = command.replace("unstructured), residuals", "unstructured) residuals")
    spec = read_model(command, {"reml": reml})
    design = build_design(spec, data())
    reduction = reduce_rows(spec, design, independent=False)
    problem = choose_problem(spec, design, reduction, "patterns" if engine == "clusters" else "precision")
    orthogonal, objective = reduction.orthogonal, problem.objective
    assert hasattr(objective, "batches") == (engine == "clusters")
    rng = np.random.default_rng(len(command))
    n_theta = objective.parameters.n_theta
    theta = rng.uniform(0.3, 1.0, n_theta) * rng.choice([-1, 1], n_theta)
    rho = design.residual.structure.start() + rng.uniform(-0.25, 0.25, design.residual.structure.n_rho)
    return design, orthogonal, objective, np.append(theta, rho)


def errors_matrices(design, rho):
    """R (n, n), its first derivatives, and its second derivatives by complex steps of the first, group by group."""
    part = design.residual
    n, q = len(design.y), rho.size
    R, first, second = np.zeros((n, n)), np.zeros((q, n, n)), np.zeros((q, q, n, n))
    for group in range(part.n_groups):
        rows = np.flatnonzero(part.codes == group)
        own, t = np.ix_(rows, rows), part.t[rows][None]
        R[own] = part.structure.covariance(rho, t)[0]
        for k, change in enumerate(part.structure.dcovariance(rho, t)):
            first[k][own] = change[0]
            moved = rho.astype(complex)
            moved[k] += 1e-100j
            for j, bend in enumerate(part.structure.dcovariance(moved, t)):
                second[k, j][own] = bend[0].imag / 1e-100
    return R, list(first), second


@cache
def dense(errors, random, reml, engine):
    """V / sigma2 with its derivatives in (theta, rho), Z, and the covariance of the random effects over sigma2."""
    design, _, objective, theta = setting(errors, random, reml, engine)
    own, rho = objective.split(theta)
    layout = objective.parameters
    there = [t for t, r in enumerate(layout.order) if r != NO_TERM]
    terms = [engine_term(design, layout, t) for t in there]
    R, first_R, second_R = errors_matrices(design, rho)
    n, k = len(design.y), own.size
    if not terms:
        return R, first_R, [list(row) for row in second_R], np.zeros((n, 0)), np.zeros((0, 0))
    Z = oracle.random_design([(t.codes, t.n_groups, t.columns) for t in terms])
    sizes = [t.n_groups for t in terms]
    root = oracle.repeated([layout.factors(own)[t] for t in there], sizes)
    moves = [oracle.repeated([d[t] for t in there], sizes) for d in layout.directions()]
    first = [Z @ (m @ root.T + root @ m.T) @ Z.T for m in moves] + first_R
    zero = np.zeros((n, n))
    second = [[zero] * len(first) for _ in first]
    for i, a in enumerate(moves):
        for j, b in enumerate(moves):
            second[i][j] = Z @ (a @ b.T + b @ a.T) @ Z.T
    for i in range(rho.size):
        for j in range(rho.size):
            second[k + i][k + j] = second_R[i, j]
    return Z @ root @ root.T @ Z.T + R, first, second, Z, root @ root.T


@pytest.mark.parametrize(("errors", "random", "reml", "engine"), MODELS)
def test_deviance_and_coefficients(errors, random, reml, engine):
    design, orthogonal, objective, theta = setting(errors, random, reml, engine)
    at = objective.evaluate(theta)
    V = dense(errors, random, reml, engine)[0]
    constant = orthogonal.constant(reml)
    assert at.deviance + constant == pytest.approx(oracle.deviance(design.y, design.X, at.sigma2 * V, reml), rel=1e-11)
    inverse = np.linalg.inv(V)
    XVX_inverse = np.linalg.inv(design.X.T @ inverse @ design.X)
    beta = XVX_inverse @ design.X.T @ inverse @ design.y
    np.testing.assert_allclose(orthogonal.coefficients(at.beta), beta, rtol=1e-9, atol=1e-11)
    root = orthogonal.root(np.linalg.cholesky(at.XVX_inverse))
    np.testing.assert_allclose(root @ root.T, XVX_inverse, rtol=1e-9, atol=1e-11)
    residual = design.y - design.X @ beta
    assert at.sigma2 == pytest.approx(residual @ inverse @ residual / (len(residual) - reml * len(beta)), rel=1e-10)


@pytest.mark.parametrize(("errors", "random", "reml", "engine"), MODELS)
def test_gradient_and_observed_information(errors, random, reml, engine):
    design, _, objective, theta = setting(errors, random, reml, engine)
    at = objective.evaluate(theta)
    derivatives = objective.derivatives(at)
    V, first, second, _, _ = dense(errors, random, reml, engine)
    V, first, second = oracle.with_scale(at.sigma2, V, first, second)
    expected = oracle.gradient(design.y, design.X, V, first, reml)
    np.testing.assert_allclose(derivatives.gradient, expected[:-1], rtol=1e-8, atol=1e-8)
    assert abs(expected[-1]) < 1e-8  # sigma2 is profiled out
    full = oracle.hessian(design.y, design.X, V, first, second, reml)
    np.testing.assert_allclose(derivatives.observed_information.hessian, full, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(("errors", "random", "reml", "engine"), [model for model in MODELS if model.values[1] != "none"])
def test_predictions_of_random_effects(errors, random, reml, engine):
    design, _, objective, theta = setting(errors, random, reml, engine)
    at = objective.evaluate(theta)
    V, _, _, Z, G = dense(errors, random, reml, engine)
    inverse, P = oracle.projection(V, design.X)
    # After maximum likelihood beta counts as known.
    mean, variance = G @ Z.T @ P @ design.y, at.sigma2 * (G - G @ Z.T @ (P if reml else inverse) @ Z @ G)
    means, variances = objective.predictions(design, objective.derivatives(at))
    start = 0
    for r in [r for r in objective.parameters.order if r != NO_TERM]:
        k, found = design.random[r].k, variances[r]
        stop = start + k * design.random[r].n_groups
        np.testing.assert_allclose(means[r].ravel(), mean[start:stop], rtol=1e-9, atol=1e-10)
        for group, block in enumerate(found):
            where = slice(start + group * k, start + (group + 1) * k)
            np.testing.assert_allclose(block, variance[where, where], rtol=1e-8, atol=1e-9)
        start = stop


def with_moments(batch):
    """The batch with the sums of its patterns, whether or not they are worth their space."""
    _, m, p = batch.rows.shape
    moments = np.zeros((len(batch.start) - 1, m, m, p, p))
    pattern_moments(batch.start, batch.rows, moments)
    return replace(batch, moments=moments)


@pytest.mark.parametrize("random", RANDOM)
@pytest.mark.parametrize("errors", ["ar 1", "unstructured", "exponential, by"])
def test_sums_by_pattern_change_nothing(errors, random):
    _, _, objective, theta = setting(errors, random, True)
    batches, found = objective.batches, []
    try:
        for change in (with_moments, lambda batch: replace(batch, moments=None)):
            objective.batches = [change(batch) for batch in batches]
            at = objective.evaluate(theta)
            derivatives = objective.derivatives(at)
            found.append((at.deviance, at.beta, derivatives.gradient, derivatives.observed_information.hessian))
    finally:
        objective.batches = batches
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


def test_clusters_share_patterns():
    """Four groups have all weeks and two the first and the last: one pattern each, summed over its groups."""
    _, _, objective, _ = setting("ar 1", "intercept", False)
    counts = {batch.rows.shape[1]: sorted(batch.counts) for batch in objective.batches}
    assert counts == {1: [1.0], 2: [1.0, 1.0, 2.0], 3: [2.0], 4: [4.0]}
