"""Fields of frozen values that few readers ask for: computed when they are first read, and then there like all others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")
Later = Mapping[tuple[str, ...], Callable[[], dict[str, Any]]]
"""Names of fields -> what computes them together."""
_LATER = "_later"


class HoldsLater:
    """Base of dataclasses that `deferred` may make. Only fields without a default can come later.

    Nobody can tell when a field was computed: what it is computed from must not change in the meantime.
    """

    if not TYPE_CHECKING:  # type checkers would take every misspelt attribute for a field

        def __getattr__(self, name: str) -> Any:  # called only for what is not there
            for names, compute in vars(self).get(_LATER, {}).items():
                if name in names:
                    _compute(self, {names: compute})
                    return getattr(self, name)
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        """For pickles and copies, which get all fields."""
        complete(self)
        return dict(vars(self))


def deferred(kind: type[T], later: Later, **known: Any) -> T:
    """An instance of which some fields are `known`, and those of each key of `later` are computed once one of them is read.

    Parameters
    ----------
    kind : type
        A dataclass that is a `HoldsLater`.
    later : mapping
        From fields to a function without arguments, whose results are the same whenever it is called.
    """
    made = object.__new__(kind)
    known[_LATER] = later
    vars(made).update(known)
    return made


def changed(value: T, **changes: Any) -> T:
    """A copy of a dataclass with other values of some fields, which is what `dataclasses.replace` makes of it, in less time.

    For classes that check nothing and derive nothing of these fields.
    """
    made = object.__new__(type(value))
    vars(made).update(vars(value), **changes)
    return made


def is_later(value: object, name: str) -> bool:
    """Whether a field is to come later, and has not come yet."""
    return any(name in names for names in vars(value).get(_LATER, ()))


def complete(value: object) -> None:
    """Compute all fields that were to come later."""
    _compute(value, vars(value).get(_LATER, {}))


def _compute(value: object, now: Later) -> None:
    for compute in now.values():
        vars(value).update(compute())  # two threads at once compute the same
    left = {names: compute for names, compute in vars(value).get(_LATER, {}).items() if names not in now}
    if left:
        vars(value)[_LATER] = left
    else:
        vars(value).pop(_LATER, None)
