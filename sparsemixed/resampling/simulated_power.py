"""Power by simulation: responses drawn from the assumed model, each fitted and tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.errors import OptionError, SparseMixedError
from sparsemixed.estimation.estimate import estimate_response
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.sources.responses import responses
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.hypotheses.distributions import binomial_limits
from sparsemixed.inference.hypotheses.hypothesis import Hypothesis
from sparsemixed.inference.hypotheses.wald import wald_test
from sparsemixed.resampling.draws import drawn
from sparsemixed.resampling.seeds import read_seed
from sparsemixed.resampling.simulator import of_sample
from sparsemixed.spec.numbers import is_whole


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


def simulated_power(fit: Fit, hypothesis: Hypothesis, alpha: float, n: int, seed: int | None) -> Simulated:
    """Draw n responses at the parameters of a fit and test the hypothesis in each.

    Every data set has a random stream of its own, so that more of them begin with the same ones.

    Raises
    ------
    OptionError
        n is no positive whole number.
    """
    if not is_whole(n) or n < 1:
        raise OptionError(f"power: simulate is a number of data sets, 1 or more; found {n!r}")
    model, simulator, seeded = responses(fit.spec, fit.design), of_sample(fit, False, "power"), read_seed(seed, "power")
    rejected = failed = 0
    for number in range(int(n)):
        try:
            found = estimate_response(model, drawn(simulator, seeded, number, number + 1)[0])
            test = wald_test(found, hypothesis.K, hypothesis.r, small_sample(found))
        except SparseMixedError:
            failed += 1
            continue
        failed += bool(np.isnan(test.pvalue))
        rejected += bool(test.pvalue < alpha)
    return Simulated(int(n), rejected, failed)
