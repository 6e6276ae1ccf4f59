"""Scores of held-out groups against the normal density with the dense marginal covariance, fold by fold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import multivariate_normal

import sparsemixed
from sparsemixed.errors import CommandError, DataError, OptionError
from tests.oracles.marginal import covariance_of


def visits(n=120, seed=0):
    rng = np.random.default_rng(seed)
    site, user = np.repeat(np.arange(6), n // 6), np.repeat(np.arange(n // 5), 5)
    x, arm = rng.normal(size=n), np.array(["a", "b"])[rng.integers(0, 2, n)]
    y = 1 + x + rng.normal(size=6)[site] + rng.normal(size=n // 5)[user] * (1 + 0.7 * x) + rng.normal(size=n)
    data = pd.DataFrame({"site": site, "user": user, "x": x, "arm": arm, "t": np.tile(np.arange(5), n // 5), "y": y})
    data.loc[[4, 77], "x"] = np.nan
    return data


DATA = visits()
MODELS = [
    ("y ~ x + arm + (1 + x | user)", {}, "user"),
    ("y ~ x + (1 + x | user)", {"reml": True}, "site"),
    ("y ~ x + (1 | site) + (1 | site:user)", {}, "site"),
    ("y x || site: || user: x, covariance(unstructured) reml", {}, "site"),
    ("y ~ x + (1 | user) + (1 | arm)", {}, "user"),
    ("y ~ x + (1 | user)", {"residuals": "ar 1, t(t)"}, "user"),
    ("y ~ x + (1 | user)", {"residuals": "independent, by(arm)", "reml": True}, "user"),
    ("y ~ x + (1 | user)", {"precision_weights": "1 + t"}, "user"),
    ("y x i.t", {}, "site"),
]


@pytest.mark.parametrize(("model", "options", "by"), MODELS)
def test_scores_are_those_of_the_marginal_normal_density(model, options, by):
    found = sparsemixed.cross_validate(model, DATA, by=by, folds=3, random_state=4, **options)
    complete, residuals = DATA.dropna(), []
    assert found.groups.index.tolist() == sorted(complete[by].unique(), key=lambda g: (found.groups["fold"][g], g))
    for group, row in found.groups.iterrows():
        held = complete[complete[by].map(found.groups["fold"]) == row["fold"]]
        fit = sparsemixed.mixed(model, complete.drop(held.index), **options)
        own = held[held[by] == group]
        residual, V = (own["y"] - fit.predict(own, "xb")).to_numpy(), sum(covariance_of(fit, own))
        assert row["log_density"] == pytest.approx(multivariate_normal.logpdf(residual, np.zeros(len(own)), V), rel=1e-6)
        assert row["rmse"] == pytest.approx(np.sqrt(np.mean(residual**2)), rel=1e-8)
        np.testing.assert_allclose(found.predictions.loc[own.index, "std"], np.sqrt(np.diag(V)), rtol=1e-6)
        residuals.append(residual)
    assert found.rmse == pytest.approx(np.sqrt(np.mean(np.concatenate(residuals) ** 2)), rel=1e-8)
    assert found.log_score == pytest.approx(found.groups["log_density"].sum())
    assert found.frame["log_score"].sum() == pytest.approx(found.log_score)
    assert found.frame["rows"].sum() == len(found.predictions) == len(complete)


def test_a_fit_knows_its_data_and_options():
    fit = sparsemixed.mixed('y x if arm == "a" || user:', DATA, reml=True)
    found = sparsemixed.cross_validate(fit, by="user", folds=4)
    again = sparsemixed.cross_validate('y x if arm == "a" || user:, reml', pl.from_pandas(DATA), by="user", folds=4)
    pd.testing.assert_frame_equal(found.frame, again.frame)
    kept = DATA.dropna().query("arm == 'a'")
    assert found.predictions.index.tolist() == kept.index.tolist()


def test_conditions_on_numbers_of_rows_are_of_the_whole_data():
    found = sparsemixed.cross_validate("y x if _n > 20 in 11/100 || user:", DATA, by="user", folds=None)
    assert found.predictions.index.min() == 20
    assert found.predictions.index.max() == 99
    assert len(found.folds) == 16


def test_folds_that_are_given():
    folds = (DATA["site"] % 3).to_numpy() * 10
    given = sparsemixed.cross_validate("y x || user:", DATA, by="user", folds=folds)
    assert given.folds["groups"].tolist() == [8, 8, 8]
    assert (given.predictions["fold"] == (DATA["site"] % 3 + 1)[given.predictions.index]).all()
    one = sparsemixed.cross_validate("y x || user:", DATA, by="site", folds=None)
    assert one.folds["groups"].tolist() == [1] * 6


def test_what_is_shown():
    found = sparsemixed.cross_validate("y x || user:", DATA, by="user", folds=3)
    text = str(found)
    assert "Cross-validation by user" in text
    assert f"{found.rmse:.6f}"[:6] in text
    assert all("RMSE" in shown for shown in (text, found.to_html(), found.to_latex(), found.to_markdown()))


def test_models_that_cannot_be_validated(tmp_path):
    def run(model="y x || user:", data=DATA, by="user", **options):
        return sparsemixed.cross_validate(model, data, by=by, **options)

    with pytest.raises(CommandError, match="variable `z` not found"):
        run(by="z")
    with pytest.raises(OptionError, match="folds=1 does not lie between 2 and 24"):
        run(folds=1)
    with pytest.raises(OptionError, match="must not divide a group of user"):
        run(folds=np.arange(len(DATA)) % 2)
    with pytest.raises(OptionError, match="one value for each of the 120 rows"):
        run(folds=[1, 2])
    with pytest.raises(OptionError, match="one fold alone"):
        run(folds=np.zeros(len(DATA)))
    with pytest.raises(OptionError, match="tsset"):
        run("y L.x || user:", tsset="user t")
    with pytest.raises(DataError, match=r"fold 1: .*weights that replicate"):
        run(fweights=np.ones(len(DATA), int))
    with pytest.raises(DataError, match=r"fold \d: variable `site` has levels that were not in the sample fitted"):
        run("y i.site || user:", by="site")
    with pytest.raises(OptionError, match="data in memory"):
        run(data=lambda: [DATA])
    with pytest.raises(DataError, match=r"fold \d: t\(t\) has values that were not in the sample fitted"):
        run("y x || user:, noconstant residuals(unstructured, t(t))", DATA.assign(t=DATA["t"] + 5 * (DATA["user"] == 3)))
    fit = sparsemixed.mixed("y x || user:", DATA)
    fit.save(tmp_path / "fit")
    with pytest.raises(OptionError, match="does not know its data"):
        sparsemixed.cross_validate(sparsemixed.load(tmp_path / "fit"), by="user")
