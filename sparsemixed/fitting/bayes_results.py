"""The face of a posterior: frozen, with one-line methods."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from sparsemixed.bayesian.compute import Request, compute_posterior
from sparsemixed.bayesian.posterior import Posterior, PosteriorParameters, PosteriorShape, SavedPosterior
from sparsemixed.bayesian.summary import (
    draws_frame,
    efficiency_frame,
    interval_probability,
    summary_frame,
)
from sparsemixed.errors import OptionError, suggestion
from sparsemixed.estimation import estimate
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.bayes_text import read_bayes
from sparsemixed.fitting.call import Call, asked, frame_of, settled, with_design
from sparsemixed.postestimation.random_effects import random_effects
from sparsemixed.priors.asked import AskedPriors, read_priors
from sparsemixed.reporting.document import Document
from sparsemixed.reporting.shown import Shown
from sparsemixed.spec.numbers import check_level, is_number

CREDIBLE = "bayes: the credible level"


@dataclass(frozen=True, repr=False, eq=False)
class BayesResults(Shown):
    """The posterior of a mixed model.

    Nothing here changes it: every frame is a copy.

    Attributes
    ----------
    posterior : Posterior
        The numbers that everything is computed from.
    shape : PosteriorShape
        What is shown of it.
    call : Call or None
        As of `Results`.
    """

    posterior: Posterior
    shape: PosteriorShape
    call: Call | None = None

    @property
    def fit(self) -> Fit:
        """The fit by maximum likelihood, or REML, that the model and its names come from."""
        return self.posterior.fit

    @property
    def _parameters(self) -> PosteriorParameters:
        return self.posterior.deviations if self.shape.stddeviations else self.posterior.variances

    @property
    def draws(self) -> pd.DataFrame:
        """Independent draws, equally weighted: one column for each coefficient and variance parameter, by printed names."""
        return draws_frame(self.posterior, self._parameters)

    @property
    def summary(self) -> pd.DataFrame:
        """One row for each parameter: mean, sd, mcse (of the mean), median, low, high."""
        return summary_frame(self.posterior, self._parameters, self.shape.level, self.shape.hpd)

    @property
    def frame(self) -> pd.DataFrame:
        """The same as `summary`."""
        return self.summary

    @property
    def log_marginal(self) -> float:
        """Log marginal likelihood; NaN where a prior has no known constant, and of designs beyond a factorization."""
        return self.posterior.log_marginal

    @property
    def log_marginal_se(self) -> float:
        """Its Monte Carlo standard error; zero by quadrature, by nuts that of bridge sampling."""
        return self.posterior.log_marginal_se

    @property
    def khat(self) -> float:
        """Pareto k-hat of the importance weights: below 0.7 they can be trusted."""
        return self.posterior.khat

    @property
    def ess(self) -> float:
        """Effective number of independent draws."""
        return self.posterior.ess

    @property
    def random_effects(self) -> dict[str, pd.DataFrame]:
        """Posterior means of the random effects, without Monte Carlo error but that of the variance parameters."""
        return random_effects(self._effects_fit())

    @property
    def random_effects_sd(self) -> dict[str, pd.DataFrame]:
        """Posterior standard deviations of the random effects, in the same form."""
        return random_effects(self._effects_fit(), standard_errors=True)

    @cached_property
    def _whole(self) -> Posterior:
        """With the moments of the random effects."""
        from sparsemixed.bayesian.effects import with_effects  # delayed for a quick start

        return with_effects(self.posterior)

    def _effects_fit(self) -> Fit:
        return replace(self.fit, u=self._whole.effects, u_var=self._whole.effects_var)

    def table(self, level: float | None = None, hpd: bool | None = None, stddeviations: bool | None = None) -> BayesResults:
        """The same posterior, shown in another way: another credible level in per cent, shortest intervals, another metric."""
        asked = {
            "level": None if level is None else check_level(level, CREDIBLE),
            "hpd": hpd,
            "stddeviations": stddeviations,
        }
        return replace(self, shape=replace(self.shape, **{k: v for k, v in asked.items() if v is not None}))

    def document(self) -> Document:
        """Priors, how the posterior was computed, and its tables."""
        from sparsemixed.reporting.bayes_table import bayes_document  # delayed for a quick start

        return bayes_document(self._whole if self.shape.showreffects else self.posterior, self.shape)

    def bayesstats(self, what: str = "summary", *others: BayesResults) -> pd.DataFrame:
        """`bayesstats ess`, `summary` or `ic`: effective draws, the table, or DIC and log marginal likelihoods of models.

        Parameters
        ----------
        what : {"summary", "ess", "ic"}
        *others : BayesResults
            With ic, further models; log_bf is the Bayes factor of each against the first.
        """
        if what == "summary":
            return self.summary
        if what == "ess":
            return efficiency_frame(self.posterior, self._parameters)
        from sparsemixed.bayesian.information import bayes_factor, deviance_criterion  # delayed for a quick start

        if what != "ic":
            raise OptionError(f"bayesstats: {what!r} must be ess, summary or ic{suggestion(str(what), ('ess', 'summary', 'ic'))}")
        rows = []
        _check_models("bayesstats", others)
        for model in (self, *others):
            found = deviance_criterion(model.posterior)
            factor = 0.0 if model is self else -bayes_factor(self.posterior, model.posterior)["log_bf"]
            rows.append(found | {"log_marginal": model.log_marginal, "log_marginal_se": model.log_marginal_se, "log_bf": factor})
        return pd.DataFrame(rows, index=[model.fit.spec.text for model in (self, *others)])

    def bayestest(self, name: str, low: float | None = None, high: float | None = None) -> pd.Series:
        """`bayestest interval`: the probability that a parameter lies between limits, with its Monte Carlo error."""
        draws = self.draws
        if name not in draws:
            raise OptionError(
                f"bayestest: there is no parameter {name!r}{suggestion(str(name), list(draws))}; there are {', '.join(draws)}"
            )
        if low is None and high is None:
            raise OptionError("bayestest: give low=, high= or both")
        for limit in (low, high):
            if limit is not None and not is_number(limit):
                raise OptionError(f"bayestest: the limit {limit!r} must be a number")
        if low is not None and high is not None and not low < high:
            raise OptionError(f"bayestest: low={low!r} must be below high={high!r}")
        return pd.Series(interval_probability(draws[name].to_numpy(), low, high), index=["mean", "mcse"])

    def bayes_factor(self, other: BayesResults) -> pd.Series:
        """Log Bayes factor of this model against another of the same data, with its Monte Carlo standard error."""
        from sparsemixed.bayesian.information import bayes_factor  # delayed for a quick start

        _check_models("bayes_factor", (other,))
        return pd.Series(bayes_factor(self.posterior, other.posterior))

    def predictive(self, draws: int = 100, what: str = "response") -> pd.DataFrame:
        """Responses drawn from the posterior, one column for each draw: to be compared with the data.

        Parameters
        ----------
        draws : int
        what : {"response", "fitted", "new"}
            Responses in the groups of the sample; their expectations; responses in as many new groups.
        """
        from sparsemixed.bayesian.predictive import predictive_draws  # delayed for a quick start

        return predictive_draws(self.posterior, draws, what, self.posterior.settings.seed)

    def loo(self, by: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Log predictive density of every row, or group, given the others, everything unknown integrated out.

        Parameters
        ----------
        by : str or list of str, optional
            What is left out together, as in `Results.loo`.

        Returns
        -------
        DataFrame
            y, mean, sd, elpd and khat; sums over elpd compare models.
        """
        from sparsemixed.bayesian.information import left_out  # delayed for a quick start
        from sparsemixed.fitting.deleted_groups import deleted_groups

        return left_out(self.posterior, deleted_groups(self.fit, self.call, by, "loo"))

    def to_arviz(self) -> Any:
        """An xarray DataTree as arviz 1 takes it: one chain of independent draws; needs `sparsemixed[bayes]`."""
        from sparsemixed.bayesian.to_arviz import to_arviz  # delayed: an optional library

        return to_arviz(self.posterior, self.draws)

    def save(self, path: str | os.PathLike, data: bool = False) -> None:
        """Save the posterior with its fit in a file that `sparsemixed.load` reads; see `Results.save`."""
        from sparsemixed.storage.fit_file import save_fit  # delayed, with what it needs, for a quick start

        save_fit(self.fit, path, data, SavedPosterior(self._whole if self.fit.design.random else self.posterior, self.shape))

    def __repr__(self) -> str:
        return str(self)


def _check_models(what: str, others: Sequence[Any]) -> None:
    for other in others:
        if not isinstance(other, BayesResults):
            raise OptionError(f"{what} takes posteriors, as bayes returns them, not {type(other).__name__}")


def posterior_of(
    fit: Fit, call: Call | None, priors: Any, request: Request, display: Mapping[str, Any], progress: Callable[[int], None] | None
) -> BayesResults:
    """The posterior of a fit, shown as its own options and `display` say."""
    shown: dict[str, Any] = {"level": fit.spec.display.level, "stddeviations": fit.spec.display.stddeviations} | dict(display)
    if progress is not None and not callable(progress):
        raise OptionError(
            f"bayes: progress={progress!r} must be a function, which is called with the number of evaluations so far"
        )
    shown["level"] = check_level(shown["level"], CREDIBLE)
    shape = PosteriorShape(**shown)
    return BayesResults(compute_posterior(fit, read_priors(priors), request, progress), shape, call)


def bayes_of_text(
    text: str,
    data: Any,
    priors: Any,
    options: Mapping[str, Any],
    given: Mapping[str, Any],
    progress: Callable[[int], None] | None,
) -> BayesResults:
    """The posterior of a model as text, with or without the prefix `bayes, options:`.

    Parameters
    ----------
    options : mapping
        Of `mixed`.
    given : mapping
        Fields of `Request`; draws and seed are None where they were not given.
    """
    read = read_bayes(text)
    both = sorted({name for name in ("draws", "seed") if given[name] is not None and getattr(read, name) is not None})
    if both:
        raise OptionError(f"bayes: {both[0]} is given twice, in the text and by keyword")
    chosen = read_priors(priors)
    twice = sorted(set(chosen.own) & set(read.priors))
    if twice:
        raise OptionError(f"bayes: the prior of {twice[0]!r} is given twice, in the text and by keyword")
    own = AskedPriors(chosen.base, {**read.priors, **chosen.own})
    fields = {name: value for name, value in given.items() if value is not None}
    fields |= {name: getattr(read, name) for name in ("draws", "seed") if getattr(read, name) is not None}
    request = Request(**fields)
    call = Call(read.model, data, dict(options))
    plain = settled(call)
    fit = estimate(*with_design(asked(plain), frame_of(plain, "bayes")))
    return posterior_of(fit, call, own, request, read.display, progress)
