"""The one table of the subcommands of `estat`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sparsemixed.errors import NotAvailableError
from sparsemixed.postestimation.estat.degrees import degrees_of_freedom
from sparsemixed.postestimation.estat.information_criteria import information_criteria

SUBCOMMANDS: dict[str, Callable[..., Any]] = {
    "df": degrees_of_freedom,
    "ic": information_criteria,
}
"""Name -> function of a fit and of the subcommand's arguments; other results among them come as fits, and a fit that is returned
goes back to the user as results. A data frame may have a `heading` and the `kinds` of its columns' numbers (keys of
`reporting.number_format.FORMATS`) in its `attrs`."""


def subcommand(name: str) -> Callable[..., Any]:
    """The function of a subcommand.

    Raises
    ------
    NotAvailableError
        There is none of that name.
    """
    if name not in SUBCOMMANDS:
        raise NotAvailableError(f"there is no estat.{name}(); there are {', '.join(SUBCOMMANDS)}")
    return SUBCOMMANDS[name]
