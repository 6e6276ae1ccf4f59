"""Small data: the search and its start in compiled calls against the loop and the moments that they stand for; fits that compute
what tables show once it is asked for against fits that have it from the start."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import sys
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.estimation.estimate import estimate_response
from sparsemixed.estimation.linear import log_likelihood
from sparsemixed.estimation.prepared_design import prepared_design
from sparsemixed.estimation.problems.independent import independent_objective, moments_of
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.sources.rows import reduce_rows
from sparsemixed.estimation.start.moments_groups import forms, groups_start
from sparsemixed.fitting.call import Call, asked, frame_of, with_design
from sparsemixed.solver.groups import first, profiled, roots

MODELS = (
    "y x || g:",
    "y x || g: x",
    "y x z || g: x z, covariance(unstructured)",
    "y x || g: x, covariance(exchangeable)",
    "y x || g: x, covariance(identity)",
    "y, noconstant || g: x, noconstant",
    "y x || g: x, covariance(unstructured) nonrtolerance",
)


def rows(seed: int = 1, sd: float = 1.0, groups: int = 80) -> pd.DataFrame:
    """Groups of unequal sizes with intercepts and slopes."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rng.integers(4, 9, groups))
    x, z, w = rng.normal(2.0, 1.0, g.size), rng.normal(size=g.size), rng.uniform(0.5, 2.0, g.size)
    b = sd * rng.normal(size=(3, groups))[:, g]
    return pd.DataFrame({"y": 1.0 + x + b[0] + b[1] * x + b[2] * z + rng.normal(size=g.size), "x": x, "z": z, "w": w, "g": g})


def problem(model: str, data: pd.DataFrame, **options: Any) -> Any:
    call = Call(model, data, options)
    spec, design = with_design(asked(call), frame_of(call, "a test"))
    return choose_problem(spec, design, reduce_rows(spec, design, True))


def assert_same(found: object, wanted: object, name: str, atol: float = 1e-9) -> None:
    if dataclasses.is_dataclass(wanted):
        assert type(found) is type(wanted)
        for field in dataclasses.fields(wanted):
            assert_same(getattr(found, field.name), getattr(wanted, field.name), f"{name}.{field.name}", atol)
    elif isinstance(wanted, (tuple, list)):
        assert len(found) == len(wanted), name  # type: ignore[arg-type]
        for i, (one, other) in enumerate(zip(found, wanted, strict=True)):  # type: ignore[call-overload]
            assert_same(one, other, f"{name}[{i}]", atol)
    elif isinstance(wanted, (float, np.ndarray)) and np.asarray(wanted).dtype.kind == "f":
        size = np.abs(np.asarray(wanted)[np.isfinite(wanted)]).max(initial=1.0)
        np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=atol * size, err_msg=name)  # type: ignore[call-overload]
    elif isinstance(wanted, (np.ndarray, pd.DataFrame, pd.Index)):
        np.testing.assert_array_equal(found, wanted, err_msg=name)  # type: ignore[call-overload]
    elif not callable(wanted):
        assert found == wanted, name


def without_compiling(objective: Any):
    """The start once more, as for a problem that is met for the first time."""
    return groups_start(objective.cp, objective.roots, objective.rest, forms(objective.cp), False)


@pytest.fixture(autouse=True)
def _compiled(monkeypatch):
    """As after many fits."""
    monkeypatch.setattr(profiled, "WORTH_COMPILING", 0)


def test_few_fits_compile_nothing(monkeypatch):
    monkeypatch.setattr(profiled, "WORTH_COMPILING", 2)
    monkeypatch.setattr(profiled, "_MET", [0])
    monkeypatch.setattr(profiled, "_EXPECTED", Event())
    assert [problem("y x || g:", rows()).plain is None for _ in range(4)] == [True, True, False, False]


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_search_that_is_on_disk_is_loaded_earlier(monkeypatch, on_disk):
    monkeypatch.setattr(profiled, "WORTH_LOADING", 1)
    monkeypatch.setattr(profiled, "WORTH_COMPILING", 3)
    monkeypatch.setattr(profiled, "_MET", [0])
    monkeypatch.setattr(profiled, "_EXPECTED", Event())
    monkeypatch.setattr(profiled, "_is_on_disk", lambda: on_disk)
    assert [problem("y x || g:", rows()).plain is None for _ in range(4)] == [True, not on_disk, not on_disk, False]
    profiled._MET[0] = 0
    profiled.expect(2)
    assert profiled.will_be_often() == on_disk


def test_fits_that_are_announced_are_compiled_from_the_first(monkeypatch):
    monkeypatch.setattr(profiled, "WORTH_COMPILING", 2)
    monkeypatch.setattr(profiled, "_MET", [0])
    monkeypatch.setattr(profiled, "_EXPECTED", Event())
    profiled.expect(2)
    assert problem("y x || g:", rows()).plain is None
    profiled.expect(3)
    assert problem("y x || g:", rows()).plain is not None


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_steps_are_those_of_the_loop(model, reml):
    own = problem(model, rows(), reml=reml, precision_weights="w")
    llf = log_likelihood(own.case.reduction.orthogonal, reml)
    start = own.start(llf, None).at
    found = own.plain.optimum(start.theta, llf)
    own.objective.often = False
    wanted = minimize(own.objective, own.objective.evaluate(start.theta), own.plan, llf)
    assert found is not None
    for name in ("model", "converged", "message", "decrement", "log"):
        # Beside the optimum the gradient, and what is made of it, is rounding.
        assert_same(getattr(found, name), getattr(wanted, name), name, 1e-7)
    for name in ("theta", "deviance", "beta", "pwrss", "sigma2", "XVX_inverse", "u", "U"):
        assert_same(getattr(found.evaluation, name), getattr(wanted.evaluation, name), name)
    for name in ("fixed_slopes", "information", "average_information"):
        assert_same(getattr(found.derivatives, name), getattr(wanted.derivatives, name), name, 1e-7)
    assert found.log[0].refused == ()
    assert len(found.log) > 1


@pytest.mark.parametrize(
    "model",
    ["y x || g: z", "y x || g:, technique(bfgs)", "y x || g:, matlog", "y x || g:, iterate(1)", "y i.g x || g:, reml"],
    ids=["boundary", "other technique", "other metric", "no end", "not seen by REML"],
)
def test_what_is_not_plain_is_left_to_the_loop(model):
    own = problem(model, rows(sd=0.0))
    llf = log_likelihood(own.case.reduction.orthogonal, own.case.reml)
    assert own.plain is None or own.plain.optimum(own.plain.theta, llf) is None


@pytest.mark.parametrize("sd", [0.0, 0.3, 3.0])
@pytest.mark.parametrize("model", MODELS[:4])
def test_start_is_that_of_the_moments(model, sd, monkeypatch):
    objective = problem(model, rows(sd=sd)).objective
    started: list[bool] = []

    def seen(*arguments):
        covariance = first.started(*arguments)
        started.append(covariance is not None)
        return covariance

    monkeypatch.setattr("sparsemixed.estimation.start.moments_groups.started", seen)
    assert_same(moments_of(objective), without_compiling(objective), "moments")
    assert started == [True] or sd != 0.3


def test_start_at_a_bound_is_left_to_the_moments():
    products = problem("y i.g x || g:", rows(groups=20)).case.products
    objective = independent_objective(products, False)
    assert_same(moments_of(objective), without_compiling(objective), "moments")


@pytest.mark.parametrize("model", MODELS[:4])
def test_what_comes_later_is_what_comes_at_once(model, monkeypatch):
    data = rows()
    later = sparsemixed.mixed(model, data, reml=True)
    assert not {"components", "log", "u"} & set(vars(later.fit))
    assert "labels" not in vars(later.fit.design.random[0])
    data[:] = 0.0  # what is computed later holds on to nothing of the user's
    monkeypatch.setattr(roots, "FEW", -1)
    at_once = sparsemixed.mixed(model, rows(), reml=True)
    assert "components" in vars(at_once.fit)
    assert later.fit.components
    assert not {"log", "u"} & set(vars(later.fit))  # none of them needs the others
    assert_same(later.fit, at_once.fit, "fit", 1e-7)
    assert str(later) == str(at_once)


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda fit: pickle.loads(pickle.dumps(fit)), dataclasses.replace])
def test_copies_have_everything(how):
    fit = sparsemixed.mixed("y x || g:", rows()).fit
    same = how(fit)
    assert set(vars(same)) == {field.name for field in dataclasses.fields(fit)}
    assert_same(same, fit, "fit")
    with pytest.raises(AttributeError, match="Fit has no attribute 'nothing'"):
        fit.nothing  # noqa: B018


def plain_and_whole(model: str, data: pd.DataFrame, y: np.ndarray, monkeypatch, **options: Any) -> tuple[Any, Any, bool]:
    """The fits of a prepared model to a response, in compiled calls and without them, and whether the first came at once."""
    call = Call(model, data, options)
    design = prepared_design(*with_design(asked(call), frame_of(call, "a test")))
    at_once = design.plain_fit(y) is not None
    found = estimate_response(design, y)
    monkeypatch.setattr(roots, "FEW", -1)
    return found, estimate_response(prepared_design(design.spec, design.design), y), at_once


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_prepared_fits_are_those_of_all_stages(model, reml, monkeypatch):
    data = rows()
    y = data["y"].to_numpy() + np.random.default_rng(5).normal(size=len(data))
    found, wanted, at_once = plain_and_whole(model, data, y, monkeypatch, reml=reml)
    assert at_once
    assert_same(found, wanted, "fit", 1e-7)


@pytest.mark.parametrize(
    ("model", "what"),
    [
        ("y x || g:", "boundary"),
        ("y x || g: x, covariance(unstructured)", "boundary"),
        ("y x [fw=f] || g:", "weights"),
        ("y x || g:, iterate(1)", "no end"),
        ("y x || g:, emiterate(3)", "EM"),
        ("y x || g:, nostderr", "no information"),
        ("y x || g:, residuals(independent, by(f))", "errors"),
        ("y i.g x || g:, reml", "not seen by REML"),
        ("y x || pair: x, covariance(unstructured)", "as many effects as rows"),
    ],
)
def test_what_is_remarkable_goes_through_all_stages(model, what, monkeypatch):
    data = rows(sd=0.0 if what in ("boundary", "not seen by REML") else 1.0).assign(f=lambda d: 1 + (d.index % 2))
    data["pair"] = data.index // 2
    found, wanted, at_once = plain_and_whole(model, data, data["y"].to_numpy(), monkeypatch)
    assert not at_once
    assert_same(found, wanted, "fit", 1e-6)


def test_fits_at_once_do_not_go_through_all_stages(monkeypatch):
    monkeypatch.setattr(sys.modules["sparsemixed.estimation.estimate"], "finish", None)
    assert sparsemixed.mixed("y x || g: x", rows()).converged


@pytest.mark.parametrize("size", [1e-170, 1e170])
def test_responses_of_extreme_size_are_refused_as_ever(size):
    model = sparsemixed.prepare("y x || g:", rows())
    with pytest.raises(sparsemixed.errors.DataError, match="beyond the range of floating point"):
        model.fit(size * rows()["y"].to_numpy())


def test_responses_that_are_fitted_exactly_are_refused_as_ever():
    model = sparsemixed.prepare("y x || g:", rows())
    with pytest.raises(sparsemixed.errors.DataError, match="fits `y` exactly"):
        model.fit(2.0 + rows()["x"].to_numpy())


def test_the_first_fits_of_a_prepared_design_compile_nothing(monkeypatch):
    monkeypatch.setattr(profiled, "WORTH_COMPILING", 3)
    monkeypatch.setattr(profiled, "_MET", [0])
    monkeypatch.setattr(profiled, "_EXPECTED", Event())
    call = Call("y x || g:", rows(), {})
    design = prepared_design(*with_design(asked(call), frame_of(call, "a test")))
    y = rows()["y"].to_numpy()
    assert [design.plain_fit(y) is None for _ in range(6)] == [True, True, True, False, False, False]
