"""Contrast operators whose levels are weighted by their observations: rows, counts, and what they estimate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import OptionError
from sparsemixed.postestimation.contrast_operators import WEIGHTED, operator_rows
from tests.golden import golden

LEVELS, NAMES = (1, 2, 5, 7), ("1", "2", "5", "7")
COUNTS = np.array([4.0, 1.0, 3.0, 2.0])


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(12)
    n = 120
    a, b = rng.choice([1, 2, 4], n, p=[0.5, 0.35, 0.15]), rng.integers(0, 2, n)
    table = pd.DataFrame({"a": a, "b": b, "t": np.arange(n) % 5, "x": rng.normal(size=n), "g": np.arange(n) // 6})
    return table.assign(copies=rng.integers(1, 4, n), y=0.4 * a + b * table.x + rng.normal(size=n))


def rows(operator, counts=COUNTS):
    return operator_rows(operator, LEVELS, NAMES, counts)[0]


@pytest.mark.parametrize(
    ("operator", "wanted"),
    [
        ("gw", [[0.6, -0.1, -0.3, -0.2], [-0.4, 0.9, -0.3, -0.2], [-0.4, -0.1, 0.7, -0.2], [-0.4, -0.1, -0.3, 0.8]]),
        ("hw", [[1, -1 / 6, -3 / 6, -2 / 6], [0, 1, -3 / 5, -2 / 5], [0, 0, 1, -1]]),
        ("jw", [[-1, 1, 0, 0], [-4 / 5, -1 / 5, 1, 0], [-4 / 8, -1 / 8, -3 / 8, 1]]),
        ("r", [[-1, 1, 0, 0], [-1, 0, 1, 0], [-1, 0, 0, 1]]),
        ("rb5", [[1, 0, -1, 0], [0, 1, -1, 0], [0, 0, -1, 1]]),
        ("rb(last)", [[1, 0, 0, -1], [0, 1, 0, -1], [0, 0, 1, -1]]),
        ("a", [[1, -1, 0, 0], [0, 1, -1, 0], [0, 0, 1, -1]]),
        ("ar", [[-1, 1, 0, 0], [0, -1, 1, 0], [0, 0, -1, 1]]),
        ("g", np.eye(4) - 0.25),
        ("h", [[1, -1 / 3, -1 / 3, -1 / 3], [0, 1, -1 / 2, -1 / 2], [0, 0, 1, -1]]),
        ("j", [[-1, 1, 0, 0], [-1 / 2, -1 / 2, 1, 0], [-1 / 3, -1 / 3, -1 / 3, 1]]),
        ("q", np.array([[-3, -1, 1, 3] / np.sqrt(5), [1, -1, -1, 1], [-1, 3, -3, 1] / np.sqrt(5)]) / 4),
    ],
)
def test_rows(operator, wanted):
    assert rows(operator) == pytest.approx(np.array(wanted, dtype=float))


def test_linear_trend_by_hand():
    """pw's first row is the weighted regression on the standardized values: mean 3.5, mean square 5.85 about it."""
    deviation = np.array(LEVELS) - 3.5
    assert rows("pw")[0] == pytest.approx(COUNTS / 10 * deviation / np.sqrt(COUNTS / 10 @ deviation**2))


@pytest.mark.parametrize("operator", WEIGHTED)
def test_balanced_counts_give_the_unweighted_rows_and_labels(operator):
    equal, labels = operator_rows(operator, LEVELS, NAMES, np.full(4, 6.0))
    plain, plain_labels = operator_rows(operator[0], LEVELS, NAMES)
    assert equal == pytest.approx(plain)
    assert labels == plain_labels == operator_rows(operator, LEVELS, NAMES, COUNTS)[1]


@pytest.mark.parametrize(("operator", "values"), [("pw", LEVELS), ("qw", (1, 2, 3, 4))])
def test_polynomials_are_orthogonal_under_the_weights(operator, values):
    C, shares = rows(operator), COUNTS / COUNTS.sum()
    assert C.sum(axis=1) == pytest.approx(0, abs=1e-12)
    Q = C / shares
    assert Q * shares @ Q.T == pytest.approx(np.eye(3), abs=1e-12)
    # Each row sees no polynomial of lower degree, and its own with a positive sign.
    seen = C @ np.vander(np.array(values, dtype=float), 4, increasing=True)
    assert np.tril(seen, 0) == pytest.approx(0, abs=1e-9)
    assert np.all(np.diag(seen, 1) > 0)


def test_scale_of_stata():
    """Keppel's trend analysis as Stata's `contrast p.a, effects` shows it on UCLA's pages: 20 observations a level."""
    figures = golden("stata")["trend"]
    C = operator_rows("p", (1, 2, 3, 4), ("1", "2", "3", "4"))[0]
    assert C @ np.array(figures["means"]) == pytest.approx(figures["contrasts"], rel=1e-6)
    assert np.sqrt((C**2).sum(axis=1) * figures["mean_square"] / 20) == pytest.approx(figures["std_err"], rel=1e-6)


@pytest.mark.parametrize("operator", ["ghw", "rw", "aw", "arw", "gwb2", "w"])
def test_no_such_operator(operator):
    with pytest.raises(OptionError):
        rows(operator)


def test_names_have_ranks_but_no_values():
    names = ("low", "mid", "top", "very top")
    with pytest.raises(OptionError, match="levels that are numbers"):
        operator_rows("pw", names, names, COUNTS)
    assert operator_rows("qw", names, names, COUNTS)[0] == pytest.approx(rows("qw"))


@pytest.mark.parametrize(
    "fixed",
    [
        "i.a",
        "ib4.a i.b",
        "i.a##i.b",
        "i.a#i.b",
        "i.b i.a#i.b",
        "2.a#i.b i.a#i.b",
        "i.a##c.t",
        "i.a#c.x",
        "i.b i.a#i.b#c.x",
        "i.a#c.t",
        "c.t i.a#c.t",
        "i.copy i.a",
    ],
)
@pytest.mark.parametrize("weights", ["", "[fweight=copies]", "[pweight=copies]"])
def test_counts_of_levels(data, fixed, weights):
    """Also without main effects, and where a cell has no rows; only frequency weights stand for observations."""
    data = data.assign(copy=10 * data.a)
    for used in (data, data[(data.a != 4) | (data.b != 1)]):
        found = sparsemixed.mixed(f"y {fixed} {weights} || g:", used).fit.design.counts["a"]
        wanted = used.groupby("a")["copies"].sum() if "fw" in weights else used["a"].value_counts().sort_index()
        assert found.tolist() == wanted.tolist()


def test_estimates(data):
    """Margins over the other factor stay balanced; the levels compared have their observations as weights."""
    fit = sparsemixed.mixed("y i.a##i.b || g:, reml dfmethod(satterthwaite)", data)
    one, two, four = (data["a"] == level for level in (1, 2, 4))
    b = fit.params
    means = np.array([0, b["2.a"] + b["2.a#1.b"] / 2, b["4.a"] + b["4.a#1.b"] / 2])
    shares = np.array([one.sum(), two.sum(), four.sum()]) / len(data)
    found = fit.contrast("gw.a", small=True)
    assert found.effects["estimate"].to_numpy() == pytest.approx(means - shares @ means)
    assert [label for _, label in found.effects.index] == ["(1 vs mean)", "(2 vs mean)", "(4 vs mean)"]
    later = (two.sum() * means[1] + four.sum() * means[2]) / (two.sum() + four.sum())
    assert fit.contrast("hw.a").effects["estimate"].iloc[0] == pytest.approx(means[0] - later)
    within = fit.contrast("gw.a@b").effects
    assert within.loc[("gw.a@b", "(1 vs mean) 0"), "estimate"] == pytest.approx(-shares @ [0, b["2.a"], b["4.a"]])
    assert fit.contrast("gw.a#r.b").statistic == pytest.approx(fit.testparm("i.a#i.b").statistic)


@pytest.mark.parametrize("operator", WEIGHTED)
def test_every_weighted_operator_spans_the_hypothesis_of_equal_levels(data, operator):
    fit = sparsemixed.mixed("y i.a##c.x || g:, reml dfmethod(kroger)", data)
    for term in ("a", "a#c.x"):
        found, reference = fit.contrast(f"{operator}.{term}", small=True), fit.contrast(f"r.{term}", small=True)
        assert (found.statistic, found.df, found.ddf) == pytest.approx((reference.statistic, 2, reference.ddf))


def test_mean_of_a_sample():
    """In an intercept-and-levels model of independent rows, gw. compares levels with the plain mean of the response."""
    data = pd.DataFrame({"a": [1] * 5 + [2] * 3 + [3] * 2, "y": [3.0, 4, 2, 5, 1, 8, 6, 7, 9, 12]})
    found = sparsemixed.mixed("y i.a", data).contrast("gw.a").effects["estimate"]
    assert found.to_numpy() == pytest.approx(data.groupby("a")["y"].mean().to_numpy() - data["y"].mean())
