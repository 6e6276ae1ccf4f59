"""The levels of a model from the top, as the data nest them."""

from __future__ import annotations

from itertools import pairwise

from sparsemixed.design.data.codes import combine
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.spec import RandomEquation
from sparsemixed.structures.random.table import STRUCTURES

Grouping = tuple[str, ...]


def levels_from_the_top(equations: tuple[RandomEquation, ...], groups: Groups) -> tuple[Grouping, ...]:
    """The distinct levels, those with fewer groups first; in a nested design each holds the ones after it."""
    typed = list(dict.fromkeys(equation.grouping for equation in equations))
    # Of levels with the same groups the one of fewer variables is above, else the one typed first.
    return tuple(sorted(typed, key=lambda grouping: (groups.codes(grouping)[1], len(grouping), typed.index(grouping))))


def crossed_pair(equations: tuple[RandomEquation, ...], groups: Groups) -> tuple[str, str] | None:
    """The first two sets of groups of random effects that are not nested in the data; None if all are.

    `R.varname` has groups of its own, the values of the variable within those of its level; they must hold the groups of all
    levels below.
    """
    chain: dict[Grouping, str] = {}
    for grouping in levels_from_the_top(equations, groups):
        here = [equation for equation in equations if equation.grouping == grouping]
        chain.setdefault(grouping, here[0].label)
        for equation in here:
            if equation.factor is not None and STRUCTURES[equation.covariance].factor_levels != "columns":
                chain.setdefault(tuple(dict.fromkeys((*grouping, equation.factor))), f"R.{equation.factor}")
    sets = list(chain)
    for above, below in pairwise(sets):
        codes, n_groups = groups.codes(below)
        if int(combine(codes, groups.codes(above)[0]).max()) + 1 != n_groups:
            return chain[above], chain[below]
    return None
