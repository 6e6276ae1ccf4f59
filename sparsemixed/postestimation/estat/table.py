"""The one table of the subcommands of `estat`."""

from __future__ import annotations

from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

from sparsemixed.errors import NotAvailableError

SUBCOMMANDS = {
    "df": "sparsemixed.postestimation.estat.degrees:degrees_of_freedom",
    "ic": "sparsemixed.postestimation.estat.information_criteria:information_criteria",
    "group": "sparsemixed.postestimation.estat.group:group_composition",
    "icc": "sparsemixed.postestimation.estat.icc:intraclass_correlations",
    "recovariance": "sparsemixed.postestimation.estat.recovariance:random_covariances",
    "sd": "sparsemixed.postestimation.estat.deviations:standard_deviations",
    "summarize": "sparsemixed.postestimation.estat.summarize:sample_summary",
    "vce": "sparsemixed.postestimation.estat.covariance_matrix:estimates_covariance",
    "wcorrelation": "sparsemixed.postestimation.estat.within_correlation:within_correlation",
}
"""Name -> `module:function`, imported when it is asked for. The function takes a fit and the subcommand's arguments; other
results among them come as fits, and a fit that is returned goes back to the user as results. A data frame says in its `attrs` how
it is shown: by a `heading`, the `kinds` of its columns and their `titles` (`reporting.number_format.FORMATS`), or a `layout` of
`reporting.estat_layouts`; `r` and `e` are Stata's."""


def subcommand(name: str) -> Callable[..., Any]:
    """The function of a subcommand.

    Raises
    ------
    NotAvailableError
        There is none of that name.
    """
    if name not in SUBCOMMANDS:
        raise NotAvailableError(f"there is no estat.{name}(); there are {', '.join(SUBCOMMANDS)}")
    return resolve_name(SUBCOMMANDS[name])
