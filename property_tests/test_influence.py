"""Rows and groups left out, for every structure of the tables: deletion in V, refits, and what must not matter."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import sparsemixed
from sparsemixed.structures.random.table import STRUCTURES
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES

SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=max(settings().max_examples // 18, 2))
ARGUMENTS = {"independent": ", by(arm)", "exchangeable": ""}
MODELS = (
    *(f"y x || g: x, covariance({name})" for name in STRUCTURES),
    *(f"y x || g:, noconstant residuals({name}{ARGUMENTS.get(name, ', t(t)')})" for name in RESIDUAL_STRUCTURES),
    "y x || _all: R.t || g:",
    "y x || arm: || g:",
)
"""Every structure of random effects, every structure of errors, crossed and nested effects."""


def longitudinal(seed: int, groups: int = 14) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    there = rng.random((groups, 4)) < 0.85
    there[:6] = True
    g, t = np.nonzero(there)
    table = pd.DataFrame({"g": g, "t": t, "arm": g % 2, "x": rng.normal(size=g.size)})
    effects = rng.normal(size=(2, groups))
    table["y"] = 1.0 + 0.5 * table.x + effects[0][g] + 0.7 * effects[1][g] * table.x + rng.normal(size=g.size)
    return table


def fitted(model: str, data: pd.DataFrame, reml: bool):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = sparsemixed.mixed(model, data, reml=reml)
        except sparsemixed.errors.NumericalError:
            assume(False)
    assume(fit.converged and not fit.fit.without_errors)
    return fit


@pytest.mark.parametrize("model", MODELS)
@FEW
@given(SEEDS, st.booleans())
def test_order_and_units_do_not_matter(model, seed, reml):
    data = longitudinal(seed)
    fit = fitted(model, data, reml)
    order = np.random.default_rng(seed).permutation(len(data))
    other = fitted(model, data.iloc[order].assign(y=10.0 * data.y), reml)
    count = len(data) - (len(fit.params) if reml else 0)
    # Near-flat likelihoods have several maxima; which of them a search finds may depend on the order.
    assume(abs(other.llf + count * np.log(10.0) - fit.llf) < 1e-5)
    for by in (None, "g"):
        one, two = fit.influence(by), other.influence(by)
        # Rows that go take information with them, and never add any.
        assert (one["covratio"] >= 1.0 - 1e-9).all()
        assert (one["mdffits"] <= one["cooks"] * (1.0 + 1e-9)).all()
        two = two.loc[one.index]
        names = ["cooks", "mdffits", "covratio", "covtrace", "dfbetas[x]", "dfbetas[_cons]"]
        np.testing.assert_allclose(two[names], one[names], rtol=2e-3, atol=2e-4)
        first, second = fit.loo(by), other.loo(by).loc[one.index]
        np.testing.assert_allclose(second["sd"], 10.0 * first["sd"], rtol=1e-3)
        np.testing.assert_allclose(second["pit"], first["pit"], atol=2e-3)


@settings(max_examples=3 * FEW.max_examples)
@given(st.sampled_from(MODELS), SEEDS, st.booleans())
def test_exact_deletions_are_refits(model, seed, reml):
    data = longitudinal(seed, 7)
    fit = fitted(model, data, reml)
    label = int(np.random.default_rng(seed).integers(7))
    rest = fitted(model, data[data.g != label], reml)
    try:
        found = fit.influence("g", exact=True, what=["dfbeta", "rvc"])
    except sparsemixed.errors.DataError:
        assume(False)
    row = found.loc[label if found.index.nlevels == 1 else (label % 2, label)]  # nested groups have the names of all levels
    change = [row[f"dfbeta[{name}]"] for name in fit.params.index]
    # Near-flat likelihoods have several maxima; which of them a search finds depends on where it starts.
    variances = fit.random_params["estimate"].to_numpy() * (1 + row[[x for x in row.index if x.startswith("rvc")]].to_numpy())
    expected = rest.random_params["estimate"].to_numpy()
    assume(np.allclose(np.nan_to_num(variances), np.where(np.isnan(variances), 0.0, expected), rtol=1e-2, atol=1e-3))
    np.testing.assert_allclose(fit.params - change, rest.params, rtol=1e-4, atol=1e-4 * fit.bse.max())
