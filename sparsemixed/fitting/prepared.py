"""A model whose design is made once, to be fitted to one response after another."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsemixed.errors import DataError
from sparsemixed.estimation.estimate import estimate_response
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.prepared_design import PreparedDesign, prepared_design
from sparsemixed.estimation.sources.responses import Responses
from sparsemixed.fitting.call import Call, asked, checked, frame_of, settled, with_design


def prepared(call: Call) -> PreparedDesign:
    """The design of a call, reduced.

    Raises
    ------
    OptionError
        The data are read in batches.
    """
    plain = settled(call)
    return prepared_design(*with_design(asked(plain), frame_of(plain, "prepare")))


def fit_response(model: Responses, response: Any = None) -> Fit:
    """The fit to a response, by default the one that the design came with; it warns as `mixed` does.

    Raises
    ------
    DataError
        The response has another length than the sample, or missing or infinite values, or does not vary.
    """
    return checked(estimate_response(model, model.design.y if response is None else checked_response(model, response)))


def checked_response(model: Responses, response: Any, command: str = "") -> np.ndarray:
    """The response as (n,) float64, checked; `command` begins the message of an error.

    Raises
    ------
    DataError
    """
    try:
        return _values(model, response)
    except DataError as error:
        raise DataError(f"{command}: {error}" if command else str(error)) from None


def _values(model: Responses, response: Any) -> np.ndarray:
    try:
        y = np.array(response, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("the response is to be numbers, one for each row of the estimation sample") from None
    n = model.design.n_rows
    if y.shape != (n,):
        raise DataError(f"the response is to have {n} values, one for each row of the estimation sample; found shape {y.shape}")
    if not np.isfinite(y).all():
        raise DataError(
            f"the response has {int(np.sum(~np.isfinite(y)))} missing or infinite values; the rows of a prepared model are "
            "fixed: prepare it from the rows where the response is known"
        )
    if y[0] == y[-1] and y.min() == y.max():
        raise DataError(f"the response is constant (= {y[0]:g}); there is no variance to model")
    return y
