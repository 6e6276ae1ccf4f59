"""Fields of frozen values that few readers ask for: computed when one of them is first read, and then there like all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")
_LATER = "_later"


class HoldsLater:
    """Base of dataclasses that `deferred` may make. Only fields without a default can come later.

    Nobody can tell when a field was computed: what it is computed from must not change in the meantime.
    """

    if not TYPE_CHECKING:  # type checkers would take every misspelt attribute for a field

        def __getattr__(self, name: str) -> Any:  # called only for what is not there
            if name in getattr(type(self), "__dataclass_fields__", ()) and complete(self):
                return getattr(self, name)
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        """For pickles and copies, which get all fields."""
        complete(self)
        return dict(vars(self))


def deferred(kind: type[T], later: Callable[[], dict[str, Any]], **known: Any) -> T:
    """An instance of which some fields are `known`, and `later` computes all others once one of them is read.

    Parameters
    ----------
    kind : type
        A dataclass that is a `HoldsLater`.
    later : callable
        Its results are the same whenever it is called.
    """
    made = object.__new__(kind)
    vars(made).update(known, **{_LATER: later})
    return made


def changed(value: T, **changes: Any) -> T:
    """A copy of a dataclass with other values of some fields, which is what `dataclasses.replace` makes of it, in less time.

    For classes that check nothing and derive nothing of these fields.
    """
    made = object.__new__(type(value))
    vars(made).update(vars(value), **changes)
    return made


def complete(value: object) -> bool:
    """Compute the fields that were to come later; whether there were any."""
    later = vars(value).get(_LATER)
    if later is None:
        return False
    vars(value).update(later())  # two threads at once compute the same
    vars(value).pop(_LATER, None)
    return True
