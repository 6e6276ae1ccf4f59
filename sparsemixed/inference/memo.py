"""What was computed for a fit, kept as long as the fit lives: fits are frozen and compare by identity."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from functools import wraps
from typing import TypeVar

from sparsemixed.estimation.fit import Fit

T = TypeVar("T")
_STORES: list[dict[int, dict[Hashable, object]]] = []


def remembered(compute: Callable[..., T]) -> Callable[..., T]:
    """Call `compute(fit, *arguments)` once for each fit and arguments. The value must not hold the fit itself."""
    store: dict[int, dict[Hashable, T]] = {}
    _STORES.append(store)  # type: ignore[arg-type]

    @wraps(compute)
    def recall(fit: Fit, *arguments: Hashable) -> T:
        own = _own(store, fit)
        if arguments not in own:
            own[arguments] = compute(fit, *arguments)
        return own[arguments]

    return recall


def _own(store: dict, fit: Fit) -> dict:
    """What a store holds for a fit; forgotten with the fit, before its id can be another's."""
    own = store.get(id(fit))
    if own is None:
        own = store[id(fit)] = {}
        weakref.finalize(fit, store.pop, id(fit), None)
    return own


def inherit(fit: Fit, new: Fit) -> None:
    """Let `new`, which differs from `fit` only in what is asked for, keep everything computed for it."""
    for store in _STORES:
        if id(fit) in store:
            _own(store, new).update(store[id(fit)])
