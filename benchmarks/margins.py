"""Time 60 margins with their degrees of freedom after a fit, beside R's emmeans.

    python benchmarks/margins.py [--rows 3000 30000 1000000] [--only sparsemixed emmeans] [--timeout 600]

Two factors of six and five levels, two covariates, a random intercept and slope of groups of ten rows, REML. The margins are
those of all 30 cells at two values of a covariate: 60 means, each with the degrees of freedom of its own. Every program and
method runs in a fresh process, which fits, computes the degrees of freedom of the coefficients, then the margins;
sparsemixed has loaded its compiled kernels before, on a small data set. emmeans gives up degrees of freedom above 3,000 rows
unless its limits are raised, as they are here; the clock stops at --timeout. Prints a Markdown table and writes
build/margins.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measuring import BUILD, HERE, describe_machine
from small_sample import measure
from tables import number

MODEL = "y i.a##i.b c.x##c.x z || g: x, covariance(unstructured) reml"
LMER = "y ~ a * b + x + I(x^2) + z + (1 + x | g)"
MARGINS = "a#b, at(x=(1 3)) small"
METHODS = {"satterthwaite": "Satterthwaite", "kroger": "Kenward-Roger"}
EMMEANS_MOST = {"satterthwaite": 30_000, "kroger": 3_000}
"""Rows at which R is tried: pbkrtest needs dense matrices of order n, 7 GB each at 30,000."""


def simulated(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    g = np.arange(n) // 10
    data = pd.DataFrame({"g": g, "a": rng.integers(1, 7, n), "b": rng.integers(1, 6, n)})
    data["x"], data["z"] = rng.normal(2.0, 1.0, n), rng.normal(size=n)
    intercept, slope = rng.normal(size=(2, g[-1] + 1))
    data["y"] = 1.0 + 0.2 * data["a"] + data["x"] * (0.5 + 0.5 * slope[g]) + intercept[g] + rng.normal(size=n)
    return data


def timed(data: Path, method: str, out: Path) -> None:
    """Fit, degrees of freedom of the coefficients, margins; seconds of each, of the processor's too, and of margins once more."""
    import sparsemixed

    sparsemixed.mixed(MODEL, simulated(2000), dfmethod=method).margins(MARGINS)
    frame, marks = pd.read_pickle(data), []

    def mark() -> None:
        marks.append((time.perf_counter(), time.process_time()))

    mark()
    fit = sparsemixed.mixed(MODEL, frame)
    mark()
    fit = fit.estat.df(post=method)
    mark()
    found = fit.margins(MARGINS)
    mark()
    fit.margins(MARGINS)
    mark()
    names = ("fit", "degrees", "margins", "again")
    wall, processor = (dict(zip(names, seconds.tolist(), strict=True)) for seconds in np.diff(marks, axis=0).T)
    figures = {"df": np.asarray(found.df).tolist(), "estimate": found.estimate.tolist()}
    out.write_text(json.dumps({**wall, "processor": processor, **figures}))


def rows_of(n: int, programs: list[str], timeout: float) -> list[dict[str, Any]]:
    """One row for each program and method."""
    stem = BUILD / "bench" / f"margins-{n}"
    data = simulated(n)
    data.to_pickle(f"{stem}.pkl")
    if "emmeans" in programs and n <= max(EMMEANS_MOST.values()):
        data.to_csv(f"{stem}.csv", index=False)
    found, rscript = [], shutil.which("Rscript")
    for method, words in METHODS.items():
        for program in programs:
            row = {"rows": n, "program": program, "method": words}
            out = BUILD / "bench" / f"margins-{n}-{program}-{method}.json"
            if program == "sparsemixed":
                command = [sys.executable, str(HERE / "margins.py"), "--child", f"{stem}.pkl", method, str(out)]
                found.append({**row, **measure(command, out, timeout)})
            elif rscript is None:
                found.append({**row, "error": "R is not installed"})
            elif n > EMMEANS_MOST[method]:
                found.append({**row, "error": "not tried"})
            else:
                command = [rscript, str(HERE / "against" / "emmeans.R"), f"{stem}.csv", LMER, method, str(out)]
                found.append({**row, **measure(command, out, timeout)})
    return found


def table(rows: list[dict[str, Any]]) -> str:
    head = (
        "rows",
        "program",
        "method",
        "fit, s",
        "df of the coefficients, s",
        "60 margins, s",
        "once more, s",
        "peak memory, MB",
    )
    lines = ["| " + " | ".join(head) + " |", "|---:|---|---|---:|---:|---:|---:|---:|"]
    for r in rows:
        cells = [number(r.get(key), ".3f") for key in ("fit", "degrees", "margins", "again")]
        cells[2] = cells[2] or r.get("error", "")
        lines.append(
            "| " + " | ".join([f"{r['rows']:,}", r["program"], r["method"], *cells, number(r.get("peak_mb"), ".0f")]) + " |"
        )
    return "\n".join(lines)


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        timed(Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", type=int, default=[3_000, 30_000, 1_000_000])
    parser.add_argument("--only", nargs="+", choices=("sparsemixed", "emmeans"), default=["sparsemixed", "emmeans"])
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds per program and method (default: 600)")
    options = parser.parse_args()
    (BUILD / "bench").mkdir(parents=True, exist_ok=True)
    rows = [row for n in options.rows for row in rows_of(n, options.only, options.timeout)]
    (BUILD / "margins.json").write_text(json.dumps({"machine": describe_machine(), "rows": rows}, indent=2) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
