"""Type I error of tests of fixed effects in a small unbalanced design, by simulation.

    python benchmarks/type_one_error.py [REPETITIONS]

A treatment with three levels is given to 12 subjects, of whom some are missed at some of four visits. Random intercepts and
slopes are correlated. The treatment has no effect; the share of p-values below 5 % should be 5 %.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

import sparsemixed

METHODS = ("large sample", "residual", "anova", "satterthwaite", "kroger")
HYPOTHESES = {"one contrast": "2.group", "all groups": "2.group 3.group", "slopes": "2.group#c.time 3.group#c.time"}


def design(rng: np.random.Generator) -> pd.DataFrame:
    """The visits that took place: the same in every repetition."""
    subject, time = np.repeat(np.arange(12), 4), np.tile(np.arange(4.0), 12)
    seen = rng.uniform(size=48) > 0.2
    return pd.DataFrame({"subject": subject, "time": time, "group": 1 + subject % 3})[seen].reset_index(drop=True)


def response(data: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """No effect of the group; intercepts and slopes with correlation 0.3."""
    effects = rng.multivariate_normal([0, 0], [[1.0, 0.15], [0.15, 0.25]], size=12)[data["subject"]]
    return 10 + data["time"] + effects[:, 0] + effects[:, 1] * data["time"] + rng.normal(size=len(data))


def p_values(data: pd.DataFrame) -> np.ndarray:
    """(methods, hypotheses)."""
    fit = sparsemixed.mixed("y i.group##c.time || subject: time, covariance(unstructured) reml", data)
    rows = [[fit.test(h).pvalue for h in HYPOTHESES.values()]]
    for method in METHODS[1:]:
        posted = fit.estat.df(post=method)
        rows.append([posted.test(h, small=True).pvalue for h in HYPOTHESES.values()])
    return np.array(rows)


def main(repetitions: int) -> None:
    """Print the share of rejections at 5 % and its simulation error."""
    rng = np.random.default_rng(2024)
    data = design(rng)
    found = np.array([p_values(data.assign(y=response(data, rng))) for _ in range(repetitions)])
    table = pd.DataFrame(100 * (found < 0.05).mean(axis=0), index=METHODS, columns=list(HYPOTHESES))
    print(table.round(1).to_string())
    error = 100 * (0.0475 / repetitions) ** 0.5
    print(f"{len(data)} rows, {repetitions} repetitions; standard error of a share near 5 %: {error:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
