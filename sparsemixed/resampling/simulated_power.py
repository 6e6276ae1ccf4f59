"""Power by simulation: responses drawn from the assumed model, each fitted and tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.errors import OptionError, SparseMixedError
from sparsemixed.estimation.estimate import estimate_response
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.sources.responses import responses
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.hypotheses.distributions import binomial_limits, two_sided
from sparsemixed.inference.hypotheses.hypothesis import Hypothesis
from sparsemixed.inference.hypotheses.wald import wald_test
from sparsemixed.resampling.draws import drawn
from sparsemixed.resampling.response_fits import ResponseFits
from sparsemixed.resampling.seeds import read_seed
from sparsemixed.resampling.simulator import of_sample
from sparsemixed.resampling.workers import in_order, pieces_of
from sparsemixed.spec.numbers import is_whole

STEP = 8
"""Data sets in a piece of work where each is fitted and tested by itself."""


@dataclass(frozen=True)
class Simulated:
    """What came of simulated data.

    Attributes
    ----------
    n, rejected, failed : int
        Data sets; those where the test rejects; those without a fit or a test, which count as not rejected.
    level : float
        Of the limits, in per cent.
    """

    n: int
    rejected: int
    failed: int
    level: float = 95.0

    @property
    def power(self) -> float:
        """Share of data sets where the test rejects."""
        return self.rejected / self.n

    @property
    def limits(self) -> tuple[float, float]:
        """Exact binomial limits of the power."""
        return binomial_limits(self.rejected, self.n, self.level)


def simulated_power(fit: Fit, hypothesis: Hypothesis, alpha: float, n: int, seed: int | None, n_jobs: int = 1) -> Simulated:
    """Draw n responses at the parameters of a fit and test the hypothesis in each.

    Every data set has a random stream of its own, so that more of them begin with the same ones, whoever works on them.

    Raises
    ------
    OptionError
        n is no positive whole number.
    """
    if not is_whole(n) or n < 1:
        raise OptionError(f"power: simulate is a number of data sets, 1 or more; found {n!r}")
    simulator, seeded = of_sample(fit, False, "power"), read_seed(seed, "power")
    fits = ResponseFits(responses(fit.spec, fit.design), fit)
    place = _only_coefficient(fit, hypothesis)

    def work(begin: int, end: int) -> np.ndarray:
        if place is None:
            return np.array([_pvalue(fits, hypothesis, y) for y in drawn(simulator, seeded, begin, end)])
        found = fits.drawn(lambda: drawn(simulator, seeded, begin, end))
        return two_sided((found.beta[:, place] - hypothesis.r[0] / hypothesis.K[0, place]) / found.errors[:, place], None)

    batched = place is not None
    pieces = pieces_of(0, int(n), fits.step if batched else STEP)
    pvalues = np.concatenate([*in_order(work, pieces, n_jobs, batched and fits.compiled)])
    return Simulated(int(n), int(np.sum(pvalues < alpha)), int(np.isnan(pvalues).sum()))


def _only_coefficient(fit: Fit, hypothesis: Hypothesis) -> int | None:
    """The coefficient whose estimate and standard error are all that a large-sample test needs; None where it needs more."""
    nonzero = np.flatnonzero(hypothesis.K)
    return int(nonzero[0]) if len(hypothesis.K) == 1 and nonzero.size == 1 and small_sample(fit) is None else None


def _pvalue(fits: ResponseFits, hypothesis: Hypothesis, y: np.ndarray) -> float:
    """Of a whole fit; NaN without a fit or a test."""
    try:
        found = estimate_response(fits.model, y)
        return wald_test(found, hypothesis.K, hypothesis.r, small_sample(found)).pvalue
    except SparseMixedError:
        return np.nan
