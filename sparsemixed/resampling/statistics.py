"""What is kept of every replicate: printed estimates by name, or what a function makes of whole fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError, SparseMixedError, suggestion
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.influence.deletion import variance_names
from sparsemixed.resampling.replicates import Replicates

FAILED = (SparseMixedError, ArithmeticError, np.linalg.LinAlgError)
"""What a fit may end with, or a statistic of one, that makes it a failed replicate."""


@dataclass(frozen=True)
class Statistic:
    """Named numbers of a fit.

    Attributes
    ----------
    names : tuple of str
    observed : (k,)
    sizes : (int, int)
        Numbers of coefficients and of variance parameters of the fit.
    places : (k,) int64 or None
        Among coefficients and variance parameters; None where `function` computes them.
    function : callable or None
        From a whole fit to (k,).
    """

    names: tuple[str, ...]
    observed: np.ndarray
    sizes: tuple[int, int]
    places: np.ndarray | None = None
    function: Callable[[Fit], np.ndarray] | None = None

    def of_estimates(self, found: Replicates) -> np.ndarray:
        """(B, k) of replicates that were fitted without it."""
        return np.concatenate([found.beta, found.variances], axis=1)[:, self.places]


def estimate_names(fit: Fit) -> list[str]:
    """Coefficients, then variance parameters with their level: `week`, `id: var(_cons)`, `var(Residual)`."""
    return [*fit.design.names, *variance_names(fit)]


def read_statistic(fit: Fit, asked: Any, command: str, whole: Callable[[Fit], Any] = lambda fit: fit) -> Statistic:
    """What is asked for: all estimates, some by name, or a function of `whole(fit)`.

    Raises
    ------
    OptionError
        Unknown names; a function that returns no numbers.
    """
    names = estimate_names(fit)
    estimates = np.append(fit.beta, [parameter.estimate for parameter in fit.variances])
    if asked is None:
        return Statistic(tuple(names), estimates, _sizes(fit), np.arange(len(names)))
    if callable(asked):
        return _of_function(fit, asked, command, whole)
    wanted = [asked] if isinstance(asked, str) else list(asked) if isinstance(asked, Sequence) else None
    if not wanted or not all(isinstance(name, str) for name in wanted):
        raise OptionError(f"{command}: statistic= takes names of estimates, or a function of a fit; found {asked!r}")
    for name in wanted:
        if name not in names:
            known = f"{suggestion(name, names)}: {', '.join(names)}"
            raise OptionError(f"{command}: statistic={name!r} is no estimate of this fit{known}")
    places = np.array([names.index(name) for name in wanted])
    return Statistic(tuple(wanted), estimates[places], _sizes(fit), places)


def _sizes(fit: Fit) -> tuple[int, int]:
    return len(fit.beta), len(fit.variances)


def _of_function(fit: Fit, function: Callable[[Any], Any], command: str, whole: Callable[[Fit], Any]) -> Statistic:
    names, observed = _numbers(function(whole(fit)), command)

    def compute(other: Fit) -> np.ndarray:
        found, values = _numbers(function(whole(other)), command)
        if found != names:
            raise OptionError(f"{command}: the statistic has {len(names)} numbers of the fit, and {len(found)} of a replicate")
        return values

    return Statistic(names, observed, _sizes(fit), None, compute)


def _numbers(found: Any, command: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and values of what a function returned: a number, several, or a Series or mapping that names them."""
    names: Iterable[Any] | None = None
    if isinstance(found, pd.Series):
        names, found = found.index, found.to_numpy()
    elif isinstance(found, Mapping):
        names, found = list(found), list(found.values())
    try:
        values = np.atleast_1d(np.asarray(found, dtype=float))
    except (TypeError, ValueError):
        values = np.zeros((0, 0))
    if values.ndim != 1 or not values.size:
        kind = type(found).__name__
        raise OptionError(f"{command}: the statistic is to return numbers, a Series or a dict of them; found {kind}")
    named = [f"_bs_{i + 1}" for i in range(len(values))] if names is None else list(map(str, names))
    return tuple(named), values
