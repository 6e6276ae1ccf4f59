"""A posterior as plain numbers: weighted nodes for expectations, equally weighted draws for everything else."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sparsemixed.estimation.fit import Fit


@dataclass(frozen=True)
class PosteriorParameters:
    """Variance parameters in one metric, at the nodes and in the draws.

    Attributes
    ----------
    equations, labels : tuple of str
        As printed: `id: Unstructured` and `var(week)`.
    nodes : (N, k)
    draws : (S, k)
    widths : (N, k) or None
        How far a parameter, or the log of one that is positive, moves across the cell of its node in a lattice.
    """

    equations: tuple[str, ...]
    labels: tuple[str, ...]
    nodes: np.ndarray
    draws: np.ndarray
    widths: np.ndarray | None = None


@dataclass(frozen=True)
class PosteriorSettings:
    """How a posterior was computed.

    Attributes
    ----------
    method : {"sampling", "quadrature", "nuts", "gaussian"}
        By what the nodes were found.
    draws, seed, evaluations : int
        Asked for; of the generator; of the density.
    """

    method: str
    draws: int
    seed: int
    evaluations: int


@dataclass(frozen=True)
class Posterior:
    """The posterior of one model.

    Attributes
    ----------
    fit : Fit
        The fit that the search for the mode started from: model, data and names.
    priors : tuple of (str, str)
        PosteriorParameters and their prior, as printed.
    settings : PosteriorSettings
    weights : (N,)
        Of the nodes, of sum one.
    beta_mean, beta_sd : (N, p)
        Coefficients are normal at every node.
    beta : (S, p)
    variances, deviations : PosteriorParameters
    theta, sigma : (S, n_theta), (S,)
        Variance parameters of the draws as the engine has them.
    gamma : (S, r)
        Coefficients of orthonormal X.
    precision : (r, r); prior_mean : (r,)
        Of gamma's prior; zeros where it is flat.
    log_marginal, log_marginal_se, khat, ess : float
        See `sampling.Nodes`; log_marginal is NaN where a prior has no known constant.
    effects, effects_var : tuple of arrays
        Posterior means (J, k) and covariances (J, k, k) of the random effects, term by term of the design; empty until they are
        asked for.
    """

    fit: Fit
    priors: tuple[tuple[str, str], ...]
    settings: PosteriorSettings
    weights: np.ndarray
    beta_mean: np.ndarray
    beta_sd: np.ndarray
    beta: np.ndarray
    variances: PosteriorParameters
    deviations: PosteriorParameters
    theta: np.ndarray
    sigma: np.ndarray
    gamma: np.ndarray
    precision: np.ndarray
    prior_mean: np.ndarray
    log_marginal: float
    log_marginal_se: float
    khat: float
    ess: float
    effects: tuple[np.ndarray, ...] = field(default=())
    effects_var: tuple[np.ndarray, ...] = field(default=())

    @property
    def approximate(self) -> str:
        """In which way the posterior is an approximation; empty where it is none but for Monte Carlo error."""
        return "Gaussian in the variance parameters" if self.settings.method == "gaussian" else ""

    @property
    def flat(self) -> bool:
        """Whether all coefficients have flat priors."""
        return not self.precision.any()


@dataclass(frozen=True)
class PosteriorShape:
    """What of a posterior is shown, and how.

    Attributes
    ----------
    level : float
        Credible level in per cent.
    hpd, stddeviations, noheader, nogroup, showreffects : bool
    """

    level: float = 95.0
    hpd: bool = False
    stddeviations: bool = False
    noheader: bool = False
    nogroup: bool = False
    showreffects: bool = False


@dataclass(frozen=True)
class SavedPosterior:
    """A posterior and what is shown of it, as a file keeps them beside the fit."""

    posterior: Posterior
    shape: PosteriorShape
