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
    from sparsemixed import datasets, priors
    from sparsemixed.api import load, mixed, prepare
    from sparsemixed.bayes_prefix import bayes
    from sparsemixed.comparisons import anova, compare, cross_validate, lrtest
    from sparsemixed.fitting.designed_data import crossing, extend
    from sparsemixed.fitting.many_responses import mixed_many
    from sparsemixed.repeated.groups_and_windows import rolling, statsby
    from sparsemixed.repeated.imputed import mi
    from sparsemixed.repeated.power import power, power_curve
    from sparsemixed.repeated.prefixed import by
    from sparsemixed.two_steps import mixedlm

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "anova",
    "bayes",
    "by",
    "compare",
    "cross_validate",
    "crossing",
    "datasets",
    "errors",
    "extend",
    "load",
    "lrtest",
    "mi",
    "mixed",
    "mixed_many",
    "mixedlm",
    "power",
    "power_curve",
    "prepare",
    "priors",
    "rolling",
    "statsby",
]
_PLACES = {
    **dict.fromkeys(("load", "mixed", "prepare"), "api"),
    "bayes": "bayes_prefix",
    "by": "repeated.prefixed",
    **dict.fromkeys(("anova", "compare", "cross_validate", "lrtest"), "comparisons"),
    **dict.fromkeys(("crossing", "extend"), "fitting.designed_data"),
    "mi": "repeated.imputed",
    "mixed_many": "fitting.many_responses",
    "mixedlm": "two_steps",
    **dict.fromkeys(("power", "power_curve"), "repeated.power"),
    **dict.fromkeys(("rolling", "statsby"), "repeated.groups_and_windows"),
}
"""Name -> the file that it comes from."""


def __getattr__(name: str) -> Any:
    # Compiled code, pandas and scipy are loaded when first needed: the command line's --help must not wait for them.
    if name in _PLACES:
        # Kept, so that the next call is one of a plain name.
        return globals().setdefault(name, getattr(import_module(f"sparsemixed.{_PLACES[name]}"), name))
    if name in ("datasets", "priors"):
        return import_module(f"sparsemixed.{name}")
    raise AttributeError(f"module 'sparsemixed' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
