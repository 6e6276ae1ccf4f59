"""Reports as Markdown; HTML without colours; LaTeX with the structure that booktabs needs."""

import re

import pytest

from sparsemixed.reporting.formats.html import Html
from sparsemixed.reporting.formats.latex import Latex
from sparsemixed.reporting.formats.markdown import Markdown, markdown_escape
from sparsemixed.reporting.report import report
from sparsemixed.spec import DisplayOptions
from tests.oracles import manual_fits

FITS = [manual_fits.example_1, manual_fits.example_3, manual_fits.example_5b, manual_fits.example_9]


@pytest.mark.parametrize("make", FITS)
def test_rows_of_a_markdown_table_have_the_same_number_of_cells(make):
    text = Markdown().render(report(make(), DisplayOptions()))
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("|")]
    assert len(tables) >= 3
    for lines in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
        assert re.fullmatch(r"\| :--- \|( ---: \|)+", lines[1])


def test_markdown_holds_the_numbers():
    text = Markdown().render(report(manual_fits.example_1(), DisplayOptions()))
    assert "| week | 6.209896 | .0390124 | 159.18 | 0.000 | 6.133433 | 6.286359 |" in text
    assert r"| &emsp;var(\_cons) | 14.81751 |" in text
    assert "| Obs per group: min | 9 |" in text
    assert r"P\>\|z\|" in text
    assert "**Mixed-effects ML regression**" in text


def test_markdown_obeys_display_options():
    text = Markdown().render(report(manual_fits.example_1(), DisplayOptions(noheader=True, nofetable=True)))
    assert text.startswith("| Random-effects parameters |")


@pytest.mark.parametrize("option", ["coeflegend", "noci", "nopvalues", "estmetric", "stddeviations", "nogroup"])
def test_rows_have_the_same_number_of_cells_whatever_is_shown(option):
    text = Markdown().render(report(manual_fits.example_9(), DisplayOptions(**{option: True})))
    for part in text.split("\n\n"):
        if part.startswith("|"):
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in part.splitlines()}) == 1, part


def test_escape():
    assert markdown_escape("a_b _c_ <i> *x* [1] $y$ `z` |") == r"a_b \_c\_ \<i\> \*x\* \[1\] \$y\$ \`z\` \|"


@pytest.mark.parametrize("make", FITS)
def test_html_takes_its_colours_from_the_page(make):
    html = Html().render(report(make(), DisplayOptions()))
    styles = set(re.findall(r'style="([^"]*)"', html))
    assert all(not re.search(r"background|color(?!:(?:inherit|currentColor))|#[0-9a-f]{3}", style) for style in styles)
    assert "<style" not in html
    assert "bgcolor" not in html


@pytest.mark.parametrize("make", FITS)
def test_latex_rows_have_the_columns_of_their_tabular(make):
    latex = Latex().render(report(make(), DisplayOptions()))
    tabulars = re.findall(r"\\begin\{tabular\}\{(l r*|lr*)\}\n(.*?)\\end\{tabular\}", latex, re.DOTALL)
    assert len(tabulars) == latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}")
    for columns, body in tabulars:
        lines = body.strip().splitlines()
        assert (lines[0], lines[2], lines[-1]) == (r"\toprule", r"\midrule", r"\bottomrule")
        for row in (line for line in lines if line.endswith(r"\\")):
            spanned = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", row))
            assert len(re.findall(r"(?<!\\)&", row)) + 1 + spanned == len(columns)
    assert set(re.findall(r"\\([a-z]+)", latex)) <= {
        *("begin", "end", "toprule", "midrule", "bottomrule", "multicolumn", "quad", "textgreater", "textless", "textbar"),
    }
    assert not re.search(r"(?<!\\)[_#%]", latex)
