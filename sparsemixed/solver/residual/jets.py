"""Values with their first and second derivatives by n parameters as one array: what the recursions of long groups carry along."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from sparsemixed.structures.residual_errors.base import COMPLEX_STEP

Slopes = Callable[[np.ndarray], list[tuple[np.ndarray, np.ndarray]]]
"""From rho to a few arrays of values (...) and their derivatives (n, ...)."""


class JetRule(NamedTuple):
    """Which components jets have; see `solver.residual.kernels_whitening`.

    Attributes
    ----------
    n : int
        Parameters by which first derivatives are carried.
    pairs : (K, 3) int64
        Second derivatives: (1 + k, 1 + l, place) for k <= l; none to first order.
    """

    n: int
    pairs: np.ndarray

    @property
    def size(self) -> int:
        """Components of a jet."""
        return 1 + self.n + len(self.pairs)

    def second(self, values: np.ndarray) -> np.ndarray:
        """(n, n) second derivatives of a jet (size,)."""
        out = np.empty((self.n, self.n))
        k, l, place = self.pairs.T
        out[k - 1, l - 1] = out[l - 1, k - 1] = values[place]
        return out


@cache
def jet_rule(n: int, order: int) -> JetRule:
    """For derivatives up to `order` 0, 1 or 2 by n parameters.

    Examples
    --------
    >>> jet_rule(2, 2).pairs.tolist()
    [[1, 1, 3], [1, 2, 4], [2, 2, 5]]
    """
    first = n if order > 0 else 0
    both = [(k, l) for k in range(1, n + 1) for l in range(k, n + 1)] if order > 1 else []
    pairs = [(k, l, 1 + n + place) for place, (k, l) in enumerate(both)]
    return JetRule(first, np.array(pairs, dtype=np.int64).reshape(-1, 3))


def jets(
    function: Callable[[np.ndarray], list[tuple[np.ndarray, np.ndarray]]], rho: np.ndarray, rule: JetRule
) -> list[np.ndarray]:
    """The jets (..., size) of values (...) of which `function` gives first derivatives (n, ...), analytic in rho.

    Second ones by complex steps.
    """
    out = [np.empty((*value.shape, rule.size)) for value, _ in function(rho)]
    for jet, (value, slopes) in zip(out, function(rho), strict=True):
        jet[..., 0] = value
        if rule.n:
            jet[..., 1 : 1 + rule.n] = np.moveaxis(slopes, 0, -1)
    for l in range(rule.n if len(rule.pairs) else 0):
        moved = rho.astype(complex)
        moved[l] += 1j * COMPLEX_STEP
        for jet, (_, slopes) in zip(out, function(moved), strict=True):
            for k, other, place in rule.pairs:
                if other == l + 1:
                    jet[..., place] = slopes[k - 1].imag / COMPLEX_STEP
    return out
