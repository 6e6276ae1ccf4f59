"""Variance parameters as they are printed, at many places: variances and covariances, or standard deviations and correlations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sparsemixed.bayesian.coordinates import BlockCoordinates, SharedCovariance, Triangle
from sparsemixed.bayesian.posterior import PosteriorParameters
from sparsemixed.bayesian.target import Target
from sparsemixed.estimation.components import POWERS
from sparsemixed.estimation.fit import Fit
from sparsemixed.structures.base import Displayed, as_deviations


def printed_parameters(
    target: Target, fit: Fit, nodes: np.ndarray, draws: np.ndarray
) -> tuple[PosteriorParameters, PosteriorParameters]:
    """Both metrics, in the order of the table, at nodes (N, n) and draws (S, n)."""
    both = [target.full(phi) for phi in (nodes, draws)]
    blocks = {block.place.block.position: block for block in target.blocks}
    equations: list[str] = []
    labels: tuple[list[str], list[str]] = [], []
    columns: list[list[list[np.ndarray]]] = [[[], []], [[], []]]
    for component in fit.components[:-1]:
        block = blocks[component.block.position]  # type: ignore[union-attr]
        equations += [row.equation for row in component.variances]
        for metric, rows in enumerate((component.variances, component.deviations)):
            labels[metric].extend(row.label for row in rows)
        for where, full in enumerate(both):
            for metric, entries in enumerate(_entries(block, full[:, block.place.theta])):
                columns[metric][where] += entries
    last = fit.components[-1]
    equations += [row.equation for row in last.variances]
    for metric, rows in enumerate((last.variances, last.deviations)):
        labels[metric].extend(row.label for row in rows)
        for where, full in enumerate(both):
            columns[metric][where] += _errors(target, full, metric == 1)
    made = []
    for metric in (0, 1):
        found = [np.column_stack(columns[metric][where]) for where in (0, 1)]
        made.append(PosteriorParameters(tuple(equations), tuple(labels[metric]), *found))
    return made[0], made[1]


def with_widths(parameters: PosteriorParameters, ends: list[tuple[np.ndarray, np.ndarray]]) -> PosteriorParameters:
    """With the widths of cells, from the parameters (N, k) at both ends of each of their sides."""
    total, positive = np.zeros_like(parameters.nodes), np.all(parameters.nodes > 0, axis=0)
    for low, high in ends:
        move = np.where(positive, np.log(np.where(positive, high / low, 1.0)), high - low)
        total += move**2
    return replace(parameters, widths=np.sqrt(total))


def _entries(block: BlockCoordinates, phi: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The columns of both metrics: variances and covariances, standard deviations and correlations."""
    if isinstance(block, Triangle):
        S = block.covariance(phi)
        variances = list(np.einsum("saa->as", S))
        pairs = [(i, j) for i in range(block.m) for j in range(i + 1, block.m)]
        covariances = [S[:, i, j] for i, j in pairs]
        correlations = [S[:, i, j] / np.sqrt(variances[i] * variances[j]) for i, j in pairs]
    else:
        variances, covariances = list(block.variances(phi).T), []
        if isinstance(block, SharedCovariance):
            covariances = [block.shared_covariance(phi)]
        correlations = [one / variances[0] for one in covariances]
    return variances + covariances, [np.sqrt(v) for v in variances] + correlations


def _errors(target: Target, full: np.ndarray, deviations: bool) -> list[np.ndarray]:
    sigma = np.exp(full[:, -1])
    structure = target.sums.residual
    if structure is None:
        return [sigma if deviations else sigma**2]

    def rows(rho: np.ndarray) -> list[Displayed]:
        shown = structure.display(rho)
        return as_deviations(shown) if deviations else shown

    powers = np.array([2.0 * POWERS.get(row.kind, 0.0) for row in rows(structure.start())])
    values = np.array([[row.value for row in rows(rho)] for rho in full[:, target.n_random : -1]])
    return list((values * sigma[:, None] ** powers).T)
