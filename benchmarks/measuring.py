"""Processes of their own: a data set made, a program run, its time and peak memory taken."""

# This module imports nothing but the standard library: on Linux a child's peak memory counts the parent's at its start.
from __future__ import annotations

import functools
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build"


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


def report_of(command: list[str] | str, out: Path, timeout: float) -> dict[str, Any]:
    """What a program reports of itself in `out`; `error` says in words why there is nothing, or why it was not run."""
    out.unlink(missing_ok=True)
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
