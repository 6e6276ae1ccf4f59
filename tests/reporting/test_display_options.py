"""Display options: what they leave out, add and widen, in text, HTML and LaTeX."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import OptionError
from sparsemixed.reporting.number_format import formatted
from sparsemixed.results import Results
from tests.oracles import manual_fits
from tests.oracles.printed import same_layout

ESTMETRIC = """\
------------------------------------------------------------------------------
      weight | Coefficient  Std. err.      z    P>|z|     [95% conf. interval]
-------------+----------------------------------------------------------------
weight       |
        week |   6.209896   .0910745    68.18   0.000     6.031393    6.388398
       _cons |   19.35561   .3996387    48.43   0.000     18.57234    20.13889
-------------+----------------------------------------------------------------
lns1_1_1     |
       _cons |  -.4950696   .1094083    -4.52   0.000    -.7095059   -.2806333
-------------+----------------------------------------------------------------
lns1_1_2     |
       _cons |   .9601763    .114767     8.37   0.000     .7352366    1.185116
-------------+----------------------------------------------------------------
atr1_1_1_2   |
       _cons |  -.0619044   .1581956    -0.39   0.696    -.3719622    .2481533
-------------+----------------------------------------------------------------
lnsig_e      |
       _cons |   .2340098   .0385758     6.07   0.000     .1584027     .309617
------------------------------------------------------------------------------
LR test vs. linear model: chi2(3) = 764.58                Prob > chi2 = 0.0000

Note: LR test is conservative and provided only for reference."""

LEGEND = """\
------------------------------------------------------------------------------
    strength | Coefficient  Legend
-------------+----------------------------------------------------------------
   2.program |   1.360119  _b[2.program]
             |
         day |
          4  |      1.125  _b[4.day]
          6  |   1.360127  _b[6.day]
             |
 program#day |
        2 4  |   -.169034  _b[2.program#4.day]
        2 6  |          0  _b[2o.program#6o.day]
             |
       _cons |    79.6875  _b[_cons]
------------------------------------------------------------------------------"""

BASES = """\
     program |
          1  |          0  (base)
          2  |   1.360119   1.003549     1.36   0.175    -.6068018     3.32704
             |
         day |
          0  |          0  (base)
          4  |      1.125   .3322583     3.39   0.001     .4737858    1.776214
          6  |   1.360127   .3766893     3.61   0.000     .6218298    2.098425
             |
 program#day |
        1 4  |          0  (base)
        1 6  |          0  (base)
        2 4  |   -.169034   .4423472    -0.38   0.702    -1.036019    .6979505
        2 6  |          0  (omitted)
             |
       _cons |    79.6875   .7560449   105.40   0.000     78.20568    81.16932
------------------------------------------------------------------------------"""

NARROW = """\
-----------------------------------------------------
      weight | Coefficient  Std. err.      z    P>|z|
-------------+---------------------------------------
        week |   6.209896   .0390124   159.18   0.000
       _cons |   19.35561   .5974059    32.40   0.000
-----------------------------------------------------"""

LIMITS_ALONE = """\
--------------------------------------------------------------
      weight | Coefficient  Std. err.     [95% conf. interval]
-------------+------------------------------------------------
        week |   6.209896   .0390124      6.133433    6.286359
       _cons |   19.35561   .5974059      18.18472    20.52651
--------------------------------------------------------------"""

FORMATS = """\
        week |       6.21       0.04  159.178    0.00         6.13        6.29
       _cons |      19.36       0.60   32.399    0.00        18.18       20.53"""

ABBREVIATED = """\
        educ |
high school  |
some coll..  |
             |
a_very_lon~e |
             |
c.a_very_l~e#|
         c.x |"""

WRAPPED = """\
high school  |
       some  |
 college or  |
       more  |"""


def fixed(fit, **display):
    return Results(fit).summary(noheader=True, noretable=True, **display).partition("\n\n")[0]


@pytest.fixture(scope="module")
def labelled():
    rng = np.random.default_rng(1)
    n = 240
    data = pd.DataFrame({"id": np.arange(n) // 8, "x": rng.normal(size=n), "a_very_long_name": rng.normal(size=n)})
    labels = ["less than high school", "high school", "some college or more"]
    data["educ"] = pd.Categorical.from_codes(rng.integers(0, 3, n), labels)
    data["y"] = rng.normal(size=n) + rng.normal(size=30)[data["id"]]
    return sparsemixed.mixed("y i.educ a_very_long_name c.a_very_long_name#c.x || id:", data)


def stubs(text):
    """The first column of the rows below the heading, numbers left out."""
    return "\n".join(line.partition("|")[0] + "|" for line in text.splitlines() if "|" in line and "Coefficient" not in line)


def test_estimation_metric(manual_data):
    """Logarithms and inverse hyperbolic tangents of the manual's example 3, by the delta method from the figures it prints."""
    fit = sparsemixed.mixed("weight week || id: week, covariance(unstructured)", manual_data("pig"))
    assert same_layout(fit.summary(estmetric=True, noheader=True), ESTMETRIC)
    assert "P&gt;|z|" in fit._repr_html_()


def test_legend():
    assert fixed(manual_fits.example_9(), coeflegend=True) == LEGEND
    both = Results(manual_fits.example_1()).summary(coeflegend=True, estmetric=True)
    assert "        week |   6.209896  _b[weight:week]" in both
    assert "  _b[lns1_1_1:_cons]" in both


def test_base_levels():
    fit = manual_fits.example_9()
    assert same_layout(fixed(fit, allbaselevels=True).partition("+")[2].partition("\n")[2], BASES)
    some = fixed(fit, baselevels=True)
    assert some.count("(base)") == 2
    assert "1 4" not in some


def test_rows_left_out():
    fit = manual_fits.example_9()
    assert "(omitted)" not in fixed(fit, noomitted=True)
    assert "(omitted)" in fixed(fit, noemptycells=True)
    assert "             |\n" in fixed(fit)
    assert "             |\n" not in fixed(fit, vsquish=True)


def test_columns_left_out():
    fit = manual_fits.example_1()
    assert fixed(fit, noci=True) == NARROW
    assert fixed(fit, nopvalues=True) == LIMITS_ALONE
    both = Results(fit).summary(noci=True, nopvalues=True)
    assert "conf. interval" not in both
    assert "P>|z|" not in both


def test_formats():
    text = fixed(manual_fits.example_1(), cformat="%8.2f", pformat="%5.2f", sformat="%8.3f")
    assert "\n".join(text.splitlines()[3:5]) == FORMATS
    assert "14.82" in Results(manual_fits.example_1()).summary(cformat="%8.2f")


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        (1234.5678, "%9.0g", "1234.568"),
        (0.5, "%8.3f", "0.500"),
        (-0.25, "%9.3g", "-.25"),
        (1234567.0, "%9.0fc", "1,234,567"),
        (0.00012345, "%9.3e", "1.234e-04"),
        (float("nan"), "%9.2f", "."),
        (123456789.0, "%8.2f", "1.2e+08"),
        (0.0452, "%5.0g", ".045"),
        (1e-7, "%5.0g", "1e-07"),
    ],
)
def test_number_formats(value, text, shown):
    assert formatted(value, text) == shown


def test_long_names(labelled):
    wide, narrow = (
        labelled.summary(noheader=True, noretable=True),
        labelled.summary(nolstretch=True, noheader=True, noretable=True),
    )
    assert "c.a_very_long_name#c.x |" in wide
    assert ABBREVIATED in stubs(narrow)
    assert {len(line) for line in narrow.splitlines() if line.startswith("---")} == {78}


def test_long_value_labels(labelled):
    text = labelled.summary(nolstretch=True, fvwrap=3)
    assert "some coll..  |" not in stubs(text)
    assert WRAPPED in stubs(text)
    assert "some colleg  |\n  e or more  |" in stubs(labelled.summary(nolstretch=True, fvwrap=3, fvwrapon="width"))


def test_other_formats(labelled):
    for text in (labelled.to_latex(coeflegend=True, baselevels=True), labelled.to_markdown(coeflegend=True, baselevels=True)):
        assert "less than high school" in text
        assert "a_very_long_name" in text.replace("\\", "")
        assert "Legend" in text
    assert r"lnsig\_e" in labelled.to_latex(estmetric=True)
    assert labelled.to_latex(pformat="%5.2f") != labelled.to_latex()


def test_contradictions_and_wrong_values():
    fit = Results(manual_fits.example_1())
    for options, message in (
        ({"estmetric": True, "stddeviations": True}, "estmetric and stddeviations exclude each other"),
        ({"lstretch": True, "nolstretch": True}, "contradicts"),
        ({"cformat": "%12.3f"}, "must not exceed 9"),
        ({"pformat": "9"}, "numeric format"),
        ({"fvwrap": 0}, "at least 1"),
        ({"noci": "yes"}, "True or False"),
        ({"nocii": True}, "did you mean noci"),
    ):
        with pytest.raises(OptionError, match=message):
            fit.summary(**options)


def test_nothing_is_left():
    assert "Coefficient" not in Results(manual_fits.example_1()).summary(estmetric=True, nofetable=True, noretable=True)
    only = Results(manual_fits.example_1()).summary(estmetric=True, nofetable=True)
    assert "lns1_1_1" in only
    assert "19.35561" not in only
