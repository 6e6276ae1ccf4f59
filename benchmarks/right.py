"""Is the answer right? Small models that are hard in one way each, by every program, beside the truth from dense algebra.

    python benchmarks/right.py [--case NAME ...] [--only PROGRAM ...] [--timeout 120]

Prints two Markdown tables, one in words and one with all figures, and writes build/right.json. A row is right where the log
likelihood as the program states it, and that of its variances by dense algebra, are within 0.001 of the maximum, and the figure
is within 1 %.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from cases import Case
from dense_truth import DenseModel, Maximum, degrees_of_freedom, dense_model, errors_of_entries, maximum
from measuring import BUILD, describe_machine, prepare, report_of
from programs import PROGRAMS, Asked, command_of
from tables import markdown, short
from threadpoolctl import threadpool_limits

LLF, FIGURE = 1e-3, 1e-2
"""How far a log likelihood may be off, and, relatively, a figure."""

SLEEP = "Reaction ~ Days + (1 + Days | Subject)"
SLEEP_NLME = {"fixed": "Reaction ~ Days", "random": "~ Days | Subject"}


@dataclass(frozen=True)
class Question:
    """A model and the figure that is looked at.

    Attributes
    ----------
    case : Case
    what : str
        In words.
    figure : tuple of str
        ("variance" or "error", group, column), or ("satterthwaite" or "kenward-roger",) for degrees of freedom.
    """

    case: Case
    what: str
    figure: tuple[str, ...]


def sleep(title: str, data: str = "sleepstudy") -> Case:
    return Case(title, data, lmer=SLEEP, nlme=SLEEP_NLME, reml=True)


NESTED = Case("Nesting (Pastes), ML", "pastes", "strength ~ 1 + (1 | batch / cask)",
              nlme={"fixed": "strength ~ 1", "random": "~ 1 | batch/cask"})  # fmt: skip
WEIGHTED = Case("Precision weights, ML", "sleepstudy-weighted", "Reaction ~ Days + (1 | Subject)", weights="w",
                nlme={"fixed": "Reaction ~ Days", "random": "~ 1 | Subject", "weights": "varFixed(~ I(1/w))"})  # fmt: skip
ZERO = Case("A variance of zero (Dyestuff2), ML", "dyestuff", "Yield ~ 1 + (1 | Batch)",
            nlme={"fixed": "Yield ~ 1", "random": "~ 1 | Batch"})  # fmt: skip
LIMIT = Case("A correlation at its limit, REML", "one-direction", "y ~ x + (1 + x | g)", reml=True,
             nlme={"fixed": "y ~ x", "random": "~ x | g"})  # fmt: skip
CROSSED = Case("Three crossed factors, ML", "three-factors", "y ~ x + (1 | a) + (1 | b) + (1 | c)")

QUESTIONS = {
    "zero": Question(ZERO, "var(Batch)", ("variance", "Batch", "1")),
    "limit": Question(LIMIT, "var(x)", ("variance", "g", "x")),
    "crossed": Question(CROSSED, "var(c)", ("variance", "c", "1")),
    "nested": Question(NESTED, "var(batch)", ("variance", "batch", "1")),
    "up": Question(sleep("Days times 1e6, REML", "sleepstudy-up"), "var(Days)", ("variance", "Subject", "Days")),
    "down": Question(sleep("Days over 1e6, REML", "sleepstudy-down"), "var(Days)", ("variance", "Subject", "Days")),
    "missing": Question(sleep("Missing values, REML", "sleepstudy-missing"), "var(Days)", ("variance", "Subject", "Days")),
    "weights": Question(WEIGHTED, "var(Subject)", ("variance", "Subject", "1")),
    "errors": Question(sleep("Standard errors of variances, REML"), "s.e. of var(_cons)", ("error", "Subject", "1")),
    "satterthwaite": Question(
        sleep("Unbalanced slopes, REML", "sleepstudy-unbalanced"), "Satterthwaite df", ("satterthwaite",)
    ),
    "kenward-roger": Question(sleep("Unbalanced slopes, REML", "sleepstudy-unbalanced"), "Kenward-Roger df", ("kenward-roger",)),
}  # fmt: skip


def true_figure(question: Question, model: DenseModel, at: Maximum) -> list[float]:
    kind, *where = question.figure
    if kind not in ("variance", "error"):
        found = degrees_of_freedom(model, at, kind)
        return [found[name] for name in model.names]
    group, column = where
    place = model.columns[group].index(column)
    value = float((at.G if kind == "variance" else errors_of_entries(model, at))[group][place, place])
    # A search ends near a variance of zero, not on it.
    return [0.0 if value < 1e-9 * unit_of(question, model, at) else value]


def unit_of(question: Question, model: DenseModel, at: Maximum) -> float:
    """The variance of a random effect that would move the rows as much as the errors do; zero where the figure is another."""
    kind, *where = question.figure
    if kind != "variance":
        return 0.0
    place = model.columns[where[0]].index(where[1])
    return at.residual / float(np.diag(model.parts[where[0], place, place]).mean())


def own_figure(question: Question, model: DenseModel, report: dict[str, Any]) -> list[float] | None:
    """The same of a program, None where it has none."""
    kind, *where = question.figure
    if kind not in ("variance", "error"):
        found = report.get("degrees", {}).get(kind)
        return None if not found or None in found.values() else [found[name] for name in model.names]
    group, column = where
    block = by_group(report.get("covariances" if kind == "variance" else "errors")).get(set_of(group))
    if block is None:
        return None
    place = block["names"].index(column)
    value = block["matrix"][place][place]
    return None if value is None else [float(value)]


def set_of(group: str) -> frozenset[str]:
    """batch:cask and cask:batch are the same groups."""
    return frozenset(group.split(":"))


def by_group(blocks: dict[str, Any] | None) -> dict[frozenset[str], Any]:
    return {set_of(group): block for group, block in (blocks or {}).items()}


def at_its_estimates(model: DenseModel, report: dict[str, Any]) -> float:
    """The dense log likelihood of the variances that a program reports."""
    blocks, G = by_group(report["covariances"]), {}
    for group, columns in model.columns.items():
        block = blocks[set_of(group)]
        order = [block["names"].index(name) for name in columns]
        G[group] = np.array(block["matrix"], dtype=float)[np.ix_(order, order)]
    return model.log_likelihood(G, report["residual"])


def judge(question: Question, model: DenseModel, at: Maximum, truth: list[float], report: dict[str, Any]) -> dict[str, Any]:
    """What is right of a report: differences from the maximum and the truth, and one word."""
    if "error" in report:
        return {"word": "", **report}
    found = own_figure(question, model, report)
    stated, reached = report["llf"] - at.llf, at_its_estimates(model, report) - at.llf
    size = [abs(value) or unit_of(question, model, at) for value in truth]
    off = None if found is None else max(abs(f - t) / s for f, t, s in zip(found, truth, size, strict=True))
    good = abs(stated) <= LLF and abs(reached) <= LLF and (off is None or off <= FIGURE)
    word = "no" if not good else "yes" if off is not None else "no figure"
    return {"stated": stated, "reached": reached, "found": found, "off": off, "word": word, **report}


def answers(name: str, programs: list[str], timeout: float) -> dict[str, Any]:
    """The truth of one question, and what every program says."""
    question = QUESTIONS[name]
    case, kind = question.case, question.figure[0]
    stem = prepare(case.data)
    model = dense_model(case.lmer, pd.read_csv(f"{stem}.csv"), case.reml, case.weights)
    # Matrices so small are slower on several threads, many times so beside other processes.
    with threadpool_limits(1):
        at = maximum(model)
        truth = true_figure(question, model, at)
    # sparsemixed says its covariance matrices with their errors or not at all.
    ask = ("errors",) if kind in ("variance", "error") else ("errors", kind)
    rows = {}
    for program in programs:
        out = BUILD / "bench" / f"right-{name}.{program}.json"
        asked = Asked(case, stem, 1, out, ask)
        report = report_of(command_of(program, asked), out, timeout)
        if "printed" in report:
            lines = [line.strip() for line in report["printed"].splitlines() if "rror" in line]
            report["error"] = lines[-1] if lines else report["error"]
        rows[program] = judge(question, model, at, truth, report)
        print(f"{name}: {program}: {rows[program]['word'] or report['error']}", file=sys.stderr, flush=True)
    return {"llf": at.llf, "truth": truth, "programs": rows}


def table(found: dict[str, dict[str, Any]]) -> str:
    head = ("case", "program", "says converged", "right", "log likelihood stated", "reached", "figure", "off")
    rows = []
    for name, answer in found.items():
        question = QUESTIONS[name]
        truth = ", ".join(figure(value) for value in answer["truth"])
        rows.append([question.case.title, "*truth*", "", "", f"{answer['llf']:.4f}", "", f"{question.what} {truth}", ""])
        for program, r in answer["programs"].items():
            if "error" in r:
                rows.append(["", program, "", r["error"].replace("|", "\\|")[:90], "", "", "", ""])
                continue
            shown = "-" if r["found"] is None else ", ".join(figure(value) for value in r["found"])
            off = "" if r["off"] is None else percent(r["off"])
            says = "yes" if r["converged"] else "no"
            rows.append(["", program, says, r["word"], f"{r['stated']:+.1e}", f"{r['reached']:+.1e}", shown, off])
    return markdown(head, rows, words=4)


def overview(found: dict[str, dict[str, Any]]) -> str:
    """One row per case, one column per program, one word in each cell."""
    programs = list(next(iter(found.values()))["programs"])
    rows = []
    for name, answer in found.items():
        question = QUESTIONS[name]
        words = [in_a_word(answer["programs"][program]) for program in programs]
        rows.append([question.case.title, question.what, *words])
    return markdown(("case", "figure", *programs), rows, words=2 + len(programs))


def in_a_word(report: dict[str, Any]) -> str:
    """`-` where a program has no such model or no such figure, `stops` where it raises an error."""
    if "error" in report:
        return "-" if short(report["error"]) == "-" else "stops"
    return "-" if report["word"] == "no figure" else report["word"]


def percent(part: float) -> str:
    return f"{100 * part:.2g} %" if part < 0.1 else f"{100 * part:.0f} %" if part < 100 else f"{100 * part:.0e} %"


def figure(value: float) -> str:
    return f"{value:.2f}" if 10 <= abs(value) < 1e4 else f"{value:.4g}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs="+", choices=QUESTIONS, default=list(QUESTIONS), help="default: all")
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS), help="default: all")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds per case and program (default: 120)")
    options = parser.parse_args()
    (BUILD / "bench").mkdir(parents=True, exist_ok=True)
    found = {}
    for name in options.case:
        found[name] = answers(name, options.only, options.timeout)
        (BUILD / "right.json").write_text(json.dumps({"machine": describe_machine(), "results": found}, indent=2) + "\n")
    print(overview(found))
    print()
    print(table(found))
    versions = [r["version"] for answer in found.values() for r in answer["programs"].values() if "version" in r]
    print("\n" + ", ".join(dict.fromkeys(part for version in versions for part in version.split(", "))))
    return int(any(a["programs"].get("sparsemixed", {"word": "yes"})["word"] != "yes" for a in found.values()))


if __name__ == "__main__":
    sys.exit(main())
