"""pwscale(): sampling weights of the rows of a two-level model on a scale that is comparable between groups."""

from __future__ import annotations

import numpy as np


def scaled(scale: str, rows: np.ndarray, groups: np.ndarray, codes: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Scaled weights of rows and of groups.

    With w_i the weight of row i given its group j of n_j rows, and w_j that of the group:

    - size: w_i n_j / sum(w_i), which adds up to the number of rows of the group;
    - effective: w_i sum(w_i) / sum(w_i^2), which adds up to its effective number of rows;
    - gk (Graubard & Korn 1996): w_j becomes the mean of w_i w_j in the group, and w_i becomes 1.

    Parameters
    ----------
    scale : {"size", "effective", "gk"}
    rows, groups : (n,) float64, positive
        The weight of each row and the weight of the group that it is in. Not modified.
    codes : (n,) int32
        The group of each row, 0 .. n_groups - 1.
    n_groups : int

    Returns
    -------
    rows, groups : (n,) float64

    Examples
    --------
    >>> w, one = np.array([1.0, 3.0, 2.0]), np.ones(3)
    >>> scaled("size", w, one, np.array([0, 0, 1]), 2)[0]
    array([0.5, 1.5, 1. ])
    >>> scaled("gk", w, 2 * one, np.array([0, 0, 1]), 2)
    (array([1., 1., 1.]), array([4., 4., 4.]))
    """
    size = np.bincount(codes, minlength=n_groups)
    if scale == "gk":
        mean = np.bincount(codes, rows * groups, n_groups) / size
        return np.ones_like(rows), mean[codes]
    total = np.bincount(codes, rows, n_groups)
    factor = size / total if scale == "size" else total / np.bincount(codes, rows**2, n_groups)
    return rows * factor[codes], groups
