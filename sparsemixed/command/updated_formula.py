"""R's update formulas: `. ~ . + x - (1 | g)`, in which a point stands for the old left or right side."""

from __future__ import annotations

import re

from sparsemixed.command.formula import is_formula
from sparsemixed.errors import CommandError

_POINT = re.compile(r"(?<![\w.`])\.(?![\w.])")
_STARTS_WITH_POINT = re.compile(r"\s*\.\s*(?P<changes>(?:[+-].*)?)", re.DOTALL)
_LESS_RANDOM = re.compile(r"-\s*(\([^()]*\|[^()]*\))")


def updated_model(old: str, new: str) -> str:
    """The new model text, with what its points stand for.

    Raises
    ------
    CommandError
        A point where the old model is no formula, or elsewhere than at the start of a side; random effects to take out that are
        not there.

    Examples
    --------
    >>> updated_model("y ~ x + (1 | g)", ". ~ . + z"), updated_model("y ~ x + (1 | g)", "log_y ~ .")
    ('y ~ x + (1 | g) + z', 'log_y ~ x + (1 | g)')
    >>> updated_model("y ~ x + (1 | g) + (1 | h)", ". ~ . - x - (1 | h)")
    'y ~ x + (1 | g) - x'
    """
    if not isinstance(new, str) or not is_formula(new) or not _POINT.search(new):
        return new
    if not is_formula(old):
        raise CommandError("a point stands for a part of the old formula, and the old model is a command; write the new one out")
    (old_left, _, old_right), (left, _, right) = old.partition("~"), new.partition("~")
    found = _STARTS_WITH_POINT.fullmatch(right)
    if _POINT.search(right) and (found is None or _POINT.search(found["changes"])):
        message = "a point stands first on the right side, with + and - after it, as in . ~ . + x - z"
        raise CommandError(message, new, len(left) + 1)
    if found is not None:
        right = f" {_changed(old_right.strip(), found['changes'].strip(), new)}"
    return f"{_POINT.sub(lambda _: old_left.strip(), left).strip()} ~{right.rstrip()}"


def _changed(right: str, changes: str, new: str) -> str:
    """The right side with additions and deletions; those of random effects are made here, the formula makes those of terms."""
    for match in _LESS_RANDOM.finditer(changes):
        spelling = r"\s*".join(re.escape(letter) for letter in match[1] if not letter.isspace())
        right, count = re.subn(rf"(?:\+\s*|\A\s*){spelling}", "", right, count=1)
        if not count:
            raise CommandError(f"the model has no random part {match[1]}", new)
    return " ".join(part for part in (right.strip() or "1", _LESS_RANDOM.sub("", changes).strip()) if part)
