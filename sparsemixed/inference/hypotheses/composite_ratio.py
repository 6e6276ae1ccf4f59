"""Likelihood-ratio tests of composite models: several fits, of parts of the data, count as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.sandwich import is_robust
from sparsemixed.inference.hypotheses.comparable import PENALISED, is_penalised, is_sampling_weighted, refuse_incomparable
from sparsemixed.inference.hypotheses.likelihood_ratio import BOUNDARY, likelihood_ratio, n_parameters, n_variances
from sparsemixed.inference.hypotheses.wald import HypothesisTest, chi2_test

FORCED = "Note: force: {}"


def ratio_of(one: Sequence[Fit], other: Sequence[Fit], force: bool = False) -> HypothesisTest:
    """Test of two models, each of one fit or of several whose log likelihoods and parameters add up, in either order.

    Parameters
    ----------
    one, other : sequence of Fit
        Several are of independent parts of the data.
    force : bool
        Test even where the log likelihoods are no such comparison; a note says why.

    Raises
    ------
    OptionError
        Fits that cannot be compared (`comparable.refuse_incomparable`); composite models of other numbers of observations, by
        REML, with sampling weights or robust standard errors; as many parameters on both sides.
    """
    notes = [] if not force else [FORCED.format(reason) for reason in _reasons(one, other)]
    if len(one) == len(other) == 1 and not notes:
        return likelihood_ratio(one[0], other[0])
    if not force:
        _refuse(one, other)
    sizes = [sum(n_parameters(fit) for fit in side) for side in (one, other)]
    if sizes[0] == sizes[1]:
        raise OptionError(f"lrtest: both models have {sizes[0]} parameters, so neither is nested within the other")
    full, small = (one, other) if sizes[0] > sizes[1] else (other, one)
    statistic = 2.0 * (sum(fit.llf for fit in full) - sum(fit.llf for fit in small))
    if statistic < -1e-6:
        notes.append("Note: The larger model has the lower likelihood: the models are not nested, or one has not converged.")
    if sum(map(n_variances, full)) != sum(map(n_variances, small)):
        notes.append(BOUNDARY)
    found = chi2_test(statistic, abs(sizes[0] - sizes[1]), "\n".join(notes), "Likelihood-ratio test")
    return replace(found, assumption=f"{_words(small)} nested within {_words(full)}")


def _words(side: Sequence[Fit]) -> str:
    models = [" ".join(fit.spec.text.split()) for fit in side]
    return models[0] if len(models) == 1 else f"({'; '.join(models)})"


def _reasons(one: Sequence[Fit], other: Sequence[Fit]) -> list[str]:
    """Why the two could not be compared without force, in words."""
    try:
        if len(one) == len(other) == 1:
            refuse_incomparable(one[0], other[0])
        else:
            _refuse(one, other)
    except OptionError as error:
        return [error.message.removeprefix("lrtest: ")]
    return []


def _refuse(one: Sequence[Fit], other: Sequence[Fit]) -> None:
    every = [*one, *other]
    n, m = (sum(fit.design.nobs for fit in side) for side in (one, other))
    if n != m:
        raise OptionError(f"lrtest: the models have {n:,} and {m:,} observations; their parts must make up the same data")
    if any(fit.spec.estimation.method == "reml" for fit in every):
        raise OptionError("lrtest: restricted likelihoods of parts of the data do not add up to one; fit with option mle")
    if any(map(is_penalised, every)):
        raise OptionError(f"lrtest: {PENALISED}; fit all without prior=")
    if any(is_sampling_weighted(fit) or is_robust(fit) for fit in every):
        raise OptionError("lrtest: fits with sampling weights or robust standard errors have no likelihood-ratio tests")
