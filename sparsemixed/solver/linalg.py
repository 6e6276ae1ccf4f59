"""Small dense linear algebra that several rooms need: definite matrices whatever their units, and stacks of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.lapack import blas, cholesky, eigh, inverse_of_lower, qr, solve_triangular
from sparsemixed.solver import rows

SINGULAR = 1e-13
"""Smallest eigenvalue, in units of the diagonal, at which a matrix still counts as positive definite."""
NEARLY_SINGULAR = 1e-4
"""The same, down to which the inverse of a Cholesky factor has as many digits as one from eigenvalues."""
FEW = 16
"""Columns of small matrices up to which stacks of them are worked on column by column."""
LARGE = 256
"""Order from which half of a product is worth a call of its own."""
ORTHOGONAL = 1e-13
"""Inner products of columns of length one up to which these are orthogonal to rounding."""
TINY = float(np.finfo(float).tiny)
MANY = 50_000
"""Rows from which a QR goes by inner products, where it may."""
FAR_FROM_SINGULAR = 1e-6
"""Smallest eigenvalue of the columns' correlations down to which the QR of many rows may go by inner products."""


def unit_diagonal(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Roots s (m,) of the diagonal, ones where it is not positive, and the matrix over s s': free of the units of its rows.

    Examples
    --------
    >>> unit_diagonal(np.array([[4.0, 1.0], [1.0, 1.0]]))[1]
    array([[1. , 0.5],
           [0.5, 1. ]])
    """
    scale = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
    scale = np.where(scale > 0, scale, 1.0)
    return scale, matrix / (scale[:, None] * scale)


def root_of_inverse(matrix: np.ndarray, nullity: int = 0) -> np.ndarray | None:
    """H (m, m) with H H' the inverse of a symmetric matrix (m, m); None when that is not finite or not positive definite.

    With `nullity`, the matrix is known to be singular in so many directions, whatever rounding has made of them, and H (m, m -
    nullity) gives a generalized inverse: right for every function of the parameters that does not move along them.

    Whether it is definite is judged with the diagonal scaled to ones: it does not depend on the units of the parameters.

    Examples
    --------
    >>> H = root_of_inverse(np.diag([4.0, 1e-16]))
    >>> H @ H.T
    array([[2.5e-01, 0.0e+00],
           [0.0e+00, 1.0e+16]])
    >>> root_of_inverse(np.array([[1.0, 2.0], [2.0, 1.0]])) is None
    True
    """
    lower = None if nullity else _clear_root(matrix)
    if lower is not None:
        return inverse_of_lower(lower).T
    if not np.isfinite(matrix).all() or (not nullity and (matrix.diagonal() <= 0).any()):
        return None
    scale, correlations = unit_diagonal(matrix)
    values, vectors = eigh(correlations)
    values, vectors = values[nullity:], vectors[:, nullity:]
    if values.size and values[0] <= SINGULAR:
        return None
    return vectors / scale[:, None] / np.sqrt(values)


def covariance_root(sigma2: float, inverse: np.ndarray) -> np.ndarray:
    """Lower triangular root (p, p) of the coefficients' covariance, sigma2 times the inverse of X'inv(V0)X; p may be zero.

    Raises
    ------
    NumericalError
        It is not positive definite: inv(V0) has variances of very different size, or one that vanishes.
    """
    try:
        return cholesky(sigma2 * inverse) if inverse.size else np.zeros((0, 0))
    except np.linalg.LinAlgError as error:
        raise NumericalError(
            "the covariance matrix of the coefficients is not positive definite to rounding: a variance goes to zero, or they "
            "differ by too many orders of magnitude; simplify the model or rescale its variables"
        ) from error


def semidefinite_root(matrix: np.ndarray) -> np.ndarray:
    """C (p, p) with CC' a symmetric matrix without negative eigenvalues but for rounding; lower triangular where it is definite.

    Examples
    --------
    >>> semidefinite_root(np.diag([4.0, 9.0]))
    array([[2., 0.],
           [0., 3.]])
    """
    try:
        return cholesky(matrix) if matrix.size else matrix
    except np.linalg.LinAlgError:
        values, vectors = eigh(matrix)
        return vectors * np.sqrt(np.maximum(values, 0.0))


def times_lower(rows: np.ndarray, C: np.ndarray, in_place: bool = False) -> np.ndarray:
    """rows (q, p) times C (p, p), C-contiguous; in half of the time where C has nothing above its diagonal.

    With `in_place` rows may be written over.

    Examples
    --------
    >>> times_lower(np.array([[1.0, 1.0]]), np.array([[2.0, 0.0], [5.0, 3.0]]))
    array([[7., 3.]])
    """
    if len(C) < LARGE or any(row[i + 1 :].any() for i, row in enumerate(C)):
        return rows @ C
    return blas.dtrmm(1.0, C.T, rows.T, overwrite_b=in_place).T


def mirrored(upper: np.ndarray) -> np.ndarray:
    """Copy the upper triangle of a square array onto its lower one, in place, block by block to stay in cache."""
    size, step = upper.shape[0], 256
    for i in range(0, size, step):
        stop = min(i + step, size)
        block = upper[i:stop, i:stop]
        block[:] = np.triu(block) + np.triu(block, 1).T
        for j in range(stop, size, step):
            end = min(j + step, size)
            upper[j:end, i:stop] = upper[i:stop, j:end].T
    return upper


def less_symmetric_product(matrix: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """matrix - left'right (p, p), where both are symmetric; left, right (m, p). Of a diagonal matrix its diagonal (p,) will do.

    Examples
    --------
    >>> less_symmetric_product(np.eye(2), np.array([[1.0, 2.0]]), np.array([[3.0, 6.0]]))
    array([[ -2.,  -6.],
           [ -6., -11.]])
    """
    whole = np.diag(matrix) if matrix.ndim == 1 else matrix
    if len(whole) < LARGE:
        rest = whole - left.T @ right
        return (rest + rest.T) / 2
    out, step = whole.copy() if whole is matrix else whole, LARGE
    for begin in range(0, len(matrix), step):
        out[begin : begin + step, begin:] -= left[:, begin : begin + step].T @ right[:, begin:]
    return mirrored(out)


def clearly_definite(matrix: np.ndarray, least: float = 1e-8) -> bool:
    """Whether a symmetric matrix (m, m) is definite, and no eigenvalue below `least` once its diagonal is scaled to ones.

    False where that would take the eigenvalues to tell: it is judged by the determinant, which is at most e times the least of
    them, for the others' product is at most e.

    Examples
    --------
    >>> clearly_definite(np.diag([4.0, 1e-16])), clearly_definite(np.ones((2, 2)))
    (True, False)
    """
    return _clear_root(matrix, least) is not None


def _clear_root(matrix: np.ndarray, least: float = NEARLY_SINGULAR) -> np.ndarray | None:
    """The Cholesky factor (m, m) of a matrix that is `clearly_definite`; None for others."""
    try:
        lower = cholesky(matrix)
    except np.linalg.LinAlgError:
        return None
    # As numbers of Python, of which there are few: what is not finite is no warning, and no root.
    shares = (r * r / m for r, m in zip(lower.diagonal().tolist(), matrix.diagonal().tolist(), strict=True))
    return lower if prod(shares) > np.e * least else None


def has_root(matrix: np.ndarray) -> bool:
    """Whether a symmetric matrix (m, m) is positive definite to rounding: whether `covariance_root` has an answer.

    Examples
    --------
    >>> has_root(np.eye(2)), has_root(np.ones((2, 2)) - np.eye(2)), has_root(np.zeros((0, 0)))
    (True, False, True)
    """
    try:
        cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def thin_qr(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Q (n, p) with orthonormal columns and upper triangular R (p, p), X = QR.

    Of many rows by two Cholesky factors of inner products in place of Householder's reflections: in a third of the time, and as
    orthogonal to rounding where no column is nearly a combination of others (Yamamoto, Nakatsukasa, Yanagisawa & Fukaya 2015).

    Examples
    --------
    >>> Q, R = thin_qr(np.column_stack([np.ones(4), np.arange(4.0)]))
    >>> np.allclose(Q.T @ Q, np.eye(2)), np.allclose(R[1, 0], 0.0)
    (True, True)
    """
    if len(X) < MANY or not X.shape[1]:
        return qr(X) if 0 < X.shape[1] <= min(len(X), FEW) else np.linalg.qr(X)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        first = _triangle_of(X.T @ X)
    if first is None:
        return np.linalg.qr(X)
    Q = X @ np.linalg.inv(first)
    second = np.linalg.cholesky(Q.T @ Q).T
    return Q @ np.linalg.inv(second), np.triu(second @ first)


def _triangle_of(gram: np.ndarray) -> np.ndarray | None:
    """R (p, p) with R'R = gram, the inner products of columns; None where one is nearly a combination of others."""
    if not (np.isfinite(gram).all() and np.all(np.diag(gram) > 0)):
        return None
    scale, correlations = unit_diagonal(gram)
    if np.linalg.eigvalsh(correlations)[0] < FAR_FROM_SINGULAR:
        return None
    return np.linalg.cholesky(correlations).T * scale


class Regression(NamedTuple):
    """Least squares of y on X = QR.

    Attributes
    ----------
    Q : (n, p)
        With orthonormal columns.
    R : (p, p)
        Upper triangular.
    coefficients : (p,)
        On X.
    residual : (n,)
        Orthogonal to Q.
    gram : (p + 1, p + 1)
        [Q residual]'[Q residual].
    """

    Q: np.ndarray
    R: np.ndarray
    coefficients: np.ndarray
    residual: np.ndarray
    gram: np.ndarray


def regression(X: np.ndarray, y: np.ndarray) -> Regression | None:
    """Least squares of y (n,) on many rows of few columns X (n, p) by two or three passes; None where they do not suit.

    By inner products, as in `thin_qr`. Where what comes out is not yet orthogonal to rounding, because columns are correlated or
    y is far larger than what they leave of it, the same is done once more with what came out.

    Examples
    --------
    >>> regression(np.ones((3, 1)), np.arange(3.0)) is None
    True
    """
    p = X.shape[1]
    if not rows.suits(X, MANY):
        return None
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        gram = rows.inner_products(X, y)
        R = _triangle_of(gram[:p, :p]) if np.isfinite(gram[:p, p]).all() else None
    if R is None:
        return None
    inverse = np.triu(np.linalg.inv(R))
    fitted = inverse.T @ gram[:p, p]
    Q, residual, gram = rows.turned(X, y, inverse, fitted)
    coefficients = solve_triangular(R, fitted)
    if _off_orthogonal(gram) > ORTHOGONAL:
        second = np.linalg.cholesky(gram[:p, :p]).T
        inverse, R = np.triu(np.linalg.inv(second)), np.triu(second @ R)
        fitted = inverse.T @ gram[:p, p]
        Q, residual, gram = rows.turned(Q, residual, inverse, fitted, in_place=True)
        coefficients = coefficients + solve_triangular(R, fitted)
    return Regression(Q, R, coefficients, residual, gram)


def _off_orthogonal(gram: np.ndarray) -> float:
    """How far inner products (p + 1, p + 1) of columns and a residual are from those of orthonormal ones and one beside them."""
    p = len(gram) - 1
    return float(max(np.abs(gram[:p, :p] - np.eye(p)).max(), np.abs(gram[:p, p]).max() / np.sqrt(gram[p, p] + TINY)))


def stacked(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left @ right for stacks of small matrices, or one matrix and a stack.

    Where those of one side are single numbers by multiplication: a product of matrices takes fifty times as long for each.

    Examples
    --------
    >>> stacked(np.full((2, 1, 1), 3.0), np.ones((2, 1, 2))).tolist()
    [[[3.0, 3.0]], [[3.0, 3.0]]]
    """
    if (1, 1) not in (left.shape[-2:], right.shape[-2:]):
        return left @ right
    if left.ndim == right.ndim == 3 and left.shape[2] == 1 and 1 < right.shape[2] <= FEW:
        out = np.empty((len(left), 1, right.shape[2]))
        for j in range(right.shape[2]):  # NumPy would make a loop of so few numbers for each matrix
            np.multiply(left[:, :, 0], right[:, :, j], out=out[:, :, j])
        return out
    return left * right


def stacked_inverses(stack: np.ndarray) -> np.ndarray:
    """The inverses of matrices (J, k, k) that are not singular.

    Examples
    --------
    >>> stacked_inverses(np.array([[[2.0]], [[4.0]]])).ravel().tolist()
    [0.5, 0.25]
    """
    return 1.0 / stack if stack.shape[-1] == 1 else np.linalg.inv(stack)


def inverse_and_logdet(stack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inverses (G, m, m) and log-determinants (G,) of positive definite matrices (G, m, m).

    Raises
    ------
    numpy.linalg.LinAlgError
        One of them is not positive definite.
    """
    lower = np.linalg.cholesky(stack)
    root = np.linalg.solve(lower, np.broadcast_to(np.eye(stack.shape[-1]), stack.shape))
    return root.transpose(0, 2, 1) @ root, 2.0 * np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)


def bordered(matrix: np.ndarray, border: np.ndarray, corner: float) -> np.ndarray:
    """The symmetric (m + 1, m + 1) matrix of a matrix (m, m), a last row and column `border` (m,), and their corner.

    Examples
    --------
    >>> bordered(np.eye(1), np.array([2.0]), 3.0)
    array([[1., 2.],
           [2., 3.]])
    """
    full = np.empty((len(matrix) + 1,) * 2)
    full[:-1, :-1] = (matrix + matrix.T) / 2
    full[:-1, -1] = full[-1, :-1] = border
    full[-1, -1] = corner
    return full


Equation = tuple[np.ndarray, float]
"""Left side (p,) and right side of left . x = right."""


def orthogonal_remainder(basis: Sequence[Equation], left: np.ndarray, right: float) -> tuple[np.ndarray, float, float]:
    """What an equation left . x = right says beyond others: both sides less the combination of the others nearest to `left`.

    Parameters
    ----------
    basis : sequence of Equation
        With orthonormal left sides.

    Returns
    -------
    (p,), float, float
        Left and right side of what remains, and the sum of the absolute values that the right side was changed by.

    Examples
    --------
    >>> orthogonal_remainder([(np.array([1.0, 0.0]), 3.0)], np.array([2.0, 5.0]), 7.0)
    (array([0., 5.]), 1.0, 6.0)
    """
    changed = 0.0
    for _ in range(2):  # the second pass takes off what rounding left
        for direction, value in basis:
            share = float(direction @ left)
            left, right = left - share * direction, right - share * value
            changed += abs(share * value)
    return left, right, changed
