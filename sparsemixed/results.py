"""The face of a fit: frozen, with one-line methods."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np
import pandas as pd

from sparsemixed.borrowed.lme4_names import Lme4Names
from sparsemixed.borrowed.statsmodels_names import StatsmodelsNames
from sparsemixed.command.keywords import ModelKeywords
from sparsemixed.errors import OptionError, suggestion
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call, run
from sparsemixed.fitting.has_bayes import HasBayes
from sparsemixed.fitting.has_contrasts import HasContrasts
from sparsemixed.fitting.has_emmeans import HasEmmeans
from sparsemixed.fitting.has_influence import HasInfluence
from sparsemixed.fitting.has_margins import HasMargins
from sparsemixed.fitting.has_plots import HasPlots
from sparsemixed.fitting.has_predictions import HasPredictions
from sparsemixed.fitting.has_profile import HasProfile, check_method
from sparsemixed.fitting.has_resampling import HasResampling
from sparsemixed.inference.covariance.vce import beta_covariance
from sparsemixed.inference.degrees.table import coefficient_covariance, coefficient_degrees
from sparsemixed.inference.hypotheses.likelihood_ratio import n_parameters
from sparsemixed.inference.hypotheses.wald import coefficients, tabulated_errors
from sparsemixed.inference.intervals import intervals
from sparsemixed.reporting.has_tests import HasTests
from sparsemixed.reporting.indexes import index_of, pairs_of
from sparsemixed.reporting.report import status
from sparsemixed.reporting.shown_fit import ShownFit


@dataclass(frozen=True, repr=False, eq=False)
class Results(
    ShownFit,
    HasTests,
    HasContrasts,
    HasPredictions,
    HasMargins,
    HasEmmeans,
    HasInfluence,
    HasBayes,
    HasPlots,
    HasProfile,
    HasResampling,
    StatsmodelsNames,
    Lme4Names,
):
    """A fitted model.

    Nothing here changes a fit: every array and data frame is a copy, and showing a fit in another way never refits.

    Attributes
    ----------
    fit : Fit
        The numbers that everything is computed from.
    call : Call or None
        Model, data and options as they were given to `mixed`; None for fits that were loaded, or came from another process.
    """

    fit: Fit
    call: Call | None = None

    def _series(self, values: np.ndarray) -> pd.Series:
        return pd.Series(np.array(values, dtype=float), index=index_of(self.fit.design.names))

    @property
    def params(self) -> pd.Series:
        """Coefficients of the fixed part, by name."""
        return self._series(self.fit.beta)

    @property
    def bse(self) -> pd.Series:
        """Standard errors of the coefficients."""
        return self._series(tabulated_errors(self.fit))

    @property
    def zvalues(self) -> pd.Series:
        """Coefficients over their standard errors."""
        return self._series(coefficients(self.fit, 95.0).statistic)

    @property
    def tvalues(self) -> pd.Series:
        """The same as `zvalues`."""
        return self.zvalues

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values of the coefficients."""
        return self._series(coefficients(self.fit, 95.0).pvalue)

    @property
    def df(self) -> pd.Series:
        """Degrees of freedom of the coefficients' t tests; needs the option `dfmethod`, or `vce` cr0, cr2 or cr3."""
        asked = self.fit.spec.small_sample
        if asked is None:
            raise OptionError("df needs degrees of freedom: fit the model with the option dfmethod(), or use estat.df(methods=)")
        return self._series(coefficient_degrees(self.fit, asked))

    def conf_int(
        self, level: float | None = None, *, alpha: float | None = None, method: Literal["wald", "profile"] = "wald"
    ) -> pd.DataFrame:
        """Confidence limits of the coefficients, columns `low` and `high`.

        Parameters
        ----------
        level : float, optional
            In per cent; by default the level that the model was fitted with.
        alpha : float, optional
            The probability outside, as statsmodels has it: 0.05 is the level 95.
        method : {"wald", "profile"}
            By standard errors, t with the fit's degrees of freedom or z, or by profile likelihood (see `profile`).
        """
        check_method(method, "conf_int")
        if alpha is not None:
            if level is not None:
                raise OptionError(f"conf_int takes a level or alpha, not both: level={level}, alpha={alpha}")
            from sparsemixed.reporting.single_tests import (
                level_of,  # delayed, with what it needs, for a quick start, as all below
            )

            level = level_of(alpha)
        if method == "profile":
            return self._profiled_coefficients(self._level(level))
        found = coefficients(self.fit, self._level(level))
        return pd.DataFrame({"low": found.low, "high": found.high}, index=list(self.fit.design.names))

    def cov_params(self) -> pd.DataFrame:
        """Covariance matrix of the coefficients, (p, p): robust, or Kenward-Roger's adjusted one, when the fit asked for it."""
        names, asked = list(self.fit.design.names), self.fit.spec.small_sample
        matrix = beta_covariance(self.fit) if asked is None else coefficient_covariance(self.fit, asked)
        return pd.DataFrame(matrix.copy(), index=names, columns=names)

    @property
    def random_params(self) -> pd.DataFrame:
        """Variance parameters as printed: index (equation, parameter), columns estimate, std_err, ci_low, ci_high."""
        display = self.fit.spec.display
        found = intervals(self.fit, display.level, display.stddeviations)
        rows = np.array([(i.parameter.estimate, i.std_err, i.low, i.high) for i in found], dtype=float)
        shown = [i.parameter for i in found]
        index = pairs_of(equation=tuple(p.equation for p in shown), parameter=tuple(p.label for p in shown))
        return pd.DataFrame(rows, index=index, columns=index_of(("estimate", "std_err", "ci_low", "ci_high")))

    @property
    def llf(self) -> float:
        """Log likelihood, or log restricted likelihood."""
        return float(self.fit.llf)

    @property
    def aic(self) -> float:
        """-2 llf + 2k, with k all estimated parameters, the fixed part's included."""
        return -2.0 * self.llf + 2.0 * n_parameters(self.fit)

    @property
    def bic(self) -> float:
        """-2 llf + k log(N), with N the number of observations."""
        return -2.0 * self.llf + n_parameters(self.fit) * float(np.log(self.nobs))

    @property
    def nobs(self) -> int:
        """Number of observations used; frequency weights count."""
        return self.fit.design.nobs

    @property
    def converged(self) -> bool:
        """Whether the optimiser reached its tolerances."""
        return bool(self.fit.converged)

    @property
    def status(self) -> str:
        """How the fit ended: convergence, components on the boundary and what that means, other notes, and advice."""
        return status(self.fit)

    @property
    def table(self) -> pd.DataFrame:
        """Stata's r(table): rows b, se, z (or t), pvalue, ll, ul, df, crit, eform; one column for each entry of `e["b"]`."""
        from sparsemixed.reporting.stored.table import stored_table

        return stored_table(self.fit, self.fit.spec.display.level)

    @property
    def e(self) -> Mapping[str, Any]:
        """Stata's stored results, read-only: `e["ll"]`, `e["chi2"]`, `e["N_g"]`, `e["V"]`."""
        from sparsemixed.reporting.stored.results import StoredResults

        return StoredResults(self.fit)

    @property
    def random_effects(self) -> dict[str, pd.DataFrame]:
        """Best linear unbiased predictions: one data frame per set of groups, one row per group."""
        from sparsemixed.postestimation.random_effects import random_effects

        return random_effects(self.fit)

    @property
    def random_effects_se(self) -> dict[str, pd.DataFrame]:
        """Standard errors of prediction of `random_effects`, in the same form.

        As in Stata, the coefficients count as known after maximum likelihood, as estimated after REML.
        """
        from sparsemixed.postestimation.random_effects import random_effects

        return random_effects(self.fit, standard_errors=True)

    @property
    def estat(self) -> Estat:
        """Summaries beyond the tables: `estat.df()`, `estat.icc()`, `estat.sd()` and others, `dir(fit.estat)`."""
        return Estat(self.fit, self.call)

    def update(self, model: str | None = None, data: Any = None, **options: Unpack[ModelKeywords]) -> Results:
        """Fit again with another model, other data or other options; this fit stays as it is.

        Parameters
        ----------
        model : str, optional
            A whole model, or a formula in which a point stands for the old side: `". ~ . + x"`, `". ~ . - (1 | g)"`.
        data : optional
            By default the data of this fit, as they are now.
        **options
            In place of those that this fit had, by keyword or in its text; None takes a keyword away.

        Raises
        ------
        OptionError
            The fit does not know its data: it was loaded from a file, or came from another process.
        DataError
            The response in the data frame is no longer what it was.

        Examples
        --------
        >>> import sparsemixed
        >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
        >>> fit = sparsemixed.mixed("y ~ time + (1 | id)", data)
        >>> fit.update(". ~ . - time", reml=True).fit.spec.text
        'y ~ time + (1 | id) - time'
        """
        from sparsemixed.fitting.changed_call import changed_call

        call = changed_call(self.fit, self.call, model, data, options)
        return Results(run(call), call)

    def save(self, path: str | os.PathLike, data: bool = False, errors: bool = False) -> None:
        """Save the fit in a file that `sparsemixed.load` reads.

        The loaded fit shows the same tables, tests hypotheses and predicts for new data. What needs the rows that the model was
        fitted to (residuals, another method of degrees of freedom, `lrtest`) needs `data=True`.

        Parameters
        ----------
        path : str or path
            Replaced if it is there.
        data : bool
            Whether to keep the rows that the model was fitted to. The predicted effects and the names of the groups are always
            kept.
        errors : bool
            Whether to keep the joint covariance of coefficients and random effects, by which the loaded fit knows the standard
            errors of `fitted`: numbers for every group, and for any two that met in a row. What was computed once is kept anyway.

        Raises
        ------
        DataError
            The file cannot be written, or `data=True` for a fit that was loaded without its data.
        """
        from sparsemixed.storage.fit_file import save_fit

        self._keep_margin_statistics()
        if errors:
            self._keep_joint_errors()
        save_fit(self.fit, path, data)

    def __reduce__(self) -> tuple[type[Results], tuple[Fit]]:
        # Without the call: fits travel between processes, and the data frame of the user would with each of them.
        return (type(self), (self.fit,))

    if not TYPE_CHECKING:  # an editor would take any name for an attribute

        def __getattr__(self, name):
            raise AttributeError(f"Results has no attribute {name!r}{suggestion(name, dir(self))}")

    def __repr__(self) -> str:
        how = "" if self.converged else ", not converged"
        return f"<Results of {self.fit.spec.text!r}: {self.nobs} observations, log likelihood {self.llf:.8g}{how}>"


@dataclass(frozen=True)
class Estat:
    """`estat` of a fit: one method per subcommand of `postestimation.estat.table`."""

    fit: Fit
    call: Call | None = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        from sparsemixed.postestimation.estat.table import subcommand
        from sparsemixed.reporting.estat_table import EstatTable

        function = subcommand(name)

        def run(*arguments: Any, **options: Any) -> Any:
            found = function(self.fit, *(a.fit if isinstance(a, Results) else a for a in arguments), **options)
            if isinstance(found, pd.DataFrame):
                return EstatTable.of(found, self.fit, name)
            return Results(found, self.call) if isinstance(found, Fit) else found

        functools.update_wrapper(run, function)
        parameters = list(inspect.signature(function).parameters.values())
        run.__signature__ = inspect.Signature(parameters[1:])  # type: ignore[attr-defined]  # without the fit, which is known
        return run

    def __dir__(self) -> list[str]:
        from sparsemixed.postestimation.estat.table import SUBCOMMANDS

        return ["fit", *SUBCOMMANDS]
