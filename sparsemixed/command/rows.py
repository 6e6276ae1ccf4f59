"""`in` ranges: which rows of the data, by number."""

from __future__ import annotations

from lark import Token

from sparsemixed.errors import CommandError

_FIRST, _LAST = 1, -1


def read_range(token: Token, source: str) -> tuple[int | None, int | None]:
    """First and last row, counted from 1, or from the end if negative (-1 is the last row); None where there is no limit.

    Examples
    --------
    >>> read_range(Token("RANGE", "10/l"), ""), read_range(Token("RANGE", "5"), "")
    ((10, None), (5, 5))
    """
    ends = [end.strip().lower() for end in token.split("/")]
    rows = [{"f": _FIRST, "l": _LAST}.get(end) or int(end) for end in ends]
    first, last = rows[0], rows[-1]
    if 0 in rows:
        raise CommandError("rows are counted from 1, or from -1 for the last row", source, token.start_pos)
    if (first > 0) == (last > 0) and first > last:
        raise CommandError("the range of rows ends before it starts", source, token.start_pos)
    single = len(ends) == 1
    return (None if ends[0] == "f" and not single else first), (None if ends[-1] == "l" and not single else last)
