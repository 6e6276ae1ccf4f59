"""Time small fits, of which there are many: in a loop, from prepared models, and as a batch of the command line.

    python benchmarks/small_fits.py [--repeat 200] [--fits 1000]

The design of every fit is made anew, but for prepared models. Seconds of one processor (`time.process_time`), so that other
processes count as little as they can; the least and the median of `--repeat` fits after the first hundred, by which the kernels
are loaded and the searches compiled. Prints a Markdown table and writes build/small_fits.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "build"
# One thread for everything, before a library is loaded that would start more.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

import sparsemixed  # noqa: E402
from sparsemixed.datasets import simulate_longitudinal  # noqa: E402

BEFORE = 100
"""Fits that are not timed."""


def sleepstudy() -> pd.DataFrame:
    """Data of the shape and the variances of lme4's sleepstudy: 18 subjects on 10 days."""
    rng = np.random.default_rng(3)
    subject, days = np.repeat(np.arange(18), 10), np.tile(np.arange(10.0), 18)
    b = rng.normal(size=(18, 2)) @ np.linalg.cholesky([[612.0, 9.6], [9.6, 35.0]]).T
    reaction = 251.4 + 10.47 * days + b[subject, 0] + b[subject, 1] * days + 25.6 * rng.normal(size=180)
    return pd.DataFrame({"Reaction": reaction, "Days": days, "Subject": subject + 308})


def milliseconds(run: Callable[[int], object], repeat: int) -> dict[str, float]:
    """Of `run(i)` for i = 0, 1, ...: the least and the median."""
    took = []
    for i in range(BEFORE + repeat):
        began = time.process_time()
        run(i)
        took.append(1e3 * (time.process_time() - began))
    return {"least": min(took[BEFORE:]), "median": statistics.median(took[BEFORE:])}


def in_python(repeat: int) -> dict[str, dict[str, float]]:
    """The cases that are calls from Python."""
    rng = np.random.default_rng(1)
    small, sleep = simulate_longitudinal(40, 5, seed=3), sleepstudy()
    model = "Reaction ~ Days + (1 + Days | Subject)"
    prepared = sparsemixed.prepare(model, sleep, reml=True)
    frames = [small.assign(y=small.y + 0.3 * rng.normal(size=200)) for _ in range(20)]
    responses = [sleep.Reaction.to_numpy() + 5.0 * rng.normal(size=180) for _ in range(20)]
    return {
        "40 groups x 5 rows, random intercepts, REML": milliseconds(
            lambda i: sparsemixed.mixed("y time || id:", frames[i % 20], reml=True), repeat
        ),
        "sleepstudy, correlated slopes, REML": milliseconds(lambda i: sparsemixed.mixed(model, sleep, reml=True), repeat),
        "sleepstudy with its tables": milliseconds(lambda i: str(sparsemixed.mixed(model, sleep, reml=True)), repeat),
        "sleepstudy prepared, a new response": milliseconds(lambda i: prepared.fit(responses[i % 20]), repeat),
    }


def as_batch(fits: int) -> float:
    """Seconds of one processor that `sparsemixed batch` takes for so many fits of 40 x 5 rows, its start and reading included."""
    rng, small = np.random.default_rng(1), simulate_longitudinal(40, 5, seed=3)
    with tempfile.TemporaryDirectory() as folder:
        data, jobs, out = (Path(folder) / name for name in ("rows.csv", "jobs.jsonl", "results.jsonl"))
        parts = [small.assign(y=small.y + 0.3 * rng.normal(size=200), part=i) for i in range(fits)]
        pd.concat(parts).to_csv(data, index=False)
        jobs.write_text(
            json.dumps({"data": str(data), "model": "y time || id:", "options": {"reml": True}, "by": "part"}), encoding="utf-8"
        )
        before = os.times()
        subprocess.run([sys.executable, "-m", "sparsemixed", "batch", jobs, "--out", out, "--quiet"], check=True)
        after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=200, help="fits of each kind that are timed (default: 200)")
    parser.add_argument("--fits", type=int, default=1000, help="fits of the batch (default: 1000)")
    options = parser.parse_args()
    took = in_python(options.repeat)
    batch = as_batch(options.fits)
    print("| fit | least, ms | median, ms |\n|---|---:|---:|")
    for name, value in took.items():
        print(f"| {name} | {value['least']:.2f} | {value['median']:.2f} |")
    print(f"\nbatch of {options.fits:,}: {batch:.1f} s, {options.fits / batch:.0f} fits a second of one processor")
    BUILD.mkdir(exist_ok=True)
    (BUILD / "small_fits.json").write_text(json.dumps({"milliseconds": took, "batch seconds": batch}, indent=2) + "\n")


if __name__ == "__main__":
    main()
