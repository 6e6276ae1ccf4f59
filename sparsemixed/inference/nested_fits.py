"""Likelihood-ratio tests of several fits in one table: a row of nested ones, or one against each of its simplifications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.criteria import criteria
from sparsemixed.inference.hypotheses.comparable import refuse_incomparable
from sparsemixed.inference.hypotheses.distributions import chi2_pvalue
from sparsemixed.inference.hypotheses.likelihood_ratio import BOUNDARY, n_held, n_parameters, n_variances

REFITTED = "Note: fits by REML were fitted again by maximum likelihood for this table."
SMALLER = "Note: A larger model has the lower likelihood: the models are not nested, or one has not converged."
TOLERANCE = 1e-6
"""A likelihood ratio that is negative by less is zero to the accuracy of the two searches."""


@dataclass(frozen=True)
class LikelihoodRatios:
    """Fits with their criteria and likelihood-ratio tests, one row each.

    Attributes
    ----------
    title : str
    names : tuple of str
    models : tuple of str
        As typed; empty where the names say it all.
    npar : (k,) float64
        Number of estimated parameters.
    aic, bic, llf : (k,) float64
    statistic, df, pvalue : (k,) float64
        Of the test of a row; NaN in the first one, and where two rows have equally many parameters.
    notes : tuple of str
    """

    title: str
    names: tuple[str, ...]
    models: tuple[str, ...]
    npar: np.ndarray
    aic: np.ndarray
    bic: np.ndarray
    llf: np.ndarray
    statistic: np.ndarray
    df: np.ndarray
    pvalue: np.ndarray
    notes: tuple[str, ...] = ()


def sequential_tests(fits: Sequence[Fit], names: Sequence[str], notes: tuple[str, ...], command: str) -> LikelihoodRatios:
    """Each fit against the one before it, which has fewer parameters."""
    return _table("Likelihood-ratio tests of nested models", list(fits), list(names), range(-1, len(fits) - 1), notes, command)


def deletion_tests(full: Fit, smaller: Sequence[Fit], names: Sequence[str], notes: tuple[str, ...]) -> LikelihoodRatios:
    """A fit, `<none>` in the first row, against each of the fits that lack one of its terms."""
    baseline = [-1, *([0] * len(smaller))]
    return _table("Single-term deletions", [full, *smaller], ["<none>", *names], baseline, notes, "drop1")


def _table(
    title: str, fits: list[Fit], names: list[str], baseline: Sequence[int], notes: tuple[str, ...], command: str
) -> LikelihoodRatios:
    """The table in which row i is tested against row `baseline[i]`, or against none where that is -1."""
    found = criteria(fits, names)
    npar, llf = found["df"].to_numpy(dtype=float), found["ll"].to_numpy(dtype=float)
    statistic, df, pvalue = (np.full(len(fits), np.nan) for _ in range(3))
    more: list[str] = []
    for i, j in enumerate(baseline):
        if j < 0:
            continue
        refuse_incomparable(fits[j], fits[i], command)
        small, full = sorted((i, j), key=lambda row: npar[row])
        df[i], difference = npar[full] - npar[small], 2.0 * (llf[full] - llf[small])
        if difference < -TOLERANCE and df[i] > 0:
            more.append(SMALLER)
        if n_variances(fits[full]) != n_variances(fits[small]):
            more.append(BOUNDARY)
        if df[i] > 0:
            statistic[i] = max(difference, 0.0) if difference > -TOLERANCE else difference
            pvalue[i] = chi2_pvalue(statistic[i], df[i])
    more += [*_not_converged(fits, names), *_held(fits, names)]
    models = tuple(" ".join(fit.spec.text.split()) for fit in fits) if command == "anova" else ()
    aic, bic = (found[name].to_numpy(dtype=float) for name in ("AIC", "BIC"))
    return LikelihoodRatios(
        title, tuple(names), models, npar, aic, bic, llf, statistic, df, pvalue, (*notes, *dict.fromkeys(more))
    )


def _not_converged(fits: Sequence[Fit], names: Sequence[str]) -> list[str]:
    """Which fits did not reach their tolerances: those that were fitted for the table have no other place to say so."""
    missed = [name for name, fit in zip(names, fits, strict=True) if not fit.converged]
    return [f"Note: not converged: {', '.join(missed)}."] if missed else []


def _held(fits: Sequence[Fit], names: Sequence[str]) -> list[str]:
    """How many variance parameters on a boundary or not identified are counted."""
    held = [f"{n_held(fit)} of {name}" for name, fit in zip(names, fits, strict=True) if n_held(fit)]
    return [f"Note: parameters on a boundary or not identified are counted too: {', '.join(held)}."] if held else []


def ordered(fits: Sequence[Fit]) -> list[int]:
    """Places of the fits by their numbers of parameters, fewest first; equal ones as they came."""
    return sorted(range(len(fits)), key=lambda i: n_parameters(fits[i]))
