"""The rules of marginsplot: which dimension is the axis, which are lines, which are panels."""

from __future__ import annotations

import numpy as np
import pytest

from sparsemixed.errors import OptionError
from sparsemixed.plots.margin_axes import APART


def roles(frame):
    """Names of the axis, of the lines, and the panels."""
    return frame.attrs["x"], frame.attrs["lines"], list(dict.fromkeys(frame["panel"])) if "panel" in frame else []


def test_the_axis_is_the_first_variable_of_at(fit):
    frame = fit.plot.margins.frame("sex#dose", at={"time": [0, 2, 4]})
    assert roles(frame) == ("time", "sex, dose", [])
    assert frame["line"].iloc[0] == "sex=0, dose=1"
    assert frame["x"].tolist() == [0.0] * 6 + [2.0] * 6 + [4.0] * 6


def test_else_the_first_factor_of_the_list(fit):
    assert roles(fit.plot.margins.frame("sex#dose")) == ("sex", "dose", [])
    assert roles(fit.plot.margins.frame("sex", over="dose")) == ("sex", "dose", [])
    assert roles(fit.plot.margins.frame("", over="dose")) == ("dose", "", [])
    assert roles(fit.plot.margins.frame("")) == ("", "", [])


def test_dimensions_can_be_named(fit):
    at = {"time": [0, 5]}
    assert roles(fit.plot.margins.frame("sex", at=at, xdimension="sex")) == ("sex", "time", [])
    assert roles(fit.plot.margins.frame("sex#dose", at=at, bydimension="sex")) == ("time", "dose", ["sex=0", "sex=1"])
    both = fit.plot.margins.frame("sex#dose", at=at, xdimension="sex dose", plotdimension="time")
    assert roles(both) == ("sex, dose", "time", [])
    assert both["x"].nunique() == 6
    for options, message in (
        ({"xdimension": "tim"}, "no dimension 'tim'; did you mean time"),
        ({"xdimension": "sex", "bydimension": "sex"}, "'sex' can only be one of"),
        ({"xdimension": "sex", "plotdimension": "dose"}, "'time' is not drawn"),
    ):
        with pytest.raises(OptionError, match=message):
            fit.plot.margins.frame("sex#dose", at=at, **options)


def test_several_terms_are_panels(fit):
    frame = fit.plot.margins.frame("sex dose")
    assert roles(frame) == ("", "", ["sex", "dose"])
    assert frame["x_label"].tolist() == ["0", "1", "1", "2", "3"]


def test_derivatives(fit):
    frame = fit.plot.margins.frame("", dydx="time sex", derivlabels=True)
    assert frame["x_label"].tolist() == ["dy/dx of time", "dy/dx of 1.sex"]
    assert frame.attrs["y"] == "Effects on linear prediction"
    over = fit.plot.margins.frame("", dydx="time", over="sex")
    assert roles(over)[0] == "sex"


def test_points_that_values_do_not_tell_apart_are_numbered(fit):
    frame = fit.plot.margins.frame("", at=["(mean) time", "(median) time dose=2"])
    assert set(frame.columns) & {"_at", "time", "dose"}
    assert frame["x"].nunique() == 2


def test_numbers_are_those_of_margins(fit):
    found = fit.margins("sex", at={"time": [0, 4]})
    frame = found.plot.frame()
    for name in ("estimate", "low", "high"):
        assert frame[name].to_numpy() == pytest.approx(found.frame[name].to_numpy())
    assert frame.attrs["title"] == "Predictive margins of sex with 95% CIs"


def test_means_and_pairs_of_emmeans_have_pictures(fit):
    assert len(fit.emmeans("dose").plot.frame()) == 3
    assert fit.emmeans("dose", pairwise=True).plot.frame()["label"].str.contains("-|vs").all()


def test_comparisons_and_their_mirror_images(fit):
    found = fit.margins("dose", pwcompare=True)
    frame = found.plot.frame()
    assert frame["label"].tolist() == ["2 vs 1", "3 vs 1", "3 vs 2"]
    whole = fit.plot.margins.frame("dose", pwcompare=True, unique=False, csort=True)
    assert whole["label"].str[-1].tolist() == ["1", "1", "2", "2", "3", "3"]
    own = whole.set_index("label")
    assert own.loc["1 vs 2", ["estimate", "low", "high"]].tolist() == pytest.approx(
        (-own.loc["2 vs 1", ["estimate", "high", "low"]]).tolist()
    )
    with pytest.raises(OptionError, match="unique is for comparisons"):
        fit.plot.margins("dose", unique=False)
    with pytest.raises(OptionError, match="xdimension is for margins"):
        fit.plot.margins("dose", pwcompare=True, xdimension="dose")


def test_lines_and_limits_are_drawn_where_the_frame_says(fit):
    plot = fit.margins("sex", at={"time": [0, 2, 4]}).plot
    frame, axes = plot.frame(), plot()
    lines = [line for line in axes.lines if line.get_linestyle() != "None"]
    assert len(lines) == 2
    for line, name in zip(lines, ["sex=0", "sex=1"], strict=True):
        own = frame[frame["line"] == name]
        assert line.get_xdata().tolist() == own["x"].tolist()
        assert line.get_ydata().tolist() == own["estimate"].tolist()
    spikes = [path.vertices[:, 1] for path in axes.collections[0].get_paths()]
    assert np.array(spikes) == pytest.approx(frame.loc[frame["line"] == "sex=0", ["low", "high"]].to_numpy())
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["sex=0", "sex=1"]
    assert axes.get_title(loc="left") == frame.attrs["title"]
    assert axes.get_xlabel() == "time"


def test_lines_at_one_place_stand_apart(fit):
    axes = fit.plot.margins("sex#dose")
    places = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() != "None"]
    assert places == pytest.approx([-APART, 0.0, APART])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1"]


def test_horizontal_bars_without_limits(fit):
    axes = fit.plot.margins("dose", recast="bar", horizontal=True, noci=True)
    frame = fit.plot.margins.frame("dose")
    assert [bar.get_width() for bar in axes.patches] == pytest.approx(frame["estimate"].tolist())
    assert not axes.collections
    assert axes.get_ylabel() == "dose"
    with pytest.raises(OptionError, match=r"recast='bars' is not one of .*; did you mean bar"):
        fit.plot.margins("dose", recast="bars")


@pytest.mark.parametrize("recastci", ["rarea", "rline", "rspike"])
def test_limits_in_other_shapes(fit, recastci):
    assert fit.plot.margins("dose", at={"time": [0, 1]}, recastci=recastci, recast="line").get_xlabel() == "time"


def test_cells_that_are_not_estimable_are_left_out(visits):
    import sparsemixed

    data = visits[~((visits["sex"] == 1) & (visits["dose"] == 3))]
    holed = sparsemixed.mixed("y i.sex##i.dose || id:", data)
    frame = holed.plot.margins.frame("sex#dose")
    assert frame["estimate"].isna().sum() == 1
    axes = holed.plot.margins("sex#dose")
    drawn = np.concatenate([line.get_ydata() for line in axes.lines if line.get_linestyle() != "None"])
    assert np.isnan(drawn).sum() == 1


def test_labels_by_statas_options(labelled):
    def lines(**options):
        return labelled.plot.margins.frame("sex#dose", at={"time": [0, 5]}, **options)["line"].iloc[0]

    assert lines() == "male, dose=1"
    assert lines(allsimplelabels=True) == "male, 1"
    assert lines(nosimplelabels=True) == "sex=male, dose=1"
    assert lines(nolabels=True) == "sex=0, dose=1"
    assert lines(separator=" | ") == "male | dose=1"
    assert labelled.plot.margins.frame("sex")["x_label"].tolist() == ["male", "female"]
    assert labelled.plot.margins.frame("sex", nosimplelabels=True)["x_label"].tolist() == ["sex=male", "sex=female"]
    assert labelled.plot.margins.frame("sex", nolabels=True)["x_label"].tolist() == ["0", "1"]
    assert labelled.margins("sex").plot.frame(nolabels=True)["x_label"].tolist() == ["0", "1"]
    with pytest.raises(OptionError, match="exclude each other"):
        lines(allsimplelabels=True, nosimplelabels=True)


def test_a_figure_for_each_value_of_graphdimension(fit):
    options = {"at": {"time": [0, 5]}, "graphdimension": "sex"}
    frame, axes = fit.plot.margins.frame("sex#dose", **options), fit.plot.margins("sex#dose", **options)
    assert frame["graph"].unique().tolist() == ["sex=0", "sex=1"]
    assert roles(frame) == ("time", "dose", [])
    assert len({id(ax.figure) for ax in axes}) == 2
    for ax, (graph, own) in zip(axes, frame.groupby("graph"), strict=True):
        assert ax.get_title(loc="left").endswith(f", {graph}")
        drawn = sorted(
            y for line in ax.lines if len(line.get_linestyle()) and line.get_linestyle() != "None" for y in line.get_ydata()
        )
        assert drawn == pytest.approx(sorted(own["estimate"]))
    both = fit.plot.margins.frame("sex#dose", at={"time": [0, 5]}, graphdimension="sex", bydimension="dose")
    assert roles(both)[2] == ["dose=1", "dose=2", "dose=3"]
    with pytest.raises(OptionError, match="leave ax out"):
        fit.plot.margins("sex#dose", **options, ax=axes)


def test_every_place_has_a_tick_if_asked_for(fit):
    at = {"time": np.linspace(0, 5, 31).tolist()}
    assert len(fit.plot.margins("", at=at).get_xticks()) < 20
    assert len(fit.plot.margins("", at=at, allxlabels=True).get_xticks()) == 31
