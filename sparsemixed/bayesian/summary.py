"""Posterior means, standard deviations, quantiles and their Monte Carlo errors.

Of coefficients these are those of a mixture of normals, one at every node (Gelfand & Smith 1990): only the variance parameters
are sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.bayesian.posterior import Posterior, PosteriorParameters
from sparsemixed.bayesian.special import ndtr

COLUMNS = ("mean", "sd", "mcse", "median", "low", "high")
ROUNDING = 1e-12
"""Monte Carlo error, in standard deviations, that is none: in balanced designs means do not depend on the variances."""
HALVINGS = 60
"""Of an interval of ten standard deviations to either side: to rounding."""
SAME, ROOT_2PI = 1e-15, float(np.sqrt(2.0 * np.pi))
"""Share of that interval within which a quantile is known."""


@dataclass(frozen=True)
class Summary:
    """Arrays (k,) by `COLUMNS`, of coefficients and of variance parameters."""

    coefficients: dict[str, np.ndarray]
    parameters: dict[str, np.ndarray]


def summarise(posterior: Posterior, parameters: PosteriorParameters, level: float, hpd: bool) -> Summary:
    """The summary of both kinds of parameters, those of variance in one metric.

    Parameters
    ----------
    level : float
        Of the limits, in per cent.
    hpd : bool
        Whether the limits are those of the shortest interval, of the draws; else they leave the same to both sides.
    """
    half = (100.0 - level) / 200.0
    probabilities = np.array([0.5, half, 1.0 - half])
    exact = np.isinf(_effective(posterior))
    beta = _moments(posterior, posterior.beta_mean, posterior.beta_sd, exact)
    found = mixture_quantiles(posterior.weights, posterior.beta_mean, posterior.beta_sd, probabilities)
    beta |= dict(zip(("median", "low", "high"), found, strict=True))
    own = _moments(posterior, parameters.nodes, np.zeros_like(parameters.nodes), exact)
    if parameters.widths is None:
        found = weighted_quantiles(posterior.weights, parameters.nodes, probabilities)
    else:
        found = cell_quantiles(posterior.weights, parameters.nodes, parameters.widths, probabilities)
    own |= dict(zip(("median", "low", "high"), found, strict=True))
    if hpd:
        beta["low"], beta["high"] = shortest(posterior.beta, level)
        own["low"], own["high"] = shortest(parameters.draws, level)
    return Summary(beta, own)


def _effective(posterior: Posterior) -> float:
    """Infinite where the nodes are those of a lattice."""
    return float("inf") if posterior.settings.method == "quadrature" else posterior.ess


def _moments(posterior: Posterior, mean: np.ndarray, sd: np.ndarray, exact: bool) -> dict[str, np.ndarray]:
    w = posterior.weights[:, None]
    centre = (w * mean).sum(axis=0)
    off = mean - centre
    variance = (w * (off**2 + sd**2)).sum(axis=0)
    if exact:
        error = np.zeros(len(centre))
    elif posterior.settings.method == "nuts":
        error = np.sqrt((w * off**2).sum(axis=0) / posterior.ess)
    else:
        error = np.sqrt((w**2 * off**2).sum(axis=0))
    spread = np.sqrt(variance)
    known = spread <= ROUNDING * np.abs(centre)
    spread[known], error[known] = 0.0, 0.0
    return {"mean": centre, "sd": spread, "mcse": np.where(error > ROUNDING * spread, error, 0.0)}


def mixture_quantiles(weights: np.ndarray, mean: np.ndarray, sd: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Quantiles (c, k) of k mixtures of N normals, by Newton steps within limits that bisection narrows."""
    low, high = (mean - 10 * sd).min(axis=0), (mean + 10 * sd).max(axis=0)
    start = weights @ mean
    out = np.empty((len(probabilities), mean.shape[1]))
    for c, probability in enumerate(probabilities):
        a, b, at = low.copy(), high.copy(), start.copy()
        for _ in range(HALVINGS):
            z = (at - mean) / sd
            over = weights @ ndtr(z) - probability
            a, b = np.where(over < 0, at, a), np.where(over < 0, b, at)
            with np.errstate(all="ignore"):
                step = over / (weights @ (np.exp(-0.5 * z * z) / sd)) * ROOT_2PI
            there = np.abs(step) <= SAME * (high - low)
            if np.all(there):
                break
            at = np.where(there | ((at - step > a) & (at - step < b)), at - step, (a + b) / 2)
        out[c] = at
    return out


def weighted_quantiles(weights: np.ndarray, values: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Quantiles (c, k) of weighted values (N, k), by interpolation between the middles of their steps."""
    out = np.empty((len(probabilities), values.shape[1]))
    for k, column in enumerate(values.T):
        order = np.argsort(column, kind="stable")
        steps = np.cumsum(weights[order]) - 0.5 * weights[order]
        out[:, k] = np.interp(probabilities, steps, column[order])
    return out


def cell_quantiles(weights: np.ndarray, values: np.ndarray, widths: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Quantiles (c, k) of cells that spread their weights evenly over their widths, by bisection; of positive values as logs."""
    positive = np.all(values > 0, axis=0)
    centres = np.where(positive, np.log(np.where(positive, values, 1.0)), values)
    low, high = (centres - widths).min(axis=0), (centres + widths).max(axis=0)
    out, across = np.empty((len(probabilities), values.shape[1])), np.maximum(widths, 1e-300)
    for c, probability in enumerate(probabilities):
        a, b = low.copy(), high.copy()
        for _ in range(HALVINGS):
            middle = (a + b) / 2
            below = weights @ np.clip((middle - centres) / across + 0.5, 0.0, 1.0) < probability
            a, b = np.where(below, middle, a), np.where(below, b, middle)
        out[c] = (a + b) / 2
    return np.where(positive, np.exp(np.where(positive, out, 0.0)), out)


def shortest(draws: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Limits (k,) of the shortest intervals that hold a share of the draws (S, k)."""
    ordered = np.sort(draws, axis=0)
    inside = int(np.ceil(level / 100.0 * len(ordered)))
    widths = ordered[inside - 1 :] - ordered[: len(ordered) - inside + 1]
    first = np.argmin(widths, axis=0)
    columns = np.arange(ordered.shape[1])
    return ordered[first, columns], ordered[first + inside - 1, columns]


def parameter_names(posterior: Posterior, parameters: PosteriorParameters) -> list[str]:
    """Coefficients, then variance parameters by their labels, with the equation where two share a label."""
    labels, equations = parameters.labels, [e.partition(":")[0] for e in parameters.equations]
    taken = [*posterior.fit.design.names, *labels]
    own = [label if taken.count(label) == 1 else f"{e}: {label}" for label, e in zip(labels, equations, strict=True)]
    return [*posterior.fit.design.names, *own]


def summary_frame(posterior: Posterior, parameters: PosteriorParameters, level: float, hpd: bool) -> pd.DataFrame:
    """The summary by `COLUMNS`, one row for each parameter."""
    found = summarise(posterior, parameters, level, hpd)
    columns = {name: np.concatenate([found.coefficients[name], found.parameters[name]]) for name in COLUMNS}
    frame = pd.DataFrame(columns, index=parameter_names(posterior, parameters))
    if posterior.approximate:
        frame.columns.name, frame.attrs = "approximate", {"approximate": posterior.approximate}
    return frame


def draws_frame(posterior: Posterior, parameters: PosteriorParameters) -> pd.DataFrame:
    """Equally weighted draws, one column for each parameter."""
    return pd.DataFrame(np.column_stack([posterior.beta, parameters.draws]), columns=parameter_names(posterior, parameters))


def efficiency_frame(posterior: Posterior, parameters: PosteriorParameters) -> pd.DataFrame:
    """Effective numbers of draws of every parameter's mean: as many independent ones have the same error (`bayesstats ess`)."""
    frame = summary_frame(posterior, parameters, 95.0, False)
    with np.errstate(divide="ignore"):
        ess = (frame["sd"] / frame["mcse"]) ** 2
    evaluations = posterior.settings.evaluations
    return pd.DataFrame({"ess": ess, "corr_time": evaluations / ess, "efficiency": ess / evaluations})


def interval_probability(draws: np.ndarray, low: float | None, high: float | None) -> tuple[float, float]:
    """Probability of an interval and its Monte Carlo error, by the draws (S,) (`bayestest interval`)."""
    inside = np.ones(len(draws), bool)
    if low is not None:
        inside &= draws > low
    if high is not None:
        inside &= draws < high
    share = float(inside.mean())
    return share, float(np.sqrt(share * (1 - share) / len(draws)))
