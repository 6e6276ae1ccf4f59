"""Unstructured effects do not depend on where a covariate has its zero: all that is printed is that of the covariate at zero.

The oracle is the fit of the covariate at zero, its effects moved by hand: with x + c for x the constant's effect is b0 - c b1.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.command import read_model
from sparsemixed.design.build import build_design
from sparsemixed.estimation.orthonormal import engine_terms
from sparsemixed.estimation.parameters import parameters
from tests.oracles import dense_sandwich

OFFSETS = [1e3, 1e5, 1e6]
EXACT = {"rel": 1e-6, "abs": 1e-9}


def simulated(seed: int = 2, groups: int = 20, rows: int = 9) -> pd.DataFrame:
    """x and z are multiples of 1/64, so that an offset of a million changes none of their digits."""
    rng = np.random.default_rng(seed)
    g, t = np.repeat(np.arange(groups), rows), np.tile(np.arange(rows), groups)
    x, z, w = t / 8, np.round(64 * rng.normal(size=g.size)) / 64, np.round(64 * rng.uniform(size=g.size)) / 64
    b = rng.multivariate_normal(np.zeros(4), np.diag([1.0, 0.6, 0.5, 0.4]) + 0.2, groups)
    h = rng.integers(0, 8, g.size)
    b_h = rng.multivariate_normal([0.0, 0.0], [[0.5, 0.1], [0.1, 0.3]], 8)
    top = g // 5
    y = 1.0 + x + np.einsum("ij,ij->i", b[g], np.column_stack([np.ones(g.size), x, z, w])) + b_h[h, 0] + b_h[h, 1] * x
    y += rng.normal(size=top.max() + 1)[top] + 0.6 * rng.normal(size=g.size)
    return pd.DataFrame(
        {
            "y": y, "x": x, "z": z, "w": w, "g": g, "h": h, "top": top, "t": t,
            "weight": rng.uniform(0.5, 2.0, g.size), "count": rng.integers(1, 4, g.size),
        }
    )  # fmt: skip


MODELS = {
    "formula": ("y ~ x + (x | g)", {}),
    "formula, REML": ("y ~ x + (x | g)", {"reml": True}),
    "command": ("y x || g: x, covariance(unstructured)", {}),
    "two slopes": ("y x z || g: x z, covariance(unstructured)", {"reml": True}),
    "three slopes": ("y ~ x + z + w + (x + z + w | g)", {}),
    "two blocks": ("y ~ x + z + (x | g) + (0 + z | g)", {"reml": True}),
    "two terms": ("y ~ x + (x | g) + (1 | h)", {"reml": True}),
    "nested": ("y x || top: || g: x, covariance(unstructured)", {}),
    "crossed": ("y ~ x + (x | g) + (x | h)", {"reml": True}),
    "matlog": ("y x || g: x, covariance(unstructured)", {"matlog": True}),
    "EM first": ("y x || g: x, covariance(unstructured)", {"emiterate": 5}),
    "correlated errors": ("y x || g: x, covariance(unstructured) residuals(ar 1, t(t))", {}),
    "correlated errors, REML": ("y x || g: x, covariance(unstructured)", {"residuals": "exponential, t(t)", "reml": True}),
    "errors by level": ("y x || g: x, covariance(unstructured) residuals(independent, by(top))", {}),
    "crossed, correlated errors": ("y x || _all: R.h || g: x, covariance(unstructured) residuals(ar 1, t(t))", {}),
    "precision weights": ("y ~ x + (x | g)", {"precision_weights": "weight", "reml": True}),
    "frequency weights": ("y x [fweight=count] || g: x, covariance(unstructured)", {}),
    "sampling weights": ("y x [pweight=weight] || g: x, covariance(unstructured)", {}),
}


def moves(names: list[str], moved: list[str], offset: float) -> np.ndarray:
    """A (k, k): coefficients or effects at x + c are A times those at x."""
    A = np.eye(len(names))
    A[names.index("_cons"), [names.index(name) for name in moved]] = -offset
    return A


def check_same(far, near, offset: float, moved: list[str]) -> None:
    """Everything about the covariates `moved` by an offset is that of the fit at zero, moved by hand."""
    assert far.converged
    assert far.llf == pytest.approx(near.llf, abs=1e-7)
    assert without_counts(far.status) == without_counts(near.status)
    others = [name for name in near.params.index if name != "_cons"]
    assert list(far.params[others]) == pytest.approx(list(near.params[others]), **EXACT)
    assert list(far.bse[others]) == pytest.approx(list(near.bse[others]), **EXACT)
    A = moves(list(near.params.index), moved, offset)
    wanted = A @ near.cov_params().to_numpy() @ A.T
    assert far.bse["_cons"] ** 2 == pytest.approx(wanted[-1, -1], rel=1e-5)
    check_variances(far, near, offset, moved)
    check_effects(far, near, offset, moved)
    for what in ("fitted", "stdp") if far.fit.spec.vce.method.model_based else ("fitted",):
        np.testing.assert_allclose(far.predict(what=what), near.predict(what=what), atol=1e-6)


def without_counts(status: str) -> str:
    return re.sub(r"in \d+ iterations?", "", status)


def check_variances(far, near, offset: float, moved: list[str]) -> None:
    for own, other in zip(far.fit.components, near.fit.components, strict=True):
        if own.block is None:
            assert [p.estimate for p in own.variances] == pytest.approx([p.estimate for p in other.variances], rel=1e-5)
            continue
        names = list(own.block.names)
        G, wanted = (covariance(component) for component in (own, other))
        if "_cons" in names and set(moved) & set(names):
            A = moves(names, [name for name in moved if name in names], offset)
            wanted = A @ wanted @ A.T
        scale = np.sqrt(np.outer(np.diag(wanted), np.diag(wanted)))
        np.testing.assert_allclose(G / scale, wanted / scale, atol=1e-5)
    table, other = far.random_params["std_err"], near.random_params["std_err"]
    kept = [i for i, p in enumerate(near.fit.variances) if "_cons" not in p.label]
    assert list(table.iloc[kept]) == pytest.approx(list(other.iloc[kept]), rel=1e-4, nan_ok=True)


def covariance(component) -> np.ndarray:
    """G (k, k) as printed."""
    names = component.block.names
    G = np.zeros((len(names),) * 2)
    for parameter in component.variances:
        inside = parameter.label[parameter.label.index("(") + 1 : -1].split(",")
        a, b = names.index(inside[0]), names.index(inside[-1])
        G[a, b] = G[b, a] = parameter.estimate
    return G


def check_effects(far, near, offset: float, moved: list[str]) -> None:
    """Predicted effects and their standard errors."""
    for term, u, own, u_0, own_0 in zip(far.fit.design.random, far.fit.u, far.fit.u_var, near.fit.u, near.fit.u_var, strict=True):
        names = [name for block in term.blocks for name in block.names] if term.members is None else ["R"] * term.k
        A = moves(names, [name for name in moved if name in names], offset) if "_cons" in names else np.eye(len(names))
        u_0, own_0 = u_0 @ A.T, A @ own_0 @ A.T
        np.testing.assert_allclose(u, u_0, rtol=1e-5, atol=1e-6 * np.abs(u_0).max())
        np.testing.assert_allclose(own, own_0, rtol=1e-4, atol=1e-6 * np.abs(own_0).max())


def fitted(name: str, data: pd.DataFrame):
    command, options = MODELS[name]
    return sparsemixed.mixed(command, data, **options)


@pytest.mark.parametrize("name", MODELS)
def test_an_offset_costs_no_digits(name):
    data = simulated()
    near = fitted(name, data)
    for offset in OFFSETS if name == "formula" else OFFSETS[-1:]:
        check_same(fitted(name, data.assign(x=data.x + offset)), near, offset, ["x"])


def test_of_all_slopes_at_once():
    data = simulated()
    near = fitted("three slopes", data)
    far = fitted("three slopes", data.assign(x=data.x + 1e5, z=data.z + 1e5, w=data.w + 1e5))
    check_same(far, near, 1e5, ["x", "z", "w"])


@pytest.mark.parametrize("method", ["satterthwaite", "satterthwaite, oim", "kroger", "kroger, oim"])
@pytest.mark.parametrize("errors", ["", " residuals(ar 1, t(t))"])
def test_an_offset_costs_degrees_of_freedom_no_digits(method, errors):
    data = simulated()
    text = f"y x || g: x, covariance(unstructured){errors}"
    near, far = (
        sparsemixed.mixed(text, data.assign(x=data.x + offset), reml=True, dfmethod=method) for offset in (0.0, OFFSETS[-1])
    )
    assert far.df["x"] == pytest.approx(near.df["x"], rel=1e-5)
    assert far.bse["x"] == pytest.approx(near.bse["x"], rel=1e-6)


def test_degrees_of_freedom_of_singular_covariances():
    """A slope that does not vary: the matrix is singular at any zero of x."""
    data = simulated()
    data["y"] = data.y - fitted("formula", data).predict(what="fitted") + 3.0 * np.random.default_rng(0).normal(size=20)[data.g]
    for method in ("satterthwaite", "kroger"):
        near, far = (
            sparsemixed.mixed("y ~ x + (x | g)", data.assign(x=data.x + offset), reml=True, dfmethod=method)
            for offset in (0.0, OFFSETS[-1])
        )
        assert near.fit.boundary.any()
        assert far.llf == pytest.approx(near.llf, abs=1e-6)
        assert far.df["x"] == pytest.approx(near.df["x"], rel=1e-3)


@pytest.mark.parametrize("vce", ["robust", "cr2"])
def test_robust_standard_errors_do_not_depend_on_the_offset(vce):
    data = simulated()
    near, far = (
        sparsemixed.mixed("y x || g: x, covariance(unstructured)", data.assign(x=data.x + offset), vce=vce)
        for offset in (0.0, OFFSETS[-1])
    )
    assert far.bse["x"] == pytest.approx(near.bse["x"], rel=1e-6)


@pytest.mark.parametrize("name", ["formula, REML", "two slopes", "crossed", "precision weights", "correlated errors"])
def test_what_is_named_makes_up_the_likelihood(name):
    """Moderately far, where a dense likelihood of the printed covariances still has digits."""
    data = simulated()
    data["x"] += 30.0
    fit = fitted(name, data).fit
    V, X, y = dense_sandwich.covariance(fit), fit.design.X, fit.design.y
    inverse = np.linalg.inv(V)
    e = y - X @ np.linalg.solve(X.T @ inverse @ X, X.T @ inverse @ y)
    p = X.shape[1] if fit.spec.estimation.method == "reml" else 0
    value = np.linalg.slogdet(V)[1] + e @ inverse @ e + (len(y) - p) * np.log(2 * np.pi)
    value += np.linalg.slogdet(X.T @ inverse @ X)[1] if p else 0.0
    assert -0.5 * value == pytest.approx(fit.llf, abs=1e-6)
    for term, u, component in zip(fit.design.random, fit.u, fit.components, strict=False):
        Z = np.zeros((len(y), term.n_groups, term.k))
        Z[np.arange(len(y)), term.codes] = term.columns
        b = np.kron(np.eye(term.n_groups), covariance(component)) @ Z.reshape(len(y), -1).T @ inverse @ e
        np.testing.assert_allclose(u.ravel(), b, rtol=1e-5, atol=1e-6 * np.abs(b).max())


def test_scores_sum_to_zero_far_away():
    data = simulated()
    data["x"] += 1e6
    scores = fitted("formula", data).predict(what="scores")
    assert np.abs(scores.sum()).max() < 1e-4 * np.abs(scores).max().max()


def test_saved_fits_predict_the_same(tmp_path):
    data = simulated()
    near = fitted("formula, REML", data)
    data["x"] += 1e6
    fit = fitted("formula, REML", data)
    fit.save(tmp_path / "far.smx", data=True)
    again = sparsemixed.load(tmp_path / "far.smx")
    check_same(again, near, 1e6, ["x"])
    for what in ("fitted", "xb", "stdp"):
        np.testing.assert_array_equal(again.predict(data.iloc[::7], what), fit.predict(data.iloc[::7], what))
    assert again.summary() == fit.summary()


def in_batches(data: pd.DataFrame, folder, parts: int = 4) -> str:
    folder.mkdir()
    for part in range(parts):
        data.iloc[part::parts].to_parquet(folder / f"{part}.parquet")
    return str(folder)


def test_rows_batches_and_dask_agree(tmp_path):
    dd = pytest.importorskip("dask.dataframe")
    data = simulated()
    near = fitted("formula, REML", data)
    far = data.assign(x=data.x + 1e6)
    for fit in (
        sparsemixed.mixed("y ~ x + (x | g)", in_batches(far, tmp_path / "far"), reml=True),
        sparsemixed.mixed("y ~ x + (x | g)", dd.from_pandas(far, npartitions=3), reml=True),
    ):
        assert fit.converged
        assert fit.llf == pytest.approx(near.llf, abs=1e-6)
        assert fit.bse["x"] == pytest.approx(near.bse["x"], rel=1e-6)
        check_variances(fit, near, 1e6, ["x"])
        check_effects(fit, near, 1e6, ["x"])


def test_no_iterations_and_what_is_exported_are_of_the_named_effects():
    data = simulated()
    data["x"] += 100.0
    fit = fitted("formula", data)
    start = sparsemixed.mixed("y ~ x + (x | g)", data, iterate=0)
    assert not start.converged
    assert np.all(np.diag(covariance(start.fit.components[0])) > 0)
    estimates = [p.estimate for p in fit.fit.components[0].variances]
    assert list(fit.random_params["estimate"].iloc[:3]) == pytest.approx(estimates, rel=1e-12)


@pytest.mark.parametrize("reml", [False, True])
def test_columns_of_the_engine_are_nearly_orthonormal(reml):
    data = simulated()
    data["x"] += 1e6
    design = build_design(read_model("y x z || g: z x, covariance(unstructured)", {"reml": reml}), data)
    layout = parameters(design.random)
    columns = engine_terms(design, layout)[0].columns
    values = np.linalg.eigvalsh(columns.T @ columns / len(columns))
    assert values[-1] / values[0] < 1e4
    assert np.linalg.cond(design.random[0].columns) > 1e6


def test_rows_that_agree_agree_in_the_engine():
    data = pd.concat([simulated()] * 3, ignore_index=True)
    design = build_design(read_model("y x z || g: z x, covariance(unstructured)", {}), data)
    columns = engine_terms(design, parameters(design.random))[0].columns
    np.testing.assert_array_equal(*np.split(columns, 3)[:2])
    assert len(np.unique(columns, axis=0)) == len(np.unique(design.random[0].columns, axis=0))


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_a_constant_held_at_zero_stays_consistent_with_the_columns(offset):
    """Levels of g in the fixed part: REML does not see the constant's variance, and the slope's remains."""
    data = simulated()
    fit = sparsemixed.mixed("y ~ x + C(g) + (x | g)", data.assign(x=data.x + offset), reml=True)
    near = sparsemixed.mixed("y ~ x + C(g) + (0 + x | g)", data, reml=True)
    assert "var(_cons) of g is not identified by REML" in fit.status
    assert fit.llf == pytest.approx(near.llf, abs=1e-5)
    G = covariance(fit.fit.components[0])
    names = fit.fit.components[0].block.names
    k = names.index("x")
    assert G[k, k] == pytest.approx(near.fit.variances[0].estimate, rel=1e-4)
    assert G[1 - k, 1 - k] == G[0, 1] == 0.0
    assert np.all(fit.fit.u[0][:, 1 - k] == 0.0)
