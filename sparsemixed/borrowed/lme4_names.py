"""What lme4 calls the parts of a fitted model and the comparisons of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call, frame_of

if TYPE_CHECKING:
    from sparsemixed.reporting.likelihood_ratios import LikelihoodRatioTable
    from sparsemixed.reporting.term_tests import TermTable


class Lme4Names:
    """Functions of R's lme4 as methods."""

    fit: Fit
    call: Call | None

    def fixef(self) -> pd.Series:
        """`params`: the coefficients of the fixed part."""
        return pd.Series(self.fit.beta.copy(), index=list(self.fit.design.names))

    def model_matrix(self, data: Any = None) -> pd.DataFrame:
        """Columns of the fixed part (n, p), R's `model.matrix`: of the sample, or of new data with the variables of the model.

        With `params` and `cov_params()` it is all that other programs need to make predictions and contrasts of their own.
        """
        from sparsemixed.postestimation.model_matrix import (
            model_matrix,  # delayed, with what it needs, for a quick start, as all below
        )

        return model_matrix(self.fit, data)

    def ranef(self) -> dict[str, pd.DataFrame]:
        """`random_effects`: predictions of the random effects, one data frame per set of groups."""
        from sparsemixed.postestimation.random_effects import random_effects

        return random_effects(self.fit)

    def coef(self, group: str | None = None) -> pd.DataFrame:
        """Coefficients of each group: fixed effects plus the predicted random effects of the same names.

        Parameters
        ----------
        group : str, optional
            The level, a key of `random_effects`; needed where there are several.

        Returns
        -------
        DataFrame
            Indexed by the values that name the groups; random effects without a fixed one of the same name are columns of their
            own.
        """
        from sparsemixed.postestimation.group_coefficients import group_coefficients

        return group_coefficients(self.fit, group)

    def VarCorr(self) -> pd.DataFrame:
        """Variances and covariances of the random effects and errors: columns grp, var1, var2, vcov, sdcor.

        The rows are those of R's `as.data.frame(VarCorr(m))`; `sdcor` is a standard deviation or a correlation. `random_params`
        adds standard errors and limits.
        """
        from sparsemixed.postestimation.random_covariances import covariance_table

        return covariance_table(self.fit)

    @overload
    def anova(
        self,
        *,
        type: Literal[1, 2, 3] = ...,
        small: bool | None = None,
    ) -> TermTable: ...

    @overload
    def anova(self, *others: Lme4Names, refit: bool = True, names: Sequence[str] | None = None) -> LikelihoodRatioTable: ...

    def anova(
        self,
        *others: Lme4Names,
        refit: bool = True,
        names: Sequence[str] | None = None,
        type: Literal[1, 2, 3] | None = None,  # noqa: A002
        small: bool | None = None,
    ) -> LikelihoodRatioTable | TermTable:
        """Tests of the fixed terms of this fit; with other fits, likelihood-ratio tests of all.

        Parameters
        ----------
        *others : Results
            Each fit is compared with the one that has next fewer parameters: see `sparsemixed.anova`.
        refit, names
            Of `sparsemixed.anova`.
        type : {1, 2, 3}
            Without others: every term adjusted for those before it (1), for all that do not contain it (2), or averaged over the
            levels of other factors (3, the default), as in lmerTest.
        small : bool, optional
            F tests by the fit's `dfmethod`; by default if it has one, else chi-squared.

        Raises
        ------
        OptionError
            Options of the one beside the other; constraints; type 3 with empty cells or omitted columns.
        """
        from sparsemixed.postestimation.model_comparison import fits_of, nested_tests
        from sparsemixed.postestimation.term_tests import term_tests
        from sparsemixed.reporting.likelihood_ratios import LikelihoodRatioTable
        from sparsemixed.reporting.term_tests import TermTable

        if not others:
            if names is not None:
                raise OptionError("anova: names are those of several fits; give the others")
            return TermTable.of(term_tests(self.fit, 3 if type is None else type, small))
        if type is not None or small is not None:
            raise OptionError("anova: type and small are for the terms of one fit, and there are several")
        return LikelihoodRatioTable.of(nested_tests([self.fit, *fits_of(others, "anova")], names, refit))

    def drop1(self) -> LikelihoodRatioTable:
        """Likelihood-ratio tests of leaving out each fixed term that no other one contains.

        Every smaller model is fitted to the data of this one. The comparison is by maximum likelihood: a fit by REML is fitted
        again first, and a note says so. Terms within an interaction stay as long as it does.

        Raises
        ------
        OptionError
            A fit that does not know its data (it was loaded), constraints, robust standard errors.
        DataError
            The data have changed since, or a term's missing values decided which rows were used.
        """
        from sparsemixed.fitting.changed_call import known_call
        from sparsemixed.postestimation.model_comparison import single_deletions
        from sparsemixed.reporting.likelihood_ratios import LikelihoodRatioTable

        call = known_call(self.call, "drop1")
        return LikelihoodRatioTable.of(single_deletions(self.fit, frame_of(call, "drop1")))
