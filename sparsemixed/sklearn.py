"""A mixed model as an estimator of scikit-learn: `pip install sparsemixed[sklearn]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

try:
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d, validate_data
except ImportError as error:
    raise ImportError("sparsemixed.sklearn needs scikit-learn 1.6 or later: pip install sparsemixed[sklearn]") from error

from sparsemixed.api import mixed
from sparsemixed.command import read_model
from sparsemixed.design.data.added_columns import new_name, with_columns
from sparsemixed.design.data.frame import Frame, read_frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.sample import used_variables, weight_variables
from sparsemixed.errors import OptionError
from sparsemixed.postestimation.held_out import predictive_std
from sparsemixed.results import Results


class MixedRegressor(RegressorMixin, BaseEstimator):
    """A linear mixed model with `fit(X, y)` and `predict(X)`.

    Parameters
    ----------
    model : str, optional
        As `sparsemixed.mixed` takes it, a formula or a command: `"y ~ x + (1 | g)"`; the response may be left out of a formula,
        `"~ x + (1 | g)"`. It names columns of X. By default the fixed part alone, all columns of X.
    reml : bool
    effects : {"groups", "population"}
        What is predicted for groups that were in the training data: with the predicted effects of the group, or without, as for
        all other groups.
    options : mapping, optional
        Other keywords of `mixed`: `{"residuals": "ar 1, t(t)"}`.

    Attributes
    ----------
    results_ : Results
        The fit, with its tables and tests.
    n_features_in_ : int
    feature_names_in_ : (n_features_in_,) array
        Where X has names.

    Examples
    --------
    >>> import sparsemixed
    >>> from sparsemixed.sklearn import MixedRegressor
    >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
    >>> model = MixedRegressor("~ time + (1 | id)").fit(data[["time", "id"]], data["y"])
    >>> model.predict(data[["time", "id"]]).shape
    (300,)
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        reml: bool = True,
        effects: Literal["groups", "population"] = "groups",
        options: Mapping[str, Any] | None = None,
    ):
        self.model = model
        self.reml = reml
        self.effects = effects
        self.options = options

    def fit(self, X: Any, y: Any) -> MixedRegressor:
        """Fit the model.

        Parameters
        ----------
        X : data frame or (n, k) array
            With the columns that the model names, those of groups as well; the columns of an array are x0, x1, ...
        y : (n,) array_like

        Raises
        ------
        SparseMixedError
            As `mixed`.
        ValueError
            No y, fewer than two rows, or values that scikit-learn refuses.
        """
        if self.effects not in ("groups", "population"):
            raise OptionError(f"effects={self.effects!r} is neither 'groups' nor 'population'")
        if y is None:
            raise ValueError("MixedRegressor requires y to be passed, but the target y is None")
        frame = self._frame(X, reset=True)
        if frame.n_rows < 2:
            raise ValueError("a mixed model needs more than 1 sample (n_samples = 1)")
        y = column_or_1d(check_array(y, ensure_2d=False, dtype="float64", input_name="y"), warn=True)
        check_consistent_length(frame.series(frame.names[0]), y)
        text, response = self._model(frame)
        if response in frame.names:
            raise OptionError(f"X has a column `{response}`, the response of the model, which is given as y; leave it out of X")
        data = with_columns(frame, {response: pd.Series(y)})
        self.results_: Results = mixed(text, data, reml=self.reml, **(self.options or {}))  # type: ignore[misc]
        return self

    def predict(self, X: Any, return_std: bool = False) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Predictions (m,), NaN where X is missing something.

        Parameters
        ----------
        X : data frame or (m, k) array
        return_std : bool
            Return standard deviations (m,) of new responses as well, at the fitted parameters: coefficients and variances count
            as known. Effects of groups in the training data are known as well as their rows tell (`effects="groups"`), those of
            others have their whole variance.
        """
        check_is_fitted(self)
        frame = self._frame(X, reset=False)
        what = "fitted" if self.effects == "groups" else "xb"
        mean = np.asarray(self.results_.predict(frame, what), dtype=np.float64)
        return (mean, self._std(frame, mean)) if return_std else mean

    def _std(self, frame: Frame, mean: np.ndarray) -> np.ndarray:
        fit = self.results_.fit
        whole = model_frame(fit.spec, frame)
        complete = ~np.isnan(mean)
        for name in {*used_variables(fit.spec), *weight_variables(fit.spec)} - {fit.spec.response}:
            missing = whole[name].missing if name in whole else None
            complete &= True if missing is None else ~missing
        std = np.full(len(mean), np.nan)
        std[complete] = predictive_std(fit, Rows(whole, np.flatnonzero(complete)), self.effects == "groups")
        return std

    def _frame(self, X: Any, reset: bool) -> Frame:
        """X with names of columns."""
        if hasattr(X, "columns") and all(isinstance(name, str) for name in X.columns):
            # Texts, categories and missing values are the model's own matter.
            validate_data(self, X, reset=reset, skip_check_array=True)
            return read_frame(X)
        values = validate_data(self, X, reset=reset, dtype=np.float64)
        return read_frame({f"x{j}": column for j, column in enumerate(values.T)})

    def _model(self, frame: Frame) -> tuple[str, str]:
        """The model with a response, and its name."""
        text = self.model
        if text is None:
            text = " + ".join(["~ 1", *(f"`{name}`" for name in frame.names)])
        if text.lstrip().startswith("~"):
            name = new_name("y", frame.names)
            return f"{name} {text}", name
        return text, read_model(text, {}).response
