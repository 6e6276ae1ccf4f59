"""Random effects very much larger than the errors: exact, or said to be not, against the closed form of balanced groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import NumericalError

GROUPS, ROWS = 20, 6


def balanced(ratio: float) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(GROUPS), ROWS)
    return pd.DataFrame({"y": ratio * rng.normal(size=GROUPS)[g] + rng.normal(size=g.size), "g": g})


def closed_form(data: pd.DataFrame, reml: bool) -> float:
    """The maximum from sums of squares in long double: sigma2 = SSW / (n - J), sigma2 + m var = SSB / d (Searle et al. 1992)."""
    y = data["y"].to_numpy().astype(np.longdouble).reshape(GROUPS, ROWS)
    means, n, d = y.mean(axis=1), GROUPS * ROWS, GROUPS - reml
    inside, between = ((y - means[:, None]) ** 2).sum() / (n - GROUPS), ROWS * ((means - means.mean()) ** 2).sum() / d
    value = (n - GROUPS) * np.log(inside) + d * np.log(between) + (n - reml) * (1 + np.log(2 * np.longdouble(np.pi)))
    return float(-0.5 * (value + (np.log(np.longdouble(n)) if reml else 0.0)))


def fitted(data: pd.DataFrame, reml: bool, language: str):
    return sparsemixed.mixed("y || g:" if language == "command" else "y ~ 1 + (1 | g)", data, reml=reml)


def outcome(data: pd.DataFrame, reml: bool, language: str):
    """The fit, or why there is none."""
    try:
        return fitted(data, reml, language), ""
    except NumericalError as error:
        return None, str(error)


@pytest.mark.parametrize("language", ["command", "formula"])
@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("ratio", [1.0, 1e2, 1e3, 1e5, 1e6, 1e7, 1e8])
def test_exact_or_said_to_be_not(ratio, reml, language):
    data = balanced(ratio)
    fit, message = outcome(data, reml, language)
    if fit is None:  # not a digit of the errors is left
        assert ratio >= 1e7
        assert "random effects of g" in message
        return
    error = abs(fit.llf - closed_form(data, reml))
    assert (error < 1e-6) or "var(_cons) of g is" in fit.status
    assert bool(fit.fit.lost_digits) == (ratio >= 1e5)
    assert fit.fit.lost_digits in " ".join(str(fit).split())


def test_the_component_that_is_large_is_named():
    data = balanced(1.0)
    rng = np.random.default_rng(2)
    data["h"], data["x"] = np.tile(np.arange(ROWS), GROUPS), rng.normal(size=len(data))
    data["y"] += 1e6 * rng.normal(size=ROWS)[data.h]
    fit = sparsemixed.mixed("y ~ x + (x | g) + (1 | h)", data, reml=True)
    assert "var(_cons) of h is" in fit.status
    assert "with h as a factor" in fit.status.lower()


def test_errors_that_are_large_cost_nothing():
    """Small random effects beside large errors: a boundary, or not, but no digit is lost."""
    data = balanced(1.0)
    data["y"] = 1e6 * data["y"] + data.g % 2
    assert not fitted(data, True, "formula").fit.lost_digits


def test_the_advice_holds():
    """As a factor in the fixed part the groups cost no digits: the linear model's likelihood is that of the closed form."""
    data = balanced(1e6)
    fit = sparsemixed.mixed("y ~ C(g)", data)
    y = data["y"].to_numpy().astype(np.longdouble).reshape(GROUPS, ROWS)
    inside, n = ((y - y.mean(axis=1)[:, None]) ** 2).sum(), GROUPS * ROWS
    assert fit.llf == pytest.approx(float(-0.5 * n * (1 + np.log(2 * np.longdouble(np.pi) * inside / n))), abs=1e-6)


def test_saved_fits_say_it_too(tmp_path):
    fit = fitted(balanced(1e6), True, "formula")
    fit.save(tmp_path / "large.smx")
    assert sparsemixed.load(tmp_path / "large.smx").status == fit.status
