"""What the sample tells of the effects of any groups: of those that it had their predictions, of new ones their distribution."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sparsemixed.delayed import linalg
from sparsemixed.errors import DataError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.prediction.joint_errors import FactoredFit, factored_fit, joint_errors
from sparsemixed.postestimation.prediction.joint_values import JointErrors
from sparsemixed.postestimation.random_covariances import term_covariances
from sparsemixed.solver.crossproducts.block_products import times_lambda
from sparsemixed.solver.factored.places import entries


class Prior:
    """Means, covariances (the coefficients known) and moves with the coefficients of effects, in the columns ZT of `JointErrors`.

    Parameters
    ----------
    fit : Fit
    """

    def __init__(self, fit: Fit):
        self._fit = fit
        self._G = term_covariances(fit)

    @cached_property
    def errors(self) -> JointErrors:
        """Of the groups of the sample; computed when one of them is met."""
        return joint_errors(self._fit)

    @cached_property
    def _factored(self) -> FactoredFit:
        return factored_fit(self._fit)

    @property
    def root(self) -> np.ndarray:
        """(p, r) root of the coefficients' covariance, in whose coordinates the moves are."""
        return self.errors.root if "errors" in vars(self) else self._fit.root

    @cached_property
    def _bases(self) -> tuple[np.ndarray | None, ...]:
        by_position = {c.position: c.block for c in self._fit.components if c.block is not None}
        found: list[np.ndarray | None] = []
        for term in self._fit.design.random:
            own = [by_position[block.position] for block in term.blocks]
            bases = [b.structure.chosen_basis for b in own if b is not None]
            plain = all(T is None for T in bases)
            blocks = [np.eye(b.structure.m) if T is None else T for b, T in zip(own, bases, strict=True) if b is not None]
            found.append(None if plain else np.asarray(linalg.block_diag(*blocks)))
        return tuple(found)

    def columns(self, t: int, columns: np.ndarray) -> np.ndarray:
        """ZT (m, k) of a term's columns Z (m, k)."""
        T = self._bases[t]
        return columns if T is None else columns @ T

    def effects(self, t: int, values: np.ndarray) -> np.ndarray:
        """Named effects (..., k) of those of the columns ZT."""
        T = self._bases[t]
        return values if T is None else values @ T.T

    def effect_variances(self, t: int, covariances: np.ndarray) -> np.ndarray:
        """(g, k) variances of the named effects, from covariances (g, k, k) of those of the columns ZT."""
        T = self._bases[t]
        return np.diagonal(covariances if T is None else T @ covariances @ T.T, axis1=1, axis2=2)

    def of_groups(self, groups: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Means (E,), covariance (E, E) and moves (E, r) of the effects of groups (g,) of each term, new ones after the known."""
        random = self._fit.design.random
        means, covariances, moves = [], [], []
        known = [np.flatnonzero(own < term.n_groups) for own, term in zip(groups, random, strict=True)]
        rank = self._fit.root.shape[1]
        for t, (own, here) in enumerate(zip(groups, known, strict=True)):
            k, T = random[t].k, self._bases[t]
            mean, move, C = np.zeros((len(own), k)), np.zeros((len(own), k, rank)), np.zeros((len(own), k, k))
            C[:] = self._G[t] if T is None else np.linalg.solve(T, np.linalg.solve(T, self._G[t]).T)
            if here.size:
                u = self._fit.u[t][own[here]]
                mean[here] = u if T is None else np.linalg.solve(T, u.T).T
                move[here], C[here] = self.errors.moves[t][own[here]], self.errors.own[t][own[here]]
            means.append(mean.ravel())
            moves.append(move.reshape(-1, rank))
            covariances.append(linalg.block_diag(*C) if len(C) else np.zeros((0, 0)))
        total = np.asarray(linalg.block_diag(*covariances)) if covariances else np.zeros((0, 0))
        if sum(len(here) for here in known) > 1:
            self._between(total, groups, known)
        return np.concatenate([*means, np.zeros(0)]), total, np.concatenate([*moves, np.zeros((0, rank))])

    def _between(self, C: np.ndarray, groups: tuple[np.ndarray, ...], known: list[np.ndarray]) -> None:
        """Fill in the covariances between known groups: those that met in a row are at hand, others are solved for."""
        random = self._fit.design.random
        starts = np.cumsum([0, *(len(own) * term.k for own, term in zip(groups, random, strict=True))])
        places = [starts[t] + here[:, None] * random[t].k + np.arange(random[t].k) for t, here in enumerate(known)]
        if any(len(here) > 1 for here in known) or not self._met(C, groups, known, places):
            every = np.concatenate([p.ravel() for p in places])
            C[np.ix_(every, every)] = self._solved([own[here] for own, here in zip(groups, known, strict=True)])

    def _met(self, C: np.ndarray, groups: tuple[np.ndarray, ...], known: list[np.ndarray], places: list[np.ndarray]) -> bool:
        """Whether all pairs of terms, with at most one known group each, met in a row: then the blocks are filled in."""
        alone = [t for t, here in enumerate(known) if len(here)]
        for i, t in enumerate(alone):
            for u in alone[i + 1 :]:
                pair, own, other = self.errors.pair(t, u), groups[t][known[t]], groups[u][known[u]]
                (place,) = entries(pair.indptr, pair.groups, other, own)
                if place < 0:
                    return False
                C[np.ix_(places[t][0], places[u][0])] = pair.values[place]
                C[np.ix_(places[u][0], places[t][0])] = pair.values[place].T
        return True

    def _solved(self, groups: list[np.ndarray]) -> np.ndarray:
        """(E, E) joint covariance of known groups, by a solution for each effect."""
        if not self._fit.design.has_rows:
            raise DataError(
                "predict: the new responses tie known groups together, and what the sample tells of them jointly needs its rows: "
                "save the fit with data=True, or update groups that the sample did not have"
            )
        factored = self._factored
        at, cp, order = factored.at, factored.at.cp, factored.layout.order
        rows = np.concatenate(
            [
                (cp.slices[order.index(t)].start + own[:, None] * cp.k[order.index(t)] + np.arange(cp.k[order.index(t)])).ravel()
                for t, own in enumerate(groups)
            ]
        )
        rhs = np.zeros((cp.q, len(rows)))
        rhs[rows, np.arange(len(rows))] = 1.0
        solved = at.system.solve(times_lambda(cp, at.factors, rhs, transpose=True))
        found = at.sigma2 * times_lambda(cp, at.factors, solved)[rows]
        return (found + found.T) / 2
