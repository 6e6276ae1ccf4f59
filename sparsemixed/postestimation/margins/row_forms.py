"""Margins row by row: what is averaged, as a function of linear forms of the coefficients in each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.postestimation.margins.cell_means import Averages, Part, RowValues
from sparsemixed.postestimation.margins.request import Item
from sparsemixed.postestimation.margins.settings import FixedRows, Setting

BLOCK = 16_384
"""Rows whose columns are made at a time."""


@dataclass(frozen=True)
class Piece:
    """A linear form in each row: the prediction after settings, or its derivative by a covariate, times the covariate."""

    setting: Setting
    variable: str = ""
    times: bool = False


@dataclass(frozen=True)
class Recipe:
    """How one margin is made.

    Attributes
    ----------
    how : str
        A key of `FORMS`, the function of the pieces that is averaged.
    pieces : tuple of Piece
    group : int
        The group of rows.
    generated : tuple of Item
        Covariates that are what an expression makes of them.
    """

    how: str
    pieces: tuple[Piece, ...]
    group: int
    generated: tuple[Item, ...] = ()

    @property
    def linear(self) -> bool:
        """Whether it is a linear form of the coefficients."""
        return self.how in LINEAR


def _value(a: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    return a, [np.ones_like(a)]


def _difference(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    return a - b, [np.ones_like(a), -np.ones_like(b)]


def _ratio(a: np.ndarray, eta: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    if np.any(eta == 0):
        raise NumericalError("margins: eydx() and eyex() divide by the prediction, which is zero in some rows")
    return a / eta, [1.0 / eta, -a / eta**2]


def _log(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    if np.any(a <= 0) or np.any(b <= 0):
        raise NumericalError(
            "margins: eydx() of a factor is a difference of logarithms, and the prediction is not positive in some rows; use "
            "dydx(), or eydx() with continuous"
        )
    return np.log(a) - np.log(b), [1.0 / a, -1.0 / b]


def _share(a: np.ndarray, b: np.ndarray, eta: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    value, (up, down) = _ratio(a - b, eta)
    return value, [up, -up, down]


LINEAR = ("value", "difference")
FORMS: dict[str, Callable[..., tuple[np.ndarray, list[np.ndarray]]]] = {
    "value": _value,
    "difference": _difference,
    "ratio": _ratio,
    "log": _log,
    "share": _share,
}
"""Functions of the pieces' values (m,), one array each: what is averaged (m,), and its derivatives by each of them."""


class RowForms:
    """Evaluates recipes in the rows.

    Parameters
    ----------
    rows : FixedRows
    beta : (p,) float64
    cells : Averages or None
        Which cells occur, for reweighted factors.
    """

    def __init__(self, rows: FixedRows, beta: np.ndarray, cells: Averages | None = None):
        self.rows, self.beta, self.cells = rows, beta, cells
        self._known = rows.coefficients(beta)

    def each(self, recipe: Recipe, values: RowValues, where: np.ndarray) -> np.ndarray:
        """(m,) what is averaged, in the rows `where`. Columns that settings leave alike are one."""
        sums = [self._sums(piece) for piece in recipe.pieces]
        out = np.empty(len(where))
        for start in range(0, len(where), BLOCK):
            here = where[start : start + BLOCK]
            parts = _Parts(values, here)
            out[start : start + BLOCK] = FORMS[recipe.how](*(_total(one, parts, len(here)) for one in sums))[0]
        return out

    def mean(self, recipe: Recipe, batches: Iterable[tuple[RowValues, np.ndarray]]) -> tuple[float, np.ndarray]:
        """Weighted mean over rows, and its derivative (p,) by the coefficients.

        Parameters
        ----------
        batches : iterable of (RowValues, (m,) int64)
            Rows, and the positions of those that count.
        """
        total, J, weight = 0.0, np.zeros(len(self.beta)), 0.0
        for values, where in batches:
            for start in range(0, len(where), BLOCK):
                here = where[start : start + BLOCK]
                own = np.ones(len(here)) if values.weights is None else values.weights[here]
                X = [self._columns(piece, values, here) for piece in recipe.pieces]
                value, slopes = FORMS[recipe.how](*(x @ self._known for x in X))
                total, weight = total + float(own @ value), weight + float(own.sum())
                J += sum((own * slope) @ self.rows.estimated(x) for slope, x in zip(slopes, X, strict=True))
        return total / weight, J / weight

    def _sums(self, piece: Piece) -> dict[tuple[Part, ...], float]:
        """Products of what stays as observed -> their coefficients."""
        found: dict[tuple[Part, ...], float] = {}
        products = self.rows.products(piece.setting, self.cells, piece.variable, piece.times)
        for one, coefficient in zip(products, self._known, strict=True):
            if one.weight and coefficient:
                found[one.rest] = found.get(one.rest, 0.0) + one.weight * coefficient
        return found

    def _columns(self, piece: Piece, values: RowValues, where: np.ndarray) -> np.ndarray:
        """(m, columns) all columns of a piece."""
        parts, out = _Parts(values, where), np.zeros((len(where), len(self.rows.columns)))
        for i, one in enumerate(self.rows.products(piece.setting, self.cells, piece.variable, piece.times)):
            if one.weight:
                out[:, i] = one.weight * parts.product(one.rest)
        return out


class _Parts:
    """Values of covariates and indicators in some rows, each made once."""

    def __init__(self, values: RowValues, where: np.ndarray):
        self._values, self._where = values, where
        self._known: dict[Part, np.ndarray] = {}

    def product(self, rest: tuple[Part, ...]) -> np.ndarray | float:
        product: np.ndarray | float = 1.0
        for part in rest:
            product = product * self._of(part)
        return product

    def _of(self, part: Part) -> np.ndarray:
        if part not in self._known:
            name, level = part
            if level is None:
                self._known[part] = self._values.numbers(name)[self._where]
            else:
                place = self._values.levels[name].index(level)
                self._known[part] = (self._values.codes(name)[self._where] == place).astype(float)
        return self._known[part]


def _total(sums: dict[tuple[Part, ...], float], parts: _Parts, n: int) -> np.ndarray:
    total = np.zeros(n)
    for rest, coefficient in sums.items():
        total += coefficient * parts.product(rest)
    return total
