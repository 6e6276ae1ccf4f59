"""Weights of rows and of groups as the likelihood needs them: products along the path from the top level to the row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.design.data.codes import first_rows
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.groups.nesting import crossed_pair, levels_from_the_top
from sparsemixed.design.values import RandomTerm, Weights
from sparsemixed.design.weights.scaling import scaled
from sparsemixed.design.weights.values import weight_values
from sparsemixed.errors import OptionError
from sparsemixed.spec import ModelSpec, Weight, WeightSpec
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES


@dataclass(frozen=True)
class PathWeights:
    """Products of weights, row by row.

    Attributes
    ----------
    kind : {"frequency", "sampling", "precision"}
    rows : (n,) float64
        The weights of the row and of all groups that hold it.
    levels : dict
        Grouping of a level -> (n,) float64: the weights of the row's group at that level and of all groups that hold this.
    """

    kind: str
    rows: np.ndarray
    levels: dict[tuple[str, ...], np.ndarray]


def path_weights(spec: ModelSpec, rows: Rows, groups: Groups) -> PathWeights | None:
    """Evaluate, scale (pwscale()) and multiply the weights of the rows used; None without weights.

    Raises
    ------
    OptionError
        Weights of groups that are crossed, or that are not defined with the residual structure.
    """
    weights = spec.weights
    if weights is None:
        return None
    order = levels_from_the_top(spec.random, groups)
    _check_nested(spec, weights, groups)
    _check_residual(spec, weights, order)
    one = np.ones(rows.n)
    own = one if weights.rows is None else weight_values(weights, weights.rows, rows.frame)[rows.kept]
    of_level = {weight.grouping: weight_values(weights, weight, rows.frame)[rows.kept] for weight in weights.groups}
    if weights.scale is not None:
        (level,) = order
        own, of_level[level] = scaled(weights.scale, own, of_level.get(level, one), *groups.codes(level))
    path, levels = one, {}
    for level in order:
        path = path * of_level[level] if level in of_level else path
        levels[level] = path
    return PathWeights(weights.kind, own * path, levels)


def term_weights(paths: PathWeights, spec: ModelSpec, terms: tuple[RandomTerm, ...]) -> Weights:
    """The weights of the rows and of the groups of each random term."""
    groups = []
    for term in terms:
        # The groups of R.varname lie within those of its level and have no weights of their own.
        level = spec.random[term.blocks[0].position].grouping
        groups.append(paths.levels[level][first_rows(term.codes, term.n_groups)])
    return Weights(paths.kind, paths.rows, tuple(groups))


def _error(spec: ModelSpec, message: str, *weights: Weight) -> OptionError:
    position = next((weight.position for weight in weights if weight.position is not None), None)
    return OptionError(message, None if position is None else spec.text, position)


def _check_nested(spec: ModelSpec, weights: WeightSpec, groups: Groups) -> None:
    """Groups may be replicated only if the ones below belong to them alone."""
    if weights.kind == "precision" or (weights.kind == "frequency" and not weights.groups):
        return
    pair = crossed_pair(spec.random, groups)
    if pair is None:
        return
    if weights.kind == "sampling":
        message = (
            f"pweights need nested groups, and {pair[0]} and {pair[1]} are crossed: the pseudolikelihood is a weighted sum over "
            "groups that share nothing; nest the levels, or leave one out"
        )
        raise _error(spec, message, *weights.each)
    message = (
        f"{weights.written(weights.groups[0])} weights groups, and {pair[0]} and {pair[1]} are crossed; with crossed factors "
        "only frequency weights of the observations are defined, [fweight=exp]"
    )
    raise _error(spec, message, *weights.groups)


def _check_residual(spec: ModelSpec, weights: WeightSpec, order: tuple[tuple[str, ...], ...]) -> None:
    """Correlated errors go with weights of the top level, which replicate whole independent pieces of the data."""
    if RESIDUAL_STRUCTURES[spec.residual.name].independent_rows:
        return
    for weight in weights.groups:
        if weight.grouping != order[0]:
            message = (
                f"{weights.written(weight)} is not allowed with residuals({spec.residual.name}): only groups of the top level "
                f"may have weights then, and {weight.label} is below it"
            )
            raise _error(spec, message, weight)
