"""Data of a design that is yet to be carried out: all combinations of factors, and more groups like those that there are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import DataError, OptionError, suggestion
from sparsemixed.spec.numbers import is_whole

MOST_ROWS = 10_000_000
"""Rows beyond which a design is taken for a mistake."""


def crossing(**factors: Any) -> pd.DataFrame:
    """Every combination of some factors, one row each; the last factor changes fastest.

    Parameters
    ----------
    **factors
        A number of levels, which become 1, 2, ..., or the levels themselves.

    Raises
    ------
    OptionError
        No factors, a factor without levels, or more than ten million rows.

    Examples
    --------
    >>> crossing(subject=2, condition=["a", "b"]).values.tolist()
    [[1, 'a'], [1, 'b'], [2, 'a'], [2, 'b']]
    """
    levels = {name: _levels(name, given) for name, given in factors.items()}
    if not levels:
        raise OptionError("crossing needs factors, as in crossing(subject=20, condition=['a', 'b'])")
    if np.prod([float(len(own)) for own in levels.values()]) > MOST_ROWS:
        raise OptionError(f"crossing: these factors have more than {MOST_ROWS:,} combinations")
    return pd.DataFrame(list(product(*levels.values())), columns=list(levels))


def _levels(name: str, given: Any) -> list[Any]:
    if is_whole(given) and given >= 1:
        return list(range(1, int(given) + 1))
    levels = list(given) if isinstance(given, (Sequence, np.ndarray, pd.Series, pd.Index)) and not isinstance(given, str) else []
    if not levels:
        raise OptionError(f"crossing: {name} is a number of levels, 1 or more, or a list of them; found {given!r}")
    return levels


def extend(
    data: pd.DataFrame, along: str | None = None, n: int = 0, *, within: str | Sequence[str] | None = None
) -> pd.DataFrame:
    """The same data with another number of groups, or of rows in each group.

    Parameters
    ----------
    data : DataFrame
    along : str, optional
        A column: its groups are repeated, under new names, until there are n, or only the first n are kept.
    n : int
    within : str or list of str, optional
        In place of `along`: the rows of every combination of these columns are repeated until there are n.

    Returns
    -------
    DataFrame
        A new one, its index counted from 0.

    Raises
    ------
    OptionError
        Neither or both of `along` and `within`, or n is no positive whole number.
    DataError
        There is no such column, or it has missing values.

    Examples
    --------
    >>> import pandas as pd
    >>> extend(pd.DataFrame({"id": [1, 1, 2], "x": [0, 1, 5]}), "id", 3).values.tolist()
    [[1, 0], [1, 1], [2, 5], [3, 0], [3, 1]]
    """
    if (along is None) == (within is None):
        raise OptionError('extend repeats groups, along="subject", or the rows within them, within=["subject", "item"]')
    if not is_whole(n) or n < 1:
        raise OptionError(f"extend: n is how many there are to be, 1 or more; found {n!r}")
    names = [along] if along is not None else [within] if isinstance(within, str) else list(within or ())
    for name in names:
        if name not in data:
            raise DataError(f"extend: there is no column `{name}`{suggestion(str(name), map(str, data.columns))}")
        if bool(np.any(data[name].isna())):
            raise DataError(f"extend: `{name}` has missing values")
    return _along(data, str(along), int(n)) if along is not None else _within(data, names, int(n))


def _along(data: pd.DataFrame, name: str, n: int) -> pd.DataFrame:
    codes, levels = pd.factorize(data[name])
    order = np.argsort(codes, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    chosen = [rows[group % len(rows)] for group in range(n)]
    found = data.iloc[np.concatenate(chosen)].reset_index(drop=True)
    new = np.repeat(np.arange(n), [len(own) for own in chosen])
    found[name] = pd.Series(_names(pd.Series(levels), n)).iloc[new].to_numpy()
    return found


def _names(levels: pd.Series, n: int) -> list[Any]:
    """The levels and as many new ones: further numbers, or the old texts with the number of the copy."""
    known = levels.tolist()
    if pd.api.types.is_numeric_dtype(levels) and not pd.api.types.is_bool_dtype(levels):
        last = int(np.floor(levels.max()))
        return (known + list(range(last + 1, last + 1 + max(n - len(known), 0))))[:n]
    return [known[i % len(known)] if i < len(known) else f"{known[i % len(known)]} ({i // len(known) + 1})" for i in range(n)]


def _within(data: pd.DataFrame, names: Sequence[Any], n: int) -> pd.DataFrame:
    groups = data.groupby(list(names), sort=False, observed=True).indices.values()
    places = [np.resize(rows, n) for rows in groups]
    return data.iloc[np.concatenate(places)].reset_index(drop=True)
