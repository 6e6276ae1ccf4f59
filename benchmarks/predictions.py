"""Time the standard errors of fitted rows after a fit, beside lme4's predict(se.fit = TRUE) at the sizes that it bears.

    python benchmarks/predictions.py [--million] [--repeat 3] [--lme4]

A crossed design, REML. The fit is made first; then the standard errors of all fitted rows, once from the fit and once more, which
has the joint errors at hand, and prediction intervals of as many rows of other combinations of known groups, a thousand at most,
each of which needs a solution. lme4 forms the whole inverse of order p + q, from version 1.1-32. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

import sparsemixed
from sparsemixed.datasets import simulate_crossed

SIZES = {"small": (20_000, 2_000, 400), "middle": (100_000, 8_000, 1_000), "million": (1_000_000, 50_000, 5_000)}
MODEL = "y x || _all: R.item || user:, reml"
LME4 = """
library(lme4)
d <- read.csv("{csv}")
m <- lmer(y ~ x + (1 | item) + (1 | user), d)
t <- system.time(p <- predict(m, se.fit = TRUE))[["elapsed"]]
if (!is.list(p)) stop("this lme4 has no se.fit")
cat("seconds", t, "\\n")
"""


def ours(name: str, repeat: int) -> list[float]:
    """Seconds of the fit, of the first standard errors, of later ones, and of intervals for other combinations."""
    rows, users, items = SIZES[name]
    data = simulate_crossed(rows, users, items, seed=1)
    sparsemixed.mixed(MODEL, simulate_crossed(1000, 50, 20, seed=1)).predict(what="fitted", se=True)  # loads the kernels
    rng = np.random.default_rng(2)
    other = data.sample(min(rows, 1000), random_state=3).assign(item=lambda d: rng.permutation(d["item"].to_numpy()))
    seconds = []
    for _ in range(repeat):
        clock = [time.perf_counter()]
        fit = sparsemixed.mixed(MODEL, data)
        clock.append(time.perf_counter())
        for _ in range(2):
            fit.predict(what="fitted", se=True)
            clock.append(time.perf_counter())
        fit.predict(other, "fitted", interval="prediction")
        seconds.append(np.diff([*clock, time.perf_counter()]))
    return np.median(seconds, axis=0).tolist()


def theirs(name: str) -> str:
    """Seconds of lme4's predict, or why there are none."""
    rows, users, items = SIZES[name]
    with tempfile.TemporaryDirectory() as folder:
        csv = Path(folder) / "data.csv"
        simulate_crossed(rows, users, items, seed=1).to_csv(csv, index=False)
        script = Path(folder) / "predict.R"
        script.write_text(LME4.format(csv=csv), encoding="utf-8")
        found = subprocess.run(["Rscript", str(script)], capture_output=True, text=True, check=False)
    if found.returncode:
        return found.stderr.strip().splitlines()[-2].strip() if "se.fit" in found.stderr else "failed"
    return f"{float(found.stdout.split()[-1]):.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--million", action="store_true", help="1,000,000 rows as well, ours alone")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--lme4", action="store_true", help="lme4 as well, up to 20,000 rows")
    options = parser.parse_args()
    print("| rows, users x items | fit, s | se of all rows, s | again, s | intervals of 1,000 other rows, s | lme4 se.fit, s |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in SIZES if options.million else ("small", "middle"):
        rows, users, items = SIZES[name]
        cells = [f"{second:.2f}" for second in ours(name, options.repeat)]
        lme4 = theirs(name) if options.lme4 and name == "small" else ""
        print(f"| {rows:,}, {users:,} x {items:,} | {' | '.join(cells)} | {lme4} |", flush=True)


if __name__ == "__main__":
    main()
