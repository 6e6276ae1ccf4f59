"""The printed variance parameters at many thetas at once."""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.components import POWERS
from sparsemixed.estimation.fit import Component, Fit


def printed_variances(fit: Fit, theta: np.ndarray, sigma2: np.ndarray) -> np.ndarray:
    """(J, v) variance parameters as printed, at theta (J, n_theta) and sigma2 (J,)."""
    found = [
        _residual(fit, component, theta, sigma2) if component.block is None else _effects(component, theta, sigma2)
        for component in fit.components
    ]
    return np.concatenate(found, axis=1)


def _effects(component: Component, theta: np.ndarray, sigma2: np.ndarray) -> np.ndarray:
    """Entries of sigma2 F F' with the factor F linear in theta."""
    block = component.block
    assert block is not None
    structure, own = block.structure, theta[:, component.theta]
    F = np.tensordot(own, structure.dfactor(), axes=1)
    G = sigma2[:, None, None] * (F @ F.transpose(0, 2, 1))
    columns = []
    for shown in structure.display(np.ones(structure.n_theta), block.names):
        i, j = _places(shown.key)
        columns.append(G[:, i, j])
    return np.column_stack(columns)


def _places(key: tuple) -> tuple[int, int]:
    """The entry of G that a parameter is; what all effects share stands in the first place where it occurs."""
    places = [int(place) for place in key[1:]]
    if key[0] == "var":
        return (places[0], places[0]) if places else (0, 0)
    return (places[0], places[1]) if places else (0, 1)


def _residual(fit: Fit, component: Component, theta: np.ndarray, sigma2: np.ndarray) -> np.ndarray:
    part = fit.design.residual
    if part is None:
        return sigma2[:, None]
    out = np.full((len(theta), len(component.variances)), np.nan)
    for j in np.flatnonzero(np.isfinite(theta).all(axis=1)):
        shown = part.structure.display(theta[j, component.theta])
        out[j] = [one.value * sigma2[j] ** POWERS.get(one.kind, 0.0) for one in shown]
    return out
