"""A row of the table of stored results: a name of e(), its kind, what computes it, and which fits have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sparsemixed.estimation.fit import Fit


@dataclass(frozen=True)
class Condition:
    """Which fits have a result.

    Attributes
    ----------
    holds : function of a fit
    advice : str
        What stores it, for those who ask where it is not: `constraints()`.
    """

    holds: Callable[[Fit], bool]
    advice: str


@dataclass(frozen=True)
class Stored:
    """A stored result.

    Attributes
    ----------
    name : str
        Stata's, without e().
    kind : {"scalar", "macro", "matrix"}
        A number (a list of them where there is one for every level), a text, or an array or data frame.
    value : function of a fit
        Its docstring says what the result is.
    condition : Condition or None
        None for those of every fit.
    """

    name: str
    kind: Literal["scalar", "macro", "matrix"]
    value: Callable[[Fit], Any]
    condition: Condition | None = None

    def of(self, fit: Fit) -> bool:
        """Whether a fit has it."""
        return self.condition is None or self.condition.holds(fit)
