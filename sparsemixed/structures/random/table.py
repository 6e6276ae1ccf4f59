"""The one table of covariance structures: the parser, the documentation and the property tests read it."""

from __future__ import annotations

from sparsemixed.structures.base import Structure
from sparsemixed.structures.random.exchangeable import Exchangeable
from sparsemixed.structures.random.identity import Identity
from sparsemixed.structures.random.independent import Independent
from sparsemixed.structures.random.unstructured import Unstructured

STRUCTURES: dict[str, type[Structure]] = {
    structure.name: structure for structure in (Identity, Independent, Exchangeable, Unstructured)
}
