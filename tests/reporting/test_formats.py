"""HTML, LaTeX and the stored results."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from sparsemixed.reporting.formats.html import Html
from sparsemixed.reporting.formats.latex import Latex, latex_escape
from sparsemixed.reporting.report import report
from sparsemixed.reporting.stored.results import StoredResults
from sparsemixed.spec import DisplayOptions
from tests.oracles import manual_fits


@pytest.mark.parametrize("make", [manual_fits.example_1, manual_fits.example_5b, manual_fits.example_9])
def test_html_is_well_formed_and_holds_the_numbers(make):
    html = Html().render(report(make(), DisplayOptions()))
    ElementTree.fromstring(html)
    assert "var(Residual)" in html
    assert "color" not in html


def test_html_escapes():
    fit = manual_fits.example_1()
    html = Html().render(report(replace(fit, spec=replace(fit.spec, response="<b>")), DisplayOptions()))
    assert "<b>" not in html
    assert "P&gt;|z|" in html


def test_latex():
    latex = Latex().render(report(manual_fits.example_9(), DisplayOptions()))
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}") == 2
    assert r"program\#day" in latex
    assert r"\_cons & 79.6875 & .7560449 & 105.40" in latex
    assert r"\multicolumn{2}{c}{[95\% conf. interval]}" in latex
    bodies = [line for line in latex.splitlines() if line.endswith(r"\\") and not line.startswith(r"\multicolumn")]
    assert all(line.count("&") in (3, 4, 5, 6) for line in bodies)
    assert latex_escape("a_b\\c") == r"a\_b\textbackslash{}c"


def test_scalars_of_example_1():
    e = StoredResults(manual_fits.example_1())
    assert (e["N"], e["N_g"], e["g_min"], e["g_avg"], e["g_max"]) == (432, [48], [9], [9.0], [9])
    assert (e["k"], e["k_f"], e["k_r"], e["k_rs"], e["k_rc"], e["k_res"], e["df_m"], e["rank"]) == (4, 2, 1, 1, 0, 1, 1, 4)
    assert e["chi2"] == pytest.approx(25337.49, rel=1e-6)
    assert e["chi2_c"] == pytest.approx(472.65)
    assert (e["df_c"], e["rc"], e["converged"]) == (1, 0, 1)
    assert e["p"] == 0.0
    assert 0 < e["p_c"] < 1e-100
    assert (e["cmd"], e["cmdline"], e["depvar"], e["ivars"]) == ("mixed", "mixed weight week || id:", "weight", "id")
    assert (e["redim"], e["vartypes"], e["revars"], e["method"]) == ("1", "Identity", "_cons", "ML")


def test_matrices_are_in_the_estimation_metric():
    e = StoredResults(manual_fits.example_3())
    b, V = e["b"], e["V"]
    names = ["lns1_1_1", "lns1_1_2", "atr1_1_1_2", "lnsig_e"]
    assert list(b.columns) == [("weight", "week"), ("weight", "_cons"), *((name, "_cons") for name in names)]
    assert V.index.equals(b.columns)
    assert b.loc["y1", ("lns1_1_1", "_cons")] == pytest.approx(0.5 * np.log(0.3715251))
    assert b.loc["y1", ("atr1_1_1_2", "_cons")] == pytest.approx(np.arctanh(0.5))
    # d log sd = d var / (2 var); d atanh(r) = dr / (1 - r^2)
    assert np.sqrt(V.iloc[2, 2]) == pytest.approx(0.0812958 / (2 * 0.3715251))
    assert np.sqrt(V.iloc[4, 4]) == pytest.approx(0.2545767 / 0.75)
    assert e["k_rc"] == 1


def test_names_of_several_levels_and_equations():
    names = [equation for equation, _ in StoredResults(manual_fits.example_5b())["b"].columns[7:]]
    assert names == ["lns1_1_1", "lns1_2_1", "lns2_1_1", "lnsig_e"]


def test_omitted_coefficients_are_zero_in_b():
    b = StoredResults(manual_fits.example_9())["b"]
    assert b.loc["y1", ("strength", "1b.program")] == 0
    assert b.loc["y1", ("strength", "2o.program#6o.day")] == 0
    assert b.loc["y1", ("strength", "4.day")] == 1.125


def test_no_regressors_and_no_random_part_give_missing_values():
    fit = manual_fits.example_1()
    bare = replace(fit, design=replace(fit.design, columns=fit.design.columns[1:]), beta=fit.beta[1:], root=fit.root[1:])
    assert np.isnan(StoredResults(bare)["chi2"])
    assert np.isnan(StoredResults(bare)["p"])
    assert np.isnan(StoredResults(manual_fits.example_9())["chi2_c"])


def test_mapping_is_read_only_and_hints():
    e = StoredResults(manual_fits.example_1())
    assert "ll" in e
    assert "F" not in e
    assert len(list(e)) == len(e) == len(dict(e))
    with pytest.raises(KeyError, match=r"only with dfmethod\(\)"):
        e["ddf_m"]
    with pytest.raises(KeyError, match="no stored result"):
        e["nonsense"]
    with pytest.raises(TypeError):
        e["ll"] = 1.0  # type: ignore[index]
    assert "e(ll) = -1014.9268" in repr(e)
