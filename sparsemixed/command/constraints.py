"""Linear constraints on the fixed effects: which ones `constraints()` asks for, and what their equations say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from numbers import Integral

from sparsemixed.command.hypothesis import read_hypotheses
from sparsemixed.command.settings import Settings
from sparsemixed.errors import CommandError, OptionError
from sparsemixed.linear_form import Constraint

ADVICE = 'give the equations by keyword, constraints={1: "x1 = x2"}, or on the command line with --constraint'

_NAME_OR_SIGN = re.compile(r"`[^`]*`|\[[^\]]*\]|(?P<sign>[<>^]=?|[!~]=?)")
_NO_EQUATION = {
    "^": "a power of coefficients is not linear",
    **dict.fromkeys("<>!~", "only equations can be imposed; write `=`"),
}


def read_constraints(settings: Settings) -> tuple[Constraint, ...]:
    """The constraints asked for: those whose numbers are in the text, or all that are defined by keyword.

    Raises
    ------
    CommandError
        For an equation that is not understood or not linear, with its offset in the equation.
    OptionError
        For a number in the text without a definition, and a keyword that holds no equations.
    """
    asked, given = settings.asked("constraints", "numbers"), settings.asked("constraints", "definitions")
    texts = {} if given is None else definitions(given.value)
    if asked is None:
        return tuple(read_constraint(number, text) for number, text in texts.items())
    numbers = asked.value
    assert isinstance(numbers, tuple)
    missing = [number for number in numbers if number not in texts]
    if missing:
        raise OptionError(f"{asked.written}: {_undefined(missing, list(texts))}", settings.source, asked.position)
    return tuple(read_constraint(number, texts[number]) for number in numbers)


def _undefined(missing: list[int], known: list[int]) -> str:
    names = ", ".join(map(str, missing))
    which = f"constraint {names} is" if len(missing) == 1 else f"constraints {names} are"
    there = f"those defined are {', '.join(map(str, known))}" if known else ADVICE
    return f"{which} not defined; {there}"


def definitions(value: object) -> dict[int, str]:
    """Equations by number from a mapping, or from a list of texts, which are numbered from 1.

    Examples
    --------
    >>> definitions(["x1 = x2", "x3 = 0.5"]), definitions({7: "x1"})
    ({1: 'x1 = x2', 2: 'x3 = 0.5'}, {7: 'x1'})
    """
    if isinstance(value, str):
        value = [value]
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, Sequence):
        pairs = list(enumerate(value, start=1))
    else:
        raise OptionError(f"option constraints takes equations, as a list or by number: {{1: 'x1 = x2'}}; found {value!r}")
    for number, text in pairs:
        if not isinstance(number, Integral) or isinstance(number, bool) or number < 1:
            raise OptionError(f"option constraints: {number!r} is not the number of a constraint; use 1, 2, 3, ...")
        if not isinstance(text, str):
            raise OptionError(f"constraint {number} must be an equation in quotes, such as 'x1 = x2'; found {text!r}")
    return {int(number): text for number, text in pairs}


def read_constraint(number: int, text: str) -> Constraint:
    """One definition, in the language of tests: `x1 = x2 = x3`, `2*x1 - _b[x2]/4 = 1`; a name alone is held at zero.

    Raises
    ------
    CommandError
        With the offset in `text` of what is not understood, not linear, or no equation.

    Examples
    --------
    >>> [form.weights for form in read_constraint(1, "x1 = x2").forms]
    [{'x1': 1.0, 'x2': -1.0}]
    >>> read_constraint(2, "x1 >= 0")
    Traceback (most recent call last):
    sparsemixed.errors.CommandError: constraint 2: only equations can be imposed; write `=`
      x1 >= 0
         ^
    """
    if not text.strip():
        raise CommandError(f"constraint {number} is empty; write an equation such as x1 = x2")
    sign = next((match for match in _NAME_OR_SIGN.finditer(text) if match["sign"]), None)
    if sign is not None:
        raise CommandError(f"constraint {number}: {_NO_EQUATION[sign['sign'][0]]}", text, sign.start())
    try:
        forms = tuple(read_hypotheses(text))
    except CommandError as error:
        raise CommandError(f"constraint {number}: {error.message}", text, error.position) from None
    if any(not form.weights for form in forms):
        raise CommandError(f"constraint {number} names no coefficient", text, len(text) - len(text.lstrip()))
    return Constraint(number, text, forms)
