"""The lines of a table of several fits, and which of them are shown, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TypedDict, Unpack

from sparsemixed.command.number_formats import parse_format
from sparsemixed.errors import OptionError, shortened, suggestion
from sparsemixed.reporting.number_format import formatted, written
from sparsemixed.spec.numbers import is_number

CUTS = (0.001, 0.01, 0.05)
STATISTICS = "Statistics"


@dataclass(frozen=True)
class Line:
    """One parameter or statistic: a number for each fit, NaN where a fit does not have it.

    `pvalues` are None for what has no test of its own.
    """

    part: str
    label: str
    estimates: tuple[float, ...]
    std_errs: tuple[float, ...] | None = None
    pvalues: tuple[float, ...] | None = None
    present: tuple[bool, ...] = ()


KINDS = ("b", "se", "t", "p", "stats")


class CompareKeywords(TypedDict, total=False):
    """Options of `compare`: see there."""

    keep: str | Sequence[str]
    drop: str | Sequence[str]
    b: bool
    t: bool
    p: bool
    formats: Mapping[str, str]


@dataclass(frozen=True)
class Shape:
    """What a table of several fits shows of each parameter.

    Attributes
    ----------
    b, se, t, p : bool
        Estimates, standard errors, and statistics and p-values of coefficients.
    cuts : tuple of float
        Levels of p-values that earn a star each, ascending; empty for none.
    keep, drop : tuple of str
        Patterns of names; without `keep` everything is kept.
    formats : dict
        b, se, t, p, stats -> one of Stata's formats.
    """

    b: bool = True
    se: bool = True
    t: bool = False
    p: bool = False
    cuts: tuple[float, ...] = ()
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    formats: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, se: bool, stars: bool | Sequence[float], **options: Unpack[CompareKeywords]) -> Shape:
        """The options as `compare` takes them.

        Raises
        ------
        OptionError
            Unknown options, levels that are no probabilities, unknown kinds of numbers or formats, or nothing to show.
        """
        known = CompareKeywords.__annotations__
        for name in options:
            if name not in known:
                raise OptionError(f"compare: unknown option {name}{suggestion(name, known)}; there are {', '.join(known)}")
        given = CUTS if stars is True else () if stars is False else stars
        if not isinstance(given, Sequence) or not all(map(is_number, given)):
            raise OptionError(f"compare: stars={shortened(repr(stars))} must be levels between 0 and 1, or True")
        cuts = tuple(sorted(map(float, given)))
        if not all(0 < cut < 1 for cut in cuts):
            raise OptionError(f"compare: stars={stars!r} must be levels between 0 and 1")
        formats = dict(options.get("formats") or {})
        for name, text in formats.items():
            if name not in KINDS:
                raise OptionError(f"compare: formats= has {name!r}; its keys are {', '.join(KINDS)}")
            parse_format(text)
        b, t, p = options.get("b", True), options.get("t", False), options.get("p", False)
        if not (b or se or t or p):
            raise OptionError("compare: b, se, t and p are all False; there is nothing to show")
        keep, drop = (tuple(x.split() if isinstance(x, str) else x) for x in (options.get("keep", ()), options.get("drop", ())))
        return cls(b, se, t, p, cuts, keep, drop, formats)

    def kept(self, lines: Sequence[Line]) -> list[Line]:
        """The lines whose names are asked for.

        Raises
        ------
        OptionError
            A name that no fit has.
        """

        def matches(line: Line, pattern: str) -> bool:
            names = (line.label, f"{line.part}:{line.label}", line.part)
            return any(name == pattern or fnmatchcase(name, pattern) for name in names if name)

        for pattern in (*self.keep, *self.drop):
            if not any(matches(line, pattern) for line in lines):
                raise OptionError(
                    f"compare: no fit has a parameter {pattern!r}{suggestion(pattern, [line.label for line in lines])}"
                )
        kept = [line for line in lines if not self.keep or any(matches(line, pattern) for pattern in self.keep)]
        return [line for line in kept if not any(matches(line, pattern) for pattern in self.drop)]

    def written(self, value: float, name: str, kind: str) -> str:
        """A number in the format asked for, or in that of its kind."""
        return formatted(value, self.formats[name]) if name in self.formats else written(value, kind)
