"""Power of a Wald test at assumed parameters, without simulation.

F of a hypothesis K beta = r has a noncentral F distribution with l and nu degrees of freedom and noncentrality
(K beta - r)'inv(K Phi K')(K beta - r), Phi the covariance of the coefficients at the assumed parameters and nu what the method of
degrees of freedom finds there (Stroup 2002; Littell et al. 2006, chapter 12).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.hypotheses.distributions import f_power
from sparsemixed.inference.hypotheses.hypothesis import Hypothesis


@dataclass(frozen=True)
class PowerValue:
    """Power of a test.

    Attributes
    ----------
    power : float
        Probability that the test rejects.
    df : int
        Rows of the hypothesis, l.
    ddf : float or None
        Denominator degrees of freedom nu; None for chi-squared.
    noncentrality : float
    alpha : float
        Level of the test.
    """

    power: float
    df: int
    ddf: float | None
    noncentrality: float
    alpha: float


def power_at(fit: Fit, hypothesis: Hypothesis, alpha: float) -> PowerValue:
    """Power of the test of a hypothesis, at the parameters of a fit.

    Raises
    ------
    OptionError
        Nothing is left to test, or the method finds no degrees of freedom.
    """
    K, r = hypothesis.K, hypothesis.r
    if not len(K):
        raise OptionError("power: nothing is left to test")
    distance = K @ fit.beta - r
    noncentrality = float(distance @ np.linalg.solve(K @ fit.vcov_beta @ K.T, distance))
    method = small_sample(fit)
    degrees = None if method is None else method.dof(fit, K)
    if degrees is None or degrees.df is None:
        return PowerValue(f_power(noncentrality, len(K), np.inf, alpha, 1.0), len(K), None, noncentrality, alpha)
    if np.isnan(degrees.df):
        raise OptionError(
            "power: there are no degrees of freedom: this design does not tell the variance parameters apart; leave some out, or "
            "take the test of large samples, dfmethod=None"
        )
    power = f_power(noncentrality, len(K), degrees.df, alpha, degrees.scale)
    return PowerValue(power, len(K), float(degrees.df), noncentrality, alpha)
