"""The prefix `bayes` as a function of the package's front."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparsemixed.fitting.bayes_results import BayesResults


def bayes(
    text: str,
    data: Any,
    priors: Any = None,
    draws: int | None = None,
    seed: int | None = None,
    n_jobs: int = 1,
    *,
    method: str = "auto",
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> BayesResults:
    """The posterior distribution of a mixed model: coefficients and random effects in closed form, variances by sampling.

    Parameters
    ----------
    text : str
        A model as `mixed` takes it, or with Stata's prefix: `bayes, normalprior(10) rseed(12): mixed y x || id: x`.
    priors : dict or {"stata"}, optional
        Of `sparsemixed.priors`, by coefficient ("week"; "b" for all), label ("sd(week)", "id: var(_cons)") or class ("sd", "var",
        "corr", "Sigma"); by default flat, half-t(3) on the data's scale, and uniform. "stata" has the defaults of Stata.
    draws : int, optional
        4,000 by default.
    seed : int, optional
        Of the same draws for any `n_jobs`; another one every time by default.
    n_jobs : int
        Threads where every draw needs a factorization; -1 for all cores.
    method : {"auto", "sampling", "quadrature", "nuts"}
        How variance parameters are integrated out; nuts takes over where weights cannot be trusted, if nutpie is installed.
    progress : callable, optional
        Called with the number of evaluations so far. Data, in memory, and **options are as of `mixed`.

    Examples
    --------
    >>> import sparsemixed
    >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
    >>> found = sparsemixed.bayes("y ~ time + (1 | id)", data, {"sd": sparsemixed.priors.HalfT(3, 2)}, seed=1)
    >>> found.summary.columns.tolist()
    ['mean', 'sd', 'mcse', 'median', 'low', 'high']
    """
    from sparsemixed.fitting.bayes_results import bayes_of_text  # delayed, with what it needs, for a quick start

    given = {"draws": draws, "seed": seed, "n_jobs": n_jobs, "method": method}
    return bayes_of_text(text, data, priors, options, given, progress)
