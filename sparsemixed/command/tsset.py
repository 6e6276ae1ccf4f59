"""The argument of tsset(): [panelvar] timevar [, delta(#) unit]."""

from __future__ import annotations

import re

from sparsemixed.command.arguments import one_of
from sparsemixed.errors import OptionError, shortened, suggestion
from sparsemixed.spec import TIME_UNITS, TimeSet

_NAME = r"(?:`[^`\n]+`|[^\W\d]\w*)"
_ARGUMENT = re.compile(rf"\s*(?:(?P<panel>{_NAME})\s+)?(?P<time>{_NAME})\s*(?:,(?P<options>.*))?", re.DOTALL)
_DELTA = re.compile(r"\bdelta\s*\(([^()]*)\)")
_UNITS = tuple(unit[0].upper() + unit[1:] for unit in TIME_UNITS)


def tsset(text: str) -> TimeSet:
    """Read the argument of tsset().

    Examples
    --------
    >>> tsset("id t")
    TimeSet(time='t', panel='id', delta=1.0, unit='', position=None)
    >>> tsset("date, monthly").unit, tsset("id t, delta(2)").delta
    ('monthly', 2.0)
    """
    match = _ARGUMENT.fullmatch(text)
    if match is None:
        found = text.strip() or "nothing"
        raise OptionError(f"takes a time variable, or a panel variable and a time variable: tsset(id t); found {found}")
    panel, time = match["panel"], match["time"].strip("`")
    if panel is not None and panel.strip("`") == time:
        raise OptionError(f"the panel variable and the time variable are both {time}")
    delta, unit = _options(match["options"] or "")
    return TimeSet(time, None if panel is None else panel.strip("`"), delta, unit)


def _options(text: str) -> tuple[float, str]:
    """delta and the unit."""
    deltas = _DELTA.findall(text)
    words = _DELTA.sub(" ", text).split()
    if len(deltas) > 1 or len(words) > 1:
        raise OptionError(f"takes delta(#) and one unit of time after the comma, found {text.strip()}")
    return _delta(deltas[0]) if deltas else 1.0, _unit(words[0]) if words else ""


def _delta(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e15:
        raise OptionError(
            f"delta() takes a positive number, the time from one period to the next; found {shortened(text.strip()) or 'nothing'}"
        )
    return value


def _unit(typed: str) -> str:
    try:
        return str(one_of(_UNITS)(typed)).lower()
    except OptionError:
        hint = suggestion(typed, [*TIME_UNITS, "delta"])
        raise OptionError(
            f"found {typed}, expected delta(#), or {', '.join(TIME_UNITS[:-1])} or {TIME_UNITS[-1]}{hint}"
        ) from None
