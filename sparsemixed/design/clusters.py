"""Independent clusters of rows for robust standard errors: top-level groups, or the values of a variable above them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from sparsemixed.design.checks import changing_rows
from sparsemixed.design.data.codes import first_rows
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.groups.nesting import crossed_pair, levels_from_the_top
from sparsemixed.design.values import Clusters
from sparsemixed.design.weights.weights import PathWeights
from sparsemixed.errors import DataError, OptionError
from sparsemixed.spec import ModelSpec

FEWEST = 2
"""Number of clusters below which nothing varies between them."""


def clusters(spec: ModelSpec, rows: Rows, groups: Groups, weights: PathWeights | None) -> Clusters | None:
    """The clusters that `spec.vce` asks for; None when it asks for none.

    Frequency weights of the top level replicate its groups, so each stands for several clusters; above that level they make
    clusters larger.

    Raises
    ------
    OptionError
        Crossed effects, or effects of the whole sample, tie all rows together.
    DataError
        The cluster variable changes within a top-level group; there are fewer than two clusters.
    """
    if spec.vce.method.model_based:
        return None
    levels = tuple(dict.fromkeys(equation.grouping for equation in spec.random))
    if any(not level for level in levels):
        _refuse(spec, "needs independent clusters, and effects at the level _all tie the whole sample together")
    if spec.vce.variable is not None:
        found = _of_variable(spec, rows, groups, levels)
    elif levels:
        found = _top(spec, groups)
    else:
        found = Clusters(np.arange(rows.n, dtype=np.int32), rows.n, "", pd.DataFrame({"row": rows.kept}))
    if weights is not None and weights.kind == "frequency":
        found = _replicated(spec, groups, weights, found)
    if found.number < FEWEST:
        raise DataError(f"vce({spec.vce.name}): there is only one cluster, and robust standard errors need several")
    return found


def _replicated(spec: ModelSpec, groups: Groups, weights: PathWeights, found: Clusters) -> Clusters:
    path, n_groups = weights.rows, groups.rows.n
    if spec.random:
        top = levels_from_the_top(spec.random, groups)[0]
        path, n_groups = weights.levels[top], groups.codes(top)[1]
    if found.n_clusters != n_groups:
        return found
    return replace(found, frequency=path[first_rows(found.codes, found.n_clusters)])


def _refuse(spec: ModelSpec, why: str) -> None:
    place = None if spec.vce.position is None else spec.text
    raise OptionError(f"vce({spec.vce.name}) {why}; use vce(oim)", place, spec.vce.position)


def _of_variable(spec: ModelSpec, rows: Rows, groups: Groups, levels: tuple[tuple[str, ...], ...]) -> Clusters:
    name = str(spec.vce.variable)
    codes, values = rows.distinct(name)
    for level in levels:
        own, n_groups = groups.codes(level)
        split = changing_rows(codes, own, n_groups)
        if split.size:
            label = ", ".join(f"{k} = {v}" for k, v in groups.labels(level).iloc[own[split].min()].items())
            raise DataError(
                f"the cluster variable `{name}` changes within the group {label}; robust standard errors need clusters of "
                "whole groups, at or above the highest level of the model"
            )
    return Clusters(codes, len(values), name, pd.DataFrame({name: list(values)}))


def _top(spec: ModelSpec, groups: Groups) -> Clusters:
    """The groups of the level that holds all others."""
    pair = crossed_pair(spec.random, groups)
    if pair is not None:
        _refuse(spec, f"needs independent clusters, and the groups of {pair[0]} and {pair[1]} are crossed")
    top = levels_from_the_top(spec.random, groups)[0]
    label = next(equation.label for equation in spec.random if equation.grouping == top)
    return Clusters(*groups.codes(top), label, groups.labels(top))
