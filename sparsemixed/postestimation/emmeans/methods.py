"""How means are compared: families of contrasts by the names that emmeans has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.postestimation.contrast_operators import DEGREES

DEFAULTS = {
    "pairwise": "tukey",
    "revpairwise": "tukey",
    "trt.vs.ctrl": "dunnett",
    "trt.vs.ctrl1": "dunnett",
    "trt.vs.ctrlk": "dunnett",
    "consec": "mvt",
    "poly": "none",
    "eff": "fdr",
    "del.eff": "fdr",
}
"""Family -> the adjustment of its p-values unless another is asked for."""
LARGEST_INTEGER = 1000
"""Up to which a polynomial contrast is scaled to whole numbers."""


def method_names() -> str:
    """The families, for messages."""
    return ", ".join(DEFAULTS)


def contrast_rows(
    method: str | Mapping[str, Sequence[float]], texts: Sequence[str], reference: Any = None
) -> tuple[np.ndarray, list[str]]:
    """Contrasts (l, k) among k means, and their labels.

    Parameters
    ----------
    method : str or mapping
        A key of `DEFAULTS`, or the k coefficients of each contrast by its name.
    texts : sequence of str
        What the means are called.
    reference : optional
        With `trt.vs.ctrl` the mean that others are compared with: what it is called, or its number from 1.

    Raises
    ------
    OptionError
        Fewer than two means, coefficients of the wrong number, an unknown reference.

    Examples
    --------
    >>> contrast_rows("consec", ["a", "b", "c"])
    (array([[-1.,  1.,  0.],
           [ 0., -1.,  1.]]), ['b vs a', 'c vs b'])
    >>> contrast_rows("poly", ["1", "2", "3", "4"])[0][2]
    array([-1.,  3., -3.,  1.])
    """
    k = len(texts)
    if not isinstance(method, str):
        return _custom(method, k)
    if k < 2:
        raise OptionError(f"contrast={method!r}: there is only one mean, and nothing to compare it with")
    if method == "poly":
        return _polynomials(k)
    if method in ("eff", "del.eff"):
        whole = method == "eff"
        scale = 1.0 if whole else k / (k - 1.0)
        return scale * (np.eye(k) - 1.0 / k), [f"{text} effect" if whole else f"{text} vs others" for text in texts]
    pairs = _pairs(method, texts, reference)
    unit = np.eye(k)
    return np.array([unit[i] - unit[j] for i, j in pairs]), [f"{texts[i]} vs {texts[j]}" for i, j in pairs]


def _pairs(method: str, texts: Sequence[str], reference: Any) -> list[tuple[int, int]]:
    k = len(texts)
    if method == "pairwise":
        return list(combinations(range(k), 2))
    if method == "revpairwise":
        return [(j, i) for j in range(k) for i in range(j)]
    if method == "consec":
        return [(i + 1, i) for i in range(k - 1)]
    b = _reference(reference, texts) if reference is not None else (k - 1 if method.endswith("k") else 0)
    return [(i, b) for i in range(k) if i != b]


def _custom(method: Mapping[str, Sequence[float]], k: int) -> tuple[np.ndarray, list[str]]:
    rows = []
    for name, coefficients in method.items():
        try:
            row = np.asarray(coefficients, dtype=float)
        except (TypeError, ValueError):
            row = np.array([np.nan])
        if row.shape != (k,) or not np.all(np.isfinite(row)):
            raise OptionError(f"contrast: {name!r:.40} needs {k} numbers, one for each mean")
        rows.append(row)
    return np.array(rows), [str(name) for name in method]


def _reference(asked: Any, texts: Sequence[str]) -> int:
    if str(asked) in texts:
        return list(texts).index(str(asked))
    raise OptionError(f"reference={asked!r:.40} is not one of {', '.join(texts)}")


def _polynomials(k: int) -> tuple[np.ndarray, list[str]]:
    """Orthogonal polynomials in the ranks, in the smallest whole numbers where these are small."""
    q = np.linalg.qr(np.vander(np.arange(k) - (k - 1) / 2.0, k, increasing=True))[0].T[1:]
    rows = []
    for row in q * np.where(q[:, [-1]] < 0, -1.0, 1.0):
        # Entries are rational multiples of one another: the smallest may be another fraction of the rest.
        smallest = np.abs(row[np.abs(row) > 1e-10]).min()
        scaled = next((row / smallest * m for m in range(1, LARGEST_INTEGER) if _whole(row / smallest * m)), row)
        rows.append(np.round(scaled) if _whole(scaled) else scaled)
    return np.array(rows), [DEGREES[i] if i < len(DEGREES) else f"degree {i + 1}" for i in range(k - 1)]


def _whole(row: np.ndarray) -> bool:
    return bool(np.all(np.abs(row - np.round(row)) < 1e-6) and np.abs(row).max() < LARGEST_INTEGER)
