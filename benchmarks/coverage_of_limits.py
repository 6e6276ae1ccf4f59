"""How often 95% limits hold the truth: by profile likelihood, by standard errors, and by the percentiles of a bootstrap.

    python benchmarks/coverage_of_limits.py [REPETITIONS] [REPLICATES]

20 groups of 5 rows with a covariate, a random intercept of standard deviation 0.3 or 0.7 beside errors of 1, fitted by ML; the
bootstrap is parametric. Prints the shares of data sets whose limits lie below and above the truth, which should both be 2.5%, and
the median widths. A Wald limit that is not defined, because the variance is zero, does not hold the truth.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd

import sparsemixed

GROUPS, ROWS = 20, 5
DEVIATIONS = (0.3, 0.7)
NAMES = ("x", "_cons", "sd(_cons)", "sd(Residual)")


def simulated(deviation: float, rng: np.random.Generator) -> pd.DataFrame:
    """One data set; y = 1 + 0.5 x + b + e."""
    g, x = np.repeat(np.arange(GROUPS), ROWS), rng.normal(size=GROUPS * ROWS)
    y = 1.0 + 0.5 * x + deviation * rng.normal(size=GROUPS)[g] + rng.normal(size=g.size)
    return pd.DataFrame({"y": y, "x": x, "g": g})


def limits(data: pd.DataFrame, replicates: int, seed: int) -> dict[str, np.ndarray]:
    """(4, 2) limits of every parameter by every method."""
    fit = sparsemixed.mixed("y x || g:", data)
    wald = np.vstack([fit.conf_int(), fit.random_conf_int(stddeviations=True)])
    found = {"profile": fit.profile(stddeviations=True).limits[["low", "high"]].to_numpy(), "Wald": wald}
    if replicates:
        draws = fit.bootstrap(replicates, seed=seed).conf_int(method="percentile", level=95)[["low", "high"]].to_numpy()
        # Variances are bootstrapped; percentiles of their roots are roots of their percentiles.
        found["percentile"] = np.vstack([draws[:2], np.sqrt(draws[2:])])
    return found


def main(repetitions: int, replicates: int) -> None:
    """Print one table for each size of the random intercept."""
    for deviation in DEVIATIONS:
        truth, rng = np.array([0.5, 1.0, deviation, 1.0]), np.random.default_rng(20)
        every: dict[str, list[np.ndarray]] = {}
        for seed in range(repetitions):
            for method, found in limits(simulated(deviation, rng), replicates, seed).items():
                every.setdefault(method, []).append(found)
        sys.stdout.write(f"\nsd of the intercepts {deviation}: {repetitions} data sets, {replicates} replicates each\n\n")
        sys.stdout.write("| parameter | limits | hold the truth | all below | all above | undefined | median width |\n")
        sys.stdout.write("|---|---|---|---|---|---|---|\n")
        for i, name in enumerate(NAMES):
            for method, found in every.items():
                low, high = np.array(found)[:, i].T
                missing = np.isnan(low) | np.isnan(high)
                held = ((low <= truth[i]) & (truth[i] <= high)).mean()
                shares = (held, (high < truth[i]).mean(), (low > truth[i]).mean(), missing.mean())
                width = np.nanmedian(high - low)
                sys.stdout.write(
                    f"| {name} | {method} | " + " | ".join(f"{100 * s:.1f}%" for s in shares) + f" | {width:.3f} |\n"
                )
        sys.stdout.flush()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*(int(a) for a in sys.argv[1:3]), *(2000, 399)[len(sys.argv[1:3]) :])
