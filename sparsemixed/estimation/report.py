"""Variance parameters on the scale on which they are printed."""

from __future__ import annotations

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.estimation.boundary import Boundary
from sparsemixed.estimation.fit import VarianceParameter
from sparsemixed.structures.base import Parameter
from sparsemixed.structures.residual_deviations import as_deviations

POWERS = {"variance": 1.0, "covariance": 1.0, "sd": 0.5}
"""Power of sigma2 in a parameter of each kind; others do not depend on it."""

Rows = tuple[VarianceParameter, ...]


def variance_parameters(design: Design, objective, at, boundary: Boundary) -> tuple[Rows, Rows]:
    """Variances and covariances, then standard deviations and correlations: random effects first, residuals last."""
    n = at.theta.size
    columns: tuple[list, list] = ([], [])

    def add(out: list, equation: str, p: Parameter, where: slice, on_edge: bool) -> None:
        power = POWERS.get(p.kind, 0.0)
        scale = at.sigma2**power
        gradient = np.zeros(n + 1)
        gradient[where] = scale * p.gradient
        gradient[-1] = power * scale * p.value
        out.append(VarianceParameter(equation, p.label, scale * p.value, gradient, p.kind, on_edge))

    for place in objective.parameters.places:
        block, own = place.block, at.theta[place.theta]
        title = f"{block.equation}: {block.structure.title}"
        # Where only some are on an edge every effect stands alone, with a parameter of its own.
        on_edge = boundary.parameters[place.theta]
        for out, show in zip(columns, (block.structure.display, block.structure.display_sd), strict=True):
            for p, edge in zip(show(own, block.names), on_edge, strict=True):
                add(out, title, p, place.theta, bool(edge))
    first = objective.parameters.n_theta
    equation, rows = _residual_rows(design, at.theta[first:])
    for out, shown in zip(columns, (rows, as_deviations(rows)), strict=True):
        for p in shown:
            add(out, equation, p, slice(first, n), False)
    return tuple(columns[0]), tuple(columns[1])


def _residual_rows(design: Design, rho: np.ndarray) -> tuple[str, list[Parameter]]:
    """Equation and parameters of the residual structure, or the one variance of independent errors."""
    if design.residual is None:
        return "", [Parameter("var(Residual)", 1.0, "variance", np.zeros(0))]
    return design.residual.equation, design.residual.structure.display(rho)


def residual_reach(design: Design, rho: np.ndarray) -> np.ndarray:
    """(n_rho,) largest derivative of the residuals' printed parameters, relative to the largest of those."""
    rows = _residual_rows(design, rho)[1]
    if not rho.size:
        return np.zeros(0)
    return np.max([np.abs(p.gradient) for p in rows], axis=0) / max(abs(p.value) for p in rows)
