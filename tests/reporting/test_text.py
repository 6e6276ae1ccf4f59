"""The printed layout, line by line, with the manual's numbers."""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from sparsemixed.errors import OptionError
from sparsemixed.reporting.display import display_options
from sparsemixed.reporting.formats.text import Text
from sparsemixed.reporting.report import report
from sparsemixed.spec import DisplayOptions
from tests.oracles import manual_fits
from tests.oracles.printed import output, same_layout


def text(fit, **display):
    return Text().render(report(fit, display_options(fit, display)))


EXAMPLE_9_FIXED = """\
------------------------------------------------------------------------------
    strength | Coefficient  Std. err.      z    P>|z|     [95% conf. interval]
-------------+----------------------------------------------------------------
   2.program |   1.360119   1.003549     1.36   0.175    -.6068018     3.32704
             |
         day |
          4  |      1.125   .3322583     3.39   0.001     .4737858    1.776214
          6  |   1.360127   .3766893     3.61   0.000     .6218298    2.098425
             |
 program#day |
        2 4  |   -.169034   .4423472    -0.38   0.702    -1.036019    .6979505
        2 6  |          0  (omitted)
             |
       _cons |    79.6875   .7560449   105.40   0.000     78.20568    81.16932
------------------------------------------------------------------------------"""

LOG = """\
Performing EM optimization ...

Performing gradient-based optimization:
Iteration 0:  Log likelihood = -1014.9268
Iteration 1:  Log likelihood = -1014.9268

Computing standard errors ...

Mixed-effects ML regression"""


def block(printed, first, last):
    """Lines of a text from the one that starts with `first` to the next one that starts with `last`."""
    lines = printed.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(first))
    stop = next(i for i in range(start, len(lines)) if lines[i].startswith(last))
    return "\n".join(lines[start : stop + 1])


def trimmed(printed):
    return "\n".join(line.rstrip() for line in printed.splitlines())


def test_example_1_whole():
    printed = text(manual_fits.example_1())
    assert same_layout(printed, output(1)), printed
    random_heading_of_equation, group_heading = 30, 65  # the only lines with nothing to their right
    assert {len(line) for line in printed.splitlines()} == {0, random_heading_of_equation, group_heading, 78}


def test_random_table_and_conservative_note():
    printed = text(manual_fits.example_3(), noheader=True, nofetable=True)
    assert same_layout(printed, output(3).split("\n\n", 2)[2]), printed


def test_repeated_levels_are_separate_blocks():
    printed, wanted = (
        block(whole, "region: Identity", "               var(Residual)")
        for whole in (text(manual_fits.example_5b()), output(5, 1))
    )
    assert same_layout(printed, wanted), printed


def test_several_levels_have_a_table():
    fit = manual_fits.example_5b()
    lines, wanted = text(fit).splitlines(), output(4).splitlines()
    assert lines[0].split() == wanted[0].split()
    assert lines[1:11] == wanted[1:11]
    assert "Grouping information" not in text(fit, nogroup=True)


def test_the_table_of_levels_widens_for_millions():
    fit = manual_fits.example_5b()
    groups = (replace(fit.design.groups[0], minimum=24_926_868, average=24_926_868.0, maximum=24_926_868), fit.design.groups[1])
    lines = text(replace(fit, design=replace(fit.design, groups=groups))).splitlines()
    assert lines[7].split() == ["region", "|", "9", "24,926,868", "24,926,868.0", "24,926,868"]
    assert len(lines[3]) == len(lines[7]) == len(lines[8]) == len(lines[9])


def test_factor_blocks_and_empty_equation():
    printed = text(manual_fits.example_9())
    assert same_layout(text(manual_fits.example_9(), noheader=True, noretable=True).partition("\n\n")[0], EXAMPLE_9_FIXED)
    assert "\nid: (empty)                  |\n-----------------------------+---" in printed
    assert printed.endswith("Note: all random-effects equations are empty; model is linear regression.")
    assert "LR test" not in printed


def test_value_labels_unless_told_otherwise():
    fit = manual_fits.example_9()
    labels = {"program": {1: "Reps", 2: "Weights"}}
    fit = replace(fit, design=replace(fit.design, value_labels=labels))
    assert "     program |\n    Weights  |   1.360119" in text(fit)
    assert "  Weights#4  |   -.169034" in text(fit)
    assert "        2 4  |   -.169034" in text(fit, nofvlabel=True)


def test_a_long_name_widens_the_table():
    fit = manual_fits.example_1()
    columns = (dataclasses.replace(fit.design.columns[0], name="c.a_long_name#c.another"), fit.design.columns[1])
    printed = text(replace(fit, design=replace(fit.design, columns=columns)), nogroup=True)
    assert "\nc.a_long_name#c.another |   6.209896" in printed
    assert "\n                 weight | Coefficient" in printed
    assert "\n------------------------+--------" in printed


def test_iteration_log():
    fit = manual_fits.example_1()
    assert trimmed(text(fit, log=True)).startswith(LOG)
    assert "Iteration 0:  Log restricted-likelihood = -868.96185" in text(manual_fits.example_3("reml"), log=True)


def test_reml_title():
    printed = text(manual_fits.example_3("reml"))
    assert printed.startswith("Mixed-effects REML regression")
    assert "\nLog restricted-likelihood = -868.96185" in printed


def test_parts_can_be_left_out():
    fit = manual_fits.example_1()
    assert text(fit, noheader=True, noretable=True).splitlines()[:3] == output(1).splitlines()[9:12]
    assert "Group variable" not in text(fit, nogroup=True)
    assert "Wald chi2(1)" in text(fit, nogroup=True)
    assert "Coefficient" not in text(fit, nofetable=True)
    assert "Random-effects" not in text(fit, noretable=True)


def test_level_and_standard_deviations():
    printed = text(manual_fits.example_1(), level=90, stddeviations=True)
    assert "[90% conf. interval]" in printed
    assert "                   sd(_cons) |   3.849352" in printed
    assert "6.145726" in printed


def test_no_regressors():
    fit = manual_fits.example_1()
    design = replace(fit.design, columns=fit.design.columns[1:])
    printed = text(replace(fit, design=design, beta=fit.beta[1:], root=fit.root[1:]))
    assert "Wald chi2(0)     =   ." in printed
    assert "Prob > chi2      =   ." in printed


def test_boundary_and_missing_convergence_are_said():
    fit = manual_fits.example_1()
    flat = replace(fit.components[0], variances=(replace(fit.variances[0], estimate=0.0, boundary=True),))
    fit = replace(
        fit,
        boundary=np.array([True]),
        boundary_names=("var(_cons) of id is 0",),
        components=(flat, fit.components[1]),
        information=np.diag([0.0, 1.0]),
        llf_linear=fit.llf,
        converged=False,
        message="iteration limit reached",
    )
    printed = text(fit)
    assert "                  var(_cons) |          0          .             .           ." in printed
    assert "chibar2(01) = 0.00" in printed
    assert "Prob >= chibar2 = 1.0000" in printed
    assert "Note: On the boundary of the parameter space: var(_cons) of id is 0." in printed
    assert "Warning: Convergence not achieved: iteration limit reached." in printed


def test_notes_come_first():
    fit = manual_fits.example_1()
    note = "note: 5.rep78 omitted because of collinearity."
    assert text(replace(fit, design=replace(fit.design, notes=(note,)))).startswith(note + "\n\nMixed-effects")


def test_display_options_are_checked():
    fit = manual_fits.example_1()
    with pytest.raises(OptionError, match="unknown display option nonsense"):
        display_options(fit, {"nonsense": True})
    for level in (5, 100, "high"):
        with pytest.raises(OptionError, match=r"between 10 and 99\.99"):
            display_options(fit, {"level": level})
    assert display_options(fit, {"variance": False}) == DisplayOptions(stddeviations=True)
