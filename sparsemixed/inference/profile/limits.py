"""Both limits of one target: Newton's method first, then the boundary, then the profile itself, place by place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sparsemixed.inference.profile.branches import lower_branch
from sparsemixed.inference.profile.constrained import Edges, optimum_at, predicted_rise
from sparsemixed.inference.profile.jets import Entry, Psi
from sparsemixed.inference.profile.peak import Peak, first_place
from sparsemixed.inference.profile.roots import LOWER, LowerDeviance, Place, place_at, root
from sparsemixed.inference.profile.targets import Target

How = Literal["root", "bracket", "boundary", "none"]

SAME_BEND = 0.6
"""Distance of a limit from where its search began, in units of the rise in question, up to which it tells of the other side."""
FAR = 5.0
"""How many times the rise in question a quadratic must predict for it to be taken at its word that a place is too high."""
MOST_PLACES = 40
MOST_BRANCHES = 4
"""Each below the one before, after which a limit is given up."""
MOST_FAILURES = 3
"""Values of psi, each nearer, at which no lowest deviance is found, before the limit is given up."""
INWARD = (0.5, 0.25, 0.12, 0.06, 0.03, 0.01, 0.0)
"""Shares of a parameter of the errors that has run off, from which a profile goes back."""
FIRST_SHARE, LEAST_SHARE = 0.25, 0.01
"""Of the way in zeta: the first step along a profile, and the shortest."""
FARTHEST = 1e-6
"""Distance from the end of a range, relative to its width, at which a profile that has not risen enough is at that end."""
SAME_RISE = 1e-3
"""Of deviances of one place: what is left of psi and its slope."""
CLOSE_TO_LIMIT = 1e-9
"""Of the deviance at a limit, relative to the rise that is wanted."""


@dataclass(frozen=True)
class Limit:
    """One limit of psi.

    Attributes
    ----------
    value : float
        NaN where it was not found.
    how : {"root", "bracket", "boundary", "none"}
        By Newton's method, between two places of the profile, at the end of psi's range, where the deviance has not risen enough,
        or not at all.
    place : Place or None
        Where the profile has this value.
    lower : float
        By how much a deviance was found below that of the peak; zero where none was.
    """

    value: float
    how: How
    place: Place | None = None
    lower: float = 0.0


def limit(peak: Peak, target: Target, side: int, q: float, edges: Edges, other: Limit | None = None) -> Limit:
    """The limit on one side (-1 or 1) at which the profile of a target has risen by q; `other` is that of the other side."""
    try:
        found = _limit(peak, target, side, q, edges, other)
    except LowerDeviance as error:
        return Limit(float("nan"), "none", lower=error.drop)
    # Rounding would carry a correlation beyond one.
    return replace(found, value=float(np.clip(found.value, *target.range)))


def _limit(peak: Peak, target: Target, side: int, q: float, edges: Edges, other: Limit | None) -> Limit:
    psi, end = target.psi, target.range[(side + 1) // 2]
    middle = peak.jet(psi).value
    if not np.isfinite(middle):
        return Limit(end, "boundary") if np.isfinite(end) else Limit(float("nan"), "none")
    if at_end(middle, target, side):
        return Limit(end, "boundary")
    if target.kind == "coefficient" and not target.fixed and not target.alone and peak.surface.gone.any():
        # Beside one at the border of the polynomials without roots inside the unit circle others leave it, unforeseeably.
        return Limit(float("nan"), "none")
    # A correlation has no meaning, and so any value, where a variance is zero.
    if target.kind == "correlation" and _may_be_zero(peak, target, q, edges):
        return Limit(end, "boundary")
    found = _first(peak, target, side, q, edges, other)
    return found if found.place is None or found.how == "boundary" else on_lowest_branch(peak, target, side, q, edges, found)


def on_lowest_branch(peak: Peak, target: Target, side: int, q: float, edges: Edges, found: Limit) -> Limit:
    """A limit, or where other branches of the profile lie below it, that of the lowest."""
    for _ in range(MOST_BRANCHES):
        if found.place is None or found.how == "boundary":
            return found
        lower = lower_branch(peak, target.psi, found.place)
        if lower is None:
            return found
        peak = peak.freed
        if side < 0 and target.kind != "correlation" and any(edges.lowest(peak, v, lower.x)[0] < q for v in target.variances):
            return Limit(target.range[0], "boundary")
        found = _outward(peak, target, side, q, lower)
    return Limit(float("nan"), "none")


def _first(peak: Peak, target: Target, side: int, q: float, edges: Edges, other: Limit | None) -> Limit:
    """On the branch of the profile that leads away from the peak, or on the border of the errors' family."""
    psi, end = target.psi, target.range[(side + 1) // 2]
    found = _by_newton(peak, psi, side, q, None if other is None else other.place)
    if target.kind == "coefficient" and peak.surface.border.angles.size:
        found = _on_border(peak, target, side, q, edges, found)
        if isinstance(found, Limit):
            return found
    if found is not None and within(found.value, target):
        return Limit(end, "boundary") if at_end(found.value, target, side) else Limit(found.value, "root", found)
    if side < 0 and target.kind != "correlation" and any(edges.rise(peak, one) < q for one in target.variances):
        return Limit(end, "boundary")
    return _bracketed(peak, target, side, q)


def _by_newton(peak: Peak, psi: Psi, side: int, q: float, other: Place | None) -> Place | None:
    """From where psi ends on the ellipsoid of the quadratic model, and nearer than that where the other limit is known.

    What moves a limit away from there is, to second order, the same on both sides, and for a coefficient its mirror image.
    """
    start = first_place(peak, psi, side, q)
    if start is None:
        return None
    if other is not None and other.start is not None:
        bend = other.x - other.start
        if isinstance(psi, Entry):
            bend[psi.place] *= -1.0
        if np.linalg.norm(bend / peak.scale) <= SAME_BEND * np.sqrt(2.0 * q):
            found = root(peak, psi, side, q, start + bend)
            if found is not None:
                return found
    return root(peak, psi, side, q, start)


def _on_border(peak: Peak, target: Target, side: int, q: float, edges: Edges, found: Place | None) -> Place | Limit | None:
    """The farthest of a place, and of those on the border of the errors' family, which has several pieces.

    Where the deviance has not risen enough on a piece at the end of psi's range, the limit is that end.
    """
    start = first_place(peak, target.psi, side, q)
    if start is None:
        start = peak.x.copy()
        start[: peak.flat.size][peak.flat] *= INWARD[0]
        found = root(peak, target.psi, side, q, start)
    for face in peak.surface.border.faces(start):
        rise, lowest = edges.on_border(peak, face)
        if rise < -LOWER:
            raise LowerDeviance(lowest, -rise)
        if not rise < q:
            continue
        value = target.psi(lowest).value
        if at_end(value, target, side):
            return Limit(target.range[(side + 1) // 2], "boundary")
        place = root(peak, target.psi, side, q, face)
        if place is not None and within(place.value, target) and (found is None or side * (place.value - found.value) > 0.0):
            found = place
    return found


def _may_be_zero(peak: Peak, target: Target, q: float, edges: Edges) -> bool:
    """Whether the deviance has not risen by q where one of the variances is zero; looked at where it may be so."""
    near = [one for one in target.variances if not predicted_rise(peak, one) > FAR * q]
    return any(edges.rise(peak, one) < q for one in near)


def within(value: float, target: Target) -> bool:
    """Whether a value is in the range of psi."""
    return target.range[0] <= value <= target.range[1]


def at_end(value: float, target: Target, side: int) -> bool:
    """Whether a value is at the end of its range on this side, if there is one; a variance is at zero where it is zero."""
    low, high = target.range
    return bool(abs(value - target.range[(side + 1) // 2]) <= (FARTHEST * (high - low) if np.isfinite(high - low) else 0.0))


def _along(peak: Peak, psi: Psi, side: int, q: float) -> tuple[Place | None, bool]:
    """Along the profile in steps of zeta, each from the ones before: the last place, and whether the deviance has risen by q."""
    here, before, step, zeta, most = None, None, FIRST_SHARE, 0.0, np.sqrt(q)
    for _ in range(MOST_PLACES):
        share = min(zeta / most + step, 1.0)
        ahead = (share * most) ** 2
        if here is None:
            start = first_place(peak, psi, side, ahead)
        else:
            x, at = (peak.x, 0.0) if before is None else (before.x, np.sqrt(before.deviance))
            start = here.x + (here.x - x) * ((share * most - zeta) / (zeta - at))
        place = None if start is None else root(peak, psi, side, ahead, start)
        if place is None:
            step *= 0.4
            if step < LEAST_SHARE:
                break
            continue
        here, before, zeta, step = place, here, share * most, 1.6 * step
        if share == 1.0:
            return here, True
    return here, False


def _bracketed(peak: Peak, target: Target, side: int, q: float) -> Limit:
    """Along the profile until it has risen by q."""
    psi = target.psi
    here, there = _along(peak, psi, side, q)
    jet = peak.jet(psi)
    if here is None and peak.spread(jet) > 0:
        here = Place(peak.x, jet.value, 0.0, 0.0)
    elif here is None:
        peak, here = peak.freed, _inside(peak, target, side)
    if here is None:
        return Limit(float("nan"), "none")
    if there:
        return Limit(here.value, "root", here)
    return _outward(peak, target, side, q, here)


def _outward(peak: Peak, target: Target, side: int, q: float, here: Place) -> Limit:
    """From a place of the profile until it has risen by q, then to that place between two others."""
    psi, end, scale = target.psi, target.range[(side + 1) // 2], Stretched(target, side)
    u, stride = scale.to(here.value), 0.3 * scale.stride(peak, psi, q)
    failures = 0
    for _ in range(MOST_PLACES):
        value = scale.back(u + side * stride)
        if at_end(value, target, side):
            return Limit(end, "boundary", here)
        place = _next(peak, psi, side, value, here)
        if place is None:
            stride, failures = 0.25 * stride, failures + 1
            if failures == MOST_FAILURES:
                return Limit(float("nan"), "none")
            continue
        if place.deviance >= q:
            return _between(peak, psi, side, q, (here, place), scale)
        here, u = place, scale.to(value)
        stride *= 1.5
    return Limit(float("nan"), "none")


def _inside(peak: Peak, target: Target, side: int) -> Place | None:
    """A place to go on from where the estimate is at a limit of the errors' parameters, and no slope leads away: inside of it."""
    gone, end = peak.surface.gone | peak.flat, np.array(target.range)
    if not (np.all(np.isfinite(end)) and gone.any()):
        return None
    for share in INWARD:
        x = peak.x.copy()
        x[: gone.size][gone] *= share
        value = target.psi(x).value
        if np.abs(value - end).min() > 1e-2 * (end[1] - end[0]):
            found = place_at(peak.freed, target.psi, side, value, x)
            return optimum_at(peak.freed, target.psi, value, Place(x, value, 0.0, 0.0)) if found is None else found
    return None


def _next(peak: Peak, psi: Psi, side: int, value: float, here: Place) -> Place | None:
    place = place_at(peak, psi, side, value, here.x)
    if place is None or place.deviance < 0.9 * here.deviance:
        place = optimum_at(peak, psi, value, here)
    if place is not None and place.deviance < -1e-6:
        raise LowerDeviance(place.x, -place.deviance)
    return place


def _between(peak: Peak, psi: Psi, side: int, q: float, ends: tuple[Place, Place], scale: Stretched) -> Limit:
    """The place at which the profile has risen by q, by Newton's method on zeta within a bracket that shrinks."""
    low, high = ends
    here = high
    for _ in range(MOST_PLACES):
        if abs(here.deviance - q) <= CLOSE_TO_LIMIT * q:
            return Limit(here.value, "bracket", here) if _is_there(peak, here) else Limit(float("nan"), "none")
        low, high = (here, high) if here.deviance < q else (low, here)
        a, b = sorted((low.value, high.value))
        guess = here.value + (q - here.deviance) / here.slope if here.slope else np.nan
        if not a < guess < b:
            guess = scale.back(0.5 * (scale.to(low.value) + scale.to(high.value)))
        if guess in (a, b) or b - a <= np.spacing(max(abs(a), abs(b))) * 8.0:
            found = abs(here.deviance - q) <= SAME_RISE and _is_there(peak, here)
            return Limit(here.value, "bracket", here) if found else Limit(float("nan"), "none")
        place = _next(peak, psi, side, guess, low)
        if place is None:
            return Limit(float("nan"), "none")
        here = place
    return Limit(float("nan"), "none")


def _is_there(peak: Peak, place: Place) -> bool:
    """Whether the deviance has risen as it is said to: steps between places can lead to where no digits are left."""
    at = peak.surface.tried(place.x)
    return at is not None and abs(at.deviance - peak.deviance - place.deviance) <= SAME_RISE


class Stretched:
    """psi on a scale that has no ends: strides along it never leave the range."""

    def __init__(self, target: Target, side: int):
        low, high = target.range
        self._low, self._high = low, high
        self._kind = "log" if np.isfinite(low) and not np.isfinite(high) and side < 0 else ""
        if np.isfinite(low) and np.isfinite(high):
            self._kind = "logit"

    def to(self, value: float) -> float:
        """From psi."""
        if self._kind == "log":
            return float(np.log(value - self._low))
        if self._kind == "logit":
            return float(np.log(value - self._low) - np.log(self._high - value))
        return value

    def back(self, u: float) -> float:
        """To psi."""
        if self._kind == "log":
            return self._low + float(np.exp(u))
        if self._kind == "logit":
            return self._low + (self._high - self._low) / (1.0 + float(np.exp(-u)))
        return u

    def stride(self, peak: Peak, psi: Psi, q: float) -> float:
        """The first stride: a third of the way to where a quadratic deviance would have risen by q."""
        jet = peak.jet(psi)
        way = np.sqrt(2.0 * q * peak.spread(jet)) / 3.0
        if self._kind == "log":
            return float(min(max(way / (jet.value - self._low), 0.05), 1.0)) if jet.value > self._low else 1.0
        if self._kind == "logit":
            room = (jet.value - self._low) * (self._high - jet.value) / (self._high - self._low)
            return float(min(max(way / room, 0.05), 1.0)) if room > 0 else 1.0
        return float(way) if way > 0 else 1.0
