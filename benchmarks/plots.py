"""Seconds and memory of every picture of a fit with a million rows: at most 2 s and 200 MB each.

    python benchmarks/plots.py [--rows 1000000] [NAME ...]

Each picture is made twice in a process of its own, forked after the fit: what the fit computes once, and what is loaded once, is
in the first time, and both are to keep the limit. Memory is the peak of the process less what it had when it began.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from io import BytesIO

import matplotlib as mpl

mpl.use("agg")

import numpy as np
import pandas as pd
from matplotlib import pyplot

import sparsemixed
from sparsemixed.plots.face import PICTURES

OPTIONS = {
    "densities": {"draws": pd.DataFrame(np.random.default_rng(0).normal(size=(10_000, 6)), columns=list("abcdef"))},
    "margins": {"terms": "", "at": {"time": [0, 3, 6, 9]}},
    "influence": {"by": "id"},
}
LIMITS = (2.0, 200.0)
"""Seconds, megabytes."""


def megabytes() -> float:
    """Peak of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def resident() -> float:
    """What this process holds now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def drawn(fit: sparsemixed.results.Results, name: str) -> float:
    """Seconds of one picture, written as an image: of this process, whatever else the machine does."""
    start = time.process_time()
    axes = np.ravel(np.asarray(getattr(fit.plot, name)(**OPTIONS.get(name, {})), dtype=object))
    axes[0].figure.savefig(BytesIO(), format="png", dpi=100)
    pyplot.close("all")
    return time.process_time() - start


def in_a_process(fit: sparsemixed.results.Results, name: str) -> bool:
    """Print a line; whether it keeps the limits."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    before = resident()
    first = drawn(fit, name)
    second, more = drawn(fit, name), max(megabytes() - before, 0.0)
    kept = max(first, second) <= LIMITS[0] and more <= LIMITS[1]
    print(f"{name:16} {first:8.2f} s {second:8.2f} s {more:8.0f} MB{'' if kept else '   over the limit'}", flush=True)
    os._exit(0 if kept else 1)


def main() -> None:
    """Every picture, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, default=1e6)
    parser.add_argument("names", nargs="*", default=list(PICTURES))
    options = parser.parse_args()
    data = sparsemixed.datasets.simulate_longitudinal(int(options.rows) // 10, 10, seed=1)
    fit = sparsemixed.mixed("y time || id: time, covariance(unstructured)", data)
    pyplot.figure().savefig(BytesIO())  # fonts are looked for once
    print(f"{len(data):,} rows, {resident():.0f} MB\n{'picture':16} {'first':>10} {'again':>10} {'memory':>11}")
    kept = [in_a_process(fit, name) for name in options.names]
    raise SystemExit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
