"""Time the start: a fresh process that imports sparsemixed and fits a small model, with warm and with empty kernel caches.

    python benchmarks/start.py [--repeat 3] [--check]

The data have the shape of the pigs' weights, 48 animals by 9 weeks. Prints a Markdown table and writes build/start.json;
with --check the exit status is 1 when a limit is passed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "build"
LIMITS = {"import and fit, warm caches": 2.0, "import and fit, empty caches": 12.0}

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


def seconds(program: str, cache: str | None = None) -> float:
    """Wall time of a fresh interpreter that runs `program`; `cache` is the folder of numba's compiled kernels."""
    # An installed package has its byte code; where Python may not write any, each start would compile 400 files.
    environment = {key: value for key, value in os.environ.items() if key not in ("NUMBA_CACHE_DIR", "PYTHONDONTWRITEBYTECODE")}
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = cache
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    return time.perf_counter() - began


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
    with tempfile.TemporaryDirectory() as cache:
        took["import and fit, empty caches"] = seconds(FIT, cache)

    print("| start of a fresh process | seconds | limit |\n|---|---:|---:|")
    for name, value in took.items():
        print(f"| {name} | {value:.2f} | {LIMITS.get(name, '')} |")
    BUILD.mkdir(exist_ok=True)
    (BUILD / "start.json").write_text(json.dumps(took, indent=2) + "\n")
    return int(options.check and any(took[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
