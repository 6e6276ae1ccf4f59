"""Coefficients by the names that statsmodels (patsy, formulaic) and R give them, in the words of the tables.

    Intercept, (Intercept), const      _cons
    arm[T.2], C(arm)[T.2], arm[2]      2.arm
    arm[T.2]:time                      2.arm#c.time
    C(arm):time                        i.arm#time     (a term, for testparm)

A column of the data that is called so comes first: whoever looks a name up tries it as it is before these.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import product

CONSTANT = "_cons"
CONSTANTS = ("Intercept", "(Intercept)", "const")
"""What others call the constant."""
_JOINT = re.compile(r":(?![^\[]*\])(?![^(]*\))")
"""A colon outside of brackets and parentheses."""
_PIECE = re.compile(r"(?:C\((?P<wrapped>[^,()]+)(?:,.*)?\)|(?P<variable>[^\[\]()]+))(?:\[(?:T\.)?(?P<level>[^\]]*)\])?")
_FACTOR_IN_R = re.compile(r"(?:C|factor|as\.factor)\(([^,()]+)(?:,.*)?\)(.+)")
_LOGICAL = {"True": "1", "False": "0"}


def table_names(name: str) -> list[str]:
    """What the tables may call a coefficient or term of another program; empty when it is none of its names.

    Examples
    --------
    >>> table_names("arm[T.2]:time"), table_names("Intercept"), table_names("C(arm)"), table_names("2.arm")
    (['2.arm#time'], ['_cons'], ['i.arm'], [])
    """
    if name in CONSTANTS:
        return [CONSTANT]
    pieces = [_PIECE.fullmatch(piece.strip()) for piece in _JOINT.split(name)]
    if not all(pieces):
        return []
    found = ["#".join(one) for one in product(*(_spellings(piece) for piece in pieces if piece))]
    return [one for one in found if one != name]


def name_in_r(name: str, variables: Collection[str] = ()) -> tuple[str, ...]:
    """The variables with their levels of a name that R gives a product, in any order.

    Parameters
    ----------
    name : str
    variables : collection of str
        Those that are called so here as well, `C(f, contr.sum)1`.

    Examples
    --------
    >>> name_in_r("factor(arm)2:time"), name_in_r("log(x):sexM")
    (('arm2', 'time'), ('log(x)', 'sexM'))
    """
    pieces = (piece.strip() for piece in _JOINT.split(name))
    return tuple(sorted(piece if piece in variables else _FACTOR_IN_R.sub(r"\1\2", piece) for piece in pieces))


def _spellings(piece: re.Match[str]) -> list[str]:
    variable, level = (piece["wrapped"] or piece["variable"]).strip(), piece["level"]
    if level is None:
        return [f"i.{variable}" if piece["wrapped"] else variable]
    # A column of floats has the level 2.0 there and 2 here, one of truth values True and 1.
    whole = re.sub(r"\.0\Z", "", level) if re.fullmatch(r"-?\d+\.0", level) else level
    return [f"{text}.{variable}" for text in dict.fromkeys((level, whole, _LOGICAL.get(level, level)))]
