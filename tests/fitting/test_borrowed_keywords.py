"""Keywords of statsmodels: taken beside a formula, and explained by the equivalent formula elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.command.groups_formula import with_groups
from sparsemixed.errors import DataError, OptionError


@pytest.fixture
def data():
    found = sparsemixed.datasets.simulate_longitudinal(40, 5, seed=2)
    found["room"] = found["id"] // 4
    return found


@pytest.mark.parametrize(
    ("group", "re_formula", "vc_formula", "added"),
    [
        ("g", None, None, "(1 | g)"),
        ("g", "1", None, "(1 | g)"),
        ("g", "~x", None, "(1 + x | g)"),
        ("g", "~ 0 + x", None, "(0 + x | g)"),
        ("g", "x - 1", None, "(x - 1 | g)"),
        ("g", "1 + x", {"b": "0 + C(b)"}, "(1 + x | g) + (1 | g:b)"),
        ("g", None, {"b": "0 + C(b)"}, "(1 | g:b)"),
        ("g", None, {"b": "~ 0 + C(b):C(c)"}, "(1 | g:b:c)"),
        ("g", None, {"s": "0 + C(b):x"}, "(0 + x | g:b)"),
        ("g", "1", {"s": "0 + x"}, "(1 | g) + (0 + x | g)"),
        (None, None, {"a": "0 + C(a)", "b": "0 + C(b)"}, "(1 | a) + (1 | b)"),
        ("my group", None, None, "(1 | `my group`)"),
    ],
)
def test_equivalents(group, re_formula, vc_formula, added):
    assert with_groups("y ~ x", group, re_formula, vc_formula) == f"y ~ x + {added}"


@pytest.mark.parametrize(
    ("vc_formula", "message"),
    [
        ({"b": "C(b)"}, "without an intercept"),
        ({"b": "0 + C(b) + C(c)"}, "each term that has a variance of its own"),
        ({"b": "0 + np.log(x)"}, "write it as a part of the formula"),
        ({"b": ""}, "right side of a formula"),
        ("0 + C(b)", "vc_formula is a mapping"),
    ],
)
def test_components_without_an_equivalent(vc_formula, message):
    with pytest.raises(OptionError, match=message):
        with_groups("y ~ x", "g", None, vc_formula)


def test_groups_in_every_form(data):
    plain = sparsemixed.mixed("y ~ time + (1 | id)", data)
    shuffled = data["id"].sample(frac=1, random_state=1)
    for groups in ("id", data["id"], shuffled, data["id"].to_numpy(), data["id"].tolist(), data["id"].rename("other")):
        fit = sparsemixed.mixed("y ~ time", data, groups=groups)
        assert fit.llf == pytest.approx(plain.llf, rel=1e-12)
    assert sparsemixed.mixed("y ~ time", data, groups=data["id"]).fit.spec.text == "y ~ time + (1 | id)"
    # A Series that has the name of a column and other values is not this column.
    rooms = sparsemixed.mixed("y ~ time", data, groups=data["room"].rename("id"))
    assert rooms.llf == pytest.approx(sparsemixed.mixed("y ~ time + (1 | room)", data).llf, rel=1e-12)
    assert list(data) == ["y", "time", "id", "room"]


def test_groups_that_do_not_fit(data):
    with pytest.raises(DataError, match="groups has 7 values and the data have 200 rows"):
        sparsemixed.mixed("y ~ time", data, groups=np.arange(7))
    with pytest.raises(OptionError, match="groups is the name of a column, or one value for each row; found int"):
        sparsemixed.mixed("y ~ time", data, groups=3)
    with pytest.raises(OptionError, match="groups has one value only"):
        sparsemixed.mixed("y ~ time", data, groups=np.ones(200))
    with pytest.raises(OptionError, match="re_formula and vc_formula need groups"):
        sparsemixed.mixed("y ~ time", data, re_formula="~time")


@pytest.mark.parametrize(
    ("model", "what"), [("y time || id:", "a command"), ("y ~ time + (1 | id)", "a formula that has its random effects already")]
)
def test_one_message_with_the_equivalent(data, model, what):
    with pytest.raises(OptionError) as found:
        sparsemixed.mixed(model, data, groups=data["id"], re_formula="~time")
    message = str(found.value)
    assert f"stands beside {what}" in message
    assert "+ (1 + time | id)`" in message
    assert "\n" not in message


@pytest.mark.parametrize("reml", [True, False])
def test_method(data, reml):
    word = "REML" if reml else "ml"
    for model in ("y ~ time + (1 | id)", "y time || id:"):
        fit = sparsemixed.mixed(model, data, method=word)
        assert fit.fit.spec.estimation.method == word.lower()
    with pytest.raises(OptionError, match="contradicts reml="):
        sparsemixed.mixed("y ~ time + (1 | id)", data, method=word, reml=not reml)


def test_optimisers_of_statsmodels(data):
    for method in ("lbfgs", ["lbfgs"], 3):
        with pytest.raises(OptionError, match="neither 'reml' nor 'ml'; there is one optimiser"):
            sparsemixed.mixed("y ~ time + (1 | id)", data, method=method)


def test_none_is_as_if_it_were_not_there(data):
    fit = sparsemixed.mixed("y ~ time + (1 | id)", data, groups=None, re_formula=None, vc_formula=None, method=None)
    assert fit.llf == sparsemixed.mixed("y ~ time + (1 | id)", data).llf
    assert isinstance(fit.params, pd.Series)
    with pytest.raises(OptionError, match="unknown option levl"):
        sparsemixed.mixed("y ~ time + (1 | id)", data, levl=None)
