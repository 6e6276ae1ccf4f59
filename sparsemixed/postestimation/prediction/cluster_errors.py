"""The joint errors of coefficients and effects from the dense blocks of V, where the errors' own covariance has no inverse.

With a correlation of the errors at its limit R may be singular, and Z'inv(R)Z not exist; V = R + ZGZ' is regular all the same and
Var(b_hat - b) = sigma2 (G - GZ'inv(V)ZG) with the coefficients known, which move it by GZ'inv(V)X.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.objectives.patterns import PatternEvaluation, PatternObjective
from sparsemixed.estimation.problems.table import problem_of
from sparsemixed.postestimation.prediction.joint_values import JointErrors, PairErrors
from sparsemixed.solver.linalg import covariance_root


def errors_by_clusters(fit: Fit) -> JointErrors:
    """The same as from the penalised system, cluster by cluster."""
    problem = problem_of(fit, "patterns")
    objective = problem.objective
    assert isinstance(objective, PatternObjective)
    at = objective.evaluate(fit.theta)
    layout, root = objective.parameters, covariance_root(at.sigma2, at.XVX_inverse)
    own_theta, _ = objective.split(fit.theta)
    random, count = fit.design.random, len(fit.design.random)
    factors, bases = layout.factors(own_theta), layout.bases()
    engine = [layout.order.index(r) for r in range(count)]
    G = [factors[t] @ factors[t].T for t in engine]
    fixed = [np.zeros((term.n_groups, term.k, objective.p)) for term in random]
    sums: dict[tuple[int, int], dict[tuple[int, int], np.ndarray]] = {}
    for r, u in [*combinations(range(count), 2), *((r, r) for r in range(count))]:
        sums[r, u] = {}
    _accumulate(fit, objective, at, engine, fixed, sums)
    own = [at.sigma2 * (g - g @ np.array([sums[r, r][j, j] for j in range(random[r].n_groups)]) @ g) for r, g in enumerate(G)]
    pairs = []
    for r, u in combinations(range(count), 2):
        cells = sorted(sums[r, u])
        values = np.array([-at.sigma2 * (G[r] @ sums[r, u][cell] @ G[u]) for cell in cells])
        rows, columns = np.array(cells, dtype=np.int64).reshape(-1, 2).T
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=random[r].n_groups))])
        pairs.append(PairErrors(r, u, indptr.astype(np.int64), columns.astype(np.int32), values))
    moves = tuple(g @ own_fixed @ root for g, own_fixed in zip(G, fixed, strict=True))
    named = tuple(bases[t] for t in engine)
    return JointErrors(problem.case.reduction.orthogonal.root(root), moves, tuple(own), tuple(pairs), named)


def _accumulate(
    fit: Fit, objective: PatternObjective, at: PatternEvaluation, engine: list[int], fixed: list[np.ndarray], sums: dict
) -> None:
    """Add up Z'inv(V0)X of every group, and Z'inv(V0)Z of every two groups that meet in a row."""
    random = fit.design.random
    for batch, Q in zip(objective.batches, at.inverses, strict=True):
        pattern = np.repeat(np.arange(len(batch.start) - 1), np.diff(batch.start))
        for c, rows in enumerate(batch.index):
            inverse, codes = Q[pattern[c]], [term.codes[rows] for term in random]
            columns = [batch.columns[t][pattern[c]] for t in engine]
            solved = inverse @ batch.rows[c][:, : objective.p]
            for r, z in enumerate(columns):
                np.add.at(fixed[r], codes[r], z[:, :, None] * solved[:, None, :])
            for (r, u), found in sums.items():
                for g, h in set(zip(codes[r].tolist(), codes[u].tolist(), strict=True)):
                    left, right = codes[r] == g, codes[u] == h
                    found[g, h] = columns[r][left].T @ inverse[np.ix_(left, right)] @ columns[u][right]
