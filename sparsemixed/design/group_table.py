"""The table of groups: how many there are at each level, and how many observations they have."""

from __future__ import annotations

import numpy as np

from sparsemixed.design.data.codes import first_rows, group_sizes
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.values import GroupRow
from sparsemixed.design.weights.weights import PathWeights
from sparsemixed.spec import RandomEquation


def group_table(equations: tuple[RandomEquation, ...], groups: Groups, weights: PathWeights | None) -> tuple[GroupRow, ...]:
    """One row per distinct level, top to bottom, equations of one level counted once.

    Frequency weights count: a group stands for as many groups as the product of its weight and of those above it, each with
    the observations that the weights below it make. Sampling and precision weights do not.
    """
    label_of = {equation.grouping: equation.label for equation in reversed(equations)}
    order = dict.fromkeys(equation.grouping for equation in equations)
    if weights is None or weights.kind != "frequency":
        return tuple(_row(label_of[grouping], grouping, groups) for grouping in order)
    return tuple(_replicated_row(label_of[grouping], grouping, groups, weights) for grouping in order)


def _row(label: str, grouping: tuple[str, ...], groups: Groups) -> GroupRow:
    codes, n_groups = groups.codes(grouping)
    sizes = group_sizes(codes, n_groups)
    return GroupRow(label, n_groups, int(sizes.min()), groups.rows.n / n_groups, int(sizes.max()))


def _replicated_row(label: str, grouping: tuple[str, ...], groups: Groups, weights: PathWeights) -> GroupRow:
    codes, n_groups = groups.codes(grouping)
    of_level = weights.levels[grouping]
    number = of_level[first_rows(codes, n_groups)].sum()
    sizes = np.bincount(codes, weights.rows / of_level, n_groups)
    return GroupRow(label, round(number), round(sizes.min()), float(weights.rows.sum() / number), round(sizes.max()))
