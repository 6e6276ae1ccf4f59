"""R2 against its definition row by row, figures by hand, and the F tests behind the semi-partial ones."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import OptionError
from tests.golden import golden, load
from tests.oracles.dense_predictions import dense
from tests.oracles.random_models import random_model


@pytest.mark.parametrize("seed", [0, 2, 4, 7, 9, 12, 14, 22])
def test_r2_is_that_of_dense_algebra(seed):
    """Means of the diagonals of ZGZ' and R over all rows, frequency weights as copies; singular fits like any other."""
    model = random_model(seed)
    fit = sparsemixed.mixed(model.command, model.data, **model.options)
    oracle = dense(fit.fit)
    fixed = np.var(oracle.X @ fit.fit.beta, ddof=1)
    random, error = np.diag(oracle.Z @ oracle.G @ oracle.Z.T).mean(), np.diag(oracle.R).mean()
    found = fit.r2()
    total = fixed + random + error
    np.testing.assert_allclose(found[["var_fixed", "var_random", "var_error"]], [fixed, random, error], rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(
        found[["marginal", "conditional"]], [fixed / total, (fixed + random) / total], rtol=1e-9, atol=1e-14
    )


def test_slopes_count_whether_or_not_the_fixed_part_has_them():
    data = simulate_longitudinal(30, 5, seed=3)
    fit = sparsemixed.mixed("y || id: time, reml", data)
    V = fit.random_params["estimate"].to_numpy()
    found = fit.r2()
    assert found.marginal == pytest.approx(0.0, abs=1e-25)
    np.testing.assert_allclose(found.var_random, V[0] * np.mean(data.time**2) + V[1], rtol=1e-12)


def test_semi_partial_r2():
    data = simulate_longitudinal(30, 5, seed=3)
    data["arm"] = data.id % 3
    fit = sparsemixed.mixed("y i.arm##c.time || id: time, reml dfmethod(kroger)", data)
    found, tests = fit.partial_r2(), fit.anova().frame
    assert list(found.index) == ["model", *tests.index]
    F, df, ddf = (tests[name].to_numpy(float) for name in ("F", "df", "ddf"))
    np.testing.assert_allclose(found.r2.iloc[1:], df * F / (ddf + df * F), rtol=1e-12)
    whole = fit.testparm("i.arm##c.time", small=True)
    np.testing.assert_allclose(
        found.loc["model", ["F", "df", "ddf"]].astype(float), [whole.statistic, whole.df, whole.ddf], rtol=1e-8
    )
    assert fit.partial_r2(1).loc["model", "F"] == found.loc["model", "F"]
    with pytest.raises(OptionError, match=r"rests on F tests; fit the model with the option dfmethod\(\)"):
        sparsemixed.mixed("y time || id:, reml", data).partial_r2()
    # Without random effects it is the coefficient of determination.
    linear = sparsemixed.mixed("y i.arm time, reml dfmethod(residual)", data)
    X = linear.fit.design.X
    rest = data.y - X @ np.linalg.lstsq(X, data.y, rcond=None)[0]
    np.testing.assert_allclose(
        linear.partial_r2().r2["model"], 1 - np.sum(rest**2) / np.sum((data.y - data.y.mean()) ** 2), rtol=1e-9
    )


PERFORMANCE = golden("performance")
MODELS = {
    "sleepstudy": ("sleepstudy", "Reaction ~ Days + (Days | Subject)"),
    "sleepstudy, ML": ("sleepstudy", "Reaction ~ Days + (Days | Subject)"),
    "sleepstudy, intercepts": ("sleepstudy", "Reaction ~ Days + (1 | Subject)"),
    "penicillin": ("penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
    "pastes": ("pastes", "strength ~ 1 + (1 | batch/cask)"),
}


@pytest.mark.parametrize("name", PERFORMANCE)
def test_figures_of_performance(name):
    """Both shares of `r2_nakagawa` and both of `icc`."""
    sample, model = MODELS[name]
    found = sparsemixed.mixed(model, load(sample), reml=not name.endswith("ML")).r2()
    random, theirs = found.var_random, PERFORMANCE[name]
    np.testing.assert_allclose(
        [
            found.marginal,
            found.conditional,
            random / (random + found.var_error),
            random / (found.var_fixed + random + found.var_error),
        ],
        [theirs[key] for key in ("marginal", "conditional", "icc_adjusted", "icc_unadjusted")],
        rtol=1e-6,
        atol=1e-15,
    )
