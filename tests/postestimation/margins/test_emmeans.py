"""Marginal means, pairs and slopes against R's emmeans with pbkrtest."""

from __future__ import annotations

import pytest

import sparsemixed
from sparsemixed.errors import OptionError
from tests.golden import golden
from tests.golden.samples import sample

FIGURES = golden("emmeans")
CLOSE = 1e-5


@pytest.fixture(scope="module", params=FIGURES)
def case(request):
    fit = sparsemixed.mixed("y i.a##i.b i.a##c.x || g:, reml dfmethod(kroger)", sample(request.param))
    return fit, FIGURES[request.param]


def shown(found, names, columns):
    frame = found.frame.dropna(subset=["estimate"])
    keys = [" ".join(map(str, key)) for key in frame[names].itertuples(index=False)]
    return {theirs: dict(zip(keys, frame[ours], strict=True)) for theirs, ours in columns.items()}


MEANS = {"emmean": "estimate", "SE": "std_err", "df": "df", "lower.CL": "low", "upper.CL": "high"}


def agrees(found, wanted):
    for column, values in wanted.items():
        assert found[column] == pytest.approx(values, rel=CLOSE, abs=CLOSE)


def test_means(case):
    fit, figures = case
    agrees(shown(fit.emmeans("a"), ["a"], MEANS), figures["a"])
    agrees(shown(fit.emmeans("a", by="b"), ["b", "a"], MEANS), figures["cells"])


def test_pairs(case):
    fit, figures = case
    frame = fit.emmeans("a", by="b", pairwise=True).frame.dropna(subset=["estimate"])
    keys = [(term.partition("@")[2][0], *label.split(" vs ")) for term, label in frame.index]
    texts = [f"{b} a{i} - a{j}" for b, i, j in keys]
    for theirs, ours in {"estimate": "estimate", "SE": "std_err", "df": "df"}.items():
        assert dict(zip(texts, frame[ours], strict=True)) == pytest.approx(figures["pairs"][theirs], rel=CLOSE, abs=CLOSE)
    assert dict(zip(texts, frame["pvalue"], strict=True)) == pytest.approx(figures["pairs"]["p.value"], rel=CLOSE, abs=CLOSE)


def test_means_and_contrasts_are_indexed_by_levels(case):
    fit, figures = case
    pairs = fit.emmeans("a", by="b", pairwise=True)
    means = pairs.means.dropna(subset=["estimate"])
    assert means.index.names == ["b", "a"]
    agrees(
        {theirs: dict(zip([f"{b} {a}" for b, a in means.index], means[ours], strict=True)) for theirs, ours in MEANS.items()},
        figures["cells"],
    )
    contrasts = pairs.contrasts.dropna(subset=["estimate"])
    assert contrasts.index.names == ["b", "contrast"]
    texts = ["{} a{} - a{}".format(b, *label.split(" vs ")) for b, label in contrasts.index]
    assert dict(zip(texts, contrasts["pvalue"], strict=True)) == pytest.approx(figures["pairs"]["p.value"], rel=CLOSE, abs=CLOSE)
    assert fit.emmeans("a").contrasts is None
    assert fit.emmeans("a").means.index.name == "a"
    slopes = fit.emtrends("a", "x", pairwise=True)
    assert slopes.means.index.name == "a"
    assert slopes.contrasts.index.name == "contrast"
    assert "variable" not in slopes.means


def test_slopes(case):
    fit, figures = case
    found = fit.margins("a", dydx="x", asbalanced=True, atmeans=True, small=True)
    agrees(shown(found, ["a"], {"x.trend": "estimate", "SE": "std_err", "df": "df"}), figures["slopes"])


def test_bad_input():
    fit = sparsemixed.mixed("y i.a##i.b x || g:", sample("unbalanced1"))
    assert fit.emmeans("a").df is None
    with pytest.raises(OptionError, match="not a variable of the fixed part"):
        fit.emmeans("q")
    with pytest.raises(OptionError, match="at least one"):
        fit.emmeans([])
    with pytest.raises(OptionError, match="adjust='x' is not one of"):
        fit.emmeans("a", pairwise=True, adjust="x")


def test_covariates_are_at_the_mean_of_the_observations():
    data = sample("unbalanced2").assign(w=lambda frame: 1.0 + frame["x"] ** 2)
    precise = sparsemixed.mixed("y i.a##c.x || g:", data, precision_weights="w").emmeans("a")
    assert precise.at[0][0].values["x"] == pytest.approx(data["x"].mean())
    counted = data.assign(w=lambda frame: 1 + frame["b"])
    frequent = sparsemixed.mixed("y i.a##c.x [fw=w] || g:", counted).emmeans("a")
    assert frequent.at[0][0].values["x"] == pytest.approx((counted["x"] * counted["w"]).sum() / counted["w"].sum())
