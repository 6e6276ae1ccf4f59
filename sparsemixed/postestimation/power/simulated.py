"""Power by simulation: responses drawn from the assumed model, each fitted and tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.errors import OptionError, SparseMixedError
from sparsemixed.estimation.estimate import estimate_response
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.sources.responses import responses
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.hypotheses.distributions import binomial_limits
from sparsemixed.inference.hypotheses.hypothesis import Hypothesis
from sparsemixed.inference.hypotheses.wald import wald_test
from sparsemixed.postestimation.random_covariances import term_covariances
from sparsemixed.postestimation.row_covariance import within_sample


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
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise OptionError(f"power: simulate is a number of data sets, 1 or more; found {n!r}")
    model, draw = responses(fit.spec, fit.design), Draws(fit)
    rejected = failed = 0
    for stream in np.random.SeedSequence(seed).spawn(int(n)):
        try:
            found = estimate_response(model, draw(np.random.default_rng(stream)))
            test = wald_test(found, hypothesis.K, hypothesis.r, small_sample(found))
        except SparseMixedError:
            failed += 1
            continue
        failed += bool(np.isnan(test.pvalue))
        rejected += bool(test.pvalue < alpha)
    return Simulated(int(n), rejected, failed)


class Draws:
    """Responses of the sample's rows at the parameters of a fit."""

    def __init__(self, fit: Fit):
        self.design, self.mean = fit.design, fit.design.X @ fit.beta
        self.roots = [root_of(G) for G in term_covariances(fit)]
        self._errors = _error_roots(fit)

    def __call__(self, rng: np.random.Generator) -> np.ndarray:
        """One response (n,), less its offset."""
        y = self.mean.copy()
        for term, root in zip(self.design.random, self.roots, strict=True):
            effects = rng.standard_normal((term.n_groups, term.k)) @ root.T
            y += np.einsum("ik,ik->i", term.columns, effects[term.codes])
        for rows, root in self._errors:
            z = rng.standard_normal(len(rows))
            y[rows] += root * z if root.ndim == 1 else root @ z
        return y


def _error_roots(fit: Fit) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows and a root of the covariance of their errors, group by group; of independent ones all rows and their deviations."""
    covariance, design = within_sample(fit), fit.design
    if covariance.errors is None:
        return [(np.arange(design.n_rows), np.sqrt(fit.sigma2) * covariance.scale)]
    order = np.argsort(covariance.errors[0], kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(covariance.errors[0][order])) + 1)
    return [(rows, root_of(covariance.errors_of(rows))) for rows in groups]


def root_of(matrix: np.ndarray) -> np.ndarray:
    """A square root (m, m) of a covariance matrix, which may be singular."""
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(np.clip(values, 0.0, None))


def check_weights(design: Design) -> None:
    """Refuse weights that replicate observations, of which no single response is drawn.

    Raises
    ------
    OptionError
    """
    if design.weights is not None and design.weights.kind != "precision":
        raise OptionError("power is not available with weights that replicate observations; leave them out")
