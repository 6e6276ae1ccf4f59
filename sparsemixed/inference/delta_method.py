"""Functions of estimates, linearised where the estimates are: the delta method with exact derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparsemixed.errors import CommandError, OptionError, shortened
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.named_estimates import Estimates
from sparsemixed.linear_form import LinearForm
from sparsemixed.nonlinear_form import Applied, Constant, Node, NonlinearForm, Parameter, UndefinedValueError, evaluated

NO_DERIVATIVE = "it has no derivative at the estimates"


@dataclass(frozen=True)
class Linearized:
    """Functions f (l,) of phi = (beta, theta, log sigma2) at its estimate.

    Attributes
    ----------
    value : (l,) float64
    jacobian : (l, p + n_theta + 1) float64
        df / dphi; NaN in rows without a standard error.
    covariance : (l, l) float64
        J V J', V by the fit's vce.
    undefined : tuple of str
        For each why it has no standard error; empty where it has one.
    variances : tuple of str
        The variance parameters that are involved.
    """

    value: np.ndarray
    jacobian: np.ndarray
    covariance: np.ndarray
    undefined: tuple[str, ...]
    variances: tuple[str, ...]

    @property
    def std_err(self) -> np.ndarray:
        """(l,) standard errors."""
        return np.sqrt(np.clip(np.diag(self.covariance), 0.0, None))

    def coefficients(self, fit: Fit) -> np.ndarray:
        """(l, p): the part of the Jacobian by the coefficients."""
        return self.jacobian[:, : len(fit.beta)]


def linearized(fit: Fit, forms: Sequence[tuple[NonlinearForm, str]]) -> Linearized:
    """Values and derivatives of functions of estimates.

    Parameters
    ----------
    fit : Fit
    forms : sequence of (NonlinearForm, str)
        Each with the text that its positions refer to.

    Raises
    ------
    CommandError
        For names that there are not.
    OptionError
        For a function without a value at the estimates.
    """
    estimates = Estimates(fit)
    values, rows, undefined = np.zeros(len(forms)), [], []
    variances: dict[str, None] = {}
    for i, (form, source) in enumerate(forms):
        named = {one.name: estimates.find(one.name, source, one.position) for one in form.parameters}
        try:
            value, partials = evaluated(form, {name: one.value for name, one in named.items()})
        except UndefinedValueError as error:
            why = f"{error} has no value: the function is not defined at the estimates"
            raise OptionError(why, source, error.position) from None
        except RecursionError:
            raise CommandError("the text is nested too deeply", source, 0) from None
        why = next((one.undefined for one in named.values() if one.undefined), "")
        row = np.zeros(estimates.covariance.shape[0])
        for name, partial in partials.items():
            # A derivative that overflows times one that is zero: nothing that is constant moves the function.
            row = row + (partial * named[name].gradient if named[name].gradient.any() else 0.0)
        if not why and not np.all(np.isfinite(row)):
            why = f"{shortened(form.text)}: {NO_DERIVATIVE}"
        values[i] = value
        rows.append(np.full_like(row, np.nan) if why else row)
        undefined.append(why)
        variances |= dict.fromkeys(one.name for one in named.values() if one.variance)
    jacobian = np.array(rows)
    return Linearized(values, jacobian, _congruent(jacobian, estimates.covariance), tuple(undefined), tuple(variances))


def _congruent(J: np.ndarray, V: np.ndarray) -> np.ndarray:
    """J V J' over the parameters that any row depends on: what is not known of the others does not matter."""
    used = np.any(J != 0, axis=0)
    return J[:, used] @ V[np.ix_(used, used)] @ J[:, used].T


def as_nonlinear(form: LinearForm, text: str) -> NonlinearForm:
    """A linear form as a tree."""
    root: Node = Constant(form.constant)
    for name, weight in form.weights.items():
        root = Applied("+", (root, Applied("*", (Constant(weight), Parameter(name, form.positions.get(name, 0))))))
    return NonlinearForm(root, text)
