"""`estat.wcorrelation`: the covariance ZGZ' + R of the responses of one cluster that the model implies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.estat.correlations import correlations
from sparsemixed.postestimation.random_covariances import term_covariances
from sparsemixed.postestimation.row_covariance import within_sample


def within_correlation(
    fit: Fit,
    at: Mapping[str, Any] | str | None = None,
    all: bool = False,  # noqa: A002  Stata's name
    covariance: bool = False,
    list: bool = False,  # noqa: A002  Stata's name
    nosort: bool = False,
) -> pd.DataFrame:
    """Standard deviations and correlations, or covariances, of the responses of one cluster.

    Parameters
    ----------
    at : mapping or str, optional
        What names a cluster, `{"school": 33, "class": 4}` or `"school=33 class=4"`; by default the first lowest-level group.
    all : bool
        All rows of the sample.
    covariance : bool
        The covariance matrix instead.
    list : bool
        Show the response and the covariates of the rows as well.
    nosort : bool
        Rows in the order of the data instead of by group, level of by() and time.

    Returns
    -------
    DataFrame
        (m, m) over the rows, numbered from 1. `r` has Stata's sd, Corr or Cov, G, Z, R, and `rows`, their positions in the data.

    Raises
    ------
    OptionError
        `at` beside `all`, a level that does not exist, or no such group.
    DataError
        More rows than one dense matrix may have, or the fit was saved without its data.
    """
    if all and at is not None:
        raise OptionError("estat.wcorrelation: at and all exclude each other")
    rows, words = _cluster(fit, None if at is None else _named(at), all)
    if not nosort:
        rows = rows[_sorted(fit, rows)]
    frame, stored = _matrices(fit, rows, covariance)
    what = "Covariances" if covariance else "Standard deviations and correlations"
    shown = {"sd": None if covariance else stored["sd"].to_numpy()[0], "list": _data(fit, rows, frame.index) if list else None}
    frame.attrs = {"heading": f"{what} for {words}:", "layout": "within", "within": shown, "r": stored}
    return frame


def _data(fit: Fit, rows: np.ndarray, index: pd.Index) -> pd.DataFrame:
    """The response and the columns of the fixed part of some rows."""
    data = pd.DataFrame(fit.design.X[rows], index=index, columns=[*fit.design.names])
    data.insert(0, fit.spec.response, fit.design.y[rows], allow_duplicates=True)
    return data


def _matrices(fit: Fit, rows: np.ndarray, covariance: bool) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The matrix of some rows, and Stata's r()."""
    V = within_sample(fit)
    total, R = V.of(rows), V.errors_of(rows)
    spread = np.sqrt(np.diag(total))
    names = pd.Index(range(1, len(rows) + 1), name="obs")
    frame = pd.DataFrame(total if covariance else correlations(total), index=names, columns=names)
    Z, G = _designs(fit, rows)
    stored: dict[str, Any] = {"sd": pd.DataFrame([spread], index=["sd"], columns=names)}
    stored |= {"Cov" if covariance else "Corr": frame.copy(), "G": G, "Z": Z, "R": pd.DataFrame(R, index=names, columns=names)}
    return frame, {**stored, "rows": fit.design.kept[rows]}


def _cluster(fit: Fit, at: Mapping[str, Any] | None, every: bool) -> tuple[np.ndarray, str]:
    """Positions of the rows of a cluster in the sample, and which it is in words."""
    terms = [term for term in fit.design.random if len(term.labels.columns)]
    if every:
        return np.arange(len(fit.design.y)), "all the data"
    if at is None:
        part = fit.design.residual
        if not terms and part is None:
            raise OptionError("estat.wcorrelation: the model has no clusters; all=True takes all rows")
        if terms:
            lowest = max(terms, key=lambda term: (len(term.labels.columns), -term.blocks[0].position))
            code = lowest.codes[0]
            return np.flatnonzero(lowest.codes == code), _words(lowest.labels.iloc[code].to_dict())
        assert part is not None
        return np.flatnonzero(part.codes == part.codes[0]), "the first group"
    here, left = np.ones(len(fit.design.y), bool), dict(at)
    for term in terms:
        named = {name: left[name] for name in term.labels.columns if name in at}
        if not named:
            continue
        match = np.all([np.asarray(term.labels[name] == value) for name, value in named.items()], axis=0)
        here &= match[term.codes]
    known = {str(name) for term in terms for name in term.labels.columns}
    unknown = [name for name in at if name not in known]
    if unknown:
        raise OptionError(f"estat.wcorrelation: at= names no level {unknown[0]!r}; the levels are {', '.join(sorted(known))}")
    if not here.any():
        raise OptionError(f"estat.wcorrelation: the sample has no group with {_words(at)}")
    return np.flatnonzero(here), _words(at)


def _named(at: Any) -> dict[str, Any]:
    """Levels and their values, as a mapping or as typed."""
    if isinstance(at, Mapping):
        return {str(name): value for name, value in at.items()}
    if isinstance(at, str):
        parts = [part.split("=") for part in re.sub(r"\s*=\s*", "=", at).replace(",", " ").split()]
        if parts and all(len(part) == 2 and all(part) for part in parts):
            return {name: _value(text) for name, text in parts}
    raise OptionError(f"estat.wcorrelation: at takes values of levels, {{'school': 33}} or 'school=33', not {at!r}")


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _words(at: Mapping[Any, Any]) -> str:
    texts = {name: f"{value:g}" if isinstance(value, (int, float, np.number)) else str(value) for name, value in at.items()}
    return ", ".join(f"{name} = {text}" for name, text in texts.items())


def _sorted(fit: Fit, rows: np.ndarray) -> np.ndarray:
    """Order of some rows by group, level of by() and time."""
    part, keys = fit.design.residual, [np.arange(len(rows))]
    if part is not None:
        t = part.t[rows]
        keys += [t] if t.ndim == 1 else [t[:, 0], t[:, 1]]
        keys.append(part.codes[rows])
    keys += [term.codes[rows] for term in sorted(fit.design.random, key=lambda term: -len(term.labels.columns))]
    return np.lexsort(keys)


def _designs(fit: Fit, rows: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Z (m, q) and G (q, q) of the groups that the rows are in."""
    blocks, covariances = [], []
    for term, G in zip(fit.design.random, term_covariances(fit), strict=True):
        groups, place = np.unique(term.codes[rows], return_inverse=True)
        Z = np.zeros((len(rows), len(groups), term.k))
        Z[np.arange(len(rows)), place.ravel()] = term.columns[rows]
        blocks.append(Z.reshape(len(rows), -1))
        covariances += [G] * len(groups)
    total, start = np.zeros((sum(map(len, covariances)),) * 2), 0
    for G in covariances:
        total[start : start + len(G), start : start + len(G)] = G
        start += len(G)
    return pd.DataFrame(np.concatenate([*blocks, np.zeros((len(rows), 0))], axis=1)), pd.DataFrame(total)
