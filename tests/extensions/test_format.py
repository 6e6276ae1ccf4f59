"""A format is one renderer and one row of FORMATS: fits, comparisons, tests and estat are then written in it."""

import csv
import io

import pytest

import sparsemixed
from sparsemixed.errors import OptionError
from sparsemixed.reporting.document import Block
from sparsemixed.reporting.formats.renderer import Renderer
from sparsemixed.reporting.render import FORMATS


class Csv(Renderer):
    """Everything that has numbers, as comma-separated values."""

    between = ""

    def plain(self, text):
        return ""

    verbatim = plain

    def equations(self, block):
        return comma_separated([line.strip()] for line in block.lines)

    def entries(self, block):
        return comma_separated((entry.label, entry.written) for entry in block.entries)

    def header(self, block):
        return comma_separated(block.pairs)

    def table(self, block):
        heads = [block.stub, *(column.title for column in block.columns)]
        return comma_separated([heads, *([row.label, *block.texts(row)] for section in block.sections for row in section.rows)])

    def grid(self, block):
        return comma_separated(row for panel in block.panels for row in panel.rows)


def comma_separated(rows):
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(FORMATS, "csv", Csv().render)


@pytest.fixture(scope="module")
def fits():
    data = sparsemixed.datasets.simulate_longitudinal(40, 5, seed=8).assign(arm=lambda d: d["id"] % 3)
    return [sparsemixed.mixed(f"y i.arm time || id:{slopes}", data) for slopes in ("", " time")]


def test_one_row_serves_every_result(toy, fits):
    fit, other = fits
    written = fit.render("csv", level=90)
    assert "Group variable,id\n" in written
    assert f"\ntime,{fit.params['time']:.7f}".replace(",0.", ",.") in written
    assert "[90% conf. interval]" in written
    assert "1.arm," in sparsemixed.compare(fit, other).render("csv")
    assert fit.test("1.arm = 2.arm").render("csv").startswith("( 1)  [y]1.arm - [y]2.arm = 0\nchi2(1),")
    assert "LR chi2(1)," in sparsemixed.lrtest(fit, other).render("csv")
    assert "(1 vs 0)," in fit.contrast("r.arm").render("csv")
    assert "\n(1)," in fit.lincom("time").render("csv")
    assert "AIC" in fit.estat.ic().render("csv")


def test_without_its_row_a_format_is_unknown(fits):
    for result in (fits[0], fits[0].test("time"), fits[0].estat.ic()):
        with pytest.raises(OptionError, match="there is no format 'csv'; there are text, html, latex, markdown"):
            result.render("csv")
    with pytest.raises(OptionError, match=r"did you mean markdown\?"):
        fits[0].render("markdwn")


LOOKS = ("plain", "heading", "paragraph", "note", "verbatim", "equations", "entries", "header", "table", "grid")
Names = type("Names", (Renderer,), {look: lambda self, block, look=look: f"{look} {type(block).__name__}" for look in LOOKS})


@pytest.mark.parametrize("kind", Block.__subclasses__())
def test_the_walk_knows_every_kind_of_block(kind):
    assert Names().block(object.__new__(kind)) == f"{kind.__name__.lower()} {kind.__name__}"


def test_a_kind_of_block_without_a_look_is_told():
    with pytest.raises(TypeError, match="no format knows how to write Block"):
        Names().block(Block())
