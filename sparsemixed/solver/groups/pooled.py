"""Groups with the same Z'Z, as those of a balanced panel are: few groups that give the same sums at every lambda.

Where R_i is the same, every sum over groups (`solver.groups.roots`) is linear in that of outer(q_i, q_i), over all k P numbers of
q_i. So m groups of one kind are as good as k P of them whose numbers are the rows of the triangle of a QR factorization, each
standing for m / (k P) groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.solver.groups.roots import GroupRoots

WORTH_POOLING = 2.0
"""How many times fewer groups are worth it."""


@dataclass(frozen=True)
class GroupProducts:
    """What `GroupRoots` is made of: Z'Z (J, k, k), Z'[X y] (J, k, P), and how many groups each one stands for, (J,) or None."""

    first: np.ndarray
    right: np.ndarray
    weights: np.ndarray | None = None

    def roots(self) -> GroupRoots:
        """Their triangular roots."""
        return GroupRoots(self.first, self.right, self.weights)

    def pooled(self) -> GroupProducts | None:
        """Fewer groups with the same sums; None where that would not be `WORTH_POOLING` times fewer."""
        kinds = self._kinds()
        if kinds is None:
            return None
        few, counts, order = self._few, np.bincount(kinds), np.argsort(kinds, kind="stable")
        alone = order[np.repeat(counts <= few, counts)]
        first, right, weights = [self.first[alone]], [self.right[alone]], [self._stand_for(alone)]
        for end, count in zip(np.cumsum(counts), counts, strict=True):
            if count > few:
                own, share = order[end - count : end], count / few
                rows = np.linalg.qr(self.right[own].reshape(count, few), mode="r")
                first.append(np.repeat(share * self.first[own[:1]], few, axis=0))
                right.append(np.sqrt(share) * rows.reshape(few, *self.right.shape[1:]))
                weights.append(np.repeat(share * self._stand_for(own[:1]), few))
        return GroupProducts(np.concatenate(first), np.concatenate(right), np.concatenate(weights))

    @property
    def _few(self) -> int:
        """Numbers of Z'[X y], and groups that stand for any number of one kind."""
        return self.right[0].size

    def _stand_for(self, groups: np.ndarray) -> np.ndarray:
        return np.ones(len(groups)) if self.weights is None else self.weights[groups]

    def _kinds(self) -> np.ndarray | None:
        """(J,) numbers of kinds, within which Z'Z and what groups stand for are the same to the last bit; None of too many."""
        own = self.first.reshape(len(self.first), -1)
        kinds = np.zeros(len(own), np.int64)
        for column in (*own.T, *([] if self.weights is None else [self.weights])):
            if not self._worth(kinds):
                return None
            if np.any(column != column[0]):
                known = np.unique(column, return_inverse=True)[1]
                kinds = np.unique(kinds * (known.max() + 1) + known, return_inverse=True)[1]
        return kinds if self._worth(kinds) else None

    def _worth(self, kinds: np.ndarray) -> bool:
        return WORTH_POOLING * np.minimum(np.bincount(kinds), self._few).sum() <= len(kinds)
