"""Starting values by unbiased quadratic forms of the residual, from the cross-products alone.

For the projected residual r = Qy and the components V_c = Z (I x D_c) Z', D_c the unit symmetric matrices of each term, the
form r'Z S_c Z'r has expectation linear in the variances and covariances, with coefficients tr(S_c Z'Q V_d Q Z). With S_c =
I x D_c these are the equations of MIVQUE(0) (Hartley, Rao & LaMotte 1978), in which a few large groups drown all others; here
each group's sums are first shrunken as if its term were alone, S_c = W (I x D_c) W with W_i = inv(Z_i'Z_i + inv(G)) at a
typical G, or at the one that the equations gave before. Solving them costs no factorization.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sparsemixed.estimation.quadratic_forms import QuadraticForms, Repeated
from sparsemixed.estimation.start.bounded import bounded_least_squares
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.linalg import stacked_inverses

MOST_COMPONENTS = 40
"""Above this number only variances are started from the data, covariances from zero: the equations grow with its square."""
MOST_PRODUCTS = 1e9
"""The same, for that square times the nonzeros of Z'Z: beyond it a better start costs more than the steps that it saves."""
PRIOR = 4.0
"""Residual variance over that of a random effect assumed in the weights: any value is unbiased, a typical one is efficient."""
SMALLEST_SHARE = 1e-3
"""Smallest starting variance, as a share of sigma2 per unit of the column's mean square: the deviance is flat at zero."""


@dataclass(frozen=True)
class Component:
    """One unit symmetric matrix D: entry (a, b) of the covariance of a term."""

    term: int
    a: int
    b: int

    def repeated(self, k: int) -> Repeated:
        """D, of order k."""
        matrix = np.zeros((k, k))
        matrix[self.a, self.b] = matrix[self.b, self.a] = 1.0
        return Repeated(self.term, matrix)


class Moments(NamedTuple):
    """What `ThetaMap.on_scale` makes a start of.

    Attributes
    ----------
    covariances : list of (k, k)
        Over sigma2, positive definite, one for each term.
    mean_squares : list of (k,)
        Of the columns of each term.
    """

    covariances: list[np.ndarray]
    mean_squares: list[np.ndarray]


def mean_squares(blocks: list[np.ndarray], n: float) -> list[np.ndarray]:
    """For each term (k,) the mean squares of its columns over n rows, from the (J, k, k) diagonal blocks of Z'Z."""
    return [np.ones(len(block)) @ np.einsum("iaa->ia", block) / n for block in blocks]


def mivque_start(cp: CrossProducts, again: bool = False) -> Moments:
    """A start from the cross-products; X must be orthonormal and y orthogonal to it.

    Parameters
    ----------
    again : bool
        Solve the equations once more, weighing by the first answer: worth its cost where a step of the search is dear.
    """
    squares, components = mean_squares(cp.own_blocks, cp.n), _components(cp)
    plain = QuadraticForms(cp, cp.ZtXy[:, :-1], [c.repeated(cp.k[c.term]) for c in components])
    # A column in the span of X has no projected trace; its share of the raw one keeps its start finite.
    traces = np.maximum(plain.traces(), 1e-2 * plain.raw_traces())
    assumed = [np.diag(1.0 / (PRIOR * np.maximum(square, np.finfo(float).tiny))) for square in squares]
    covariances = _solved(cp, components, traces, assumed)
    return Moments(_solved(cp, components, traces, covariances) if again else covariances, squares)


def _solved(cp: CrossProducts, components: list[Component], traces: np.ndarray, assumed: list[np.ndarray]) -> list[np.ndarray]:
    """Covariances over sigma2, by the equations with those `assumed` in the weights: both (k, k) for each term.

    Parameters
    ----------
    traces : (c,)
        tr(D_c Z'QZ), or a share of tr(D_c Z'Z) where X leaves nothing.
    """
    p, n = cp.ZtXy.shape[1] - 1, cp.n
    # W: the groups' sums, shrunken as if there were no other term.
    weights = [stacked_inverses(block + np.linalg.inv(g)) for block, g in zip(cp.own_blocks, assumed, strict=True)]
    forms = QuadraticForms(cp, cp.ZtXy[:, :p], [c.repeated(cp.k[c.term]) for c in components], weights)
    system, moments = np.empty((len(components) + 1,) * 2), np.empty(len(components) + 1)
    system[:-1, :-1], system[:-1, -1] = forms.products(), forms.traces()
    system[-1, :-1], system[-1, -1] = traces, n - p
    moments[:-1], moments[-1] = forms.values(cp.ZtXy[:, p]), cp.square
    total = moments[-1] / max(n - p, 1)
    values = solve_bounded(system, moments, *bounds(components, traces / n, total))
    sigma2 = max(values[-1], 0.05 * total)
    return positive(cp, components, values[:-1] / sigma2, traces / n)


def _components(cp: CrossProducts) -> list[Component]:
    pairs = [(t, a, b) for t, k in enumerate(cp.k) for a in range(k) for b in range(a, k)]
    if len(pairs) > MOST_COMPONENTS or len(pairs) ** 2 * float(cp.nnz) > MOST_PRODUCTS:
        pairs = [(t, a, b) for t, a, b in pairs if a == b]
    return [Component(t, a, b) for t, a, b in pairs]


def bounds(components: Sequence[Component], traces: np.ndarray, total: float) -> tuple[np.ndarray, np.ndarray]:
    """No component may claim more than twice the total variance: nearly confounded columns leave the equations free to."""
    largest = {}
    for c, trace in zip(components, traces, strict=True):
        if c.a == c.b:
            largest[c.term, c.a] = 2.0 * total / trace if trace > np.finfo(float).tiny else 0.0  # the last: a column of zeros
    upper = np.array([np.sqrt(largest[c.term, c.a] * largest[c.term, c.b]) for c in components])
    lower = np.where([c.a == c.b for c in components], 0.0, -upper)
    return np.append(lower, 0.0), np.append(upper, 2.0 * total)


def solve_bounded(system: np.ndarray, moments: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Least squares solution x of system @ x = moments with lower <= x <= upper.

    Unknowns are divided by their upper bounds and equations by their lengths, so that the units of the columns of Z do not weigh
    the equations. A variance component that hardly enters its own equation, as that of a column of zeros, stays at zero.

    Parameters
    ----------
    system : (c, c)
        Row i has the derivatives of the expectation of the i-th quadratic form by the c components, the last of them sigma2.
    moments : (c,)
        The quadratic forms as observed.
    lower, upper : (c,)
    """
    scaled = system * upper
    length = np.linalg.norm(scaled, axis=1)
    used = (np.abs(np.diag(scaled)) > 1e-12 * length) & (length > 0)
    out = np.zeros_like(moments)
    scaled = scaled[np.ix_(used, used)] / length[used, None]
    least, right = lower[used] / upper[used], moments[used] / length[used]
    solved = np.linalg.lstsq(scaled, right, rcond=None)[0]
    if np.any(solved < least) or np.any(solved > 1.0):
        solved = bounded_least_squares(scaled, right, least, np.ones(used.sum()))
    out[used] = solved * upper[used]
    return out


def positive(cp: CrossProducts, components: Sequence[Component], values: np.ndarray, mean_square: np.ndarray) -> list[np.ndarray]:
    """Assemble the covariances and lift their eigenvalues, in units of the columns, off the boundary."""
    out = [np.zeros((k, k)) for k in cp.k]
    unit = [np.ones(k) for k in cp.k]
    for component, value, square in zip(components, values, mean_square, strict=True):
        out[component.term][component.a, component.b] = out[component.term][component.b, component.a] = value
        if component.a == component.b:
            unit[component.term][component.a] = np.sqrt(max(square, np.finfo(float).tiny))
    lifted = []
    for matrix, scale in zip(out, unit, strict=True):
        _fill_empty(matrix, scale)
        eigenvalues, vectors = np.linalg.eigh(matrix * np.outer(scale, scale))
        floor = max(SMALLEST_SHARE, 1e-2 * eigenvalues.max())
        lifted.append((vectors * np.maximum(eigenvalues, floor)) @ vectors.T / np.outer(scale, scale))
    return lifted


def _fill_empty(matrix: np.ndarray, scale: np.ndarray) -> None:
    """Start the effect of a column of zeros, which stands for levels without data, as the others are on average."""
    empty = scale**2 <= 2.0 * np.finfo(float).tiny
    if empty.any() and not empty.all():
        scale[empty] = scale[~empty].max()
        matrix[empty, empty] = np.diag(matrix)[~empty].mean()
