"""Rubin's rules: estimates from several imputations of the same data as one (Rubin 1987, chapter 3).

With Q_m and U_m the estimates and their covariance matrices of M imputations: Q = mean Q_m, W = mean U_m, B the covariance
matrix of the Q_m (divisor M - 1), T = W + (1 + 1/M) B, and for each estimate the relative increase in variance
r = (1 + 1/M) B / W.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sparsemixed.inference.hypotheses.distributions import f_pvalue
from sparsemixed.inference.hypotheses.wald import HypothesisTest
from sparsemixed.solver.linalg import unit_diagonal


@dataclass(frozen=True)
class Pooled:
    """Estimates of several imputations as one; NaN where some imputation has no estimate or no standard error.

    Attributes
    ----------
    n : int
        Imputations M.
    estimate : (k,) float64
    within, between, total : (k, k) float64
        W, B and T.
    rvi : (k,) float64
        Relative increase in variance r.
    df : (k,) float64
        (M - 1)(1 + 1/r)^2, by Barnard & Rubin (1999) with those of complete data; infinite where the imputations agree.
    fmi : (k,) float64
        Fraction of missing information (r + 2 / (df + 3)) / (r + 1).
    complete : (k,) float64 or None
        Degrees of freedom that complete data would have; None for large samples.
    """

    n: int
    estimate: np.ndarray
    within: np.ndarray
    between: np.ndarray
    total: np.ndarray
    rvi: np.ndarray
    df: np.ndarray
    fmi: np.ndarray
    complete: np.ndarray | None = None

    @property
    def std_err(self) -> np.ndarray:
        """(k,) square roots of the diagonal of T; zero of what does not vary, such as a base level."""
        return np.sqrt(np.diag(self.total))

    @property
    def efficiency(self) -> np.ndarray:
        """(k,) relative to infinitely many imputations: 1 / (1 + fmi / M)."""
        return 1.0 / (1.0 + self.fmi / self.n)

    @property
    def increase(self) -> np.ndarray:
        """(k,) per cent by which nonresponse increases the standard error: 100 (sqrt(1 + r) - 1)."""
        return 100.0 * (np.sqrt(1.0 + self.rvi) - 1.0)

    def some(self, which: np.ndarray | slice) -> Pooled:
        """The same of some estimates alone."""
        square = np.ix_(np.arange(len(self.estimate))[which], np.arange(len(self.estimate))[which])
        return replace(
            self,
            estimate=self.estimate[which],
            within=self.within[square],
            between=self.between[square],
            total=self.total[square],
            rvi=self.rvi[which],
            df=self.df[which],
            fmi=self.fmi[which],
            complete=None if self.complete is None else self.complete[which],
        )


def pool(estimates: np.ndarray, covariances: np.ndarray, complete: np.ndarray | None = None) -> Pooled:
    """Combine estimates (M, k) and covariance matrices (M, k, k); `complete` (k,) are degrees of freedom of complete data.

    Examples
    --------
    >>> found = pool(np.array([[1.0], [3.0]]), np.array([[[2.0]], [[4.0]]]))
    >>> found.estimate, found.total, found.rvi, found.df
    (array([2.]), array([[6.]]), array([1.]), array([4.]))
    """
    M = len(estimates)
    estimate, within = estimates.mean(axis=0), covariances.mean(axis=0)
    deviations = estimates - estimate
    between = deviations.T @ deviations / (M - 1)
    total = within + (1.0 + 1.0 / M) * between
    with np.errstate(divide="ignore", invalid="ignore"):
        rvi = (1.0 + 1.0 / M) * np.diag(between) / np.diag(within)
        large = (M - 1) * (1.0 + 1.0 / rvi) ** 2
        df = large if complete is None else barnard_rubin(large, rvi, complete)
        fmi = (rvi + 2.0 / (df + 3.0)) / (rvi + 1.0)
    return Pooled(M, estimate, within, between, total, rvi, df, fmi, complete)


def barnard_rubin(large: np.ndarray, rvi: np.ndarray, complete: np.ndarray) -> np.ndarray:
    """Degrees of freedom of small samples (Barnard & Rubin 1999): 1/nu = 1/nu_large + 1/nu_observed.

    nu_observed = (1 - g) nu0 (nu0 + 1) / (nu0 + 3) with g = r / (1 + r), nu0 the degrees of freedom of complete data.

    Examples
    --------
    >>> barnard_rubin(np.array([4.0]), np.array([1.0]), np.array([np.inf]))
    array([4.])
    """
    share = rvi / (1.0 + rvi)
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = np.where(np.isinf(complete), np.inf, (1.0 - share) * complete * (complete + 1.0) / (complete + 3.0))
        return 1.0 / (1.0 / large + 1.0 / observed)


def joint_test(pooled: Pooled, K: np.ndarray, r: np.ndarray, title: str = "", unrestricted: bool = False) -> HypothesisTest:
    """F test of K Q = r, K (l, k) of full row rank; d = K Q - r.

    Fractions of missing information equal: D1 of Li, Raghunathan & Rubin (1991), F = d'inv(K W K')d / (l (1 + rbar)) with
    rbar = (1 + 1/M) tr(K B K' inv(K W K')) / l. Unrestricted: F = d'inv(K T K')d / l (Rubin 1987, p. 137; Schafer 1997, p. 114),
    which rests on every entry of B and needs M well above l. Of a single row both are the square of the t test.
    """
    l_rows = len(K)
    if not l_rows:
        return HypothesisTest(np.nan, 0, np.nan, np.nan, kind="F", title=title)
    involved = np.any(K != 0, axis=0)
    K, pooled = K[:, involved], pooled.some(involved)
    within, between = K @ pooled.within @ K.T, K @ pooled.between @ K.T
    distance = K @ pooled.estimate - r
    if not np.all(np.isfinite(within)) or not np.all(np.isfinite(between)):
        return HypothesisTest(np.nan, l_rows, np.nan, np.nan, kind="F", title=title)
    increase = average_increase(pooled.n, within, between)
    total = within + (1.0 + 1.0 / pooled.n) * between if unrestricted else (1.0 + increase) * within
    scale, correlations = unit_diagonal(total)
    statistic = float(distance / scale @ np.linalg.solve(correlations, distance / scale)) / l_rows
    ddf = _denominator(pooled, l_rows, increase, unrestricted)
    return HypothesisTest(statistic, l_rows, ddf, f_pvalue(statistic, l_rows, ddf), kind="F", title=title)


def average_increase(n: int, within: np.ndarray, between: np.ndarray) -> float:
    """rbar of `joint_test`, of matrices (l, l) within and between n imputations.

    Examples
    --------
    >>> average_increase(2, np.diag([1.0, 2.0]), np.diag([1.0, 1.0]))
    1.125
    """
    scale, correlations = unit_diagonal(within)
    return (1.0 + 1.0 / n) * float(np.trace(np.linalg.solve(correlations, between / np.outer(scale, scale)))) / len(within)


def _denominator(pooled: Pooled, rows: int, rbar: float, unrestricted: bool) -> float:
    """Denominator degrees of freedom of the joint test.

    nu = (M - 1)(1 + 1/rbar)^2, by Barnard & Rubin (1999) where complete data have few (the least among the estimates involved):
    of a single row and of the unrestricted test; times (l + 1)/2 of up to four t = l (M - 1). Of more than that 4 + (t - 4) [1 +
    (1 - 2/t)/rbar]^2 (Li, Raghunathan & Rubin 1991), or Reiter (2007).
    """
    M = pooled.n
    complete = np.inf if pooled.complete is None else float(np.min(pooled.complete))
    rbar = max(rbar, 0.0)
    with np.errstate(divide="ignore"):
        large = (M - 1) * (1.0 + 1.0 / np.float64(rbar)) ** 2
        scalar = float(barnard_rubin(np.array([large]), np.array([rbar]), np.array([complete]))[0])
        t = rows * (M - 1)
        if rows == 1 or unrestricted:
            return scalar
        if t <= 4:
            return (rows + 1) * scalar / 2.0
        if np.isinf(complete):
            return float(4.0 + (t - 4.0) * (1.0 + (1.0 - 2.0 / t) / np.float64(rbar)) ** 2)
    return _reiter(t, rbar, complete)


def _reiter(t: float, rbar: float, complete: float) -> float:
    """Reiter (2007), equation (4): denominator degrees of freedom of joint tests where complete data have few."""
    a = rbar * t / (t - 2.0)
    star = (complete + 1.0) / (complete + 3.0) * complete
    c0, c1, c2 = 1.0 / (t - 4.0), star - 2.0 * (1.0 + a), star - 4.0 * (1.0 + a)
    z = 1.0 / c2
    z += c0 * (a**2 * c1 / ((1.0 + a) ** 2 * c2))
    z += c0 * (8.0 * a**2 * c1 / ((1.0 + a) * c2**2) + 4.0 * a**2 / ((1.0 + a) * c2))
    z += c0 * (4.0 * a**2 / (c2 * c1) + 16.0 * a**2 * c1 / c2**3)
    z += c0 * (8.0 * a**2 / c2**2)
    return 4.0 + 1.0 / z


def monte_carlo_errors(estimates: np.ndarray, covariances: np.ndarray, complete: np.ndarray | None) -> dict[str, np.ndarray]:
    """Jackknife standard errors over imputations of everything that is pooled: name of a field of `Pooled` -> (k,).

    sqrt((M - 1)/M sum_m (value without imputation m - their mean)^2).
    """
    M = len(estimates)
    without = [pool(np.delete(estimates, m, 0), np.delete(covariances, m, 0), complete) for m in range(M)]
    found = {}
    for name in ("estimate", "std_err", "df", "rvi", "fmi"):
        values = np.array([getattr(one, name) for one in without])
        with np.errstate(invalid="ignore"):
            found[name] = np.sqrt((M - 1) / M * np.sum((values - values.mean(axis=0)) ** 2, axis=0))
    return found
