"""Likelihood-ratio tests whose distribution is simulated: responses of the small model, both models fitted to each.

p = (1 + #{simulated >= observed}) / (1 + B) (Davison & Hinkley 1997, section 4.2; Halekoh & Hojsgaard 2014), by maximum
likelihood.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.maximum_likelihood import by_maximum_likelihood
from sparsemixed.estimation.sources.responses import responses
from sparsemixed.inference.hypotheses.comparable import refuse_incomparable
from sparsemixed.inference.hypotheses.likelihood_ratio import n_parameters
from sparsemixed.inference.hypotheses.wald import HypothesisTest
from sparsemixed.inference.nested_fits import REFITTED
from sparsemixed.resampling.bootstrapped import read_reps
from sparsemixed.resampling.draws import drawn
from sparsemixed.resampling.response_fits import ResponseFits
from sparsemixed.resampling.runs import progress
from sparsemixed.resampling.seeds import read_seed
from sparsemixed.resampling.simulator import of_sample
from sparsemixed.resampling.workers import in_order, pieces_of, read_jobs

SAME = 1e-8
"""Difference of two statistics that is rounding of searches."""


def asked_ratio(a: Fit, b: Fit, reps: object, seed: object, n_jobs: object) -> HypothesisTest:
    """The test of two fits by the settings of a user; without a seed it is the same every time.

    Raises
    ------
    OptionError
        As `simulated_ratio`; settings that make no sense.
    """
    number, seeded = read_reps(reps, "lrtest: bootstrap="), read_seed(0 if seed is None else seed, "lrtest")
    return simulated_ratio(a, b, number, seeded, read_jobs(n_jobs, "lrtest"))


def simulated_ratio(a: Fit, b: Fit, reps: int, seed: int, n_jobs: int = 1) -> HypothesisTest:
    """Test of the smaller of two fits against the larger one, in either order.

    Raises
    ------
    OptionError
        The fits cannot be compared, have equally many parameters, or do not hold their rows; weights that replicate
        observations.
    """
    again = any(fit.spec.estimation.method == "reml" for fit in (a, b))
    one, other = (by_maximum_likelihood(fit, "lrtest") if again else fit for fit in (a, b))
    refuse_incomparable(one, other)
    if n_parameters(one) == n_parameters(other):
        raise OptionError(f"lrtest: both fits have {n_parameters(one)} parameters, so neither is nested within the other")
    full, small = (one, other) if n_parameters(one) > n_parameters(other) else (other, one)
    draws = simulated_statistics(small, full, reps, seed, n_jobs)
    statistic = max(2.0 * (full.llf - small.llf), 0.0)
    there = draws[~np.isnan(draws)]
    pvalue = (1.0 + np.sum(there >= statistic - SAME)) / (1.0 + len(there))
    notes = [f"Note: p-value from {len(there):,} statistics simulated under the smaller model."]
    if len(there) < reps:
        notes.append(f"Note: {reps - len(there):,} of {reps:,} simulations failed and are left out.")
    if again:
        notes.append(REFITTED.replace("table", "test"))
    words = (" ".join(fit.spec.text.split()) for fit in (small, full))
    assumption, df = "{} nested within {}".format(*words), n_parameters(full) - n_parameters(small)
    title = "Parametric bootstrap likelihood-ratio test"
    return HypothesisTest(statistic, df, None, float(pvalue), "\n".join(notes), "LRT", title, assumption=assumption)


def simulated_statistics(small: Fit, full: Fit, reps: int, seed: int, n_jobs: int) -> np.ndarray:
    """(B,) statistics of responses drawn from the small model; NaN where a fit failed."""
    simulator = of_sample(small, False, "lrtest")
    sides = [ResponseFits(responses(fit.spec, fit.design), fit) for fit in (small, full)]

    def work(begin: int, end: int) -> np.ndarray:
        Y = drawn(simulator, seed, begin, end)
        low, high = (fits.drawn(lambda: Y).llf for fits in sides)
        return 2.0 * (high - low)

    step, found = min(fits.step for fits in sides), []
    with progress("lrtest", reps, 0) as show:
        for piece in in_order(work, pieces_of(0, reps, step), n_jobs, all(fits.compiled for fits in sides)):
            found.append(piece)
            show(len(piece))
    return np.concatenate(found)
