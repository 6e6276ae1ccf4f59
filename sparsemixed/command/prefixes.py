"""Prefix commands, `by school: mixed ...`: what stands before a colon and changes what is done with the model after it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sparsemixed.command.arguments import Word, number, numbers, whole
from sparsemixed.command.option_reader import option_trees
from sparsemixed.command.parse import parse_tree
from sparsemixed.command.prefix_arguments import Reader, dfcom, exclusive, names, text_of
from sparsemixed.command.text import readable
from sparsemixed.errors import CommandError, OptionError, shortened, suggestion

LOOKS = ("NODOTs", "DOTs", "NOLegend", "NOHeader", "NOIsily", "TRace", "Verbose", "NOTable", "NOWARN", "RC0", "Sort")
"""Options of how Stata shows its work, or of orders that nothing here depends on: read, and without effect."""
_DATA_STAYS = ("CLEAR", "DOUBLE", "CMDOK", "POST", "CITable")
"""Options about the data in memory, which stay as they are here, and about what is done anyway."""


@dataclass(frozen=True)
class PrefixOption:
    """An option of a prefix.

    Attributes
    ----------
    pattern : str
        In the notation of `Word`.
    reader : Reader or None
        Of the argument; None for an option without one, which is True where it is given.
    refused : str
        Why it is not available, in words; empty where it is.
    """

    pattern: str
    reader: Reader | None = None
    refused: str = ""


@dataclass(frozen=True)
class Prefix:
    """A row of the table.

    Attributes
    ----------
    pattern : str
        In the notation of `Word`; of two words the first is `first`.
    options : tuple of PrefixOption
    first : str
        `mi` of `mi estimate`.
    what : {"", "variables", "statistics", "anything"}
        What stands between the name and the comma.
    plain : bool
        Whether the model after it is fitted just once, as if the prefix were not there.
    function : str
        The function of the package that does the same.
    """

    pattern: str
    options: tuple[PrefixOption, ...] = ()
    first: str = ""
    what: str = ""
    plain: bool = False
    function: str = ""

    @property
    def name(self) -> str:
        """The whole name."""
        return " ".join(filter(None, (self.first, Word(self.pattern).name)))


_SAVING = PrefixOption("SAving", text_of)
_LEVEL = PrefixOption("Level", number(10, 99.99))
_RESAMPLED = (_SAVING, _LEVEL, PrefixOption("CLuster", names), PrefixOption("IDcluster", names))
_NO_SUBSETS = "fits to subsets of the groups are further calls: statsby with another by()"

PREFIXES: tuple[Prefix, ...] = (
    Prefix("by", what="variables", function="by"),
    Prefix("BYSort", what="variables", function="by"),
    Prefix(
        "STATSBY",
        (
            PrefixOption("by", names),
            _SAVING,
            PrefixOption("TOTal"),
            PrefixOption("SUBsets", refused=_NO_SUBSETS),
        ),
        what="statistics",
        function="statsby",
    ),
    Prefix(
        "ROLLing",
        (
            PrefixOption("Window", whole(1)),
            PrefixOption("STEPsize", whole(1)),
            PrefixOption("Recursive"),
            PrefixOption("RRecursive"),
            PrefixOption("START", number(-1e15, 1e15)),
            PrefixOption("END", number(-1e15, 1e15)),
            PrefixOption("time", names),
            _SAVING,
        ),
        what="statistics",
        function="rolling",
    ),
    Prefix(
        "ESTimate",
        (
            PrefixOption("NImputations", whole(2)),
            PrefixOption("Imputations", numbers),
            PrefixOption("MCERRor"),
            PrefixOption("NOSMALL"),
            PrefixOption("VARTable"),
            PrefixOption("DFTable"),
            PrefixOption("ESAMPVARYOK"),
            PrefixOption("ERRORok"),
            PrefixOption("dfcom", dfcom),
            PrefixOption("imputation", names),
            *(PrefixOption(own) for own in ("ESTMetric", "VARiance", "STDDEViations", "NOHEADer", "NOGRoup")),
            PrefixOption("UFMITest"),
            _LEVEL,
        ),
        first="mi",
        function="mi",
    ),
    Prefix(
        "BOOTstrap",
        (
            *_RESAMPLED,
            PrefixOption("Reps", whole(0)),
            PrefixOption("SEED", whole(0)),
            PrefixOption("STRata", names),
            PrefixOption("BCa"),
            PrefixOption("SIze", refused="resamples have as many clusters as the sample"),
        ),
        what="statistics",
        function="bootstrap",
    ),
    Prefix("JACKknife", _RESAMPLED, what="statistics", function="jackknife"),
    Prefix("COLLect", (PrefixOption("tags", text_of), PrefixOption("NAme", text_of)), what="anything", plain=True),
    Prefix("eststo", (PrefixOption("title", text_of), PrefixOption("prefix", text_of)), what="anything", plain=True),
    *(Prefix(word, what="", plain=True) for word in ("QUIetly", "Noisily", "CAPture")),
    Prefix("xi", (PrefixOption("PREfix", text_of), PrefixOption("NOOMIT")), plain=True),
)
"""Prefixes that are carried out; what others stand for is told by `heading`."""
_ALIASES = {"bs": "bootstrap", "jknife": "jackknife"}
_WITHOUT_COLON = ("quietly", "noisily", "capture")

_WORD = re.compile(r"\s*(?P<word>[^\W\d]\w*)(?=[\s:,(]|\Z)")
_OPENING, _CLOSING = "([", ")]"


@dataclass(frozen=True)
class Prefixed:
    """A prefix that was typed.

    Attributes
    ----------
    prefix : Prefix
    given : str
        What stood between its name and its comma.
    options : dict
        Name of an option -> its value.
    rest : str
        Everything after it.
    start : int
        Offset of `rest` in the text as typed.
    """

    prefix: Prefix
    given: str
    options: Mapping[str, Any] = field(default_factory=dict)
    rest: str = ""
    start: int = 0

    @property
    def variables(self) -> tuple[str, ...]:
        """The names in `given`, those in parentheses left out: `bysort g (t):` only sorts by t."""
        return names(re.sub(r"\([^()]*\)", " ", self.given)) if self.given else ()


def find_prefix(text: str, place: int = 0) -> tuple[Prefix, int] | None:
    """The prefix whose name stands at `place`, and where the name ends.

    Examples
    --------
    >>> [found[0].name for found in map(find_prefix, ("bys g: mixed y", "mi est: mixed y", "bs: mixed y"))]
    ['bysort', 'mi estimate', 'bootstrap']
    """
    first = _WORD.match(text, place)
    if first is None:
        return None
    typed = _ALIASES.get(first["word"], first["word"])
    found = next((one for one in PREFIXES if not one.first and Word(one.pattern).matches(typed)), None)
    if found is not None:
        return found, first.end()
    second = _WORD.match(text, first.end())
    pairs = [one for one in PREFIXES if one.first == typed and second is not None and Word(one.pattern).matches(second["word"])]
    return (pairs[0], second.end()) if pairs and second is not None else None


@lru_cache(maxsize=128)
def read_prefix(source: str) -> Prefixed | None:
    """The first prefix of a command that is more than a word about what is shown; None where there is none.

    Parameters
    ----------
    source : str
        A model text as typed.

    Raises
    ------
    CommandError
        A prefix or an option of its that cannot be understood.

    Examples
    --------
    >>> read_prefix("quietly bysort school (year): mixed y x || id:").variables
    ('school',)
    >>> read_prefix("by x || school:") is None, read_prefix("mixed y x || id:") is None
    (True, True)
    """
    if find_prefix(source.lstrip(" .\n")) is None:
        return None
    text, place = readable(source), 0
    while (found := find_prefix(text, place)) is not None:
        prefix, end = found
        colon = _colon(text, end)
        if prefix.name in _WITHOUT_COLON:
            place = colon + 1 if colon is not None and not text[end:colon].strip() else end
            continue
        if colon is None:
            return None
        if prefix.plain and prefix.name != "xi":
            _read_head(prefix, text[:colon], end, source)
            # Blank, so that the text is a model: fits and messages show what was typed.
            text = re.sub(r"[^\n]", " ", text[: colon + 1]) + text[colon + 1 :]
        elif not prefix.plain:
            given, options = _read_head(prefix, text[:colon], end, source)
            rest = source[colon + 1 :]
            return Prefixed(prefix, given, options, rest.lstrip(), colon + 1 + len(rest) - len(rest.lstrip()))
        place = colon + 1
    return None


def without_plain_prefixes(text: str, source: str) -> str:
    """The text with `eststo name:` and `collect:` as blanks: the fit that comes of it is what both of them keep.

    Examples
    --------
    >>> without_plain_prefixes("eststo m1: mixed y x", "")
    '           mixed y x'
    """
    place = 0
    while (found := find_prefix(text, place)) is not None and found[0].plain:
        prefix, end = found
        colon = _colon(text, end)
        if prefix.name in ("collect", "eststo") and colon is not None:
            _read_head(prefix, text[:colon], end, source)
            text = text[:place] + re.sub(r"[^\n]", " ", text[place : colon + 1]) + text[colon + 1 :]
            place = colon + 1
        else:
            place = colon + 1 if colon is not None and not text[end:colon].strip() else end
    return text


def _colon(text: str, place: int) -> int | None:
    """The first colon outside of parentheses and quotes; None where an equation or a formula comes before it."""
    depth, quoted = 0, False
    for at in range(place, len(text)):
        sign = text[at]
        if sign == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif sign in _OPENING or sign in _CLOSING:
            depth += 1 if sign in _OPENING else -1
        elif depth <= 0 and sign == ":":
            return at
        elif depth <= 0 and (sign == "~" or text.startswith("||", at)):
            return None
    return None


def _read_head(prefix: Prefix, text: str, place: int, source: str) -> tuple[str, dict[str, Any]]:
    """What stands between the name and the comma, and the options."""
    comma = _comma(text, place)
    given = text[place:comma].strip()
    if given and not prefix.what:
        raise CommandError(f"the prefix {prefix.name} takes nothing but options, found {shortened(given)}", source, place)
    if prefix.what == "variables" and not given:
        raise CommandError(f"the prefix {prefix.name} needs variables, as in {prefix.name} school: mixed ...", source, place)
    if comma == len(text):
        return given, {}
    tree = parse_tree(" " * comma + text[comma:], source, start="options")
    options: dict[str, Any] = {}
    for one in option_trees(tree):
        name, value = _option(prefix, one, text, source)
        if not name:
            continue
        if name in options:
            raise OptionError(f"the prefix {prefix.name} has {name} twice", source, one.meta.start_pos)
        options[name] = value
    clash = exclusive(prefix.name, options)
    if clash:
        raise OptionError(clash, source, place)
    return given, options


def _comma(text: str, place: int) -> int:
    depth = 0
    for at in range(place, len(text)):
        depth += (text[at] in _OPENING) - (text[at] in _CLOSING)
        if text[at] == "," and depth == 0:
            return at
    return len(text)


def _option(prefix: Prefix, tree: Any, text: str, source: str) -> tuple[str, Any]:
    """The name of an option, empty where it has no effect here, and its value."""
    token, parenthesized = tree.children[0], len(tree.children) > 1
    typed, place = str(token), token.start_pos
    option = _lookup(prefix, typed)
    if option is None:
        if any(Word(one).matches(typed) for one in (*LOOKS, *_DATA_STAYS)):
            return "", True
        known = [Word(one.pattern).name for one in prefix.options]
        hint = suggestion(typed, known) or (f"; it has {', '.join(known)}" if known else "")
        raise OptionError(f"the prefix {prefix.name} has no option {shortened(typed)}{hint}", source, place)
    name = Word(option.pattern).name
    if option.refused:
        raise OptionError(f"the prefix {prefix.name}: {name} is not available; {option.refused}", source, place)
    if (option.reader is None) == parenthesized:
        what = "takes no argument" if option.reader is None else f"needs an argument: {name}()"
        raise OptionError(f"the prefix {prefix.name}: {name} {what}", source, place)
    if option.reader is None:
        return name, True
    argument = text[tree.children[1].end_pos : tree.children[-1].start_pos]
    try:
        return name, option.reader(argument)
    except CommandError as error:
        raise OptionError(f"the prefix {prefix.name}: {name}() {error.message}", source, place) from None


def _lookup(prefix: Prefix, typed: str) -> PrefixOption | None:
    exact = next((one for one in prefix.options if Word(one.pattern).name == typed), None)
    return exact or next((one for one in prefix.options if Word(one.pattern).matches(typed)), None)
