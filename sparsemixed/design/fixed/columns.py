"""The fixed part: its columns, their names, and the matrix of those estimated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sparsemixed.delayed import sp
from sparsemixed.design.data.rows import Level, Rows
from sparsemixed.design.fixed.matrix import candidate_columns, fill_columns, sparse_columns
from sparsemixed.design.fixed.terms import Cell, TermList
from sparsemixed.design.values import Column
from sparsemixed.errors import DataError
from sparsemixed.spec import Factor, ModelSpec, Term

MANY_COLUMNS = 256
"""Columns from which sparse ones pay."""
MOST_SHARE = 0.05
"""Share of the columns that a row meets up to which they do."""
ROUNDING = 1e-10
"""Share of a collinear column, relative to the largest, that is none."""
CONSTANT = Column("_cons", -1, (), "estimated")


@dataclass(frozen=True)
class FixedPart:
    """What the fixed part contributes to a design: see `Design` for the fields. X is None where it is sparse."""

    X: np.ndarray | None
    columns: tuple[Column, ...]
    notes: tuple[str, ...]
    levels: dict[str, tuple[Level, ...]]
    combinations: dict[int, np.ndarray]
    sparse: sp.csr_array | None = None


def fixed_part(spec: ModelSpec, rows: Rows) -> FixedPart:
    """Expand the fixed terms, omitting what is collinear.

    Parameters
    ----------
    spec : ModelSpec
    rows : Rows
        The n rows of the sample, nothing missing.

    Raises
    ------
    CommandError
        A base level that is not in the sample.
    DataError
        Variables of the wrong type; as many coefficients as observations.
    """
    terms = TermList(spec.fixed, rows, spec, constant=spec.constant or not spec.full_coding)
    cells = terms.cells()
    candidates = [cell for cell in cells if cell.status == "estimated"]
    _check_size(len(candidates), rows.n, spec, terms)
    about = (rows, terms.terms, [(c.term, c.values) for c in candidates], terms.levels, spec.constant)
    sparse = _sparse(*about)
    if sparse is not None:
        notes = _repeated(spec.fixed) + _notes(terms, cells, candidates)
        return FixedPart(None, _columns(terms, cells, spec), notes, terms.levels, {}, sparse)
    X, omitted = candidate_columns(*about)
    combinations: dict[int, np.ndarray] = {}
    if omitted.any():
        whole = X
        X = np.ascontiguousarray(X[:, [*~omitted, *[True] * spec.constant]])
        dropped = {(c.term, c.values) for c, drop in zip(candidates, omitted, strict=True) if drop}
        combinations = _combinations(X, whole[:, : len(candidates)][:, omitted], cells, dropped)
        cells = [_omit_if(cell, dropped) for cell in cells]
    if X.shape[1] >= rows.n:
        raise DataError(_too_many(X.shape[1], rows.n))
    notes = _repeated(spec.fixed) + _notes(terms, cells, candidates)
    return FixedPart(X, _columns(terms, cells, spec), notes, terms.levels, combinations)


def _columns(terms: TermList, cells: list[Cell], spec: ModelSpec) -> tuple[Column, ...]:
    columns = [Column(terms.fixed_name(cell), cell.term, cell.values, cell.status) for cell in cells]
    return (*columns, *[CONSTANT] * spec.constant)


def _sparse(
    rows: Rows, terms: Sequence[Term], cells: Sequence[tuple[int, tuple]], levels: Mapping[str, tuple[Level, ...]], constant: bool
) -> sp.csr_array | None:
    """The columns as a sparse matrix where there are many, few of which a row meets, and none that others explain."""
    p = len(cells) + constant
    if p < MANY_COLUMNS or len({term for term, _ in cells}) + constant > MOST_SHARE * p or p >= rows.n:
        return None
    from sparsemixed.solver.factored.triangle import knows_triangle  # numba, for few designs

    X = sparse_columns(rows, terms, cells, levels, constant)
    return X if knows_triangle(X) else None


def _omit_if(cell: Cell, dropped: set) -> Cell:
    return replace(cell, status="omitted") if (cell.term, cell.values) in dropped else cell


def _combinations(X: np.ndarray, omitted: np.ndarray, cells: list[Cell], dropped: set) -> dict[int, np.ndarray]:
    """Position of each collinear column among all -> its coefficients (p,) on those kept, in the order of X."""
    scale = np.maximum(np.abs(X).max(axis=0, initial=0.0), np.finfo(float).tiny)
    shares = np.linalg.lstsq(X / scale, omitted, rcond=None)[0]
    shares[np.abs(shares) < ROUNDING * np.abs(shares).max(axis=0, initial=0.0)] = 0.0
    coefficients = shares / scale[:, None]
    places = [position for position, cell in enumerate(cells) if (cell.term, cell.values) in dropped]
    return dict(zip(places, np.ascontiguousarray(coefficients.T), strict=True))


def _check_size(candidates: int, n: int, spec: ModelSpec, terms: TermList) -> None:
    """Refuse before the matrix is allocated: a factor with a level per row would need one of n by n."""
    if candidates + spec.constant <= max(n, 1000):
        return
    widest = max(terms.levels, key=lambda variable: len(terms.levels[variable]), default=None)
    advice = f"; `{widest}` alone has {len(terms.levels[widest])} levels, which may belong to a random effect" if widest else ""
    raise DataError(_too_many(candidates + spec.constant, n) + advice)


def _too_many(coefficients: int, n: int) -> str:
    return f"the fixed part has {coefficients} coefficients and there are only {n} observations, which leaves no residual"


def _notes(terms: TermList, cells: list[Cell], candidates: list[Cell]) -> tuple[str, ...]:
    # Columns omitted on request (`o.`) were never candidates; they need no note.
    tried = {(cell.term, cell.values) for cell in candidates}
    notes = []
    for cell in cells:
        if cell.status == "empty":
            notes.append(f"note: {terms.plain_name(cell, continuous='c')} identifies no observations in the sample.")
        elif cell.status == "omitted" and (cell.term, cell.values) in tried:
            notes.append(f"note: {terms.plain_name(cell, continuous='c')} omitted because of collinearity.")
    return tuple(notes)


def _repeated(terms: tuple[Term, ...]) -> tuple[str, ...]:
    """A note for each plain variable listed twice; repeated factor terms are usual (`i.a i.a##i.b`) and need none."""
    single = Counter(
        term.factors[0].variable for term in terms if len(term.factors) == 1 and term.factors[0].kind == "continuous"
    )
    return tuple(f"note: {name} is listed {count} times and used once." for name, count in single.items() if count > 1)


def rows_of_X(columns: tuple[Column, ...], levels: Mapping[str, tuple[Level, ...]], spec: ModelSpec, rows: Rows) -> np.ndarray:
    """The fixed part's matrix for other data.

    Parameters
    ----------
    columns, levels
        As in the `Design` fitted.
    spec : ModelSpec
        Of the model fitted.
    rows : Rows
        m rows of any data that have the variables of the fixed part.

    Returns
    -------
    X : (m, p) float64
        NaN in rows with a missing value.
    """
    terms = of_kinds(spec.fixed, {column.term: column.cell for column in columns})
    cells = [(c.term, c.cell) for c in columns if c.status == "estimated" and c.term >= 0]
    return fill_columns(rows, terms, cells, levels, spec.constant)


def of_kinds(terms: Sequence[Term], cells: Mapping[int, tuple]) -> list[Term]:
    """The terms with each factor's kind as it was when fitted: new data must not decide "by_type" again.

    Parameters
    ----------
    terms : sequence of Term
    cells : mapping
        Position of a term -> any cell of it. Terms without one (all their columns stood already in earlier ones, or were
        omitted) lose their factors.
    """

    def typed(factor: Factor, value: Level | None) -> Factor:
        return replace(factor, kind="continuous" if value is None else "categorical")

    return [
        Term(tuple(typed(factor, value) for factor, value in zip(term.factors, cells.get(position, ()), strict=False)))
        for position, term in enumerate(terms)
    ]
