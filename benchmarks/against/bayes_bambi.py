"""bambi with nutpie on one model: bayes_bambi.py DATA.csv FORMULA FACTORS OUT.json, in an environment of its own.

FACTORS are the grouping columns, with commas between. The report has seconds from the data frame to the draws, compilation of the
model included, and the smallest bulk effective number of draws over coefficients and standard deviations. bambi has no
correlations between the effects of a group: a model with them is a smaller one here.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import arviz
import bambi
import pandas as pd

CHAINS, DRAWS = 2, 1000


def main(data_path: str, formula: str, factors: str, out: str) -> None:
    data = pd.read_csv(data_path).astype(dict.fromkeys(factors.split(","), "category"))
    began, before = time.perf_counter(), sum(os.times()[:4])
    model = bambi.Model(formula, data)
    trace = model.fit(inference_method="nutpie", draws=DRAWS, chains=CHAINS, cores=CHAINS, random_seed=1, progressbar=False)
    seconds, cpu = time.perf_counter() - began, sum(os.times()[:4]) - before
    # Effects of groups, which have a dimension of their own, are not among the parameters.
    wanted = [name for name, values in trace.posterior.data_vars.items() if values.ndim == 2 and not str(name).endswith("__")]
    ess = arviz.ess(trace, var_names=wanted, method="bulk")
    least = min(float(values.min()) for values in ess.data_vars.values())
    Path(out).write_text(json.dumps({"seconds": seconds, "cpu": cpu, "ess": least, "parameters": wanted}))


if __name__ == "__main__":
    main(*sys.argv[1:])
