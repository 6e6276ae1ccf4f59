"""Linear mixed-effects models of any size: crossed and nested random effects by sparse linear algebra.

>>> import sparsemixed
>>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
>>> fit = sparsemixed.mixed("y time || id: time", data)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sparsemixed import errors

if TYPE_CHECKING:
    from sparsemixed import datasets
    from sparsemixed.api import anova, compare, cross_validate, load, lrtest, mixed, prepare
    from sparsemixed.fitting.many_responses import mixed_many
    from sparsemixed.two_steps import mixedlm

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "anova",
    "compare",
    "cross_validate",
    "datasets",
    "errors",
    "load",
    "lrtest",
    "mixed",
    "mixed_many",
    "mixedlm",
    "prepare",
]


def __getattr__(name: str) -> Any:
    # Compiled code, pandas and scipy are loaded when first needed: the command line's --help must not wait for them.
    if name in ("anova", "compare", "cross_validate", "load", "lrtest", "mixed", "prepare"):
        return getattr(import_module("sparsemixed.api"), name)
    if name == "mixed_many":
        return import_module("sparsemixed.fitting.many_responses").mixed_many
    if name == "mixedlm":
        return import_module("sparsemixed.two_steps").mixedlm
    if name == "datasets":
        return import_module("sparsemixed.datasets")
    raise AttributeError(f"module 'sparsemixed' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
