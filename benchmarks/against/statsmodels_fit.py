"""Time statsmodels' MixedLM on one data set: statsmodels_fit.py DATA.csv MODEL.json REPEAT OUT.json

MODEL.json holds `formula`, `groups` (a column, or null for one group that holds all rows), `re_formula` and `vc_formula` as
MixedLM takes them, and `reml`. Memory is limited to what the machine has, so that a model that needs an n by n matrix ends
with a MemoryError and not with a machine out of memory.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import statsmodels
import statsmodels.formula.api as smf


def fit_once(data: pd.DataFrame, model: dict[str, Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    groups = data[model["groups"]] if model["groups"] else np.ones(len(data))
    mixed = smf.mixedlm(
        model["formula"], data, groups=groups, re_formula=model["re_formula"], vc_formula=model["vc_formula"], use_sparse=True
    )
    result = mixed.fit(reml=model["reml"])
    np.asarray(result.bse)
    return time.perf_counter() - began, result


def main(data_path: str, model_path: str, repeat: str, out: str) -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    data = pd.read_csv(data_path)
    model = json.loads(Path(model_path).read_text())
    seconds = []
    try:
        for _ in range(int(repeat)):
            elapsed, result = fit_once(data, model)
            seconds.append(elapsed)
    except MemoryError as error:
        Path(out).write_text(json.dumps({"error": f"out of memory: {error}"}))
        return
    report = {
        "seconds": seconds,
        "llf": float(result.llf),
        "converged": bool(result.converged),
        "beta": [float(b) for b in result.fe_params],
        "nobs": len(data),
        "version": f"statsmodels {statsmodels.__version__}",
    }
    Path(out).write_text(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
