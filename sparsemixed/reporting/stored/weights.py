"""What is stored of a model's weights."""

from __future__ import annotations

from functools import partial

from sparsemixed.estimation.fit import Fit
from sparsemixed.reporting.stored.row import Condition, Stored
from sparsemixed.spec import ModelSpec, Weight

OF_ROWS = ("wtype", "wexp", "marginswtype", "marginswexp")


def stored_weights(spec: ModelSpec) -> dict[str, str]:
    """Names with their texts: `wtype` and `wexp` (the rows'), `fweight1` or `pweight1` (the highest level's), `fweight2` ...,
    and `pwscale`; each only if there is such a weight."""
    weights = spec.weights
    if weights is None:
        return {}
    levels = list(dict.fromkeys(equation.grouping for equation in spec.random))
    found = {} if weights.rows is None else _of_rows(weights.name, weights.rows)
    found |= {f"{weights.name}{levels.index(w.grouping or ()) + 1}": w.text for w in weights.groups}
    return found if weights.scale is None else found | {"pwscale": weights.scale}


def _of_rows(kind: str, weight: Weight) -> dict[str, str]:
    """The rows' weight, which margins use too."""
    expression = f"= {weight.text}"
    return dict(zip(OF_ROWS, (kind, expression, kind, expression), strict=True))


def weight_rows(spec: ModelSpec) -> tuple[Stored, ...]:
    """Rows for everything that could be stored of weights, with the names of groups' weights for the levels of a model."""
    levels = range(1, len({equation.grouping for equation in spec.random}) + 1)
    of_groups = [f"{kind}{level}" for kind in ("fweight", "pweight") for level in levels]
    return (
        *(_row(name, "weights of the observations") for name in OF_ROWS),
        *(_row(name, "weights of that level and kind") for name in of_groups),
        _row("pwscale", "pwscale()"),
    )


def _row(name: str, advice: str) -> Stored:
    return Stored(name, "macro", partial(_text, name=name), Condition(partial(_has, name=name), advice))


def _text(fit: Fit, name: str) -> str:
    """The weight's expression or kind, or the method of pwscale()."""
    return stored_weights(fit.spec)[name]


def _has(fit: Fit, name: str) -> bool:
    return name in stored_weights(fit.spec)
