"""Temporary name."""

from sparsemixed.estimation.residual_estimate import cluster_objective as _objective


def cluster_objective(spec, design, orthogonal):
    objective = _objective(spec, design, orthogonal)
    return objective, objective.parameters
