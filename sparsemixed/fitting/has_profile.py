"""Profile likelihood as methods of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.intervals import intervals
from sparsemixed.spec.names import names_in
from sparsemixed.spec.numbers import check_level

if TYPE_CHECKING:
    from sparsemixed.reporting.profile import ProfileResult


class HasProfile:
    """A fit whose likelihood is profiled."""

    fit: Fit

    def profile(
        self,
        names: str | Sequence[str] | None = None,
        level: float | None = None,
        criterion: Literal["ml", "reml"] | None = None,
        *,
        stddeviations: bool | None = None,
    ) -> ProfileResult:
        """Confidence limits by profile likelihood: where the deviance, all else at its best, has risen by the square of z.

        Parameters
        ----------
        names : str or list of str, optional
            Coefficients, variance parameters (`"var(_cons)"`, `"[school]corr(x,_cons)"`), or functions of both as in `nlcom`:
            `"icc: var(_cons)/(var(_cons) + var(Residual))"`. By default every parameter of the fit.
        level : float, optional
        criterion : {"ml", "reml"}, optional
            By default REML's for variance parameters of a fit by REML, and ML for whatever depends on coefficients; "ml" for
            all, as lme4 has it.
        stddeviations : bool, optional
            Without `names`: standard deviations and correlations, not variances and covariances; by default as in the tables.

        Returns
        -------
        ProfileResult
            `limits`, a data frame with the columns estimate, low and high, and `curve(name)`; `note` names limits at a boundary.

        Raises
        ------
        OptionError
            Names that there are not; a fit without a likelihood to profile.

        Examples
        --------
        >>> import sparsemixed
        >>> fit = sparsemixed.mixed("y ~ time + (1 | id)", sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1))
        >>> list(fit.profile(stddeviations=True).limits.index)
        ['time', '_cons', 'sd(_cons)', 'sd(Residual)']
        """
        from sparsemixed.inference.profile.profile import profile  # delayed, with what it needs, for a quick start
        from sparsemixed.reporting.profile import ProfileResult

        asked, deviations = self._asked(level, stddeviations)
        wanted = None if names is None else names_in(names, "profile")
        return ProfileResult.of(profile(self.fit, wanted, asked, deviations, criterion))

    def random_conf_int(
        self,
        level: float | None = None,
        method: Literal["wald", "profile"] = "wald",
        *,
        stddeviations: bool | None = None,
        criterion: Literal["ml", "reml"] | None = None,
    ) -> pd.DataFrame:
        """Confidence limits of the variance parameters: index (equation, parameter) as printed, columns low and high.

        Parameters
        ----------
        level : float, optional
            In per cent; by default that of the fit.
        method : {"wald", "profile"}
            Symmetric on the scale of logarithms, inverse hyperbolic tangents, ... as in the table, or by profile likelihood.
        stddeviations : bool, optional
            Standard deviations and correlations; by default as in the fit's tables.
        criterion : {"ml", "reml"}, optional
            Of the profile; see `profile`.
        """
        asked, deviations = self._asked(level, stddeviations)
        parameters = self.fit.deviations if deviations else self.fit.variances
        index = pd.MultiIndex.from_tuples([(p.equation, p.label) for p in parameters], names=["equation", "parameter"])
        check_method(method, "random_conf_int")
        if method == "wald":
            if criterion is not None:
                raise OptionError('random_conf_int: criterion is for method="profile"')
            rows = [(one.low, one.high) for one in intervals(self.fit, asked, deviations)]
            return pd.DataFrame(rows, index=index, columns=["low", "high"], dtype=float)
        from sparsemixed.inference.profile.profile import variance_profile  # delayed, with what it needs, for a quick start

        found = variance_profile(self.fit, asked, deviations, criterion)
        return pd.DataFrame({"low": found.low, "high": found.high}, index=index, dtype=float)

    def _asked(self, level: float | None, stddeviations: bool | None) -> tuple[float, bool]:
        """The level and the scale that are asked for; by default those of the fit's tables."""
        display = self.fit.spec.display
        asked = check_level(display.level if level is None else level)
        return asked, display.stddeviations if stddeviations is None else stddeviations

    def _profiled_coefficients(self, level: float) -> pd.DataFrame:
        """Limits of the coefficients by profile likelihood."""
        from sparsemixed.inference.profile.profile import coefficient_profile  # delayed, with what it needs, for a quick start

        found = coefficient_profile(self.fit, level)
        return pd.DataFrame({"low": found.low, "high": found.high}, index=list(self.fit.design.names), dtype=float)


def check_method(method: str, command: str) -> None:
    """Refuse a method of intervals that there is not."""
    if method not in ("wald", "profile"):
        raise OptionError(f"{command}: method is wald or profile, not {method!r}")
