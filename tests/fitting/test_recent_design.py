"""Frames that differ in their response alone: a fit on the design that is kept is that on a new one, and nothing else serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import SparseMixedError
from sparsemixed.fitting import recent_design
from sparsemixed.results import Results
from sparsemixed.solver.groups import profiled


@pytest.fixture(autouse=True)
def _after_many_fits(monkeypatch):
    monkeypatch.setattr(profiled, "WORTH_COMPILING", -1)
    monkeypatch.setattr(recent_design, "_LAST", [None])


def rows() -> pd.DataFrame:
    found = simulate_longitudinal(60, 5, seed=1)
    found["y"] += np.random.default_rng(2).normal(size=60)[found.id - found.id.min()] * found.time
    arm = pd.Categorical(np.where(found.id % 2, "new", "old"))
    return found.assign(arm=arm, day=found.time.astype(int), w=1.0 + found.time % 2, visit=[f"v{t:.0f}" for t in found.time])


def other(data: pd.DataFrame) -> pd.DataFrame:
    return data.assign(y=data.y + np.random.default_rng(5).normal(size=len(data)))


def fitted(model: str, data: Any, **options: Any) -> Results | str:
    try:
        return sparsemixed.mixed(model, data, **options)
    except SparseMixedError as error:
        return str(error)


def met(monkeypatch) -> list[bool]:
    """For every fit from now on, whether the design that is kept served."""
    found, before = [], recent_design.fit_on_recent

    def seen(*arguments):
        fit = before(*arguments)
        found.append(fit is not None)
        return fit

    monkeypatch.setattr("sparsemixed.fitting.call.fit_on_recent", seen)
    return found


def assert_same(found: Results | str, wanted: Results | str) -> None:
    assert type(found) is type(wanted)
    if isinstance(wanted, str):
        assert found == wanted
        return
    assert isinstance(found, Results)
    assert found.llf == pytest.approx(wanted.llf, rel=1e-12)
    assert str(found) == str(wanted)
    np.testing.assert_allclose(found.bse, wanted.bse, rtol=1e-7)
    for what in ("fitted", "residuals"):
        pd.testing.assert_series_equal(found.predict(what=what), wanted.predict(what=what), rtol=1e-6, atol=1e-9)
    assert found.fit.design.kept.tolist() == wanted.fit.design.kept.tolist()
    np.testing.assert_array_equal(found.fit.design.y, wanted.fit.design.y)


SERVED = (
    "y ~ time + (1 | id)",
    "y ~ arm * time + (1 + time | id)",
    "y ~ C(day) + (1 | id)",
    "y time i.arm || id: time, covariance(unstructured) reml",
    "y time || id:, reml dfmethod(satterthwaite)",
    "y time || id:, vce(robust)",
    "y * || id:",
)
NOT_SERVED = (
    "y ~ log(time + 1) + (1 | id)",
    "y time if time > 0 || id:",
    "y time [fw=w] || id:",
    "y time || id:, residuals(ar 1, t(time))",
    "y time",
    "y time || arm: || id:",
    "y time || id:, nostderr",
    "y c.y#c.time || id:",
)


@pytest.mark.parametrize("model", [*SERVED, *NOT_SERVED])
def test_the_fit_is_that_of_a_new_design(model, monkeypatch):
    data = rows() if "*" not in model[:3] else rows()[["id", "time", "y", "w"]]
    if "#" in model:
        data["y"] = data.y - data.y.min()
    served = met(monkeypatch)
    fitted(model, data)
    found = fitted(model, other(data))
    monkeypatch.setattr(recent_design, "_LAST", [None])
    wanted = fitted(model, other(data))
    assert served == [False, model in SERVED, False]
    assert_same(found, wanted)


def _changed(name: str, row: int, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(data: pd.DataFrame) -> pd.DataFrame:
        data = other(data)
        data[name] = data[name].astype(object if isinstance(value, str) else data[name].dtype)
        data.loc[row, name] = value
        return data.infer_objects()

    return change


CHANGES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "a covariate": _changed("time", 7, 2.5),
    "a group": _changed("id", 7, 99),
    "a category": _changed("arm", 3, "old"),
    "a missing response": _changed("y", 7, np.nan),
    "an infinite response": _changed("y", 7, np.inf),
    "a missing covariate": _changed("time", 7, np.nan),
    "an infinite covariate": _changed("time", 7, np.inf),
    "a constant response": lambda data: data.assign(y=1.0),
    "a response of text": lambda data: data.assign(y="a"),
    "a response that X fits": lambda data: data.assign(y=1.0 + data.time),
    "no variance of groups": lambda data: data.assign(y=np.random.default_rng(1).normal(size=len(data))),
    "other types": lambda data: other(data).assign(time=data.time.astype(int)),
    "categories in another order": lambda data: other(data).assign(arm=data.arm.cat.reorder_categories(["old", "new"])),
    "fewer rows": lambda data: other(data).iloc[:-5],
    "rows in another order": lambda data: other(data).iloc[::-1],
    "another column": lambda data: other(data).assign(extra=1.0),
    "a column less": lambda data: other(data).drop(columns="time"),
    "two columns of a name": lambda data: pd.concat([other(data), data[["time"]]], axis=1),
}


@pytest.mark.filterwarnings("ignore::sparsemixed.errors.SparseMixedWarning")
@pytest.mark.parametrize("change", CHANGES)
def test_whatever_else_changes_makes_a_new_design(change, monkeypatch):
    model, data = "y ~ time + arm + (1 | id)", rows()
    fitted(model, data)
    served = met(monkeypatch)
    found = fitted(model, CHANGES[change](data))
    assert not any(served)
    monkeypatch.setattr(recent_design, "_LAST", [None])
    assert_same(found, fitted(model, CHANGES[change](data)))


def test_a_frame_that_is_changed_in_place_is_seen_to_be():
    data, model = rows(), "y ~ time + (1 | id)"
    fitted(model, data)
    data["time"] = data["time"].to_numpy() ** 2
    data.loc[:, "id"] = data["id"].to_numpy()[::-1].copy()
    again = fitted(model, data)
    recent_design._LAST[0] = None
    assert_same(again, fitted(model, data.copy()))


def test_every_fit_has_the_index_of_its_frame(monkeypatch):
    data, model = rows(), "y ~ time + (1 | id)"
    fitted(model, data)
    served = met(monkeypatch)
    named = other(data).set_index(pd.Index([f"row {i}" for i in range(len(data))], name="row name"))
    found = sparsemixed.mixed(model, named)
    named.index.name = "changed"
    assert served == [True]
    assert found.predict(what="fitted").index.name == "row name"
    assert found.predict(what="fitted").index[3] == "row 3"


def test_fits_on_a_kept_design_can_be_updated_saved_and_loaded(tmp_path, monkeypatch):
    data, model = rows(), "y ~ time + (1 | id)"
    fitted(model, data)
    served = met(monkeypatch)
    found = sparsemixed.mixed(model, other(data))
    assert served == [True]
    found.save(tmp_path / "fit.smx")
    assert str(sparsemixed.load(tmp_path / "fit.smx")) == str(found)
    assert found.update(". ~ . + arm").llf > found.llf


def test_few_fits_keep_nothing(monkeypatch):
    monkeypatch.setattr(profiled, "WORTH_COMPILING", 10**9)
    fitted("y ~ time + (1 | id)", rows())
    assert recent_design._LAST == [None]
