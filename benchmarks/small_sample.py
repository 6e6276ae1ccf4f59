"""Time small-sample inference at sizes at which n x n matrices are out of the question, beside R's lmerTest.

    python benchmarks/small_sample.py [--million] [--only sparsemixed lmerTest] [--timeout 600]

InstEval: 73,421 ratings, crossed students and lecturers, service by department, 28 coefficients, REML. Every method runs in a
fresh process, whose peak memory is reported; compiled kernels are loaded before the clock starts. pbkrtest's Kenward-Roger
needs several dense matrices of order 73,421 (43 GB each) and is not tried. --million adds sparsemixed alone on 1,000,000
simulated rows with 50,000 x 5,000 crossed groups. Prints a Markdown table and writes build/small_sample.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from measuring import BUILD, HERE, describe_machine, prepare, run_child
from tables import number

CASES = {
    "insteval": ("InstEval, 28 coefficients", "y i.service##i.dept || _all: R.d || s:, reml"),
    "crossed": ("1,000,000 rows, 50,000 x 5,000", "y x || _all: R.item || user:, reml"),
}
METHODS = {
    "satterthwaite, oim": "Satterthwaite, observed information",
    "satterthwaite, eim": "Satterthwaite, expected information",
    "kroger, eim": "Kenward-Roger, expected information",
}
LMER = ("y ~ service * dept + (1 | s) + (1 | d)", "s,d,dept,service")


def measure(command: list[str], out: Path, timeout: float) -> dict[str, Any]:
    """The JSON that a program wrote, with its peak memory; or `error` in words."""
    out.unlink(missing_ok=True)
    child = run_child(command, out.with_suffix(".log"), timeout)
    if child["timed_out"]:
        return {"error": f"not done in {timeout:.0f} s", "peak_mb": child["peak_mb"]}
    if not out.exists():
        print(child["printed"], file=sys.stderr)
        return {"error": f"exit status {child['status']}", "peak_mb": child["peak_mb"]}
    return {**json.loads(out.read_text()), "peak_mb": child["peak_mb"]}


def ours(name: str, timeout: float) -> list[dict[str, Any]]:
    """One row per method."""
    title, model = CASES[name]
    stem, rows = prepare(name), []
    for method, words in METHODS.items():
        out = BUILD / "bench" / f"small-{name}-{method.replace(', ', '-')}.json"
        command = [sys.executable, str(HERE / "worker.py"), "degrees", f"{stem}.pkl", model, method, str(out)]
        rows.append({"case": title, "program": "sparsemixed", "method": words, **measure(command, out, timeout)})
    return rows


def theirs(timeout: float) -> list[dict[str, Any]]:
    """lmerTest on InstEval."""
    rscript = shutil.which("Rscript")
    row = {"case": CASES["insteval"][0], "program": "lmerTest", "method": METHODS["satterthwaite, oim"]}
    if rscript is None:
        return [{**row, "error": "R is not installed"}]
    out = BUILD / "bench" / "small-insteval-lmertest.json"
    command = [rscript, str(HERE / "against" / "lmertest.R"), f"{prepare('insteval')}.csv", *LMER, str(out)]
    return [{**row, **measure(command, out, timeout)}]


def table(rows: list[dict[str, Any]]) -> str:
    head = ("case", "program", "method", "fit, s", "one factorization, s", "degrees of freedom, s", "peak memory, MB")
    lines = ["| " + " | ".join(head) + " |", "|---|---|---|---:|---:|---:|---:|"]
    for r in rows:
        timed = [number(r.get(key), ".3f") for key in ("fit", "factorization", "degrees")]
        timed[-1] = timed[-1] or r.get("error", "")
        lines.append("| " + " | ".join([r["case"], r["program"], r["method"], *timed, number(r.get("peak_mb"), ".0f")]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--million", action="store_true", help="also the million rows")
    parser.add_argument("--only", nargs="+", choices=("sparsemixed", "lmerTest"), default=["sparsemixed", "lmerTest"])
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds per method (default: 600)")
    options = parser.parse_args()
    (BUILD / "bench").mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    if "sparsemixed" in options.only:
        for name in ("insteval", "crossed") if options.million else ("insteval",):
            rows += ours(name, options.timeout)
    if "lmerTest" in options.only:
        rows += theirs(options.timeout)
    (BUILD / "small_sample.json").write_text(json.dumps({"machine": describe_machine(), "rows": rows}, indent=2) + "\n")
    print(table(rows))
    first = rows[0].get("df") if rows[0]["program"] == "sparsemixed" else None
    if first and rows[-1]["program"] == "lmerTest" and "df" in rows[-1]:
        # The constant comes last here and first there; the other coefficients have the same order after sorting.
        pairs = zip(sorted(first), sorted(rows[-1]["df"]), strict=True)
        print(f"\nlargest relative difference of the degrees of freedom: {max(abs(a / b - 1) for a, b in pairs):.1e}")


if __name__ == "__main__":
    main()
