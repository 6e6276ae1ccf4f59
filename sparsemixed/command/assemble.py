"""From what the text says of a model, in either language, and its options to a specification."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sparsemixed.command.constraints import read_constraints
from sparsemixed.command.error_group import error_group
from sparsemixed.command.option_reader import read_keywords
from sparsemixed.command.rules import check_rules
from sparsemixed.command.settings import Settings
from sparsemixed.command.weight_rules import all_weights
from sparsemixed.command.weights import TypedWeight, keyword_weights, split_keywords
from sparsemixed.errors import OptionError
from sparsemixed.spec import (
    DisplayOptions,
    EstimationOptions,
    ModelSpec,
    RandomEquation,
    ResidualSpec,
    Sample,
    Term,
    Vce,
    WeightSpec,
)
from sparsemixed.spec.computed import Computed

ONLY_EM = 20
"""Stata's default of emiterate(), where EM is all there is."""


@dataclass(frozen=True)
class Parts:
    """What a text says of a model, apart from options of the whole model.

    Attributes
    ----------
    response : str
    fixed : tuple of Term
    constant : bool
    random : tuple of RandomEquation
    positions : dict
        Variable name to first offset in the text.
    sample : Sample
    weights : sequence of TypedWeight
        Those in the text.
    full_coding : bool
        See `ModelSpec`.
    deviations : bool
        Whether standard deviations are shown unless variances are asked for (xtmixed).
    computed : tuple of Computed
    offsets : tuple of str
    """

    response: str
    fixed: tuple[Term, ...]
    constant: bool
    random: tuple[RandomEquation, ...]
    positions: dict[str, int]
    sample: Sample = field(default_factory=Sample)
    weights: Sequence[TypedWeight] = ()
    full_coding: bool = False
    deviations: bool = False
    computed: tuple[Computed, ...] = ()
    offsets: tuple[str, ...] = ()

    @property
    def of_functions(self) -> dict[str, Any]:
        """What only formulas have."""
        return {"computed": self.computed, "offsets": self.offsets}


def assemble(parts: Parts, settings: Settings, keywords: Mapping[str, object]) -> ModelSpec:
    """The specification of a model.

    Parameters
    ----------
    parts : Parts
    settings : Settings
        With the options of the text; takes those among the keywords, which are options and weights by name.
    keywords : mapping

    Raises
    ------
    OptionError
        For options that are unknown, contradict each other, or do not go together.
    """
    weight_keywords, others = split_keywords(keywords)
    shared = read_keywords(others, settings)
    if shared.get("constant") is True and not parts.constant:
        raise OptionError(f"noconstant=False contradicts {'the formula' if parts.full_coding else 'noconstant in the command'}")
    random = parts.random
    if shared.get("collinear"):
        random = tuple(replace(equation, collinear=True) for equation in random)
    weights = all_weights([*parts.weights, *keyword_weights(weight_keywords, random)], random, settings)
    check_rules(settings, weights)
    residual = _residual(settings, random, parts.full_coding)
    of_weights = (weight.weight.expression.positions for weight in parts.weights)
    return ModelSpec(
        text=settings.source,
        response=parts.response,
        fixed=parts.fixed,
        constant=parts.constant and bool(shared.get("constant", True)),
        random=random,
        sample=parts.sample,
        estimation=_estimation(settings),
        display=replace(DisplayOptions(stddeviations=parts.deviations), **settings.of_part("display")),
        positions=_first(parts.positions, *of_weights, residual.positions),
        full_coding=parts.full_coding,
        residual=residual,
        weights=weights,
        constraints=read_constraints(settings),
        vce=_vce(settings, weights),
        tsset=settings.placed("data", "tsset"),
        abbreviations=bool(settings.value("data", "abbreviations", False)),
        **parts.of_functions,
    )


def _residual(settings: Settings, random: tuple[RandomEquation, ...], formula: bool) -> ResidualSpec:
    """The errors' structure, with the level that holds them; a keyword argument has no places in the model's text."""
    residual = replace(settings.residual(), group=error_group(settings, random, formula))
    return residual if residual.position is not None else replace(residual, positions={})


def _first(*found: Mapping[str, int]) -> dict[str, int]:
    """The offset of each name in the first of the mappings that has it."""
    pairs: Iterable[tuple[str, int]] = (pair for one in reversed(found) for pair in one.items())
    return dict(pairs)


def _estimation(settings: Settings) -> EstimationOptions:
    """The estimation options asked for, the others at their defaults."""
    options = EstimationOptions(**settings.of_part("estimation"))
    if options.emonly and settings.asked("estimation", "emiterate") is None:
        return replace(options, emiterate=ONLY_EM)
    return options


def _vce(settings: Settings, weights: WeightSpec | None) -> Vce:
    """The covariance matrix asked for; robust by default with sampling weights."""
    sampling = weights is not None and weights.kind == "sampling"
    return settings.placed("vce", "vce", Vce("robust") if sampling else Vce())
