"""How the loops of the solvers are compiled: kept on disk where there is a place for it, and safe among threads and processes."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import Any

import numba
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock

from sparsemixed.errors import LOGGER
from sparsemixed.solver.load import Kept, known
from sparsemixed.solver.threads import shared_out, stretches

SMALL = 1 << 14
"""Numbers in all arrays of a loop below which it runs without threads: sharing it out takes longer, and much longer where other
processes have the cores."""


if hasattr(os, "register_at_fork"):
    # No fork amid a compilation of another thread: its lock would stay closed in the child.
    _open = global_compiler_lock.release
    os.register_at_fork(before=global_compiler_lock.acquire, after_in_parent=_open, after_in_child=_open)


class Uninterrupted(Compiler):
    """Numba's compiler while Python does not look for garbage, which takes an eighth of the time.

    Compiling makes very many objects, and with every so many of them all that the process has are gone through again.
    """

    def compile_extra(self, func: Callable) -> Any:
        """The machine code of a function; those that it calls are compiled meanwhile. Numba's lock of the compiler is held."""
        collects = gc.isenabled()
        gc.disable()
        try:
            return super().compile_extra(func)
        finally:
            if collects:
                gc.enable()


def _kept(function: Callable, **options: Any) -> Any:
    """`numba.njit`, the machine code kept on disk; compiled anew in every process where there is no folder to keep it in.

    Without what lets C call the loop, which nobody does and which takes a fifth of the time.
    """
    options = {"no_cfunc_wrapper": True, "pipeline_class": Uninterrupted, **options}
    try:
        if not known():
            return numba.njit(cache=True, **options)(function)
        kept = numba.njit(**options)(function)
        kept._cache = Kept(function)  # as `cache=True` does, which would load much besides
        return kept
    except RuntimeError as error:
        _tell_uncached(error)
        return numba.njit(**options)(function)


def compiled(function: Callable) -> Any:
    """A loop as machine code, which is kept on disk where there is a folder for it."""
    return _kept(function)


def compiled_part(function: Callable) -> Any:
    """As `compiled`, for what other compiled loops alone call: without the code that takes arguments from Python."""
    return _kept(function, no_cpython_wrapper=True)


def compiled_within(function: Callable) -> Any:
    """As `compiled`, for what another compiled loop calls in one place: written into that one, and compiled with it alone.

    Elsewhere a function is compiled by itself, and once more in every loop above it, which takes most of the time of all.
    """
    return _kept(function, inline="always")


def compiled_apart(function: Callable) -> Any:
    """As `compiled`, for loops of which threads of Python take parts that have nothing in common: they run side by side."""
    return _kept(function, nogil=True)


def compiled_sums(function: Callable) -> Any:
    """As `compiled`, for loops that threads of Python share out: they run side by side, and sums are taken in the order that
    vectors of the processor like best, the same in every run. A division by zero gives what IEEE 754 says, and no exception.
    """
    return _kept(function, nogil=True, fastmath={"reassoc", "nsz", "contract"}, error_model="numpy")


def compiled_stretches(number: Callable[..., int]) -> Callable[[Callable], Callable[..., None]]:
    """As `compiled`, for a loop over stretches of its iterations, its first two arguments: threads of Python share them out.

    Numba's own `parallel` loops take several times as long to be compiled, must not run side by side and do not outlive a fork.
    No iteration may depend on another, so that all stretches give the same numbers to the last digit. Over `SMALL` arrays there
    is one stretch.

    Parameters
    ----------
    number : callable
        From the other arguments to how many iterations there are.
    """

    def shared(function: Callable) -> Callable[..., None]:
        stretch = compiled_apart(function)

        def loop(*arguments: Any) -> None:
            end = number(*arguments)
            if sum(getattr(argument, "size", 0) for argument in arguments) < SMALL:
                stretch(0, end, *arguments)
            else:
                shared_out(lambda begin, end: stretch(begin, end, *arguments), *stretches(end))

        loop.__name__, loop.__doc__, loop.__module__ = function.__name__, function.__doc__, function.__module__
        return loop

    return shared


def _tell_uncached(error: RuntimeError) -> None:
    LOGGER.info("compiled loops cannot be kept on disk; NUMBA_CACHE_DIR names a folder (%s)", error)
