"""Fit 1,000,000 crossed ratings iteratively, exactly, and by gpboost and lme4, one program after the other.

    python benchmarks/iterative.py [--rows 1e6] [--users 6040] [--items 3706] [--only sparsemixed gpboost lme4] [--timeout 1800]

The design is that of `huge.py`. gpboost (PyPI) has no REML and is timed by ML, without standard errors; lme4 (R) by REML, as our
second row. Every program runs in a process of its own, the compiled ones warmed up on a small design first. Prints a Markdown
table and writes build/iterative.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

RUNS = [
    ("sparsemixed", "iterative, ML", "solver(krylov)"),
    ("sparsemixed", "iterative, REML", "reml solver(krylov)"),
    ("sparsemixed", "exact, ML", "solver(dense)"),
    ("sparsemixed", "exact, REML", "reml solver(dense)"),
    ("gpboost", "ML", ""),
    ("lme4", "REML", ""),
]
LMER = """
suppressMessages(library(lme4))
d <- read.csv("{data}")
s <- system.time(m <- lmer(y ~ x + (1 | user) + (1 | item), d))
v <- as.data.frame(VarCorr(m))
cat(sprintf('{{"seconds": %f, "llf": %.8f, "variances": [%s]}}', s[["elapsed"]], logLik(m), paste(v$vcov, collapse = ", ")))
"""


def ours(options: str, rows: int, users: int, items: int) -> dict:
    """A warm fit in this process."""
    import huge

    import sparsemixed

    command = f"y x || _all: R.item || user:, {options}"
    sparsemixed.mixed(command, huge.simulate(20_000, 1000, 450))
    data = huge.simulate(rows, users, items)
    started = time.perf_counter()
    fit = sparsemixed.mixed(command, data)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "llf": fit.llf, "variances": fit.random_params["estimate"].tolist()}


def gpboost(rows: int, users: int, items: int) -> dict:
    """A fit by gpboost's default for crossed factors, which is iterative."""
    import gpboost as gpb
    import huge
    import numpy as np

    out = {}
    for data in (huge.simulate(20_000, 1000, 450), huge.simulate(rows, users, items)):
        X = np.column_stack([np.ones(len(data)), data["x"]])
        started = time.perf_counter()
        model = gpb.GPModel(group_data=data[["item", "user"]].to_numpy(), likelihood="gaussian")
        model.fit(y=data["y"].to_numpy(), X=X)
        out = {"seconds": time.perf_counter() - started, "llf": -float(model.get_current_neg_log_likelihood())}
    return out


def lme4(rows: int, users: int, items: int, timeout: float) -> dict:
    """lmer() as its users call it."""
    import huge

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ratings.csv"
        huge.simulate(rows, users, items).to_csv(path, index=False)
        done = subprocess.run(
            [shutil.which("Rscript") or "Rscript", "-e", LMER.format(data=path)], capture_output=True, text=True, timeout=timeout
        )
    return json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr.strip().splitlines()[-1]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, default=1e6)
    parser.add_argument("--users", type=int, default=6040)
    parser.add_argument("--items", type=int, default=3706)
    parser.add_argument("--only", nargs="+", default=["sparsemixed", "gpboost", "lme4"])
    parser.add_argument("--timeout", type=float, default=1800.0)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    size = (int(asked.rows), asked.users, asked.items)
    if asked.child is not None:
        program, _, options = RUNS[int(asked.child)]
        print("\n" + json.dumps(ours(options, *size) if program == "sparsemixed" else gpboost(*size)))
        return
    rows = []
    for place, (program, method, _) in enumerate(RUNS):
        if program not in asked.only:
            continue
        try:
            if program == "lme4":
                found = lme4(*size, asked.timeout)
            else:
                command = [sys.executable, __file__, *sys.argv[1:], "--child", str(place)]
                done = subprocess.run(command, capture_output=True, text=True, timeout=asked.timeout)
                last = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()[-1]
                found = json.loads(last) if done.returncode == 0 else {"error": last}
        except subprocess.TimeoutExpired:
            found = {"error": f"not done in {asked.timeout:.0f} s"}
        except OSError as error:
            found = {"error": str(error)}
        rows.append({"program": program, "method": method, **found})
        time_taken = found.get("error") or f"{found['seconds']:.2f} s"
        print(f"| {program} | {method} | {time_taken} | {found.get('llf', '')} |", flush=True)
    build = HERE.parent / "build"
    build.mkdir(exist_ok=True)
    (build / "iterative.json").write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
