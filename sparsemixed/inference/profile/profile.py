"""Profile-likelihood limits of whatever is asked for, with what is to be said of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from sparsemixed.errors import ConvergenceWarning, OptionError, warn
from sparsemixed.estimation.estimate import dense_order
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.hypotheses.distributions import z_critical
from sparsemixed.inference.profile.constrained import Edges
from sparsemixed.inference.profile.criteria import Criteria, Method, criteria
from sparsemixed.inference.profile.curve import Curve, curve
from sparsemixed.inference.profile.limits import Limit, limit
from sparsemixed.inference.profile.targets import Target, coefficient_targets, named_targets, variance_targets
from sparsemixed.inference.profile.traces import traces
from sparsemixed.solver.threads import blas_threads

FARTHEST, BEYOND = 2.5758293035489004, 1.1
"""|zeta| at the ends of a curve: the 99% limits, and beyond those that were asked for by this factor."""


@dataclass(frozen=True)
class ProfileLimits:
    """Limits of every target, from low to high.

    Attributes
    ----------
    targets : tuple of Target
    estimate, low, high : (l,) float64
        NaN where there is none; estimates are those of the criterion.
    ends : tuple of (Limit, Limit)
        How they were found.
    methods : tuple of {"ml", "reml"}
        The criterion of each target.
    level : float
        In per cent.
    note : str
        One remark on a line.
    response : str
    sources : Criteria
        What curves are made of.
    edges : Edges
    """

    targets: tuple[Target, ...]
    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ends: tuple[tuple[Limit, Limit], ...]
    methods: tuple[Method, ...]
    level: float
    note: str
    response: str
    sources: Criteria = field(repr=False)
    edges: Edges = field(repr=False)

    def profile_of(self, name: str, farthest: float | None = None) -> Curve:
        """The curve of one target by its name, out to a size of zeta, by default that of the 99% limits or beyond `level`.

        Raises
        ------
        OptionError
            None of that name was profiled, or its limits are not defined.
        """
        target = next((target for target in self.targets if target.name == name), None)
        if target is None:
            known = ", ".join(target.name for target in self.targets)
            raise OptionError(f"profile: there is no {name!r} among {known}")
        if target.unknown:
            raise OptionError(f"profile: {name} has no profile: {target.unknown}")
        peak = self.sources.peak(target)
        if not np.isfinite(peak.jet(target.psi).value):
            raise OptionError(f"profile: {name} has no profile: it has no value at the estimates")
        with blas_threads(dense_order(self.sources.of(target).fit.design)):
            return curve(peak, target, farthest or max(FARTHEST, BEYOND * z_critical(self.level)), self.edges)

    def traces_of(self, name: str, along: Curve) -> np.ndarray:
        """(k, l) values of all targets at the places of the curve of one; NaN for what goes by another criterion."""
        return traces(self.sources, next(target for target in self.targets if target.name == name), self.targets, along.x)


Choice = Callable[[Fit], list[Target]]
"""What is profiled, from a fit in whose coordinates it is."""


def profile(
    fit: Fit, names: Sequence[str] | None, level: float, stddeviations: bool, criterion: Method | None = None
) -> ProfileLimits:
    """Limits by profile likelihood: of everything, in the order printed, or of what is named.

    Raises
    ------
    CommandError, OptionError
        Names that there are not; see `criteria.criteria`.
    NotAvailableError
        The fit has no likelihood to profile.
    """

    def every(fit: Fit) -> list[Target]:
        return [*([] if criterion == "reml" else coefficient_targets(fit)), *variance_targets(fit, stddeviations)]

    return _chosen(fit, every if names is None else partial(named_targets, names=names), level, criterion)


def coefficient_profile(fit: Fit, level: float) -> ProfileLimits:
    """The limits of all coefficients."""
    return _chosen(fit, coefficient_targets, level, None)


def variance_profile(fit: Fit, level: float, stddeviations: bool, criterion: Method | None = None) -> ProfileLimits:
    """The limits of all variance parameters, in the order of `fit.variances`."""
    return _chosen(fit, partial(variance_targets, stddeviations=stddeviations), level, criterion)


def _chosen(fit: Fit, choice: Choice, level: float, criterion: Method | None) -> ProfileLimits:
    with blas_threads(dense_order(fit.design)):
        return _found(fit, choice, level, criterion)


def _found(fit: Fit, choice: Choice, level: float, criterion: Method | None) -> ProfileLimits:
    targets = choice(fit)
    sources = criteria(fit, criterion, any(t.fixed for t in targets), not all(t.fixed for t in targets))
    # Each in the coordinates of the fit whose likelihood it goes by.
    used = (sources.variances, sources.coefficients)
    by_method = {of.method: targets if of.fit is fit else choice(of.fit) for of in used}
    return _limits(fit, [by_method[sources.of(target).method][i] for i, target in enumerate(targets)], sources, level)


def _limits(fit: Fit, targets: list[Target], sources: Criteria, level: float) -> ProfileLimits:
    q, edges = z_critical(level) ** 2, Edges()
    estimate, ends = [], []
    for target in targets:
        if target.unknown:
            estimate.append(np.nan if target.kind == "function" else target.shown(_value(sources, target)))
            ends.append((Limit(float("nan"), "none"), Limit(float("nan"), "none")))
            continue
        peak = sources.peak(target)
        estimate.append(target.shown(peak.jet(target.psi).value))
        low = limit(peak, target, -1, q, edges)
        ends.append((low, limit(peak, target, 1, q, edges, low)))
    low, high = (np.array([t.shown(pair[i].value) for t, pair in zip(targets, ends, strict=True)]) for i in (0, 1))
    methods: tuple[Method, ...] = tuple(sources.of(target).method for target in targets)
    remarks = [_criterion_remark(fit, methods), *_remarks(targets, ends)]
    return ProfileLimits(
        targets=tuple(targets),
        estimate=np.array(estimate),
        low=low,
        high=high,
        ends=tuple(ends),
        methods=methods,
        level=level,
        note="\n".join(filter(None, remarks)),
        response=fit.spec.response,
        sources=sources,
        edges=edges,
    )


def _value(sources: Criteria, target: Target) -> float:
    """The estimate of what the constraints fix, or the data do not tell."""
    if target.coefficients:
        return float(sources.coefficients.fit.beta[target.coefficients[0]])
    return target.psi(sources.peak(target).x).value


def _criterion_remark(fit: Fit, methods: Sequence[Method]) -> str:
    if fit.spec.estimation.method == "ml":
        return "limits by profile likelihood (ML)."
    if len(set(methods)) == 2:
        return "limits of variance parameters by the profile of the restricted likelihood (REML), of all else by that of ML."
    return f"limits by profile likelihood ({methods[0].upper()})." + (" The fit is by REML." if methods[0] == "ml" else "")


def _remarks(targets: Sequence[Target], ends: Sequence[tuple[Limit, Limit]]) -> list[str]:
    """What is to be said of limits at a boundary, and of those that were not found; warns of these once."""
    found, missing = [], []
    for target, pair in zip(targets, ends, strict=True):
        sides = [which for which, end in zip(("lower", "upper"), pair, strict=True) if end.how == "boundary"]
        if sides:
            found.append(f"{target.name} ({' and '.join(sides)})")
        if target.unknown:
            missing.append(f"{target.name} has no limits: {target.unknown}.")
        elif any(end.how == "none" for end in pair):
            where = " and ".join(w for w, end in zip(("lower", "upper"), pair, strict=True) if end.how == "none")
            missing.append(f"{target.name}: the {where} limit was not found.")
    drop = max((end.lower for pair in ends for end in pair), default=0.0)
    lower = [_lower_remark(drop)] if drop > 0 else []
    unfound = [text for text in missing if text.endswith("not found.")]
    if lower or unfound:
        warn("profile: " + " ".join([*lower, *unfound]), ConvergenceWarning)
    boundary = f"limits on the boundary of the parameter space: {', '.join(found)}." if found else ""
    return [*lower, boundary, *missing]


def _lower_remark(drop: float) -> str:
    return (
        f"a lower deviance was found, by {drop:.4g}: the fit is at a local maximum of the likelihood, and limits beside it are "
        "not to be trusted. Fit again from other starting values."
    )
