"""`margins` as text: `sex#group, at(age=(20(10)60)) atmeans over(region)`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sparsemixed.errors import OptionError, shortened, suggestion
from sparsemixed.inference.hypotheses.hypothesis import terms_text
from sparsemixed.spec import MOST_FACTORS

DERIVATIVES = ("dydx", "dyex", "eydx", "eyex")
SWITCHES = (
    *("atmeans", "asbalanced", "noweights", "noesample", "small", "continuous", "post", "grand"),
    *("noatlegend", "nopvalues", "vsquish"),
)
VALUED = (
    *("at", "over", "within", *DERIVATIVES, "level", "df", "mcompare", "vce", "pwcompare", "contrast", "subpop"),
    "emptycells",
)
BARE = ("pwcompare", "contrast")
"""Options that may stand without the argument that they take."""
OVERALL = ("omean", "omedian", "omin", "omax")
"""Statistics of all rows in spite of over(); percentiles are op1 to op99."""
STATISTICS = ("asobserved", "mean", "median", "min", "max", *OVERALL, "zero", "base", "asbalanced")
GROUPS = ("_all", "_factor", "_continuous")
MOST_POINTS = 10_000
"""Values of a list, and settings of an at()."""

_PERCENTILE = re.compile(r"o?p([1-9]\d?)")
_STEPS = re.compile(r"(?P<first>[^()\[\]/]+)(?:[(\[](?P<step>[^()\[\]]+)[)\]]|(?P<slash>/))(?P<last>[^()\[\]/]+)")


@dataclass(frozen=True)
class Item:
    """A part of an at(): a statistic of some variables, or values of one.

    Attributes
    ----------
    variables : tuple of str
        Names, or `_all`, `_factor`, `_continuous`.
    statistic : str
        Of `STATISTICS`, `p1` to `p99`, or `generate`; empty for values.
    values : tuple
        Numbers or levels; with `generate` the text of the expression.
    """

    variables: tuple[str, ...]
    statistic: str = ""
    values: tuple = ()


def split_command(text: str) -> tuple[str, dict[str, Any]]:
    """The list of margins and the options of a command.

    Raises
    ------
    OptionError
        Unknown options, unbalanced parentheses.

    Examples
    --------
    >>> split_command("a#b, at(x=(1 2)) at(x=3) atmeans level(90)")
    ('a#b', {'at': ['x=(1 2)', 'x=3'], 'atmeans': True, 'level': '90'})
    """
    before, _, after = _at_comma(terms_text(text, "margins", "drug, atmeans"))
    found: dict[str, Any] = {}
    for name, argument in _options(after):
        if argument is None and (name in SWITCHES or name in BARE):
            found[name] = True
        elif argument is not None and name == "at":
            found.setdefault("at", []).append(argument)
        elif argument is not None and name in VALUED:
            found[name] = argument
        else:
            known = (*SWITCHES, *VALUED)
            why = "takes an argument in parentheses" if name in VALUED else "takes none" if name in known else ""
            raise OptionError(
                f"margins: option {name} {why}" if why else f"margins: unknown option {name}{suggestion(name, known)}"
            )
    return before.strip(), found


def _at_comma(text: str) -> tuple[str, str, str]:
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if depth == 0 and letter == ",":
            return text[:place], ",", text[place + 1 :]
    if depth:
        raise OptionError(f"margins: parentheses do not match in {shortened(text)}")
    return text, "", ""


def _options(text: str) -> Iterator[tuple[str, str | None]]:
    place = 0
    while match := re.compile(r"\s*([A-Za-z_]\w*)\s*").match(text, place):
        name, place = match[1], match.end()
        argument = None
        if text[place : place + 1] == "(":
            end = _closing(text, place)
            argument, place = text[place + 1 : end].strip(), end + 1
        yield name, argument
    if text[place:].strip():
        raise OptionError(f"margins: cannot read the options at {shortened(text[place:].strip())}")


def _closing(text: str, start: int) -> int:
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    raise OptionError(f"margins: parentheses do not match in {shortened(text)}")


def expanded_terms(terms: str) -> list[str]:
    """The terms of a list, `a##b` as a, b and a#b; each once."""
    out = []
    for typed in terms_text(terms, "margins", "drug").split():
        parts = typed.split("##")
        if len(parts) > MOST_FACTORS:
            raise OptionError(f"an interaction has at most {MOST_FACTORS} variables; found {shortened(typed)}")
        if len(parts) > 1:
            out += ["#".join(c) for size in range(1, len(parts) + 1) for c in combinations(parts, size)]
        else:
            out.append(typed)
    return list(dict.fromkeys(out))


def at_items(at: Any) -> list[tuple[Item, ...]]:
    """The items of each at(): of texts, of mappings from variables to values or statistics, or of a list of either."""
    if at is None:
        return []
    if isinstance(at, (str, Mapping)):
        at = [at]
    if not isinstance(at, Sequence):
        raise OptionError(f"at takes a text, a mapping, or a list of them; found {type(at).__name__}")
    return [_of_mapping(one) if isinstance(one, Mapping) else tuple(_of_text(_checked(one))) for one in at]


def _checked(one: Any) -> str:
    return terms_text(one, "at", "age=(20 40)")


def _of_mapping(at: Mapping) -> tuple[Item, ...]:
    items = []
    for name, value in at.items():
        names = tuple(str(name).split())
        if isinstance(value, str) and len(names) == 1 and (call := re.fullmatch(r"generate\((.*)\)", value.strip())):
            items.append(Item(names, "generate", (call[1],)))
        elif isinstance(value, str) and _is_statistic(value.strip("()")):
            items.append(Item(names, value.strip("()")))
        elif isinstance(value, (str, int, float)) or not hasattr(value, "__iter__"):
            items.append(Item(names, "", (value,)))
        else:
            items.append(Item(names, "", tuple(v.item() if hasattr(v, "item") else v for v in value)))
    return tuple(items)


def needs_ranks(word: str) -> bool:
    """Whether a statistic needs the rows in order.

    Examples
    --------
    >>> needs_ranks("op25"), needs_ranks("median"), needs_ranks("mean")
    (True, True, False)
    """
    return word.removeprefix("o") in ("median", "min", "max") or _PERCENTILE.fullmatch(word) is not None


def _is_statistic(word: str) -> bool:
    return word in STATISTICS or _PERCENTILE.fullmatch(word) is not None


def _of_text(text: str) -> Iterator[Item]:
    place, statistic = 0, "mean"
    while place < len(text):
        if text[place].isspace():
            place += 1
        elif text[place] == "(":
            end = _closing(text, place)
            statistic, place = text[place + 1 : end].strip(), end + 1
            if not _is_statistic(statistic):
                known = ", ".join((*STATISTICS, "p1 to p99", "op1 to op99"))
                raise OptionError(f"at(): ({shortened(statistic)}) is no statistic; there are {known}")
        else:
            match = re.compile(r"[^\s()=]+").match(text, place)
            if match is None:
                raise OptionError(f"at(): cannot read {shortened(text[place:])}")
            name, place = match[0], match.end()
            sign = re.compile(r"\s*=\s*").match(text, place)
            if sign is None:
                yield Item((name,), statistic)
            else:
                item, place = _assigned(name, text, sign.end())
                yield item


def _assigned(name: str, text: str, place: int) -> tuple[Item, int]:
    """`x=1`, `x=(1 2)`, `x=generate(x+1)` from the place after the sign."""
    if call := re.compile(r"gen(?:erate)?\s*(?=\()").match(text, place):
        end = _closing(text, call.end())
        return Item((name,), "generate", (text[call.end() + 1 : end],)), end + 1
    if text[place : place + 1] == "(":
        end = _closing(text, place)
        return Item((name,), "", numbers_of(text[place + 1 : end])), end + 1
    match = re.compile(r'"[^"]*"|[^\s()]+').match(text, place)
    if match is None:
        raise OptionError(f"at(): {name}= needs a value")
    return Item((name,), "", (_value(match[0].strip('"')),)), match.end()


def numbers_of(text: str) -> tuple:
    """The values of a list: `1 2 3`, `1/4`, `20(10)60`, `20[10]60`; texts are levels.

    Examples
    --------
    >>> numbers_of("1 20(10)40 2/4"), numbers_of("a b")
    ((1.0, 20.0, 30.0, 40.0, 2.0, 3.0, 4.0), ('a', 'b'))
    """
    out: list = []
    for word in text.replace(",", " ").split():
        match = _STEPS.fullmatch(word)
        ends: list = [_value(match["first"]), _value(match["step"] or "1"), _value(match["last"])] if match else []
        if not match:
            out.append(_value(word.strip('"')))
            continue
        first, step, last = ends
        if any(isinstance(end, str) for end in ends) or step == 0 or (last - first) * step < 0:
            raise OptionError(f"at(): {shortened(word)} is no list of numbers")
        count = int((last - first) / step + 1e-9) + 1
        if count > MOST_POINTS:
            raise OptionError(f"at(): {shortened(word)} has {count:,} values; at most {MOST_POINTS:,} are taken")
        out += [first + i * step for i in range(count)]
    if not out:
        raise OptionError("at(): a list of values is empty")
    return tuple(out)


def _value(word: str) -> float | str:
    try:
        return float(word)
    except ValueError:
        return word
