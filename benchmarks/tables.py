"""Measurements as Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cases import CASES


def number(value: float | None, form: str = ".2f") -> str:
    return "" if value is None or not math.isfinite(value) else format(value, form)


def seconds(value: float | None) -> str:
    """Three digits: `0.00123 s` is as telling as `123 s`."""
    if value is None or not math.isfinite(value) or value <= 0:
        return ""
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}"


def markdown(head: tuple[str, ...], rows: list[list[str]], words: int = 2) -> str:
    """A table whose first `words` columns are words, the others numbers."""
    rule = "|".join("---" if i < words else "---:" for i in range(len(head)))
    return "\n".join(["| " + " | ".join(head) + " |", f"|{rule}|", *("| " + " | ".join(row) + " |" for row in rows)])


def table(results: Mapping[str, Mapping[str, dict[str, Any]]]) -> str:
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
    rows = []
    for name, programs in results.items():
        ours = programs.get("sparsemixed", {})
        for program, r in programs.items():
            compare = program != "sparsemixed" and "best" in r and "best" in ours
            rows.append([
                CASES[name].title,
                program,
                seconds(r.get("best")) or r.get("error", ""),
                seconds(r.get("median")),
                number(r["best"] / ours["best"], ".1f") if compare else "",
                number(r.get("iterations"), "d"),
                number(r.get("factorizations", r.get("evaluations")), ".0f"),
                number(r.get("peak_mb"), ".0f"),
                number(r.get("llf"), ".4f"),
                number(r["llf"] - ours["llf"], ".1e") if compare else "",
            ])  # fmt: skip
    return markdown(head, rows)


def overview(results: Mapping[str, Mapping[str, dict[str, Any]]]) -> str:
    """One row per case, one column per program: the best time in seconds, as the README has it."""
    programs = list(dict.fromkeys(program for reports in results.values() for program in reports))
    programs = [p for p in programs if any("best" in reports.get(p, {}) for reports in results.values())]
    rows = []
    for name, reports in results.items():
        cells = [reports.get(program, {}) for program in programs]
        rows.append([CASES[name].title, *(seconds(r.get("best")) or short(r.get("error", "")) for r in cells)])
    return markdown(("seconds", *programs), rows, words=1)


def short(error: str) -> str:
    """Why there is no time, in few words: a dash where the program has no such model."""
    if not error or error.startswith(("no ", "one factor", "not installed", "R is not")):
        return "-"
    return error.replace("not done in ", "over ") if error.startswith("not done") else "failed"
