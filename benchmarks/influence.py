"""Time deletions and leave-one-out predictions after a fit, beside lme4's `influence()` where that comes to an end.

    python benchmarks/influence.py [--case NAME ...] [--only sparsemixed lme4] [--timeout 900]

Each case fits a model, then times one statistic of all its groups; compiled kernels are loaded on few rows before the clock
starts. lme4 fits again without every group, which ends in time for fewer groups only. Prints a Markdown table and writes
build/influence.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from typing import Any, NamedTuple

from measuring import BUILD, HERE, describe_machine, prepare
from small_sample import measure
from tables import number


class Case(NamedTuple):
    """What is timed: data set, model, groups, and the call by name of the method and its keywords."""

    title: str
    data: str
    model: str
    by: str | None
    call: dict[str, Any]
    lme4: bool = False


CASES = {
    "crossed-cooks": Case(
        "1,000,000 rows, 50,000 users x 5,000 items: Cook's distance of all users",
        "crossed", "y ~ x + (1 | user) + (1 | item)", "user", {"name": "influence", "what": "cooks"},
    ),
    "crossed-loo": Case(
        "the same: every row left out",
        "crossed", "y ~ x + (1 | user) + (1 | item)", None, {"name": "loo"},
    ),
    "groups-one-step": Case(
        "1,000,000 rows, 100,000 groups, random slope: one step without each group",
        "longitudinal", "y ~ time + (1 + time | id)", "id", {"name": "influence", "method": "onestep"},
    ),
    "groups-fixed": Case(
        "the same at given variances",
        "longitudinal", "y ~ time + (1 + time | id)", "id", {"name": "influence"},
    ),
    "groups-loo": Case(
        "the same: every group predicted by the others",
        "longitudinal", "y ~ time + (1 + time | id)", "id", {"name": "loo"},
    ),
    "exact": Case(
        "2,000 rows, 200 groups, random slope: fitted again without each group",
        "longitudinal-200", "y ~ time + (1 + time | id)", "id", {"name": "influence", "exact": True}, True,
    ),
    "one-step": Case(
        "the same by one step",
        "longitudinal-200", "y ~ time + (1 + time | id)", "id", {"name": "influence", "method": "onestep"},
    ),
}  # fmt: skip


def ours(name: str, timeout: float) -> dict[str, Any]:
    """The row of sparsemixed."""
    case, out = CASES[name], BUILD / "bench" / f"influence-{name}.json"
    call = json.dumps({**case.call, "by": case.by})
    command = [sys.executable, str(HERE / "worker.py"), "influence", f"{prepare(case.data)}.pkl", case.model, call, str(out)]
    return {"case": case.title, "program": "sparsemixed", **measure(command, out, timeout)}


def theirs(name: str, timeout: float) -> dict[str, Any]:
    """The row of lme4."""
    case, out = CASES[name], BUILD / "bench" / f"influence-{name}.lme4.json"
    row = {"case": case.title, "program": "lme4"}
    rscript = shutil.which("Rscript")
    if rscript is None:
        return {**row, "error": "R is not installed"}
    command = [rscript, str(HERE / "against" / "influence.R"), f"{prepare(case.data)}.csv", case.model, str(case.by), str(out)]
    return {**row, **measure(command, out, timeout)}


def table(rows: list[dict[str, Any]]) -> str:
    head = ("case", "program", "fit, s", "after the fit, s", "processor seconds", "largest distance", "peak memory, MB")
    lines = ["| " + " | ".join(head) + " |", "|---|---|---:|---:|---:|---:|---:|"]
    for r in rows:
        timed = [number(r.get(key), form) for key, form in (("fit", ".2f"), ("after", ".2f"), ("cpu", ".2f"), ("largest", ".6f"))]
        timed[1] = timed[1] or r.get("error", "")
        lines.append("| " + " | ".join([r["case"], r["program"], *timed, number(r.get("peak_mb"), ".0f")]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs="+", choices=CASES, default=list(CASES), help="default: all")
    parser.add_argument("--only", nargs="+", choices=("sparsemixed", "lme4"), default=["sparsemixed", "lme4"])
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds per case (default: 900)")
    options = parser.parse_args()
    (BUILD / "bench").mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for name in options.case:
        if "sparsemixed" in options.only:
            rows.append(ours(name, options.timeout))
        if "lme4" in options.only and CASES[name].lme4:
            rows.append(theirs(name, options.timeout))
    (BUILD / "influence.json").write_text(json.dumps({"machine": describe_machine(), "rows": rows}, indent=2) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
