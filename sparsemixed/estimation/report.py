"""Random-effects parameters on the scale on which they are printed."""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.boundary import Boundary
from sparsemixed.estimation.fit import VarianceParameter
from sparsemixed.estimation.parameters import Parameters

POWERS = {"variance": 1.0, "covariance": 1.0, "sd": 0.5, "correlation": 0.0}
"""Power of sigma2 in a parameter of each kind."""


def random_parameters(
    layout: Parameters, theta: np.ndarray, sigma2: float, boundary: Boundary, n_theta: int
) -> tuple[list[VarianceParameter], list[VarianceParameter]]:
    """Variances and covariances, then standard deviations and correlations; gradients (n_theta + 1,)."""
    columns: tuple[list, list] = ([], [])
    for place in layout.places:
        block, own = place.block, theta[place.theta]
        title = f"{block.equation}: {block.structure.title}"
        on_edge = bool(boundary.parameters[place.theta].any())
        for out, show in zip(columns, (block.structure.display, block.structure.display_sd), strict=True):
            for p in show(own, block.names):
                scale = sigma2 ** POWERS[p.kind]
                gradient = np.zeros(n_theta + 1)
                gradient[place.theta] = scale * p.gradient
                gradient[-1] = POWERS[p.kind] * scale * p.value
                out.append(VarianceParameter(title, p.label, scale * p.value, gradient, p.kind, on_edge))
    return columns
