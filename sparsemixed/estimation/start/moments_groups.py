"""Starting values where all random effects belong to one set of independent groups: MINQUE from a typical member.

The quadratic forms y'PV_cPy of the components V_c = Z(I x D_c)Z' and I, with P at the variances that `start.moments` weighs by,
have expectations sum_d tr(PV_cPV_d) phi_d: unbiased equations (Rao 1971), and one step of scoring. All of them are contractions
of the sums that the derivatives there take; what holds for the identity follows from I = V0 - ZGZ' and PV0P = P.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from sparsemixed.estimation.fixed_effects import solve_fixed
from sparsemixed.estimation.start.moments import (
    PRIOR,
    SMALLEST_SHARE,
    Component,
    Moments,
    bounds,
    mean_squares,
    positive,
    solve_bounded,
)
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.groups.first import Sizes, started
from sparsemixed.solver.groups.roots import GroupRoots
from sparsemixed.solver.linalg import semidefinite_root

TINY = float(np.finfo(float).tiny)
LEAST_PROJECTED = 1e-2
"""Share of a column's squares that counts as left by X in any case."""


class Forms(NamedTuple):
    """What the quadratic forms take from the columns alone, whatever the response.

    Attributes
    ----------
    squares : (k,)
        Mean squares of the columns.
    projected : (k,)
        The same of what X leaves of them.
    components : tuple of Component
    pairs : (c, 2) int64
        Their entries (a, b).
    prior : (k,)
        Variances of the effects over sigma2 at which P is taken.
    """

    squares: np.ndarray
    projected: np.ndarray
    components: tuple[Component, ...]
    pairs: np.ndarray
    prior: np.ndarray


def forms(cp: CrossProducts) -> Forms:
    """Of cross-products with one term; X must be orthonormal."""
    (k,), p, n = cp.k, cp.ZtXy.shape[1] - 1, cp.n
    (squares,) = mean_squares([cp.first], n)
    F = cp.ZtXy[:, :p].reshape(cp.n_groups[0], k, p)
    return forms_of_squares(squares, squares - np.einsum("iab,iab->a", F, F) / n)


def forms_of_squares(squares: np.ndarray, left: np.ndarray) -> Forms:
    """Of mean squares (k,) of the columns, and of what X leaves of them."""
    # A column in the span of X has no projected trace; its share of the raw one keeps its start finite.
    projected, (components, pairs) = np.maximum(left, LEAST_PROJECTED * squares), _components(len(squares))
    return Forms(squares, projected, components, pairs, 1.0 / (PRIOR * np.maximum(squares, TINY)))


def groups_start(cp: CrossProducts, roots: GroupRoots, rest: np.ndarray, known: Forms, often: bool) -> Moments:
    """A start from the sums over groups; X must be orthonormal and y orthogonal to it.

    Parameters
    ----------
    cp : CrossProducts
        With one term.
    roots : GroupRoots
        Of the same.
    rest : (p + 1, p + 1) float64
        What random effects do not reach of [X y]'[X y].
    known : Forms
        Of the same.
    often : bool
        Whether it is worth to compile what is done for small problems.
    """
    (k,), p, n = cp.k, cp.ZtXy.shape[1] - 1, cp.n
    squares, projected, components, prior = known.squares, known.projected, known.components, known.prior
    total = cp.square / max(n - p, 1)
    if often and has_columns_of_its_own(known):
        covariance = plain_start(roots.data, roots, rest, known, total, n)
        if covariance is not None:
            return Moments([covariance], [squares])
    D = np.array([component.repeated(k).matrix for component in components])
    system, moments = _equations(roots, rest, prior, D, n)
    of_component = np.array([projected[c.a] if c.a == c.b else 0.0 for c in components])
    values = solve_bounded(system, moments, *bounds(components, of_component, total))
    sigma2 = max(values[-1], 0.05 * total)
    return Moments(positive(cp, components, values[:-1] / sigma2, of_component), [squares])


def has_columns_of_its_own(known: Forms) -> bool:
    """Whether X leaves a part of every column that counts."""
    return bool((known.projected > LEAST_PROJECTED * known.squares).all())


def plain_start(data: np.ndarray, roots: Sizes, rest: np.ndarray, known: Forms, total: float, n: float) -> np.ndarray | None:
    """The covariance (k, k) of a start that meets no bound, in a compiled call; None for others.

    Parameters
    ----------
    data, roots, rest
        As of `solver.groups.first.descend`.
    total : float
        The variance of y.
    n : float
    """
    return started(data, roots, rest, known.prior, known.pairs, known.projected, total, n, SMALLEST_SHARE)


@lru_cache(maxsize=64)
def _components(k: int) -> tuple[tuple[Component, ...], np.ndarray]:
    """The components, and their entries (c, 2); not to be changed."""
    pairs = [(a, b) for a in range(k) for b in range(a, k)]
    return tuple(Component(0, a, b) for a, b in pairs), np.array(pairs)


def _equations(roots: GroupRoots, rest: np.ndarray, prior: np.ndarray, D: np.ndarray, n: float) -> tuple[np.ndarray, np.ndarray]:
    """The matrix (c + 1, c + 1) of tr(PV_cPV_d) and the forms (c + 1,) y'PV_cPy, the identity last.

    Parameters
    ----------
    prior : (k,)
        Variances of the effects over sigma2 at which P is taken.
    D : (c, k, k)
        Those of the single variances among them.
    """
    p, factor, flat = len(rest) - 1, np.diag(np.sqrt(prior)), D.reshape(len(D), -1)
    w = rest + roots.deviance(factor)[0]
    beta, phi, _ = solve_fixed(w[:p, :p], w[:p, p])
    v = np.append(-beta, 1.0)
    columns = np.zeros((p + 1, max(p, 1)))
    columns[:p, :p] = semidefinite_root(phi)
    sums = roots.moments(factor, columns)
    slopes = (flat @ sums.B.reshape(flat.shape[1], -1)).reshape(len(D), p + 1, p + 1)
    inside = (phi @ slopes[:, :p, :p]).reshape(len(D), -1)
    turned = (phi @ slopes[:, :p, :p]).transpose(0, 2, 1).reshape(len(D), -1)
    k = len(prior)
    products = (sums.HH - 2.0 * sums.HC).transpose(3, 0, 1, 2).reshape(k * k, k * k)
    system, moments = np.empty((len(D) + 1,) * 2), np.empty(len(D) + 1)
    system[:-1, :-1] = flat @ products @ flat.T + inside @ turned.T
    at_prior = np.array([prior @ np.diag(d) if not np.triu(d, 1).any() else 0.0 for d in D])
    traces = flat @ sums.H.ravel() - slopes.reshape(len(D), -1) @ (columns @ columns.T).ravel()
    system[:-1, -1] = system[-1, :-1] = traces - system[:-1, :-1] @ at_prior
    system[-1, -1] = n - p - at_prior @ (traces + system[:-1, -1])
    moments[:-1] = slopes @ v @ v
    moments[-1] = v @ w @ v - at_prior @ moments[:-1]
    return system, moments
