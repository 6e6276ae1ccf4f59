"""One table that walks all kinds of pictures: what is drawn is the frame; nothing, one group, many and missing values draw."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import sparsemixed
from sparsemixed.errors import SparseMixedError
from sparsemixed.plots.face import PICTURES, kind_of
from sparsemixed.plots.picture import drawn

DRAWN = {
    "margins": [("x", "estimate")],
    "coefficients": [("estimate", "y")],
    "caterpillar": [("estimate", "y"), ("low", "y"), ("high", "y")],
    "effects_qq": [("quantile", "estimate")],
    "random_pairs": [("x", "y")],
    "shrinkage": [("x_predicted", "y_predicted"), ("x_alone", "y_alone")],
    "growth": [("x", "y"), ("x", "low"), ("x", "high")],
    "residuals": [("x", "y")],
    "autocorrelation": [("lag", "correlation"), ("lag", "model")],
    "variogram": [("distance", "semivariance"), ("distance", "model")],
    "influence": [("place", "value")],
    "profile": [("value", "zeta")],
    "profile_pairs": [("x", "y")],
    "profile_density": [("value", "density")],
    "densities": [("x", "density")],
    "likelihood": [("iteration", "llf")],
}
"""Kind -> pairs of columns whose points stand in the picture."""
CURVES_ALONE = ("densities", "profile_density")
"""Kinds whose other rows are lines from top to bottom."""
OPTIONS = {
    "growth": {"sample": 3},
    "densities": {"draws": pd.DataFrame({"a": np.arange(30.0) ** 1.5, "b": np.sin(np.arange(30.0))})},
    "margins": {"terms": "", "at": {"time": [0, 1]}},
    "profile": {"names": ["sd(_cons)", "sd(Residual)"]},
    "profile_density": {"names": ["sd(Residual)"]},
    "profile_pairs": {"names": ["sd(_cons)", "sd(Residual)"]},
}
REFUSED = {
    "one group": {"random_pairs": "2 random effects"},
    "many groups": {"random_pairs": "2 random effects"},
    "missing values": {},
}
"""What a kind cannot show of the data of a case, and says so."""


def axes_of(found):
    return list(np.ravel(np.asarray(found, dtype=object)))


def points_of(axes):
    """(m, 2) every place that something is drawn at, in data coordinates."""
    found = [np.empty((0, 2))]
    for line in axes.lines:
        found.append(np.asarray(line.get_xydata(), dtype=float))
    for one in axes.collections:
        found.append(np.asarray(one.get_offsets(), dtype=float).reshape(-1, 2))
        found += [np.asarray(path.vertices, dtype=float) for path in one.get_paths()]
        if hasattr(one, "U"):  # arrows
            found.append(np.column_stack([one.XY[:, 0] + one.U, one.XY[:, 1] + one.V]))
    for container in axes.containers:
        found += [np.array([[bar.get_x() + bar.get_width() / 2, bar.get_height()]]) for bar in container]
    return np.concatenate(found)


def test_the_table_has_every_kind():
    assert set(DRAWN) == set(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_what_is_drawn_is_the_frame(fit, name):
    options = OPTIONS.get(name, {})
    frame, axes = getattr(fit.plot, name).frame(**options), axes_of(getattr(fit.plot, name)(**options))
    panels = [own for _, own in frame.groupby("panel", sort=False, observed=True)] if "panel" in frame else [frame]
    assert len(axes) == len(panels)
    for ax, own in zip(axes, panels, strict=True):
        rows = own[own["part"] == "density"] if name in CURVES_ALONE else own
        there = points_of(ax)
        for x, y in DRAWN[name]:
            wanted = rows[[x, y]].to_numpy(dtype=float)
            wanted = wanted[np.isfinite(wanted).all(axis=1)]
            scale = np.maximum(np.abs(wanted).max(axis=0, initial=0.0), 1e-300)
            far = [np.min(np.max(np.abs(there - point) / scale, axis=1)) for point in wanted]
            assert np.max(far, initial=0.0) < 1e-9, (x, y)


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_draws(fit, name):
    frame = getattr(fit.plot, name).frame(**OPTIONS.get(name, {}))
    attrs, empty = frame.attrs, frame.iloc[:0].copy()
    empty.attrs = attrs
    axes = axes_of(drawn(kind_of(name), empty, None, "light", {}))
    assert len(axes) == 1
    assert [text.get_text() for text in axes[0].texts] == [kind_of(name).empty]


@pytest.fixture(scope="module")
def cases(many):
    data = sparsemixed.datasets.simulate_longitudinal(20, 5, seed=2)
    missing = data.copy()
    missing.loc[::7, "y"] = np.nan
    missing.loc[3::11, "time"] = np.nan
    return {
        "one group": sparsemixed.mixed("y time || id:", sparsemixed.datasets.simulate_longitudinal(1, 40, seed=2)),
        "many groups": many,
        "missing values": sparsemixed.mixed("y time || id: time, covariance(unstructured)", missing),
    }


@pytest.mark.filterwarnings("ignore::sparsemixed.errors.SparseMixedWarning")
@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("name", PICTURES)
def test_cases(cases, name, case):
    picture, options = getattr(cases[case].plot, name), OPTIONS.get(name, {})
    if name in REFUSED[case]:
        with pytest.raises(SparseMixedError, match=REFUSED[case][name]):
            picture(**options)
        return
    axes = axes_of(picture(**options))
    assert all(isinstance(one, Axes) and (one.has_data() or one.texts) for one in axes)
    frame = picture.frame(**options)
    numbers = frame.select_dtypes("number").to_numpy()
    assert not np.isinf(numbers).any()
    for one in axes:
        assert np.isfinite([*one.get_xlim(), *one.get_ylim()]).all()
        assert len(one.get_xticklabels()) < 60
        assert len(one.get_yticklabels()) < 60
