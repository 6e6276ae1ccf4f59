"""Contrast operators: what `r.`, `a.`, `ar.`, `g.`, `h.`, `j.`, `p.` and `q.` compare."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from sparsemixed.errors import OptionError

_OPERATOR = re.compile(r"(?P<name>ar|[raghjpq])(?:b\(?(?P<base>[^()]+)\)?)?")
DEGREES = ("linear", "quadratic", "cubic", "quartic")


def operator_rows(operator: str, levels: tuple, names: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    """Contrasts (l, k) among k levels and their labels.

    Parameters
    ----------
    operator : str
        `r` reference, `rb2` with base level 2, `ar` previous level, `a` next level, `g` grand mean, `h` mean of the later
        levels, `j` mean of the earlier levels, `p` orthogonal polynomials in the levels' values, `q` in their ranks.
    levels, names : tuple, length k
        Values, and as printed.

    Examples
    --------
    >>> operator_rows("ar", (1, 2, 3), ("1", "2", "3"))
    (array([[-1.,  1.,  0.],
           [ 0., -1.,  1.]]), ['2 vs 1', '3 vs 2'])
    """
    match = _OPERATOR.fullmatch(operator)
    if match is None:
        raise OptionError(f"unknown contrast operator {operator}.; there are {', '.join(f'{name}.' for name in _ROWS)}")
    if match["base"] and match["name"] != "r":
        raise OptionError(f"contrast operator {match['name']}. takes no base level")
    if match["name"] == "r":
        return _reference(names, match["base"])
    return _ROWS[match["name"]](levels, names)


def _reference(names: tuple[str, ...], base: str | None) -> tuple[np.ndarray, list[str]]:
    places = {"first": 0, "last": len(names) - 1}
    if base is not None and base not in names and base not in places:
        raise OptionError(f"base level {base} is not one of {', '.join(names)}")
    b = 0 if base is None else names.index(base) if base in names else places[base]
    others = [i for i in range(len(names)) if i != b]
    unit = np.eye(len(names))
    return unit[others] - unit[b], [f"{names[i]} vs {names[b]}" for i in others]


def _previous(levels: tuple, names: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    unit = np.eye(len(names))
    return unit[1:] - unit[:-1], [f"{b} vs {a}" for a, b in pairwise(names)]


def _next(levels: tuple, names: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    rows, _ = _previous(levels, names)
    return -rows, [f"{a} vs {b}" for a, b in pairwise(names)]


def _mean(levels: tuple, names: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    return np.eye(len(names)) - 1.0 / len(names), [f"{name} vs mean" for name in names]


def _later(levels: tuple, names: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    k = len(names)
    rows = np.eye(k)[: k - 1]
    for i in range(k - 1):
        rows[i, i + 1 :] = -1.0 / (k - 1 - i)
    return rows, [f"{a} vs >{a}" if i < k - 2 else f"{a} vs {names[-1]}" for i, a in enumerate(names[:-1])]


def _earlier(levels: tuple, names: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    rows = np.eye(len(names))[1:]
    for i in range(1, len(names)):
        rows[i - 1, :i] = -1.0 / i
    return rows, [f"{b} vs <{b}" if i else f"{b} vs {names[0]}" for i, b in enumerate(names[1:])]


def _polynomials(values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Orthonormal polynomials of degree 1 to k - 1 in the values, rising at the largest one."""
    k = len(values)
    scaled = (values - values.mean()) / np.ptp(values)
    q = np.linalg.qr(np.vander(scaled, k, increasing=True))[0].T[1:]
    rows = q * np.where(q[:, [int(np.argmax(values))]] < 0, -1.0, 1.0)
    return rows, [DEGREES[i] if i < len(DEGREES) else f"degree {i + 1}" for i in range(k - 1)]


def _in_values(levels: tuple, names: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    if any(isinstance(level, str) for level in levels):
        raise OptionError("contrast operator p. needs levels that are numbers; q. takes their order")
    return _polynomials(np.array(levels, dtype=float))


def _in_ranks(levels: tuple, names: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    return _polynomials(np.arange(1.0, len(levels) + 1))


_ROWS: dict[str, Callable[[tuple, tuple[str, ...]], tuple[np.ndarray, list[str]]]] = {
    "r": lambda levels, names: _reference(names, None),
    "ar": _previous,
    "a": _next,
    "g": _mean,
    "h": _later,
    "j": _earlier,
    "p": _in_values,
    "q": _in_ranks,
}
