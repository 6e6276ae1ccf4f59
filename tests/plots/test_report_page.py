"""The page of a fit: whole, by itself, escaped, and right in what it says."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import sparsemixed
from sparsemixed import cli
from sparsemixed.errors import DataError
from sparsemixed.plots.subject import Subject
from sparsemixed.reporting.pages.chosen_pictures import WANTED, chosen_pictures
from sparsemixed.reporting.pages.diagnostics import diagnostics

VOID = {"meta", "link", "br", "path", "use", "image"}


class Whole(HTMLParser):
    """Checks that every element is closed in its turn, and gathers identifiers."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.loads = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        own = dict(attrs)
        self.ids += [own["id"]] if "id" in own else []
        self.loads += [
            value for name, value in attrs if name in ("src", "href", "xlink:href") and not value.startswith(("#", "data:"))
        ]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def read(path):
    text, page = path.read_text(encoding="utf-8"), Whole()
    page.feed(text)
    return text, page


def subject_of(fit):
    return Subject(fit, fit._sample_rows, fit._sample_table)


def said(fit):
    return " ".join(f"{one.what} {one.advice}" for one in diagnostics(subject_of(fit)) if one.kind != "good")


def test_the_page_is_whole_and_loads_nothing(fit, tmp_path):
    fit.report(tmp_path / "report.html")
    text, page = read(tmp_path / "report.html")
    assert not page.open
    assert not page.loads
    assert len(page.ids) == len(set(page.ids))
    assert text.count("<svg") == WANTED
    assert "url(http" not in text
    assert "587.39694" in text
    for reference in re.findall(r"url\(#([^)]+)\)", text):
        assert reference in page.ids
    # Colours of pictures are variables that the page has, for both kinds of paper.
    for variable in set(re.findall(r"var\((--\w+)\)", text)):
        assert text.count(f"{variable}:") == 2
    assert not re.search(r"(fill|stroke): #(?!none)(?!ffffff)", text)


def test_reports_of_one_fit_are_the_same(fit, tmp_path):
    for name in ("a", "b"):
        fit.report(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_names_are_escaped(tmp_path):
    data = sparsemixed.datasets.simulate_longitudinal(8, 6, seed=1).astype({"id": str})
    data["id"] = "<script>alert('" + data["id"] + "')</script>&$x^2$"
    data = data.rename(columns={"y": "a<b>"})
    fit = sparsemixed.mixed("`a<b>` ~ time + (1 | id)", data)
    fit.report(tmp_path / "report.html")
    text, page = read(tmp_path / "report.html")
    assert not page.open
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_a_fit_without_rows_has_the_pictures_that_it_can(fit, tmp_path):
    fit.save(tmp_path / "fit.smx")
    assert cli.main(["report", str(tmp_path / "fit.smx"), "-o", str(tmp_path / "report.html")]) == 0
    text, _ = read(tmp_path / "report.html")
    names = [one.name for one in chosen_pictures(subject_of(sparsemixed.load(tmp_path / "fit.smx")))]
    assert names == ["coefficients", "caterpillar", "random_pairs", "effects_qq", "likelihood"]
    assert text.count("<svg") == len(names)
    assert "Save it with data=True" in text


def test_other_options_are_for_tables(fit, tmp_path, capsys):
    fit.save(tmp_path / "fit.smx")
    assert cli.main(["report", str(tmp_path / "fit.smx"), "-o", str(tmp_path / "a.html"), "--level", "90"]) == 2
    assert "--level is for tables alone" in capsys.readouterr().err
    assert cli.main(["report", str(tmp_path / "fit.smx"), "--format", "html", "-o", str(tmp_path / "a.html")]) == 2
    assert "-o writes the whole page, and --format is for tables alone" in capsys.readouterr().err


def test_the_destination_is_looked_at_first(fit, tmp_path):
    with pytest.raises(DataError, match="is a folder"):
        fit.report(tmp_path)


def test_a_model_without_groups_has_a_page(tmp_path):
    fit = sparsemixed.mixed("y x", sparsemixed.datasets.simulate_crossed(60, 3, 3))
    fit.report(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("<svg") == 4


def test_a_good_model_has_no_warnings(fit):
    kinds = [one.kind for one in diagnostics(subject_of(fit))]
    assert set(kinds) == {"good"}


def test_what_is_wrong_is_said():
    rng = np.random.default_rng(11)
    data = sparsemixed.datasets.simulate_longitudinal(60, 8, seed=rng, sd_slope=0.0)
    skewed = data.assign(y=np.exp(1.2 * data["y"] / data["y"].std()))
    assert "skewed to the right" in said(sparsemixed.mixed("y time || id:", skewed))
    bent = data.assign(y=data["y"] + 0.6 * (data["time"] - 3.5) ** 2)
    assert "bend with the fitted values" in said(sparsemixed.mixed("y time || id:", bent.assign(time=bent["time"] + 1e-3)))
    noise = np.zeros((60, 8))
    for t in range(1, 8):
        noise[:, t] = 0.9 * noise[:, t - 1] + rng.normal(size=60)
    serial = data.assign(y=data["time"] + noise.ravel())
    assert "try residuals(ar 1" in said(sparsemixed.mixed("y time || id:", serial))
    spread = data.assign(y=5 * data["time"] + rng.normal(size=len(data)) * (0.2 + data["time"]))
    assert "grow with the fitted values" in said(sparsemixed.mixed("y time || id:", spread))
    moved = data.copy()
    moved.loc[moved["id"] == 5, "y"] += 30 * (moved["time"] - 3)
    assert "groups of id move the coefficients much: 5" in said(sparsemixed.mixed("y time || id:", moved))
    far = data.copy()
    far.loc[17, "y"] += 40
    assert "1 row is more than 4 standard deviations" in said(sparsemixed.mixed("y time || id:", far))
    few = data[data["id"] <= 6]
    assert "id has only 6 groups" in said(sparsemixed.mixed("y time || id:", few))
    level = data.assign(y=data["y"] - data.groupby("id")["y"].transform("mean"))
    assert "On the boundary" in said(sparsemixed.mixed("y time || id:", level))
