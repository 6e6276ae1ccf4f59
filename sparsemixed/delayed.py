"""Modules that are imported when something of them is first asked for: what takes long to load, and a small fit does without."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any


class Delayed:
    """Stands for a module in the files that may need it.

    Type checkers are shown the module itself, as `if TYPE_CHECKING: import scipy.sparse as sp`.

    Examples
    --------
    >>> special = Delayed("math")
    >>> special.sqrt(4.0)
    2.0
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        # Kept, so that it is an attribute like any other the next time.
        return self.__dict__.setdefault(attribute, getattr(import_module(self._name), attribute))


if TYPE_CHECKING:
    import scipy.linalg as linalg
    import scipy.sparse as sp
    import scipy.sparse.csgraph as csgraph
    import scipy.sparse.linalg as sparse_linalg
else:
    linalg, sp = Delayed("scipy.linalg"), Delayed("scipy.sparse")
    csgraph, sparse_linalg = Delayed("scipy.sparse.csgraph"), Delayed("scipy.sparse.linalg")
