"""Tests of terms against lmerTest, and their hypotheses against other ways to the same numbers."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import DataError, OptionError
from tests.golden import flat, golden, load

FIGURES = golden("anova")
CLOSE = 2e-4
"""lme4 stops its search where the deviance no longer tells points apart, and lmerTest takes numerical derivatives there."""


def cake():
    data = load("cake")
    return data[np.arange(1, len(data) + 1) % 7 != 0]


def oats():
    return load("oats_unbalanced").assign(dose=lambda data: data["nitro"].astype(str))


def machines():
    data = load("machines_unbalanced")
    return data.assign(half=np.arange(1, len(data) + 1) % 2)


MODELS = {
    "cake": (cake, "angle ~ recipe * temp + (1 | recipe:replicate)"),
    "oats": (oats, "yield i.Variety##i.dose || Block: || Variety:"),
    "oats_slopes": (oats, "yield nitro i.Variety c.nitro#c.nitro i.Variety#c.nitro || Block:"),
    "machines": (machines, "score i.half##i.Machine || Worker:"),
    "machines_nested": (machines, "score i.Machine i.Machine#i.half || Worker:"),
}
METHODS = {"satterthwaite": "satterthwaite, oim", "kroger": "kroger"}


@cache
def fitted(name, method):
    data, model = MODELS[name]
    return sparsemixed.mixed(model, data(), reml=True, dfmethod=METHODS[method])


def ours(name):
    """A term's variables in sorted order."""
    plain = name.replace("c.nitro#c.nitro", "I(nitro^2)").replace("#", ":")
    return ":".join(sorted(part.partition(".")[2] if part[:2] in ("i.", "c.") else part for part in plain.split(":")))


def test_every_figure_is_used():
    assert set(MODELS) == set(FIGURES)


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", MODELS)
def test_tests_are_those_of_lmertest(name, method, kind):
    found = fitted(name, method).anova(type=kind).frame
    assert list(found.columns) == ["F", "df", "ddf", "pvalue"]
    figures = {ours(name): row for name, row in found.to_dict("index").items()}
    theirs = dict(FIGURES[name][method][f"type{kind}"])
    if name == "machines_nested" and kind > 1:
        # lmerTest takes a term as part of another only where the rest of that one is a term as well. Without one of `half` alone
        # it tests Machine at the level of half that happens to come first; the test below has what is averaged.
        del theirs["Machine"], figures["Machine"]
    assert flat(figures) == pytest.approx(flat(theirs), rel=CLOSE, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["oats", "machines", "machines_nested"])
def test_type_3_are_the_contrasts_of_balanced_margins(name, method):
    fit = fitted(name, method)
    table = fit.anova().frame
    for term in table.index:
        whole = fit.contrast(term.replace("i.", ""), small=True)
        if "#" in term and name == "machines_nested":
            continue  # a contrast averages the effect of half, which is tested within every machine here
        assert table.loc[term, "F"] == pytest.approx(whole.statistic, rel=1e-7)
        if method == "kroger":  # Satterthwaite's of several rows depend on how the rows are written
            assert table.loc[term, "ddf"] == pytest.approx(whole.ddf, rel=1e-6)


def test_type_1_and_2_of_independent_errors_are_differences_of_sums_of_squares():
    data = machines()
    fit = sparsemixed.mixed("score i.half##i.Machine", data, reml=True)
    squares = {}
    for text in ("", "i.half", "i.Machine", "i.half i.Machine", "i.half##i.Machine"):
        residual = sparsemixed.mixed(f"score {text}", data).resid
        squares[text] = float(residual @ residual)
    sigma2 = fit.scale
    order = ["", "i.half", "i.half i.Machine", "i.half##i.Machine"]
    first = [(squares[a] - squares[b]) / sigma2 for a, b in pairwise(order)]
    np.testing.assert_allclose(fit.anova(type=1).frame["chi2"], first, rtol=1e-8)
    second = [squares["i.Machine"] - squares["i.half i.Machine"], squares["i.half"] - squares["i.half i.Machine"]]
    np.testing.assert_allclose(fit.anova(type=2).frame["chi2"][:2], np.array(second) / sigma2, rtol=1e-8)
    assert fit.anova(type=2).frame.loc["i.half#i.Machine", "chi2"] == pytest.approx(first[2], rel=1e-8)


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_both_languages_and_any_base_level(kind):
    data = oats()
    command = sparsemixed.mixed("yield i.Variety##i.dose || Block:", data, reml=True, dfmethod="kroger")
    formula = sparsemixed.mixed("yield ~ Variety * dose + (1 | Block)", data, reml=True, dfmethod="kroger")
    based = sparsemixed.mixed("yield ib(#3).Variety##ib(#2).dose || Block:", data, reml=True, dfmethod="kroger")
    found = [fit.anova(type=kind).frame.to_numpy() for fit in (command, formula, based)]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-7)
    np.testing.assert_allclose(found[2], found[0], rtol=1e-7)


def test_without_degrees_of_freedom_and_without_data(tmp_path):
    data = oats()
    fit = sparsemixed.mixed("yield ~ Variety * nitro + (1 | Block)", data)
    table = fit.anova()
    assert list(table.frame.columns) == ["chi2", "df", "pvalue"]
    assert "dfmethod()" in str(table)
    assert all("Variety:nitro" in shown for shown in (str(table), table.to_html(), table.to_markdown()))
    small = fit.update(reml=True, dfmethod="satterthwaite")
    assert list(small.anova(small=False).frame.columns) == ["chi2", "df", "pvalue"]
    assert "DF method: Satterthwaite" in str(small.anova())
    fit.save(tmp_path / "fit")
    loaded = sparsemixed.load(tmp_path / "fit")
    pd.testing.assert_frame_equal(loaded.anova(type=3).frame, table.frame)
    with pytest.raises(DataError, match="saved without its data"):
        loaded.anova(type=1)


def test_without_a_constant():
    fit = sparsemixed.mixed("yield ibn.Variety, noconstant || Block:", oats())
    assert fit.anova().frame["df"].tolist() == [3]
    assert fit.anova().frame["chi2"].iloc[0] == pytest.approx(fit.test(list(fit.params.index)).statistic)


def test_what_cannot_be_tested():
    data = oats()
    fit = sparsemixed.mixed("yield ~ Variety * dose + (1 | Block)", data)
    with pytest.raises(OptionError, match="type is 1, 2 or 3, not 4"):
        fit.anova(type=4)
    with pytest.raises(OptionError, match="names are those of several fits"):
        fit.anova(names=["a"])
    with pytest.raises(OptionError, match="type and small are for the terms of one fit"):
        fit.anova(fit.update(". ~ . - Variety:dose"), type=2)
    with pytest.raises(OptionError, match="small needs degrees of freedom"):
        fit.anova(small=True)
    with pytest.raises(OptionError, match="has no terms to be tested"):
        sparsemixed.mixed("yield ~ 1 + (1 | Block)", data).anova()
    with pytest.raises(OptionError, match="constraints tie coefficients"):
        sparsemixed.mixed("yield i.Variety nitro || Block:", data, constraints=["nitro = 70"]).anova()
    holes = data[~((data["Variety"] == "Victory") & (data["dose"] == "0.6"))]
    empty = sparsemixed.mixed("yield ~ Variety * dose + (1 | Block)", holes)
    with pytest.raises(OptionError, match=r"those of Variety:dose are not all estimated: .* use type=2 or type=1"):
        empty.anova()
    assert empty.anova(type=2).frame["df"].tolist() == [2, 3, 5]
