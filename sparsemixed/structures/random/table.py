"""The one table of covariance structures of random effects: the parser, the documentation and the property tests read it."""

from __future__ import annotations

from sparsemixed.structures.random.base import RandomStructure
from sparsemixed.structures.random.exchangeable import Exchangeable
from sparsemixed.structures.random.identity import Identity
from sparsemixed.structures.random.independent import Independent
from sparsemixed.structures.random.unstructured import Unstructured

STRUCTURES: dict[str, type[RandomStructure]] = {
    family.name: family for family in (Independent, Exchangeable, Identity, Unstructured)
}
"""Name -> family."""

DEFAULT, DEFAULT_OF_FACTOR = Independent.name, Identity.name
"""The structures of an equation, and of one that is `R.varname`, where none is named."""


def random_structure(name: str, m: int) -> RandomStructure:
    """The family's matrices of m effects. One effect has a variance and nothing else, whatever was asked."""
    return Identity(1) if m == 1 else STRUCTURES[name](m)


def structure_of_levels(name: str, most: int, n_levels: int) -> RandomStructure:
    """The family's matrix for the levels of `R.varname`, of which a group has at most `most`; see `RandomStructure.of_levels`."""
    return Identity(1) if most == 1 else STRUCTURES[name].of_levels(most, n_levels)


def covariances_of_factors() -> str:
    """The structures that `R.varname` takes, as a message names them, those without covariances first."""
    names = {
        stand: [name for name, family in STRUCTURES.items() if family.factor_levels == stand] for stand in ("groups", "columns")
    }
    return " or ".join(f"covariance({name})" for name in (*names["groups"], *names["columns"]))
