"""Prefixes as text: what is one, its options, and one clear message for each that is not understood."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sparsemixed.command.prefixes import PREFIXES, find_prefix, read_prefix
from sparsemixed.errors import CommandError

MODEL = "mixed y x || id: x, residuals(ar 1, t(t))"


@pytest.mark.parametrize(
    ("text", "name", "given", "options"),
    [
        ("by g: ", "by", "g", {}),
        ("by g h, sort rc0: ", "by", "g h", {}),
        ("bysort g (t): ", "bysort", "g (t)", {}),
        ("quietly: bys g:", "bysort", "g", {}),
        ("qui by g: noisily ", "by", "g", {}),
        ("capture noisily bys `my g': ".replace("'", "`"), "bysort", "`my g`", {}),
        ("statsby _b _se, by(g h) clear: ", "statsby", "_b _se", {"by": ("g", "h")}),
        ("statsby r = _b[x]/e(ll), by(g, missing) saving(f.csv, replace): ", "statsby", "r = _b[x]/e(ll)",
         {"by": ("g",), "saving": "f.csv"}),
        ("rolling _b, window(12) step(3) rec nodots: ", "rolling", "_b", {"window": 12, "stepsize": 3, "recursive": True}),
        ("roll, w(5) start(2) end(20): ", "rolling", "", {"window": 5, "start": 2.0, "end": 20.0}),
        ("mi estimate: ", "mi estimate", "", {}),
        ("mi est, ni(5) mcerr vart dots post: ", "mi estimate", "", {"nimputations": 5, "mcerror": True, "vartable": True}),
        ("mi estimate, imputations(1/3 5) dfcom(kr) errorok: ", "mi estimate", "",
         {"imputations": (1, 2, 3, 5), "dfcom": "kr", "errorok": True}),
        ("bootstrap _b, r(100) seed(1) cl(id) id(new) strata(s) bca: ", "bootstrap", "_b",
         {"reps": 100, "seed": 1, "cluster": ("id",), "idcluster": ("new",), "strata": ("s",), "bca": True}),
        ("bs: ", "bootstrap", "", {}),
        ("jknife, cluster(id): ", "jackknife", "", {"cluster": ("id",)}),
        ("collect: by g: ", "by", "g", {}),
    ],
)  # fmt: skip
def test_what_is_read(text, name, given, options):
    found = read_prefix(f"{text}{MODEL}")
    assert found is not None
    assert (found.prefix.name, found.given, dict(found.options)) == (name, given, options)
    assert found.rest.endswith(MODEL)
    assert f"{text}{MODEL}"[found.start :] == found.rest


@pytest.mark.parametrize(
    "text",
    [
        MODEL,
        f"quietly {MODEL}",
        f"eststo m1: {MODEL}",
        f"collect, name(c): {MODEL}",
        f"xi: {MODEL}",
        "by x || id:",
        "rolling x || id: x",
        "by ~ x + (1 | g:h)",
        "mi x || id:",
        "bs i.g || id:",
        "",
        ":",
        "svy: mixed y x || id:",
    ],
)
def test_what_is_none(text):
    assert read_prefix(text) is None


def test_every_prefix_is_found_by_its_name():
    found = find_prefix("xi: y")
    assert found is not None
    assert found[0].name == "xi"
    assert find_prefix("statsb: y") is None
    assert find_prefix("mi impute: y") is None


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("by: mixed y x || id:", ":", "the prefix by needs variables"),
        ("by g, sorted: mixed y x || id:", "sorted", "by has no option sorted"),
        ("statsby _b, by: mixed y x || id:", "by:", "by needs an argument"),
        ("statsby _b, by(g) subsets: mixed y x || id:", "subsets", "not available"),
        ("statsby _b, by(g) by(h): mixed y x || id:", "by(h)", "by twice"),
        ("statsby _b, by(3): mixed y x || id:", "by(3)", "takes names of variables, found 3"),
        ("rolling _b, window(0): mixed y x || id:", "window", "at least 1"),
        ("rolling _b, window(3.5): mixed y x || id:", "window", "whole number"),
        ("rolling _b, window(3) recursive rrecursive: mixed y x || id:", None, "exclude each other"),
        ("mi estimate x: mixed y x || id:", None, "takes nothing but options, found x"),
        ("mi estimate, nimputations(1): mixed y x || id:", "nimputations", "at least 2"),
        ("mi estimate, imputations(2) nimputations(2): mixed y x || id:", None, "exclude each other"),
        ("mi estimate, dfcom(foo): mixed y x || id:", "dfcom", "dfcom"),
        ("mi estimate, nosmall(2): mixed y x || id:", "nosmall", "takes no argument"),
        ("bootstrap, reps(-1): mixed y x || id:", "reps", "at least 0"),
        ("bootstrap, size(10): mixed y x || id:", "size", "as many clusters"),
        ("jackknife, reps(10): mixed y x || id:", "reps", "jackknife has no option reps"),
        ("xi: by g, wrong: mixed y x || id:", "wrong", "no option wrong"),
    ],
)  # fmt: skip
def test_one_clear_message(text, at, message):
    with pytest.raises(CommandError, match=message) as caught:
        read_prefix(text)
    assert caught.value.position is not None
    if at is not None:
        assert caught.value.position == text.index(at)


def test_long_texts_are_read_in_linear_time():
    names = "a" * 5000 + "!"
    with pytest.raises(CommandError):
        read_prefix(f"statsby _b, by({names}): mixed y x || id:")


def test_every_prefix_and_option_has_its_place_in_the_documentation():
    docs = Path(__file__).parent.parent.parent / "docs"
    pages = {name: (docs / f"{name}.md").read_text(encoding="utf-8") for name in ("prefixes", "multiple-imputation")}
    for prefix in PREFIXES:
        word = f"{prefix.first} {prefix.pattern}".strip()
        assert re.search(rf"`[^`]*\b{re.escape(word)}\b", pages["prefixes"]), word
        page = pages["multiple-imputation" if prefix.name == "mi estimate" else "prefixes"]
        for option in prefix.options:
            if not option.refused and not prefix.plain:
                assert re.search(rf"\b{option.pattern}\b|\b{option.pattern.lower()}\b", page), (word, option.pattern)
