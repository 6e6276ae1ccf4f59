"""Which columns are linear combinations of earlier ones.

An unpivoted Householder QR, taken block of rows by block of rows, reduces the n columns to a small triangle with the same
inner products; the columns are then accepted one after another, each against the span of those accepted before. The
constant, when there is one, counts as standing first: columns are centred before they meet the QR, so neither a far-off
mean nor a bad scale hides what they add. A column is collinear when the part of it that earlier columns do not explain is at
most `TOLERANCE` times its own (centred) norm, or no more than the rounding error in its own values.

Most designs are nowhere near collinear. Inner products, which are cheaper than a QR and accurate to about 1e-8 of a norm, tell
those apart at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sparsemixed.lapack import cholesky

TOLERANCE = 1e-9
RELATIVE_ROUNDING = 8 * np.finfo(np.float64).eps
CLEARLY = 1e-3
"""A column that keeps this part of its norm needs no closer look: five digits more than inner products may lose."""
BLOCK = 32768


def collinear(X: np.ndarray, constant: bool) -> np.ndarray:
    """Find the columns to omit, the later one of any collinear set.

    Parameters
    ----------
    X : (n, p) float64
        Without the constant; not modified.
    constant : bool
        Whether the model has a constant.

    Returns
    -------
    omitted : (p,) bool

    Examples
    --------
    >>> x = np.arange(4.0)
    >>> collinear(np.column_stack([x, x**2, 3 * x - 7]), constant=True)
    array([False, False,  True])
    """
    n, p = X.shape
    if p == 0:
        return np.zeros(0, dtype=bool)
    centre = np.ones(n) @ X / n if constant else np.zeros(p)
    if _clearly_independent(X, centre, constant):
        return np.zeros(p, dtype=bool)
    triangle = _triangle(X, centre, constant)
    # Behind the row of the constant, whatever the mean's rounding left of it is gone.
    triangle = triangle[1:, 1:] if constant else triangle
    norms = np.linalg.norm(triangle, axis=0) if triangle.size else np.zeros(p)
    return _dependent(triangle, norms, _rounding(n, centre, norms))


def _rounding(n: int, centre: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """Norm (p,) of the rounding errors in the values of each column, before centring."""
    return RELATIVE_ROUNDING * np.hypot(np.sqrt(n) * np.abs(centre), norms)


def _blocks(X: np.ndarray, centre: np.ndarray, constant: bool) -> Iterator[np.ndarray]:
    """The centred columns by blocks of rows, those of the constant in front when there is one."""
    n, p = X.shape
    step = max(BLOCK, 4 * p)
    for start in range(0, n, step):
        block = X[start : start + step] - centre
        yield np.column_stack([np.ones(len(block)), block]) if constant else block


def _clearly_independent(X: np.ndarray, centre: np.ndarray, constant: bool) -> bool:
    """Whether every column keeps a good part of its norm beside the earlier ones, by Cholesky of the inner products."""
    n, p = X.shape
    if n < p + constant:
        return False
    products = np.zeros((p + constant, p + constant))
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        for block in _blocks(X, centre, False):
            products[constant:, constant:] += block.T @ block
            if constant:
                products[0, 1:] += np.ones(len(block)) @ block
        if constant:
            products[0, 0], products[1:, 0] = n, products[0, 1:]
        norms = np.sqrt(products.diagonal())
        correlations = products / (norms[:, None] * norms)
    if not np.isfinite(correlations).all():
        return False
    try:
        remainders = cholesky(correlations).diagonal()
    except np.linalg.LinAlgError:
        return False
    own = norms[constant:]
    return bool((remainders > CLEARLY).all() and (_rounding(n, centre, own) < CLEARLY * own).all())


def _triangle(X: np.ndarray, centre: np.ndarray, constant: bool) -> np.ndarray:
    """R of the QR of the blocks, in place of all their rows."""
    triangle = np.empty((0, X.shape[1] + constant))
    for block in _blocks(X, centre, constant):
        triangle = np.asarray(np.linalg.qr(np.concatenate([triangle, block]), mode="r"))
    return triangle


def _dependent(triangle: np.ndarray, norms: np.ndarray, rounding: np.ndarray) -> np.ndarray:
    """Accept columns in order by Gram-Schmidt with one repetition, which keeps the basis orthogonal to working precision."""
    m, p = triangle.shape
    omitted = np.zeros(p, dtype=bool)
    basis = np.empty((m, min(m, p)))
    size = 0
    for j in range(p):
        if norms[j] <= rounding[j] or size == m:
            omitted[j] = True
            continue
        left = triangle[:, j] / norms[j]
        for _ in range(2):
            left = left - basis[:, :size] @ (basis[:, :size].T @ left)
        remainder = np.linalg.norm(left)
        if remainder <= TOLERANCE + rounding[j] / norms[j]:
            omitted[j] = True
            continue
        basis[:, size] = left / remainder
        size += 1
    return omitted
