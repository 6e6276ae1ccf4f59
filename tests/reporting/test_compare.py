"""Several fits in one table, and the four forms of it."""

import dataclasses
import re
from xml.etree import ElementTree

import numpy as np
import pytest

import sparsemixed
from sparsemixed.errors import OptionError


@pytest.fixture(scope="module")
def data():
    return sparsemixed.datasets.simulate_longitudinal(60, 5, seed=4).assign(arm=lambda d: d["id"] % 3)


@pytest.fixture(scope="module")
def fits(data):
    models = ("y time || id:", "y i.arm time || id: time, covariance(unstructured)")
    return [sparsemixed.mixed(model, data) for model in models]


def test_frame(fits):
    a, b = fits
    frame = sparsemixed.compare(a, b, names=["one", "two"]).frame
    assert list(frame) == ["one", "two"]
    fixed = frame.loc["fixed"]
    assert [name for name, what in fixed.index if what == "estimate"] == ["time", "1.arm", "2.arm", "_cons"]
    assert np.isnan(fixed.loc[("1.arm", "estimate"), "one"])
    assert fixed.loc[("time", "std_err"), "two"] == b.bse["time"]
    # One line for a variance of the level, whatever its structure.
    assert frame.loc[("id", "var(_cons)", "estimate"), "one"] == a.random_params["estimate"].iloc[0]
    intercepts = b.random_params["estimate"].loc[("id: Unstructured", "var(_cons)")]
    assert frame.loc[("id", "var(_cons)", "estimate"), "two"] == intercepts
    assert frame.loc[("Statistics", "bic", "statistic")].tolist() == pytest.approx([a.bic, b.bic])
    parts = frame.index.get_level_values("part")
    assert list(dict.fromkeys(parts)) == ["fixed", "id", "Residual", "Statistics"]


def test_statistics_by_name(fits, data):
    small = sparsemixed.mixed("y time || id:, reml dfmethod(residual)", data)
    found = sparsemixed.compare(fits[0], small, stats="N_g df chi2 F ll").frame.loc["Statistics"]
    assert found.loc[("N_g", "statistic")].tolist() == [60, 60]
    assert found.loc[("df", "statistic")].tolist() == [4, 4]
    assert found.loc[("chi2", "statistic"), "(1)"] == pytest.approx(fits[0].e["chi2"])
    assert np.isnan(found.loc[("F", "statistic"), "(1)"])
    with pytest.raises(OptionError, match="'nonsense'"):
        sparsemixed.compare(*fits, stats=["nonsense"])


def test_text(fits):
    table = sparsemixed.compare(*fits, stars=True)
    lines = str(table).splitlines()
    assert len({len(line) for line in lines if set(line) == {"-"}}) == 1
    assert re.search(r"^time +\.\d+\*\*\* +\.\d+\*\*\*$", str(table), re.MULTILINE)
    assert "Standard errors in parentheses." in lines
    assert "***" not in str(sparsemixed.compare(*fits))
    assert "(" not in str(sparsemixed.compare(*fits, names=["a", "b"], se=False)).replace("var(", "").replace("cov(", "")
    assert repr(table) == str(table)


def test_markdown_has_as_many_cells_in_every_row(fits):
    rows = [line for line in sparsemixed.compare(*fits, stars=True).to_markdown().splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}
    assert any(r"\*\*\*" in row for row in rows)


def test_latex_is_a_tabular_of_booktabs(fits):
    latex = sparsemixed.compare(*fits, stars=True).to_latex()
    body = latex.partition(r"\toprule")[2].partition(r"\bottomrule")[0]
    rows = [line for line in body.strip().splitlines() if line != r"\midrule"]
    assert all(line.endswith(r" \\") for line in rows)
    assert all(len(re.findall(r"(?<!\\)&", line)) == 2 or r"\multicolumn{3}" in line for line in rows)
    assert r"\begin{tabular}{lrr}" in latex
    assert "$^{***}$" in latex
    assert not re.search(r"(?<!\\)[_#%]", latex)


def test_html_takes_its_colours_from_the_page(fits):
    html = sparsemixed.compare(*fits)._repr_html_()
    ElementTree.fromstring(html)
    assert html == sparsemixed.compare(*fits).to_html()
    assert set(re.findall(r"solid (\S+?)\"", html)) == {"currentColor"}
    assert not re.search(r"background|(?<!current)color|#[0-9a-f]{3}", html, re.IGNORECASE)


def test_names(fits):
    for names in (["a"], ["a", "a"]):
        with pytest.raises(OptionError, match="2 different names"):
            sparsemixed.compare(*fits, names=names)
    with pytest.raises(OptionError, match="at least one"):
        sparsemixed.compare()


def test_what_must_not_be_compared_is_said(fits, data):
    reml = [sparsemixed.mixed(model, data) for model in ("y time || id:, reml", "y i.arm time || id:, reml")]
    assert "different fixed parts" in str(sparsemixed.compare(*reml))
    assert "different fixed parts" not in str(sparsemixed.compare(*reml, stats=["N"]))
    assert "by ML and by REML" in str(sparsemixed.compare(fits[0], reml[0]))
    assert "Note" not in str(sparsemixed.compare(*fits))


def test_frozen(fits):
    with pytest.raises(dataclasses.FrozenInstanceError):
        sparsemixed.compare(*fits).se = False  # type: ignore[misc]


def test_two_equations_of_one_level_with_the_same_label(data):
    twice = sparsemixed.mixed("y time || id: time, noconstant || id:", data)
    frame = sparsemixed.compare(twice, twice).frame
    assert np.array_equal(frame["(1)"], frame["(2)"], equal_nan=True)
