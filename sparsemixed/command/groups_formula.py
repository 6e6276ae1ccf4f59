"""statsmodels' way to say random effects, `groups`, `re_formula` and `vc_formula`, as an lme4 formula.

    groups="pig"                                                (1 | pig)
    groups="pig", re_formula="~time"                            (1 + time | pig)
    groups="pig", re_formula="0 + time"                         (0 + time | pig)
    groups="school", vc_formula={"c": "0 + C(room)"}            (1 | school:room)
    groups="school", vc_formula={"p": "0 + pretest"}            (0 + pretest | school)

As there, a random intercept of the groups stands in for `re_formula` only where there are no variance components. One group of
all rows, by which statsmodels says crossed effects, leaves no trace: `(1 | room)`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sparsemixed.errors import OptionError

_NO_INTERCEPT = re.compile(r"\A\s*(?:0|-\s*1)\s*\+|\+\s*0\s*\Z|-\s*1\s*\Z")
_LEVELS = re.compile(r"C\(\s*([^(),]+?)\s*\)")
_PLAIN = re.compile(r"[^\W\d][\w.]*")


def with_groups(formula: str, group: str | None, re_formula: object, vc_formula: object) -> str:
    """The formula with its random effects.

    Parameters
    ----------
    formula : str
        Of the fixed part.
    group : str or None
        The column of `groups`; None where all rows are of one group.
    re_formula : str or None
    vc_formula : mapping of str to str, or None

    Raises
    ------
    OptionError
        Something that has no equivalent; the message says what there is instead.

    Examples
    --------
    >>> with_groups("y ~ x", "g", "~x", None)
    'y ~ x + (1 + x | g)'
    >>> with_groups("y ~ 1", "a", None, {"a": "1", "b": "0 + C(b)"})
    'y ~ 1 + (1 | a) + (1 | a:b)'
    """
    parts = []
    if re_formula is not None:
        parts.append(f"({_effects(re_formula)} | {_group(group)})")
    elif vc_formula is None:
        parts.append(f"(1 | {_group(group)})")
    if vc_formula is not None:
        if not isinstance(vc_formula, Mapping):
            raise OptionError(f"vc_formula is a mapping of names to formulas, {{'b': '0 + C(b)'}}; found {vc_formula!r}")
        parts += [_component(str(name), text, group) for name, text in vc_formula.items()]
    return " + ".join([formula.rstrip(), *parts])


def _group(group: str | None) -> str:
    if group is None:
        raise OptionError("groups has one value only, and random effects of one group cannot be told from the fixed part")
    return quoted(group)


def quoted(name: str) -> str:
    """A variable as a formula has it: in backquotes unless it is a plain word."""
    return name if _PLAIN.fullmatch(name) else f"`{name}`"


def _right_side(text: object, what: str) -> str:
    if not isinstance(text, str) or not text.strip().lstrip("~").strip():
        raise OptionError(f"{what} is the right side of a formula, such as '~time'; found {text!r}")
    return text.strip().lstrip("~").strip()


def _effects(re_formula: object) -> str:
    """The left side of a bar, with its intercept spelt out."""
    text = _right_side(re_formula, "re_formula")
    terms = text.replace(" ", "").split("+")
    return text if _NO_INTERCEPT.search(text) or "1" in terms else f"1 + {text}"


def _component(name: str, formula: object, group: str | None) -> str:
    """One variance component: effects of the levels of C() within the groups, or a slope that varies over these."""
    text = _right_side(formula, f"vc_formula[{name!r}]")
    plain = _NO_INTERCEPT.sub("", text).strip()
    if (not _NO_INTERCEPT.search(text) and plain != "1") or "+" in plain or "*" in plain:
        raise OptionError(
            f"vc_formula[{name!r}] = {formula!r}: a variance component is one term without an intercept, such as '0 + C(b)'; "
            "write each term that has a variance of its own as a part of the formula, (1 | b) or (0 + x | g)"
        )
    factors = [factor.strip() for factor in plain.split(":")]
    levels = [quoted(match[1]) for factor in factors if (match := _LEVELS.fullmatch(factor))]
    slopes = [factor for factor in factors if not _LEVELS.fullmatch(factor) and factor != "1"]
    if any(not _PLAIN.fullmatch(slope) for slope in slopes):
        raise OptionError(f"vc_formula[{name!r}] = {formula!r}: write it as a part of the formula, (effects | grouping)")
    grouping: list[str] = [*([] if group is None else [quoted(group)]), *levels]
    effect = f"0 + {':'.join(slopes)}" if slopes else "1"
    return f"({effect} | {':'.join(dict.fromkeys(grouping)) if grouping else _group(None)})"
