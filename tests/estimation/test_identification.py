"""What the data cannot tell: variances that REML does not see, and parameters that no moment tells apart."""

from __future__ import annotations

import contextlib
import warnings

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import IdentificationWarning, SparseMixedError
from sparsemixed.estimation.identification import _entries, _gram
from sparsemixed.estimation.moment_probes import Direction, probed_gram
from sparsemixed.estimation.objectives.patterns import PatternObjective
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedDeviance
from sparsemixed.estimation.problems.table import problem_of
from sparsemixed.solver.linalg import unit_diagonal
from tests.oracles.covariance_parts import random_part, residual_part
from tests.oracles.moment_rank import confounded
from tests.oracles.random_models import RandomModel, random_model

pytestmark = pytest.mark.filterwarnings("ignore::sparsemixed.errors.SparseMixedWarning")


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """Levels s with all of g, h and r inside or across; a treatment and its complement."""
    rng = np.random.default_rng(7)
    n = 72
    d = pd.DataFrame({"s": np.repeat(np.arange(6), 12), "h": np.repeat(np.arange(18), 4), "t": np.tile(np.arange(4.0), 18)})
    d["g"], d["r"] = rng.integers(0, 8, n), rng.integers(0, 9, n)
    d["x"], d["pw"] = rng.normal(size=n), rng.uniform(0.5, 2.0, n)
    d["z"], d["one"], d["treated"] = rng.normal(size=n), 1, np.tile([0, 1], n // 2)
    d["control"] = 1 - d.treated
    effects = rng.normal(size=(4, 20))
    d["y"] = effects[0][d.g] + effects[1][d.h] + effects[2][d.s] * d.x + effects[3][d.r] + 0.1 * d.s + rng.normal(size=n)
    return d


PAIRS = (
    ("y ~ C(s) + (1 | s)", "y ~ C(s)", {}),
    ("y ~ 1 + (1 | one)", "y ~ 1", {}),
    ("y ~ C(s) + (1 | s) + (1 | g)", "y ~ C(s) + (1 | g)", {}),
    ("y ~ C(s) + (1 | s) + (1 | g) + (1 | r)", "y ~ C(s) + (1 | g) + (1 | r)", {"solver": "krylov"}),
    ("y ~ C(s) + (1 + x | s) + (1 | g) + (1 | r)", "y ~ C(s) + (0 + x | s) + (1 | g) + (1 | r)", {"solver": "krylov"}),
    ("y ~ C(s) + (1 + x | s) + (1 | g)", "y ~ C(s) + (0 + x | s) + (1 | g)", {}),
    ("y ~ C(s) * x + (1 + x | s) + (1 | g)", "y ~ C(s) * x + (1 | g)", {}),
    ("y ~ C(s) * x + (1 + x | s) + (1 | h)", "y ~ C(s) * x + (1 | h)", {"solver": "dense"}),
    ("y ~ C(s) + (1 + x || s) + (1 | g)", "y ~ C(s) + (0 + x || s) + (1 | g)", {}),
    ("y i.s || s: || h: x, covariance(unstructured)", "y i.s || h: x, covariance(unstructured)", {}),
    ("y i.s || s: || h: x, covariance(unstructured) matlog", "y i.s || h: x, covariance(unstructured) matlog", {}),
    ("y i.s || s: || h:, technique(bfgs)", "y i.s || h:, technique(bfgs)", {}),
    ("y i.s || _all: R.s || h:", "y i.s || h:", {}),
    ("y i.s || s: || h:", "y i.s || h:", {"precision_weights": "pw"}),
    ("y i.h || h:, residuals(ar 1, t(t))", "y i.h || h:, noconstant residuals(ar 1, t(t))", {}),
    (
        "y i.h || h: x, covariance(unstructured) residuals(toeplitz 1, t(t))",
        "y i.h || h: x, noconstant residuals(toeplitz 1, t(t))",
        {},
    ),
)


ASKED = [
    (model, plain, {**options, **dfmethod})
    for model, plain, options in PAIRS
    for dfmethod in ([{}] if "krylov" in options.values() else [{"dfmethod": "kroger"}, {"dfmethod": "satterthwaite"}])
]
"""The iterative solver has neither method."""


@pytest.mark.parametrize(("model", "plain", "options"), ASKED)
def test_random_factors_inside_of_the_fixed_part_are_held_at_zero(data, model, plain, options):
    found, right = (sparsemixed.mixed(text, data, reml=True, **options) for text in (model, plain))
    assert found.converged
    assert "not identified by REML" in found.status
    np.testing.assert_allclose(found.llf, right.llf, atol=1e-7)
    np.testing.assert_allclose(found.params, right.params, atol=1e-6)
    np.testing.assert_allclose(found.bse, right.bse, rtol=1e-6)
    if "dfmethod" in options:
        np.testing.assert_allclose(found.df, right.df, rtol=1e-5)
    shown = found.random_params
    assert shown.std_err[shown.estimate == 0].isna().all()
    kept = shown[shown.estimate != 0].estimate.to_numpy()
    np.testing.assert_allclose(kept, right.random_params.estimate[right.random_params.estimate != 0], rtol=1e-4)


def test_maximum_likelihood_sees_every_variance(data):
    fit = sparsemixed.mixed("y ~ C(s) + (1 | s) + (1 | g)", data, reml=False)
    assert "not identified" not in fit.status
    assert fit.converged


def test_directions_that_are_no_effects_cost_one_of_them(data):
    """Two arms sum to the constant, which the fixed part holds in every level: one variance is enough for every K'VK."""
    model = "y i.s || s: treated control, noconstant covariance(unstructured)"
    fit = sparsemixed.mixed(model, data, reml=True)
    one = [sparsemixed.mixed(f"y i.s || s: {name}, noconstant", data, reml=True).llf for name in ("treated", "control")]
    assert fit.converged
    assert "linear combination of treated, control" in fit.status
    np.testing.assert_allclose([fit.llf, fit.llf], one, atol=1e-7)


def test_batches_are_held_as_rows_are(data, tmp_path):
    model = "y x || one: || h:"
    whole = sparsemixed.mixed(model, data, reml=True)
    for part in range(3):
        data[part::3].to_parquet(tmp_path / f"{part}.parquet")
    parts = sparsemixed.mixed(model, tmp_path, reml=True)
    assert "not identified by REML" in parts.status
    assert parts.fit.boundary_names == whole.fit.boundary_names
    np.testing.assert_allclose(parts.llf, whole.llf, atol=1e-7)


def test_held_fits_are_saved(data, tmp_path):
    fit = sparsemixed.mixed("y i.s || s: treated control, noconstant covariance(unstructured)", data, reml=True)
    fit.save(tmp_path / "fit.zip")
    loaded = sparsemixed.load(tmp_path / "fit.zip")
    assert str(loaded) == str(fit)
    assert loaded.status == fit.status


CONSTANT, SLOPE = ["_cons"], ["x", "_cons"]


def _model(name: str, seed: int, reml: bool) -> RandomModel:
    """Designs in which parameters are confounded, and their likelihood from V."""
    rng = np.random.default_rng(seed)
    times = {"two_rows": 2, "three_rows": 3}.get(name, 4)
    g = np.repeat(np.arange(14), times)
    d = pd.DataFrame({"g": g, "t": np.tile(np.arange(float(times)), 14), "row": np.arange(g.size)})
    n = len(d)
    b = rng.normal(size=(2, 14))
    d["z"] = rng.normal(size=n)
    d["y"] = b[0][g] + 0.5 * d.t * b[1][g] + rng.normal(size=n)
    one = np.ones((n, 1))
    intercept = random_part(g, one, "identity")
    independent = residual_part("independent", 0, g, d.t.to_numpy(), None, np.ones(n))
    cases = {
        "two_rows": (
            "|| g: t, covariance(unstructured)",
            {},
            [random_part(g, np.column_stack([d.t, one]), "unstructured"), independent],
        ),
        "three_rows": (
            "|| g: t, covariance(unstructured)",
            {},
            [random_part(g, np.column_stack([d.t, one]), "unstructured"), independent],
        ),
        "rows": ("|| g: || row:", {}, [intercept, random_part(d.row.to_numpy(), one, "identity"), independent]),
        "unstructured": (
            "|| g:",
            {"residuals": "unstructured, t(t)"},
            [intercept, residual_part("unstructured", 0, g, d.t.to_numpy(), None, np.ones(n))],
        ),
        "exchangeable": (
            "|| g:",
            {"residuals": "exchangeable"},
            [intercept, residual_part("exchangeable", 0, g, d.t.to_numpy(), None, np.ones(n))],
        ),
        "toeplitz": (
            "|| g:",
            {"residuals": "toeplitz 3, t(t)"},
            [intercept, residual_part("toeplitz", 3, g, d.t.to_numpy(), None, np.ones(n))],
        ),
        "ar": (
            "|| g:",
            {"residuals": "ar 1, t(t)"},
            [intercept, residual_part("ar", 1, g, d.t.to_numpy(), None, np.ones(n))],
        ),
    }
    terms, options, parts = cases[name]
    X = np.column_stack([d.z, np.ones(n)])
    return RandomModel(f"y z {terms}", {"reml": reml, **options}, d, d.y.to_numpy(), X, parts)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("name", "all_told"),
    [
        ("two_rows", False),
        ("three_rows", True),
        ("rows", False),
        ("unstructured", False),
        ("exchangeable", False),
        ("toeplitz", False),
        ("ar", True),
    ],
)
def test_confounded_parameters_are_named(name, all_told, seed, reml):
    model = _model(name, seed, reml)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = sparsemixed.mixed(model.command, model.data, **model.options)
    printed = fit.random_params
    # At a place inside, whatever the fit's own: the map from parameters to moments has one rank but for special points.
    inside = model.printed(np.random.default_rng(seed).uniform(-0.3, 0.3, len(printed)))
    right = confounded(model.covariance, inside, model.X, reml)
    marked = np.array([not parameter.identified for parameter in fit.fit.variances])
    np.testing.assert_array_equal(marked, right)
    assert right.any() != all_told
    assert printed.std_err[marked].isna().all()
    assert ("not identified together" in fit.status) == right.any()
    assert any(w.category is IdentificationWarning for w in caught) == right.any()
    assert np.isfinite(fit.bse).all()


@pytest.mark.parametrize("dfmethod", ["satterthwaite", "kroger", "kroger, oim", "satterthwaite, oim"])
@pytest.mark.parametrize("seed", range(2))
def test_coefficients_do_not_mind_what_is_confounded(seed, dfmethod):
    """Two rows to a group: an intercept and a slope say no more than an unstructured matrix, in which nothing is confounded."""
    rng = np.random.default_rng(seed)
    d = pd.DataFrame({"g": np.repeat(np.arange(20), 2), "t": np.tile([0.0, 1.0], 20)})
    d["y"] = 3.0 * rng.normal(size=20)[d.g] + d.t * rng.normal(size=20)[d.g] + rng.normal(size=40)
    found = sparsemixed.mixed(f"y t || g: t, covariance(unstructured) reml dfmethod({dfmethod})", d)
    right = sparsemixed.mixed(f"y t || g:, noconstant residuals(unstructured, t(t)) reml dfmethod({dfmethod})", d)
    np.testing.assert_allclose(found.llf, right.llf, atol=1e-7)
    np.testing.assert_allclose(found.bse, right.bse, rtol=1e-5)
    if not found.fit.boundary_names:
        np.testing.assert_allclose(found.df, right.df, rtol=1e-4)


def test_standard_errors_of_what_is_identified_stay():
    """`|| g: || row:`: var(row) + var(Residual) is one parameter, and var(_cons) of g has its standard error beside that one."""
    model = _model("rows", 1, reml=True)
    found = sparsemixed.mixed(model.command, model.data, reml=True).random_params.std_err
    right = sparsemixed.mixed("y z || g:", model.data, reml=True).random_params.std_err
    np.testing.assert_allclose(found.iloc[0], right.iloc[0], rtol=1e-5)
    assert found.iloc[1:].isna().all()


def test_e_of_V_is_missing_for_what_is_confounded():
    model = _model("rows", 1, reml=True)
    fit = sparsemixed.mixed(model.command, model.data, reml=True)
    V = np.asarray(fit.e["V"])
    assert np.isnan(V[-2:]).all()
    assert np.isfinite(V[:-2, :-2]).all()


def test_confounded_fits_are_saved(tmp_path):
    model = _model("exchangeable", 2, reml=True)
    fit = sparsemixed.mixed(model.command, model.data, **model.options)
    fit.save(tmp_path / "fit.zip")
    loaded = sparsemixed.load(tmp_path / "fit.zip")
    assert loaded.status == fit.status
    assert str(loaded) == str(fit)


@pytest.mark.parametrize("offset", [0.0, 2000.0, 1e5])
def test_far_offsets_are_no_confounding(offset):
    d = sparsemixed.datasets.simulate_longitudinal(40, 6, seed=3)
    d["year"] = d.time + offset
    fit = sparsemixed.mixed("y year || id: year, covariance(unstructured) reml", d)
    assert "not identified" not in fit.status


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_said_of_what_is_identified(seed):
    model = random_model(seed)
    try:
        fit = sparsemixed.mixed(model.command, model.data, **model.options)
    except SparseMixedError:
        return
    right = confounded(model.covariance, fit.random_params.estimate.to_numpy(), model.X, model.reml)
    if right is not None:
        assert any(not parameter.identified for parameter in fit.fit.variances) == right.any()


def _large(seed: int = 1) -> pd.DataFrame:
    """Three clusters of 240 rows: too large for one dense matrix each."""
    rng = np.random.default_rng(seed)
    d = pd.DataFrame({"g": np.repeat(np.arange(3), 240), "t": np.tile(np.arange(240), 3), "h": np.repeat(np.arange(36), 20)})
    d["row"], d["x"] = np.arange(len(d)), rng.normal(size=len(d))
    d["y"] = rng.normal(size=36)[d.h] + rng.normal(size=len(d))
    return d


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(
    ("model", "unknown"),
    [
        ("y x || g: || h: || row:, residuals(exchangeable) group(h)", 4),
        ("y x || g: || h:, residuals(exchangeable) group(h)", 3),
        ("y x || h: || row:, residuals(ar 1, t(t)) group(h)", 0),
        ("y x || g: || h:, residuals(toeplitz 2, t(u)) group(h)", 1),
        ("y x || g: || h:, residuals(ar 1, t(t)) group(h)", 0),
    ],
)
def test_large_clusters_are_probed(model, unknown, reml):
    """The same parameters are named as with small clusters, which are looked at pattern by pattern."""
    d = _large().assign(u=lambda d: 2 * d.t)
    with_pieces = sparsemixed.mixed(model, d, reml=reml)
    assert with_pieces.fit.solver != "patterns"
    marked = [not p.identified for p in with_pieces.fit.variances]
    assert sum(marked) == unknown
    assert with_pieces.random_params.std_err[marked].isna().all()
    assert ("not identified" in with_pieces.status) == bool(unknown)


@pytest.mark.parametrize("level", ["", ", fweight(v)", ", pweight(v)"])
def test_weights_of_groups_tell_nothing_of_their_rows(level):
    """One row to a group says nothing of its variance, however many such groups there are."""
    rng = np.random.default_rng(2)
    d = pd.DataFrame({"g": np.repeat(np.arange(30), 4), "row": np.arange(120), "v": np.repeat(rng.integers(1, 4, 30), 4)})
    d["y"] = rng.normal(size=30)[d.g] + rng.normal(size=len(d))
    fit = sparsemixed.mixed(f"y || g:{level} || row:", d)
    assert [p.equation or p.label for p in fit.fit.variances if not p.identified] == ["row: Identity", "var(Residual)"]


def test_rows_of_levels_that_weights_replicate():
    """Groups of one row in a level whose groups stand for several: copies of the group are other groups."""
    rng = np.random.default_rng(2)
    d = pd.DataFrame({"g": np.repeat(np.arange(30), 4), "row": np.arange(120), "v": np.repeat(rng.integers(1, 4, 60), 2)})
    d["y"] = rng.normal(size=30)[d.g] + rng.normal(size=len(d))
    fit = sparsemixed.mixed("y || g: || row:, fweight(v)", d)
    assert [p.label for p in fit.fit.variances if not p.identified] == ["var(_cons)", "var(Residual)"]


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_probes_have_the_rank_of_the_traces(seed, reml):
    """On models of every structure the probed matrix has the null space of the exact one."""
    model = random_model(seed)
    with contextlib.suppress(SparseMixedError):
        fit = sparsemixed.mixed(model.command, model.data, **{**model.options, "reml": reml, "dfmethod": None}).fit
        problem = problem_of(fit)
        objective = problem.objective
        if not isinstance(objective, (PatternObjective, PenalizedDeviance)) or fit.design.weights is not None:
            return
        at = objective.evaluate(fit.theta)
        held = np.zeros(fit.theta.size, bool)
        own = [_entries(place, at.theta, held, objective.parameters) for place in objective.parameters.places]
        exact = _gram(objective, at, own, held[objective.parameters.n_theta :], 1e12, fit.design)
        order = objective.parameters.order
        directions = [Direction(order[part.place.term], part.place.column, basis) for part in own for basis in part.basis]
        probed = probed_gram(fit.design, directions, at.theta[objective.parameters.n_theta :], reml)
        ranks = [int((np.linalg.eigvalsh(unit_diagonal(gram)[1]) > 1e-10).sum()) for gram in (exact, probed)]
        assert ranks[0] == ranks[1]
