"""Which likelihood is profiled, and its surface for each target: REML's for variance parameters, ML for coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.maximum_likelihood import by_maximum_likelihood
from sparsemixed.estimation.objectives.groups import GroupsObjective
from sparsemixed.estimation.problems.table import problem_of
from sparsemixed.inference.covariance.sandwich import is_robust
from sparsemixed.inference.hypotheses.comparable import PENALISED, is_penalised, is_sampling_weighted
from sparsemixed.inference.profile.border import border_of, with_border
from sparsemixed.inference.profile.linear_objective import LinearObjective
from sparsemixed.inference.profile.peak import Peak, peak_at
from sparsemixed.inference.profile.surface import Held, Surface
from sparsemixed.inference.profile.targets import Target

Method = Literal["ml", "reml"]


class Coordinates(NamedTuple):
    """beta = map gamma + start: coefficients (p,) from those (r,) of orthonormal X."""

    map: np.ndarray
    start: np.ndarray


@dataclass(frozen=True)
class Criterion:
    """A likelihood at its maximum.

    Attributes
    ----------
    method : {"ml", "reml"}
    fit : Fit
        By that method.
    """

    method: Method
    fit: Fit

    @cached_property
    def _problem(self) -> tuple[Any, Coordinates, np.ndarray, np.ndarray]:
        fit, problem = self.fit, problem_of(self.fit)
        orthogonal, n = problem.case.reduction.orthogonal, len(fit.theta)
        rank = orthogonal.rank
        about = Coordinates(orthogonal.root(np.eye(rank)), orthogonal.coefficients(np.zeros(rank)))
        if problem.profile is None:
            square = orthogonal.square
            none = np.zeros(0, bool)
            return LinearObjective(square, orthogonal.n_obs, rank, self.method == "reml"), about, none, none
        if problem.plan is None:
            raise NotAvailableError(
                "profile: solver(krylov) knows no deviance but with a Monte Carlo error, and a profile is made of differences; "
                "fit with solver(sparse) or solver(dense), or use the symmetric limits of conf_int()"
            )
        layout = problem.profile.parameters
        invisible = np.append(layout.held, np.zeros(n - layout.n_theta, bool))
        gone = np.where(np.arange(n) < layout.n_theta, False, fit.boundary)
        profile = problem.profile.pooled() if isinstance(problem.profile, GroupsObjective) else problem.profile
        return profile, about, invisible, gone

    def peak(self, coefficients: Sequence[int] = ()) -> Peak:
        """The maximum, with these coefficients in its coordinates."""
        places = tuple(coefficients)
        if places not in self._peaks:
            objective, about, invisible, gone = self._problem
            rows = list(places)
            surface = Surface(objective, Held(about.map[rows], about.start[rows]), invisible, gone, border_of(self.fit))
            self._peaks[places] = peak_at(surface, surface.start(self.fit.theta, self.fit.sigma2))
        return self._peaks[places]

    @cached_property
    def _peaks(self) -> dict[tuple[int, ...], Peak]:
        return {}


@dataclass(frozen=True)
class Criteria:
    """The criterion of variance parameters, and that of whatever depends on coefficients."""

    variances: Criterion
    coefficients: Criterion

    def of(self, target: Target) -> Criterion:
        """The criterion that a target is profiled by."""
        return self.coefficients if target.fixed else self.variances

    def peak(self, target: Target) -> Peak:
        """Where its profile starts."""
        return self.of(target).peak(target.coefficients)


def criteria(fit: Fit, asked: Method | None, fixed: bool, variances: bool) -> Criteria:
    """The criteria of a profile; a fit by REML is fitted once more by ML where something asked for goes by that.

    Parameters
    ----------
    asked : {"ml", "reml"} or None
        By default REML's criterion for variance parameters of a fit by REML, and ML for all else.
    fixed, variances : bool
        Whether targets depend on coefficients, and whether some do not.

    Raises
    ------
    OptionError
        REML was asked for, and the fit is by ML, or coefficients are to be profiled.
    NotAvailableError
        The fit has no likelihood, has not converged or is without its data.
    """
    own = fit.spec.estimation.method
    if asked not in (None, "ml", "reml"):
        raise OptionError(f"profile: criterion is ml or reml, not {asked!r}")
    if asked == "reml" and own == "ml":
        raise OptionError("profile: criterion reml needs a fit by REML: fit the model with reml=True")
    if asked == "reml" and fixed:
        raise OptionError(
            "profile: restricted likelihoods do not tell one value of a coefficient from another: leave criterion out, and "
            "coefficients go by ML, variance parameters by REML; or name variance parameters alone"
        )
    _refuse(fit)
    mine = Criterion(own, with_border(fit))
    if own == "ml":
        return Criteria(mine, mine)
    needs_ml = fixed or (variances and asked == "ml")
    if not needs_ml:
        return Criteria(mine, mine)
    other = Criterion("ml", with_border(by_maximum_likelihood(fit, "profile")))
    _refuse(other.fit)
    return Criteria(other if asked == "ml" else mine, other)


def _refuse(fit: Fit) -> None:
    if is_sampling_weighted(fit):
        raise NotAvailableError(
            "profile: fits with sampling weights have a pseudolikelihood, whose differences have no chi-squared distribution; "
            "use the limits of conf_int()"
        )
    if is_penalised(fit):
        raise NotAvailableError(f"profile: {PENALISED}; fit without prior=, or take credible intervals, from bayes()")
    if is_robust(fit):
        raise NotAvailableError(
            "profile: with robust standard errors the model is not taken to be right, and the profile likelihood rests on that; "
            "use the limits of conf_int(), or fit with vce(oim)"
        )
    if not fit.design.has_rows:
        raise NotAvailableError(
            "profile: the likelihood is needed at other parameters, and this fit was loaded without its data; save it with "
            "data=True (fit --save FIT --save-data), or fit the model again"
        )
    if fit.without_errors:
        raise NotAvailableError("profile: the residual variance is zero, where the likelihood has no maximum to start from")
    if not fit.converged:
        raise NotAvailableError(
            "profile: the fit has not converged, and a profile starts from the maximum of the likelihood; see fit.status"
        )
