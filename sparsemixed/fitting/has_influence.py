"""Influence, leverage and leave-one-out predictions as methods of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call


class HasInfluence:
    """A fit with its call, whose rows and groups are left out."""

    fit: Fit
    call: Call | None

    def leverage(self) -> pd.Series:
        """How much every fitted value follows its own response, one value per row: lme4's hat values.

        The diagonal of the derivative of the fitted values by the response, variance parameters given. Its sum is the effective
        number of parameters.

        Examples
        --------
        >>> import sparsemixed
        >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
        >>> fit = sparsemixed.mixed("y ~ time + (1 | id)", data)
        >>> bool(2 < fit.leverage().sum() < 52)
        True
        """
        from sparsemixed.postestimation.influence.leverage import leverage  # delayed, with what it needs, for a quick start

        return leverage(self.fit)

    def influence(
        self,
        by: str | Sequence[str] | None = None,
        method: Literal["fixed", "onestep", "exact"] = "fixed",
        *,
        exact: bool = False,
        what: str | Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """How far the estimates move without each row, or each group: Cook's distance and its kin, one row per deletion.

        Parameters
        ----------
        by : str or list of str, optional
            What is left out together: a level of the model (its groups within those above it), a factor with crossed effects, or
            a column of the data; single rows by default.
        method : {"fixed", "onestep", "exact"}
            Variance parameters as known; one Newton step from where they are, for groups that share nothing with other rows; or
            the model fitted again without the rows.
        exact : bool
            The same as `method="exact"`.
        what : str or list of str, optional
            Some of cooks, mdffits, covratio, covtrace, dfbetas, dfbeta, and, with estimated variances, rvc (relative variance
            change); by default all but dfbeta.

        Returns
        -------
        DataFrame
            NaN, and a warning, where the rest does not determine the coefficients.

        Raises
        ------
        OptionError
            Unknown names; groups that the method cannot serve.
        DataError
            The fit has no rows; the model cannot be fitted without some group.
        """
        from sparsemixed.fitting.deleted_groups import deleted_groups  # delayed, with what it needs, for a quick start
        from sparsemixed.postestimation.influence.influence import influence

        groups = deleted_groups(self.fit, self.call, by, "influence")
        return influence(self.fit, groups, "exact" if exact else method, what)

    def loo(self, by: str | Sequence[str] | None = None, *, rows: bool = False) -> pd.DataFrame:
        """How well each row, or each group, is predicted by all others: coefficients and random effects integrated out.

        Parameters
        ----------
        by : str or list of str, optional
            As in `influence`.
        rows : bool
            With `by`, one line for each row in place of one for each group.

        Returns
        -------
        DataFrame
            y, mean and sd of the predictive distribution, elpd (its log density at y; of groups, the joint one of their rows,
            while y, mean and sd are of their averages), pit (its distribution function at y); of groups also rows and press,
            the sum of squared errors. Sums over the column elpd compare models.

        Raises
        ------
        OptionError
            Weights that replicate observations; unknown names.
        DataError
            The fit has no rows; a crossed group with too many of them.

        Examples
        --------
        >>> import sparsemixed
        >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
        >>> fit = sparsemixed.mixed("y ~ time + (1 | id)", data)
        >>> bool(fit.loo()["elpd"].sum() > fit.loo(by="id")["elpd"].sum())
        True
        """
        from sparsemixed.fitting.deleted_groups import deleted_groups  # delayed, with what it needs, for a quick start
        from sparsemixed.postestimation.influence.left_out import leave_out

        return leave_out(self.fit, deleted_groups(self.fit, self.call, by, "loo"), rows)

    def augment(self) -> pd.DataFrame:
        """The rows of the sample with fitted values, residuals, leverages and Cook's distances, as R's broom.mixed names them.

        Columns are the response, .fitted, .resid, .hat, .cooksd, .fixed, .mu, .offset, .sqrtXwt, .sqrtrwt, .weights and .wtres;
        `.cooksd` is that of the fitted values, random effects included (lme4's `cooks.distance`), not that of `influence`.
        """
        from sparsemixed.postestimation.influence.augmented import augmented  # delayed, with what it needs, for a quick start

        return augmented(self.fit)
