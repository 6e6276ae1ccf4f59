"""The groups at the top of a model, which share nothing with each other, and clusters of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.design.data.codes import first_rows
from sparsemixed.design.values import Design
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit


@dataclass(frozen=True)
class TopGroups:
    """Independent groups of rows, and the clusters that are drawn or left out.

    Attributes
    ----------
    codes : (n,) int64
        Group of each row.
    n_groups : int
    cluster : (J,) int64
        Cluster of each group.
    n_clusters : int
    """

    codes: np.ndarray
    n_groups: int
    cluster: np.ndarray
    n_clusters: int

    def weights(self, counts: np.ndarray) -> np.ndarray:
        """How often each group occurs (..., J), where each cluster occurs `counts` (..., C) times."""
        return counts[..., self.cluster].astype(float)


def nested(inner: np.ndarray, outer: np.ndarray) -> bool:
    """Whether every group of rows by codes `inner` (n,) lies within one of those by `outer`."""
    own = outer[first_rows(inner, int(inner.max()) + 1)]
    return bool(np.array_equal(own[inner], outer))


def levels(design: Design) -> list[tuple[np.ndarray, int]]:
    """Codes (n,) and number of the groups of every random term, and of the errors where these have a structure."""
    found = [(term.codes, term.n_groups) for term in design.random]
    part = design.residual
    return found if part is None else [*found, (part.codes, part.n_groups)]


def top_groups(design: Design, command: str, instead: str) -> tuple[np.ndarray, int]:
    """Codes and number of the groups that hold all others; rows, where nothing is grouped.

    Raises
    ------
    OptionError
        Some are crossed, or there is one alone; `instead` says what to do.
    """
    found = levels(design)
    if not found:
        return np.arange(design.n_rows), design.n_rows
    codes, number = min(found, key=lambda level: level[1])
    if not all(nested(own, codes) for own, _ in found):
        raise OptionError(
            f"{command} needs groups that share nothing, and this model has crossed random effects, whose rows are all tied "
            f"together; {instead}"
        )
    if number < 2:
        raise OptionError(
            f"{command} needs at least two groups that share nothing, and this model ties all rows together; {instead}"
        )
    return codes.astype(np.int64), number


def clustered(fit: Fit, clusters: np.ndarray | None, command: str, instead: str) -> TopGroups:
    """Top groups, and their clusters by codes (n,) of the rows: by default each is a cluster.

    Raises
    ------
    OptionError
        As of `top_groups`; a group has rows in several clusters.
    """
    codes, number = top_groups(fit.design, command, instead)
    if clusters is None:
        return TopGroups(codes, number, np.arange(number), number)
    if not nested(codes, clusters):
        raise OptionError(
            f"{command}: some groups of the model have rows in several clusters; clusters are to hold whole groups of the top "
            "level"
        )
    total = int(clusters.max()) + 1
    if total < 2:
        raise OptionError(f"{command}: there is one cluster alone")
    return TopGroups(codes, number, clusters[first_rows(codes, number)], total)
