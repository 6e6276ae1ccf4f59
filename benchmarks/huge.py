"""Fit a crossed design that no Cholesky factorization can: 25,000,000 ratings by 162,541 users of 59,047 items.

    python benchmarks/huge.py [--rows 25e6] [--users 162541] [--items 59047] [--files 25] [--long]

The design is simulated to look like film ratings: users' counts are log-normal from 20 to 10,000, and items follow a power law
under which the busiest 5 % hold about 70 % of the ratings. One covariate, REML, true values 0.1 (coefficient), 0.43^2 (users),
0.48^2 (items), 0.86^2 (errors). Reports the time from the data frame, the time from the cross-products on, the peak memory,
and how far the estimates are from the truth; --files reads the ratings from as many Parquet files instead, which another process
writes beforehand; --long adds a run with ten times as many probes and another seed. Writes build/huge.json.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import resource
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd

import sparsemixed

estimation = importlib.import_module("sparsemixed.estimation.estimate")

TRUTH = {"item": 0.48**2, "user": 0.43**2, "Residual": 0.86**2}
BUILD = Path(__file__).parent.parent / "build"
COMMAND = "y x || _all: R.item || user:, reml solver(krylov)"


def simulate(rows: int, users: int, items: int, seed: int = 0) -> pd.DataFrame:
    """Ratings in the order of their users."""
    rng = np.random.default_rng(seed)
    counts = np.exp(rng.normal(0.0, 1.1, users))
    for _ in range(20):  # clipping changes the total
        counts = np.clip(counts * rows / counts.sum(), min(20, rows / users / 5), 10_000)
    counts = counts.astype(np.int64)
    user = np.repeat(np.arange(users, dtype=np.int32), counts)
    popularity = (np.arange(1, items + 1) + 0.0005 * items) ** -1.03
    popularity[items // 20 :] *= _tail(popularity, items // 20)
    item = np.searchsorted(np.cumsum(popularity / popularity.sum()), rng.random(user.size)).astype(np.int32)
    x = rng.standard_normal(user.size)
    y = 3.5 + 0.1 * x + 0.86 * rng.standard_normal(user.size)
    y += 0.43 * rng.standard_normal(users)[user] + 0.48 * rng.standard_normal(items)[np.minimum(item, items - 1)]
    return pd.DataFrame({"user": user, "item": np.minimum(item, items - 1), "x": x, "y": y})


def _tail(popularity: np.ndarray, top: int) -> float:
    """Factor on the rest that leaves 70 % to the busiest `top`."""
    return popularity[:top].sum() * (0.3 / 0.7) / popularity[top:].sum()


def write(folder: Path, files: int, rows: int, users: int, items: int) -> None:
    """Parquet files of about as many ratings each, in the order of their users."""
    data = simulate(rows, users, items)
    bounds = np.linspace(0, len(data), files + 1).astype(int)
    for i in range(files):
        data.iloc[bounds[i] : bounds[i + 1]].to_parquet(folder / f"part-{i:03}.parquet", index=False)


def written(files: int, *sizes: int) -> Path:
    """The folder with them; a process of its own has written it, whose memory is not that of the fit."""
    folder = BUILD / "huge"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    writer = multiprocessing.get_context("spawn").Process(target=write, args=(folder, files, *sizes))
    writer.start()
    writer.join()
    if writer.exitcode:
        raise SystemExit("huge: the ratings could not be written")
    return folder


def fit(data: pd.DataFrame | Path, **options) -> tuple[sparsemixed.results.Results, float, float]:
    """The fit, seconds in all, and seconds after the cross-products."""
    started, products = time.perf_counter(), []
    original = estimation.choose_problem

    def timed(*arguments):
        products.append(time.perf_counter())
        return original(*arguments)

    estimation.choose_problem = timed
    try:
        found = sparsemixed.mixed(COMMAND, data, **options)
    finally:
        estimation.choose_problem = original
    ended = time.perf_counter()
    return found, ended - started, ended - products[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, default=25e6)
    parser.add_argument("--users", type=int, default=162_541)
    parser.add_argument("--items", type=int, default=59_047)
    parser.add_argument("--files", type=int, help="read from so many Parquet files (default: from a data frame)")
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    warm = simulate(20_000, 1000, 300)
    fit(warm)
    sizes = int(options.rows), options.users, options.items
    data = simulate(*sizes) if options.files is None else written(options.files, *sizes)
    if isinstance(data, pd.DataFrame):
        busy = np.sort(np.bincount(data["item"], minlength=options.items))[::-1]
        print(f"{len(data):,} ratings, {options.users:,} users, {options.items:,} items; the busiest 5 % of items hold "
              f"{busy[: options.items // 20].sum() / len(data):.0%}")  # fmt: skip
    found, whole, inner = fit(data)
    table = found.random_params
    z = {
        name: (float(table["estimate"].iloc[row]) - TRUTH[name]) / float(table["std_err"].iloc[row])
        for row, name in enumerate(TRUTH)
    }
    out = {
        "rows": found.nobs, "users": options.users, "items": options.items, "seconds": whole, "seconds_from_products": inner,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, "converged": found.converged,
        "monte_carlo_error": found.fit.monte_carlo.error, "llf": found.llf, "llf_error": found.fit.monte_carlo.llf_error,
        "standard_errors_from_truth": z,
    }  # fmt: skip
    if options.long:
        other, _, _ = fit(data, seed=12345, mc_tolerance=max(found.fit.monte_carlo.error / 3, 1e-6))
        shift = (other.random_params["estimate"] - table["estimate"]) / table["std_err"]
        out["standard_errors_from_long_run"] = float(shift.abs().max())
    print(found)
    print(json.dumps(out, indent=2))
    BUILD.mkdir(exist_ok=True)
    (BUILD / "huge.json").write_text(json.dumps(out, indent=2))
    shutil.rmtree(BUILD / "huge", ignore_errors=True)


if __name__ == "__main__":
    main()
