"""Machine code that is kept on disk, loaded without all that numba compiles with, which a small fit spends much of its time on.

Before numba looks into its files it loads whatever its compiler may ever meet: unicode, sets, random numbers, linear algebra with
scipy's. Code that is there needs none of it, only the names of the functions by which it counts references to arrays.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite.binding import add_symbol
from numba.core.caching import FunctionCache
from numba.core.runtime import _nrt_python

KNOWN = (0, 60), (0, 68)
"""First and last version of numba of which it is known what its `load_overload` loads besides; any other does as it likes."""


def known() -> bool:
    """Whether numba's version is known to need no more than `Kept` does."""
    return KNOWN[0] <= numba.version_info.short <= KNOWN[1]


class Kept(FunctionCache):
    """Numba's folder of a function's machine code; where there is none, the compiler begins with what is left out here."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code for a signature, None where it is not there; numba's lock of the compiler is held."""
        _name_runtime()
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


def _name_runtime() -> None:
    """Make the functions known that count references; to say so twice changes nothing, and takes some microseconds."""
    for name, address in _nrt_python.c_helpers.items():
        add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
