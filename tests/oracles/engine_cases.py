"""Random designs for the engine's tests: every shape of terms, from one seed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.design.values import Design, RandomBlock, RandomTerm
from sparsemixed.estimation.objectives.groups import GroupsObjective
from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.estimation.orthonormal import orthonormal_coordinates
from sparsemixed.estimation.parameters import parameters
from sparsemixed.solver.crossproducts.crossproducts import TermData, cross_products
from sparsemixed.solver.factored.choose import penalized_system
from sparsemixed.structures.random.table import STRUCTURES


def make_term(rng, n, n_groups, structures, codes=None):
    """A term with the blocks [(structure name, dimension), ...]; its first column is the constant."""
    k = sum(m for _, m in structures)
    if codes is None:
        codes = rng.integers(0, n_groups, n)
        codes[:n_groups] = np.arange(n_groups)
    columns = np.column_stack([np.ones(n), rng.normal(size=(n, k - 1))])
    blocks = tuple(
        RandomBlock(f"g{n_groups}", tuple(f"x{a}" for a in range(m)), STRUCTURES[name](m), None, b)
        for b, (name, m) in enumerate(structures)
    )
    labels = pd.DataFrame({"g": np.arange(n_groups)})
    return RandomTerm(codes.astype(np.int32), n_groups, np.ascontiguousarray(columns), blocks, labels)


SHAPES = {
    "intercept": [(9, [("identity", 1)])],
    "slope": [(9, [("unstructured", 2)])],
    "blocks": [(9, [("unstructured", 2), ("identity", 1), ("independent", 2)])],
    "exchangeable": [(9, [("exchangeable", 3)])],
    "crossed": [(14, [("identity", 1)]), (9, [("identity", 1)])],
    "crossed vectors": [(14, [("independent", 2)]), (9, [("unstructured", 2)]), (4, [("identity", 1)])],
    "nested": "nested",
    "nested, crossed": "nested, crossed",
}
"""Name -> [(groups, blocks), ...]; the nested ones share codes."""


def make_terms(rng, n, shape):
    """The terms of one of SHAPES."""
    if isinstance(SHAPES[shape], list):
        return [make_term(rng, n, j, s) for j, s in SHAPES[shape]]
    inner = rng.integers(0, 12, n)
    inner[:12] = np.arange(12)
    terms = [
        make_term(rng, n, 12, [("unstructured", 2)], inner),
        make_term(rng, n, 4, [("independent", 2)], inner // 3),
    ]
    if shape == "nested, crossed":
        terms.append(make_term(rng, n, 5, [("identity", 1)]))
    return terms


def bare_design(X, y):
    """A design of these arrays and nothing else."""
    return Design(y, X, (), (), (), np.arange(len(y)), (), {}, {})


def make_objective(terms, X, y, reml, solver="auto"):
    """The engine's objective for these terms, X and y (made orthonormal first, as a fit does)."""
    orthogonal = orthonormal_coordinates(bare_design(X, y))
    layout = parameters(terms)
    data = [TermData(terms[r].codes, terms[r].n_groups, terms[r].columns) for r in layout.order]
    cp = cross_products(data, orthogonal.Q, orthogonal.residual)
    kind = GroupsObjective if solver == "groups" else PenalizedObjective
    return kind(cp, penalized_system(cp, "block" if solver == "groups" else solver), layout, reml), orthogonal


def solvers_for(shape):
    """Every storage that can hold the design, and the sums over groups, which store nothing."""
    if shape in ("intercept", "slope", "blocks", "exchangeable"):
        return ["block", "groups"]
    return ["block", "dense", "sparse"] if shape == "nested" else ["dense", "sparse"]
