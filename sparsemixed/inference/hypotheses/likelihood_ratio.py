"""Likelihood-ratio tests: a fit against the linear model, and two nested fits."""

from __future__ import annotations

from dataclasses import replace

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.sandwich import is_robust
from sparsemixed.inference.hypotheses.comparable import is_penalised, refuse_incomparable
from sparsemixed.inference.hypotheses.distributions import mixture_pvalue
from sparsemixed.inference.hypotheses.variance_mixture import mixture_freedoms
from sparsemixed.inference.hypotheses.wald import HypothesisTest, chi2_test, chibar2_test

CONSERVATIVE = "Note: LR test is conservative and provided only for reference."
BOUNDARY = (
    "Note: The reported degrees of freedom assumes the null hypothesis is not on the boundary of the parameter space. "
    "If this is not true, then the reported test is conservative."
)
REML = "Note: LR tests based on REML are valid only when the fixed-effects specification is identical for both models."
ZERO_STATISTIC = 1e-5  # below it a single variance is zero to the accuracy of any optimiser, and p is 1


def against_linear_model(fit: Fit) -> HypothesisTest | None:
    """Test of all variance parameters but the residual variance; None when there are none, and for robust or penalised fits.

    With exactly one, a variance, the statistic is a mixture of chi2(0) and chi2(1). With more, the true distribution
    is unknown and chi2(k) is conservative, which the note says. Parameters of the residuals alone are not on a boundary
    under independence, unless the structure has one there (exponential), which only the user can tell.
    """
    extra = len(fit.theta)
    if extra == 0 or is_robust(fit) or is_penalised(fit):
        return None
    statistic = max(2.0 * (fit.llf - fit.llf_linear), 0.0)
    title = "LR test vs. linear model"
    if not fit.design.random:
        return chi2_test(statistic, extra, BOUNDARY, title)
    if extra == 1:
        zero = bool(fit.boundary[0]) or statistic < ZERO_STATISTIC
        return chibar2_test(0.0 if zero else statistic, title=title)
    return chi2_test(statistic, extra, CONSERVATIVE, title)


def n_parameters(fit: Fit) -> int:
    """All estimated parameters: coefficients less constraints, variance parameters, residual variance."""
    return fit.design.rank + len(fit.theta) + 1


def n_held(fit: Fit) -> int:
    """How many of the variance parameters printed are on a boundary or not identified: they count all the same, as in Stata."""
    return sum(v.boundary or not v.identified for v in fit.variances)


def n_variances(fit: Fit) -> int:
    """Number of variances, covariances not counted."""
    return sum(v.kind == "variance" for v in fit.variances)


def likelihood_ratio(a: Fit, b: Fit) -> HypothesisTest:
    """Test of the smaller of two nested fits against the larger one, in either order.

    The p-value is that of chi-squared, which is conservative where a variance is tested; `mixture_pvalue` is the right one
    where the fits differ by one random effect (see `inference.hypotheses.variance_mixture`).

    Raises
    ------
    OptionError
        If the fits cannot be compared: other data or weights, sampling weights, other criteria, REML with other fixed parts,
        or as many parameters.
    """
    refuse_incomparable(a, b)
    if n_parameters(a) == n_parameters(b):
        raise OptionError(f"lrtest: both fits have {n_parameters(a)} parameters, so neither is nested within the other")
    full, small = (a, b) if n_parameters(a) > n_parameters(b) else (b, a)
    df = n_parameters(full) - n_parameters(small)
    statistic = 2.0 * (full.llf - small.llf)
    notes = []
    if statistic < -1e-6:
        notes.append("Note: The larger model has the lower likelihood: the models are not nested, or one has not converged.")
    if n_variances(full) != n_variances(small):
        notes.append(BOUNDARY)
    if a.spec.estimation.method == "reml":
        notes.append(REML)
    if n_held(full) or n_held(small):
        notes.append(
            f"Note: {n_parameters(full)} and {n_parameters(small)} parameters are counted, those on a boundary or not identified "
            f"({n_held(full)} and {n_held(small)}) among them."
        )
    found = chi2_test(statistic, df, "\n".join(notes), "Likelihood-ratio test")
    freedoms = mixture_freedoms(small, full)
    mixture = None if freedoms is None else mixture_pvalue(statistic, freedoms)
    return replace(found, assumption=_assumption(small, full), mixture_pvalue=mixture)


def _assumption(small: Fit, full: Fit) -> str:
    """Which fit is taken to be nested within which, by their models as typed."""
    models = (" ".join(fit.spec.text.split()) for fit in (small, full))
    return "{} nested within {}".format(*models)
