"""The programs that are compared, where they are, and how each is told of a case."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cases import Case
from measuring import BUILD, HERE

sys.path.append(str(HERE / "against"))
from lmer_formula import for_statsmodels, take_apart

PROGRAMS = ("sparsemixed", "mixedlm", "mixedlm-rs", "lme-python", "interlace-lme", "gpboost", "statsmodels", "lme4", "nlme")


@dataclass(frozen=True)
class Asked:
    """One question to any program.

    Attributes
    ----------
    case : Case
    stem : Path
        The data, without their ending.
    repeat : int
    out : Path
        Where the report goes.
    ask : tuple of str
        What more is wanted (`against/contract.py`).
    """

    case: Case
    stem: Path
    repeat: int
    out: Path
    ask: tuple[str, ...] = ()


def command_of(program: str, asked: Asked) -> list[str] | str:
    """The command that answers, or in words why there is none."""
    if program in ("lme4", "nlme"):
        return in_r(program, asked)
    if program == "sparsemixed":
        return [sys.executable, str(HERE / "against" / "sparsemixed_fit.py"), str(job(asked, ".pkl"))]
    if not asked.case.lmer:
        return "no such model"
    why = CANNOT[program](asked.case)
    if why:
        return why
    python = python_of(program)
    if python is None:
        return "not installed"
    script = {"interlace-lme": "interlace"}.get(program, program.replace("-", "_"))
    return [python, str(HERE / "against" / f"{script}_fit.py"), str(job(asked, ".csv"))]


def job(asked: Asked, ending: str) -> Path:
    """The question as a file."""
    case, path = asked.case, asked.out.with_suffix(".job.json")
    words = {
        "data": f"{asked.stem}{ending}",
        "formula": case.lmer,
        "model": case.model or case.lmer,
        "options": case.options,
        "reml": case.reml,
        "weights": case.weights,
        "by": case.by,
        "repeat": asked.repeat,
        "ask": asked.ask,
        "out": str(asked.out),
    }
    path.write_text(json.dumps(words, indent=2) + "\n")
    return path


def in_r(program: str, asked: Asked) -> list[str] | str:
    case = asked.case
    if not (case.lmer if program == "lme4" else case.nlme):
        return "no such model"
    rscript = shutil.which("Rscript")
    if rscript is None:
        return "R is not installed"
    script = [rscript, str(HERE / "against" / f"{program}.R"), f"{asked.stem}.csv"]
    reml, more = "TRUE" if case.reml else "FALSE", ",".join(asked.ask)
    if program == "lme4":
        return [*script, case.lmer, str(asked.repeat), reml, str(asked.out), case.weights or "", case.by or "", more]
    parts = [case.nlme.get(name, "") for name in ("fixed", "random", "correlation", "weights")]
    return [*script, *parts, str(asked.repeat), reml, str(asked.out), more]


def only_one_factor(case: Case) -> str:
    """mixedlm-rs."""
    if case.weights:
        return "no weights"
    return "" if len(take_apart(case.lmer)[1]) == 1 else "one factor only"


def only_ml_intercepts(case: Case) -> str:
    """gpboost."""
    if case.reml:
        return "no REML"
    return "" if all(len(term.columns) == 1 for term in take_apart(case.lmer)[1]) else "no correlated slopes"


def only_what_mixedlm_can(case: Case) -> str:
    """statsmodels."""
    if case.weights:
        return "no weights"
    return "" if for_statsmodels(take_apart(case.lmer)[1]) else "no such model"


def everything(case: Case) -> str:
    return ""


CANNOT: dict[str, Callable[[Case], str]] = {
    "mixedlm": everything,
    "mixedlm-rs": only_one_factor,
    "lme-python": everything,
    "interlace-lme": everything,
    "gpboost": only_ml_intercepts,
    "statsmodels": only_what_mixedlm_can,
}
"""Why a program has no such model as a case with a formula of lme4; "" where it has."""


@functools.cache
def python_of(program: str) -> str | None:
    """An interpreter that has the program: the peers' own (PEERS_PYTHON, else build/peers), or this one."""
    for python in (os.environ.get("PEERS_PYTHON", str(BUILD / "peers" / "bin" / "python")), sys.executable):
        if shutil.which(python) and program in installed(python):
            return python
    return None


@functools.cache
def installed(python: str) -> frozenset[str]:
    """Names of the packages that an interpreter finds, as they are spelt with hyphens."""
    listing = "import importlib.metadata as m; print(*(d.metadata['Name'] for d in m.distributions()))"
    names = subprocess.run([python, "-c", listing], capture_output=True, text=True, check=True).stdout.split()
    return frozenset(name.lower().replace("_", "-") for name in names)
