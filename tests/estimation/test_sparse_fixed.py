"""Fixed parts with many columns of which a row meets few: fits without dense columns, beside fits with them."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import cho_factor, cho_solve

import sparsemixed
from sparsemixed.design.fixed import columns
from sparsemixed.estimation import quadratic_forms
from sparsemixed.estimation.estimate import refactor_at_optimum
from sparsemixed.estimation.objectives import penalized_derivatives, penalized_deviance
from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.estimation.start.moments import mivque_start


@pytest.fixture(scope="module")
def data():
    """300 rows by 30 firms and 20 years, in 60 cells of three years of five firms."""
    rng = np.random.default_rng(1)
    firm, year = np.repeat(np.arange(30), 20), np.tile(np.arange(20), 30)
    cell, x, item = firm // 5 * 10 + year // 2, rng.normal(size=600) + 3.0, rng.integers(0, 12, 600)
    effects = 0.8 * rng.normal(size=30)[firm] + 0.4 * rng.normal(size=30)[firm] * x + 0.6 * rng.normal(size=12)[item]
    y = 1.0 + 0.5 * x + 0.5 * rng.normal(size=60)[cell] + effects + rng.normal(size=600)
    return pd.DataFrame(
        {"y": y, "x": x, "firm": firm, "item": item, "cell": cell, "year": 2000 + year, "w": rng.integers(1, 4, 600)}
    )


@pytest.fixture
def few(monkeypatch):
    """Sparse columns wherever they can serve."""
    monkeypatch.setattr(columns, "MANY_COLUMNS", 20)
    monkeypatch.setattr(columns, "MOST_SHARE", 0.5)


MODELS = {
    "intercepts": ("y x i.cell || firm:", {}),
    "intercepts, REML": ("y x i.cell || firm:", {"reml": True}),
    "slopes": ("y i.cell##c.x || firm: x, covariance(unstructured)", {"reml": True}),
    "crossed": ("y ~ x + factor(cell) + (1 + x | firm) + (1 | item)", {"reml": True}),
    "crossed, ML": ("y ~ 0 + factor(cell) + x + (1 | firm) + (1 | item)", {}),
    "two factors": ("y x i.firm i.year || cell: x", {"reml": True}),
    "far from zero": ("y x i.firm year || cell: x", {"reml": True}),
    "frequencies": ("y x i.cell [fw=w] || firm:", {}),
    "precisions": ("y ~ x + factor(cell) + (1 | firm)", {"precision_weights": "w", "reml": True}),
    "linear": ("y x i.cell", {"reml": True}),
    "iterative": ("y ~ x + factor(cell) + (1 | firm) + (1 | item)", {"reml": True, "solver": "krylov"}),
}


@pytest.mark.parametrize("model", MODELS)
def test_fits_are_those_of_dense_columns(model, data, few, monkeypatch):
    text, options = MODELS[model]
    sparse = sparsemixed.mixed(text, data, **options).fit
    assert sparse.design.sparse is not None
    assert "X" not in vars(sparse.design)
    monkeypatch.setattr(columns, "MANY_COLUMNS", 1000)
    dense = sparsemixed.mixed(text, data, **options).fit
    assert dense.design.sparse is None
    np.testing.assert_allclose(sparse.llf, dense.llf, rtol=1e-12)
    np.testing.assert_allclose(sparse.beta, dense.beta, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(sparse.root @ sparse.root.T, dense.root @ dense.root.T, rtol=1e-6, atol=1e-9)
    if dense.information is not None and model != "iterative":
        np.testing.assert_allclose(sparse.information, dense.information, rtol=1e-6, atol=1e-6)
    if dense.slopes is not None:  # the roots differ in signs, what they stand for does not
        moved = (fit.root @ fit.slopes @ fit.root.T for fit in (sparse, dense))
        np.testing.assert_allclose(*moved, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(sparse.design.X, dense.design.X)
    assert [c.name for c in sparse.design.columns] == [c.name for c in dense.design.columns]


def test_the_likelihood_is_that_of_the_dense_model(data, few):
    """log |V|, log |X'inv(V)X| and the squares, from n x n matrices."""
    fit = sparsemixed.mixed("y x i.cell || firm:", data, reml=True)
    assert fit.fit.design.sparse is not None
    dummies = pd.get_dummies(data["cell"], dtype=float).to_numpy()[:, 1:]
    X, y = np.column_stack([data["x"], dummies, np.ones(len(data))]), data["y"].to_numpy()
    variances = [c.variances[0].estimate for c in fit.fit.components]
    V = variances[0] * (data["firm"].to_numpy()[:, None] == data["firm"].to_numpy()) + variances[1] * np.eye(len(data))
    factor = cho_factor(V)
    XVX = X.T @ cho_solve(factor, X)
    beta = np.linalg.solve(XVX, X.T @ cho_solve(factor, y))
    e, (n, p) = y - X @ beta, X.shape
    squares = e @ cho_solve(factor, e)
    expected = -0.5 * (np.linalg.slogdet(V)[1] + np.linalg.slogdet(XVX)[1] + squares + (n - p) * np.log(2 * np.pi))
    np.testing.assert_allclose(fit.llf, expected, rtol=1e-11)
    np.testing.assert_allclose(fit.fit.beta, beta, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(fit.fit.root @ fit.fit.root.T, np.linalg.inv(XVX), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("model", ["y x i.cell i.year || firm:", "y x i.cell || firm:, residuals(ar 1, t(year))"])
def test_where_rows_are_needed_there_are_dense_columns(model, data, few):
    """Collinear columns have to be left out first, and correlated errors weigh rows."""
    assert "X" in vars(sparsemixed.mixed(model, data).fit.design)


def test_constraints_are_taken_to_dense_columns(data, few):
    fit = sparsemixed.mixed("y x i.cell || firm:, constraints(1)", data, constraints={1: "x = 0.5"})
    assert dict(zip(fit.fit.design.names, fit.fit.beta, strict=True))["x"] == pytest.approx(0.5)


def test_what_follows_a_fit(data, few, monkeypatch, tmp_path):
    """Rows, other responses, subsets, degrees of freedom, saved and pickled fits are those of dense columns."""
    sparse = sparsemixed.mixed("y x i.cell || firm:", data, reml=True)
    assert "X" not in vars(sparse.fit.design)
    found = [each(sparse, tmp_path) for each in FOLLOWING]
    monkeypatch.setattr(columns, "MANY_COLUMNS", 1000)
    dense = sparsemixed.mixed("y x i.cell || firm:", data, reml=True)
    for one, each in zip(found, FOLLOWING, strict=True):
        np.testing.assert_allclose(one, each(dense, tmp_path), rtol=1e-6, atol=1e-8)


def _saved(fit, folder):
    fit.save(folder / "fit.fit", data=True)
    loaded = sparsemixed.load(folder / "fit.fit")
    return np.append(loaded.predict(), loaded.llf)


FOLLOWING = [
    lambda fit, _: fit.predict(),
    lambda fit, _: fit.estat.df(post="kroger").df,
    lambda fit, _: fit.estat.df(post="anova").df,
    lambda fit, _: np.append(fit.bse, np.sqrt(np.diag(fit.cov_params()))),
    lambda fit, _: fit.simulate(seed=1).to_numpy().ravel(),
    lambda fit, _: fit.refit(fit.fit.design.y[::-1].copy()).fit.beta,
    lambda fit, _: pickle.loads(pickle.dumps(fit.fit)).design.X.ravel(),
    _saved,
]


@pytest.mark.parametrize(
    "model", ["intercepts", "intercepts, REML", "slopes", "crossed", "crossed, ML", "frequencies", "precisions"]
)
def test_derivatives_by_many_columns_are_those_by_few(model, data, monkeypatch):
    """Those of many columns follow from U alone, by parts; those of few from products with Z'Z, which are held to oracles."""
    text, options = MODELS[model]
    fit = sparsemixed.mixed(text, data, **options).fit
    found = []
    for large in (7, 10_000):
        for module in (penalized_derivatives, penalized_deviance, quadratic_forms):
            monkeypatch.setattr(module, "LARGE", large)
        objective = PenalizedObjective(*_parts(refactor_at_optimum(fit)[0]))
        at = objective.evaluate(0.9 * fit.theta + 0.01)
        found.append((objective, at, objective.derivatives(at), mivque_start(objective.cp)))
    (_, few_at, few, few_start), (_, at, derivatives, start) = found
    assert few_at.many == (objective.cp.q_schur == 0)
    assert not at.many
    close = {"rtol": 1e-9, "atol": 1e-9}
    for name in ("gradient", "ZtE", "Zte", "whitened_slopes", "fixed_slopes", "score_slopes"):
        np.testing.assert_allclose(getattr(few, name), getattr(derivatives, name), err_msg=name, **close)
    for name in ("u", "U", "deviance"):
        np.testing.assert_allclose(getattr(few_at, name), getattr(at, name), err_msg=name, **close)
    for name in ("observed_information", "average_information"):
        np.testing.assert_allclose(getattr(few, name).hessian, getattr(derivatives, name).hessian, err_msg=name, **close)
    for where, one, other in zip(objective.cp.slices, few.fixed_blocks, derivatives.fixed_blocks, strict=True):
        np.testing.assert_allclose(one, other, **close)
        whole = at.U[where] @ at.XVX_inverse @ at.U[where].T
        np.testing.assert_allclose(np.einsum("iaa->ia", other).ravel(), np.diag(whole), **close)
    for one, other in zip(few_start.covariances, start.covariances, strict=True):
        np.testing.assert_allclose(one, other, **close)


def test_many_columns_beside_a_singular_factor(data, monkeypatch):
    """Where a variance is zero nothing follows from U, and products with Z'Z are made."""
    fit = sparsemixed.mixed(*MODELS["crossed"][:1], data, **MODELS["crossed"][1]).fit
    hessians = []
    for large in (7, 10_000):
        monkeypatch.setattr(penalized_derivatives, "LARGE", large)
        objective = refactor_at_optimum(fit)[0]
        theta = np.zeros_like(fit.theta)
        hessians.append(objective.derivatives(objective.evaluate(theta)).observed_information.hessian)
    np.testing.assert_allclose(*hessians, rtol=1e-9, atol=1e-7)


def _parts(objective):
    return objective.cp, objective.system, objective.parameters, objective.reml
