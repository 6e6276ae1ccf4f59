"""The one table of the subcommands of `estat`."""

from __future__ import annotations

from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

from sparsemixed.errors import NotAvailableError
from sparsemixed.postestimation.estat.degrees import degrees_of_freedom
from sparsemixed.postestimation.estat.information_criteria import information_criteria


def _delayed(place: str) -> Callable[..., Any]:
    """A function by `module:name` within this folder, imported when it is called, for a quick start."""

    def run(*arguments: Any, **options: Any) -> Any:
        return resolve_name(f"sparsemixed.postestimation.estat.{place}")(*arguments, **options)

    return run


SUBCOMMANDS: dict[str, Callable[..., Any]] = {
    "df": degrees_of_freedom,
    "ic": information_criteria,
    "group": _delayed("group:group_composition"),
    "icc": _delayed("icc:intraclass_correlations"),
    "recovariance": _delayed("recovariance:random_covariances"),
    "sd": _delayed("deviations:standard_deviations"),
    "summarize": _delayed("summarize:sample_summary"),
    "vce": _delayed("covariance_matrix:estimates_covariance"),
    "wcorrelation": _delayed("within_correlation:within_correlation"),
}
"""Name -> function of a fit and of the subcommand's arguments; other results among them come as fits, and a fit that is returned
goes back to the user as results. A data frame says in its `attrs` how it is shown: by a `heading`, the `kinds` of its columns and
their `titles` (`reporting.number_format.FORMATS`), or a `layout` of `reporting.estat_layouts`; `r` and `e` are Stata's."""


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
