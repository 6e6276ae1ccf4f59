"""The numbers that are stored with every fit."""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.fit import Fit, VarianceParameter
from sparsemixed.inference.estimation_metric import variance_part
from sparsemixed.inference.hypotheses.likelihood_ratio import against_linear_model, n_parameters
from sparsemixed.inference.hypotheses.wald import model_test
from sparsemixed.reporting.stored.row import Stored

NOT_CONVERGED = 430
"""Stata's return code."""


def observations(fit: Fit) -> int:
    """Observations; frequency weights count."""
    return fit.design.nobs


def groups(fit: Fit) -> list[int]:
    """Groups of every level, from the top."""
    return [level.n_groups for level in fit.design.groups]


def smallest_groups(fit: Fit) -> list[int]:
    """Observations in the smallest group of every level."""
    return [level.minimum for level in fit.design.groups]


def average_groups(fit: Fit) -> list[float]:
    """Observations in a group of every level, on average."""
    return [level.average for level in fit.design.groups]


def largest_groups(fit: Fit) -> list[int]:
    """Observations in the largest group of every level."""
    return [level.maximum for level in fit.design.groups]


def coefficients(fit: Fit) -> int:
    """Estimated coefficients of the fixed part, constraints taken off."""
    return fit.design.rank


def _random(fit: Fit) -> tuple[VarianceParameter, ...]:
    """The variance parameters of the random effects."""
    return tuple(parameter for component in fit.components[:-1] for parameter in component.variances)


def random_parameters(fit: Fit) -> int:
    """Variances and covariances of the random effects."""
    return len(_random(fit))


def random_variances(fit: Fit) -> int:
    """Variances among them."""
    return sum(parameter.kind == "variance" for parameter in _random(fit))


def random_covariances(fit: Fit) -> int:
    """Covariances among them."""
    return sum(parameter.kind == "covariance" for parameter in _random(fit))


def residual_parameters(fit: Fit) -> int:
    """Parameters of the residuals."""
    return len(fit.components[-1].variances)


def residual_groups(fit: Fit) -> int:
    """Groups of residuals with parameters of their own; 1 without by()."""
    part = fit.design.residual
    return 1 if part is None else max(len(part.structure.by_labels), 1)


def model_df(fit: Fit) -> int:
    """Degrees of freedom of the Wald test of the fixed part."""
    return int(model_test(fit, False).df)


def model_chi2(fit: Fit) -> float:
    """Its statistic, as chi-squared."""
    return model_test(fit, False).statistic


def model_pvalue(fit: Fit) -> float:
    """Its p-value; that of the F test, where there is one."""
    return model_test(fit).pvalue


def log_likelihood(fit: Fit) -> float:
    """Log (restricted) likelihood."""
    return fit.llf


def is_small_sample(fit: Fit) -> int:
    """1 for a fit with degrees of freedom, else 0."""
    return int(fit.spec.small_sample is not None)


def linear_log_likelihood(fit: Fit) -> float:
    """Log (restricted) likelihood of the linear model, without random effects and correlations."""
    return fit.llf_linear


def _against_linear(fit: Fit, attribute: str) -> float:
    test = against_linear_model(fit)
    return float("nan") if test is None else float(getattr(test, attribute))


def linear_chi2(fit: Fit) -> float:
    """Statistic of the test against the linear model; NaN where there is none."""
    return _against_linear(fit, "statistic")


def linear_df(fit: Fit) -> float:
    """Its degrees of freedom."""
    return _against_linear(fit, "df")


def linear_pvalue(fit: Fit) -> float:
    """Its p-value."""
    return _against_linear(fit, "pvalue")


def rank(fit: Fit) -> int:
    """Rank of e(V)."""
    return fit.design.rank + int(np.count_nonzero(variance_part(fit)[1].diagonal()))


def iterations(fit: Fit) -> int:
    """Iterations of the search."""
    return fit.iterations


def return_code(fit: Fit) -> int:
    """0 for a fit that has converged."""
    return 0 if fit.converged else NOT_CONVERGED


def has_converged(fit: Fit) -> int:
    """1 for a fit that has converged, else 0."""
    return int(fit.converged)


SCALARS = (
    Stored("N", "scalar", observations),
    Stored("N_g", "scalar", groups),
    Stored("g_min", "scalar", smallest_groups),
    Stored("g_avg", "scalar", average_groups),
    Stored("g_max", "scalar", largest_groups),
    Stored("k", "scalar", n_parameters),
    Stored("k_f", "scalar", coefficients),
    Stored("k_r", "scalar", random_parameters),
    Stored("k_rs", "scalar", random_variances),
    Stored("k_rc", "scalar", random_covariances),
    Stored("k_res", "scalar", residual_parameters),
    Stored("df_m", "scalar", model_df),
    Stored("ll", "scalar", log_likelihood),
    Stored("chi2", "scalar", model_chi2),
    Stored("p", "scalar", model_pvalue),
    Stored("small", "scalar", is_small_sample),
    Stored("ll_c", "scalar", linear_log_likelihood),
    Stored("chi2_c", "scalar", linear_chi2),
    Stored("df_c", "scalar", linear_df),
    Stored("p_c", "scalar", linear_pvalue),
    Stored("rank", "scalar", rank),
    Stored("ic", "scalar", iterations),
    Stored("rc", "scalar", return_code),
    Stored("converged", "scalar", has_converged),
    Stored("nrgroups", "scalar", residual_groups),
)
