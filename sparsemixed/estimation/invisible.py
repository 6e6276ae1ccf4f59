"""Random effects that the restricted likelihood does not see, held at zero.

The restricted likelihood knows V through K'VK alone, with K'X = 0. A direction c of a block's columns with Z_i c in the span of
X for every group i adds nothing to it: with Q = I - XX' for orthonormal X, the null space of T = sum_i Z_i'QZ_i. No data tell
the variance along c, and a search would carry it anywhere, the coefficients with it. T is sum_i (Z_i'Z_i - F_iF_i') with F_i =
Z_i'X: cross-products that are there anyway, whatever the covariance of the errors. A family whose effects each have a variance
of their own loses the effects that are such directions; an unstructured matrix loses as many effects as there are directions,
since K'VK takes any covariance matrix for another one without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sparsemixed.delayed import linalg
from sparsemixed.design.values import Design, RandomBlock
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates, engine_term
from sparsemixed.estimation.parameters import NO_TERM, Held, Place, ThetaMap
from sparsemixed.lapack import eigh
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, TermData
from sparsemixed.structures.random.linear_basis import effects_on_edge

WITHIN = 1e-10
"""Share of the squares of a direction outside of the span of X, up to which there is none."""
CLEARLY = 1e-4
"""Share of the squares of a direction outside of the span of X, above which nothing has to be looked at."""
COLLINEAR = 1e-12
"""Squares of a direction, relative to those of the columns, below which the columns have no such direction."""
NOT_IDENTIFIED = "not identified by REML"

Squares = tuple[np.ndarray, np.ndarray]
"""sum_i Z_i'Z_i and T of one term, each (k, k), of the engine's columns."""


def hold_invisible(layout: ThetaMap, cp: CrossProducts, reml: bool) -> ThetaMap:
    """The layout with everything held at zero that the likelihood does not see; by maximum likelihood it sees everything.

    Parameters
    ----------
    layout : ThetaMap
    cp : CrossProducts
        Of its terms, and of orthonormal X.
    reml : bool
    """
    return _holding(layout, squares_of_products(cp), cp.n) if reml else layout


def hold_invisible_rows(layout: ThetaMap, design: Design, orthogonal: OrthonormalCoordinates, reml: bool) -> ThetaMap:
    """The same from the rows of a design, with columns that suit it."""
    if not reml:
        return layout
    squares = [_squares_of_rows(design, orthogonal, layout, t) for t in range(len(layout.order))]
    return _holding(layout, squares, orthogonal.n_obs).rebased()


def squares_of_products(cp: CrossProducts) -> list[Squares]:
    """The squares of every term."""
    out, p = [], cp.ZtXy.shape[1] - 1
    for own, where, k in zip(cp.own_blocks, cp.slices, cp.k, strict=True):
        total = (np.ones(len(own)) @ own.reshape(len(own), k * k)).reshape(k, k)
        F = cp.ZtXy[where, :p].reshape(len(own), k, p).transpose(1, 0, 2).reshape(k, len(own) * p)
        out.append((total, total - F @ F.T))
    return out


def _squares_of_rows(design: Design, orthogonal: OrthonormalCoordinates, layout: ThetaMap, t: int) -> Squares:
    if layout.order[t] == NO_TERM:
        return np.zeros((1, 1)), np.zeros((1, 1))
    term: TermData = engine_term(design, layout, t)
    total = term.columns.T @ term.columns
    inside = np.zeros_like(total)
    for x in orthogonal.Q.T:
        F = np.column_stack([np.bincount(term.codes, column * x, term.n_groups) for column in term.columns.T])
        inside += F.T @ F
    return total, total - inside


def _holding(layout: ThetaMap, squares: Sequence[Squares], n: float) -> ThetaMap:
    if all(_clearly_visible(total, seen) for total, seen in squares):
        return layout
    places, holds = [], []
    for place in layout.places:
        total, seen = (square[place.columns, place.columns] for square in squares[place.term])
        directions = invisible(total, seen)
        if place.T is not None:
            back = np.linalg.inv(place.T)
            total, directions = back.T @ total @ back, place.T @ directions
        place, held = _held(place, total / n, _unit(directions * _lengths(total)[:, None]))
        places.append(place)
        holds += held
    return replace(layout, places=tuple(places), holds=tuple(holds))


def _clearly_visible(total: np.ndarray, seen: np.ndarray) -> bool:
    """Whether every direction has a good part of its squares outside of the span of X, and no column is made up by others.

    With columns scaled to length one no eigenvalue of `total` exceeds their number, and none is below the least of `seen`.
    """
    lengths = np.sqrt(total.diagonal())
    if not (lengths > 0).all():
        return False
    scaled = seen / lengths[:, None] / lengths
    return bool((scaled[0, 0] if len(scaled) == 1 else eigh(scaled)[0][0]) > CLEARLY)


def invisible(total: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(m, r) directions c with c'seen c = 0, of columns with squares `total`.

    Examples
    --------
    >>> invisible(np.eye(2), np.diag([1.0, 0.0])).round(12) + 0.0
    array([[0.],
           [1.]])
    """
    length = _lengths(total)
    values, vectors = np.linalg.eigh(total / np.outer(length, length))
    there = values > COLLINEAR * values[-1]
    white = vectors[:, there] / np.sqrt(values[there])
    share, turn = np.linalg.eigh(white.T @ (seen / np.outer(length, length)) @ white)
    return white @ turn[:, share < WITHIN] / length[:, None]


def _lengths(total: np.ndarray) -> np.ndarray:
    """(m,) lengths of columns with squares `total`; one for columns of zeros."""
    squares = np.diag(total)
    return np.sqrt(np.where(squares > 0, squares, 1.0))


def _unit(directions: np.ndarray) -> np.ndarray:
    """(m, r) the directions, each of length one."""
    return directions / np.linalg.norm(directions, axis=0)


def _held(place: Place, gram: np.ndarray, directions: np.ndarray) -> tuple[Place, list[Held]]:
    """The place with what its block holds at zero; `directions` scaled as if the columns as named had length one."""
    block, theta = place.block, np.arange(place.theta.start, place.theta.stop)
    m, r = directions.shape
    if r == m:
        return place, [Held(theta, _words(block, tuple(range(m)), directions))]
    if not r:
        return place, []
    leading = block.names.index("_cons") if "_cons" in block.names else 0
    effects = _effects(place, directions)
    found = block.structure.without(effects, gram, leading) if effects else None
    if found is None:
        return place, []
    structure, gone = found
    return replace(place, block=replace(block, structure=structure)), [Held(theta[gone], _words(block, effects, directions))]


def _effects(place: Place, directions: np.ndarray) -> tuple[int, ...]:
    """The effects to leave out: those that are directions themselves, or as many as there are directions if effects covary."""
    structure = place.block.structure
    apart = [np.delete(directions, a, axis=0) for a in range(structure.m)]
    # A unit vector lies in the span where a combination of the directions vanishes in all other places.
    alone = [a for a, rest in enumerate(apart) if np.linalg.matrix_rank(rest, tol=1e-6) < directions.shape[1]]
    if len(alone) == directions.shape[1] or effects_are_free(structure):
        return tuple(alone)
    *_, order = linalg.qr(directions.T, mode="economic", pivoting=True)
    return tuple(sorted(int(a) for a in order[: directions.shape[1]]))


def effects_are_free(structure) -> bool:
    """Whether every effect has a parameter of its own and no covariances."""
    own = structure.dfactor().any(axis=(0, 2)) if structure.n_theta == structure.m else np.zeros(0, bool)
    return bool(own.size and all(effects_on_edge(structure, np.arange(structure.m) == a)[a] for a in range(structure.m)))


def _words(block: RandomBlock, effects: tuple[int, ...], directions: np.ndarray) -> str:
    variances = " and ".join(f"var({block.names[a]})" for a in effects)
    are = "are" if len(effects) > 1 else "is"
    touched = [block.names[a] for a in np.flatnonzero(np.abs(directions).max(axis=1) > 1e-6)]
    names = [block.names[a] for a in effects]
    if set(touched) != set(names):
        what = f"a linear combination of {', '.join(touched)} within every level of {block.equation}"
    elif names == ["_cons"]:
        what = f"every level of {block.equation}"
    else:
        what = f"{', '.join(names)} within every level of {block.equation}"
    return f"{variances} of {block.equation} {are} {NOT_IDENTIFIED}: the fixed part holds {what}; held at 0"
