"""Directions in which the scaled Schur complement is far from the identity: taken exactly, they leave little to estimate."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.iterative.system import KrylovFactored

OUTLYING, SUBSPACE_ITERATIONS = 8, 4
MOST_SMALL = 64
"""Columns of small terms that are all taken exactly."""


def outlying_directions(system: KrylovFactored, random: np.random.Generator, outlying: int = OUTLYING) -> np.ndarray:
    """Q (q2, r) orthonormal: small terms' columns, and near the eigenvectors of I - Shat with the largest eigenvalues."""
    q = system.cp.q_schur
    small = np.empty((q, 0))
    for size, start in zip(reversed(system.cp.sizes[2:]), reversed(system.cp.schur_offsets[1:]), strict=True):
        if small.shape[1] + size > MOST_SMALL:
            break
        small = np.column_stack([np.eye(q, size, -start), small])
    Q = np.linalg.qr(np.column_stack([small, random.standard_normal((q, min(outlying, q - small.shape[1])))]))[0]
    for _ in range(SUBSPACE_ITERATIONS):
        moved = Q[:, small.shape[1] :] - system.scaled(np.ascontiguousarray(Q[:, small.shape[1] :]))
        Q = np.linalg.qr(np.column_stack([small, moved]))[0]
    return Q
