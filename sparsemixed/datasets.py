"""Data to learn and to test with: small examples that ship with the package, the manual's data sets, and seeded simulations."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from sparsemixed.design.data.files import read_file
from sparsemixed.errors import DataError, OptionError, suggestion

MANUAL = {
    "pig": (432, 3),
    "productivity": (816, 11),
    "childweight": (198, 5),
    "veneer": (110, 7),
    "ovary": (308, 6),
    "exercise": (259, 4),
    "t43": (20, 3),
    "pisa2000": (2069, 11),
}
"""Name -> rows and columns. The publisher gives no checksums: a download is believed when it is a file of Stata of this size."""
EXAMPLES = {
    "seedlings": "heights of 72 plants week by week under three shades: growth curves",
    "districts": "scores of 788 pupils in 36 schools of 9 districts: nested groups",
    "tastings": "1,200 ratings of 60 teas by 48 tasters: crossed factors",
    "clinics": "96 patients of a trial with two arms at up to six visits: repeated measures",
}
"""Name -> what it is. They are simulated, and ship with the package (packaging/make_examples.py made them)."""
FOLDER_VARIABLE = "SPARSEMIXED_DATA"
URL = "https://www.stata-press.com/data/r19/{name}.dta"


def load(name: str) -> pd.DataFrame:
    """An example that ships with the package, or one of the manual's data sets.

    Parameters
    ----------
    name : str
        `seedlings`, `districts`, `tastings`, `clinics`; or of the manual `pig`, `productivity`, `childweight`, `veneer`, `ovary`,
        `exercise`, `t43`, `pisa2000`.

    Returns
    -------
    DataFrame
        Labelled variables keep their numbers; the labels are in `attrs["value_labels"]`.

    Raises
    ------
    DataError
        If the name is unknown, or the manual's file is neither in the folder named by the environment variable SPARSEMIXED_DATA
        nor to be had from the web.

    Examples
    --------
    >>> load("tastings").columns.tolist()
    ['taster', 'tea', 'origin', 'minutes', 'rating']
    """
    file = read_file(path(name))
    file.table.columns = file.names
    file.table.attrs["value_labels"] = file.value_labels
    return file.table


def path(name: str) -> Path:
    """The file of an example, or of one of the manual's: from the folder in SPARSEMIXED_DATA, else downloaded once and cached."""
    if name in EXAMPLES:
        return Path(__file__).parent / "data" / f"{name}.csv"
    if name not in MANUAL:
        near = suggestion(str(name), [*EXAMPLES, *MANUAL])
        own, manual = ", ".join(EXAMPLES), ", ".join(MANUAL)
        raise DataError(f"unknown data set {name!r}{near}; examples are {own}, the manual's are {manual}")
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        file = Path(folder).expanduser() / f"{name}.dta"
        if file.is_file():
            return file
    return _download(name, folder)


def _download(name: str, folder: str | None) -> Path:
    import pooch

    url = URL.format(name=name)
    cache, file = Path(pooch.os_cache("sparsemixed")), f"{name}.dta"
    pooch.get_logger().setLevel("WARNING")
    try:
        # What an earlier run left behind may be half a file, or the page of a network that asks for a password.
        if (cache / file).is_file() and not _is_whole(cache / file, name):
            (cache / file).unlink()
        found = Path(pooch.retrieve(url, known_hash=None, fname=file, path=cache))
        if not _is_whole(found, name):
            found.unlink()
            raise ValueError("what came is not the data set")
        return found
    except (OSError, ValueError) as error:
        where = f"the folder {folder} of {FOLDER_VARIABLE} has no {file}" if folder else f"{FOLDER_VARIABLE} is not set"
        why = str(error) if isinstance(error, ValueError) else type(error).__name__
        raise DataError(
            f"data set {name!r} not found: {where}, and the download from {url} failed ({why}). "
            f"Put {file} into a folder and name the folder in {FOLDER_VARIABLE}, or connect to the web."
        ) from error


def _is_whole(path: Path, name: str) -> bool:
    try:
        return read_file(path)[0].shape == MANUAL[name]
    except DataError:
        return False


def _positive(**counts: int) -> None:
    for name, value in counts.items():
        if value < 1:
            raise OptionError(f"{name} must be at least 1, not {value}")


def simulate_crossed(
    n_rows: int,
    n_users: int,
    n_items: int,
    *,
    popularity: str = "uniform",
    exponent: float = 1.0,
    beta: tuple[float, float] = (1.0, 0.5),
    sd_user: float = 1.0,
    sd_item: float = 0.5,
    sd_residual: float = 1.0,
    seed: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """Ratings of items by users: two crossed random intercepts.

    Parameters
    ----------
    n_rows, n_users, n_items : int
    popularity : {"uniform", "zipf"}
        Whether all items are as likely, or the k-th most popular has probability proportional to `k ** -exponent`.
    exponent : float
    beta : (float, float)
        Constant and coefficient of x.
    sd_user, sd_item, sd_residual : float
    seed : int or Generator

    Returns
    -------
    DataFrame
        Columns y, x, user, item; codes from 1.

    Examples
    --------
    >>> simulate_crossed(4, 2, 3, seed=1).columns.tolist()
    ['y', 'x', 'user', 'item']
    """
    _positive(n_rows=n_rows, n_users=n_users, n_items=n_items)
    rng = np.random.default_rng(seed)
    user = rng.integers(n_users, size=n_rows)
    item = _items(rng, n_rows, n_items, popularity, exponent)
    x = rng.normal(size=n_rows)
    effects = rng.normal(scale=sd_user, size=n_users)[user] + rng.normal(scale=sd_item, size=n_items)[item]
    y = beta[0] + beta[1] * x + effects + rng.normal(scale=sd_residual, size=n_rows)
    return pd.DataFrame({"y": y, "x": x, "user": user + 1, "item": item + 1})


def _items(rng: np.random.Generator, n_rows: int, n_items: int, popularity: str, exponent: float) -> np.ndarray:
    """The item (n_rows,) of each row, counted from 0."""
    if popularity == "uniform":
        return rng.integers(n_items, size=n_rows)
    if popularity != "zipf":
        raise OptionError(f"popularity must be 'uniform' or 'zipf', not {popularity!r}")
    cumulative = np.cumsum(np.arange(1, n_items + 1, dtype=float) ** -exponent)
    item = np.searchsorted(cumulative, rng.random(n_rows) * cumulative[-1], side="right")
    return np.minimum(item, n_items - 1)


def simulate_longitudinal(
    n_groups: int,
    n_visits: int,
    *,
    unbalanced: bool = False,
    beta: tuple[float, float] = (1.0, 0.5),
    sd_intercept: float = 1.0,
    sd_slope: float = 0.3,
    correlation: float = 0.2,
    sd_residual: float = 1.0,
    seed: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """Repeated measurements with a random intercept and a random slope of time.

    Parameters
    ----------
    n_groups, n_visits : int
    unbalanced : bool
        Each group has between 1 and `n_visits` visits instead of all of them.
    beta : (float, float)
        Mean intercept and mean slope.
    sd_intercept, sd_slope, correlation, sd_residual : float
    seed : int or Generator

    Returns
    -------
    DataFrame
        Columns y, time, id; visits at times 0, 1, ..., codes from 1.

    Examples
    --------
    >>> len(simulate_longitudinal(10, 3))
    30
    """
    _positive(n_groups=n_groups, n_visits=n_visits)
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, n_visits + 1, size=n_groups) if unbalanced else np.full(n_groups, n_visits)
    group = np.repeat(np.arange(n_groups), sizes)
    time = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    z = rng.normal(size=(n_groups, 2))
    intercept = sd_intercept * z[:, 0]
    slope = sd_slope * (correlation * z[:, 0] + np.sqrt(1.0 - correlation**2) * z[:, 1])
    mean = beta[0] + intercept[group] + (beta[1] + slope[group]) * time
    y = mean + rng.normal(scale=sd_residual, size=len(group))
    return pd.DataFrame({"y": y, "time": time.astype(float), "id": group + 1})
