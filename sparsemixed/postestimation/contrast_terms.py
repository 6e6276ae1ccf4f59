"""Terms of `contrast` and `pwcompare` as typed: `r.drug#day`, `a(2 3).day@drug`, `class|school`, `{drug -1 0 .5 .5}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from sparsemixed.errors import OptionError, shortened
from sparsemixed.spec import MOST_FACTORS
from sparsemixed.time_series import unmarked

_CLOSING = {"(": ")", "{": "}"}
_SELECTED = re.compile(
    r"(?P<mark>(?:ar|[a-z]w?)(?:b(?:\d+|\([^()]*\)))?)?(?P<which>\d+|\((?P<list>[\d\s/]+)\))?\.(?P<variable>.+)", re.DOTALL
)


@dataclass(frozen=True)
class Piece:
    """A factor of a term, a covariate, or a contrast of one's own.

    Attributes
    ----------
    variables : tuple of str
        One, but for contrasts of one's own of an interaction.
    operator : str
        Without its dot; empty where none was typed; `c` for a covariate.
    selected : tuple of str
        The contrasts of the operator that are wanted, by level or degree; empty for all.
    coefficients : tuple of float
        Of a contrast of one's own; those that are missing at the end are zero.
    """

    variables: tuple[str, ...]
    operator: str = ""
    selected: tuple[str, ...] = ()
    coefficients: tuple[float, ...] = ()


@dataclass(frozen=True)
class ContrastTerm:
    """A term.

    Attributes
    ----------
    name : str
        As typed.
    inner : tuple of Piece
        What is compared.
    outer : tuple of str
        Factors at whose levels it is compared, one by one.
    nested : bool
        Whether only levels that occur with a level of `outer` are compared there, `A|B`.
    """

    name: str
    inner: tuple[Piece, ...]
    outer: tuple[str, ...] = ()
    nested: bool = False

    @property
    def factors(self) -> tuple[str, ...]:
        """Every factor, those of `outer` last."""
        own = (variable for piece in self.inner if piece.operator != "c" for variable in piece.variables)
        return (*own, *self.outer)

    @property
    def covariates(self) -> tuple[str, ...]:
        """Variables whose slope is compared."""
        return tuple(variable for piece in self.inner if piece.operator == "c" for variable in piece.variables)


def read_terms(text: str, command: str) -> list[ContrastTerm]:
    """The terms of a list, `a##b` as a, b and a#b.

    Raises
    ------
    OptionError
        For terms that cannot be understood.

    Examples
    --------
    >>> [(one.name, one.outer) for one in read_terms("r.a@b {a -1 1}", "contrast")]
    [('r.a@b', ('b',)), ('{a -1 1}', ())]
    """
    return [_term(term, command) for typed in _words(text, command) for term in _expanded(typed)]


def _words(text: str, command: str) -> Iterator[str]:
    """What blanks outside of parentheses and braces separate."""
    word, waiting = "", ""
    for letter in text:
        if letter.isspace() and not waiting:
            if word:
                yield word
            word = ""
            continue
        word += letter
        if letter in _CLOSING:
            waiting += _CLOSING[letter]
        elif waiting and letter == waiting[-1]:
            waiting = waiting[:-1]
    if waiting:
        raise OptionError(f"{command}: {waiting[-1]} is missing in {shortened(text)}")
    if word:
        yield word


def _expanded(typed: str) -> list[str]:
    """`a##b` as a, b, a#b."""
    if "##" not in typed:
        return [typed]
    parts = typed.split("##")
    if len(parts) > MOST_FACTORS:
        raise OptionError(f"an interaction has at most {MOST_FACTORS} variables; found {shortened(typed)}")
    return ["#".join(c) for size in range(1, len(parts) + 1) for c in combinations(parts, size)]


def _term(typed: str, command: str) -> ContrastTerm:
    inner, sign, outer = typed, "", ""
    for place, letter in enumerate(typed):
        if letter in "@|":
            inner, sign, outer = typed[:place], letter, typed[place + 1 :]
            break
    pieces = tuple(_piece(piece, command) for piece in _pieces(inner))
    found = ContrastTerm(typed, pieces, tuple(unmarked(one)[1] for one in re.split(r"[#@|]", outer) if one), sign == "|")
    if sign and not found.outer:
        raise OptionError(f"{command}: a factor is missing after {sign} in {shortened(typed)}")
    if found.nested and (len(pieces) != 1 or pieces[0].coefficients or found.covariates):
        raise OptionError(f"{command}: {shortened(typed)}: one factor stands before |, such as r.class|school")
    twice = next((name for name in found.factors if found.factors.count(name) > 1), None)
    if twice is not None:
        raise OptionError(f"{command}: {twice} is twice in {shortened(typed)}")
    return found


def _pieces(text: str) -> list[str]:
    """The parts between `#`, but for those in braces."""
    parts, depth = [""], 0
    for letter in text:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "#" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def _piece(text: str, command: str) -> Piece:
    if text.startswith("{"):
        return _own(text, command)
    match = _SELECTED.fullmatch(text)
    if match is not None and match["mark"] and match["which"]:
        listed = tuple(_listed(match["list"])) if match["list"] is not None else (match["which"],)
        return Piece((match["variable"],), match["mark"], listed)
    mark, variable = unmarked(text)
    return Piece((variable,), "" if mark == "i" else mark)


def _listed(text: str) -> Iterator[str]:
    """The numbers of `2 3`, `2/4`."""
    for word in text.split():
        first, slash, last = word.partition("/")
        if slash and not (first.isdigit() and last.isdigit() and int(first) <= int(last) < int(first) + 1000):
            raise OptionError(f"{shortened(word)} is no range of levels")
        yield from (str(i) for i in range(int(first), int(last) + 1)) if slash else (word,)


def _own(text: str, command: str) -> Piece:
    """`{drug -1 0 .5 .5}`, `{drug#sex 1 -1 -1 1}`."""
    words = text.strip("{}").split()
    names = tuple(unmarked(name)[1] for name in words[0].split("#")) if words else ()
    try:
        coefficients = tuple(float(word) for word in words[1:])
    except ValueError:
        coefficients = ()
    if not names or not coefficients or not all(abs(one) < float("inf") for one in coefficients):
        raise OptionError(f"{command}: {shortened(text)} needs a factor and numbers, such as {{drug -1 .5 .5}}")
    return Piece(names, "", (), coefficients)
