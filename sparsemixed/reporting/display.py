"""Display options in place of a fit's own, checked by the table of options that the command language has."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from sparsemixed.command.options import OPTIONS, Option
from sparsemixed.errors import CommandError, OptionError, suggestion
from sparsemixed.estimation.fit import Fit
from sparsemixed.spec import EXCLUSIVE, DisplayOptions
from sparsemixed.spec.numbers import check_level

_DISPLAY = [option for option in OPTIONS if option.part == "display"]
_BY_NAME = {option.name: option for option in _DISPLAY}
_BY_FIELD = {option.field: option for option in reversed(_DISPLAY)}


def display_options(fit: Fit, changes: Mapping[str, Any]) -> DisplayOptions:
    """The fit's display options with `changes`.

    Raises
    ------
    OptionError
        For an unknown option, a value that it cannot take, and options that exclude each other.
    """
    asked: dict[str, Any] = {}
    for name, value in changes.items():
        field, read = _setting(name, value)
        if asked.setdefault(field, read) != read:
            raise OptionError(f"display option {name} contradicts another one")
    for field, other in EXCLUSIVE:
        if asked.get(field) and asked.get(other, False) not in ("default", False):
            raise OptionError(f"display options {field} and {other} exclude each other")
    if fit.spec.small_sample is None and asked.get("dftable", "default") != "default":
        raise OptionError("dftable needs degrees of freedom: fit the model with the option dfmethod()")
    return dataclasses.replace(fit.spec.display, **asked)


def _setting(name: str, value: Any) -> tuple[str, Any]:
    """The field that an option sets, and to what."""
    option = _BY_NAME.get(name) or _BY_FIELD.get(name)
    if option is None:
        known = sorted({*_BY_NAME, *_BY_FIELD})
        raise OptionError(f"unknown display option {name}{suggestion(name, known)}; known are {', '.join(known)}")
    if option.field == "level":
        return "level", check_level(value)
    if option.argument is not None:
        return option.field, _argument(option, value)
    if value is None:
        return option.field, None if option.field in ("log", "small") else getattr(DisplayOptions(), option.field)
    if value is not True and value is not False:
        raise OptionError(f"display option {name} is True or False, found {value!r}")
    if name == option.field:
        return name, value
    return option.field, option.value if value else option.opposite


def _argument(option: Option, value: Any) -> Any:
    if value is None:
        return getattr(DisplayOptions(), option.field)
    assert option.argument is not None
    try:
        return option.argument(str(value))
    except CommandError as error:
        raise OptionError(f"display option {option.name}={value!r}: {error.message}") from None
