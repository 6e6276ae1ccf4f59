"""What was computed for a fit, kept as long as the fit lives: fits are frozen and compare by identity."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from functools import wraps
from typing import NamedTuple, TypeVar

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.keys import KEYS

T = TypeVar("T")
_STORES: dict[str, dict[int, dict[Hashable, object]]] = {key: {} for key in KEYS}
"""Key -> id of a fit -> arguments -> value."""


class CachedValue(NamedTuple):
    """The value kept under a key for a fit and other arguments."""

    key: str
    arguments: tuple
    value: object


def cached_on_fit(key: str) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Call `compute(fit, *arguments)` once for each fit and arguments, and keep the value under `key`, one of `KEYS`.

    The value must not hold the fit itself.
    """

    store: dict[int, dict[Hashable, T]] = _STORES[key]  # type: ignore[assignment]  # a key has values of one type

    def keep(compute: Callable[..., T]) -> Callable[..., T]:
        @wraps(compute)
        def recall(fit: Fit, *arguments: Hashable) -> T:
            own = _own(store, fit)
            if arguments not in own:
                own[arguments] = compute(fit, *arguments)
            return own[arguments]

        return recall

    return keep


def _own(store: dict, fit: Fit) -> dict:
    """What a store holds for a fit; forgotten with the fit, before its id can be another's."""
    own = store.get(id(fit))
    if own is None:
        own = store[id(fit)] = {}
        weakref.finalize(fit, store.pop, id(fit), None)
    return own


def copy_cache(fit: Fit, new: Fit) -> None:
    """Let `new`, which differs from `fit` only in what is asked for, keep everything computed for it."""
    for store in _STORES.values():
        if id(fit) in store:
            _own(store, new).update(store[id(fit)])


def cached_values(fit: Fit) -> list[CachedValue]:
    """Everything that was computed for a fit."""
    stores = ((key, store.get(id(fit), {})) for key, store in _STORES.items())
    return [CachedValue(key, arguments, value) for key, own in stores for arguments, value in own.items()]  # type: ignore


def restore_cache(fit: Fit, values: Iterable[CachedValue]) -> None:
    """Take values as computed, by another program run say."""
    for key, arguments, value in values:
        _own(_STORES[key], fit)[arguments] = value
