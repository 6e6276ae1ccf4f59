"""Loading all that a fit needs, without looking for garbage meanwhile and ever after.

What modules make stays, and Python would look through all of it again and again: a sixth of the time until the first fit.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module


def load_fitting() -> None:
    """Import `sparsemixed.api`, for a process that is the program's own: what is in memory by then is never collected."""
    if "sparsemixed.api" in sys.modules:
        return
    looking = gc.isenabled()
    gc.disable()
    try:
        import_module("sparsemixed.api")
        gc.freeze()
    finally:
        if looking:
            gc.enable()
