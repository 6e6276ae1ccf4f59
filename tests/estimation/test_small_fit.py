"""Small fits in a few compiled calls against the stages that they stand for; the reduction of their rows against dense sums."""

from __future__ import annotations

import dataclasses
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.estimation.estimate import fit_problem
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.small_fit import laid_out, small_fit
from sparsemixed.estimation.sources.rows import reduce_rows
from sparsemixed.fitting.call import Call, asked, frame_of, with_design
from sparsemixed.lapack import qr
from sparsemixed.solver.groups import profiled, roots
from sparsemixed.solver.groups.reduced import reduced_groups
from sparsemixed.solver.groups.roots import GroupRoots
from tests.estimation.test_plain_newton import MODELS, assert_same, rows


@pytest.fixture(autouse=True)
def _compiled(monkeypatch):
    """As after many fits."""
    monkeypatch.setattr(profiled, "WORTH_COMPILING", 0)


def designed(model: str, data: pd.DataFrame, **options: Any) -> tuple[Any, Any]:
    call = Call(model, data, options)
    return with_design(asked(call), frame_of(call, "a test"))


def by_stages(spec: Any, design: Any, monkeypatch: pytest.MonkeyPatch) -> Fit:
    """The fit by all stages, with nothing compiled between sums."""
    with monkeypatch.context() as patched:
        patched.setattr(roots, "FEW", -1)
        return fit_problem(choose_problem(spec, design, reduce_rows(spec, design, True)))


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("model", [*MODELS, "y c.x##c.z || g: x, covariance(unstructured)", "y, noconstant || g:"])
def test_fits_are_those_of_all_stages(model, reml, monkeypatch):
    spec, design = designed(model, rows(), reml=reml)
    found = small_fit(spec, design)
    assert found is not None
    assert_same(found, by_stages(spec, design, monkeypatch), "fit", 1e-7)


def test_mixed_takes_this_way(monkeypatch):
    monkeypatch.setattr("sparsemixed.estimation.small_fit.descend", None)
    with pytest.raises(TypeError, match="not callable"):
        sparsemixed.mixed("y x || g:", rows())
    monkeypatch.setattr(roots, "FEW", -1)
    assert sparsemixed.mixed("y x || g:", rows()).converged


@pytest.mark.parametrize(
    "model",
    [
        "y x || g: z",
        "y x || g: x, covariance(unstructured)",
        "y x [fw=f] || g:",
        "y x || g:, iterate(1)",
        "y x || g:, emiterate(3)",
        "y x || g:, emonly",
        "y x || g:, nostderr",
        "y x || g:, technique(bfgs)",
        "y x || g:, matlog",
        "y x || g:, solver(dense)",
        "y x || g:, residuals(independent, by(f))",
        "y i.g x || g:, reml",
        "y x || pair: x, covariance(unstructured)",
        "y x || g: R.f, covariance(exchangeable)",
        "y x || g: || pair:",
        "y x",
        "y zero || g: zero, noconstant",
    ],
)
def test_what_may_be_remarkable_is_left_to_the_stages(model):
    data = rows(sd=0.0).assign(f=lambda d: 1 + (d.index % 2), pair=lambda d: d.index // 2, zero=lambda d: 0.0)
    spec, design = designed(model, data)
    assert small_fit(spec, design) is None


def test_constraints_and_priors_are_left_to_the_stages():
    for options in ({"constraints": "x = 1"}, {"prior": "boundary"}):
        assert small_fit(*designed("y x || g:", rows(), **options)) is None


def test_few_fits_compile_nothing(monkeypatch):
    monkeypatch.setattr(profiled, "WORTH_COMPILING", 2)
    monkeypatch.setattr(profiled, "_MET", [0])
    monkeypatch.setattr(profiled, "_EXPECTED", Event())
    spec, design = designed("y x || g:", rows())
    none = []
    for _ in range(4):
        none.append(small_fit(spec, design) is None)
        choose_problem(spec, design, reduce_rows(spec, design, True))
    assert none == [True, True, False, False]


@pytest.mark.parametrize("size", [1e-170, 1e170])
def test_responses_of_extreme_size_are_refused_as_ever(size):
    with pytest.raises(sparsemixed.errors.DataError, match="beyond the range of floating point"):
        sparsemixed.mixed("y x || g:", rows().assign(y=lambda d: size * d.y))


def test_responses_that_are_fitted_exactly_are_refused_as_ever():
    with pytest.raises(sparsemixed.errors.DataError, match="fits `y` exactly"):
        sparsemixed.mixed("y x || g:", rows().assign(y=lambda d: 2.0 + d.x))


@pytest.mark.parametrize("what", ["vce(robust)", "vce(cr2)", "reml dfmethod(kroger)", "reml dfmethod(satterthwaite)"])
def test_what_is_computed_after_a_fit_has_its_coordinates(what, monkeypatch):
    """Scores and derivatives of a problem that is made once more stand beside the root that the fit has."""
    for sign in (1.0, -1.0):  # those of the reflections differ
        data = rows().assign(x=lambda d, by=sign: by * (d.x - 2.0))
        spec, design = designed(f"y x z || g: x, {what}", data)
        found, wanted = small_fit(spec, design), by_stages(spec, design, monkeypatch)
        assert found is not None
        one, other = sparsemixed.results.Results(found), sparsemixed.results.Results(wanted)
        np.testing.assert_allclose(one.cov_params(), other.cov_params(), rtol=1e-7)
        np.testing.assert_allclose(one.random_params, other.random_params, rtol=1e-6)
        if "cr2" in what or "df" in what:
            np.testing.assert_allclose(one.df, other.df, rtol=1e-6)


@pytest.mark.parametrize("p", [1, 2, 5])
@pytest.mark.parametrize("n_groups", [1, 7, 200])
def test_reduction_is_that_of_dense_algebra(p, n_groups):
    rng = np.random.default_rng(p)
    codes = np.append(np.arange(n_groups), rng.integers(0, n_groups, 4 * n_groups + 20)).astype(np.int32)
    n, k = codes.size, 2
    X, y, Z = rng.normal(size=(n, p)) + 3.0, rng.normal(size=n), rng.normal(size=(n, k))
    X[:, 0] -= X[0, 0]  # the first entry of a column that a reflection is made of is zero
    found = reduced_groups(X, y, Z, codes, n_groups, 1e-4)
    assert found is not None
    Q, R = qr(X)
    fitted, residual = Q.T @ y, y - Q @ (Q.T @ y)
    Xy = np.column_stack([Q, residual])
    first, right = np.zeros((n_groups, k, k)), np.zeros((n_groups, k, p + 1))
    for i, g in enumerate(codes):
        first[g] += np.outer(Z[i], Z[i])
        right[g] += np.outer(Z[i], Xy[i])
    groups = GroupRoots(first, right)
    for name, wanted in {
        "Q": Q,
        "R": R,
        "fitted": fitted,
        "residual": residual,
        "data": groups.data,
        "rest": Xy.T @ Xy - groups.explained,
        "total": Z.T @ Z,
        "seen": Z.T @ Z - np.einsum("gap,gbp->ab", right[:, :, :p], right[:, :, :p]),
        "left": residual @ residual,
        "whole": y @ y,
    }.items():
        np.testing.assert_allclose(getattr(found, name), wanted, rtol=1e-10, atol=1e-11, err_msg=name)
    scale = np.sqrt(found.total.diagonal())
    least = np.linalg.eigvalsh(found.seen / np.outer(scale, scale))[0]
    assert found.visible == (least > 1e-4)
    for share in (least - 1e-9, least + 1e-9):
        assert reduced_groups(X, y, Z, codes, n_groups, share).visible == (share < least)  # type: ignore[union-attr]
    assert (found.n_groups, found.k, found.width, found.lanes) == (n_groups, k, p + 1, groups.lanes)


def test_reduction_leaves_what_has_no_sure_coordinates():
    n = 12
    codes, y, Z = np.repeat(np.arange(3, dtype=np.int32), 4), np.arange(float(n)), np.ones((n, 1))
    x = np.where(np.arange(n) % 2, -1.0, 1.0)
    near = np.column_stack([x, x + 1e-8 * np.arange(n)])
    for X in (near, np.zeros((n, 1)), np.full((n, 1), 1e200), np.full((n, 1), np.nan), np.eye(n)[:, :2]):
        assert reduced_groups(X, y, Z, codes, 3, 1e-4) is None
    assert not reduced_groups(np.ones((n, 1)), y, 0.0 * Z, codes, 3, 1e-4).visible  # type: ignore[union-attr]


def test_signs_of_rounding_are_left_to_lapack():
    """The second column is what its own place of the first reflection maps to zero."""
    n, codes = 8, np.repeat(np.arange(2, dtype=np.int32), 4)
    rng = np.random.default_rng(2)
    x, z = rng.normal(size=n), rng.normal(size=n)
    v = x + np.copysign(np.linalg.norm(x), x[0]) * np.eye(n)[0]
    reflected = z - 2.0 * v * (v @ z) / (v @ v)
    z -= reflected[1] * (np.eye(n)[1] - 2.0 * v * v[1] / (v @ v))
    y, Z = rng.normal(size=n), np.ones((n, 1))
    assert reduced_groups(np.column_stack([x, z]), y, Z, codes, 2, 1e-4) is None
    assert reduced_groups(np.column_stack([x, z + 1e-3 * rng.normal(size=n)]), y, Z, codes, 2, 1e-4) is not None


def test_layouts_are_those_of_their_own_columns():
    """Blocks of one specification share what columns do not change; coordinates of unstructured effects are of the columns."""
    for model in ("y x || g: x", "y x || g: x, covariance(unstructured)", "y x || g: x, covariance(exchangeable)"):
        for seed in (1, 2):
            spec, design = designed(model, rows(seed))
            (term,) = design.random
            again = laid_out(term)  # from what the first fit left, where blocks are shared
            fresh = laid_out(dataclasses.replace(term, blocks=(*term.blocks,)))
            np.testing.assert_array_equal(again.moves, fresh.moves)
            np.testing.assert_array_equal(again.faces, fresh.faces)
            for one, other in zip(again.layout.bases(), fresh.layout.bases(), strict=True):
                assert (one is None) == (other is None)
                if one is not None and other is not None:
                    np.testing.assert_array_equal(one, other)
            assert spec.response == "y"
