"""The finite-sample distribution of the (restricted) likelihood ratio for one variance of random effects.

With mu_k the K eigenvalues of Z'P_0 Z that are not zero, P_0 = I - XX' for orthonormal X, xi_s those of Z'Z, independent standard
normal w_k and nu = n - p, the statistic is distributed as (Crainiceanu & Ruppert 2004, Journal of the Royal Statistical Society
B 66)

    RLRT = sup { nu log(1 + N/D) - sum log(1 + lambda mu_k) },        LRT = sup { n log(1 + N/D) - sum log(1 + lambda xi_s) }

over lambda >= 0, with N = sum lambda mu_k w_k^2 / (1 + lambda mu_k) and D = sum w_k^2 / (1 + lambda mu_k) + chi2(nu - K).

Where all mu_k are equal, as in balanced one-way layouts, RLRT depends on nothing but the ratio F of the two mean squares of the
analysis of variance: it is nu log((K F + nu - K) / nu) - K log F for F > 1, else zero, and its p-value one of the F distribution.
Otherwise it is simulated, equal eigenvalues with one chi-squared number for all of them. Other variances of the model are treated
as if their effects were not there (Greven, Crainiceanu, Kuechenhoff & Peters 2008, Journal of Computational and Graphical
Statistics 17).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from sparsemixed.design.values import RandomBlock
from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.orthonormal import orthonormal_coordinates, weighted_term
from sparsemixed.inference.hypotheses.comparable import refuse_incomparable
from sparsemixed.inference.hypotheses.distributions import f_pvalue
from sparsemixed.inference.hypotheses.likelihood_ratio import ZERO_STATISTIC, n_parameters
from sparsemixed.inference.hypotheses.variance_mixture import mixture_freedoms
from sparsemixed.inference.hypotheses.wald import HypothesisTest
from sparsemixed.solver.crossproducts.crossproducts import outer_sums

DRAWS = 100_000
"""Simulated statistics; a p-value of .05 then has a standard error of .0007."""
LARGEST_ORDER = 5000
"""Of the matrix whose eigenvalues are computed (200 MB)."""
EQUAL, ZERO = 1e-8, 1e-10
"""Relative difference of eigenvalues that is rounding, and size relative to the largest up to which they are zero."""
GRID = np.exp(np.linspace(-12.0, 12.0, 121))
"""Values of lambda in units of 1 / the mean of mu; a parabola in log lambda goes through the highest and its neighbours."""
NUMBERS = 4e6
"""Numbers in the statistics of one batch on the grid (32 MB)."""


@dataclass(frozen=True)
class Spectrum:
    """What the distribution depends on.

    Attributes
    ----------
    mu, xi : (G,) and (H,) float64
        Distinct eigenvalues of Z'P_0 Z and of Z'Z that are not zero.
    mu_times, xi_times : (G,) and (H,) int64
        How often they occur.
    n, nu : int
        Rows, and rows less the rank of the fixed part.
    """

    mu: np.ndarray
    mu_times: np.ndarray
    xi: np.ndarray
    xi_times: np.ndarray
    n: int
    nu: int

    @property
    def K(self) -> int:
        """Eigenvalues of Z'P_0 Z that are not zero."""
        return int(self.mu_times.sum())


def exact_likelihood_ratio(a: Fit, b: Fit, seed: int | None) -> HypothesisTest:
    """Test of one variance: of the smaller of two fits against the larger one, in either order.

    Raises
    ------
    OptionError
        Fits that cannot be compared, or that differ by something else than one variance.
    NotAvailableError
        Correlated errors, weights that replicate observations, or too many groups of different sizes.
    """
    refuse_incomparable(a, b)
    full, small = (a, b) if n_parameters(a) > n_parameters(b) else (b, a)
    Z = _tested_columns(small, full)
    if full.design.residual is not None:
        raise NotAvailableError("lrtest: exact=True needs independent errors with one variance; leave residuals() out, or exact")
    if full.design.weights is not None and full.design.weights.kind != "precision":
        raise NotAvailableError("lrtest: exact=True is not available with weights that replicate observations")
    reml = full.spec.estimation.method == "reml"
    statistic = max(2.0 * (full.llf - small.llf), 0.0)
    found = spectrum(*Z, orthonormal_coordinates(full.design).Q)
    notes, pvalue = [], 1.0
    if reml and len(found.mu) == 1 and found.nu > found.K:
        pvalue = balanced_pvalue(statistic, found)
    elif statistic > ZERO_STATISTIC:
        draws = simulated(found, reml, np.random.default_rng(0 if seed is None else seed))
        pvalue = float(np.mean(draws >= statistic))
        error = np.sqrt(max(pvalue * (1.0 - pvalue), 1.0 / DRAWS) / DRAWS)
        notes.append(f"Note: p-value from {DRAWS:,} simulated statistics; its standard error is {error:.1g}.")
    if small.design.random:
        notes.append("Note: the distribution is that without the other random effects (Greven et al. 2008).")
    kind, title = ("RLRT", "Exact restricted likelihood-ratio test") if reml else ("LRT", "Exact likelihood-ratio test")
    words = (" ".join(fit.spec.text.split()) for fit in (small, full))
    assumption = "{} nested within {}".format(*words)
    return HypothesisTest(statistic, 1, None, pvalue, "\n".join(notes), kind, title, assumption=assumption)


def _tested_columns(small: Fit, full: Fit) -> tuple[np.ndarray, np.ndarray, int]:
    """Codes (n,), columns (n, k) and number of groups of the effects whose variance is tested; rows times the root of weights."""
    if n_parameters(full) == n_parameters(small) or mixture_freedoms(small, full) != (0, 1):
        raise OptionError(
            "lrtest: exact=True tests a single variance, and the fits must differ by one, without covariances and with the same "
            "fixed part; without exact the mixture of chi-squared distributions is given where it is known"
        )
    before = [block for term in small.design.random for block in term.blocks]
    for term in full.design.random:
        start = 0
        for block in term.blocks:
            places = [start + i for i in _new_effects(block, before)]
            if places:
                weighted = weighted_term(full.design, term)
                return weighted.codes, np.ascontiguousarray(weighted.columns[:, places]), weighted.n_groups
            start += block.structure.m
    raise OptionError("lrtest: exact=True found no random effects that only one of the fits has")


def _new_effects(block: RandomBlock, before: Sequence[RandomBlock]) -> list[int]:
    """Places of the effects of a block that none of the blocks of the other fit has."""
    same = [other for other in before if (other.equation, other.factor) == (block.equation, block.factor)]
    if any(other.names == block.names and type(other.structure) is type(block.structure) for other in same):
        return []
    inside = [other.names for other in same if set(other.names) < set(block.names)]
    known = {name for names in inside for name in names} if block.structure.n_theta > 1 else set()
    return [i for i in range(block.structure.m) if len(block.names) != block.structure.m or block.names[i] not in known]


def spectrum(codes: np.ndarray, Z: np.ndarray, n_groups: int, Q: np.ndarray) -> Spectrum:
    """Eigenvalues of Z'P_0 Z and Z'Z, from one (k, k) block for each group and F = Z'X.

    With one column, all but p of the eigenvalues of groups whose blocks are equal are that entry: their rows of F are replaced by
    a triangular factor, so that the order of the matrix is p for each distinct size of a group.

    Parameters
    ----------
    codes : (n,) int
    Z : (n, k) float64
    n_groups : int
    Q : (n, p) float64
        Orthonormal columns of the fixed part.
    """
    A, F = outer_sums(codes, Z, Z, n_groups), outer_sums(codes, Z, Q, n_groups)
    n, p = Q.shape
    xi = np.linalg.eigvalsh(A).ravel()
    if Z.shape[1] == 1:
        mu = _of_sizes(A[:, 0, 0], F[:, 0])
    else:
        _check_order(n_groups * Z.shape[1])
        whole = np.zeros((n_groups, Z.shape[1]) * 2)
        whole[np.arange(n_groups), :, np.arange(n_groups)] = A
        G = F.reshape(-1, p)
        mu = np.linalg.eigvalsh(whole.reshape(len(G), len(G)) - G @ G.T)
    return Spectrum(*_distinct(mu), *_distinct(xi), n, n - p)


def _of_sizes(sizes: np.ndarray, F: np.ndarray) -> np.ndarray:
    """Eigenvalues (J,) of diag(sizes) - FF', F (J, p)."""
    p, parts, diagonal, alone = F.shape[1], [], [], []
    for size in np.unique(sizes):
        own = F[sizes == size]
        if len(own) > p:
            alone.append(np.full(len(own) - p, size))
            own = np.linalg.qr(own, mode="r")
        parts.append(own)
        diagonal.append(np.full(len(own), size))
    small = np.concatenate(parts)
    _check_order(len(small))
    return np.concatenate([*alone, np.linalg.eigvalsh(np.diag(np.concatenate(diagonal)) - small @ small.T)])


def _check_order(order: int) -> None:
    if order > LARGEST_ORDER:
        raise NotAvailableError(
            f"lrtest: exact=True needs the eigenvalues of a matrix of order {order:,}, and {LARGEST_ORDER:,} is the limit; with "
            "so many groups the mixture of chi-squared distributions is as good"
        )


def _distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values that are not zero, to rounding, and how often they occur."""
    values = np.sort(values[values > ZERO * max(float(values.max(initial=0.0)), 0.0)])
    if not values.size:
        return values, np.zeros(0, np.int64)
    first = np.flatnonzero(np.append(True, np.diff(values) > EQUAL * values[-1]))
    return values[first], np.diff(np.append(first, values.size))


def balanced_pvalue(statistic: float, found: Spectrum) -> float:
    """P(RLRT >= statistic) where all eigenvalues are equal; one at zero."""
    if statistic <= ZERO_STATISTIC:
        return 1.0
    K, nu = float(found.K), float(found.nu)

    def excess(log_F: float) -> float:
        return nu * np.log((K * np.exp(log_F) + nu - K) / nu) - K * log_F - statistic

    top = 1.0
    while excess(top) < 0.0:
        top *= 2.0
    return f_pvalue(float(np.exp(brentq(excess, 0.0, top, xtol=1e-14))), K, nu - K)


def simulated(found: Spectrum, reml: bool, rng: np.random.Generator, draws: int = DRAWS) -> np.ndarray:
    """(draws,) statistics under the null hypothesis, none below zero."""
    if not found.K:
        return np.zeros(draws)
    lam = GRID / np.average(found.mu, weights=found.mu_times)
    shrunk = 1.0 / (1.0 + np.outer(found.mu, lam))
    values, times = (found.mu, found.mu_times) if reml else (found.xi, found.xi_times)
    penalty = times @ np.log1p(np.outer(values, lam))
    size, out = max(1, int(NUMBERS // (lam.size + found.mu.size))), []
    degrees = float(found.nu if reml else found.n)
    for begin in range(0, draws, size):
        m = min(size, draws - begin)
        w = rng.chisquare(found.mu_times, (m, found.mu.size))
        rest = rng.chisquare(found.nu - found.K, m) if found.nu > found.K else np.zeros(m)
        D = w @ shrunk + rest[:, None]
        height = degrees * np.log((w.sum(axis=1) + rest)[:, None] / D) - penalty
        out.append(_peaks(height))
    return np.concatenate(out)


def _peaks(height: np.ndarray) -> np.ndarray:
    """(m,) largest values of curves (m, l) at equal steps, by a parabola through the highest point; zero where that is below."""
    at = np.clip(np.argmax(height, axis=1), 1, height.shape[1] - 2)
    row = np.arange(len(height))
    low, top, high = height[row, at - 1], height[row, at], height[row, at + 1]
    bend = low - 2.0 * top + high
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = np.where(bend < 0.0, -((high - low) ** 2) / (8.0 * bend), 0.0)
    inside = (top >= low) & (top >= high)
    return np.maximum(np.where(inside, top + rise, np.maximum(low, high)), 0.0)
