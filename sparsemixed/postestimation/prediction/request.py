"""What is asked of a prediction, checked before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.random_effects import term_name

NEW_LEVELS = ("population", "draw", "error")
INTERVALS = ("confidence", "prediction")
KINDS = ("conditional", "corrected")
WITH_ERRORS = ("xb", "fitted", "response")
BY_LEVEL = ("fitted", "residuals", "rstandard", "reffects", "reses")


@dataclass(frozen=True)
class Request:
    """How to predict.

    Attributes
    ----------
    what : str
    relevel : str or None
        A level of groups, as printed: effects down to it, or of it alone for `reffects` and `reses`.
    se : str
        "conditional", "corrected", or empty where no standard errors are asked for.
    interval : {"confidence", "prediction"}
    level : float
        Of the limits, in per cent.
    new_levels : {"population", "draw", "error"}
    seed : int or None
        Of the draws.
    coefficients : {"known", "estimated"} or None
        For `reses`, whether standard errors count the coefficients as known; None as Stata has it, after ML they are.
    """

    what: str = "xb"
    relevel: str | None = None
    se: str = ""
    interval: str = "confidence"
    level: float = 95.0
    new_levels: str = "population"
    seed: int | None = None
    coefficients: str | None = None


def read_request(
    what: str,
    relevel: str | None,
    se: Any,
    interval: str | None,
    level: float,
    new_levels: str,
    seed: int | None = None,
    coefficients: str | None = None,
) -> Request:
    """The request, with everything that does not go together refused.

    Raises
    ------
    OptionError
    """
    kind = {True: "conditional", False: ""}.get(se, se) if isinstance(se, bool) else se
    if kind not in ("", *KINDS):
        raise OptionError(f"predict: se={se!r} is not one of True, False, {', '.join(map(repr, KINDS))}")
    if interval is not None and interval not in INTERVALS:
        raise OptionError(f"predict: interval={interval!r} is not one of {', '.join(INTERVALS)}")
    if new_levels not in NEW_LEVELS:
        raise OptionError(f"predict: new_levels={new_levels!r} is not one of {', '.join(NEW_LEVELS)}")
    kind = kind or ("conditional" if interval else "")
    if kind and what not in WITH_ERRORS:
        other = {"reffects": 'their standard errors are what="reses"', "stdp": "it is a standard error"}.get(what, "")
        raise OptionError(
            f"predict: se and interval are those of {', '.join(WITH_ERRORS)}, not of {what}{f'; {other}' if other else ''}"
        )
    if what == "response" and interval == "confidence":
        raise OptionError("predict: intervals of responses are those of new observations; confidence intervals are of fitted")
    if relevel is not None and what not in BY_LEVEL:
        raise OptionError(f"predict: a level of groups is for {', '.join(BY_LEVEL)}, not for {what}")
    if coefficients not in (None, "known", "estimated"):
        raise OptionError(f"predict: coefficients={coefficients!r} is neither known nor estimated")
    if coefficients is not None and what != "reses":
        raise OptionError(f"predict: coefficients=known or estimated is for the standard errors of reses, not for {what}")
    if seed is not None and new_levels != "draw":
        raise OptionError('predict: seed is that of new_levels="draw"')
    return Request(what, relevel, kind, interval or "confidence", level, new_levels, seed, coefficients)


def terms_at(fit: Fit, relevel: str | None, alone: bool = False) -> tuple[int, ...]:
    """The random terms from the topmost level down to one, in the order of the model; of that level `alone`; all without one.

    Raises
    ------
    OptionError
        No such level.
    """
    random = fit.design.random
    if relevel is None:
        return tuple(range(len(random)))
    own = [{block.equation for block in term.blocks} | {term_name(term)} for term in random]
    found = [t for t, names in enumerate(own) if relevel in names]
    if not found:
        levels = list(dict.fromkeys(name for term in random for name in [term.blocks[0].equation, term_name(term)]))
        known = f"the levels are {', '.join(levels)}" if levels else "the model has no random effects"
        raise OptionError(f"predict: there is no level {relevel!r}; {known}")
    if alone:
        return tuple(found)
    last = max(block.position for t in found for block in random[t].blocks)
    return tuple(t for t, term in enumerate(random) if min(block.position for block in term.blocks) <= last)
