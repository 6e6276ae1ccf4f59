"""What was computed for a fit, kept as long as the fit lives: fits are frozen and compare by identity."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from functools import wraps
from typing import NamedTuple, TypeVar

from sparsemixed.estimation.fit import Fit

T = TypeVar("T")
_STORES: dict[str, dict[int, dict[Hashable, object]]] = {}
"""Name of a function -> id of a fit -> arguments -> value."""


class Recollection(NamedTuple):
    """The value that the function of a name has for a fit and other arguments."""

    name: str
    arguments: tuple
    value: object


def remembered(compute: Callable[..., T]) -> Callable[..., T]:
    """Call `compute(fit, *arguments)` once for each fit and arguments. The value must not hold the fit itself."""
    store: dict[int, dict[Hashable, T]] = _store(f"{compute.__module__.rpartition('.')[2]}.{compute.__name__}")  # type: ignore

    @wraps(compute)
    def recall(fit: Fit, *arguments: Hashable) -> T:
        own = _own(store, fit)
        if arguments not in own:
            own[arguments] = compute(fit, *arguments)
        return own[arguments]

    return recall


def _store(name: str) -> dict:
    return _STORES.setdefault(name, {})


def _own(store: dict, fit: Fit) -> dict:
    """What a store holds for a fit; forgotten with the fit, before its id can be another's."""
    own = store.get(id(fit))
    if own is None:
        own = store[id(fit)] = {}
        weakref.finalize(fit, store.pop, id(fit), None)
    return own


def inherit(fit: Fit, new: Fit) -> None:
    """Let `new`, which differs from `fit` only in what is asked for, keep everything computed for it."""
    for store in _STORES.values():
        if id(fit) in store:
            _own(store, new).update(store[id(fit)])


def recollections(fit: Fit) -> list[Recollection]:
    """Everything that was computed for a fit."""
    stores = ((name, store.get(id(fit), {})) for name, store in _STORES.items())
    return [Recollection(name, arguments, value) for name, own in stores for arguments, value in own.items()]  # type: ignore


def remind(fit: Fit, values: Iterable[Recollection]) -> None:
    """Take values as computed, by another program run say."""
    for name, arguments, value in values:
        _own(_store(name), fit)[arguments] = value
