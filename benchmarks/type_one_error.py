"""Type I error of tests of fixed effects in a small unbalanced design, by simulation.

    python benchmarks/type_one_error.py [REPETITIONS]

A treatment with three levels is given to 12 subjects, of whom some are missed at some of four visits. Random effects are
intercepts, or correlated intercepts and slopes, whose covariance matrix is often estimated as singular. The treatment has no
effect; the share of p-values below 5 % should be 5 %.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

import sparsemixed

METHODS = ("large sample", "residual", "anova", "satterthwaite", "kroger")
MODELS = {
    "random intercepts": ("|| subject:", [[1.0, 0.0], [0.0, 0.0]]),
    "correlated intercepts and slopes": ("|| subject: time, covariance(unstructured)", [[1.0, 0.15], [0.15, 0.25]]),
}
"""Random part of the model, and the covariance matrix of intercept and slope that the data have."""
HYPOTHESES = {"one contrast": "2.group", "all groups": "2.group 3.group", "slopes": "2.group#c.time 3.group#c.time"}


def design(rng: np.random.Generator) -> pd.DataFrame:
    """The visits that took place: the same in every repetition."""
    subject, time = np.repeat(np.arange(12), 4), np.tile(np.arange(4.0), 12)
    seen = rng.uniform(size=48) > 0.2
    return pd.DataFrame({"subject": subject, "time": time, "group": 1 + subject % 3})[seen].reset_index(drop=True)


def response(data: pd.DataFrame, covariance: list[list[float]], rng: np.random.Generator) -> np.ndarray:
    """No effect of the group."""
    effects = rng.multivariate_normal([0, 0], covariance, size=12)[data["subject"]]
    return 10 + data["time"] + effects[:, 0] + effects[:, 1] * data["time"] + rng.normal(size=len(data))


def p_values(data: pd.DataFrame, random: str) -> np.ndarray:
    """(methods, hypotheses)."""
    fit = sparsemixed.mixed(f"y i.group##c.time {random}", data, reml=True)
    rows = [[fit.test(h).pvalue for h in HYPOTHESES.values()]]
    for method in METHODS[1:]:
        posted = fit.estat.df(post=method)
        rows.append([posted.test(h, small=True).pvalue for h in HYPOTHESES.values()])
    return np.array(rows)


def main(repetitions: int) -> None:
    """Print the share of rejections at 5 % and its simulation error."""
    rng = np.random.default_rng(2024)
    data = design(rng)
    for title, (random, covariance) in MODELS.items():
        found = np.array([p_values(data.assign(y=response(data, covariance, rng)), random) for _ in range(repetitions)])
        table = pd.DataFrame(100 * (found < 0.05).mean(axis=0), index=METHODS, columns=list(HYPOTHESES))
        print(f"{title}\n{table.round(1).to_string()}\n")
    error = 100 * (0.0475 / repetitions) ** 0.5
    print(f"{len(data)} rows, {repetitions} repetitions; standard error of a share near 5 %: {error:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
