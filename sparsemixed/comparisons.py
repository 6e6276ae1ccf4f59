"""Comparing fits: the functions of the package's front that load more than a fit needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from sparsemixed.command.keywords import ModelKeywords
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call
from sparsemixed.fitting.changed_call import changed_call
from sparsemixed.fitting.cross_validation import cross_validated
from sparsemixed.inference.criteria import criteria
from sparsemixed.inference.hypotheses.composite_ratio import ratio_of
from sparsemixed.inference.hypotheses.wald import HypothesisTest
from sparsemixed.postestimation.model_comparison import fits_of, nested_tests
from sparsemixed.reporting.compare import side_by_side
from sparsemixed.reporting.compare_lines import CompareKeywords, Shape
from sparsemixed.reporting.cross_validation import CrossValidation
from sparsemixed.reporting.hypothesis_tests import TestResult
from sparsemixed.reporting.likelihood_ratios import LikelihoodRatioTable
from sparsemixed.reporting.ratio_with_criteria import RatioWithCriteria
from sparsemixed.reporting.side_by_side import SideBySide
from sparsemixed.results import Results


def lrtest(
    a: Results | Sequence[Results],
    b: Results | Sequence[Results],
    *,
    force: bool = False,
    stats: bool = False,
    exact: bool = False,
    bootstrap: int | None = None,
    seed: int | None = None,
    n_jobs: int = 1,
) -> TestResult:
    """Likelihood-ratio test of two nested models, in either order.

    Parameters
    ----------
    a, b : Results or sequence of Results
        Several fits, of parts of the data that make up the same whole, are one composite model.
    force : bool
        Test all the same where the two cannot be compared; a note says why.
    stats : bool
        Show the information criteria of all fits, too; `criteria` has their numbers.
    exact : bool
        The finite-sample distribution of the statistic for a single variance (Crainiceanu & Ruppert 2004), in closed form for
        balanced one-way layouts by REML, else simulated.
    bootstrap : int, optional
        How many responses to draw from the smaller model, to be fitted by both, by maximum likelihood: the p-value is
        (1 + number of statistics as large) / (1 + `bootstrap`).
    seed, n_jobs : int, optional
        Of simulations, the same by default; and how many workers the bootstrap has.

    Raises
    ------
    OptionError
        If the fits differ in rows, in criterion, or, under REML, in their fixed parts; with `exact` also if they differ by
        anything but one variance.
    """
    one, other = (fits_of(list(side) if isinstance(side, (list, tuple)) else [side], "lrtest") for side in (a, b))
    if bootstrap is not None:
        return TestResult.of(_simulated_ratio([*one, *other], bootstrap, seed, n_jobs, exact or force or stats))
    found = _exact_ratio(one, other, force, seed) if exact else ratio_of(one, other, force)
    if not stats:
        return TestResult.of(found)
    return RatioWithCriteria.of_fits(found, criteria([*one, *other], [fit.spec.text for fit in (*one, *other)]))


def _simulated_ratio(fits: list[Fit], reps: int, seed: int | None, n_jobs: int, more: bool) -> HypothesisTest:
    if more or len(fits) != 2:
        raise OptionError("lrtest: bootstrap= takes one fit on either side, and goes without exact, force and stats")
    from sparsemixed.resampling.simulated_ratio import asked_ratio  # delayed, with what it needs, for a quick start

    return asked_ratio(fits[0], fits[1], reps, seed, n_jobs)


def _exact_ratio(one: list[Fit], other: list[Fit], force: bool, seed: int | None) -> HypothesisTest:
    if force or len(one) != 1 or len(other) != 1:
        raise OptionError("option exact of lrtest takes one fit on either side, and no force: it is about a single variance")
    # delayed: scipy.optimize is slow to import and only this needs it
    from sparsemixed.inference.hypotheses.exact_variance_test import exact_likelihood_ratio

    return exact_likelihood_ratio(one[0], other[0], seed)


def anova(*fits: Results, refit: bool = True, names: Sequence[str] | None = None) -> LikelihoodRatioTable:
    """Likelihood-ratio tests of nested fits in one table, each against the one with next fewer parameters.

    Parameters
    ----------
    *fits : Results
        In any order.
    refit : bool
        Whether fits by REML are fitted again by maximum likelihood, by which fixed parts can be compared; a note says so.
        Without it they must have the same fixed part.
    names : sequence of str, optional
        One for each fit; by default (1), (2), ... in the order of the table.

    Returns
    -------
    LikelihoodRatioTable
        `str()`, `to_markdown()` and so on, and the numbers in `frame`: npar, AIC, BIC, logLik, deviance, statistic, df, pvalue.
        Whether the models are nested is for the user to know, but a larger one with a lower likelihood is noted.

    Raises
    ------
    OptionError
        Fewer than two fits; other rows, responses or weights; sampling weights or robust standard errors; a fit by REML that
        does not hold its data.

    Examples
    --------
    >>> import sparsemixed
    >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
    >>> small = sparsemixed.mixed("y ~ 1 + (1 | id)", data)
    >>> sparsemixed.anova(small, small.update(". ~ . + time")).frame["df"].tolist()
    [nan, 1.0]
    """
    return LikelihoodRatioTable.of(nested_tests(fits_of(fits, "anova"), names, refit))


def compare(
    *fits: Results,
    names: Sequence[str] | None = None,
    stats: Sequence[str] = ("N", "ll", "aic", "bic"),
    se: bool = True,
    stars: bool | Sequence[float] = False,
    **options: Unpack[CompareKeywords],
) -> SideBySide:
    """Several fits in the columns of one table.

    Parameters
    ----------
    *fits : Results
    names : sequence of str, optional
        Heads of the columns; by default (1), (2), ...
    stats : sequence of str
        N, ll, df (number of parameters), aic, bic, aicc, caic, or the name of any number in `e`.
    se : bool
        Whether to show standard errors, in parentheses.
    stars : bool or sequence of float
        Whether to mark coefficients by their p-values, below .05, .01 and .001 or other levels. Variances have no marks.
    **options
        `keep`, `drop`: names of parameters, or patterns, that are shown alone or not; `b=False` leaves estimates out; `t=True`
        and `p=True` add statistics and p-values of coefficients; `formats={"b": "%9.3f"}`, with keys b, se, t, p and stats.

    Returns
    -------
    SideBySide
        `str()`, `to_markdown()`, `to_latex()`, `to_html()`, and the numbers in `frame`.

    Examples
    --------
    >>> import sparsemixed
    >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
    >>> one = sparsemixed.mixed("y time || id:", data)
    >>> two = sparsemixed.mixed("y time || id: time", data)
    >>> sparsemixed.compare(one, two, names=["intercepts", "slopes"]).frame.shape
    (14, 2)
    """
    return side_by_side(fits_of(fits, "compare"), names, stats, Shape.read(se, stars, **options))


def cross_validate(
    model: str | Results,
    data: Any = None,
    *,
    by: str,
    folds: int | Sequence[Any] | None = 5,
    random_state: int = 0,
    **options: Unpack[ModelKeywords],
) -> CrossValidation:
    """Grouped cross-validation: how well a model predicts groups that it has not seen.

    Every fold is predicted from a fit to the others: by the fixed part, with the marginal covariance V of a group's rows, random
    effects integrated out, at the fitted parameters. The log score is the sum of log p = -(n log(2 pi) + log|V| + r'inv(V)r) / 2.

    Parameters
    ----------
    model : str or Results
        A model as `mixed` takes it, or a fit, which knows its data and options.
    data : optional
        By default those of the fit.
    by : str
        A column; rows that share its value are held out together.
    folds : int, sequence or None
        Their number; or a fold for each row; None holds out one group at a time.
    random_state : int
        Seed of the random dealing of groups to folds.
    **options
        As `mixed` takes them.

    Examples
    --------
    >>> import sparsemixed
    >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
    >>> found = sparsemixed.cross_validate("y ~ time + (1 | id)", data, by="id")
    >>> found.frame["groups"].tolist()
    [10, 10, 10, 10, 10]
    """
    if isinstance(model, str):
        call = Call(model, data, options)
    else:
        (fit,) = fits_of([model], "cross_validate")
        call = changed_call(fit, model.call, None, data, options)
    return CrossValidation.of(cross_validated(call, by, folds, random_state))
