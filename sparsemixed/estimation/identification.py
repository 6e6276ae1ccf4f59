"""Whether the data can tell the variance parameters apart: the rank of the design of second moments.

The (restricted) likelihood knows the parameters through K'VK alone (K = I under maximum likelihood, else K'X = 0). With the
derivatives V_k by all of them, the Gram matrix

    G_kl = tr(QV_k QV_l),    Q = I - XX' for orthonormal X (or I),

has the rank of the map from parameters to moments, and of the expected information tr(PV_k PV_l) / 2 with it: P and Q have the
same null space. Its null vectors are exact: along them the likelihood does not change. V is linear in variances and covariances,
so that for independent errors G depends on the design alone and is made of cross-products, whatever the number of rows; with
small clusters of correlated errors it is summed over their patterns at the fit; with large clusters, or groups that weights
replicate, it is probed (see `estimation.moment_probes`). It is looked at where a fit gives reason to: on a boundary, where no
step was left, or where the observed information is nearly singular - the rank decides, not rounding in the information.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.estimation.fit import Component, Identification
from sparsemixed.estimation.interface import FD, FE, FittedObjective
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedDeviance
from sparsemixed.estimation.parameters import Place, ThetaMap
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.linalg import clearly_definite, unit_diagonal
from sparsemixed.structures.random.linear_basis import entries_on_edge, linear_basis
from sparsemixed.structures.random.unstructured import Unstructured

if TYPE_CHECKING:
    from sparsemixed.estimation.objectives.patterns import PatternObjective
    from sparsemixed.estimation.quadratic_forms import Repeated

IDLE = 1e-24
"""Squares of a derivative, relative to the largest, that are none."""
NULL = 1e-12
"""Eigenvalue of G, scaled to a unit diagonal, up to which it is zero: a thousand times its rounding."""
SUSPECT = 1e-4
"""The same of the observed information, below which G is looked at: more than rounding can move a zero."""
TOUCHED = 1e-5
"""Entry of a null vector, in scaled parameters of which the vector has length one, up to which a parameter has no part in it."""
MOST_WORK, MOST_WORK_AT_EDGE = 5e8, 5e7
"""Square of the number of parameters times nonzeros of Z'Z up to which G is made; and where only a boundary gives reason to."""


class Entries(NamedTuple):
    """The parameters of one block in which V is linear.

    Attributes
    ----------
    place : Place
    entries : (m,) int
        Those that are not held at zero, among those that the block's component prints.
    basis : (m, k, k)
        Derivatives of the covariance matrix of the engine's effects, in coordinates in which they are far from collinear.
    back : (m, m)
        The printed entries by these coordinates.
    on_edge : (m,) bool
        Those that the fit has on the boundary.
    gone : bool
        All of the block's variances are zero.
    """

    place: Place
    entries: np.ndarray
    basis: np.ndarray
    back: np.ndarray
    on_edge: np.ndarray
    gone: bool


def identified(
    objective: FittedObjective[FE, FD],
    at: FE,
    boundary: np.ndarray,
    information: np.ndarray | None,
    converged: bool,
    parts: tuple[Component, ...],
    design: Design,
) -> tuple[tuple[Component, ...], Identification | None]:
    """The components, their parameters that are not identified marked as such, and what is said of them.

    Parameters
    ----------
    objective : FittedObjective
    at : Evaluation
        At the fit.
    boundary : (n_theta,) bool
    information : (n_theta + 1, n_theta + 1) float64 or None
        Observed, rows of the boundary zero.
    converged : bool
    parts : tuple of Component

    Returns
    -------
    tuple of Component
    Identification or None
        None where all parameters are identified, and where the design is too large to tell.
    """
    doubtful = _doubtful(boundary, information, converged)
    if not doubtful and not boundary.any():
        return parts, None
    own = [_entries(place, at.theta, boundary, objective.parameters) for place in objective.parameters.places]
    limits = np.append(boundary[objective.parameters.n_theta :], False)
    gram = _gram(objective, at, own, limits[:-1], MOST_WORK if doubtful else MOST_WORK_AT_EDGE, design)
    if gram is None:
        return parts, None
    none = np.zeros(limits.size, bool)
    apart = [np.concatenate([*each, end]) for each, end in zip(_subsets(own), (none, limits, limits), strict=True)]
    never, on_edge, zero = ([*null_vectors(gram, where).T] for where in apart)
    if not never:
        return parts, None
    parts = tuple(_marked(part, own, np.array(never), _lengths(gram)) for part in parts)
    return parts, Identification(_sentence(parts, len(never)), len(on_edge), len(zero))


def clearly_identified(boundary: np.ndarray, information: np.ndarray | None, converged: bool) -> bool:
    """Whether nothing gives reason to look; arguments as of `identified`."""
    return not boundary.any() and not _doubtful(boundary, information, converged)


def _doubtful(boundary: np.ndarray, information: np.ndarray | None, converged: bool) -> bool:
    """Whether no step was left, or the information is nearly singular, or unknown."""
    if information is None or not converged:
        return True
    if not boundary.any() and clearly_definite(information, SUSPECT):
        return False
    free = np.append(~boundary, True)
    return smallest(information if free.all() else information[np.ix_(free, free)]) < SUSPECT


def _subsets(own: list[Entries]) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Which entries are left out: none; those on the boundary; those of blocks that are zero."""
    sizes = [len(part.entries) for part in own]
    none = [np.zeros(size, bool) for size in sizes]
    return none, [part.on_edge for part in own], [np.full(size, part.gone) for size, part in zip(sizes, own, strict=True)]


def smallest(information: np.ndarray) -> float:
    """Smallest eigenvalue of an information matrix scaled to a unit diagonal; -inf where it is not finite."""
    if not np.all(np.isfinite(information)):
        return -np.inf
    return float(np.linalg.eigvalsh(unit_diagonal(information)[1])[0])


def null_vectors(gram: np.ndarray, without: np.ndarray) -> np.ndarray:
    """(m, r) null vectors of a Gram matrix scaled to a unit diagonal, zero in the places `without` (m,) bool.

    Examples
    --------
    >>> np.abs(null_vectors(np.array([[1.0, 2.0], [2.0, 4.0]]), np.zeros(2, bool))).round(6)
    array([[0.707107],
           [0.707107]])
    """
    used = np.flatnonzero(~without)
    values, vectors = np.linalg.eigh(gram[np.ix_(used, used)] / np.outer(_lengths(gram)[used], _lengths(gram)[used]))
    found = np.zeros((len(gram), int((values < NULL).sum())))
    found[used] = vectors[:, values < NULL]
    return found


def _lengths(gram: np.ndarray) -> np.ndarray:
    """(m,) roots of the diagonal, ones for what V does not depend on at all."""
    diagonal = np.diag(gram)
    return np.sqrt(np.where(diagonal > IDLE * diagonal.max(initial=0.0), diagonal, 1.0 + diagonal.max(initial=0.0) / NULL))


def _entries(place: Place, theta: np.ndarray, boundary: np.ndarray, layout: ThetaMap) -> Entries:
    structure, held = place.block.structure, layout.held[place.theta]
    plain = linear_basis(structure)
    kept = ~entries_on_edge(structure, held)
    basis = named = plain[kept]
    if isinstance(structure, Unstructured) and kept.any():
        # The family is closed under linear maps of the effects: in its own basis the columns are orthonormal.
        behind = np.arange(structure.m) >= structure.m - len(structure.last)
        own = plain[~plain[:, behind].any(axis=(1, 2))]
        basis, named = place.structure.from_own_basis(own), structure.from_own_basis(own)
    size = (len(basis), structure.m**2)
    back = np.linalg.lstsq(plain[kept].reshape(size).T, named.reshape(size).T, rcond=None)[0]
    on_edge = entries_on_edge(structure, boundary[place.theta])[kept]
    gone = not structure.factor(theta[place.theta]).any()
    return Entries(place, np.flatnonzero(kept), basis, back, on_edge, gone)


def _gram(
    objective: FittedObjective[FE, FD], at: FE, own: list[Entries], limits: np.ndarray, most: float, design: Design
) -> np.ndarray | None:
    """G of the entries of all blocks, in their coordinates, and of the errors' own parameters; None where it is out of reach."""
    from sparsemixed.estimation.moment_probes import (  # delayed, with what it needs, for a quick start, as all below
        Direction,
        probed_gram,
    )
    from sparsemixed.estimation.objectives.patterns import PatternObjective
    from sparsemixed.estimation.objectives.precision import PrecisionObjective

    rho = at.theta[objective.parameters.n_theta :]
    # At a limit V does not move with a parameter: what it would do inside decides.
    inside = np.where(limits, np.clip(rho, -1.0, 1.0), rho)
    if isinstance(objective, PatternObjective):
        return _gram_of_patterns(objective, inside, own)
    replicated = design.weights is not None and design.weights.replicates_groups
    if isinstance(objective, PrecisionObjective) or (replicated and isinstance(objective, PenalizedDeviance)):
        order = objective.parameters.order
        directions = [Direction(order[part.place.term], part.place.column, basis) for part in own for basis in part.basis]
        return probed_gram(design, directions, inside, objective.reml)
    if not isinstance(objective, PenalizedDeviance):
        return None
    count = sum(len(part.entries) for part in own)
    if (count + 1) ** 2 * float(objective.cp.cross.size + objective.cp.first.size) > most:
        return None
    return _gram_of_products(objective.cp, own, objective.reml)


def _gram_of_products(cp: CrossProducts, own: list[Entries], reml: bool) -> np.ndarray:
    """With independent errors: V_k = Z (I x B_k) Z', and the identity last."""
    from sparsemixed.estimation.quadratic_forms import QuadraticForms

    p = cp.ZtXy.shape[1] - 1 if reml else 0
    forms = QuadraticForms(cp, cp.ZtXy[:, :p], [_repeated(cp, part.place, basis) for part in own for basis in part.basis])
    out = np.empty((forms.count + 1,) * 2)
    out[:-1, :-1] = forms.products()
    out[-1, :-1] = out[:-1, -1] = forms.traces()
    out[-1, -1] = cp.n - p
    return (out + out.T) / 2


def _repeated(cp: CrossProducts, place: Place, basis: np.ndarray) -> Repeated:
    """B on the columns of a place, zero on the others of its term."""
    from sparsemixed.estimation.quadratic_forms import Repeated

    matrix, own = np.zeros((cp.k[place.term],) * 2), slice(place.column, place.column + len(basis))
    matrix[own, own] = basis
    return Repeated(place.term, matrix)


def _gram_of_patterns(objective: PatternObjective, rho: np.ndarray, own: list[Entries]) -> np.ndarray:
    """With errors of any kind: V_k pattern by pattern, by (rho, log sigma2) for the errors, over sigma2."""
    p = objective.p
    count = sum(len(part.entries) for part in own) + rho.size + 1
    out, inside = np.zeros((count, count)), np.zeros((count, p, p))
    fixed = np.diag(np.append(np.ones(p), 0.0))
    for batch in objective.batches:
        moves = []
        for part in own:
            z = batch.columns[part.place.term][..., part.place.column : part.place.column + part.place.block.structure.m]
            moves += [np.where(batch.shared[part.place.term], z @ b @ z.transpose(0, 2, 1), 0.0) for b in part.basis]
        R = objective.residual.covariance(rho, batch.t)
        moves += [np.where(batch.linked, change, 0.0) for change in (*objective.residual.dcovariance(rho, batch.t), R)]
        every = np.array(moves)
        weights = batch.counts[:, None, None] * np.eye(R.shape[-1])
        if objective.reml:
            weights = weights - 2.0 * batch.outer(fixed)
            inside += batch.quadratics(every)[:, :p, :p]
        out += (weights @ every).reshape(count, -1) @ every.transpose(0, 1, 3, 2).reshape(count, -1).T
    out += np.einsum("kab,lba->kl", inside, inside)
    return (out + out.T) / 2


def _marked(part: Component, own: list[Entries], never: np.ndarray, lengths: np.ndarray) -> Component:
    """The component with its parameters marked that the null vectors `never` (r, m) move."""
    rows = _rows(part, own, len(lengths))
    unknown = np.any(np.abs(never / lengths @ rows.T) > TOUCHED * np.abs(rows / lengths).sum(axis=1), axis=0)
    variances = tuple(replace(p, identified=not u) for p, u in zip(part.variances, unknown, strict=True))
    # A standard deviation is known with its variance; a correlation takes a covariance and two variances.
    mixed = [u if p.kind in ("variance", "sd") else unknown.any() for p, u in zip(part.deviations, unknown, strict=True)]
    return replace(
        part,
        variances=variances,
        deviations=tuple(replace(p, identified=not u) for p, u in zip(part.deviations, mixed, strict=True)),
    )


def _rows(part: Component, own: list[Entries], count: int) -> np.ndarray:
    """(printed, count) the parameters that a component prints, by the coordinates of G; to first order for errors."""
    rows, start = np.zeros((len(part.variances), count)), 0
    for entry in own:
        stop = start + len(entry.entries)
        if part.position is not None and entry.place.block.position == part.position:
            rows[entry.entries, start:stop] = entry.back
        start = stop
    if part.position is None:
        rows[:, start:] = [parameter.gradient[part.start :] for parameter in part.variances]
    return rows


def _sentence(parts: tuple[Component, ...], directions: int) -> str:
    """What is not identified, by name, with the number of directions in which the likelihood does not change."""
    names = []
    for part in parts:
        of = "" if part.block is None else f" of {part.block.equation}"
        names += [f"{parameter.label}{of}" for parameter in part.variances if not parameter.identified]
    if not names:  # they move none of what is printed: variances of the errors that have run to zero
        return "The likelihood does not depend on some directions of the variance parameters."
    if len(names) == 1:
        return f"{names[0]} is not identified: the likelihood does not depend on it. It has no standard error."
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    if len(names) == directions:
        return f"{listed} are not identified: the likelihood does not depend on them. They have no standard errors."
    why = "the likelihood depends only on combinations of them"
    return f"{listed} are not identified together: {why}. They have no standard errors."
