"""The components of a fit: variance parameters on the scale on which they are printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from sparsemixed.design.deferred import deferred
from sparsemixed.design.values import Design, RandomBlock
from sparsemixed.estimation.fit import Component, VarianceParameter
from sparsemixed.estimation.interface import Penalty
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.estimation.search.boundary import Boundary
from sparsemixed.structures.base import Displayed, as_deviations
from sparsemixed.structures.random.linear_basis import entries_on_edge

POWERS = {"variance": 1.0, "covariance": 1.0, "sd": 0.5}
"""Power of sigma2 in a parameter of each kind; others do not depend on it."""

Shown = tuple[Sequence[Displayed], Callable[[], Sequence[Displayed]]]
"""Parameters as variances, and what makes standard deviations of them, for which few ask."""

NONE = 1e-13
"""Variance or covariance of errors, over the largest, that stands for zero."""


def components(design: Design, layout: ThetaMap, theta: np.ndarray, sigma2: float, boundary: Boundary) -> tuple[Component, ...]:
    """The component of every equation of random effects, in the order typed, and that of the residuals; `theta` holds both."""
    n = theta.size

    def component(block: RandomBlock | None, title: str, where: slice, shown: Shown, on_edge: np.ndarray) -> Component:
        def reported(rows: Sequence[Displayed]) -> tuple[VarianceParameter, ...]:
            return tuple(_reported(p, title, where, n, sigma2, e) for p, e in zip(rows, edge, strict=True))

        edge, (variances, deviations) = on_edge.tolist(), shown
        later = {("deviations",): lambda: {"deviations": reported(deviations())}}
        return deferred(Component, later, block=block, start=where.start, stop=where.stop, variances=reported(variances))

    found = []
    for place in sorted(layout.places, key=lambda place: place.block.position):
        block, own = place.block, theta[place.theta]
        structure, on_edge = block.structure, entries_on_edge(block.structure, boundary.parameters[place.theta])
        shown = structure.display(own, block.names), partial(structure.display_sd, own, block.names)
        found.append(component(block, f"{block.equation}: {structure.title}", place.theta, shown, on_edge))
    where = slice(layout.n_theta, n)
    equation, rows = _residual_rows(design, theta[where])
    gone = boundary.parameters[where]
    largest = max(row.value for row in rows)
    on_edge = [bool(gone.any()) and _at_limit(row, largest, gone) and not row.gradient[~gone].any() for row in rows]
    return (*found, component(None, equation, where, (rows, partial(as_deviations, rows)), np.array(on_edge)))


def with_known(found: tuple[Component, ...], prior: Penalty | None) -> tuple[Component, ...]:
    """The components, the residual variance without a standard error where a prior says what it is."""
    if prior is None or prior.known_variance is None:
        return found
    last = found[-1]
    metrics = (tuple(replace(one, boundary=True) for one in rows) for rows in (last.variances, last.deviations))
    return (*found[:-1], replace(last, **dict(zip(("variances", "deviations"), metrics, strict=True))))


def _at_limit(row: Displayed, largest: float, gone: np.ndarray) -> bool:
    """Whether a parameter of the errors may be one at a limit: a correlation, a covariance that is none, a variance of zero."""
    if row.kind not in POWERS:
        return True
    if row.kind == "covariance":
        return abs(row.value) <= NONE * largest
    return bool(row.gradient[gone].any()) and row.value <= NONE * largest


def _reported(p: Displayed, equation: str, where: slice, n: int, sigma2: float, on_edge: bool) -> VarianceParameter:
    """A structure's parameter, times its power of sigma2, as a function of (theta (n,), log sigma2)."""
    power = POWERS.get(p.kind, 0.0)
    scale = sigma2**power
    gradient = np.zeros(n + 1)
    gradient[where] = scale * p.gradient
    gradient[-1] = power * scale * p.value
    return VarianceParameter(equation, p.label, scale * p.value, gradient, p.kind, on_edge)


def _residual_rows(design: Design, rho: np.ndarray) -> tuple[str, list[Displayed]]:
    """Equation and parameters of the residual structure, or the one variance of independent errors."""
    if design.residual is None:
        return "", [Displayed(("var",), "Residual", 1.0, "variance", np.zeros(0))]
    return design.residual.equation, design.residual.structure.display(rho)
