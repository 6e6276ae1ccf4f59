"""Keyword arguments of statsmodels' mixedlm in the words of this package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from sparsemixed.command.formula import is_formula
from sparsemixed.command.groups_formula import with_groups
from sparsemixed.design.data.added_columns import aligned, is_array, new_name, with_columns
from sparsemixed.design.data.frame import read_frame
from sparsemixed.errors import OptionError
from sparsemixed.fitting.batches import in_batches

GROUPED = ("groups", "re_formula", "vc_formula")
METHODS = {"reml": True, "ml": False}


class OwnWords(NamedTuple):
    """Model, data and options without keywords of others."""

    model: str
    data: Any
    options: Mapping[str, Any]


def in_own_words(model: str, data: Any, options: Mapping[str, Any]) -> OwnWords:
    """Take `groups`, `re_formula`, `vc_formula` into the formula, and `method="reml"` as `reml=True`.

    Parameters
    ----------
    model : str
    data : anything that `mixed` takes
    options : mapping
        `groups` is the name of a column, or an array or Series with a value for each row.

    Raises
    ------
    OptionError
        They stand beside a command or a formula that has random effects of its own, or have no equivalent.
    DataError
        An array of groups that does not fit the rows.
    """
    rest = {name: value for name, value in options.items() if name not in (*GROUPED, "method")}
    if options.get("method") is not None:
        rest = _with_method(options["method"], rest)
    asked = {name: options[name] for name in GROUPED if options.get(name) is not None}
    if not asked or not isinstance(model, str):
        return OwnWords(model, data, rest)
    group, data = _group_column(asked.get("groups"), data)
    formula = model if is_formula(model) else "y ~ x"
    equivalent = with_groups(formula.partition("+ (")[0] if "|" in formula else formula, group, *map(asked.get, GROUPED[1:]))
    if formula is not model or "|" in model:
        what = "a formula that has its random effects already" if formula is model else "a command"
        raise OptionError(
            f"{', '.join(asked)} is how statsmodels says random effects, and stands beside {what}; random effects are part of "
            f"the model: as a formula `{equivalent}`, as a command `y x || {group or 'g'}:`"
        )
    return OwnWords(equivalent, data, rest)


def _with_method(method: Any, options: dict[str, Any]) -> dict[str, Any]:
    known = METHODS.get(method.lower()) if isinstance(method, str) else None
    if known is None:
        raise OptionError(
            f"method={method!r} is neither 'reml' nor 'ml'; there is one optimiser, with exact derivatives, and technique= "
            "chooses among its kinds of steps"
        )
    if options.get("reml") not in (None, known):
        raise OptionError(f"method={method!r} contradicts reml={options['reml']}")
    return {**options, "reml": known}


def _group_column(groups: Any, data: Any) -> tuple[str | None, Any]:
    """The column that tells groups apart, None where all rows are of one group, and data that have it."""
    if groups is None:
        raise OptionError("re_formula and vc_formula need groups: write the random effects into the formula, y ~ x + (1 + x | g)")
    if isinstance(groups, str):
        return groups, data
    if not is_array(groups):
        raise OptionError(f"groups is the name of a column, or one value for each row; found {type(groups).__name__}")
    if in_batches(data):
        raise OptionError("groups: data that are read in batches have their groups in a column; name it")
    frame = read_frame(data)
    values = aligned("groups", groups, frame)
    if values.nunique(dropna=False) <= 1:
        return None, frame
    name = getattr(groups, "name", None)
    if isinstance(name, str) and name in frame and frame.series(name).reset_index(drop=True).equals(values):
        return name, frame
    name = new_name(name if isinstance(name, str) and name else "groups", frame.names)
    return name, with_columns(frame, {name: pd.Series(values, name=name)})
