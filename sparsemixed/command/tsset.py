"""The argument of tsset(): [panelvar] timevar."""

from __future__ import annotations

import re

from sparsemixed.errors import OptionError
from sparsemixed.spec import TimeSet

_NAME = r"(?:`[^`\n]+`|[^\W\d]\w*)"
_ARGUMENT = re.compile(rf"\s*(?:(?P<panel>{_NAME})\s+)?(?P<time>{_NAME})\s*")


def tsset(text: str) -> TimeSet:
    """Read the argument of tsset().

    Examples
    --------
    >>> tsset("id t")
    TimeSet(time='t', panel='id', position=None)
    >>> tsset("t").panel is None
    True
    """
    match = _ARGUMENT.fullmatch(text)
    if match is None:
        found = text.strip() or "nothing"
        raise OptionError(f"takes a time variable, or a panel variable and a time variable: tsset(id t); found {found}")
    panel, time = match["panel"], match["time"].strip("`")
    if panel is not None and panel.strip("`") == time:
        raise OptionError(f"the panel variable and the time variable are both {time}")
    return TimeSet(time, None if panel is None else panel.strip("`"))
