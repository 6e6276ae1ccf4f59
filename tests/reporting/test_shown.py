"""Tests, contrasts, combinations, comparisons and estat in every format; names from data that a terminal would obey."""

import pickle
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import sparsemixed

KINDS = (
    "test",
    "testparm",
    "lrtest",
    "lincom",
    "lincom-small",
    "contrast",
    "contrast-small",
    "pwcompare",
    "compare",
    "df",
    "ic",
    "many",
)
QUANTITIES = ["estimate", "std_err", "df", "statistic", "pvalue", "low", "high"]


@pytest.fixture(scope="module")
def shown():
    data = sparsemixed.datasets.simulate_longitudinal(40, 5, seed=8).assign(arm=lambda d: d["id"] % 3)
    fit = sparsemixed.mixed("y i.arm##c.time || id: time, reml dfmethod(satterthwaite)", data)
    small = sparsemixed.mixed("y i.arm##c.time || id:, reml", data)
    results = (
        fit.test("1.arm = 2.arm = 0", small=True),
        fit.testparm("i.arm"),
        sparsemixed.lrtest(fit, small),
        fit.lincom("2.arm - 1.arm"),
        fit.lincom("2.arm - 1.arm", level=90, small=True),
        fit.contrast("arm##c.time"),
        fit.contrast("r.arm", mcompare="sidak", small=True),
        fit.pwcompare("arm"),
        sparsemixed.compare(fit, small),
        fit.estat.df(["satterthwaite", "residual"]),
        fit.estat.ic(small),
        sparsemixed.mixed_many("y ~ time + (1 | id)", data, data[["y", "y", "time"]].set_axis(["y", "y_2", "z%"], axis=1)),
    )
    return dict(zip(KINDS, results, strict=True))


def numbers(text):
    """The numbers of a text without the marks of a format, and with an ordinary minus sign."""
    plain = re.sub(r"<[^>]*>|\\(?=\W)|&emsp;", " ", text.replace("$-$", "-"))
    return set(re.findall(r"(?<![\w.])-?\d*\.\d{2,}(?![\w.])", plain))


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_holds_the_same_numbers(shown, kind):
    result = shown[kind]
    wanted = numbers(str(result))
    assert wanted
    for text in (result.to_html(), result.to_latex(), result.to_markdown()):
        assert numbers(text) == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_forms_are_sound(shown, kind):
    result = shown[kind]
    ElementTree.fromstring(result.to_html().replace("<br>", "<br/>"))
    assert result._repr_html_() == result.to_html() == result.render("html")
    assert result.render("text") == str(result)
    assert not re.search(r"(?<!\\)[_#%]", result.to_latex())
    for part in result.to_markdown().split("\n\n"):
        if part.startswith("|"):
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in part.splitlines()}) == 1, part
    assert str(pickle.loads(pickle.dumps(result))) == str(result)


@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_copies(shown, kind):
    frame = shown[kind].frame
    assert type(frame) is pd.DataFrame
    before = str(shown[kind])
    frame.iloc[0, 0] = -99.0
    assert str(shown[kind]) == before
    assert shown[kind].frame.iloc[0, 0] != -99.0


@pytest.mark.parametrize("kind", ["lincom", "lincom-small", "contrast", "contrast-small", "pwcompare"])
def test_frames_of_single_quantities(shown, kind):
    frame = shown[kind].frame
    assert list(frame) == [name for name in QUANTITIES if name != "df" or "small" in kind]
    assert np.all(frame["low"] < frame["high"])


def test_frames_of_tests(shown):
    found = shown["test"]
    assert shown["test"].frame.iloc[0].to_dict() == pytest.approx(
        {"df": found.df, "ddf": found.ddf, "statistic": found.statistic, "pvalue": found.pvalue}
    )
    assert np.isnan(shown["testparm"].frame["ddf"].iloc[0])
    assert shown["lrtest"].frame["mixture_pvalue"].iloc[0] == shown["lrtest"].mixture_pvalue


def test_combinations_and_contrasts_stand_in_the_places_of_a_fit(shown):
    """A single contrast, the same linear combination and the test of it print the same numbers."""
    lines = str(shown["lincom"]).splitlines()
    assert lines[0] == " ( 1)  - [y]1.arm + [y]2.arm = 0"
    assert lines[3] == "           y | Coefficient  Std. err.      z    P>|z|     [95% conf. interval]"
    row = lines[5].partition("|")[2]
    assert lines[5].startswith("         (1) |")
    assert len({len(line) for line in (lines[2], lines[4], lines[6])}) == 1
    effects = next(line for line in str(shown["contrast"]).splitlines() if "conf. interval" in line)
    assert effects == "             |   Contrast   Std. err.      z    P>|z|     [95% conf. interval]"
    assert "[90% conf. interval]" in str(shown["lincom-small"])
    assert len(row) == 64


def test_joint_tests_are_those_of_the_frame(shown):
    text, tests = str(shown["contrast-small"]), shown["contrast-small"].tests
    assert re.search(r"\| +df +ddf +F +P>F\n", text)
    row = next(line for line in text.splitlines() if line.startswith("      Joint  |")).split("|")[1].split()
    assert [float(x) for x in row] == pytest.approx(tests.iloc[0].tolist(), abs=0.006)
    assert re.search(r"\| +df +chi2 +P>chi2\n", str(shown["contrast"]))
    assert "adjusted for the comparisons of each term: sidak." in " ".join(text.split())


def test_estat_tables_are_data_frames(shown):
    found = shown["ic"]
    assert isinstance(found, pd.DataFrame)
    assert type(found.round(1)) is type(found[["AIC"]]) is pd.DataFrame
    assert found.to_string() == found.frame.to_string()
    assert found.to_html(border=0) == found.frame.to_html(border=0)
    more = shown["df"].copy()
    assert str(more) == str(shown["df"].frame)
    fit = sparsemixed.mixed("y time || id:", sparsemixed.datasets.simulate_longitudinal(9, 3))
    named = type(found).of(found.frame, fit.fit, "Criteria")
    named["what"] = "text"
    assert str(named) == str(named.frame)


def test_control_characters_of_the_data_are_written_out():
    """Levels with an escape sequence, a line break, a mark that turns the order of text, and a tag."""
    hostile = ["plain", "a\x1b[31mred", "b\nc", "d\u202ee", "<i>f"]
    data = sparsemixed.datasets.simulate_longitudinal(60, 5, seed=8).assign(site=lambda d: [hostile[i % 5] for i in d["id"]])
    fit = sparsemixed.mixed("y ~ site + time + (1 | id)", data)
    other = sparsemixed.mixed("y ~ time + (1 | id)", data)
    results = (fit, sparsemixed.compare(fit, other), fit.contrast("r.site"), fit.testparm("i.site"), fit.estat.df("residual"))
    for result in results:
        text = str(result)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert r"a\x1b[31mred" in text
        assert r"b\nc" in text
        html = result._repr_html_()
        ElementTree.fromstring(html.replace("<br>", "<br/>"))
        assert "<i>" not in html
        for other_form in (result.to_latex(), result.to_markdown()):
            assert "\x1b" not in other_form


def test_summaries_are_text_that_notebooks_show_as_html():
    data = sparsemixed.datasets.simulate_longitudinal(20, 4, seed=1)
    fit = sparsemixed.mixed("y time || id:", data, reml=True, dfmethod="satterthwaite")
    found = fit.summary(level=90)
    assert isinstance(found, str)
    assert found == fit.render("text", level=90) == repr(found)
    assert found._repr_html_() == fit.to_html(level=90)
    assert pickle.loads(pickle.dumps(found)) == found
    html = fit.summary()._repr_html_()
    assert "Obs per group: min, avg, max</th>" in html
    assert ">4, 4.0, 4</td>" in html
    assert "DF: min, avg, max</th>" in html
