"""Draws around the nodes of a lattice: what remains where no mixture of a few t distributions covers the posterior."""

from __future__ import annotations

import numpy as np

from sparsemixed.bayesian.psis import smooth
from sparsemixed.bayesian.sampling import Evaluate, Nodes, nodes
from sparsemixed.bayesian.special import logsumexp

SPREAD = 0.75
"""Standard deviation of the kernel at every node, in spacings of the lattice."""
MOST_KERNELS, PIECE = 4000, 256


def sample_around(evaluate: Evaluate, lattice: Nodes, count: int, random: np.random.Generator) -> Nodes:
    """Importance sampling from normal kernels at the nodes of a lattice, weighted as they are.

    A lattice with more than `MOST_KERNELS` nodes is resampled to so many, whose kernels are wider.
    """
    n, centres, shares = lattice.phi.shape[1], lattice.phi, lattice.weights
    assert lattice.spacing is not None
    root = lattice.spacing * SPREAD
    if len(shares) > MOST_KERNELS:
        chosen = random.choice(len(shares), MOST_KERNELS, p=shares)
        centres, shares = centres[chosen], np.full(MOST_KERNELS, 1.0 / MOST_KERNELS)
        mean = lattice.weights @ lattice.phi
        off = lattice.phi - mean
        spread = np.linalg.cholesky((lattice.weights[:, None] * off).T @ off)
        root = spread * MOST_KERNELS ** (-1.0 / (n + 4))
    which = random.choice(len(shares), count, p=shares)
    phi = centres[which] + random.standard_normal((count, n)) @ root.T
    log_density, integrated = evaluate(phi)
    inverse = np.linalg.inv(root)
    constant = -0.5 * n * np.log(2 * np.pi) - float(np.linalg.slogdet(root)[1])
    own, scaled, proposal = centres @ inverse.T, phi @ inverse.T, np.empty(count)
    for start in range(0, count, PIECE):
        part = scaled[start : start + PIECE]
        distance = ((part[:, None, :] - own[None]) ** 2).sum(axis=2)
        proposal[start : start + PIECE] = logsumexp(-0.5 * distance, axis=1, b=shares)
    ratios = log_density - proposal - constant
    return nodes(phi, ratios, smooth(ratios), integrated)
