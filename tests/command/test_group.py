"""Where errors are correlated: group(), and the level that a formula leaves no doubt about."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.command import read_model
from sparsemixed.errors import CommandError, OptionError


@pytest.fixture(scope="module")
def crossed():
    rng = np.random.default_rng(5)
    data = pd.DataFrame([(i, k, (i + k) % 24) for i in range(24) for k in range(6)], columns=["id", "t", "rater"])
    data["y"] = rng.normal(size=24)[data["id"]] + 0.5 * rng.normal(size=24)[data["rater"]] + rng.normal(size=len(data))
    return data.assign(site=data["id"] % 4, within=data["id"] // 4)


def group(model, **keywords):
    return read_model(model, {"residuals": "ar 1, t(t)"} | keywords).residual.group


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ("y ~ (1 | id)", None),
        ("y ~ (1 | id) + (0 + x | id)", None),
        ("y ~ (1 | a/b)", ("a", "b")),
        ("y ~ (1 | a:b) + (1 | a)", ("a", "b")),
        ("y ~ (1 | a) + (1 | b:a) + (0 + x | a)", ("b", "a")),
        ("y ~ (1 | a/b/c) + (1 | b)", ("a", "b", "c")),
    ],
)
def test_the_level_within_all_others(formula, found):
    assert group(formula) == found


@pytest.mark.parametrize("formula", ["y ~ (1 | id) + (1 | rater)", "y ~ (1 | rater) + (x | id)", "y ~ (1 | a:b) + (1 | a:c)"])
def test_a_formula_that_leaves_it_open(formula):
    with pytest.raises(OptionError, match=r"could be those of .* and .*name one by the keyword group"):
        group(formula)
    assert read_model(formula, {}).residual.group is None
    assert read_model(formula, {"residuals": "independent, by(x)"}).residual.group is None


def test_the_order_of_terms_does_not_matter(crossed):
    for name in ("id", "rater"):
        fits = [
            sparsemixed.mixed(formula, crossed, residuals="ar 1, t(t)", group=name, reml=True)
            for formula in ("y ~ (1 | id) + (1 | rater)", "y ~ (1 | rater) + (1 | id)")
        ]
        assert fits[0].llf == pytest.approx(fits[1].llf, abs=1e-6)
        assert f"Note: Errors are correlated within the groups of {name}." in str(fits[0])
    command = sparsemixed.mixed("y || _all: R.id || rater:, residuals(ar 1, t(t)) reml", crossed)
    assert command.llf == pytest.approx(fits[0].llf, abs=1e-6)
    other = sparsemixed.mixed("y || _all: R.id || rater:, residuals(ar 1, t(t)) group(rater) reml", crossed)
    assert other.llf == command.llf
    assert "Errors are correlated" in str(other)
    assert "Errors are correlated" not in str(command)


def test_nested_levels_in_any_order(crossed):
    fits = [
        sparsemixed.mixed(formula, crossed, residuals="ar 1, t(t)")
        for formula in ("y ~ (1 | site/within)", "y ~ (1 | site:within) + (1 | site)", "y ~ (1 | site) + (1 | site:within)")
    ]
    fits.append(sparsemixed.mixed("y || site: || within:, residuals(ar 1, t(t))", crossed))
    assert max(f.llf for f in fits) - min(f.llf for f in fits) < 1e-6


def test_levels_of_a_command():
    assert read_model("y || a: || b:, residuals(ar 1, t(t)) group(a)", {}).residual.group == ("a",)
    assert read_model("y || a: || b:, residuals(ar 1, t(t)) group(b)", {}).residual.group == ("a", "b")
    assert group("y ~ (1 | a) + (1 | `b c`)", group="b c") == ("b c",)
    assert group("y ~ (1 | a/b) + (1 | c)", group="a:b") == ("a", "b")
    with pytest.raises(OptionError, match=r"no level ab; .*a") as caught:
        read_model("y || a: || b:, residuals(ar 1, t(t)) group(ab)", {})
    assert caught.value.position == 37
    with pytest.raises(OptionError, match=r"group\(\): the model has no level z; the levels are a, b"):
        group("y ~ (1 | a) + (1 | b)", group="z")
    with pytest.raises(OptionError, match=r"option group.*needs residuals"):
        read_model("y ~ (1 | a)", {"group": "a"})


def test_the_level_within_residuals(crossed):
    """group(level) beside t() and by(), in both languages, means what the option and the keyword mean."""
    crossed_terms, nested = "y ~ (1 | id) + (1 | rater)", "y ~ (1 | a/b) + (1 | c)"
    for typed in ("ar 1, t(t) group(rater)", "ar 1, group(rater) t(t)", "AR 1, t(t), GROUP(`rater`)"):
        assert group(crossed_terms, residuals=typed) == ("rater",)
    for typed in ("a:b", "a : b", "`a`:b"):
        assert group(nested, residuals=f"ar 1, t(t) group({typed})") == ("a", "b")
    assert read_model("y || a: || b:, residuals(ar 1, t(t) group(a))", {}).residual.group == ("a",)
    assert read_model("y || a: || b:, residuals(ar 1, t(t) group(a)) group(a)", {}).residual.group == ("a",)
    assert group("y ~ (1 | id)", residuals="un, t(t) by(x) group(id)") == ("id",)
    fits = [
        sparsemixed.mixed(crossed_terms, crossed, residuals="ar 1, t(t) group(rater)", reml=True),
        sparsemixed.mixed(crossed_terms, crossed, residuals="ar 1, t(t)", group="rater", reml=True),
        sparsemixed.mixed("y || _all: R.id || rater:, residuals(ar 1, t(t) group(rater)) reml", crossed),
    ]
    assert [fit.llf for fit in fits] == pytest.approx([fits[0].llf] * 3, abs=1e-6)
    renamed = crossed.rename(columns={"id": "identity"})
    short = sparsemixed.mixed("y || _all: R.rater || ident:, residuals(ar 1, t(t) group(ident)) varabbrev", renamed)
    assert "Errors are correlated within the groups of identity." in str(short)


@pytest.mark.parametrize(
    ("residuals", "message"),
    [
        ("ar 1, t(t) group(z)", r"no level z; the levels are a, b"),
        ("ar 1, t(t) group(a) group(b)", r"group\(\) is given twice"),
        ("ar 1, t(a:b)", r"found t\(a:b\), expected by\(varname\), t\(varname\) or group\(level\)"),
        ("ar 1, t(t) group()", "expected by"),
        ("ar 1, t(t) group", "expected by"),
        ("independent, by(x) group(a)", "says where errors are correlated, and those of residuals.independent. are not"),
    ],
)
def test_a_level_within_residuals_that_is_none(residuals, message):
    with pytest.raises(OptionError, match=message):
        group("y ~ (1 | a) + (1 | b)", residuals=residuals)


def test_two_levels_for_the_errors():
    with pytest.raises(OptionError, match=r"group='b' contradicts group\(a\) within residuals"):
        group("y ~ (1 | a) + (1 | b)", residuals="ar 1, t(t) group(a)", group="b")
    text = "y || a: || b:, residuals(ar 1, t(t) group(z))"
    with pytest.raises(OptionError, match="no level z") as caught:
        read_model(text, {})
    assert text[caught.value.position or 0 :].startswith("z)")


def test_abbreviated_levels(crossed):
    plain = sparsemixed.mixed("y || _all: R.rater || id:, residuals(ar 1, t(t)) group(id)", crossed)
    renamed = crossed.rename(columns={"id": "identity"})
    for text in (
        "y || _all: R.rat || ident:, residuals(ar 1, t(t)) group(ident) varabbrev",
        "y || _all: R.ra~r || i~y:, residuals(ar 1, t(t)) group(i~y)",
    ):
        found = sparsemixed.mixed(text, renamed)
        assert found.llf == plain.llf
        assert "Errors are correlated within the groups of identity." in str(found)


@pytest.mark.parametrize("effects", ["f", "1 + f", "C(k)", "x + f", "f:x", "0 + f", "b"])
def test_independent_effects_of_the_levels_of_a_factor_are_refused(effects):
    data = sparsemixed.datasets.simulate_longitudinal(30, 6, seed=1)
    data = data.assign(f=np.array(["u", "v", "w"])[data.index % 3], k=data.index % 3, x=data["time"], b=data.index % 2 == 0)
    with pytest.raises(CommandError, match=r"\(\w+ \|\| id\): \w+ is categorical, and lme4 keeps") as caught:
        sparsemixed.mixed(f"y ~ time + ({effects} || id)", data)
    assert caught.value.position == 11
    assert sparsemixed.mixed("y ~ time + (x || id)", data).converged
    assert sparsemixed.mixed("y time || id: i.f, iterate(3)", data).nobs == 180
