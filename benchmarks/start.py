"""Time the start: a fresh process that imports sparsemixed and fits a model, with warm and with empty kernel caches.

    python benchmarks/start.py [--repeat 3] [--check]

A small model of data in the shape of the pigs' weights, 48 animals by 9 weeks; and, with empty caches alone, crossed intercepts
and one factor within another of 73,421 ratings of 1,128 items by 2,972 users, the size of InstEval, and crossed slopes of 20,000.
Prints a Markdown table and writes build/start.json; with --check the exit status is 1 when a limit is passed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

BUILD = Path(__file__).resolve().parent.parent / "build"
LIMITS = {"import and fit, warm caches": 2.0, "import and fit, empty caches": 12.0, "crossed, empty caches": 6.0}
"""Seconds by the clock."""

# Parts load when first named: naming `mixed` loads all that a fit needs.
IMPORT = "import sparsemixed; sparsemixed.mixed"
FIT = """
import numpy as np
import pandas as pd
import sparsemixed

rng = np.random.default_rng(1)
pig, week = np.repeat(np.arange(48), 9), np.tile(np.arange(1.0, 10.0), 48)
level, slope = rng.normal(0.0, 2.6, 48), rng.normal(0.0, 0.6, 48)
weight = 19.4 + 6.2 * week + level[pig] + slope[pig] * week + rng.normal(0.0, 1.3, 432)
data = pd.DataFrame({"weight": weight, "week": week, "id": pig})
fit = sparsemixed.mixed("weight week || id: week, covariance(unstructured)", data)
assert fit.converged
str(fit)
"""

RATINGS = """
import numpy as np
import pandas as pd
import sparsemixed

rng = np.random.default_rng(1)
rows, users, items = {size}
user, item, x = rng.integers(users, size=rows), rng.integers(items, size=rows), rng.normal(size=rows)
group = item % 14
level = rng.normal(0.0, 0.3, users)[user] + rng.normal(0.0, 0.5, items)[item] + rng.normal(0.0, 0.3, 14)[group]
slope = rng.normal(0.0, 0.4, users)[user] + rng.normal(0.0, 0.3, items)[item]
y = 3.0 + level + (0.5 + {slopes} * slope) * x + rng.normal(0.0, 1.2, rows)
fit = sparsemixed.mixed({model!r}, pd.DataFrame(dict(y=y, x=x, user=user, item=item, group=group)), reml=True)
assert fit.converged
str(fit)
"""
INSTEVAL = 73_421, 2_972, 1_128
FIRST = {
    "crossed, empty caches": {"model": "y ~ x + (1 | user) + (1 | item) + (1 | group)", "size": INSTEVAL, "slopes": 0},
    "nested, empty caches": {"model": "y ~ x + (1 | group / item)", "size": INSTEVAL, "slopes": 0},
    "crossed slopes, empty caches": {
        "model": "y ~ x + (1 + x | user) + (1 + x | item)",
        "size": (20_000, 800, 300),
        "slopes": 1,
    },
}


class Took(NamedTuple):
    """Seconds by the clock, and of the processor."""

    wall: float
    processor: float


def seconds(program: str, cache: str | None = None) -> Took:
    """What a fresh interpreter takes that runs `program`; `cache` is the folder of numba's compiled kernels."""
    # An installed package has its byte code; where Python may not write any, each start would compile 400 files.
    environment = {key: value for key, value in os.environ.items() if key not in ("NUMBA_CACHE_DIR", "PYTHONDONTWRITEBYTECODE")}
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = cache
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def first(program: str) -> Took:
    """The same with no compiled kernels."""
    with tempfile.TemporaryDirectory() as cache:
        return seconds(program, cache)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="fresh processes with warm caches; the best counts (default: 3)")
    parser.add_argument("--check", action="store_true", help="exit status 1 when a limit is passed")
    options = parser.parse_args()

    seconds(FIT)  # fills the caches
    took = {
        "import alone": min(seconds(IMPORT) for _ in range(options.repeat)),
        "import and fit, warm caches": min(seconds(FIT) for _ in range(options.repeat)),
    }
    took["import and fit, empty caches"] = first(FIT)
    for name, case in FIRST.items():
        took[name] = first(RATINGS.format(**case))

    print("| start of a fresh process | seconds | of the processor | limit |\n|---|---:|---:|---:|")
    for name, value in took.items():
        print(f"| {name} | {value.wall:.2f} | {value.processor:.2f} | {LIMITS.get(name, '')} |")
    BUILD.mkdir(exist_ok=True)
    (BUILD / "start.json").write_text(json.dumps({name: value._asdict() for name, value in took.items()}, indent=2) + "\n")
    return int(options.check and any(took[name].wall > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
