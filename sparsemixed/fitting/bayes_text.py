"""The prefix `bayes [, options]:` before a model: what it says of priors, of the draws and of the table."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sparsemixed.errors import CommandError, NotAvailableError, OptionError, suggestion
from sparsemixed.priors.asked import PRIORS
from sparsemixed.priors.matrices import InverseWishart
from sparsemixed.priors.single import InverseGamma, Normal

INDEPENDENT = "draws are independent of each other here"
NEEDLESS = dict.fromkeys(
    ("burnin", "thinning", "nchains", "blocksize", "adaptation", "noblocking", "block", "gibbs", "initial", "nomleinitial"),
    INDEPENDENT,
)
"""Options of Stata that say how its chain goes, and why there is none."""
SHOWN = {
    "hpd": "hpd",
    "nogroup": "nogroup",
    "noheader": "noheader",
    "showreffects": "showreffects",
    "stddeviations": "stddeviations",
}
ACCEPTED = ("melabel", "remargl", "dots", "nodots")
"""Options that ask for what is done anyway, or say nothing of the posterior."""
NUMBER = re.compile(r"[^\s,]+")


@dataclass(frozen=True)
class BayesText:
    """A model and what stood before it.

    Attributes
    ----------
    model : str
        As `mixed` takes it.
    priors : mapping of str to prior
    draws, seed : int or None
    display : mapping
        Fields of `PosteriorShape`.
    """

    model: str
    priors: Mapping[str, Any] = field(default_factory=dict)
    draws: int | None = None
    seed: int | None = None
    display: Mapping[str, Any] = field(default_factory=dict)


def read_bayes(text: str) -> BayesText:
    """Read a model with or without the prefix.

    Raises
    ------
    CommandError, OptionError, NotAvailableError
        An option that is unknown, has no place here, or cannot be understood.

    Examples
    --------
    >>> read_bayes("bayes, normalprior(10) rseed(12): mixed y x || id:").seed
    12
    >>> read_bayes("y ~ x + (1 | id)").model
    'y ~ x + (1 | id)'
    """
    if not isinstance(text, str):
        raise OptionError(f'bayes wants a model as text, not {type(text).__name__}: sparsemixed.bayes("y x || id:", data)')
    start = re.match(r"\s*bayes\b\s*(?=[,:])", text)
    if start is None:
        return BayesText(text)
    end = _colon(text, start.end())
    if end is None:
        raise CommandError("the prefix bayes ends with a colon: bayes, options: mixed ...", text, start.end())
    read = _Reader(text)
    for name, argument, place in _options(text, start.end(), end):
        read.option(name, argument, place)
    return BayesText(text[end + 1 :].strip(), read.priors, read.draws, read.seed, read.display)


def _colon(text: str, start: int) -> int | None:
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1, "{": 1, "}": -1}.get(text[place], 0)
        if text[place] == ":" and depth == 0:
            return place
    return None


def _options(text: str, start: int, end: int) -> list[tuple[str, str | None, int]]:
    """Names, arguments and places of the options."""
    found, place = [], start
    while place < end:
        word = re.compile(r"[\s,]*(\w+)").match(text, place, end)
        if word is None:
            if text[place:end].strip(" ,"):
                raise CommandError(f"bayes: {text[place:end].strip()!r} is no option", text, place)
            break
        place, argument = word.end(), None
        if place < end and text[place] == "(":
            depth, stop = 0, place
            while stop < end:
                depth += {"(": 1, ")": -1}.get(text[stop], 0)
                stop += 1
                if depth == 0:
                    break
            if depth:
                raise CommandError(f"bayes: the parenthesis of {word[1]}() is not closed", text, place)
            argument, place = text[place + 1 : stop - 1], stop
        found.append((word[1], argument, word.start(1)))
    return found


def _label(name: str) -> str:
    """A parameter as Stata has it, `y:x` or `e.y:sigma2`, as it is printed here; others are labels already."""
    if re.fullmatch(r"e\.\w+:sigma2", name):
        return "var(Residual)"
    found = re.fullmatch(r"\w+:([\w.#]+)", name)
    return name if found is None or found[1] == "sigma2" else found[1]


class _Reader:
    def __init__(self, text: str):
        self.text = text
        self.priors: dict[str, Any] = {}
        self.display: dict[str, Any] = {}
        self.draws: int | None = None
        self.seed: int | None = None
        self._with_argument: dict[str, Callable[[str, str, int], None]] = {
            "normalprior": self._normal,
            "igammaprior": self._igamma,
            "iwishartprior": self._iwishart,
            "prior": self._prior,
            "rseed": self._seed,
            "mcmcsize": self._draws,
            "clevel": self._level,
        }

    def option(self, name: str, argument: str | None, place: int) -> None:
        if name in NEEDLESS:
            raise NotAvailableError(f"bayes: {name} has no place: {NEEDLESS[name]}; leave it out", self.text, place)
        if name in self._with_argument:
            if argument is None:
                raise OptionError(f"bayes: {name}() wants its argument in parentheses", self.text, place)
            self._with_argument[name](name, argument, place)
        elif name in SHOWN or name in ACCEPTED:
            if argument is not None:
                raise OptionError(f"bayes: {name} takes no argument", self.text, place)
            if name in SHOWN:
                self.display[SHOWN[name]] = True
        else:
            known = [*self._with_argument, *SHOWN, *ACCEPTED]
            raise OptionError(f"bayes: there is no option {name}{suggestion(name, known)}", self.text, place)

    def _numbers(self, name: str, argument: str, place: int, count: int) -> list[float]:
        words = NUMBER.findall(argument)
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = []
        if len(values) != count:
            raise OptionError(f"bayes: {name}({argument}) wants {count} number{'s' * (count > 1)}", self.text, place)
        return values

    def _normal(self, name: str, argument: str, place: int) -> None:
        self.priors["b"] = Normal(0.0, self._numbers(name, argument, place, 1)[0])

    def _igamma(self, name: str, argument: str, place: int) -> None:
        self.priors["var"] = InverseGamma(*self._numbers(name, argument, place, 2))

    def _iwishart(self, name: str, argument: str, place: int) -> None:
        words = NUMBER.findall(argument)
        if len(words) > 1:
            raise NotAvailableError(
                f"bayes: {name}() takes degrees of freedom alone; a scale goes into priors={{'Sigma': InverseWishart(df, S)}}",
                self.text, place,
            )  # fmt: skip
        self.priors["Sigma"] = InverseWishart(self._numbers(name, argument, place, 1)[0])

    def _prior(self, name: str, argument: str, place: int) -> None:
        found = re.fullmatch(r"\s*\{(?P<what>[^}]+)\}\s*,\s*(?P<prior>\w+)\s*(\((?P<numbers>[^()]*)\))?\s*", argument)
        if found is None:
            raise OptionError(
                f"bayes: prior({argument}) is not of the form prior({{parameter}}, distribution(numbers))", self.text, place
            )
        kind = PRIORS.get(found["prior"])
        if kind is None:
            raise OptionError(
                f"bayes: there is no prior {found['prior']}{suggestion(found['prior'], PRIORS)}; there are {', '.join(PRIORS)}",
                self.text, place,
            )  # fmt: skip
        numbers = [] if found["numbers"] is None else NUMBER.findall(found["numbers"])
        try:
            values = [float(word) for word in numbers]
            if found["prior"] == "normal" and len(values) == 2:
                values[1] = math.sqrt(values[1])  # Stata's second number is the variance
            made = kind(*values)
        except (TypeError, ValueError):
            raise OptionError(
                f"bayes: {found['prior']}({found['numbers'] or ''}) has the wrong numbers", self.text, place
            ) from None
        label = _label(found["what"].strip())
        if label in self.priors:
            raise OptionError(f"bayes: the prior of {label} is given twice", self.text, place)
        self.priors[label] = made

    def _seed(self, name: str, argument: str, place: int) -> None:
        self.seed = self._whole(name, argument, place)

    def _draws(self, name: str, argument: str, place: int) -> None:
        self.draws = self._whole(name, argument, place)

    def _level(self, name: str, argument: str, place: int) -> None:
        self.display["level"] = self._numbers(name, argument, place, 1)[0]

    def _whole(self, name: str, argument: str, place: int) -> int:
        value = self._numbers(name, argument, place, 1)[0]
        if not value.is_integer():
            raise OptionError(f"bayes: {name}({argument}) wants a whole number", self.text, place)
        return int(value)
