"""A prepared model fits every response as `mixed` does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_crossed, simulate_longitudinal
from sparsemixed.errors import DataError, OptionError

LONG = simulate_longitudinal(20, 5, seed=1, unbalanced=True).assign(w=lambda d: 1.0 + d.time % 2, big=lambda d: d.id % 4)
CROSSED = simulate_crossed(300, 20, 30, seed=1)
MODELS = [
    ("y time || id: time, covariance(unstructured) reml", LONG),
    ("y ~ time + (1 | id)", LONG),
    ("y ~ time + scale(big) + (1 + time | id)", LONG),
    ("y time || big: || id:, reml", LONG),
    ("y time", LONG),
    ("y time [pweight=w] || id:", LONG),
    ("y time if time > 0 || id:", LONG),
    ("y time || id:, residuals(ar 1, t(time)) reml", LONG),
    ("y x || _all: R.user || item:, reml dfmethod(satterthwaite)", CROSSED),
]


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize(("model", "data"), MODELS, ids=[model for model, _ in MODELS])
def test_fits_as_mixed(model, data, constrained):
    options = {"constraints": ["time = 0.5" if data is LONG else "x = 0.5"]} if constrained else {}
    prepared = sparsemixed.prepare(model, data, **options)
    fit = sparsemixed.mixed(model, data, **options)
    means = data.groupby(data.columns[0]).y.transform("mean")
    other = data.assign(y=data.y[::-1].to_numpy() + np.sin(np.arange(len(data))) + 0.5 * means)
    sample = other.y.to_numpy()[fit.fit.design.kept]
    before = data.y.copy()
    for found, expected in ((prepared.fit(sample), sparsemixed.mixed(model, other, **options)), (prepared.fit(), fit)):
        assert found.llf == pytest.approx(expected.llf, rel=1e-11)
        np.testing.assert_allclose(found.params, expected.params, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-5)
        np.testing.assert_allclose(found.random_params, expected.random_params, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(found.predict(what="fitted"), expected.predict(what="fitted"), rtol=1e-5, atol=1e-7)
    assert before.equals(data.y)


def copied(data, group, counts):
    """Every group as often as it is counted, copies with ids of their own."""
    parts = []
    for (_, rows), count in zip(data.groupby(group, sort=True), counts, strict=True):
        parts += [rows.assign(**{group: len(parts) + copy}, copy=copy) for copy in range(count)]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(
    ("model", "group"),
    [
        ("y time || id: time, covariance(unstructured) reml", "id"),
        ("y time [pweight=w] || id:", "id"),
        ("y time || id:, residuals(ar 1, t(time)) reml", "id"),
        ("y time || id:, noconstant residuals(ar 1, t(time))", "id"),
        ("y time || big: || id:", "big"),
        ("y time || id:, reml dfmethod(satterthwaite)", "id"),
        ("y time || id:, vce(robust)", "id"),
    ],
)
def test_weights_count_groups(model, group):
    prepared = sparsemixed.prepare(model, LONG)
    counts = np.random.default_rng(2).integers(0, 3, LONG[group].nunique())
    counts[0] = 2
    data = copied(LONG, group, counts)
    if group == "big":
        data["id"] = data["id"] + 1000 * data["big"]
    expected, found = sparsemixed.mixed(model, data), prepared.fit(weights=counts)
    assert found.nobs == expected.nobs
    assert found.llf == pytest.approx(expected.llf, rel=1e-10)
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-6)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-5)
    np.testing.assert_allclose(found.random_params, expected.random_params, rtol=1e-4, atol=1e-7)
    by_label = pd.Series(counts, np.sort(LONG[group].unique()))[::-1]
    assert prepared.fit(weights=by_label).llf == pytest.approx(expected.llf, rel=1e-10)
    other = LONG.y.to_numpy()[::-1]
    both, alone = prepared.fit(other, counts), sparsemixed.prepare(model, LONG.assign(y=other)).fit(weights=counts)
    assert both.llf == pytest.approx(alone.llf, rel=1e-10)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(3), "one for each of the 20 groups"),
        (np.full(20, 0.5), "whole numbers"),
        (np.full(20, -1), "whole numbers"),
        (["a"] * 20, "to be numbers"),
        (np.zeros(20), "do not determine"),
        (pd.Series(1, range(100, 120)), "does not name each of the 20 groups"),
    ],
)
def test_bad_weights(weights, words):
    with pytest.raises(DataError, match=words):
        sparsemixed.prepare("y time || id:", LONG).fit(weights=weights)


def test_crossed_groups_have_no_weights():
    with pytest.raises(OptionError, match="crossed"):
        sparsemixed.prepare("y x || _all: R.user || item:", CROSSED).fit(weights=np.ones(20))


def test_the_array_stays_with_its_owner():
    prepared, y = sparsemixed.prepare("y time || id:", LONG), LONG.y.to_numpy().copy()
    fit = prepared.fit(y)
    y[:] = 0.0
    assert fit.fit.design.y.any()


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (LONG.y[:-1], f"to have {len(LONG)} values"),
        (["a"] * len(LONG), "to be numbers"),
        (LONG.y.where(LONG.index != 3), "1 missing or infinite"),
        (np.ones(len(LONG)), "constant"),
        (LONG.time.astype(float), "exactly"),
    ],
)
def test_bad_responses(response, words):
    with pytest.raises(DataError, match=words):
        sparsemixed.prepare("y time || id:", LONG).fit(response)


def test_data_in_batches_are_refused(tmp_path):
    LONG.to_parquet(tmp_path / "part.parquet")
    with pytest.raises(OptionError, match="prepare needs data in memory"):
        sparsemixed.prepare("y time || id:", tmp_path)
