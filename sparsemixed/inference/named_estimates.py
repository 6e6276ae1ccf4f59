"""Everything that is estimated by name: coefficients, and variance parameters as printed and as they are in e(b).

A function of them has derivatives by phi = (beta, theta, log sigma2), whose covariance is block diagonal, as e(V) is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sparsemixed.design.fixed.coefficient_names import CoefficientNames
from sparsemixed.design.wording import first_names
from sparsemixed.errors import CommandError
from sparsemixed.estimation.fit import Component, Fit, VarianceParameter
from sparsemixed.inference.covariance.vce import beta_covariance, theta_covariance
from sparsemixed.inference.estimation_metric import equation_names, residual_names, variance_metric

RESIDUALS = "Residual"
"""What stands for the level of the errors in `[Residual]rho`."""
_METRIC = re.compile(r"(?:\[(?P<bracket>[^\]]*)\]|/?(?P<plain>[^:]*):)_cons|/(?P<slash>\w+)", re.DOTALL)
_OF_LEVEL = re.compile(r"(?:\[(?P<level>[^\]]*)\]|(?P<before>[^():]+):)?\s*(?P<label>.+)", re.DOTALL)
_LIKE_VARIANCE = re.compile(r"(?:\[[^\]]*\]|[^()]*:)?\s*(?:var|sd|cov|corr)\(|\[(?:ln|at|r_)")
_INSIDE = re.compile(r"(?P<what>\w+)\((?P<of>.*)\[(?P<level>[^\]]*)\]\)", re.DOTALL)


@dataclass(frozen=True)
class Estimate:
    """One number that was estimated.

    Attributes
    ----------
    name : str
        As messages call it.
    value : float
    gradient : (p + n_theta + 1,) float64
        By phi; zero for coefficients that are held at zero.
    undefined : str
        Why it has no standard error, in words; empty where it has one.
    variance : bool
        Whether it is a variance parameter.
    """

    name: str
    value: float
    gradient: np.ndarray
    undefined: str = ""
    variance: bool = False


class Estimates:
    """The estimates of a fit by name.

    Coefficients are named as everywhere; the parameters of e(b) `[lns1_1_1]_cons`, `lns1_1_1:_cons` or `/lns1_1_1`; what the
    table prints as there, `var(_cons)` and, with `stddeviations`, `sd(_cons)`, `corr(week,_cons)`, with its level where there are
    several: `[school]var(_cons)`, `school:var(_cons)`, `var(_cons[school])`.
    """

    def __init__(self, fit: Fit):
        self.fit, self._names = fit, CoefficientNames(fit.design.columns, fit.spec)
        self._size = len(fit.beta) + len(fit.theta) + 1

    def find(self, name: str, source: str | None = None, position: int | None = None) -> Estimate:
        """The estimate of that name.

        Raises
        ------
        CommandError
            There is none, or several are called so.
        """
        if self._is_coefficient(name):
            place, gradient = self._names.place(name), np.zeros(self._size)
            if place is None:
                return Estimate(name, 0.0, gradient)
            gradient[place] = 1.0
            return Estimate(self.fit.design.names[place], float(self.fit.beta[place]), gradient)
        found = self._variance(name, source, position)
        if found is None:
            raise self._unknown(name, source, position)
        return found

    def is_variance(self, name: str, source: str | None = None, position: int | None = None) -> bool:
        """Whether a name that is no coefficient's is that of a variance parameter; raises where it is that of several.

        What looks like the name of a variance parameter and is none is an error, too.
        """
        if self._is_coefficient(name):
            return False
        found = self._variance(name, source, position)
        if found is None and _LIKE_VARIANCE.match(name) is not None:
            raise self._unknown(name, source, position)
        return found is not None

    def _is_coefficient(self, name: str) -> bool:
        try:
            self._names.index(name)
        except CommandError:
            return False
        return True

    @cached_property
    def covariance(self) -> np.ndarray:
        """(p + n_theta + 1, p + n_theta + 1) of phi; NaN for variance parameters without a usable information matrix."""
        p, matrix = len(self.fit.beta), np.zeros((self._size, self._size))
        matrix[:p, :p] = beta_covariance(self.fit)
        own = theta_covariance(self.fit).matrix
        matrix[p:, p:] = np.nan if own is None else own
        return matrix

    # --- variance parameters -------------------------------------------------------------------------------------------------

    def _variance(self, name: str, source: str | None, position: int | None) -> Estimate | None:
        metric = _METRIC.fullmatch(name)
        if metric is not None:
            equation = (metric["bracket"] or metric["plain"] or metric["slash"] or "").strip()
            if equation in self._metric:
                return self._metric[equation]
        inside = _INSIDE.fullmatch(name)
        if inside is not None:
            level, label = inside["level"], f"{inside['what']}({inside['of']})"
        else:
            match = _OF_LEVEL.fullmatch(name)
            assert match is not None
            level, label = match["level"] or match["before"], match["label"]
        found = self._printed.get(label_key(label), [])
        if level is not None:
            found = [(own, estimate) for own, estimate in found if own == level.strip()]
            found = found or [(own, one) for own, one in self._printed.get(label_key(name), [])]
        if len(found) > 1:
            choices = " or ".join(estimate.name for _, estimate in found)
            raise CommandError(f"{label} is a parameter of several levels: write {choices}", source, position)
        return found[0][1] if found else None

    @cached_property
    def _metric(self) -> dict[str, Estimate]:
        """Those of e(b) by the name of their equation."""
        values, gradients = variance_metric(self.fit)
        names = [*equation_names(self.fit), *residual_names(self.fit)]
        return {
            name: self._estimate(f"[{name}]_cons", float(value), gradient, parameter)
            for name, value, gradient, parameter in zip(names, values, gradients, self.fit.deviations, strict=True)
        }

    @cached_property
    def _printed(self) -> dict[str, list[tuple[str, Estimate]]]:
        """Those of the tables by label, each with its level."""
        found: dict[str, list[tuple[str, Estimate]]] = {}
        for component in self.fit.components:
            level = RESIDUALS if component.block is None else component.block.equation
            for parameter in _shown(component):
                name = parameter.label if component.block is None else f"[{level}]{parameter.label}"
                one = self._estimate(name, parameter.estimate, parameter.gradient, parameter)
                found.setdefault(label_key(parameter.label), []).append((level, one))
        return found

    def _estimate(self, name: str, value: float, gradient: np.ndarray, parameter: VarianceParameter) -> Estimate:
        whole = np.append(np.zeros(len(self.fit.beta)), gradient)
        why = ""
        if theta_covariance(self.fit).matrix is None:
            why = "there is no usable information matrix of the variance parameters"
        elif parameter.boundary:
            why = f"{name} lies on the boundary of the parameter space"
        elif not parameter.identified:
            why = f"{name} is not identified"
        return Estimate(name, float(value), whole, why, variance=True)

    def _unknown(self, name: str, source: str | None, position: int | None) -> CommandError:
        try:
            self._names.index(name, source, position)
        except CommandError as error:
            printed = [one.name for rows in self._printed.values() for _, one in rows]
            known = first_names([*printed, *(one.name for one in self._metric.values())])
            return CommandError(f"{error.message}; variance parameters are {known}", source, position)
        raise AssertionError(name)


def _shown(component: Component) -> Iterator[VarianceParameter]:
    """As variances and as standard deviations, those that are the same in both once."""
    yield from component.variances
    known = {parameter.label for parameter in component.variances}
    yield from (parameter for parameter in component.deviations if parameter.label not in known)


def label_key(label: str) -> str:
    """A label without blanks at commas and colons, the effects of a covariance in the order of the alphabet."""
    plain = re.sub(r"\s*([,:()])\s*", r"\1", label.strip())
    match = re.fullmatch(r"(.*\b(?:cov|corr))\(([^,()]+),([^,()]+)\)", plain)
    return plain if match is None else f"{match[1]}({','.join(sorted(match.groups()[1:]))})"
