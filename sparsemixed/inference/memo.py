"""What was computed for a fit, kept as long as the fit lives: fits are frozen and compare by identity."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from functools import wraps
from typing import TypeVar

from sparsemixed.estimation.fit import Fit

T = TypeVar("T")


def remembered(compute: Callable[..., T]) -> Callable[..., T]:
    """Call `compute(fit, *arguments)` once for each fit and arguments. The value must not hold the fit itself."""
    store: dict[int, dict[Hashable, T]] = {}

    @wraps(compute)
    def recall(fit: Fit, *arguments: Hashable) -> T:
        own = store.get(id(fit))
        if own is None:
            own = store[id(fit)] = {}
            weakref.finalize(fit, store.pop, id(fit), None)
        if arguments not in own:
            own[arguments] = compute(fit, *arguments)
        return own[arguments]

    return recall
