"""Make the example data of the package, sparsemixed/data/*.csv: simulated, under names of our own.

    python packaging/make_examples.py

They are kept as files because random numbers of one seed may differ between versions of numpy.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parent.parent / "sparsemixed" / "data"


def seedlings(rng: np.random.Generator) -> pd.DataFrame:
    """72 seedlings, measured each week until some are lost: height over week, by shade, random intercepts and slopes."""
    rows = []
    for plant in range(1, 73):
        shade = ("none", "half", "full")[plant % 3]
        u = rng.multivariate_normal([0, 0], [[2.2, 0.25], [0.25, 0.16]])
        slope = 2.4 + {"none": 0.0, "half": -0.25, "full": -0.8}[shade] + u[1]
        for week in range(int(rng.integers(5, 9))):
            height = 6.0 + u[0] + slope * week - 0.05 * week**2 + rng.normal(scale=0.8)
            rows.append((plant, shade, week, round(height, 2)))
    return pd.DataFrame(rows, columns=["plant", "shade", "week", "height"])


def districts(rng: np.random.Generator) -> pd.DataFrame:
    """788 pupils in 36 schools of 9 districts: score over books at home and lessons, nested intercepts, a slope by school."""
    rows, pupil = [], 0
    for school in range(1, 37):
        district = (school - 1) // 4 + 1
        if school % 4 == 1:
            d = rng.normal(scale=3.0)
        u = rng.multivariate_normal([0, 0], [[16.0, 1.2], [1.2, 0.5]])
        size = int(rng.integers(12, 32))
        lessons = int(rng.integers(3, 6))
        for _ in range(size):
            pupil += 1
            books, girl = float(np.round(rng.gamma(2.0, 1.6), 1)), int(rng.random() < 0.5)
            score = 48 + d + u[0] + (1.5 + u[1]) * books + 1.8 * girl + 1.2 * lessons + rng.normal(scale=9.0)
            rows.append((district, school, pupil, "girl" if girl else "boy", books, lessons, round(score, 1)))
    return pd.DataFrame(rows, columns=["district", "school", "pupil", "gender", "books", "lessons", "score"])


def tastings(rng: np.random.Generator) -> pd.DataFrame:
    """1,200 ratings of 60 teas by 48 tasters, not every one by each: crossed intercepts."""
    taster, tea = rng.normal(scale=0.9, size=48), rng.normal(scale=0.7, size=60)
    origin = rng.integers(0, 3, size=60)
    chosen = rng.choice(48 * 60, size=1200, replace=False)
    rows = []
    for one in np.sort(chosen):
        i, j = divmod(int(one), 60)
        minutes = int(rng.integers(2, 7))
        rating = 5.2 + taster[i] + tea[j] + (0.0, 0.5, -0.3)[origin[j]] - 0.12 * (minutes - 4) ** 2 + rng.normal(scale=1.1)
        rows.append((i + 1, j + 1, ("north", "south", "west")[origin[j]], minutes, round(float(rating), 1)))
    return pd.DataFrame(rows, columns=["taster", "tea", "origin", "minutes", "rating"])


def clinics(rng: np.random.Generator) -> pd.DataFrame:
    """A trial: 96 patients of two arms at six visits, some missed, errors of one patient correlated over time."""
    rows = []
    for patient in range(1, 97):
        arm = ("control", "treated")[patient % 2]
        baseline, error = rng.normal(50, 6), rng.normal(scale=5.0)
        for visit in range(1, 7):
            error = 0.6 * error + rng.normal(scale=4.0)
            if visit > 2 and rng.random() < 0.12:
                continue
            change = -0.8 * visit - (0.9 * visit if arm == "treated" else 0.0)
            rows.append((patient, arm, visit, round(float(baseline), 1), round(float(10 + 0.8 * baseline + change + error), 1)))
    return pd.DataFrame(rows, columns=["patient", "arm", "visit", "baseline", "score"])


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for seed, make in enumerate((seedlings, districts, tastings, clinics), start=101):
        table = make(np.random.default_rng(seed))
        table.to_csv(FOLDER / f"{make.__name__}.csv", index=False, lineterminator="\n")
        print(f"{make.__name__}: {len(table)} rows")


if __name__ == "__main__":
    main()
