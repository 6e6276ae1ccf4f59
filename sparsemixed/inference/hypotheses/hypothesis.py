"""A linear hypothesis K beta = r: from names, texts or a matrix to independent rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.command.hypothesis import read_hypotheses, read_linear
from sparsemixed.command.text import refuse_unreadable
from sparsemixed.design.fixed.coefficient_names import CoefficientNames, equation_text
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import DEPENDENT, moving_rows
from sparsemixed.inference.covariance.vce import coefficient_errors
from sparsemixed.linear_form import LinearForm
from sparsemixed.solver.linalg import Equation, orthogonal_remainder

FIXED = "implied by the constraints of the model"
AGAINST = "false under the constraints of the model, whatever the data"


@dataclass(frozen=True)
class Hypothesis:
    """K beta = r.

    Attributes
    ----------
    K : (l, p) float64
        Of full row rank.
    r : (l,) float64
    equations : tuple of str
        The rows as typed, also those that K has no more.
    dropped : tuple of int
        Numbers, from 1, of the equations that followed from others, or that the data cannot tell about.
    note : str
        Why they were dropped, one reason on a line.
    """

    K: np.ndarray
    r: np.ndarray
    equations: tuple[str, ...] = ()
    dropped: tuple[int, ...] = ()
    note: str = ""


def hypothesis_rows(fit: Fit, what: Any, values: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Rows K (l, p) and right-hand sides r (l,) of what a user means by `test(what, values)`, also those that follow from others.

    Parameters
    ----------
    what : str, sequence of str, array (l, p) or (p,), mapping, Series or DataFrame
        A text (see `command.hypothesis`), names of coefficients or texts, rows over the estimated coefficients in their order, or
        rows by the names of coefficients: those of a mapping and of the index of a Series, or the columns of a data frame.
    values : array_like (l,), optional
        Right-hand sides, for an array only.

    Raises
    ------
    CommandError
        For texts that cannot be understood and unknown names.
    OptionError
        For arrays of the wrong shape.
    """
    if isinstance(what, str) or (isinstance(what, Sequence) and all(isinstance(w, str) for w in what)):
        if values is not None:
            raise OptionError("right-hand sides belong into the text of a hypothesis: x1 = 3")
        return _from_texts(fit, [what] if isinstance(what, str) else list(what))
    what = _by_name(fit, what)
    K, p = np.atleast_2d(_numbers(what, "a hypothesis is a text, names, or rows of numbers")), len(fit.beta)
    if K.ndim != 2 or K.shape[1] != p or not np.all(np.isfinite(K)):
        raise OptionError(f"a matrix of hypotheses needs one column for each of the {p} estimated coefficients; got {K.shape}")
    r = np.zeros(len(K)) if values is None else np.atleast_1d(_numbers(values, "right-hand sides are numbers"))
    if not np.all(np.isfinite(r)):
        raise OptionError("right-hand sides are finite numbers")
    if r.shape != (len(K),):
        raise OptionError(f"{len(K)} rows need {len(K)} right-hand sides; got {r.shape}")
    return K, r


def _by_name(fit: Fit, what: Any) -> Any:
    """Rows over the estimated coefficients of weights by name; anything without names as it is."""
    if isinstance(what, pd.DataFrame) and all(isinstance(name, str) for name in what.columns):
        weights = dict(zip(what.columns, _numbers(what, "weights of coefficients are numbers").T, strict=True))
    elif isinstance(what, Mapping) or (isinstance(what, pd.Series) and all(isinstance(name, str) for name in what.index)):
        weights = {name: _numbers(weight, "weights of coefficients are numbers") for name, weight in what.items()}
    else:
        return what
    names = CoefficientNames(fit.design.columns, fit.spec)
    if not weights:
        raise OptionError("test: name at least one coefficient or hypothesis")
    rows = max([1, *(weight.size for weight in weights.values())])
    if any(weight.ndim > 1 or weight.size not in (1, rows) for weight in weights.values()):
        raise OptionError("weights of coefficients by name are one number each, or as many numbers each as there are hypotheses")
    K = np.zeros((rows, len(fit.beta)))
    for name, weight in weights.items():
        place = names.place(str(name))
        if place is not None:
            K[:, place] += weight
    return K


def _numbers(given: Any, wanted: str) -> np.ndarray:
    """An array of what a user gave as numbers."""
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise OptionError(f"{wanted}; found {type(given).__name__}") from None


def terms_text(terms: object, command: str, example: str) -> str:
    """The text that `contrast` and its like take.

    Raises
    ------
    OptionError
        If it is none.
    CommandError
        For characters that are no text.
    """
    if not isinstance(terms, str):
        raise OptionError(f"{command} takes a text, such as {example}; found {type(terms).__name__}")
    refuse_unreadable(terms)
    return terms


def rows_of(fit: Fit, K: np.ndarray) -> Hypothesis:
    """K beta = 0 with redundant rows dropped and nothing written out: for tests whose rows the program makes."""
    found = independent(fit, K, np.zeros(len(K)))
    return Hypothesis(found.K, found.r)


def linear_combination(fit: Fit, text: str) -> tuple[np.ndarray, float]:
    """Row (p,) and constant of one linear expression."""
    text = terms_text(text, "lincom", "2.drug - 3.drug")
    row, constant = _row(fit, read_linear(text), text)
    return row, constant


def _from_texts(fit: Fit, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    exact = {name: i for i, name in enumerate(fit.design.names)}
    rows: list[tuple[np.ndarray, float]] = []
    for text in texts:
        if text in exact:
            rows.append((np.eye(len(fit.beta))[exact[text]], 0.0))
        else:
            rows += [_row(fit, form, text) for form in read_hypotheses(text)]
    if not rows:
        raise OptionError("test: name at least one coefficient or hypothesis")
    return np.array([row for row, _ in rows]), -np.array([constant for _, constant in rows])


def _row(fit: Fit, form: LinearForm, source: str) -> tuple[np.ndarray, float]:
    """Weights (p,) on the estimated coefficients and the constant; coefficients held at zero contribute nothing."""
    names, row = CoefficientNames(fit.design.columns, fit.spec), np.zeros(len(fit.beta))
    for name, weight in form.weights.items():
        place = names.place(name, source, form.positions.get(name))
        if place is not None:
            row[place] += weight
    return row, form.constant


def independent(fit: Fit, K: np.ndarray, r: np.ndarray) -> Hypothesis:
    """Drop rows that follow from those before them; refuse rows that contradict them."""
    basis: list[Equation] = []
    kept, equations, dropped = [], [], []
    # Coefficients are measured in standard errors, so that dependence does not hinge on the units of covariates.
    scale = coefficient_errors(fit)
    scale = np.where(scale > 0, scale, 1.0)
    for i, (row, value) in enumerate(zip(K, r, strict=True)):
        equations.append(written(fit, row, value))
        size = np.linalg.norm(row * scale)
        unit = size if size > 0 else 1.0
        left, right, _ = orthogonal_remainder(basis, row * scale / unit, value / unit)
        length = float(np.linalg.norm(left))
        if length > DEPENDENT:
            kept.append(i)
            basis.append((left / length, right / length))
        elif abs(right) > 1e-7 * max(1.0, *(abs(known) for _, known in basis), abs(value)):
            raise OptionError(f"test: hypothesis ({i + 1:>2})  {equations[-1]} contradicts the ones before it")
        else:
            dropped.append(i + 1)
    moving = moving_rows(fit, K[kept], r[kept])
    fixed = [i + 1 for i, moves, holds in zip(kept, *moving, strict=True) if not moves and holds]
    against = [i + 1 for i, moves, holds in zip(kept, *moving, strict=True) if not moves and not holds]
    note = "\n".join(
        f"Constraint{'s' if len(which) > 1 else ''} {', '.join(map(str, which))} dropped: {why}."
        for which, why in ((dropped, "implied by the others"), (fixed, FIXED), (against, AGAINST))
        if which
    )
    kept = np.array(kept, dtype=np.int64)[moving.kept]
    return Hypothesis(K[kept], r[kept], tuple(equations), tuple(sorted([*dropped, *fixed, *against])), note)


def written(fit: Fit, row: np.ndarray, value: float) -> str:
    """A row as an equation: `[weight]0bn.girl#c.age - [weight]1.girl#c.age = 0`."""
    return equation_text(fit.design.names, fit.spec.response, row, value)
