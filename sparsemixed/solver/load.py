"""Machine code that is kept on disk, loaded without all that numba compiles with, which a small fit spends much of its time on.

Before numba looks into its files it loads whatever its compiler may ever meet: unicode, sets, random numbers, linear algebra with
scipy's. Code that is there needs none of it, only the names of the functions by which it counts references to arrays. Nor does it
need the modules that its functions were written in, all of which numba loads (4 MB for those of arrays), nor what is kept beside
it for other functions to be compiled with: the same in LLVM's own language, 10 MB once all that a small fit calls is taken apart.
"""

from __future__ import annotations

import pickle
import sys
from typing import Any

import numba
from llvmlite.binding import add_symbol, parse_bitcode
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompileResult
from numba.core.environment import Environment, lookup_environment
from numba.core.runtime import _nrt_python

KNOWN = (0, 60), (0, 68)
"""First and last version of numba of which it is known how kept code is written, and what reading it loads besides; any other
does as it likes."""


def known() -> bool:
    """Whether numba's version is known to need no more than `Kept` does."""
    return KNOWN[0] <= numba.version_info.short <= KNOWN[1]


def is_kept(loop: Any) -> bool:
    """Whether machine code of a loop for this processor is on disk; False also where numba's version is not known."""
    if not isinstance(loop._cache, Kept):
        return False
    here = loop.targetctx.codegen().magic_tuple()
    return any(machine == here for _, machine, _ in loop._cache._cache_file._load_index())


class _Library(JITCodeLibrary):
    """Machine code and, as it was kept, the same in LLVM's language: taken apart once a function is compiled that calls it."""

    kept: bytes | None = None

    def _get_module_for_linking(self) -> Any:
        if self.kept is not None:
            self._shared_module, self.kept = parse_bitcode(self.kept), None
        return super()._get_module_for_linking()


class _Target:
    """Numba's target and its generator of code in one, but for how libraries come back."""

    def __init__(self, target: Any, names: tuple[str, ...]) -> None:
        self._target, self._names = target, names

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def codegen(self) -> _Target:
        return self

    def unserialize_library(self, kept: tuple[str, str, Any]) -> Any:
        """As numba's; of the names that the code defines it makes those known that the function is called by."""
        codegen, (name, kind, content) = self._target.codegen(), kept
        if kind != "object":
            return codegen.unserialize_library(kept)
        library = _Library(codegen, name)
        code, library.kept = content
        library.enable_object_caching()
        library._set_compiled_object(code)
        library._finalize_final_module()
        codegen._engine._defined_symbols.update(name for name in self._names if name.encode() in code)
        return library


class _Results(CompileResultCacheImpl):
    """What the files hold, made into functions by `_Target`."""

    def rebuild(self, target_context: Any, payload: tuple[Any, ...]) -> Any:
        described = payload[1]
        target = _Target(target_context, (described.llvm_func_name, described.llvm_cpython_wrapper_name))
        return CompileResult._rebuild(target, *payload)._replace(target_context=target_context)


class Kept(FunctionCache):
    """Numba's folder of a function's machine code; where there is none, the compiler begins with what is left out here."""

    _impl_class = _Results

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._cache_file = _Files(self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp())

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code for a signature, None where it is not there; numba's lock of the compiler is held."""
        _name_runtime()
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


def _name_runtime() -> None:
    """Make the functions known that count references; to say so twice changes nothing, and takes some microseconds."""
    for name, address in _nrt_python.c_helpers.items():
        add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


class _Files(IndexDataCacheFile):
    """Numba's files of a function's machine code, read without the modules that it was written in."""

    def _load_data(self, name: str) -> Any:
        with open(self._data_path(name), "rb") as file:
            return _Reader(file).load()


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _environment if name == "_rebuild_env" else super().find_class(module, name)


def _environment(module: str, constants: list[Any], name: str) -> Environment:
    """As numba makes one for a function by its module's name and its own, but for modules that are not loaded.

    Machine code that knows all types looks up no name of its module while it runs.
    """
    environment = lookup_environment(name)
    if environment is None:
        names = vars(sys.modules[module]) if module in sys.modules else {"__name__": module}
        environment = Environment._memo[name] = Environment(names)
        environment.consts[:], environment.env_name = constants, name
    return environment
