"""Estimates in the metric in which Stata stores them: coefficients, log standard deviations, inverse tanh of correlations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.design.values import RandomBlock
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.vce import beta_covariance, inverse_information, theta_covariance
from sparsemixed.inference.hypotheses.wald import Coefficients, tabulated
from sparsemixed.inference.intervals import SCALES
from sparsemixed.structures.residual_errors.base import METRIC_STEMS


@dataclass(frozen=True)
class MetricEstimates:
    """Estimates b (k,), their covariance V (k, k) and their (equation, name) pairs, as in e(b) and e(V)."""

    names: tuple[tuple[str, str], ...]
    b: np.ndarray
    V: np.ndarray


def equation_names(fit: Fit) -> list[str]:
    """Stata's equation name of each variance parameter but the residual: `lns1_1_1`, `atr1_1_1_2`.

    The first number is the level counted from the top, the second the equation within the level, the rest the places
    of the effects.
    """
    levels = list(dict.fromkeys(equation.grouping for equation in fit.spec.random))
    names, seen = [], dict.fromkeys(levels, 0)
    for block in fit.random_blocks:
        grouping = fit.spec.random[block.position].grouping
        seen[grouping] += 1
        stem = f"{levels.index(grouping) + 1}_{seen[grouping]}"
        names += _block_names(block, stem)
    return names


def residual_names(fit: Fit) -> list[str]:
    """Names of the residual parameters: `lnsig_e` for the first standard deviation, then `r_lns2ose`, `r_atr1`, ...

    Standard deviations at different times of one group are `r_lns1_2ose`, of the k-th group of by() `r_lnsk_2ose`.
    """
    times = _times(fit)
    part = fit.design.residual
    stems = METRIC_STEMS if part is None else part.structure.within_level.metric_stems
    seen: dict[str, int] = {}
    names = []
    for parameter in fit.components[-1].deviations:
        kind = seen[parameter.kind] = seen.get(parameter.kind, 0) + 1
        if parameter.kind != "sd":
            names.append(f"{stems[parameter.kind]}{kind}")
        elif kind == 1:
            names.append("lnsig_e")
        else:
            place = f"{(kind - 1) // times + 1}_{(kind - 1) % times + 1}" if times > 1 else f"{kind}"
            names.append(f"{stems['sd']}{place}ose")
    return names


def _times(fit: Fit) -> int:
    """How many times have a residual standard deviation of their own; 1 where all share one."""
    part = fit.design.residual
    return 1 if part is None or part.levels is None else len(part.levels)


def _block_names(block: RandomBlock, stem: str) -> list[str]:
    """Names of a block's parameters: `lns` and the effect of a standard deviation, `atr` and the two of a correlation.

    One that all effects share (identity, exchangeable) carries one number.
    """
    shown = block.structure.display_sd(np.ones(block.structure.n_theta), block.names)
    places = ["_".join(str(int(i) + 1) for i in p.key[1:]) or "1" for p in shown]
    return [f"{'lns' if p.kind == 'sd' else 'atr'}{stem}_{place}" for p, place in zip(shown, places, strict=True)]


def metric_estimates(fit: Fit, model_based: bool = False) -> MetricEstimates:
    """e(b) and e(V): every coefficient, base and omitted ones as zeros, then the variance parameters.

    `model_based` gives the covariance that the model implies, whatever `fit.spec.vce`.

    Rows and columns of V are zero for coefficients without an estimate and for parameters on the boundary, and NaN when
    the information is not usable, or for parameters that are not identified.
    """
    columns = fit.design.columns
    estimated = np.array([i for i, c in enumerate(columns) if c.status == "estimated"], dtype=np.int64)
    p, q = len(columns), len(fit.deviations)
    b, V = np.zeros(p + q), np.zeros((p + q, p + q))
    b[estimated] = fit.beta
    V[np.ix_(estimated, estimated)] = fit.vcov_beta if model_based else beta_covariance(fit)
    b[p:], V[p:, p:] = variance_part(fit, model_based)
    unknown = p + _unknown(fit)
    V[unknown], V[:, unknown] = np.nan, np.nan
    variance_names = [*equation_names(fit), *residual_names(fit)]
    names = [(fit.spec.response, c.name) for c in columns] + [(name, "_cons") for name in variance_names]
    return MetricEstimates(tuple(names), b, V)


def variance_part(fit: Fit, model_based: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """What e(b) and e(V) have of the variance parameters, (q,) and (q, q), as of `metric_estimates`."""
    values, gradients = variance_metric(fit)
    V = _by_delta_method(gradients, (inverse_information(fit) if model_based else theta_covariance(fit)).matrix)
    unknown = _unknown(fit)
    V[unknown], V[:, unknown] = np.nan, np.nan
    return values, V


def _unknown(fit: Fit) -> np.ndarray:
    """Places of the parameters that are not identified."""
    return np.flatnonzero([not (one.identified or one.boundary) for one in fit.deviations])


def variance_metric(fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """The transformed variance parameters (q,) and their derivatives (q, n_theta + 1) by (theta, log sigma2).

    Residual standard deviations after the first are logarithms of ratios to the first. The derivatives of parameters on the
    boundary are zero.
    """
    deviations = fit.deviations
    values, gradients = np.full(len(deviations), np.nan), np.zeros((len(deviations), len(fit.theta) + 1))
    for i, parameter in enumerate(deviations):
        scale = SCALES[parameter.kind]
        if scale.valid(parameter.estimate):
            values[i] = scale.to(parameter.estimate)
            if not parameter.boundary:
                gradients[i] = parameter.gradient * scale.slope(parameter.estimate)
        elif parameter.estimate == 0:
            values[i] = -np.inf
    first, *others = _residual_deviations(fit)
    values[others] -= values[first]
    gradients[others] -= gradients[first]
    return values, gradients


def _residual_deviations(fit: Fit) -> list[int]:
    """Places of the residual standard deviations among the variance parameters."""
    own = fit.components[-1].deviations
    first = len(fit.deviations) - len(own)
    return [first + i for i, parameter in enumerate(own) if parameter.kind == "sd"]


def _by_delta_method(gradients: np.ndarray, covariance: np.ndarray | None) -> np.ndarray:
    """The covariance (q, q) of the transformed parameters by the delta method."""
    if covariance is None:
        return np.full((len(gradients), len(gradients)), np.nan)
    return gradients @ covariance @ gradients.T


def variance_tests(fit: Fit, level: float) -> tuple[tuple[str, ...], Coefficients]:
    """z tests of the variance parameters in this metric, with the names of their equations in e(b).

    Those on the boundary have neither tests nor limits.
    """
    estimates, p = metric_estimates(fit), len(fit.design.columns)
    std_err = np.sqrt(np.clip(np.diag(estimates.V)[p:], 0.0, None))
    std_err = np.where(std_err == 0, np.nan, std_err)
    return tuple(equation for equation, _ in estimates.names[p:]), tabulated(estimates.b[p:], std_err, None, level)
