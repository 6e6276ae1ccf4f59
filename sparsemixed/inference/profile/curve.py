"""The profile of one target: its values where the deviance has risen by equal steps of zeta, with exact slopes.

zeta is the signed root of the rise of the deviance, a standard normal quantile on the scale of psi on which the likelihood is
normal. By the envelope theorem the deviance rises with psi by the multiplier lambda of the place, so that
dzeta / dpsi = lambda / (2 zeta).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.inference.profile.constrained import Edges
from sparsemixed.inference.profile.jets import Psi
from sparsemixed.inference.profile.limits import Limit, limit, on_lowest_branch, within
from sparsemixed.inference.profile.peak import Peak, first_place
from sparsemixed.inference.profile.roots import LowerDeviance, Place, root
from sparsemixed.inference.profile.targets import Target

STEPS = 6
"""Places on each side."""


@dataclass(frozen=True)
class Curve:
    """A profile at k places, from low to high.

    Attributes
    ----------
    value, zeta, deviance, slope : (k,) float64
        Of the target as it is shown, the signed root of the rise, the rise of the deviance, and dzeta / dvalue.
    x : (k, size) float64
        The places in the coordinates of the target's peak: everything else at its best.
    """

    value: np.ndarray
    zeta: np.ndarray
    deviance: np.ndarray
    slope: np.ndarray
    x: np.ndarray


def curve(peak: Peak, target: Target, farthest: float, edges: Edges) -> Curve:
    """The profile out to zeta of +-`farthest`, or to the end of the range of psi."""
    places = [(place, side) for side in (-1, 1) for place in _branch(peak, target, side, farthest, edges)]
    rows = [*(_row(target, place, side) for place, side in places), _middle(peak, target)]
    order = sorted(range(len(rows)), key=lambda i: (rows[i][1], rows[i][0]))
    x = [*(place.x for place, _ in places), peak.x]
    value, zeta, deviance, slope = np.array(rows)[order].T
    return Curve(value, zeta, deviance, slope, np.array(x)[order])


def _branch(peak: Peak, target: Target, side: int, farthest: float, edges: Edges) -> list[Place]:
    """Places of one side, each found from the one before it."""
    found: list[Place] = []
    for k in range(1, STEPS + 1):
        q = (farthest * k / STEPS) ** 2
        place = _following(peak, target.psi, side, q, found, k)
        known = None if place is None or not within(place.value, target) else Limit(place.value, "root", place)
        other = limit(peak, target, side, q, edges) if known is None else _lowest(peak, target, side, q, edges, known)
        if other.how == "boundary":
            return found + _at_end(peak, target, side, edges, q)
        if other.place is None:
            return found
        found.append(other.place)
    return found


def _lowest(peak: Peak, target: Target, side: int, q: float, edges: Edges, found: Limit) -> Limit:
    try:
        return on_lowest_branch(peak, target, side, q, edges, found)
    except LowerDeviance:
        return Limit(float("nan"), "none")


def _following(peak: Peak, psi: Psi, side: int, q: float, before: list[Place], k: int) -> Place | None:
    # The parabola through the last three places, which are equidistant in zeta.
    known = [peak.x, *(place.x for place in before)]
    start = (
        first_place(peak, psi, side, q)
        if k == 1
        else 2.0 * known[1] - known[0]
        if k == 2
        else 3.0 * known[-1] - 3.0 * known[-2] + known[-3]
    )
    try:
        return None if start is None else root(peak, psi, side, q, start)
    except LowerDeviance:
        return None


def _at_end(peak: Peak, target: Target, side: int, edges: Edges, q: float) -> list[Place]:
    """The end of the range of a variance, where the profile is known there and not yet so high."""
    if side > 0 or target.kind not in ("variance", "sd") or not target.variances or peak.jet(target.psi).value <= 0.0:
        return []
    rise, x = edges.lowest(peak, target.variances[0])
    return [Place(x, 0.0, max(rise, 0.0), np.nan)] if rise < q else []


def _row(target: Target, place: Place, side: int) -> tuple[float, float, float, float]:
    zeta, value = side * float(np.sqrt(place.deviance)), target.shown(place.value)
    slope = place.slope / (2.0 * zeta) if zeta else np.nan
    return value, zeta, place.deviance, slope * 2.0 * value if target.root else slope


def _middle(peak: Peak, target: Target) -> tuple[float, float, float, float]:
    """The estimate, where the slope is that of the quadratic with the deviance's Hessian."""
    jet = peak.jet(target.psi)
    value, spread = target.shown(jet.value), peak.spread(jet)
    with np.errstate(divide="ignore"):
        slope = 1.0 / np.sqrt(2.0 * spread) * (2.0 * value if target.root else 1.0) if spread > 0 else np.inf
    if target.root and not value > 0:
        bend = peak.whitening.T @ jet.hessian @ peak.whitening
        slope = 1.0 / float(np.sqrt(np.linalg.eigvalsh(bend)[-1]))
    return value, 0.0, 0.0, float(slope)
