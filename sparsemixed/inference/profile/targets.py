"""What is profiled, by name: coefficients, variance parameters as printed, and functions of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import comb
from typing import Any

import numpy as np

from sparsemixed.command.nonlinear import read_combinations
from sparsemixed.errors import CommandError, OptionError
from sparsemixed.estimation.components import POWERS
from sparsemixed.estimation.fit import Component, Fit
from sparsemixed.inference.constrained import held_rows
from sparsemixed.inference.estimation_metric import equation_names, residual_names
from sparsemixed.inference.intervals import SCALES
from sparsemixed.inference.named_estimates import RESIDUALS, Estimates
from sparsemixed.inference.profile.jets import (
    Composed,
    Correlation,
    Entry,
    OfErrors,
    OfForm,
    Psi,
    Quadratic,
    Scale,
    correlation_of,
    quadratic_forms,
    root_of,
)
from sparsemixed.structures.base import Displayed

LIMITS = {"variance": (0.0, np.inf), "sd": (0.0, np.inf), "correlation": (-1.0, 1.0), "decay": (0.0, 1.0)}
"""The range of a parameter of each kind; of others it is not known."""


@dataclass(frozen=True)
class Target:
    """A function psi of x = (theta, log sigma2, b), and what is known of its range.

    Attributes
    ----------
    name : str
        As typed, or as printed with its level where several have one of that name.
    kind : str
        Of a variance parameter; "coefficient" for those of the fixed part too, "function" for what a user wrote.
    psi : Psi
    coefficients : tuple of int
        Places in `fit.beta` of the coefficients in it, which are the b of x in this order.
    equation : str
        As printed, of a variance parameter.
    variances : tuple of Quadratic
        Variances of random effects without which psi has no meaning: itself, of a variance, or the two of a correlation.
    unknown : str
        Why there are no limits, in words; empty where there are.
    range : (float, float)
    alone : bool
        Whether it is the one coefficient of a process of order one.
    root : bool
        Whether what is wanted is the root of psi: psi is a variance, and a standard deviation is asked for.
    """

    name: str
    kind: str
    psi: Psi
    coefficients: tuple[int, ...] = ()
    equation: str = ""
    variances: tuple[Quadratic, ...] = ()
    unknown: str = ""
    range: tuple[float, float] = (-np.inf, np.inf)
    root: bool = False
    alone: bool = False

    @property
    def fixed(self) -> bool:
        """Whether it is of coefficients, and goes by maximum likelihood."""
        return bool(self.coefficients)

    @property
    def single(self) -> bool:
        """Whether it stands by itself, not in a covariance matrix: a coefficient of the fixed part, or a function."""
        return self.fixed or self.kind == "function"

    def shown(self, value: float) -> float:
        """A value of psi as it is wanted."""
        return float(np.sqrt(max(value, 0.0))) if self.root else value


def coefficient_targets(fit: Fit) -> list[Target]:
    """Every estimated coefficient."""
    return [_coefficient(fit, place) for place in range(len(fit.beta))]


def _coefficient(fit: Fit, place: int) -> Target:
    held = "the constraints of the model fix it" if held_rows(fit, np.eye(len(fit.beta))[[place]])[0] else ""
    return Target(fit.design.names[place], "coefficient", Entry(len(fit.theta) + 1), (place,), unknown=held)


def variance_targets(fit: Fit, stddeviations: bool) -> list[Target]:
    """Every variance parameter as printed, or as standard deviations and correlations."""
    found = [target for part in fit.components for target in component_targets(fit, part, stddeviations)]
    names = [target.name for target in found]
    return [t if names.count(t.name) == 1 else replace(t, name=_with_level(fit, t)) for t in found]


def _with_level(fit: Fit, target: Target) -> str:
    part = next(p for p in fit.components if any(v.equation == target.equation for v in p.variances))
    return target.name if part.block is None else f"[{part.block.equation}]{target.name}"


def component_targets(fit: Fit, part: Component, stddeviations: bool) -> list[Target]:
    """Those of one covariance matrix."""
    psi = _random(fit, part) if part.block is not None else _errors(fit, part)
    keys = _keys(fit, part)
    return [_printed(part, i, psi, keys, stddeviations) for i in range(len(part.variances))]


def _random(fit: Fit, part: Component) -> list[Psi]:
    block = part.block
    assert block is not None
    q = part.stop - part.start
    forms = quadratic_forms(lambda theta: block.structure.display(theta, block.names), q)
    return [Quadratic(Q, part.theta, len(fit.theta)) for Q in forms]


def _errors(fit: Fit, part: Component) -> list[Psi]:
    residual, powers = fit.design.residual, [POWERS.get(p.kind, 0.0) for p in part.variances]
    if residual is None:
        return [Scale(len(fit.theta))]
    structure = residual.structure

    def shown(rho: np.ndarray, i: int) -> Displayed:
        return structure.display(rho)[i]

    return [OfErrors(partial(shown, i=i), part.theta, len(fit.theta), power) for i, power in enumerate(powers)]


def _keys(fit: Fit, part: Component) -> list[tuple[int, tuple]]:
    """What each parameter is: the level of by() and the key of `Displayed`."""
    if part.block is not None:
        rows = part.block.structure.display(fit.theta[part.theta], part.block.names)
    elif fit.design.residual is not None:
        rows = fit.design.residual.structure.display(fit.theta[part.theta])
    else:
        return [(0, ("var",))]
    return [(row.level, row.key) for row in rows]


def _printed(part: Component, i: int, psi: list[Psi], keys: list[tuple[int, tuple]], stddeviations: bool) -> Target:
    variance = part.variances[i]
    shown = part.deviations[i] if stddeviations else variance
    about: dict[str, Any] = {
        "equation": variance.equation,
        "unknown": "" if shown.identified else "the data do not tell it from the others",
    }
    about["alone"] = shown.kind == "coefficient" and _order(keys, i) == 1
    about["range"] = _range(keys, i) if shown.kind == "coefficient" else LIMITS.get(shown.kind, (-np.inf, np.inf))
    own = psi[i]
    if variance.kind == "variance":
        zero = (own,) if isinstance(own, Quadratic) else ()
        return Target(shown.label, shown.kind, own, variances=zero, root=stddeviations, **about)
    if variance.kind == "covariance" and stddeviations:
        level, key = keys[i]
        pair = [psi[keys.index((level, ("var", *place)))] for place in (key[1:2], key[2:3])]
        zero = tuple(v for v in pair if isinstance(v, Quadratic))
        return Target(shown.label, shown.kind, _correlation(own, pair), variances=zero, **about)
    return Target(shown.label, shown.kind, own, **about)


def _correlation(covariance: Psi, variances: Sequence[Psi]) -> Psi:
    """Of one block's quadratic forms, or of parameters of the errors."""
    forms = [form for form in (covariance, *variances) if isinstance(form, Quadratic)]
    if len(forms) < 3:
        return Composed((covariance, *variances), correlation_of)
    return Correlation(np.array([form.Q for form in forms]), forms[0].where)


def _order(keys: list[tuple[int, tuple]], i: int) -> int:
    """Of the process that a parameter is a coefficient of."""
    level, key = keys[i]
    return sum(other[0] == level and other[1][:1] == key[:1] for other in keys)


def _range(keys: list[tuple[int, tuple]], i: int) -> tuple[float, float]:
    """Of the j-th coefficient of a polynomial of order p without roots inside the unit circle: up to p over j in size."""
    key = keys[i][1]
    most = float(comb(_order(keys, i), int(key[1]))) if len(key) > 1 else float("inf")
    return -most, most


def named_targets(fit: Fit, names: Sequence[str]) -> list[Target]:
    """The targets of names: coefficients, variance parameters, or functions of them, `ratio: _b[a]/_b[b]`.

    Raises
    ------
    CommandError
        There is none of that name, or several; a function that cannot be understood.
    OptionError
        No name, or one twice.
    """
    estimates, every = Estimates(fit), _by_estimate(fit)
    found = [_named(fit, estimates, every, name) for name in names]
    twice = next((t.name for i, t in enumerate(found) if t.name in [other.name for other in found[:i]]), None)
    if twice is not None:
        raise OptionError(f"profile: {twice} is asked for twice")
    return found


def _named(fit: Fit, estimates: Estimates, every: dict[str, Target], name: str) -> Target:
    try:
        one = estimates.find(name).name
    except CommandError as error:
        if not any(mark in name for mark in "+-*/^:()"):
            raise
        return _function(fit, estimates, every, name, error)
    if one not in every:
        raise OptionError(f"profile: {name} is not estimated: it is held at zero")
    return replace(every[one], name=name)


def _by_estimate(fit: Fit) -> dict[str, Target]:
    """The targets by the names of `Estimates.find`."""
    found = {target.name: target for target in coefficient_targets(fit)}
    deviations: list[Target] = []
    for part in fit.components:
        level = RESIDUALS if part.block is None else part.block.equation
        for asked in (False, True):
            own = component_targets(fit, part, asked)
            deviations += own if asked else []
            for target in own:
                name = target.name if part.block is None else f"[{level}]{target.name}"
                found.setdefault(name, target)
    return found | _in_metric(fit, deviations)


def _in_metric(fit: Fit, deviations: list[Target]) -> dict[str, Target]:
    """Those of e(b): logarithms of standard deviations, of the errors' after the first relative to it, and their like."""
    names, first, found = [*equation_names(fit), *residual_names(fit)], None, {}
    for name, target, parameter in zip(names, deviations, fit.deviations, strict=True):
        psi = as_wanted(target)
        parts: tuple[Psi, ...] = (psi,)
        if parameter in fit.components[-1].deviations and parameter.kind == "sd":
            parts, first = (psi,) if first is None else (psi, first), first or psi
        found[f"[{name}]_cons"] = replace(
            target, kind="function", psi=Composed(parts, partial(_metric, parameter.kind)), root=False, range=(-np.inf, np.inf)
        )
    return found


def _metric(kind: str, values: np.ndarray) -> tuple[float, np.ndarray]:
    scale = SCALES[kind]
    if not all(scale.valid(value) for value in values):
        return float("nan"), np.full(values.size, np.nan)
    signs = np.array([1.0, -1.0])[: values.size]
    return float(sum(s * scale.to(v) for s, v in zip(signs, values, strict=True))), signs * [scale.slope(v) for v in values]


def as_wanted(target: Target) -> Psi:
    """psi, or its root where that is what is wanted."""
    return Composed((target.psi,), root_of) if target.root else target.psi


def _function(fit: Fit, estimates: Estimates, every: dict[str, Target], text: str, unread: CommandError) -> Target:
    read = read_combinations(text)
    if len(read) != 1:
        raise OptionError(f"profile: {text!r} has {len(read)} functions; name them one by one")
    label, form = read[0]
    named = {one.name: estimates.find(one.name, text, one.position) for one in form.parameters}
    if not named:
        raise unread
    missing = next((one.name for one in named.values() if one.name not in every), None)
    if missing is not None:
        raise OptionError(f"profile: {missing} is not estimated: it is held at zero")
    targets = [every[one.name] for one in named.values()]
    places = tuple(dict.fromkeys(place for target in targets for place in target.coefficients))
    first = len(fit.theta) + 1
    parts = tuple(Entry(first + places.index(t.coefficients[0])) if t.coefficients else as_wanted(t) for t in targets)
    why = next((target.unknown for target in targets if target.unknown), "")
    return Target(label or form.text, "function", Composed(parts, OfForm(form, tuple(named))), places, unknown=why)
