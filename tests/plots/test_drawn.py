"""What is drawn is what the frames hold; labels are shown as they are; few, many and missing values are drawn too."""

from __future__ import annotations

import subprocess
import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection

import sparsemixed
from sparsemixed.errors import OptionError
from sparsemixed.plots.face import PICTURES
from sparsemixed.plots.look import DARK, LIGHT, STYLES

NEEDS = {
    "growth": {"sample": 3},
    "densities": {"draws": pd.DataFrame({"a": np.arange(30.0) ** 1.5})},
    "margins": {"terms": "dose"},
}


def drawn_axes(found):
    return list(np.ravel(np.asarray(found, dtype=object)))


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_draws(fit, name):
    axes = drawn_axes(getattr(fit.plot, name)(**NEEDS.get(name, {}), style="dark"))
    assert all(isinstance(one, Axes) for one in axes)
    assert all(one.has_data() or one.texts for one in axes)
    assert {matplotlib.colors.to_hex(one.get_facecolor()) for one in axes} == {DARK.paper}


def test_caterpillar(fit):
    frame, axes = fit.plot.caterpillar.frame("time", top=12), fit.plot.caterpillar("time", top=12)
    lines = next(one for one in axes.collections if isinstance(one, LineCollection))
    assert np.allclose(
        np.array([path.vertices[:, 0] for path in lines.get_paths()]), frame[["low", "high"]].to_numpy(), atol=1e-12
    )
    points = axes.collections[1].get_offsets()
    assert np.allclose(points, frame[["estimate", "y"]].to_numpy(), atol=1e-12)
    assert [label.get_text() for label in axes.get_yticklabels()] == frame["group"].tolist()
    assert axes.get_title(loc="left") == "id: time"


def test_residuals(fit):
    frame, axes = fit.plot.residuals.frame(), fit.plot.residuals()
    for ax, panel in zip(axes, ["fitted", "qq", "scale"], strict=True):
        own = frame[frame["panel"] == panel]
        points = own[own["part"] == "points"]
        curve = own[own["part"] == "curve"]
        assert np.allclose(ax.collections[0].get_offsets(), points[["x", "y"]].to_numpy(), atol=1e-12)
        assert np.allclose(ax.lines[-1].get_xydata(), curve[["x", "y"]].to_numpy(), atol=1e-12)


def test_many_residuals_are_hexagons(monkeypatch, many):
    monkeypatch.setattr("sparsemixed.plots.cloud.HEXAGONS", 15_000)
    axes = many.plot.residuals("fitted")
    assert isinstance(axes.collections[0], PolyCollection)
    assert axes.collections[0].get_array().sum() == 20_000


def test_growth(fit):
    frame, axes = fit.plot.growth.frame(groups=["4"]), fit.plot.growth(groups=["4"])
    population, group = (frame[frame["part"] == part] for part in ("population", "group"))
    assert np.allclose(axes.lines[0].get_xydata(), population[["x", "y"]].to_numpy(), atol=1e-12)
    assert np.allclose(axes.lines[1].get_xydata(), group[["x", "y"]].to_numpy(), atol=1e-12)
    assert np.allclose(axes.collections[-1].get_offsets(), frame.loc[frame["part"] == "data", ["x", "y"]].to_numpy(), atol=1e-12)
    assert axes.get_title(loc="left") == "id 4"


def test_shrinkage_arrows_end_at_the_predictions(fit):
    frame, axes = fit.plot.shrinkage.frame(), fit.plot.shrinkage()
    arrows = axes.collections[0]
    ends = np.column_stack([arrows.XY[:, 0] + arrows.U, arrows.XY[:, 1] + arrows.V])
    assert np.allclose(ends, frame[["x_predicted", "y_predicted"]].to_numpy(), atol=1e-12)


def test_influence_names_the_farthest(fit):
    axes = fit.plot.influence("id", top=2)
    frame = fit.plot.influence.frame("id", top=2)
    assert [text.get_text() for text in axes.texts] == frame.loc[frame["named"], "label"].tolist()
    assert axes.lines[1].get_ydata()[0] == pytest.approx(4 / 60)


def test_coefficients_of_two_fits(fit, intercepts):
    axes = fit.plot.coefficients(intercepts, constant=True, names=["a", "_b"])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "_b"]
    assert "_cons" in [label.get_text() for label in axes.get_yticklabels()]


def test_names_are_no_mathematics_and_do_not_steer(tmp_path):
    data = sparsemixed.datasets.simulate_longitudinal(5, 6, seed=1).astype({"id": str})
    data["id"] = "$x_{" + data["id"] + "\x1b[31m" + "l" * 80
    fit = sparsemixed.mixed("y ~ time + (1 | id)", data)
    axes = fit.plot.caterpillar()
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert all(label.startswith("$x_{") and "\\x1b[31m" in label and len(label) <= 28 for label in labels)
    axes.figure.savefig(tmp_path / "picture.png")


def test_titles_of_panels_end_before_the_next(fit):
    names = ["time", "var(_cons)/(var(_cons) + var(time) + var(Residual))", "sd(_cons)"]
    axes = fit.plot.profile(names)
    axes[0].figure.canvas.draw()
    left = [ax.get_window_extent().x0 for ax in axes] + [axes[0].figure.bbox.x1]
    titles = [ax.title if ax.title.get_text() else ax._left_title for ax in axes]
    assert all(title.get_window_extent().x1 < right for title, right in zip(titles, left[1:], strict=True))
    assert titles[1].get_text().startswith("var(_cons)/(")
    assert titles[1].get_text().endswith("sidual))")


def test_one_group_and_one_effect():
    data = sparsemixed.datasets.simulate_longitudinal(1, 40, seed=2)
    fit = sparsemixed.mixed("y time || id:", data)
    for name in ("caterpillar", "effects_qq", "shrinkage", "growth", "residuals", "autocorrelation", "variogram"):
        assert drawn_axes(getattr(fit.plot, name)())[0].figure is not None
    with pytest.raises(OptionError, match="no level has 2 random effects"):
        fit.plot.random_pairs()


def test_missing_values_are_left_out():
    data = sparsemixed.datasets.simulate_longitudinal(20, 5, seed=2)
    data.loc[::7, "y"] = np.nan
    data.loc[3::11, "time"] = np.nan
    fit = sparsemixed.mixed("y time || id: time", data)
    frame = fit.plot.growth.frame(sample=20)
    drawn = frame[frame["part"] == "data"]
    assert len(drawn) == fit.nobs
    assert drawn.notna()[["x", "y"]].all().all()
    fit.plot.growth(sample=2)
    fit.plot.residuals("fitted")


def test_a_fit_without_variance_draws(visits):
    data = visits.assign(y=np.random.default_rng(0).normal(size=len(visits)))
    fit = sparsemixed.mixed("y time || id: time", data)
    for name in ("caterpillar", "effects_qq", "random_pairs", "shrinkage", "growth", "residuals"):
        getattr(fit.plot, name)(**NEEDS.get(name, {}))


def test_given_axes_are_drawn_on(fit):
    _, axes = pyplot.subplots(2, 2)
    assert fit.plot.residuals("qq", ax=axes[0, 0]) is axes[0, 0]
    assert list(fit.plot.caterpillar(ax=axes[1])) == list(axes[1])
    with pytest.raises(OptionError, match="3 panels, and ax has 1 axes"):
        fit.plot.residuals(ax=axes[0, 1])


@pytest.mark.parametrize(
    ("name", "left"), [("growth", 0.65), ("profile", 0.6), ("profile_density", 0.12), ("profile_pairs", 0.5)]
)
def test_margins_of_panels_are_inches(fit, name, left):
    axes = drawn_axes(getattr(fit.plot, name)(**NEEDS.get(name, {})))
    figure = axes[0].figure
    assert figure.get_layout_engine() is None  # with one, what is saved is drawn twice
    for scale in (1.0, 1.7):
        width, height = figure.get_size_inches() * scale
        figure.set_size_inches(width, height)
        figure.draw_without_rendering()
        assert axes[0].get_position().x0 * width == pytest.approx(left)
    figure.subplots_adjust(left=0.31)
    figure.draw_without_rendering()
    assert axes[0].get_position().x0 == pytest.approx(0.31)


def test_styles(fit):
    dark = fit.plot.likelihood(style="dark")
    assert matplotlib.colors.to_hex(dark.get_facecolor()) == DARK.paper
    assert dark.xaxis.label.get_color() == DARK.ink
    with pyplot.style.context("dark_background"):
        found = fit.plot.likelihood()
        assert found.xaxis.label.get_color() == DARK.ink
        assert matplotlib.colors.to_hex(found.get_facecolor()) == "#000000"
    assert fit.plot.likelihood().xaxis.label.get_color() == LIGHT.ink
    with pytest.raises(OptionError, match="style='drak' is neither of light and dark; did you mean dark"):
        fit.plot.likelihood(style="drak")
    with pytest.raises(OptionError, match=r"style=\['dark'\] is neither of light and dark"):
        fit.plot.likelihood(style=["dark"])
    with pytest.raises(OptionError, match="ax takes axes of matplotlib; found 'left'"):
        fit.plot.likelihood(ax="left")


def contrast(one, other):
    """Ratio of luminances by WCAG 2."""
    light = []
    for colour in (one, other):
        rgb = np.array(matplotlib.colors.to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        light.append(float(linear @ [0.2126, 0.7152, 0.0722]))
    return (max(light) + 0.05) / (min(light) + 0.05)


def test_colours_can_be_read_on_their_paper():
    for look in STYLES.values():
        assert contrast(look.ink, look.paper) > 10
        assert contrast(look.soft, look.paper) > 4.5
        assert min(contrast(colour, look.paper) for colour in look.cycle) > 2.2
        assert min(contrast(colour, look.paper) for colour in look.cycle[:3]) > 3


def test_a_fit_and_its_frames_import_no_matplotlib():
    code = """
import sys, sparsemixed
data = sparsemixed.datasets.simulate_longitudinal(20, 4, seed=1)
fit = sparsemixed.mixed("y ~ time + (1 | id)", data)
str(fit), fit.plot
assert not [name for name in sys.modules if name.startswith("sparsemixed.plots.cat")]
fit.plot.caterpillar.frame(), fit.plot.residuals.frame(), fit.plot.margins.frame(""), fit.plot.growth.frame()
assert "matplotlib" not in sys.modules
sys.modules["matplotlib"] = None
try:
    fit.plot.caterpillar()
except sparsemixed.errors.OptionError as error:
    assert 'pip install "sparsemixed[plot]"' in str(error)
else:
    raise AssertionError
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
