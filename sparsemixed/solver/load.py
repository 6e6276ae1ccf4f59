"""Machine code that is kept on disk, loaded without all that numba compiles with, which a small fit spends much of its time on.

Before numba looks into its files it loads whatever its compiler may ever meet: unicode, sets, random numbers, linear algebra with
scipy's. Code that is there needs none of it, only the names of the functions by which it counts references to arrays. Beside the
code a file holds what loops that call this one are compiled from: numba reads that in any case, which takes longer than the rest.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
from llvmlite.binding import ModuleRef, add_symbol, parse_assembly, parse_bitcode
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.runtime import _nrt_python

KNOWN = (0, 60), (0, 68)
"""First and last version of numba of which it is known what its `load_overload` and `rebuild` load besides; any other does as it
likes."""


def known() -> bool:
    """Whether numba's version is known to need no more than `Kept` does."""
    return KNOWN[0] <= numba.version_info.short <= KNOWN[1]


def is_kept(loop: Any) -> bool:
    """Whether machine code of a loop for this processor is on disk; False also where numba's version is not known."""
    if not isinstance(loop._cache, KeptPart):
        return False
    here = loop.targetctx.codegen().magic_tuple()
    return any(machine == here for _, machine, _ in loop._cache._cache_file._load_index())


class KeptPart(FunctionCache):
    """Numba's folder of a function's machine code; where there is none, the compiler begins with what is left out here."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code for a signature, None where it is not there; numba's lock of the compiler is held."""
        _name_runtime()
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


class _Loaded(CompileResultCacheImpl):
    """Numba's reader of a file, which leaves what others are compiled from as it is until something is compiled."""

    def rebuild(self, target_context: Any, payload: tuple) -> Any:
        """The code of a function that Python calls."""
        (name, kind, content), described, *rest = payload
        if kind != "object":
            return super().rebuild(target_context, payload)
        code, source = content
        # Of the names that the code defines numba asks for this one alone.
        target_context.codegen()._engine._defined_symbols.add(described.llvm_cpython_wrapper_name)
        found = super().rebuild(target_context, ((name, kind, (code, _nothing())), described, *rest))
        _read_later(found.library, source)
        return found


class Kept(KeptPart):
    """The same of a function that Python calls."""

    _impl_class = _Loaded


def _read_later(library: Any, source: bytes) -> None:
    """Have the library's module for other loops read from LLVM's bitcode when one of them asks for it."""

    def module() -> ModuleRef:
        if library._shared_module is None:
            library._shared_module = parse_bitcode(source)
        return library._shared_module

    library._shared_module, library._get_module_for_linking = None, module


@cache
def _nothing() -> bytes:
    """The bitcode of a module without functions."""
    return parse_assembly("").as_bitcode()


def _name_runtime() -> None:
    """Make the functions known that count references; to say so twice changes nothing, and takes some microseconds."""
    for name, address in _nrt_python.c_helpers.items():
        add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
