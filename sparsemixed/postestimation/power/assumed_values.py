"""Assumed parameters by their printed names: from a mapping to beta, theta and sigma2 of a design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sparsemixed.design.fixed.coefficient_names import CoefficientNames
from sparsemixed.design.values import Design, RandomBlock
from sparsemixed.errors import CommandError, NumericalError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.inference.intervals import SCALES
from sparsemixed.inference.named_estimates import RESIDUALS, label_key
from sparsemixed.spec import ModelSpec
from sparsemixed.structures.base import Displayed, as_deviations

CLOSE = 1e-8
"""Largest relative difference between what was assumed and what the structure makes of it."""
MOST_STEPS = 100


@dataclass
class Named:
    """Values by name, each of which must be used.

    Attributes
    ----------
    values : dict
        By `label_key` of their names.
    typed : dict
        Their names as given, by the same.
    known : list of str
        Names that were looked for.
    """

    values: dict[str, float]
    typed: dict[str, str]
    known: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def find(self, level: str, label: str, alone: bool) -> float | None:
        """The value of a variance parameter, under its label or with its level; `alone` where no other level has that label.

        Raises
        ------
        OptionError
            A label without its level where several levels have it.
        """
        whole = f"[{level}]{label}"
        self.known.append(label if alone or level == RESIDUALS else whole)
        names = [whole, f"{level}:{label}", f"{label[:-1]}[{level}])", *([label] if alone or level == RESIDUALS else [])]
        if not alone and level != RESIDUALS and label_key(label) in self.values:
            raise OptionError(f"power: params: {label} is a parameter of several levels: write {whole}")
        for name in map(label_key, names):
            if name in self.values:
                self.used.add(name)
                return self.values[name]
        return None


def named(params: Mapping[str, Any]) -> Named:
    """Numbers by name.

    Raises
    ------
    OptionError
        Something that is no finite number.
    """
    found, typed = {}, {}
    for name, value in params.items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = float("nan")
        if not np.isfinite(number):
            raise OptionError(f"power: params: {name} is to be a number, found {value!r}")
        found[label_key(str(name))] = number
        typed[label_key(str(name))] = str(name)
    return Named(found, typed)


def values_of(fit: Fit) -> dict[str, float]:
    """The parameters of a fit by name, variances with their levels."""
    found = dict(zip(fit.design.names, map(float, fit.beta), strict=True))
    for component in fit.components:
        level = RESIDUALS if component.block is None else component.block.equation
        found |= {f"[{level}]{one.label}": float(one.estimate) for one in component.variances}
    return found


def assumed_parameters(
    problem: Problem[Any, Any], spec: ModelSpec, params: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray, float]:
    """beta (p,), theta (n_theta,) and sigma2 of a design.

    Parameters
    ----------
    params : mapping
        Coefficients by name, zero where none is given; variances, or standard deviations, and covariances, or correlations, as
        printed: `var(_cons)`, with its level where there are several, `[school]var(_cons)`. Covariances are zero by default.

    Raises
    ------
    OptionError
        A name that there is not, a variance that is missing, or numbers that no covariance matrix of the structure has.
    """
    design, given = problem.case.design, named(params)
    beta = _coefficients(design, spec, given)
    sigma2, rho = _errors(design, given)
    layout = None if problem.profile is None else problem.objective.parameters
    theta = np.zeros(0 if layout is None else layout.n_theta)
    for place in () if layout is None else layout.places:
        theta[place.theta] = _block_theta(place.block, design, given, sigma2)
    unknown = sorted(set(given.values) - given.used)
    if unknown:
        known = ", ".join(dict.fromkeys([*design.names, *given.known]))
        raise OptionError(f"power: params: the model has no parameter {', '.join(unknown)}; it has {known}")
    return beta, np.concatenate([theta, rho]), sigma2


def _coefficients(design: Design, spec: ModelSpec, given: Named) -> np.ndarray:
    names, beta = CoefficientNames(design.columns, spec), np.zeros(len(design.names))
    for name, value in given.values.items():
        try:
            place = names.place(given.typed[name])
        except CommandError:
            continue
        if place is None and value != 0.0:
            raise OptionError(f"power: params: {name} is held at zero in this design: it is a base level, or collinear")
        given.used.add(name)
        if place is not None:
            beta[place] = value
    constraints = design.constraints
    if constraints is not None and not np.allclose(constraints.C @ beta, constraints.d, rtol=CLOSE, atol=CLOSE):
        raise OptionError("power: params: the coefficients contradict the constraints of the model")
    return beta


# --- variances -----------------------------------------------------------------------------------------------------------------


def _targets(rows: Sequence[Displayed], level: str, given: Named, alone: bool, scale: float) -> list[float]:
    """The value of each row, covariances and variances times `scale`; by deviations and correlations where these are given."""
    deviations = as_deviations(rows)
    found: dict[tuple[int, tuple], float] = {}
    for row, other in zip(rows, deviations, strict=True):
        value = given.find(level, row.label, alone)
        root = given.find(level, other.label, alone) if row.kind == "variance" else None
        if value is not None and root is not None:
            raise OptionError(f"power: params has both {row.label} and {other.label}")
        if row.kind == "variance":
            value = value if root is None else root**2
            if value is None or value < 0 or (root or 0.0) < 0:
                what = "lacks" if value is None else "is to have a positive value for"
                raise OptionError(f"power: params {what} {row.label} or {other.label} of {level}")
        if value is not None:
            found[row.level, row.key] = value * scale if row.kind in ("variance", "covariance") else value
    for row, other in zip(rows, deviations, strict=True):
        if (row.level, row.key) in found:
            continue
        value = 0.0
        if row.kind == "covariance":
            correlation = given.find(level, other.label, alone)
            sizes = [found[row.level, ("var", *place)] for place in (row.key[1:2], row.key[2:3])]
            value = 0.0 if correlation is None else correlation * float(np.sqrt(np.prod(sizes)))
        elif row.kind != "coefficient":
            raise OptionError(f"power: params lacks {row.label} of {level}")
        found[row.level, row.key] = value
    return [found[row.level, row.key] for row in rows]


def _block_theta(block: RandomBlock, design: Design, given: Named, sigma2: float) -> np.ndarray:
    """theta of an equation of random effects with the assumed covariances."""
    structure = block.structure
    rows = structure.display(structure.nearest(np.eye(structure.m)), block.names)
    labels = [own.structure.display(own.structure.nearest(np.eye(own.structure.m)), own.names) for own in _blocks(design)]
    alone = sum(any(row.label == rows[0].label for row in other) for other in labels) < 2
    targets = _targets(rows, block.equation, given, alone, 1.0 / sigma2)
    G = np.zeros((structure.m, structure.m))
    for row, value in zip(rows, targets, strict=True):
        places = [int(place) for place in row.key[1:]]
        if row.key[0] == "var":
            G[places or range(structure.m), places or range(structure.m)] = value
        elif places:
            G[places[0], places[1]] = G[places[1], places[0]] = value
        else:
            G += value * (1.0 - np.eye(structure.m))
    size, vectors = np.linalg.eigh(G)
    if size[0] < -CLOSE * max(size[-1], 1e-300):
        raise OptionError(f"power: params: the covariances of {block.equation} are those of no covariance matrix")
    theta = structure.from_root(vectors * np.sqrt(np.clip(size, 0.0, None)))
    found = [row.value for row in structure.display(theta, block.names)]
    if not np.allclose(found, targets, rtol=CLOSE, atol=CLOSE * max(abs(size[-1]), 1e-300)):
        raise OptionError(f"power: params: {block.equation}: {structure.title.lower()} has no matrix with these covariances")
    return theta


def _blocks(design: Design) -> list[RandomBlock]:
    return [block for term in design.random for block in term.blocks]


def _errors(design: Design, given: Named) -> tuple[float, np.ndarray]:
    """sigma2 and rho of the errors; by Newton's method where they are correlated."""
    if design.residual is None:
        row = Displayed(("var",), "Residual", 1.0, "variance", np.zeros(0))
        (sigma2,) = _targets([row], RESIDUALS, given, True, 1.0)
        if sigma2 <= 0:
            raise OptionError("power: params: var(Residual) is to be positive")
        return sigma2, np.zeros(0)
    structure = design.residual.structure
    rho = np.asarray(structure.start(), dtype=float)
    rows = structure.display(rho)
    targets = np.array(_targets(rows, RESIDUALS, given, True, 1.0))
    x = np.append(rho, np.log(next(t for row, t in zip(rows, targets, strict=True) if row.kind == "variance")))
    for _ in range(MOST_STEPS):
        distance, J = _distance(structure.display(x[:-1]), targets, x[-1])
        step = np.linalg.lstsq(J, distance, rcond=None)[0]
        x = x - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-13 * (1.0 + np.abs(x).max()):
            break
    distance, _ = _distance(structure.display(x[:-1]), targets, x[-1])
    if not np.abs(distance).max() < CLOSE:
        raise NumericalError(f"power: params: the errors ({structure.title}) have no covariance matrix with these parameters")
    return float(np.exp(x[-1])), x[:-1]


def _distance(rows: Sequence[Displayed], targets: np.ndarray, log_sigma2: float) -> tuple[np.ndarray, np.ndarray]:
    """How far each parameter is from its target on the scale of its kind, and the Jacobian by (rho, log sigma2)."""
    distance, J = np.zeros(len(rows)), np.zeros((len(rows), len(rows[0].gradient) + 1))
    for i, (row, target) in enumerate(zip(rows, targets, strict=True)):
        powers = row.kind in ("variance", "covariance")
        factor = float(np.exp(log_sigma2)) if powers else 1.0
        scale, value = SCALES[row.kind], factor * row.value
        if not (scale.valid(value) and scale.valid(target)):
            raise OptionError(f"power: params: {row.label} of the errors is to be inside its limits, found {target:g}")
        distance[i] = scale.to(value) - scale.to(target)
        J[i, :-1] = factor * row.gradient * scale.slope(value)
        J[i, -1] = value * scale.slope(value) if powers else 0.0
    return distance, J
