"""What users meet of `mixed(..., prior=)`: the report, both languages, files, batches, refits, and what is refused by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import NotAvailableError, OptionError, SparseMixedError
from sparsemixed.estimation.problems.table import problem_of
from sparsemixed.priors import (
    LKJ,
    Beta,
    BoundaryAvoiding,
    Exponential,
    Fixed,
    Gamma,
    HalfT,
    HuangWand,
    InverseWishart,
    Normal,
    Uniform,
    Wishart,
)
from sparsemixed.resampling.grouped import grouped_design

MODEL = "y time || id:, reml"


@pytest.fixture(scope="module")
def rows():
    return sparsemixed.datasets.simulate_longitudinal(20, 4, seed=1)


@pytest.fixture(scope="module")
def fit(rows):
    return sparsemixed.mixed(MODEL, rows, prior="boundary")


def test_report(rows, fit):
    text = str(fit)
    assert "Penalized log restricted-likelihood" in str(sparsemixed.mixed(MODEL, rows, prior="boundary", log=True))
    assert "Mixed-effects penalized REML regression" in text
    flat = " ".join(text.split())
    assert "times priors: Sigma ~ BoundaryAvoiding(shape=2.0)" in flat
    assert f"it is {fit.llf + fit.fit.log_prior:.8g}" in flat
    assert "LR test" not in text
    assert "priors" in fit.status


def test_both_languages_files_and_refits(rows, fit, tmp_path):
    formula = sparsemixed.mixed("y ~ time + (1 | id)", rows, prior=BoundaryAvoiding(), reml=True)
    assert formula.llf == pytest.approx(fit.llf, abs=1e-9)
    fit.save(tmp_path / "fit.smx", data=True)
    loaded = sparsemixed.load(tmp_path / "fit.smx")
    assert str(loaded) == str(fit)
    assert loaded.fit.spec.estimation.prior == fit.fit.spec.estimation.prior
    other = sparsemixed.mixed(MODEL, rows, prior={"sd": HalfT(3, 2.0), "id: sd(_cons)": Gamma(2, 0.1)})
    other.save(tmp_path / "other.smx")
    assert sparsemixed.load(tmp_path / "other.smx").fit.spec.estimation.prior == other.fit.spec.estimation.prior
    again = fit.update(". ~ .") if "~" in MODEL else fit.update(reml=True)
    assert again.llf == pytest.approx(fit.llf, abs=1e-9)
    assert again.fit.log_prior == pytest.approx(fit.fit.log_prior)
    y = 2.0 * rows.y.to_numpy()
    prepared = sparsemixed.prepare(MODEL, rows, prior="boundary").fit(y)
    assert prepared.params["time"] == pytest.approx(2 * fit.params["time"], rel=1e-6)
    many = sparsemixed.mixed_many(MODEL, rows, pd.DataFrame({"a": y, "b": rows.y.to_numpy()}), prior="boundary")
    np.testing.assert_allclose(many.llf, [prepared.llf, fit.llf], atol=1e-7)


def test_batches(rows, fit, tmp_path):
    folder = tmp_path / "rows"
    folder.mkdir()
    for k in range(2):
        rows.iloc[40 * k : 40 * (k + 1)].to_parquet(folder / f"{k}.parquet")
    assert sparsemixed.mixed(MODEL, str(folder), prior="boundary").llf == pytest.approx(fit.llf, abs=1e-7)


def test_predictions_and_tests_use_the_penalised_variances(rows, fit):
    V = fit.fit.sigma2 * np.eye(len(rows)) + fit.fit.variances[0].estimate * (rows.id.to_numpy()[:, None] == rows.id.to_numpy())
    X = np.column_stack([rows.time, np.ones(len(rows))])
    expected = np.sqrt(np.diag(np.linalg.inv(X.T @ np.linalg.inv(V) @ X)))
    np.testing.assert_allclose(fit.bse[["time", "_cons"]], expected, rtol=1e-8)
    effects = fit.random_effects["id"]["_cons"].to_numpy()
    residual = rows.y.to_numpy() - X @ fit.params[["time", "_cons"]].to_numpy()
    Z = (rows.id.to_numpy()[:, None] == np.unique(rows.id)).astype(float)
    np.testing.assert_allclose(effects, fit.fit.variances[0].estimate * Z.T @ np.linalg.solve(V, residual), rtol=1e-6)


def test_replicates_are_penalised_too(rows, fit):
    """Compiled searches know no priors: replicates are fitted one by one."""
    assert grouped_design(problem_of(fit.fit)) is None
    drawn = fit.bootstrap(3, seed=1)
    assert len(drawn.replicates) == 3


@pytest.mark.parametrize(
    ("prior", "options", "kind", "message"),
    [
        ("bounds", {}, OptionError, 'did you mean boundary|there is "boundary"'),
        (3, {}, OptionError, "must be"),
        ({}, {}, OptionError, "must be"),
        ({"sd": 3}, {}, OptionError, "is no prior"),
        ({"sd(foo)": HalfT(3, 1)}, {}, OptionError, r"no parameter 'sd\(foo\)'"),
        ({"sd": Normal(0, 1)}, {}, OptionError, "one positive number"),
        ({"sd": LKJ(2)}, {}, OptionError, "one positive number"),
        ({"sd": Exponential(1)}, {}, NotAvailableError, "with a corner"),
        ({"var": Gamma(0.5, 1)}, {}, NotAvailableError, "largest at zero"),
        ({"sd": Uniform(0, 3)}, {}, NotAvailableError, "leave it out"),
        ({"sd(_cons)": Fixed(1)}, {}, NotAvailableError, "only the residual variance"),
        ({"sigma": Fixed(0)}, {}, NotAvailableError, "must be positive"),
        ({"Sigma": InverseWishart()}, {}, NotAvailableError, "unstructured matrices"),
        ({"Sigma": HalfT(3, 1)}, {}, OptionError, "no prior of covariance matrices"),
        ({"sd(_cons)": HalfT(3, 1), "var(_cons)": HalfT(3, 1)}, {}, OptionError, "leave one out"),
        ("boundary", {"vce": "robust", "reml": False}, OptionError, "vce"),
        ("boundary", {"pweights": "w", "reml": False}, OptionError, "sampling weights"),
        ("boundary", {"emonly": True}, OptionError, "emonly"),
        ("boundary", {"solver": "krylov"}, OptionError, "krylov"),
        ("boundary", {"dfmethod": "kroger", "reml": True}, OptionError, "dfmethod"),
    ],
)
def test_refused_by_name(rows, prior, options, kind, message):
    with pytest.raises(kind, match=message):
        sparsemixed.mixed("y time || id:", rows.assign(w=1.5), prior=prior, **options)


def test_refused_of_matrices_and_models(rows):
    model = "y time || id: time, cov(un)"
    for prior, message in (
        ({"Sigma": Wishart(2.5)}, "at least 3"),
        ({"corr": LKJ(0.5)}, "largest at correlations of one"),
        ({"corr": Beta(2, 2, 0, 1)}, "take LKJ"),
    ):
        with pytest.raises(OptionError, match=message):
            sparsemixed.mixed(model, rows, prior=prior)
    with pytest.raises(NotAvailableError, match="infinite where a variance is zero"):
        sparsemixed.mixed(model, rows, prior={"id": HuangWand()})
    with pytest.raises(NotAvailableError, match="the model has none"):
        sparsemixed.mixed("y time", rows, prior="boundary")
    with pytest.raises(NotAvailableError, match="correlation that effects share"):
        sparsemixed.mixed("y time || id: time, cov(exch)", rows, prior={"corr": LKJ(2)})
    with pytest.raises(OptionError, match="no parameter 'sigma'"):
        sparsemixed.mixed("y time || id:, residuals(ar 1, t(time))", rows, prior={"sigma": HalfT(3, 1)})


def test_what_rests_on_the_likelihood_is_refused(rows, fit):
    plain = sparsemixed.mixed("y time, reml", rows)
    calls = (
        lambda: sparsemixed.lrtest(fit, plain),
        lambda: sparsemixed.lrtest(fit, plain, exact=True),
        lambda: sparsemixed.anova(fit, plain),
        lambda: fit.conf_int(method="profile"),
        lambda: fit.influence(by="id", method="onestep"),
        lambda: fit.contrast("time", small="kroger"),
        lambda: fit.bayes(),
    )
    for call in calls:
        with pytest.raises((SparseMixedError, TypeError)):
            call()
    with pytest.raises(OptionError, match="prior="):
        sparsemixed.lrtest(fit, plain)
    with pytest.raises(OptionError, match="without prior="):
        fit.bayes()
    with pytest.raises(OptionError, match="mixed"):
        sparsemixed.bayes("y time || id:", rows, {"Sigma": BoundaryAvoiding()})
