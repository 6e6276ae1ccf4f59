"""What estimation hands on: plain numbers, no factorization, no text layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.design.deferred import HoldsLater
from sparsemixed.design.values import Design, RandomBlock
from sparsemixed.estimation.search.values import LogEntry
from sparsemixed.spec import ModelSpec


@dataclass(frozen=True)
class VarianceParameter:
    """One variance parameter on the scale on which it is printed.

    Attributes
    ----------
    equation : str
        As printed: `id: Unstructured`; empty for the residual variance.
    label : str
        `var(week)`, `cov(week,_cons)`, `var(Residual)`; with `stddeviations` `sd(week)`, `corr(week,_cons)`.
    estimate : float
    gradient : (n_theta + 1,) float64
        Derivative with respect to (theta, log sigma2), for the delta method.
    kind : {"variance", "covariance", "sd", "correlation", "coefficient", "decay"}
        Decides the scale of the confidence interval.
    boundary : bool
        Its component lies on the boundary, so no standard error is defined.
    identified : bool
        Whether the likelihood tells it from the others (see `estimation.identification`).
    """

    equation: str
    label: str
    estimate: float
    gradient: np.ndarray
    kind: str
    boundary: bool
    identified: bool = True


@dataclass(frozen=True)
class Identification:
    """What the data cannot tell of the variance parameters.

    Attributes
    ----------
    sentence : str
        Which they are, in words.
    free, inside : int
        Dimension of what cannot be told of the parameters that are not on the boundary; and of all but the blocks of which every
        variance is zero.
    """

    sentence: str
    free: int
    inside: int


@dataclass(frozen=True)
class Component(HoldsLater):
    """One covariance matrix of a model with everything that is reported of it: nothing is looked up by its rank in a list.

    Attributes
    ----------
    block : RandomBlock or None
        The equation of random effects; None for the residuals.
    start, stop : int
        Its parameters' places in `Fit.theta`.
    variances, deviations : tuple of VarianceParameter
        Its parameters as printed by default, and with `stddeviations`: as many of the one as of the other.
    """

    block: RandomBlock | None
    start: int
    stop: int
    variances: tuple[VarianceParameter, ...]
    deviations: tuple[VarianceParameter, ...]

    @property
    def position(self) -> int | None:
        """Rank of the equation as typed; None for the residuals."""
        return None if self.block is None else self.block.position

    @property
    def theta(self) -> slice:
        """Its parameters' places in `Fit.theta`."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class MonteCarlo:
    """Errors of a fit by the iterative solver.

    Attributes
    ----------
    probes : int
        0 where exact traces were affordable.
    error : float
        Largest Monte Carlo error of any function of the variance parameters, in units of its standard error.
    llf_error : float
        Monte Carlo standard error of the log likelihood.
    seed : int
    """

    probes: int
    error: float
    llf_error: float
    seed: int


@dataclass(frozen=True)
class Fit(HoldsLater):
    """A fitted model.

    Attributes
    ----------
    spec, design : ModelSpec, Design
    beta : (p,) float64
    root : (p, r) float64
        Phi = root root', the covariance of the coefficients; r = p less the number of constraints.
    slopes : (n_theta, r, r) float64 or None
        root'(d inv(Phi) / d theta)root in coordinates in which Phi is the identity; REML only, None with `nostderr` and `emonly`.
    sigma2 : float
        Residual variance; where that is held at zero (`without_errors`), one so small that V does not feel it.
    theta : (n_theta,) float64
        All structures' parameters, block after block in the order of `design.random`, then those of the residuals.
    information : (n_theta + 1, n_theta + 1) float64 or None
        Observed information of (theta, log sigma2) with beta profiled out; None with `nostderr` and `emonly`. Rows
        and columns of parameters on the boundary are zero.
    boundary : (n_theta,) bool
        Parameters of components on the boundary.
    boundary_names : tuple of str
        The components on the boundary, in words.
    components : tuple of Component
        One for each equation of random effects, in the order typed, and the residuals' last.
    llf, llf_linear : float
        Log (restricted) likelihood of the model, and of the linear model with the same fixed part.
    converged : bool
    message : str
        Why the optimiser stopped.
    gradient_norm : float
        Newton decrement at the optimum: certified distance, in units of the log likelihood.
    em_log, log : tuple of LogEntry
        Of EM, the starting values included, and of the gradient-based search, which does not take place with `emonly`.
    iterations, factorizations : int
    solver : str
        "block", "dense", "sparse", "clusters" (residual structures), "krylov" or "none".
    u : tuple of (n_groups, k) arrays
        Best linear unbiased predictions b of the random effects, term by term.
    u_var : tuple of (n_groups, k, k) arrays
        Their prediction-error covariance Var(b - b_hat): beta taken as known after maximum likelihood, as estimated after REML.
    monte_carlo : MonteCarlo or None
        With solver "krylov" only.
    identification : Identification or None
        None where all variance parameters are identified, as far as one can tell.
    lost_digits : str
        What is not known of the log likelihood, in words; empty where it has all its digits (see `estimation.lost_digits`).
    solver_note : str
        What could be installed for this solver; mostly empty.
    log_prior : float
        Log density of the priors at the estimates, of fits by a penalised likelihood; `llf` is without it.
    """

    spec: ModelSpec
    design: Design
    beta: np.ndarray
    root: np.ndarray
    slopes: np.ndarray | None
    sigma2: float
    theta: np.ndarray
    information: np.ndarray | None
    boundary: np.ndarray
    boundary_names: tuple[str, ...]
    components: tuple[Component, ...]
    llf: float
    llf_linear: float
    converged: bool
    message: str
    gradient_norm: float
    em_log: tuple[LogEntry, ...]
    log: tuple[LogEntry, ...]
    iterations: int
    factorizations: int
    solver: str
    u: tuple[np.ndarray, ...]
    u_var: tuple[np.ndarray, ...]
    monte_carlo: MonteCarlo | None = None
    identification: Identification | None = None
    lost_digits: str = ""
    solver_note: str = ""
    log_prior: float = 0.0

    @property
    def variances(self) -> tuple[VarianceParameter, ...]:
        """The parameters of all components as printed, in the order typed; those of the residuals last."""
        return tuple(parameter for component in self.components for parameter in component.variances)

    @property
    def deviations(self) -> tuple[VarianceParameter, ...]:
        """The same with `stddeviations`: standard deviations and correlations."""
        return tuple(parameter for component in self.components for parameter in component.deviations)

    @property
    def without_errors(self) -> bool:
        """Whether the residual variance is zero: the random effects alone make up V (see `estimation.ends.without_errors`)."""
        errors = self.components[-1].variances
        return len(errors) == 1 and errors[0].boundary and errors[0].estimate == 0.0

    @property
    def random_blocks(self) -> tuple[RandomBlock, ...]:
        """The equations of random effects in the order typed."""
        return tuple(component.block for component in self.components if component.block is not None)

    @property
    def vcov_beta(self) -> np.ndarray:
        """Covariance (p, p) of the coefficients, sigma2 inv(X'inv(V0)X)."""
        return self.root @ self.root.T
