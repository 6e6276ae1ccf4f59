"""Predictions as methods of a fit."""

from __future__ import annotations

from typing import Any, Literal, TypedDict, Unpack

import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.spec.numbers import check_level

Prediction = Literal[
    "xb",
    "stdp",
    "fitted",
    "response",
    "residuals",
    "rstandard",
    "marginal",
    "scaled",
    "studentized",
    "quantile",
    "reffects",
    "reses",
    "scores",
]


class PredictKeywords(TypedDict, total=False):
    """Options of `predict`.

    Attributes
    ----------
    relevel : str
        A level of groups: `fitted` and residuals with the effects down to it alone, `reffects` and `reses` of it.
    coefficients : {"known", "estimated"}
        For `reses`; by default as in Stata known after maximum likelihood and estimated after REML.
    seed : int
        Of `new_levels="draw"`.
    update : bool
        For `fitted` of new data that hold the response too: predict the effects of their groups, new and known ones, given these
        responses, at the fitted parameters. Rows without a response are predicted by those of their groups.
    """

    relevel: str
    coefficients: Literal["known", "estimated"]
    seed: int
    update: bool


class HasPredictions:
    """A fit of which predictions are made."""

    fit: Fit

    def predict(
        self,
        data: Any = None,
        what: Prediction = "xb",
        level: float | str | None = None,
        se: bool | Literal["conditional", "corrected"] = False,
        interval: Literal["confidence", "prediction"] | None = None,
        new_levels: Literal["population", "draw", "error"] = "population",
        **options: Unpack[PredictKeywords],
    ) -> pd.Series | pd.DataFrame:
        """Predictions, one row per observation; scores, one per cluster. Standard errors make a frame: predicted, se, low, high.

        Parameters
        ----------
        data : DataFrame, dict or path, optional
            New data, whatever `mixed` takes, for `xb`, `stdp`, `fitted`, `response`; by default the estimation sample.
        what : str
            `xb`, `stdp`, `fitted`; `response`, with what errors of a known group tell of a new one; `residuals`, those over the
            root of the errors' covariance, `rstandard`, of the fixed part alone, `marginal`, over the root of the responses'
            covariance, `scaled`, over their own standard deviation, `studentized`, and as probabilities, `quantile`; `reffects`,
            `reses`, `scores`.
        level : float or str, optional
            A number is the level of limits in per cent, a text the same as `relevel`.
        se : bool or {"conditional", "corrected"}
            Standard errors and limits of `xb` or `fitted`, at the fitted variance parameters (True, "conditional"), or with what
            the estimation of those adds (Kackar & Harville 1984).
        interval : {"confidence", "prediction"}, optional
            Of the mean in the group, or of a new observation there; either asks for standard errors.
        new_levels : {"population", "draw", "error"}
            Whether rows of new data in groups that were not in the sample have no effect of the group, but its variance in their
            standard errors; one that is drawn for the group, and counts as known then; or raise.
        **options
            See `PredictKeywords`.
        """
        relevel = level if isinstance(level, str) else options.get("relevel")
        if isinstance(level, str) and "relevel" in options:
            raise OptionError("predict: level as a text is relevel; give one of them")
        percent = check_level(self.fit.spec.display.level if level is None or isinstance(level, str) else level)
        coefficients, seed, update = (options.get(name) for name in ("coefficients", "seed", "update"))
        asked = (what, relevel, se, interval, percent, new_levels, seed, coefficients)
        return _predicted(self.fit, data, bool(update), *asked)

    def random_effects_for(self, data: Any, coefficients: Literal["known", "estimated"] | None = None) -> dict[str, pd.DataFrame]:
        """Predicted random effects of the groups in new data, given the responses there, at the fitted parameters.

        Groups that the fit has not seen are predicted from their own rows; those that it has, from their rows in the sample and
        the new ones. Loaded fits do so as well, for known groups if they were saved with `errors=True`.

        Parameters
        ----------
        data : DataFrame, dict or path
            With the response and every variable of the model; rows where something is missing tell nothing.
        coefficients : {"known", "estimated"}, optional
            What standard errors count the coefficients as; by default known after maximum likelihood, estimated after REML.

        Returns
        -------
        dict of str to DataFrame
            Keys as in `random_effects`; one row for each group in the data: the values that name it, its effects, their standard
            errors `se(EFFECT)`, and the number of `responses`.

        Warns
        -----
        NoResponseWarning
            New groups without a response, whose effects are zero.

        Raises
        ------
        DataError
            Known groups are tied together, and the rows behind the fit, which tell how, are not there.
        """
        from sparsemixed.postestimation.prediction.updated_frames import random_effects_for  # delayed for a quick start

        return random_effects_for(self.fit, data, coefficients)

    def r2(self) -> pd.Series:
        """Shares of variance explained: `marginal`, by the fixed part, and `conditional`, by the random part too.

        Those of Nakagawa & Schielzeth (2013) and Johnson (2014), with the three variances behind them: `var_fixed`, `var_random`,
        `var_error`.
        """
        from sparsemixed.postestimation.r2 import variance_shares  # delayed for a quick start

        return variance_shares(self.fit)

    def partial_r2(self, type: Literal[1, 2, 3] = 3) -> pd.DataFrame:  # noqa: A002  as in anova
        """Edwards' semi-partial R2 of each fixed term and of the model, from F tests: columns F, df, ddf, r2.

        Parameters
        ----------
        type : {1, 2, 3}
            Of the hypotheses, as in `anova`.

        Raises
        ------
        OptionError
            The fit has no `dfmethod`; hypotheses that `anova` cannot test.
        """
        from sparsemixed.postestimation.r2 import partial_r2  # delayed for a quick start

        return partial_r2(self.fit, type)

    def _keep_joint_errors(self) -> None:
        """Compute what standard errors of `fitted` rest on, for a fit that is to be left without its rows."""
        from sparsemixed.postestimation.prediction.joint_errors import joint_errors  # delayed for a quick start

        joint_errors(self.fit)


def _predicted(fit: Fit, data: Any, update: bool, *asked: Any) -> pd.Series | pd.DataFrame:
    """What `read_request` makes of the options of `predict`, from the fit, or from it and what the data tell."""
    from sparsemixed.postestimation.predict import predict  # delayed, with what it needs, for a quick start, as all below
    from sparsemixed.postestimation.prediction.request import read_request

    request = read_request(*asked)
    if not update:
        return predict(fit, data, request)
    from sparsemixed.postestimation.prediction.updated_frames import predict_updated

    return predict_updated(fit, data, request)
