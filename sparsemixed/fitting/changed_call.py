"""The same call with another model, other data or other options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from sparsemixed.command.updated_formula import updated_model
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.batches import in_batches
from sparsemixed.fitting.borrowed_keywords import in_own_words
from sparsemixed.fitting.call import Call, frame_of
from sparsemixed.postestimation.model_comparison import check_same_rows


def changed_call(fit: Fit, call: Call | None, model: str | None, data: Any, options: Mapping[str, Any]) -> Call:
    """What `update` fits.

    Parameters
    ----------
    fit : Fit
    call : Call or None
        What it was fitted by.
    model : str, optional
        A whole model, or a formula with points (see `command.updated_formula`).
    data : optional
        In place of the call's.
    options : mapping
        They take the place of the call's, and of those in the text; None takes the call's away.

    Raises
    ------
    OptionError
        The fit does not know its call.
    DataError
        The data frame of the call is no longer what it was.
    """
    found = known_call(call, "update")
    if data is None and fit.design.has_rows and not isinstance(found.data, (str, os.PathLike)) and not in_batches(found.data):
        check_same_rows(fit, frame_of(found, "update"), "update")
    # With groups= in the formula: a new model has its own random effects, and a point stands for these.
    old = in_own_words(found.model, found.data, found.options)
    text = old.model if model is None else updated_model(old.model, model)
    # A later option of another name may set the same as an earlier one: those that are asked for anew go last.
    kept = {name: value for name, value in old.options.items() if name not in options}
    return Call(text, old.data if data is None else data, {**kept, **options}, options_win=True)


def known_call(call: Call | None, what: str) -> Call:
    """The call of a fit.

    Raises
    ------
    OptionError
        A fit that was loaded, or came from another process, has left it behind.
    """
    if call is None:
        raise OptionError(
            f"{what} fits again, and this fit does not know its data: it was loaded from a file, or came from another process; "
            "fit the model with sparsemixed.mixed"
        )
    return call
