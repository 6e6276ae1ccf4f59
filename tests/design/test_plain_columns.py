"""Designs of one specification on one frame after another against the design that is made in full."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.command import read_model
from sparsemixed.design import build_design, learned_spec, read_frame
from sparsemixed.design import plain_columns as module
from sparsemixed.design.build import _whole_design
from sparsemixed.design.data.codes import compress
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.fixed.collinear import CLEARLY, RELATIVE_ROUNDING, collinear
from sparsemixed.design.kernels import keep_their_norm, number_whole
from sparsemixed.design.plain_columns import plain_design
from sparsemixed.errors import DataError, SparseMixedError
from sparsemixed.fitting.levels import Levels

MODELS = (
    "y x || g:",
    "y x z || g: x z, covariance(unstructured)",
    "y z x || g: x",
    "y || g: x, noconstant",
    "y x, noconstant || g:",
    "y ~ x + z + (1 + z | g)",
    "y ~ 1 + (1 | f)",
    "y k || g: k",
    "y x x || g:",
)


def data(seed: int = 1, groups: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = rng.permutation(np.repeat(np.arange(groups), rng.integers(2, 6, groups)))
    n = g.size
    columns = {"y": rng.normal(size=n), "x": rng.normal(5.0, 1.0, n), "z": rng.normal(size=n), "g": 3 - 7 * g, "f": g / 4}
    return pd.DataFrame({**columns, "k": rng.integers(0, 9, n)}, index=pd.Index(rng.permutation(n), name="row"))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """As after many designs."""
    monkeypatch.setattr(module, "WORTH_KNOWING", 0)
    monkeypatch.setattr(module, "_KNOWN", {})


def both(model: str, frame: Any, first: Any = None) -> tuple[Any, Any]:
    """The design of a frame once another one of the same specification is known, and that which is made in full."""
    spec = read_model(model, {})
    build_design(spec, data(2) if first is None else first)
    return plain_design(spec, read_frame(frame)), _whole_design(spec, read_frame(frame))


def assert_same(found: object, wanted: object, name: str = "design") -> None:
    if dataclasses.is_dataclass(wanted):
        assert type(found) is type(wanted), name
        for field in dataclasses.fields(wanted):
            assert_same(getattr(found, field.name), getattr(wanted, field.name), f"{name}.{field.name}")
    elif isinstance(wanted, tuple) and wanted and dataclasses.is_dataclass(wanted[0]):
        assert len(found) == len(wanted)  # type: ignore[arg-type]
        for one, other in zip(found, wanted, strict=True):  # type: ignore[call-overload]
            assert_same(one, other, name)
    elif isinstance(wanted, dict):
        assert isinstance(found, dict)
        assert list(found) == list(wanted), name
        for key in wanted:
            assert_same(found[key], wanted[key], f"{name}[{key!r}]")
    elif isinstance(wanted, np.ndarray):
        assert isinstance(found, np.ndarray)
        assert (found.dtype, found.flags.c_contiguous) == (wanted.dtype, wanted.flags.c_contiguous), name
        np.testing.assert_array_equal(found, wanted, err_msg=name)
    elif isinstance(wanted, pd.DataFrame):
        pd.testing.assert_frame_equal(found, wanted)  # type: ignore[arg-type]
    elif isinstance(wanted, pd.Index):
        pd.testing.assert_index_equal(found, wanted)  # type: ignore[arg-type]
    else:
        assert found == wanted, name


@pytest.mark.parametrize("model", MODELS)
def test_designs_are_those_made_in_full(model):
    found, wanted = both(model, data())
    assert found is not None
    assert_same(found, wanted)


def test_of_a_dict_and_of_one_level_of_a_frame():
    found, wanted = both("y x || g:", {name: column.to_numpy() for name, column in data().items()})
    assert found is not None
    assert_same(found, wanted)
    levels = Levels(read_frame(pd.concat([data(3).assign(part=1), data(4).assign(part=0)])), "part")
    for level in levels:
        found, wanted = both("y x z || g: z", levels.rows(level))
        assert found is not None
        assert_same(found, wanted)


@pytest.mark.parametrize(
    ("model", "change"),
    [
        ("y x || g:", {"x": lambda d: d.x.where(d.x > 4.0)}),
        ("y x || g:", {"y": lambda d: d.y.where(d.y > -1.0)}),
        ("y x || g:", {"g": lambda d: d.g.where(d.g > -20)}),
        ("y x z || g:", {"z": lambda d: 2.0 * d.x + 1.0}),
        ("y x || g: x z", {"z": lambda d: 0.0 * d.x + 2.0}),
        ("y x || g:", {"x": lambda d: d.x.astype("float32")}),
        ("y ~ x + (1 | g)", {"x": lambda d: d.k.astype(str)}),
        ("y x || g:", {"g": lambda d: d.g.astype(str)}),
        ("y x || g:", {"g": lambda d: d.g.astype("category")}),
        ("y x || g:", {"x": lambda d: pd.to_datetime(d.k, unit="D")}),
    ],
)
def test_what_asks_for_words_is_made_in_full(model, change):
    other = data().assign(**change)
    spec = read_model(model, {})
    build_design(spec, data(2))
    assert plain_design(spec, read_frame(other)) is None
    assert_same(build_design(spec, other), _whole_design(spec, read_frame(other)))


@pytest.mark.parametrize(
    ("model", "column", "value"),
    [("y x || g:", "x", np.inf), ("y x || g:", "y", 3.0), ("y x || g:", "y", -np.inf), ("y x || g:", "x", "word")],
)
def test_errors_are_those_of_the_full_design(model, column, value):
    spec, other = read_model(model, {}), data().assign(**{column: value})
    build_design(spec, data(2))
    with pytest.raises(SparseMixedError) as wanted:
        _whole_design(spec, read_frame(other))
    with pytest.raises(SparseMixedError) as found:
        build_design(spec, other)
    assert str(found.value) == str(wanted.value)


def test_a_column_that_is_not_there():
    spec = read_model("y x || g:", {})
    build_design(spec, data())
    with pytest.raises(SparseMixedError, match="`x` not found"):
        build_design(spec, data().drop(columns="x"))
    with pytest.raises(DataError, match="no rows"):
        build_design(spec, data().iloc[:0])


@pytest.mark.parametrize(
    "model",
    [
        "y i.k || g:",
        "y x c.x#c.z || g:",
        "y x || g: R.k",
        "y x || _all:",
        "y x || g: || f:",
        "y x || g:, residuals(ar 1, t(k))",
        "y x || g:, vce(robust)",
        "y x if z > 0 || g:",
        "y x in 2/30 || g:",
        "y x [fw=w] || g:",
        "y ~ log(x) + (1 | g)",
        "y ~ x + offset(z) + (1 | g)",
        "y x",
    ],
)
def test_models_of_more_than_plain_columns_are_not_remembered(model):
    spec, own = read_model(model, {}), data().assign(w=2, f=lambda d: d.index)
    if "ar 1" in model:
        own = own.assign(k=np.arange(len(own)))
    spec = learned_spec(spec, own)
    for _ in range(3):
        build_design(spec, own)
        assert plain_design(spec, read_frame(own)) is None


def test_a_design_holds_on_to_nothing_that_users_may_change():
    spec, own = read_model("y x || g: x", {}), data()
    build_design(spec, data(2))
    found, wanted = plain_design(spec, read_frame(own)), _whole_design(spec, read_frame(own.copy()))
    own.loc[:, ["y", "x", "z"]] = 0.0
    own["g"] = 1
    assert_same(found, wanted)


def test_columns_of_every_layout_are_numbered_by_one_loop():
    spec, own = read_model("y x || g:", {}), data()[["y", "x", "g"]]
    build_design(spec, own)
    before = None
    for frame in (
        own,
        own.astype("float64").astype({"g": "int64"}),
        pd.DataFrame(own.to_numpy(), columns=own.columns),
        own.iloc[::2],
    ):
        assert_same(plain_design(spec, read_frame(frame)), _whole_design(spec, read_frame(frame)))
        before = before or len(number_whole.signatures)
        assert len(number_whole.signatures) == before


def test_few_designs_load_nothing(monkeypatch):
    monkeypatch.setattr(module, "WORTH_KNOWING", 3)
    spec = read_model("y x || g:", {})
    build_design(spec, data())
    assert [plain_design(spec, read_frame(data())) is None for _ in range(4)] == [True, True, False, False]


def test_specifications_are_forgotten(monkeypatch):
    monkeypatch.setattr(module, "KEPT", 2)
    specs = [read_model("y x || g:", {"level": 80 + i}) for i in range(4)]
    for spec in specs:
        build_design(spec, data())
    assert [plain_design(spec, read_frame(data())) is None for spec in specs] == [True, True, False, False]


@pytest.mark.parametrize("values", [[5], [3, 3, 3], [7, -2, 7, 0], [2**62, 2**62 + 3], [-(2**63), -(2**63) + 1]])
def test_whole_numbers_are_numbered_as_ever(values):
    own = np.array(values)
    count, codes, distinct, sizes = number_whole(own, 4 * len(own) + 1024)
    wanted = compress(own)
    np.testing.assert_array_equal(codes, wanted[0])
    np.testing.assert_array_equal(distinct[:count], wanted[1])
    np.testing.assert_array_equal(sizes[:count], np.bincount(wanted[0]))


def test_whole_numbers_far_apart_have_no_table():
    for values in ([0, 10_000], [-(2**63), 2**63 - 1], [-1, 2**63 - 1]):
        assert number_whole(np.array(values), 1032)[0] == 0


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("shift", [0.0, 1.0, 1e6, 1e15])
def test_columns_that_keep_their_norm_are_not_collinear(constant, shift):
    rng = np.random.default_rng(4)
    for near in (0.0, 1e-12, 1e-6, 1e-4, 1.0):
        X = rng.normal(size=(30, 3)) + shift
        X[:, 2] = X[:, 0] - 2.0 * X[:, 1] + near * rng.normal(size=30)
        whole = np.column_stack([X, np.ones(30)]) if constant else X
        if keep_their_norm(whole, 3, constant, CLEARLY, RELATIVE_ROUNDING):
            assert not collinear(X, constant).any()
        if shift <= 1.0:
            assert keep_their_norm(whole, 3, constant, CLEARLY, RELATIVE_ROUNDING) == (near == 1.0)


def test_what_a_column_may_not_be():
    for bad in (np.zeros(5), np.full(5, 1e200), np.full(5, 3.0)):
        X = np.column_stack([bad, np.ones(5)])
        assert not keep_their_norm(X, 1, True, CLEARLY, RELATIVE_ROUNDING)


def test_fits_of_one_frame_after_another_are_those_of_a_first_one(monkeypatch):
    frames = [data(seed, 30) for seed in range(5, 9)]
    known = [str(sparsemixed.mixed("y x || g:", frame)) for frame in frames]
    monkeypatch.setattr(module, "WORTH_KNOWING", 10**9)
    assert known == [str(sparsemixed.mixed("y x || g:", frame)) for frame in frames]
    assert isinstance(read_frame(frames[0]), Frame)
