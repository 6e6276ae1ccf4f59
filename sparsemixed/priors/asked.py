"""Priors as they are asked for: by the name of a parameter, by its label as printed, or by a class of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sparsemixed import priors as families
from sparsemixed.errors import OptionError, suggestion
from sparsemixed.priors.matrices import LKJ, BoundaryAvoiding, MatrixPrior
from sparsemixed.priors.single import Normal, Prior

PRIORS: dict[str, type] = {
    kind.word: kind for kind in (getattr(families, name) for name in families.__all__) if hasattr(kind, "word")
}
"""The name in a command -> the class, of all that `sparsemixed.priors` lists."""

Base = Literal["default", "stata"]
BASES = ("default", "stata")


@dataclass(frozen=True)
class AskedPriors:
    """What the user said of priors.

    Attributes
    ----------
    base : {"default", "stata"}
        What holds where nothing was said: half-t(3) of the data's scale and uniform correlations, or Stata's defaults.
    own : mapping of str to prior
        In the order asked.
    """

    base: str = "default"
    own: Mapping[str, Any] = field(default_factory=dict)


def read_priors(priors: Any) -> AskedPriors:
    """The argument `priors`: None, the name of a set, or a mapping, whose key `default` may name the set.

    Raises
    ------
    OptionError
        Neither.
    """
    if isinstance(priors, AskedPriors):
        return priors
    if priors is None or isinstance(priors, str):
        return AskedPriors(_base(priors or "default"))
    if not isinstance(priors, Mapping):
        raise OptionError(f"priors={priors!r} must be None, \"stata\", or a dict of priors by parameter: {{'sd': HalfT(3, 10)}}")
    own = {str(key): value for key, value in priors.items() if key != "default"}
    for key, value in own.items():
        if isinstance(value, BoundaryAvoiding):
            raise OptionError(f"priors: {key!r} has {value!r}, which has no integral; it is for mixed(..., prior=) alone")
        if not isinstance(value, (Prior, LKJ, MatrixPrior)):
            raise OptionError(f"priors: {key!r} has {value!r}, which is no prior; sparsemixed.priors has {_names()}")
    return AskedPriors(_base(priors.get("default", "default")), own)


def _base(name: Any) -> str:
    if name not in BASES:
        raise OptionError(
            f"priors: there is no set of priors {name!r}{suggestion(str(name), BASES)}; there are default and stata"
        )
    return name


@dataclass(frozen=True)
class MapPriors:
    """The priors of a penalised likelihood; what they do not name has a flat one.

    Attributes
    ----------
    own : tuple of (str, prior)
        By class, label or equation, in the order asked.
    """

    own: tuple[tuple[str, Any], ...]

    @property
    def of_coefficients(self) -> bool:
        """Whether there are normal priors, which none but coefficients have."""
        return any(isinstance(prior, Normal) for _, prior in self.own)


def read_map_priors(prior: Any) -> MapPriors:
    """The argument `prior` of `mixed`: "boundary", a `BoundaryAvoiding`, or a mapping as `bayes` takes it.

    Raises
    ------
    OptionError
        None of these.
    """
    if isinstance(prior, MapPriors):
        return prior
    if isinstance(prior, str):
        if prior != "boundary":
            raise OptionError(f'prior={prior!r}{suggestion(prior, ("boundary",))}: by name there is "boundary" alone')
        prior = BoundaryAvoiding()
    if isinstance(prior, BoundaryAvoiding):
        return MapPriors((("Sigma", prior),))
    if not isinstance(prior, Mapping) or not prior:
        raise OptionError(f"prior={prior!r} must be \"boundary\", or a dict of priors by parameter: {{'sd': HalfT(3, 10)}}")
    for key, value in prior.items():
        if not isinstance(value, (Prior, LKJ, MatrixPrior, BoundaryAvoiding)):
            raise OptionError(f"prior: {key!r} has {value!r}, which is no prior; sparsemixed.priors has {_names()}")
    return MapPriors(tuple((str(key), value) for key, value in prior.items()))


def _names() -> str:
    return ", ".join(c.__name__ for c in PRIORS.values())


class Lookup:
    """Finds the prior that was asked for a parameter, and remembers what was used.

    Parameters
    ----------
    own : mapping of str to prior
    what : str
        The argument that messages name.
    """

    def __init__(self, own: Mapping[str, Any], what: str = "priors"):
        self.own, self.what = own, what
        self.used: set[str] = set()
        self.known: list[str] = []

    def find(self, *levels: Iterable[str]) -> tuple[str, Any] | None:
        """The key and prior of the first of the levels, from the most particular to the most general, that has one.

        Raises
        ------
        OptionError
            Two keys of one level have one.
        """
        found = None
        for level in levels:
            keys = list(level)
            self.known += [key for key in keys if key not in self.known]
            there = [key for key in keys if key in self.own]
            self.used.update(there)
            if len(there) > 1:
                raise OptionError(f"{self.what}: {there[0]!r} and {there[1]!r} are priors of the same parameter; leave one out")
            if there and found is None:
                found = there[0], self.own[there[0]]
        return found

    def check_used(self) -> None:
        """Refuse keys that belong to no parameter."""
        for key in self.own:
            if key not in self.used:
                raise OptionError(
                    f"{self.what}: the model has no parameter {key!r}{suggestion(key, self.known)}; "
                    f"there are {', '.join(self.known[:40])}"
                )
