"""Contrast operators: what `r.`, `a.`, `ar.`, `g.`, `h.`, `j.`, `p.`, `q.` and the weighted `gw.` to `qw.` compare."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from sparsemixed.errors import OptionError

_OPERATOR = re.compile(r"(?P<name>ar|[ra]|[ghjpq]w?)(?:b\(?(?P<base>[^()]+)\)?)?")
DEGREES = ("linear", "quadratic", "cubic", "quartic")
WEIGHTED = ("gw", "hw", "jw", "pw", "qw")
"""Operators that need the number of observations of each level."""


def operator_rows(
    operator: str, levels: tuple, names: tuple[str, ...], counts: np.ndarray | None = None
) -> tuple[np.ndarray, list[str]]:
    """Contrasts (l, k) among k levels and their labels.

    Parameters
    ----------
    operator : str
        `r` reference, `rb2` with base level 2, `ar` previous level, `a` next level, `g` grand mean, `h` mean of the later
        levels, `j` mean of the earlier levels, `p` orthogonal polynomials in the levels' values, `q` in their ranks; `gw`,
        `hw`, `jw`, `pw` and `qw` are the same with levels weighted by their numbers of observations.
    levels, names : tuple, length k
        Values, and as printed.
    counts : (k,) float64, optional
        Observations of each level, all positive; only for weighted operators.

    Examples
    --------
    >>> operator_rows("ar", (1, 2, 3), ("1", "2", "3"))
    (array([[-1.,  1.,  0.],
           [ 0., -1.,  1.]]), ['2 vs 1', '3 vs 2'])
    >>> operator_rows("hw", (1, 2, 3), ("1", "2", "3"), np.array([5.0, 3.0, 1.0]))
    (array([[ 1.  , -0.75, -0.25],
           [ 0.  ,  1.  , -1.  ]]), ['1 vs >1', '2 vs 3'])
    """
    match = _OPERATOR.fullmatch(operator)
    if match is None:
        known = ", ".join(f"{name}." for name in ("r", *_ROWS, *WEIGHTED))
        raise OptionError(f"unknown contrast operator {operator}.; there are {known}")
    name = match["name"]
    if match["base"] and name != "r":
        raise OptionError(f"contrast operator {name}. takes no base level")
    if name == "r":
        return _reference(names, match["base"])
    if name not in WEIGHTED:
        counts = np.ones(len(levels))
    elif counts is None:
        raise OptionError(f"contrast operator {name}. needs the number of observations of each level")
    return _ROWS[name.removesuffix("w")](levels, names, counts)


def selected_rows(
    operator: str, selected: tuple[str, ...], levels: tuple, names: tuple[str, ...], counts: np.ndarray | None = None
) -> tuple[np.ndarray, list[str]]:
    """The contrasts of an operator that are asked for by level, `a3.`, or by degree, `p(1 2).`; all of them without.

    Raises
    ------
    OptionError
        The operator has no contrast for a level.

    Examples
    --------
    >>> selected_rows("a", ("2",), (1, 2, 3), ("1", "2", "3"))
    (array([[-0.,  1., -1.]]), ['2 vs 3'])
    """
    rows, labels = operator_rows(operator, levels, names, counts)
    if not selected:
        return rows, labels
    keys = [label.partition(" vs ")[0] for label in labels] if " vs " in labels[0] else [str(i + 1) for i in range(len(labels))]
    wrong = next((one for one in selected if one not in keys), None)
    if wrong is not None:
        raise OptionError(f"contrast operator {operator}. has no contrast {wrong}; there are {', '.join(keys)}")
    places = [keys.index(one) for one in dict.fromkeys(selected)]
    return rows[places], [labels[i] for i in places]


def _reference(names: tuple[str, ...], base: str | None) -> tuple[np.ndarray, list[str]]:
    places = {"first": 0, "last": len(names) - 1}
    if base is not None and base not in names and base not in places:
        raise OptionError(f"base level {base} is not one of {', '.join(names)}")
    b = 0 if base is None else names.index(base) if base in names else places[base]
    others = [i for i in range(len(names)) if i != b]
    unit = np.eye(len(names))
    return unit[others] - unit[b], [f"{names[i]} vs {names[b]}" for i in others]


def _previous(levels: tuple, names: tuple[str, ...], counts: np.ndarray) -> tuple[np.ndarray, list[str]]:
    unit = np.eye(len(names))
    return unit[1:] - unit[:-1], [f"{b} vs {a}" for a, b in pairwise(names)]


def _next(levels: tuple, names: tuple[str, ...], counts: np.ndarray) -> tuple[np.ndarray, list[str]]:
    rows, _ = _previous(levels, names, counts)
    return -rows, [f"{a} vs {b}" for a, b in pairwise(names)]


def _mean(levels: tuple, names: tuple[str, ...], counts: np.ndarray) -> tuple[np.ndarray, list[str]]:
    return np.eye(len(names)) - counts / counts.sum(), [f"{name} vs mean" for name in names]


def _later(levels: tuple, names: tuple[str, ...], counts: np.ndarray) -> tuple[np.ndarray, list[str]]:
    k = len(names)
    rows = np.eye(k)[: k - 1]
    for i in range(k - 1):
        rows[i, i + 1 :] = -counts[i + 1 :] / counts[i + 1 :].sum()
    return rows, [f"{a} vs >{a}" if i < k - 2 else f"{a} vs {names[-1]}" for i, a in enumerate(names[:-1])]


def _earlier(levels: tuple, names: tuple[str, ...], counts: np.ndarray) -> tuple[np.ndarray, list[str]]:
    rows = np.eye(len(names))[1:]
    for i in range(1, len(names)):
        rows[i - 1, :i] = -counts[:i] / counts[:i].sum()
    return rows, [f"{b} vs <{b}" if i else f"{b} vs {names[0]}" for i, b in enumerate(names[1:])]


def _polynomials(values: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Coefficients of the means' regression, weighted by `counts`, on polynomials of degree 1 to k - 1, rising at the end.

    With shares s = counts / sum, the polynomials Q (k, k - 1) have Q' diag(s) Q = I and Q's = 0. Scaled to a mean square of
    one, as Stata does, they make a contrast the coefficient of a polynomial: its row is s * q, which adds up to zero.
    """
    k, root = len(values), np.sqrt(counts / counts.sum())
    scaled = (values - values.mean()) / np.ptp(values)
    q = np.linalg.qr(root[:, None] * np.vander(scaled, k, increasing=True))[0].T[1:]
    rows = root * q * np.where(q[:, [int(np.argmax(values))]] < 0, -1.0, 1.0)
    return rows, [DEGREES[i] if i < len(DEGREES) else f"degree {i + 1}" for i in range(k - 1)]


def _in_values(levels: tuple, names: tuple[str, ...], counts: np.ndarray) -> tuple[np.ndarray, list[str]]:
    if any(isinstance(level, str) for level in levels):
        raise OptionError("contrast operators p. and pw. need levels that are numbers; q. and qw. take their order")
    return _polynomials(np.array(levels, dtype=float), counts)


def _in_ranks(levels: tuple, names: tuple[str, ...], counts: np.ndarray) -> tuple[np.ndarray, list[str]]:
    return _polynomials(np.arange(1.0, len(levels) + 1), counts)


_ROWS: dict[str, Callable[[tuple, tuple[str, ...], np.ndarray], tuple[np.ndarray, list[str]]]] = {
    "ar": _previous,
    "a": _next,
    "g": _mean,
    "h": _later,
    "j": _earlier,
    "p": _in_values,
    "q": _in_ranks,
}
"""Operators that weight levels take counts: ones where the balanced mean is meant."""
