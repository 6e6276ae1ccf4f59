"""What `emmeans` and `emtrends` are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sparsemixed.errors import OptionError
from sparsemixed.postestimation.emmeans.methods import DEFAULTS, method_names
from sparsemixed.spec.names import names_in

WEIGHTS = ("equal", "proportional", "outer", "cells", "flat")
ADJUSTMENTS = ("none", "tukey", "dunnett", "mvt", "scheffe", "bonferroni", "sidak", "holm", "fdr")
Custom = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class EmmeansRequest:
    """Means on a reference grid, and what is compared.

    Attributes
    ----------
    specs, by : tuple of str
        Whose levels are shown; within each combination of the levels of `by` means are compared.
    at : dict
        Variable -> values or levels that the grid has.
    weights : str
        Of the combinations that are averaged over.
    contrast : str or mapping
        How means are compared, empty for not at all; or coefficients by name.
    reference : object
        The level that others are compared with; None for the one that the method says.
    adjust : str
    level : float
        In per cent.
    small : bool
        t tests with the fit's degrees of freedom.
    trend : str
        Covariate whose slope is averaged in place of the prediction.
    """

    specs: tuple[str, ...]
    by: tuple[str, ...] = ()
    at: Mapping[str, tuple] = field(default_factory=dict)
    weights: str = "equal"
    contrast: str | Custom = ""
    reference: Any = None
    adjust: str = "none"
    level: float = 95.0
    small: bool = False
    trend: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The variables of a mean, `by` first."""
        return (*self.by, *self.specs)


def read_request(command: str, specs: Any, options: Mapping[str, Any], small: bool, level: float) -> EmmeansRequest:
    """Check a call.

    Parameters
    ----------
    command : str
        For messages.
    specs : str or sequence of str
    options : mapping
        by, at, weights, pairwise, contrast, reference, adjust, trend.

    Raises
    ------
    OptionError
        For anything that is unknown, of the wrong kind, or in conflict.
    """
    shown, within = variable_names(specs, "specs", command), variable_names(options.get("by") or (), "by", command)
    if not shown:
        raise OptionError(f"{command}: name at least one factor")
    twice = next((name for name in (*within, *shown) if (*within, *shown).count(name) > 1), None)
    if twice is not None:
        raise OptionError(f"{command}: {twice} is named twice")
    contrast = _contrast(command, options)
    return EmmeansRequest(
        specs=shown,
        by=within,
        at=grid_values(options.get("at"), command),
        weights=grid_weights(options.get("weights", "equal"), command),
        contrast=contrast,
        reference=options.get("reference"),
        adjust=_adjustment(command, options.get("adjust"), contrast),
        level=level,
        small=small,
        trend=names_in([options["trend"]], f"{command}: var")[0] if "trend" in options else "",
    )


def _contrast(command: str, options: Mapping[str, Any]) -> str | Custom:
    given = options.get("contrast")
    if given is None or given == "":
        contrast: Any = "pairwise" if options.get("pairwise") else ""
    else:
        contrast = given
    if options.get("pairwise") and contrast not in ("pairwise", "revpairwise"):
        raise OptionError(f"{command}: pairwise and contrast={contrast!r:.40} cannot be combined")
    if isinstance(contrast, str):
        if contrast and contrast not in DEFAULTS:
            raise OptionError(f"{command}: contrast={contrast!r} is not one of {method_names()}, or a mapping of coefficients")
    elif not isinstance(contrast, Mapping) or not contrast:
        raise OptionError(f"{command}: contrast takes one of {method_names()}, or a mapping of coefficients")
    if options.get("reference") is not None and contrast not in ("trt.vs.ctrl", "trt.vs.ctrl1", "trt.vs.ctrlk"):
        raise OptionError(f"{command}: reference goes with contrast='trt.vs.ctrl'")
    return contrast


def _adjustment(command: str, given: Any, contrast: str | Custom) -> str:
    if given is None:
        return DEFAULTS[contrast] if isinstance(contrast, str) and contrast else "none"
    if given not in ADJUSTMENTS:
        raise OptionError(f"{command}: adjust={given!r} is not one of {', '.join(ADJUSTMENTS)}")
    if given == "tukey" and contrast not in ("", "pairwise", "revpairwise"):
        raise OptionError(f"{command}: adjust='tukey' is for all pairs; 'mvt' holds for any contrasts")
    return given


def grid_weights(weights: Any, command: str) -> str:
    """A key of `WEIGHTS`.

    Raises
    ------
    OptionError
    """
    if weights not in WEIGHTS:
        raise OptionError(f"{command}: weights={weights!r} is not one of {', '.join(WEIGHTS)}")
    return weights


def grid_values(at: Any, command: str) -> dict[str, tuple]:
    """The values of each variable that `at` names.

    Raises
    ------
    OptionError
        Unless it is a mapping.
    """
    if at is None:
        return {}
    if not isinstance(at, Mapping):
        raise OptionError(f"{command}: at takes a mapping, such as {{'age': [20, 40]}}; found {type(at).__name__}")
    return {name: _values(value) for name, value in at.items()}


def _values(value: Any) -> tuple:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return (value,)
    return tuple(one.item() if hasattr(one, "item") else one for one in value)


def variable_names(given: Any, what: str, command: str) -> tuple[str, ...]:
    """Names between blanks, `#`, `*`, or of a list.

    Raises
    ------
    OptionError
        Anything but names.
    """
    try:
        names = (
            tuple(given.replace("#", " ").replace("*", " ").replace("~", " ").split()) if isinstance(given, str) else tuple(given)
        )
    except TypeError:
        names = (given,)
    if not all(isinstance(name, str) and name for name in names):
        raise OptionError(f"{command}: {what} takes names of factors; found {given!r:.40}")
    return names
