"""Time whole fits of sparsemixed, R's lme4 and nlme, and statsmodels on the same data, one after the other on this machine.

    python benchmarks/run.py [--case NAME ...] [--only PROGRAM ...] [--repeat 3] [--timeout 900]

A fit goes from a data frame in memory to an estimate with standard errors. Every program runs in a fresh process of its own,
so that its peak memory is its own. Prints a Markdown table and writes build/bench.json.
"""

# This process imports nothing but the standard library: on Linux a child's peak memory counts the parent's at its start.
from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import math
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build"
PROGRAMS = ("sparsemixed", "lme4", "nlme", "statsmodels")


@dataclass(frozen=True)
class Case:
    """One model on one data set, as each program wants to hear it.

    Attributes
    ----------
    title : str
    data : str
        Name of a data set of `worker.py`; several cases may share one.
    model : str
        Command or formula for sparsemixed.
    lmer : str
    statsmodels : dict
        `formula`, `groups`, `re_formula`, `vc_formula` of MixedLM.
    nlme : dict
        `fixed`, `random`, `correlation`, `weights` of lme(), or of gls() where there is no `random`.
    reml : bool
    """

    title: str
    data: str
    model: str
    lmer: str = ""
    statsmodels: dict[str, Any] = field(default_factory=dict)
    nlme: dict[str, str] = field(default_factory=dict)
    reml: bool = False


AUTOREGRESSIVE = "y x || id:, residuals(ar 1, t(visit))"
AUTOREGRESSIVE_NLME = {"fixed": "y ~ x", "random": "~ 1 | id", "correlation": "corAR1(form = ~ visit | id)"}
SLOPES = " + ".join(f"x{j}" for j in range(11))

CASES = {
    "insteval": Case(
        title="InstEval: s, d and dept crossed, ML",
        data="insteval",
        model="y service || _all: R.d || _all: R.dept || s:",
        lmer="y ~ service + (1 | s) + (1 | d) + (1 | dept)",
        statsmodels={
            "formula": "y ~ service",
            "groups": None,
            "re_formula": "0",
            "vc_formula": {"s": "0 + C(s)", "d": "0 + C(d)", "dept": "0 + C(dept)"},
        },
    ),
    "insteval-slope": Case(
        title="InstEval: random slope of service by d",
        data="insteval",
        model="y ~ service + (1 | s) + (1 + service | d) + (1 | dept)",
        lmer="y ~ service + (1 | s) + (1 + service | d) + (1 | dept)",
        # MixedLM cannot correlate the intercept and the slope of a crossed factor: there is no such model to time.
    ),
    "crossed-million": Case(
        title="1,000,000 rows, 50,000 users x 5,000 items",
        data="crossed",
        model="y ~ x + (1 | user) + (1 | item)",
        lmer="y ~ x + (1 | user) + (1 | item)",
        statsmodels={
            "formula": "y ~ x",
            "groups": None,
            "re_formula": "0",
            "vc_formula": {"user": "0 + C(user)", "item": "0 + C(item)"},
        },
    ),
    "slopes-million": Case(
        title="1,000,000 rows, 100,000 groups, random slope",
        data="longitudinal",
        model="y ~ time + (1 + time | id)",
        lmer="y ~ time + (1 + time | id)",
        statsmodels={"formula": "y ~ time", "groups": "id", "re_formula": "time", "vc_formula": None},
    ),
    "slopes-million-reml": Case(
        title="1,000,000 rows, 100,000 groups, random slope, REML",
        data="longitudinal",
        model="y ~ time + (1 + time | id)",
        lmer="y ~ time + (1 + time | id)",
        statsmodels={"formula": "y ~ time", "groups": "id", "re_formula": "time", "vc_formula": None},
        reml=True,
    ),
    "nested-million": Case(
        title="1,000,000 rows, 2,000 schools x 50 classes, REML",
        data="schools",
        model="y x || school: || room:",
        lmer="y ~ x + (1 | school / room)",
        statsmodels={"formula": "y ~ x", "groups": "school", "re_formula": "1", "vc_formula": {"room": "0 + C(room)"}},
        reml=True,
    ),
    "many-slopes": Case(
        title="1,554 groups of 30 rows, intercept and 11 correlated slopes, REML",
        data="many-slopes",
        model=f"y ~ {SLOPES} + (1 + {SLOPES} | g)",
        lmer=f"y ~ {SLOPES} + (1 + {SLOPES} | g)",
        statsmodels={"formula": f"y ~ {SLOPES}", "groups": "g", "re_formula": SLOPES, "vc_formula": None},
        reml=True,
    ),
    "experiment": Case(
        title="60 subjects x 240 items, four correlated effects of each, REML",
        data="experiment",
        model="y ~ a + b + c + (1 + a + b + c | subject) + (1 + a + b + c | item)",
        lmer="y ~ a + b + c + (1 + a + b + c | subject) + (1 + a + b + c | item)",
        reml=True,
    ),
    "trial": Case(
        title="Trial: 1,000 patients x 10 visits with dropout, unstructured errors, REML",
        data="trial",
        model="y i.arm##i.visit base || id:, noconstant residuals(unstructured, t(visit))",
        nlme={
            "fixed": "y ~ factor(arm) * factor(visit) + base",
            "correlation": "corSymm(form = ~ visit | id)",
            "weights": "varIdent(form = ~ 1 | visit)",
        },
        reml=True,
    ),
    "ar-million": Case(
        title="1,000,000 rows, 100,000 groups, random intercept, AR(1) errors",
        data="autoregressive",
        model=AUTOREGRESSIVE,
        nlme=AUTOREGRESSIVE_NLME,
    ),
    "ar-2000": Case(
        title="20,000 rows, 2,000 groups, random intercept, AR(1) errors",
        data="autoregressive-2000",
        model=AUTOREGRESSIVE,
        nlme=AUTOREGRESSIVE_NLME,
    ),
    **{
        f"{name}-{rows}": Case(
            title=f"5 series of {rows:,} times, a tenth missing, random intercept, {words} errors",
            data=f"series-{rows}",
            model=f"y x || id:, residuals({option}, t(t))",
        )
        for rows in (1500, 20_000)
        for name, option, words in (
            ("ar2", "ar 2", "AR(2)"),
            ("ma1", "ma 1", "MA(1)"),
            ("toeplitz3", "toeplitz 3", "Toeplitz(3)"),
        )
    },
}


def run_child(command: list[str], log: Path, timeout: float) -> dict[str, Any]:
    """Run one program; its exit status, wall time, peak memory (MB), and the end of what it printed into `log`."""
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=HERE.parent, start_new_session=True)
        expired = threading.Event()

        def stop() -> None:
            expired.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(timeout, stop)
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss counts bytes there, kilobytes here
    return {
        "wall": time.perf_counter() - began,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss * unit / 2**20,
        "timed_out": expired.is_set(),
        "status": process.returncode,
        "printed": log.read_text(errors="replace")[-2000:],
    }


@functools.cache
def prepare(data: str) -> Path:
    """A data set as build/bench/NAME.pkl and .csv, made by a process of its own; the path without its ending."""
    stem = BUILD / "bench" / data
    command = [sys.executable, str(HERE / "worker.py"), "data", data, str(stem)]
    child = run_child(command, stem.with_suffix(".log"), timeout=1800)
    if child["status"]:
        sys.exit(f"cannot make the data set {data}:\n{child['printed']}")
    return stem


def command_of(program: str, case: Case, stem: Path, repeat: int, out: Path) -> list[str] | str:
    """The command that fits a case, or in words why there is none."""
    reml = "TRUE" if case.reml else "FALSE"
    if program == "sparsemixed":
        return [sys.executable, str(HERE / "worker.py"), "fit", f"{stem}.pkl", case.model, reml, str(repeat), str(out)]
    if not {"lme4": case.lmer, "nlme": case.nlme, "statsmodels": case.statsmodels}[program]:
        return "no such model"
    if program in ("lme4", "nlme"):
        rscript = shutil.which("Rscript")
        if rscript is None:
            return "R is not installed"
        parts = ("fixed", "random", "correlation", "weights")
        model = [case.lmer] if program == "lme4" else [case.nlme.get(name, "") for name in parts]
        return [rscript, str(HERE / "against" / f"{program}.R"), f"{stem}.csv", *model, str(repeat), reml, str(out)]
    if importlib.util.find_spec("statsmodels") is None:
        return "not installed"
    model = out.with_suffix(".model.json")
    model.write_text(json.dumps({**case.statsmodels, "reml": case.reml}))
    return [sys.executable, str(HERE / "against" / "statsmodels_fit.py"), f"{stem}.csv", str(model), str(repeat), str(out)]


def measure(program: str, name: str, repeat: int, timeout: float) -> dict[str, Any]:
    """What one program reports on one case; `error` says in words why there is nothing."""
    case = CASES[name]
    stem = prepare(case.data)
    out = BUILD / "bench" / f"{name}.{program}.json"
    out.unlink(missing_ok=True)
    command = command_of(program, case, stem, repeat, out)
    if isinstance(command, str):
        return {"error": command}
    child = run_child(command, out.with_suffix(".log"), timeout)
    if child["timed_out"]:
        return {"error": f"not done in {timeout:.0f} s", "peak_mb": child["peak_mb"]}
    if not out.exists():
        killed = f"killed by signal {-child['status']}" if child["status"] < 0 else f"exit status {child['status']}"
        return {"error": killed, "peak_mb": child["peak_mb"], "printed": child["printed"]}
    report = json.loads(out.read_text())
    report["peak_mb"] = child["peak_mb"]
    # Processor time far below wall time times cores used tells of a machine that was busy with something else.
    report["process_seconds"], report["process_cpu_seconds"] = child["wall"], child["cpu"]
    if "seconds" in report:
        report["best"] = min(report["seconds"])
        report["median"] = statistics.median(report["seconds"])
    return report


def describe_machine() -> dict[str, Any]:
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        processor = names[0] if names else processor
    return {"processor": processor, "cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}


def number(value: float | None, form: str = ".2f") -> str:
    return "" if value is None or not math.isfinite(value) else format(value, form)


def table(results: dict[str, dict[str, dict[str, Any]]]) -> str:
    """One row per case and program; ratios and differences of log likelihoods are against sparsemixed."""
    head = (
        "case",
        "program",
        "best, s",
        "median, s",
        "times slower",
        "iterations",
        "factorizations or evaluations",
        "peak memory, MB",
        "log likelihood",
        "difference",
    )
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---" if i < 2 else "---:" for i in range(len(head))) + "|"]
    for name, programs in results.items():
        ours = programs.get("sparsemixed", {})
        for program, r in programs.items():
            compare = program != "sparsemixed" and "best" in r and "best" in ours
            cells = [
                CASES[name].title,
                program,
                number(r.get("best")) or r.get("error", ""),
                number(r.get("median")),
                number(r["best"] / ours["best"], ".1f") if compare else "",
                number(r.get("iterations"), "d"),
                number(r.get("factorizations", r.get("evaluations")), ".0f"),
                number(r.get("peak_mb"), ".0f"),
                number(r.get("llf"), ".4f"),
                number(r["llf"] - ours["llf"], ".1e") if compare else "",
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs="+", choices=CASES, default=list(CASES), help="default: all")
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS), help="default: all")
    parser.add_argument("--repeat", type=int, default=3, help="timed fits of sparsemixed per case (default: 3)")
    parser.add_argument("--repeat-others", type=int, default=1, help="timed fits of the other programs (default: 1)")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds that a program may take per case (default: 900)")
    options = parser.parse_args()

    (BUILD / "bench").mkdir(parents=True, exist_ok=True)
    results: dict[str, dict[str, dict[str, Any]]] = {}
    for name in options.case:
        for program in options.only:
            print(f"{name}: {program} ...", file=sys.stderr, flush=True)
            repeat = options.repeat if program == "sparsemixed" else options.repeat_others
            report = measure(program, name, repeat, options.timeout)
            results.setdefault(name, {})[program] = report
            outcome = f"{report['best']:.2f} s" if "best" in report else report.get("error", "")
            print(f"    {outcome}", file=sys.stderr, flush=True)
            if "printed" in report:
                print(report["printed"], file=sys.stderr)
            # Written after every fit: an hour of measuring survives an interruption.
            (BUILD / "bench.json").write_text(json.dumps({"machine": describe_machine(), "results": results}, indent=2) + "\n")
    print(table(results))
    return int(any("best" not in programs.get("sparsemixed", {"best": 0}) for programs in results.values()))


if __name__ == "__main__":
    sys.exit(main())
