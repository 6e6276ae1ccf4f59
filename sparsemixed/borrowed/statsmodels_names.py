"""What statsmodels calls the results of a mixed model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.vce import coefficient_errors
from sparsemixed.reporting.hypothesis_tests import TestResult

if TYPE_CHECKING:
    from sparsemixed.reporting.single_tests import MeanPrediction, SingleTests


class StatsmodelsNames:
    """Attributes and methods of `MixedLMResults`; the coefficients keep this package's names and order, the constant last."""

    fit: Fit

    @property
    def resid(self) -> pd.Series:
        """Residuals, `predict(what="residuals")`: the response less the fixed part and the predicted random effects."""
        return _column(self.fit, None, "residuals")

    @property
    def fittedvalues(self) -> pd.Series:
        """`predict(what="fitted")`: the fixed part and the predicted random effects of every level."""
        return _column(self.fit, None, "fitted")

    @property
    def fe_params(self) -> pd.Series:
        """`params`: only coefficients are there in either."""
        return pd.Series(self.fit.beta.copy(), index=list(self.fit.design.names))

    @property
    def bse_fe(self) -> pd.Series:
        """Large-sample standard errors of the coefficients; `bse` has those of the fit's `dfmethod`."""
        return pd.Series(coefficient_errors(self.fit), index=list(self.fit.design.names))

    @property
    def cov_re(self) -> pd.DataFrame:
        """Covariance matrix (k, k) of the random effects of the only level; `VarCorr()` has those of several levels."""
        from sparsemixed.postestimation.random_covariances import (
            random_covariance,  # delayed, with what it needs, for a quick start, as all below
        )

        return random_covariance(self.fit)

    @property
    def scale(self) -> float:
        """Variance of the errors; where they have several, that of the first. `glance()` has its root, `sigma`."""
        return 0.0 if self.fit.without_errors else float(self.fit.sigma2)

    @property
    def df_resid(self) -> int:
        """Observations less the free coefficients; `glance()` has R's `df.residual`, less the variance parameters too."""
        return self.fit.design.nobs - self.fit.design.rank

    def get_prediction(self, exog: Any = None) -> MeanPrediction:
        """Predicted means of the fixed part with standard errors and limits, for the sample or for new data.

        Parameters
        ----------
        exog : DataFrame or path, optional
            New data with the variables of the fixed part, not columns of a design matrix; the estimation sample by default.
        """
        from sparsemixed.reporting.single_tests import MeanPrediction

        return MeanPrediction(_column(self.fit, exog, "xb"), _column(self.fit, exog, "stdp"))

    def t_test(self, r_matrix: Any, use_t: bool = False) -> SingleTests:
        """A Wald test of each row of a linear hypothesis by itself.

        Parameters
        ----------
        r_matrix : str, list of str, array (l, p), mapping, Series or DataFrame
            As in `test`; several texts are separated by commas. The columns of an array are the coefficients in the order of
            `params`; weights by name, `{"time": 1, "Intercept": -1}`, do not depend on that.
        use_t : bool
            t tests with the degrees of freedom of the fit's `dfmethod` instead of z tests.
        """
        from sparsemixed.postestimation.linear_tests import single_tests
        from sparsemixed.reporting.single_tests import SingleTests

        return SingleTests.of(single_tests(self.fit, _separated(r_matrix), use_t))

    def wald_test(self, r_matrix: Any, use_f: bool = False, scalar: bool = True) -> TestResult:
        """The joint Wald test of a linear hypothesis, `test` by another name.

        Parameters
        ----------
        r_matrix
            As in `t_test`.
        use_f : bool
            F test with the degrees of freedom of the fit's `dfmethod` instead of chi-squared.
        scalar : bool
            True: the statistic and the p-value are numbers.
        """
        from sparsemixed.postestimation.linear_tests import hypothesis_test

        if scalar is not True:
            raise OptionError("wald_test: statistics are numbers here, never arrays; leave scalar out")
        return TestResult.of(hypothesis_test(self.fit, _separated(r_matrix), None, use_f))


def _column(fit: Fit, data: Any, what: str) -> pd.Series:
    """A prediction of one value for each row."""
    from sparsemixed.postestimation.predict import predict
    from sparsemixed.postestimation.prediction.request import Request

    found = predict(fit, data, Request(what))
    assert isinstance(found, pd.Series)
    return found


def _separated(hypothesis: Any) -> Any:
    """A text as the list of its hypotheses; anything else as it is."""
    from sparsemixed.command.hypothesis import comma_parts

    return comma_parts(hypothesis) if isinstance(hypothesis, str) and "," in hypothesis else hypothesis
