"""How many threads BLAS may use: one for small matrices, where waking and joining threads costs more than the work."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache

from threadpoolctl import ThreadpoolController

WORTH_THREADS = 1500
"""Order of a dense matrix from which more threads pay (measured on 2 cores; below it they lose when the machine is busy)."""


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def blas_threads(order: int) -> AbstractContextManager:
    """Context in which BLAS runs on one thread if the largest dense matrix has less than WORTH_THREADS rows.

    With larger ones only scipy keeps its LAPACK threads: numpy serves small products here, and its idle threads would keep
    a core busy for some 25 ms after each (measured: a quarter of a large crossed fit). The compiled loops keep their
    own threads. The previous setting is restored on leaving.
    """
    if order < WORTH_THREADS:
        return _controller().limit(limits=1, user_api="blas")
    paths = [library.filepath for library in _controller().lib_controllers]
    numpys = [path for path in paths if "numpy.libs" in path or "numpy/.dylibs" in path]
    return _controller().select(filepath=numpys).limit(limits=1) if numpys else nullcontext()
