"""Which weights go together, and with which other options: the rules that need no data."""

from __future__ import annotations

from collections.abc import Sequence

from sparsemixed.command.settings import Settings
from sparsemixed.command.weights import TypedWeight
from sparsemixed.errors import OptionError
from sparsemixed.spec import RandomEquation, Weight, WeightSpec
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES


def all_weights(typed: Sequence[TypedWeight], equations: Sequence[RandomEquation], settings: Settings) -> WeightSpec | None:
    """All weights of a model, checked.

    Parameters
    ----------
    typed : sequence of TypedWeight
        In the order of the text, keyword arguments last.
    equations : sequence of RandomEquation
    settings : Settings
        With the keyword arguments taken.

    Raises
    ------
    OptionError
        Kinds mixed, one level weighted in two ways, or another option that allows no weights.
    """
    _refuse_mixture(typed, settings)
    found: dict[tuple[str, ...] | None, TypedWeight] = {}
    for one in typed:
        before = found.setdefault(one.weight.grouping, one)
        if before.weight.expression != one.weight.expression:
            of = f"the groups of {one.weight.label}" if one.weight.label else "the observations"
            raise _error(settings, f"{one.written} contradicts {before.written}: {of} have one weight", one.weight)
    scale = settings.asked("weights", "scale")
    if not found:
        if scale is not None:
            _refuse_scale(settings, "scales sampling weights, and the model has none; add [pweight=exp] or drop it")
        return None
    order = list(dict.fromkeys(equation.grouping for equation in equations))
    groups = sorted((one.weight for key, one in found.items() if key is not None), key=lambda w: order.index(w.grouping or ()))
    rows = found[None].weight if None in found else None
    weights = WeightSpec(typed[0].kind, rows, tuple(groups), scale.value if scale is not None else None)  # type: ignore[arg-type]
    _check_estimation(weights, settings)
    _check_scale(weights, equations, settings)
    _check_whole_sample(weights, equations, settings)
    _check_residual(weights, settings)
    return weights


def _error(settings: Settings, message: str, *weights: Weight) -> OptionError:
    """An error at the first of the weights that stands in the text."""
    position = next((weight.position for weight in weights if weight.position is not None), None)
    return OptionError(message, None if position is None else settings.source, position)


def _refuse_mixture(typed: Sequence[TypedWeight], settings: Settings) -> None:
    for one in typed[1:]:
        if one.kind != typed[0].kind:
            message = (
                f"{one.written} does not go with {typed[0].written}: all weights of a model are of one kind, "
                "frequencies (fweight), sampling weights (pweight) or precisions (precision_weights)"
            )
            raise _error(settings, message, one.weight, typed[0].weight)


def _check_estimation(weights: WeightSpec, settings: Settings) -> None:
    """Precision weights only change the errors' variances; the others change what an observation is."""
    if weights.kind == "precision":
        return
    method, degrees = settings.asked("estimation", "method"), settings.asked("estimation", "dfmethod")
    if method is not None and method.value == "reml":
        message = (
            f"{weights.name}s are not allowed with reml: a restricted likelihood is not defined for weighted groups and "
            "observations; use mle, or precision_weights= if the weights are known precisions"
        )
        raise _error(settings, message, *weights.each)
    if degrees is not None:
        message = f"{weights.name}s are not allowed with dfmethod(): its methods count unweighted observations; drop it"
        raise _error(settings, message, *weights.each)


def _check_scale(weights: WeightSpec, equations: Sequence[RandomEquation], settings: Settings) -> None:
    if weights.scale is None:
        return
    if weights.kind != "sampling":
        _refuse_scale(settings, f"scales sampling weights, and the model has {weights.name}s; drop it")
    levels = list(dict.fromkeys(equation.label for equation in equations))
    if len({equation.grouping for equation in equations}) != 1:
        found = f"{len(levels)} levels of groups ({', '.join(levels)})" if levels else "no groups"
        why = "no rule is known for more levels: use weights that are conditional on selection at the level above"
        _refuse_scale(settings, f"is defined for two-level models, and this one has {found}; {why if levels else 'drop it'}")


def _refuse_scale(settings: Settings, why: str) -> None:
    scale = settings.asked("weights", "scale")
    assert scale is not None
    raise OptionError(f"{scale.written} {why}", None if scale.position is None else settings.source, scale.position)


def _check_whole_sample(weights: WeightSpec, equations: Sequence[RandomEquation], settings: Settings) -> None:
    """`_all` is a top level of one group, for crossed factors mostly."""
    whole = next((equation for equation in equations if not equation.grouping), None)
    if weights.kind == "sampling" and whole is not None:
        message = (
            f"pweights are not allowed with {whole.label}: the pseudolikelihood is a sum over independent groups and needs "
            "nested levels, and factors beside one that spans the whole sample are crossed; nest the levels, as in `|| a: || b:`"
        )
        raise _error(settings, message, *weights.each)


def _check_residual(weights: WeightSpec, settings: Settings) -> None:
    """Weights that replicate rows, for correlated errors; those of groups are a matter of levels, see the design."""
    residual = settings.residual()
    if weights.rows is None or weights.kind == "precision" or RESIDUAL_STRUCTURES[residual.name].independent_rows:
        return
    message = (
        f"{weights.written(weights.rows)} is not allowed with residuals({residual.name}): to replicate observations with "
        "correlated errors is not defined; weight the groups of the top level only, or use residuals(independent)"
    )
    raise _error(settings, message, weights.rows)
