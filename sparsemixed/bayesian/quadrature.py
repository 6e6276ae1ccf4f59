"""Deterministic integration over a few variance parameters: the trapezoidal rule on a lattice that grows where the density is.

On the whole space the rule converges exponentially for smooth densities (Trefethen & Weideman 2014). The lattice is aligned with
the curvature at the mode; from the modes it spreads to neighbours until the density is exp(-17) of its maximum, so that skewed
posteriors, plateaus and second modes are covered as they are.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from sparsemixed.bayesian.coefficients import Integrated
from sparsemixed.bayesian.mode import Mode
from sparsemixed.bayesian.sampling import Evaluate, Nodes
from sparsemixed.bayesian.special import logsumexp
from sparsemixed.errors import NumericalError

DEPTH = {1: 30.0, 2: 24.0, 3: 20.0, 4: 17.0}
"""Logarithm of the density, below its maximum, at which the lattice ends, by the number of parameters."""
STEPS = {1: 0.05, 2: 0.15, 3: 0.5, 4: 0.75}
"""Spacing in standard deviations of the curvature, by the number of parameters."""
MOST_PARAMETERS = 4
MOST_NODES = {1: 20_000, 2: 60_000, 3: 400_000, 4: 400_000}
"""By the number of parameters: proper posteriors of two take ten thousand, and more of plateaus."""
HALF = 1 << 14
"""Lattice points to either side that can be told apart."""


def integrate(evaluate: Evaluate, modes: list[Mode], step: float | None = None) -> Nodes:
    """The nodes of the lattice with their shares of the integral.

    Raises
    ------
    NumericalError
        The lattice would have too many nodes: the posterior has no end in some direction.
    """
    n = len(modes[0].phi)
    h = STEPS[n] if step is None else step
    root = h * np.linalg.cholesky(modes[0].covariance)
    centre, inverse = modes[0].phi, np.linalg.inv(root)
    offsets = np.array([move for move in product((-1, 0, 1), repeat=n) if sum(map(abs, move)) == 1])
    frontier = np.unique(np.array([np.rint(inverse @ (mode.phi - centre)) for mode in modes]).astype(np.int64), axis=0)
    seen = _keys(frontier)
    places, values, parts, top = [], [], [], -np.inf
    while len(frontier):
        phi = centre + frontier @ root.T
        log_density, integrated = evaluate(phi)
        places.append(phi)
        values.append(log_density)
        parts.append(integrated)
        top = max(top, float(log_density.max()))
        live = frontier[log_density > top - DEPTH[n]]
        found = (live[:, None, :] + offsets[None]).reshape(-1, n)
        keys, first = np.unique(_keys(found), return_index=True)
        new = ~np.isin(keys, seen, assume_unique=True)
        frontier, seen = found[first[new]], np.concatenate([seen, keys[new]])
        if len(seen) > MOST_NODES[n]:
            raise NumericalError(
                "bayes: the posterior has no end within reach in some direction of its variance parameters; "
                "use priors that leave less near zero and far out, or method='sampling'"
            )
    log_density = np.concatenate(values)
    total = float(logsumexp(log_density))
    weights = np.exp(log_density - total)
    keep = weights > 0
    integrated = Integrated(*(np.concatenate([getattr(p, f) for p in parts])[keep] for f in ("log_likelihood", "mean", "root")))
    log_marginal = total + float(np.log(np.abs(np.linalg.det(root))))
    return Nodes(np.concatenate(places)[keep], weights[keep], integrated, log_marginal, 0.0, float("nan"), float("inf"), root)


def _keys(places: np.ndarray) -> np.ndarray:
    """One integer (S,) for each lattice point (S, n)."""
    return (places + HALF) @ (2 * HALF) ** np.arange(places.shape[1], dtype=np.int64)
