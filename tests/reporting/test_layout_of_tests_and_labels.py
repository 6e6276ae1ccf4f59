"""Around the estimates: degrees of freedom with thousands, tests without regressors, notes of equations, long lists."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed

pytestmark = pytest.mark.filterwarnings("ignore::sparsemixed.errors.SparseMixedWarning")


@pytest.fixture(scope="module")
def large() -> pd.DataFrame:
    """3,000 rows in 1,500 groups."""
    rng = np.random.default_rng(1)
    d = pd.DataFrame({"id": np.repeat(np.arange(1500), 2), "x": rng.normal(size=3000), "z": np.repeat(rng.normal(size=1500), 2)})
    return d.assign(y=d.x + rng.normal(size=1500)[d.id] + rng.normal(size=3000))


def test_degrees_of_freedom_have_separators(large):
    """In the header, in the test of the model and in the columns of dftable()."""
    fit = sparsemixed.mixed("y x z || id:, reml dfmethod(residual)", large)
    printed = " ".join(str(fit).split())
    for shown in ("min = 2,997.00", "avg = 2,997.00", "max = 2,997.00", "F(2, 2,997.00) =", "Number of obs = 3,000"):
        assert shown in printed
    assert "Number of groups = 1,500" in printed
    columns = sparsemixed.mixed("y x z || id:, reml dfmethod(residual) dftable(pvalue)", large)
    assert sum("2,997.0 " in line for line in str(columns).splitlines()) == 3


@pytest.mark.parametrize("method", ["residual", "repeated", "anova", "satterthwaite", "kroger"])
def test_no_regressors_with_degrees_of_freedom(method, large):
    printed = str(sparsemixed.mixed(f"y || id:, reml dfmethod({method})", large[:60]))
    assert "F(0, .)" in " ".join(printed.split())
    statistic = next(line for line in printed.splitlines() if "F(0," in line)
    below = next(line for line in printed.splitlines() if "Prob > F" in line)
    assert statistic.split()[-2:] == below.split()[-2:] == ["=", "."]
    assert len(statistic) == len(below)


def test_no_regressors_without():
    d = sparsemixed.datasets.simulate_longitudinal(10, 4, seed=1)
    printed = " ".join(str(sparsemixed.mixed("y || id:", d)).split())
    assert "Wald chi2(0) = ." in printed
    assert "Prob > chi2 = ." in printed


EMPTY = "Note: all random-effects equations are empty; model is linear regression."
SINGLE = "Note: single-variable random-effects specification in {} equation; covariance structure set to identity"


@pytest.fixture(scope="module")
def nested() -> pd.DataFrame:
    d = sparsemixed.datasets.simulate_longitudinal(24, 5, seed=2)
    return d.assign(site=d.id % 6)


def test_empty_equations_are_noted(nested):
    """All of them: the model is a regression, without a test against one. One of several: which."""
    whole = str(sparsemixed.mixed("y time || id:, noconstant", nested))
    assert whole.endswith(EMPTY)
    assert "id: (empty)" in whole
    assert "LR test" not in whole
    two = str(sparsemixed.mixed("y time || site:, nocons || id:, nocons", nested))
    assert two.endswith(EMPTY)
    assert two.count("(empty)") == 2
    one = str(sparsemixed.mixed("y time || site:, noconstant || id:", nested))
    assert "Note: the random-effects equation for site is empty" in one
    assert EMPTY not in one
    assert "site: (empty)" in one
    assert "LR test vs. linear model: chibar2(01)" in one


def test_errors_with_a_structure_are_no_regression(nested):
    printed = str(sparsemixed.mixed("y time || id:, noconstant residuals(ar 1, t(time))", nested))
    assert "id: (empty)" in printed
    assert EMPTY not in printed


@pytest.mark.parametrize("structure", ["unstructured", "exchangeable"])
@pytest.mark.parametrize("effects", ["", "time, noconstant"])
def test_a_structure_of_one_effect_is_noted(nested, structure, effects):
    option = f"{effects} covariance({structure})" if effects else f", covariance({structure})"
    fit = sparsemixed.mixed(f"y time || site: || id: {option}", nested)
    assert fit.fit.design.notes == (SINGLE.format("id"),)
    assert "id: Identity" in str(fit)
    above = str(fit).partition("Mixed-effects")[0]
    assert SINGLE.format("id") in " ".join(above.split())
    assert max(map(len, above.splitlines())) <= 78


@pytest.mark.parametrize("structure", ["identity", "independent"])
def test_one_effect_without_covariances_needs_no_note(nested, structure):
    assert "single-variable" not in str(sparsemixed.mixed(f"y time || id:, covariance({structure})", nested))
    assert "single-variable" not in str(sparsemixed.mixed("y ~ time + (1 | id)", nested))


@pytest.fixture(scope="module")
def splines() -> pd.DataFrame:
    """Thirty columns that share a variance."""
    rng = np.random.default_rng(3)
    x = np.sort(rng.uniform(size=150))
    columns = {f"s{k}": np.maximum(x - k / 31, 0.0) for k in range(1, 31)}
    return pd.DataFrame({"x": x, "y": np.sin(6 * x) + 0.2 * rng.normal(size=150), **columns})


def test_a_range_of_variables_shares_a_variance(splines):
    """The label has the ends of the list and the number of its footnote, the footnote all of it."""
    fit = sparsemixed.mixed("y x || _all: s1-s30, noconstant covariance(identity)", splines)
    lines = str(fit).splitlines()
    label = next(line for line in lines if "var(s1" in line)
    assert label.startswith("             var(s1..s30)(1) |")
    assert "_all: Identity               |" in lines
    footnote = str(fit)[str(fit).index("\n(1) ") :].split()
    assert footnote[:31] == ["(1)", *(f"s{k}" for k in range(1, 31))]
    assert max(map(len, lines)) <= 78
    assert "sd(s1..s30)(1) |" in str(sparsemixed.mixed("y x || _all: s1-s30, nocons cov(id) stddeviations", splines))


def test_short_lists_are_shown_whole(splines):
    assert "var(s1 s2 s3) |" in str(sparsemixed.mixed("y x || _all: s1-s3, noconstant covariance(identity)", splines))


def test_ranges_of_their_own_variances(splines):
    """Independent effects have a row each and no footnote."""
    printed = str(sparsemixed.mixed("y x || _all: s1-s3, noconstant", splines))
    assert [f"var(s{k}) |" in printed for k in (1, 2, 3)] == [True] * 3
    assert "(1) s1" not in printed


def test_two_long_lists_have_two_footnotes(splines):
    model = "y x || _all: s1-s12, noconstant covariance(identity) || _all: s13-s30, noconstant covariance(exchangeable)"
    printed = str(sparsemixed.mixed(model + " iterate(3)", splines))
    assert "var(s1..s12)(1) |" in printed
    assert "var(s13..s30)(2) |" in printed
    assert "cov(s13..s30)(2) |" in printed
    assert "\n(2) s13 s14" in printed
