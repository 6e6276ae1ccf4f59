"""What must be said of priors before anything is sampled: posteriors without an integral, and priors far from the data."""

from __future__ import annotations

import numpy as np

from sparsemixed.bayesian.model import BayesModel
from sparsemixed.bayesian.random_priors import ScalePrior
from sparsemixed.errors import OptionError, PriorDataWarning, warn
from sparsemixed.priors.single import Flat, Normal, Prior

FAR = 4.0
"""Standard deviations of a prior from which an estimate is in conflict with it, and the same as a probability of either tail."""
TAIL = 3.17e-5
LARGE = 6.0
"""Logarithm of how far beyond its estimate a standard deviation is where the likelihood has its tail."""


def check_proper(model: BayesModel, phi: np.ndarray) -> None:
    """Refuse a posterior without an integral: flat priors of standard deviations or variances of too few groups.

    The likelihood of a large standard deviation falls as its power -r, with r the dimensions of the effects that coefficients
    with flat priors leave; a flat density of it wants r > 1, one of its square r > 2 (Gelman 2006; Hobert & Casella 1996).

    Raises
    ------
    OptionError
        Which, and what to do.
    """
    target = model.target
    for block, prior in zip(target.blocks, target.block_priors, strict=True):
        for k, scale in enumerate(prior.scales):
            if not isinstance(scale.prior, Flat):
                continue
            place = block.place.theta.start + block.place_of_scale(k)
            _check_tail(model, phi, place, scale, f"{block.equation}: {scale.of}({_name(block, k)})")
    errors = [scale for scale in target.errors.own if isinstance(scale, ScalePrior)]
    if errors and isinstance(errors[0].prior, Flat):
        _check_tail(model, phi, target.n_all - 1, errors[0], f"{errors[0].of}(Residual)")


def _name(block, k: int) -> str:
    return block.names[k] if len(block.names) > k else " ".join(block.names)


def _check_tail(model: BayesModel, phi: np.ndarray, place: int, scale: ScalePrior, label: str) -> None:
    target = model.target
    full = np.tile(target.full(phi), (2, 1))
    full[:, place] += [LARGE, LARGE + 1.0]
    values = target.integrated(full[:, target.free]).log_likelihood
    power = float(values[0] - values[1])
    needed = 1.0 if scale.of == "sd" else 2.0
    if power < needed + 0.1:
        raise OptionError(
            f"bayes: a flat prior of {label} makes the posterior improper: the likelihood of large values falls like its "
            f"standard deviation to the power -{max(round(power), 0)}, too slowly. There are too few groups; use a proper prior"
        )


def warn_of_conflicts(model: BayesModel, theta: np.ndarray, sigma2: float) -> None:
    """Warn where the restricted likelihood's estimates are far out in their priors."""
    far = [*_far_coefficients(model), *_far_scales(model, theta, sigma2)]
    if far:
        warn(
            f"prior and data are in conflict: {'; '.join(far)}. Posterior and marginal likelihood follow the prior as much as "
            "the data; use priors on the scale of the data, as the default ones are",
            PriorDataWarning,
        )


def _far_coefficients(model: BayesModel) -> list[str]:
    found, fit = [], model.fit
    for row in model.rows:
        if isinstance(row.prior, Normal):
            for name, value in zip(fit.design.names, fit.beta, strict=True):
                if name in row.parameters.split(" ") and abs(value - row.prior.mean) > FAR * row.prior.sd:
                    distance = abs(value - row.prior.mean) / row.prior.sd
                    found.append(f"{name} is estimated as {value:.6g}, {distance:.3g} standard deviations from its prior's mean")
    return found


def _far_scales(model: BayesModel, theta: np.ndarray, sigma2: float) -> list[str]:
    found, target = [], model.target
    phi = target.full(target.start(theta, sigma2))
    scales: list[tuple[str, ScalePrior, float]] = []
    for block, prior in zip(target.blocks, target.block_priors, strict=True):
        variances = block.variances(phi[block.place.theta])
        names = [f"{block.equation}: {s.of}({_name(block, k)})" for k, s in enumerate(prior.scales)]
        scales += [(n, s, float(v)) for n, s, v in zip(names, prior.scales, np.atleast_1d(variances), strict=False)]
    first = target.errors.own[0]
    if target.errors.structure is None and isinstance(first, ScalePrior):
        scales.append((f"{first.of}(Residual)", first, sigma2))
    for name, scale, variance in scales:
        below = scale.cdf(variance)
        if isinstance(scale.prior, Prior) and np.isfinite(below) and min(below, 1.0 - below) < TAIL:
            value = variance if scale.of == "var" else float(np.sqrt(variance))
            found.append(
                f"{name} is estimated as {value:.4g}, beyond all but {min(below, 1 - below):.1g} of its prior {scale.prior}"
            )
    return found
