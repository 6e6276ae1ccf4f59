"""Comparisons of models: DIC, Bayes factors, and exact leave-one-out predictions.

Rows or groups are left out with coefficients and random effects integrated out, given the variance parameters, in closed form
(Sundararajan & Keerthi 2001); over their posterior 1 / p(y_I | y_-I) is the mean of 1 / p(y_I | y_-I, phi), with smoothed weights
(Vehtari, Gelman & Gabry 2017). The few variance parameters hardly move without one group, so that k-hat is small.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from sparsemixed.bayesian.posterior import Posterior
from sparsemixed.bayesian.psis import smooth
from sparsemixed.bayesian.special import logsumexp
from sparsemixed.bayesian.sums import marginal_sums
from sparsemixed.design.deferred import changed
from sparsemixed.errors import NotAvailableError, NotEstimableWarning, OptionError
from sparsemixed.postestimation.influence.groups import DeletedGroups
from sparsemixed.postestimation.influence.left_out import leave_out

PLACES = 200
"""Draws of the variance parameters that predictions are averaged over."""
LOG_2PI = float(np.log(2.0 * np.pi))


def deviance_criterion(posterior: Posterior) -> dict[str, float]:
    """DIC and its penalty: -2 log likelihood of coefficients and variance parameters, random effects integrated out.

    The penalty is the mean deviance less the deviance at the posterior mean of the coefficients and of (theta, log sigma)
    (Spiegelhalter et al. 2002).

    Raises
    ------
    NotAvailableError
        The likelihood is not known, for want of a factorization.
    """
    if posterior.approximate:
        raise NotAvailableError("bayesstats ic: solver(krylov) knows no likelihood away from its estimates, and so no DIC")
    sums = marginal_sums(posterior.fit)
    constant = -sums.orthogonal.log_precision
    which = np.linspace(0, len(posterior.sigma) - 1, min(1000, len(posterior.sigma))).astype(int)

    def deviances(theta: np.ndarray, sigma: np.ndarray, gamma: np.ndarray) -> np.ndarray:
        found, v = sums.at(theta), np.column_stack([-gamma, np.ones(len(gamma))])
        square = np.einsum("sa,sab,sb->s", v, found.W, v)
        return sums.n * (LOG_2PI + 2 * np.log(sigma)) + found.logdet + constant + square / sigma**2

    values = deviances(posterior.theta[which], posterior.sigma[which], posterior.gamma[which])
    centre = (
        posterior.theta.mean(axis=0, keepdims=True),
        np.exp(np.log(posterior.sigma).mean(keepdims=True)),
        posterior.gamma.mean(axis=0, keepdims=True),
    )
    penalty = float(values.mean() - deviances(*centre)[0])
    return {"dic": float(values.mean()) + penalty, "pd": penalty, "mean_deviance": float(values.mean())}


def left_out(posterior: Posterior, groups: DeletedGroups) -> pd.DataFrame:
    """Log predictive densities of every row, or group, given the others: columns y, mean, sd, elpd, khat.

    Raises
    ------
    NotAvailableError
        Normal priors of the coefficients.
    """
    if not posterior.flat:
        raise NotAvailableError("bayes: loo integrates coefficients under flat priors, and this model has normal ones")
    which = np.linspace(0, len(posterior.sigma) - 1, min(PLACES, len(posterior.sigma))).astype(int)
    densities, first, second, frame = [], 0.0, 0.0, pd.DataFrame()
    with warnings.catch_warnings():
        for place, s in enumerate(which):
            if place:
                warnings.simplefilter("ignore", NotEstimableWarning)  # once is enough
            there = changed(posterior.fit, theta=posterior.theta[s], sigma2=float(posterior.sigma[s] ** 2))
            frame = leave_out(there, groups, rows=False)
            densities.append(frame["elpd"].to_numpy())
            mean, sd = frame["mean"].to_numpy(), frame["sd"].to_numpy()
            first, second = first + mean / len(which), second + (sd**2 + mean**2) / len(which)
    log_density = np.array(densities)
    elpd, khat = np.empty(log_density.shape[1]), np.empty(log_density.shape[1])
    for i, column in enumerate(log_density.T):
        smoothed = smooth(-column) if np.all(np.isfinite(column)) else None
        elpd[i] = float("nan") if smoothed is None else float(logsumexp(smoothed.log_weights + column))
        khat[i] = float("nan") if smoothed is None else smoothed.khat
    columns = {"y": frame["y"], "mean": first, "sd": np.sqrt(second - first**2), "elpd": elpd, "khat": khat}
    return pd.DataFrame(columns, index=frame.index)


def bayes_factor(one: Posterior, other: Posterior) -> dict[str, float]:
    """2 log B of one model against another, and its Monte Carlo error.

    Raises
    ------
    OptionError
        Other data; different flat priors, which have no Bayes factor; marginal likelihoods that are not known.
    """
    a, b = one.fit.design, other.fit.design
    if a.n_rows != b.n_rows or not np.array_equal(a.y, b.y):
        raise OptionError("bayes_factor: the models are of different data")
    if one.flat != other.flat or (one.flat and set(a.names) != set(b.names)):
        raise OptionError(
            "bayes_factor: coefficients with flat priors must be the same in both models; give those that differ normal priors"
        )
    difference = one.log_marginal - other.log_marginal
    if not np.isfinite(difference):
        raise OptionError(
            "bayes_factor: a marginal likelihood is not known: a prior has no known constant, or the fit is by solver(krylov)"
        )
    return {"log_bf": difference, "se": float(np.hypot(one.log_marginal_se, other.log_marginal_se))}
