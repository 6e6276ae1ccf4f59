"""The one theta vector: which numbers belong to which structure, and how they fill Lambda."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from sparsemixed.design.deferred import changed
from sparsemixed.design.values import RandomBlock, RandomTerm
from sparsemixed.solver.rows import rows_times, squares, suits
from sparsemixed.structures.random.base import RandomStructure
from sparsemixed.structures.random.linear_basis import effects_on_edge


@dataclass(frozen=True)
class Place:
    """Where one block stands.

    Attributes
    ----------
    block : RandomBlock
        Its effects b as they are named and reported.
    term, column : int
        Engine term, and first column inside the term.
    theta : slice
    T : (m, m) float64 or None
        The engine has the columns ZT and the effects inv(T) b; None for T = I.
    """

    block: RandomBlock
    term: int
    column: int
    theta: slice
    T: np.ndarray | None = None

    @property
    def columns(self) -> slice:
        """Its columns inside the term."""
        return slice(self.column, self.column + self.block.structure.m)

    @cached_property
    def structure(self) -> RandomStructure:
        """Covariance matrices of the engine's effects."""
        return self.block.structure if self.T is None else self.block.structure.of_effects(self.T)


class Held(NamedTuple):
    """Parameters that stay at zero: their places in theta, and why in words."""

    theta: np.ndarray
    words: str


@dataclass(frozen=True)
class ThetaMap:
    """All structures of a model.

    Where a covariate lies far from zero, the products Z'Z of a constant and a slope agree in their leading digits and the
    likelihood depends on the others. A family that is closed under linear maps of the effects has the same likelihood in any
    columns ZT; in nearly orthonormal ones nothing cancels. So the engine works in ZT, with T the basis in which the family's
    theta is well scaled (`RandomStructure.in_basis`): columns enter it by `engine_columns`, effects leave it by `named_effects`,
    and covariances by `Place.block`, whose structure has the same theta. In other families T = I.

    Attributes
    ----------
    order : tuple of int
        For each engine term, its place in `design.random` (largest term first); NO_TERM for a head without effects.
    k : tuple of int
        Columns of each engine term.
    places : tuple of Place
        In the order of `design.random`, block after block, which is the order of theta.
    holds : tuple of Held
        What stays at zero, because the likelihood does not depend on it (see `estimation.invisible`).
    """

    order: tuple[int, ...]
    k: tuple[int, ...]
    places: tuple[Place, ...]
    holds: tuple[Held, ...] = ()

    @property
    def n_theta(self) -> int:
        """Number of parameters of all blocks together."""
        return self.places[-1].theta.stop if self.places else 0

    @cached_property
    def held(self) -> np.ndarray:
        """(n_theta,) bool: what stays at zero. Not to be changed."""
        out = np.zeros(self.n_theta, bool)
        for hold in self.holds:
            out[hold.theta] = True
        return out

    def factors(self, theta: np.ndarray) -> list[np.ndarray]:
        """One (k, k) matrix Lambda_t for each engine term, of the engine's effects."""
        out = [np.zeros((k, k)) for k in self.k]
        for place in self.places:
            out[place.term][place.columns, place.columns] = place.structure.factor(theta[place.theta])
        return out

    def bases(self) -> list[np.ndarray | None]:
        """T (k, k) of each engine term; None where it is the identity."""
        return self._by_term([place.T for place in self.places])

    def _by_term(self, matrices: Sequence[np.ndarray | None]) -> list[np.ndarray | None]:
        """The (k, k) matrices of each engine term with those of its places as diagonal blocks; None where all are identities."""
        out: list[np.ndarray | None] = [None] * len(self.k)
        for place, own in zip(self.places, matrices, strict=True):
            if own is not None:
                whole = out[place.term]
                whole = np.eye(self.k[place.term]) if whole is None else whole
                whole[place.columns, place.columns] = own
                out[place.term] = whole
        return out

    def rebased(self) -> ThetaMap:
        """The layout with T of the structures as they are, for columns that are yet to enter the engine.

        What is held at zero has coordinates of its own in them, which starting values from moments can leave out.
        """
        return replace(self, places=tuple(replace(place, T=place.block.structure.chosen_basis) for place in self.places))

    def engine_columns(self, columns: np.ndarray, t: int) -> np.ndarray:
        """ZT (n, k) of the columns Z (n, k) of engine term t.

        Column by column: rows that agree in Z agree in ZT to the last bit, so that patterns of rows stay patterns.
        """
        T = self.bases()[t]
        if T is None:
            return columns
        if suits(columns):
            return rows_times(columns, T)
        out = np.empty_like(columns)
        for j, weights in enumerate(T.T):
            out[:, j] = sum(columns[:, i] * weights[i] for i in np.flatnonzero(weights))
        return out

    def named_effects(
        self, means: Sequence[np.ndarray], variances: Sequence[np.ndarray]
    ) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
        """b (J, k) and their covariances (J, k, k) of those of the engine, inv(T) b; term by term of the design."""
        found = list(variances)
        for r, T in self._named_bases().items():
            if T is not None:
                found[r] = _congruent(T, variances[r])
        return self.named_means(means), tuple(found)

    def named_means(self, means: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """The first of `named_effects`."""
        found = list(means)
        for r, T in self._named_bases().items():
            if T is not None:
                found[r] = means[r] @ T.T
        return tuple(found)

    def _named_bases(self) -> dict[int, np.ndarray | None]:
        """inv(T) of every term of the design; None where it is the identity."""
        held, named = self.held, []
        for place in self.places:
            # What is held at zero is zero, not the rounding of a sum.
            gone = effects_on_edge(place.block.structure, held[place.theta])[:, None]
            named.append(None if place.T is None else np.where(gone, 0.0, place.T))
        return dict(zip(self.order, self._by_term(named), strict=True))

    def directions(self) -> list[list[np.ndarray]]:
        """dLambda / dtheta_j for every j: constants, because the factors are linear in theta; zeros for what is held at zero."""
        return self._directions

    @cached_property
    def _directions(self) -> list[list[np.ndarray]]:
        out, held = [], self.held
        for place in self.places:
            for derivative in place.structure.dfactor():
                factors = [np.zeros((k, k)) for k in self.k]
                if not held[len(out)]:
                    factors[place.term][place.columns, place.columns] = derivative
                out.append(factors)
        return out

    def nearest(self, covariances: Sequence[np.ndarray]) -> np.ndarray:
        """theta of the structures closest to one (k, k) covariance over sigma2 for each engine term; zero where it is held."""
        theta = np.empty(self.n_theta)
        for place in self.places:
            own = covariances[place.term]
            theta[place.theta] = place.structure.nearest(own if len(self.places) == 1 else own[place.columns, place.columns])
        return np.where(self.held, 0.0, theta) if self.holds else theta

    def on_scale(self, covariances: Sequence[np.ndarray], mean_squares: Sequence[np.ndarray]) -> np.ndarray:
        """theta of the `nearest` members, each scaled to the variance that the covariances give y.

        Where effects share a variance but their columns differ in size, the nearest matrix follows the largest entry, which may
        belong to the smallest column: on the largest it then claims many times the variance of y.

        Parameters
        ----------
        covariances : sequence of (k, k)
            As `nearest` takes them.
        mean_squares : sequence of (k,)
            Of the columns of each engine term.
        """
        theta, held = self.nearest(covariances), self.held
        for place in self.places:
            if place.block.structure.m == 1 or place.T is not None:
                continue  # a family of all covariance matrices, the nearest of which is the same
            squares = mean_squares[place.term][place.columns]
            wanted = squares @ covariances[place.term].diagonal()[place.columns]
            factor = place.structure.factor(theta[place.theta])
            given = squares @ (factor * factor).sum(axis=1)
            if given > 0 and abs(given - wanted) > 1e-8 * given and not held[place.theta].any():
                theta[place.theta] *= np.sqrt(wanted / given)
        return theta

    def stand_alone(self) -> np.ndarray:
        """(n_theta,) bool: the parameters that are standard deviations of effects without covariances."""
        out = np.zeros(self.n_theta, bool)
        for place in self.places:
            if place.structure.m == 1:
                out[place.theta] = True
                continue
            derivatives = np.abs(place.structure.dfactor())
            for k, own in enumerate(derivatives):
                others = derivatives.sum(axis=0) - own
                effects = own.any(axis=0)
                alone = not others[effects].any() and not others[:, effects].any()
                out[place.theta.start + k] = alone and not (own - np.diag(np.diag(own))).any()
        return out

    def face_forms(self) -> np.ndarray:
        """(f, n_theta): the forms in theta of all `singular_faces`, without what is said of them."""
        rows = [np.eye(self.n_theta)[hold.theta[:1]] for hold in self.holds]
        for place in self.places:
            own = self._forms(place)
            rows.append(own[own[:, ~self.held].any(axis=1)] if self.holds else own)
        return np.concatenate(rows)

    def _forms(self, place: Place) -> np.ndarray:
        """(f, n_theta): those of one place, of what is held too."""
        forms = place.block.structure.singular_faces()
        out = np.zeros((len(forms), self.n_theta))
        out[:, place.theta] = forms
        return out

    @cached_property
    def singular_faces(self) -> tuple[tuple[np.ndarray, np.ndarray, str], ...]:
        """Every linear form in theta whose vanishing makes a covariance singular, with its meaning in words.

        Before it the places in theta of what has no standard error there: of all of the block, but only of the one effect where
        it has no covariances. What is held at zero is on a face of its own.
        """
        out = [(hold.theta, np.eye(self.n_theta)[hold.theta[0]], hold.words) for hold in self.holds]
        alone, held = self.stand_alone(), self.held
        for place in self.places:
            block = place.block
            whole = place.theta.start + np.flatnonzero(~held[place.theta])
            words = block.structure.face_names(block.names, block.equation)
            for form, word in zip(self._forms(place), words, strict=True):
                own = np.flatnonzero(form)
                if held[own].all():
                    continue
                out.append((own if alone[own].all() else whole, form, word))
        return tuple(out)


def _congruent(T: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """T C T' for every C of (J, k, k); of small ones as one product of all their entries with the square of T by Kronecker."""
    if len(T) > SMALL:
        return T @ matrices @ T.T
    return (matrices.reshape(len(matrices), -1) @ np.kron(T, T).T).reshape(matrices.shape)


SMALL = 4
"""Order up to which one product with (k^2, k^2) costs less than many of (k, k)."""
NO_TERM = -1
"""Place in `ThetaMap.order` of a head without effects, where no term can be eliminated block-wise."""


def parameters(random: Sequence[RandomTerm], may_lead: Sequence[bool] | None = None, innermost_first: bool = False) -> ThetaMap:
    """Order the engine's terms by number of random effects and lay out theta.

    The first engine term is the largest that `may_lead` (all may, by default); where none may, one without effects. Weights
    of groups need nested terms `innermost_first`: by number of groups, and as typed from the bottom where these are equal.
    """
    order = sorted(range(len(random)), key=lambda r: -random[r].n_groups * random[r].k)
    if innermost_first:
        order = sorted(range(len(random)), key=lambda r: (-random[r].n_groups, -r))
    if may_lead is not None:
        head = next((r for r in order if may_lead[r]), NO_TERM)
        order = [head, *(r for r in order if r != head)]
    engine = {r: t for t, r in enumerate(order)}
    places, start = [], 0
    for r, term in enumerate(random):
        column = 0
        for block in term.blocks:
            block = _well_scaled(block, term.columns[:, column : column + block.structure.m])
            stop = start + block.structure.n_theta
            places.append(Place(block, engine[r], column, slice(start, stop), block.structure.chosen_basis))
            start, column = stop, column + block.structure.m
    return ThetaMap(tuple(order), tuple(1 if r == NO_TERM else random[r].k for r in order), tuple(places))


def _well_scaled(block: RandomBlock, columns: np.ndarray) -> RandomBlock:
    """The block with its structure's parameters in coordinates suited to its columns (n, m)."""
    leading = block.names.index("_cons") if "_cons" in block.names else 0
    gram = squares(columns) if suits(columns) else columns.T @ columns
    structure = block.structure.in_basis(gram / len(columns), leading)
    return block if structure is block.structure else changed(block, structure=structure)
