"""The posterior of a fitted model, as a method of a fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call

if TYPE_CHECKING:
    from sparsemixed.fitting.bayes_results import BayesResults


class HasBayes:
    """A fit with its call, whose model gets priors."""

    fit: Fit
    call: Call | None

    def bayes(
        self,
        priors: Any = None,
        draws: int = 4000,
        seed: int | None = None,
        n_jobs: int = 1,
        *,
        method: str = "auto",
        progress: Callable[[int], None] | None = None,
    ) -> BayesResults:
        """The posterior of this model; see `sparsemixed.bayes`.

        Examples
        --------
        >>> import sparsemixed
        >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
        >>> fit = sparsemixed.mixed("y ~ time + (1 | id)", data)
        >>> bool(abs(fit.bayes(seed=1).summary.loc["time", "mean"] - fit.params["time"]) < 0.01)
        True
        """
        from sparsemixed.bayesian.compute import Request  # delayed, with what it needs, for a quick start
        from sparsemixed.fitting.bayes_results import posterior_of

        return posterior_of(self.fit, self.call, priors, Request(draws, seed, n_jobs, method), {}, progress)
