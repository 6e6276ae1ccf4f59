"""What was computed for a fit, kept as long as the fit lives: fits are frozen and compare by identity."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.keys import KEYS

T = TypeVar("T")
_KEPT: dict[int, dict[str, dict[Hashable, Any]]] = {}
"""Id of a fit -> key -> arguments -> value."""


class CachedValue(NamedTuple):
    """The value kept under a key for a fit and other arguments."""

    key: str
    arguments: tuple
    value: object


def cached_on_fit(key: str) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Call `compute(fit, *arguments)` once for each fit and arguments, and keep the value under `key`, one of `KEYS`.

    The value must not hold the fit itself.
    """
    _check(key)

    def keep(compute: Callable[..., T]) -> Callable[..., T]:
        @wraps(compute)
        def recall(fit: Fit, *arguments: Hashable) -> T:
            own: dict[Hashable, T] = _own(key, fit)
            if arguments not in own:
                own[arguments] = compute(fit, *arguments)
            return own[arguments]

        return recall

    return keep


def _check(key: str) -> None:
    if key not in KEYS:
        raise KeyError(key)


def _own(key: str, fit: Fit) -> dict[Hashable, Any]:
    """What is kept for a fit under a key; forgotten with the fit, before its id can be another's."""
    every = _KEPT.get(id(fit))
    if every is None:
        every = _KEPT[id(fit)] = {}
        weakref.finalize(fit, _KEPT.pop, id(fit), None)
    return every.setdefault(key, {})


def copy_cache(fit: Fit, new: Fit) -> None:
    """Let `new`, which differs from `fit` only in what is asked for, keep everything computed for it."""
    for key, values in _KEPT.get(id(fit), {}).items():
        _own(key, new).update(values)


def cached_values(fit: Fit) -> list[CachedValue]:
    """Everything that was computed for a fit."""
    every = _KEPT.get(id(fit), {})
    return [CachedValue(key, arguments, value) for key in KEYS for arguments, value in every.get(key, {}).items()]  # type: ignore


def restore_cache(fit: Fit, values: Iterable[CachedValue]) -> None:
    """Take values as computed, by another program run say."""
    for key, arguments, value in values:
        _check(key)
        _own(key, fit)[arguments] = value
