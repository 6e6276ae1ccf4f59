"""The one theta vector: which numbers belong to which structure, and how they fill Lambda."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from sparsemixed.design.values import RandomBlock, RandomTerm
from sparsemixed.structures.random.linear_basis import effects_on_edge


@dataclass(frozen=True)
class Place:
    """Where one block stands: engine term, first column inside the term, slice of theta."""

    block: RandomBlock
    term: int
    column: int
    theta: slice


class Held(NamedTuple):
    """Parameters that stay at zero: their places in theta, and why in words."""

    theta: np.ndarray
    words: str


@dataclass(frozen=True)
class Parameters:
    """All structures of a model.

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

    @property
    def held(self) -> np.ndarray:
        """(n_theta,) bool: what stays at zero."""
        out = np.zeros(self.n_theta, bool)
        for hold in self.holds:
            out[hold.theta] = True
        return out

    def factors(self, theta: np.ndarray) -> list[np.ndarray]:
        """One (k, k) matrix Lambda_t for each engine term."""
        out = [np.zeros((k, k)) for k in self.k]
        for place in self.places:
            stop = place.column + place.block.structure.m
            out[place.term][place.column : stop, place.column : stop] = place.block.structure.factor(theta[place.theta])
        return out

    def directions(self) -> list[list[np.ndarray]]:
        """dLambda / dtheta_j for every j: constants, because the factors are linear in theta; zeros for what is held at zero."""
        out, held = [], self.held
        for place in self.places:
            for derivative in place.block.structure.dfactor():
                factors = [np.zeros((k, k)) for k in self.k]
                stop = place.column + place.block.structure.m
                if not held[len(out)]:
                    factors[place.term][place.column : stop, place.column : stop] = derivative
                out.append(factors)
        return out

    def nearest(self, covariances: Sequence[np.ndarray]) -> np.ndarray:
        """theta of the structures closest to one (k, k) covariance over sigma2 for each engine term; zero where it is held."""
        theta, held = np.empty(self.n_theta), self.held
        for place in self.places:
            stop = place.column + place.block.structure.m
            part = covariances[place.term][place.column : stop, place.column : stop]
            gone = effects_on_edge(place.block.structure, held[place.theta])
            part = np.where(gone[:, None] | gone, 0.0, part) if gone.any() else part
            theta[place.theta] = place.block.structure.nearest(part)
        return np.where(held, 0.0, theta)

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
            stop = place.column + place.block.structure.m
            squares = mean_squares[place.term][place.column : stop]
            wanted = squares @ np.diag(covariances[place.term])[place.column : stop]
            given = squares @ np.sum(place.block.structure.factor(theta[place.theta]) ** 2, axis=1)
            if given > 0 and abs(given - wanted) > 1e-8 * given and not held[place.theta].any():
                theta[place.theta] *= np.sqrt(wanted / given)
        return theta

    def stand_alone(self) -> np.ndarray:
        """(n_theta,) bool: the parameters that are standard deviations of effects without covariances."""
        out = np.zeros(self.n_theta, bool)
        for place in self.places:
            derivatives = np.abs(place.block.structure.dfactor())
            for k, own in enumerate(derivatives):
                others = derivatives.sum(axis=0) - own
                effects = own.any(axis=0)
                alone = not others[effects].any() and not others[:, effects].any()
                out[place.theta.start + k] = alone and not (own - np.diag(np.diag(own))).any()
        return out

    def singular_faces(self) -> list[tuple[np.ndarray, np.ndarray, str]]:
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
            for form, word in zip(block.structure.singular_faces(), words, strict=True):
                full = np.zeros(self.n_theta)
                full[place.theta] = form
                own = np.flatnonzero(full)
                if np.all(held[own]):
                    continue
                out.append((own if np.all(alone[own]) else whole, full, word))
        return out


NO_TERM = -1
"""Place in `Parameters.order` of a head without effects, where no term can be eliminated block-wise."""


def parameters(random: Sequence[RandomTerm], may_lead: Sequence[bool] | None = None, innermost_first: bool = False) -> Parameters:
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
            places.append(Place(block, engine[r], column, slice(start, stop)))
            start, column = stop, column + block.structure.m
    return Parameters(tuple(order), tuple(1 if r == NO_TERM else random[r].k for r in order), tuple(places))


def _well_scaled(block: RandomBlock, columns: np.ndarray) -> RandomBlock:
    """The block with its structure's parameters in coordinates suited to its columns (n, m)."""
    leading = block.names.index("_cons") if "_cons" in block.names else 0
    return replace(block, structure=block.structure.in_basis(columns.T @ columns / len(columns), leading))
