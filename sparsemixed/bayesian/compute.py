"""From a fit and its priors to the posterior: modes, nodes by quadrature or sampling, and exact draws of the coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sparsemixed.bayesian.checks import check_proper, warn_of_conflicts
from sparsemixed.bayesian.evaluation import Evaluator
from sparsemixed.bayesian.gaussian import gaussian_nodes
from sparsemixed.bayesian.kernel_sampling import sample_around
from sparsemixed.bayesian.mode import Mode, find_modes
from sparsemixed.bayesian.model import BayesModel, bayes_model
from sparsemixed.bayesian.nuts import nuts_nodes
from sparsemixed.bayesian.posterior import Posterior, PosteriorSettings
from sparsemixed.bayesian.printed import printed_parameters, with_widths
from sparsemixed.bayesian.psis import GOOD
from sparsemixed.bayesian.quadrature import MOST_PARAMETERS, integrate
from sparsemixed.bayesian.sampling import Nodes, sample
from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.priors.asked import AskedPriors
from sparsemixed.resampling.workers import read_jobs
from sparsemixed.solver.threads import blas_threads
from sparsemixed.spec.numbers import is_whole

METHODS = ("auto", "sampling", "quadrature", "nuts")
FEWEST_DRAWS, MOST_DRAWS = 200, 10_000_000
AUTOMATIC = 2
"""Parameters up to which a lattice costs less than the draws, where many places cost little more than one."""


@dataclass(frozen=True)
class Request:
    """How a posterior is to be computed.

    Attributes
    ----------
    draws : int
    seed : int or None
        None for another one every time.
    n_jobs : int
        Threads; -1 for as many as there are cores.
    method : {"auto", "sampling", "quadrature", "nuts"}
    """

    draws: int = 4000
    seed: int | None = None
    n_jobs: int = 1
    method: str = "auto"

    def __post_init__(self) -> None:
        for name, least in (("draws", FEWEST_DRAWS), ("n_jobs", -1)):
            value = getattr(self, name)
            if not is_whole(value) or value < least or value == 0:
                what = f"a whole number of at least {least}" if name == "draws" else "a number of workers, or -1 for all cores"
                raise OptionError(f"bayes: {name}={value!r} must be {what}")
        if self.draws > MOST_DRAWS:
            raise OptionError(f"bayes: draws={self.draws:,} are more than the {MOST_DRAWS:,} that are kept in memory")
        if self.seed is not None and (not is_whole(self.seed) or self.seed < 0):
            raise OptionError(f"bayes: seed={self.seed!r} must be a whole number from 0 on")
        if self.method not in METHODS:
            raise OptionError(f"bayes: method={self.method!r} must be one of {', '.join(METHODS)}")


def compute_posterior(fit: Fit, asked: AskedPriors, request: Request, progress: Callable[[int], None] | None = None) -> Posterior:
    """The posterior of a fitted model.

    Raises
    ------
    OptionError
        Priors that are not there, or an improper posterior.
    NotAvailableError
        The model has no likelihood that can be integrated; the sampler did not reach its own standard.
    """
    model = bayes_model(fit, asked)
    with blas_threads(model.target.sums.dense_order):
        return _computed(model, asked, request, progress)


def _computed(model: BayesModel, asked: AskedPriors, request: Request, progress: Callable[[int], None] | None) -> Posterior:
    target, fit = model.target, model.fit
    warn_of_conflicts(model, fit.theta, fit.sigma2)
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if request.seed is None else int(request.seed)
    random = np.random.default_rng(seed)
    if target.sums.iterative:
        nodes, count = _gaussian(model, asked, request, random, progress)
        return _assembled(model, nodes, nodes, PosteriorSettings("gaussian", request.draws, seed, count), random)
    start = target.start(fit.theta, fit.sigma2)
    check_proper(model, start)
    cheap = target.sums.vectorised
    modes = find_modes(target, start, search=cheap)
    evaluate = Evaluator(_targets(model, request.n_jobs, cheap, asked), progress)
    nodes, drawn, method = _found(evaluate, target, modes, request, random, cheap)
    return _assembled(model, nodes, drawn, PosteriorSettings(method, request.draws, seed, evaluate.count), random)


def _gaussian(
    model: BayesModel, asked: AskedPriors, request: Request, random: np.random.Generator, progress: Callable[[int], None] | None
) -> tuple[Nodes, int]:
    """Draws of a design beyond a factorization, and the number of places that were evaluated."""
    if request.method != "auto":
        raise NotAvailableError(
            f"bayes: method={request.method!r} needs a factorization, and this fit is by solver(krylov), whose posterior is "
            "Gaussian in the variance parameters; leave method out"
        )
    evaluate = Evaluator(_targets(model, request.n_jobs, False, asked), progress)
    return gaussian_nodes(model, evaluate, request.draws, random), evaluate.count


def _targets(model: BayesModel, n_jobs: int, cheap: bool, asked: AskedPriors) -> list:
    """One target for each thread."""
    count = read_jobs(int(n_jobs), "bayes")
    others = [] if cheap else [bayes_model(model.fit, asked).target for _ in range(count - 1)]
    return [model.target, *others]


def _found(
    evaluate: Evaluator, target, modes: list[Mode], request: Request, random: np.random.Generator, cheap: bool
) -> tuple[Nodes, Nodes, str]:
    """Nodes for expectations, nodes to draw from, and the method of the former."""
    method, n = request.method, target.n
    if method == "quadrature" and n > MOST_PARAMETERS:
        raise OptionError(f"bayes: method='quadrature' is for up to {MOST_PARAMETERS} variance parameters, and there are {n}")
    if method == "nuts":
        found = nuts_nodes(target, modes[0], request.draws, random, evaluate.add)
        return found, found, "nuts"
    lattice = method == "quadrature" or (method == "auto" and cheap and n <= AUTOMATIC)
    whole = integrate(evaluate, modes) if lattice else None
    drawn = sample(evaluate, modes, request.draws, random)
    if not drawn.khat < GOOD and cheap and n <= MOST_PARAMETERS and method != "sampling":
        whole = integrate(evaluate, modes) if whole is None else whole
        drawn = sample_around(evaluate, whole, request.draws, random)
    if not drawn.khat < GOOD:
        if method == "sampling":
            raise NotAvailableError(_unreliable(drawn))
        found = nuts_nodes(target, modes[0], request.draws, random, evaluate.add, _unreliable(drawn))
        return found, found, "nuts"
    return (drawn, drawn, "sampling") if whole is None else (whole, drawn, "quadrature")


def _unreliable(drawn: Nodes) -> str:
    return (
        f"bayes: the proposals do not cover the posterior of the variance parameters (Pareto k-hat {drawn.khat:.2f}, above "
        f"{GOOD}, {drawn.ess:,.0f} effective draws). Use more draws, or priors that say more"
    )


def resampled(weights: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Which nodes `count` equally weighted draws are of: systematic resampling, in random order."""
    points = (random.random() + np.arange(count)) / count
    chosen = np.searchsorted(np.cumsum(weights) / weights.sum(), points, side="right")
    return random.permutation(np.minimum(chosen, len(weights) - 1))


def _assembled(
    model: BayesModel, nodes: Nodes, drawn: Nodes, settings: PosteriorSettings, random: np.random.Generator
) -> Posterior:
    target, fit = model.target, model.fit
    chosen = resampled(drawn.weights, settings.draws, random)
    phi, mean, root = drawn.phi[chosen], drawn.integrated.mean[chosen], drawn.integrated.root[chosen]
    z = random.standard_normal(mean.shape)
    gamma = mean + (np.linalg.solve(root.transpose(0, 2, 1), z[:, :, None])[:, :, 0] if mean.shape[1] else z)
    full = target.full(phi)
    variances, deviations = printed_parameters(target, fit, nodes.phi, phi)
    if nodes.spacing is not None:
        halves = [0.5 * side for side in nodes.spacing.T]
        ends = [printed_parameters(target, fit, nodes.phi - half, nodes.phi + half) for half in halves]
        variances = with_widths(variances, [(v.nodes, v.draws) for v, _ in ends])
        deviations = with_widths(deviations, [(d.nodes, d.draws) for _, d in ends])
    half = target.coefficients.directions() @ np.linalg.inv(nodes.integrated.root.transpose(0, 2, 1))
    return Posterior(
        fit=fit,
        priors=tuple((row.parameters, str(row.prior)) for row in model.rows),
        settings=settings,
        weights=nodes.weights,
        beta_mean=target.coefficients.on_x(nodes.integrated.mean),
        beta_sd=np.sqrt((half**2).sum(axis=2)),
        beta=target.coefficients.on_x(gamma),
        variances=variances,
        deviations=deviations,
        theta=target.thetas(full),
        sigma=np.exp(full[:, -1]),
        gamma=gamma,
        precision=target.coefficients.K,
        prior_mean=target.coefficients.g0,
        log_marginal=nodes.log_marginal - model.mass.log,
        log_marginal_se=float(np.hypot(nodes.log_marginal_se, model.mass.se)),
        khat=drawn.khat,
        ess=drawn.ess,
    )
