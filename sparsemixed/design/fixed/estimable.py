"""Which rows of other data have a fixed part that the sample says something about.

A coefficient of a cell without observations is not known at all. One that was omitted as collinear is part of those kept, in rows
where its column is the same combination of theirs as in the sample, and only there (Searle 1971, section 5.4).
"""

from __future__ import annotations

import numpy as np

from sparsemixed.design.data.rows import Rows
from sparsemixed.design.fixed.columns import of_kinds
from sparsemixed.design.fixed.matrix import cells_of_rows, fill_columns
from sparsemixed.design.values import Design
from sparsemixed.spec import ModelSpec

TOLERANCE = 1e-6
"""Relative difference up to which a column is the combination that it was in the sample."""


def not_estimable(design: Design, spec: ModelSpec, rows: Rows, X: np.ndarray) -> dict[str, np.ndarray]:
    """Rows that cannot be predicted, (m,) bool, by the name of the column which is why.

    Parameters
    ----------
    design, spec : Design, ModelSpec
        Of the model fitted.
    rows : Rows
        m rows of any data.
    X : (m, p) float64
        Their columns as in `design.X`.
    """
    terms = of_kinds(spec.fixed, {column.term: column.cell for column in design.columns})
    found: dict[str, np.ndarray] = {}
    empty = [column for column in design.columns if column.status == "empty"]
    held = cells_of_rows(rows, terms, [(column.term, column.cell) for column in empty], design.levels)
    for place, here in held:
        found[empty[place].name] = here
    for position, combination in design.combinations.items():
        column = design.columns[position]
        own = fill_columns(rows, terms, [(column.term, column.cell)], design.levels, constant=False)[:, 0]
        size = np.maximum(np.abs(own), np.abs(X) @ np.abs(combination))
        apart = np.abs(own - X @ combination) > TOLERANCE * size  # False where something is missing
        if apart.any():
            found[column.name] = apart
    return found
