"""The façade: names, shapes, copies, and what is said of things that are not there yet."""

import dataclasses
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.design.values import RandomBlock, RandomTerm
from sparsemixed.errors import NotAvailableError, OptionError, SparseMixedError
from sparsemixed.estimation.fit import Fit
from sparsemixed.results import Results
from sparsemixed.structures.random.exchangeable import Exchangeable
from tests.golden import golden
from tests.oracles import manual_fits


@pytest.fixture
def fit() -> Results:
    return Results(manual_fits.example_3())


def test_coefficients(fit):
    assert list(fit.params.index) == ["week", "_cons"]
    assert fit.bse["week"] == pytest.approx(0.0910745)
    assert fit.zvalues["week"] == pytest.approx(68.18, abs=0.01)
    assert fit.tvalues.equals(fit.zvalues)
    assert fit.pvalues["week"] == 0.0
    limits = fit.conf_int()
    assert list(limits.columns) == ["low", "high"]
    assert limits.loc["week"].tolist() == pytest.approx([6.031393, 6.388399], rel=1e-6)
    assert (fit.conf_int(99)["low"] < limits["low"]).all()
    assert fit.cov_params().loc["week", "week"] == pytest.approx(fit.bse["week"] ** 2)
    with pytest.raises(OptionError):
        fit.conf_int(0.95)


def test_random_params(fit):
    table = fit.random_params
    assert list(table.columns) == ["estimate", "std_err", "ci_low", "ci_high"]
    assert list(table.index) == [
        ("id: Unstructured", "var(week)"),
        ("id: Unstructured", "var(_cons)"),
        ("id: Unstructured", "cov(week,_cons)"),
        ("", "var(Residual)"),
    ]
    assert table.loc[("id: Unstructured", "var(week)"), "ci_low"] == pytest.approx(0.2419532, rel=1e-5)
    shown = replace(fit.fit.spec, display=replace(fit.fit.spec.display, stddeviations=True))
    assert ("", "sd(Residual)") in Results(replace(fit.fit, spec=shown)).random_params.index


def test_criteria(fit):
    two, figures = Results(manual_fits.example_2()), golden("stata")["criteria"]
    assert (two.nobs, two.llf) == (432, -869.03825)
    assert two.aic == pytest.approx(figures["AIC"], abs=1e-3)
    assert two.bic == pytest.approx(figures["BIC"], abs=1e-3)
    assert fit.converged is True


def test_status(fit):
    assert fit.status == "converged in 1 iteration"
    bad = replace(fit.fit, converged=False, message="iteration limit reached", boundary_names=("var(week) of id is 0",))
    assert (
        "not converged: iteration limit reached. On the boundary of the parameter space: var(week) of id is 0"
        in Results(bad).status
    )
    assert "raise iterate()" in Results(bad).status
    assert "not converged" in repr(Results(bad))


def test_random_effects(fit):
    effects, errors = fit.random_effects, fit.random_effects_se
    assert list(effects) == list(errors) == ["id"]
    assert list(effects["id"].columns) == ["id", "week", "_cons"]
    assert effects["id"].shape == (48, 3)
    assert np.allclose(errors["id"]["week"], 0.2)


def crossed_fit() -> Fit:
    """Two groups of a factor with two and one levels, exchangeable."""
    base = manual_fits.example_1()
    block = RandomBlock("region", ("R.state",), Exchangeable(2), "state", 0)
    term = RandomTerm(
        np.array([0, 0, 1], dtype=np.int32),
        2,
        np.array([[1.0, 0], [0, 1], [1, 0]]),
        (block,),
        pd.DataFrame({"region": [1, 2]}),
        np.array([["a", "b"], ["c", None]], dtype=object),
    )
    design = replace(base.design, random=(term,), X=base.design.X[:3], y=base.design.y[:3], kept=np.array([0, 2, 5]))
    return replace(base, design=design, u=(np.array([[1.0, 2.0], [3.0, 9.0]]),), u_var=(np.tile(np.eye(2), (2, 1, 1)),))


def test_random_effects_of_a_factor_whose_columns_are_levels():
    fit = Results(crossed_fit())
    frame = fit.random_effects["region: R.state"]
    assert frame.to_dict("list") == {"region": [1, 1, 2], "state": ["a", "b", "c"], "R.state": [1.0, 2.0, 3.0]}
    assert fit.predict(what="reffects")[("region", "R.state")].tolist() == [1.0, 2.0, 3.0]


def test_predictions_in_the_sample(fit):
    design, raw = fit.fit.design, fit.fit
    xb = design.X @ raw.beta
    assert np.allclose(fit.predict(), xb)
    assert np.allclose(fit.predict(what="fitted"), xb + 1.0)
    assert np.allclose(fit.predict(what="residuals"), design.y - xb - 1.0)
    stdp = np.sqrt(np.diag(design.X @ raw.vcov_beta @ design.X.T))
    assert np.allclose(fit.predict(what="stdp"), stdp)
    assert fit.predict(what="reffects").shape == fit.predict(what="reses").shape == (432, 2)
    assert list(Results(crossed_fit()).predict().index) == [0, 2, 5]


def test_predictions_that_are_not_there_yet(fit):
    with pytest.raises(NotAvailableError):
        fit.predict(pd.DataFrame({"week": [1]}), what="residuals")
    with pytest.raises(OptionError, match="unknown what='nonsense'"):
        fit.predict(what="nonsense")


def test_names_that_are_not_there(fit):
    with pytest.raises(NotAvailableError, match=r"there is no estat.esize\(\); there are df, ic"):
        fit.estat.esize()
    with pytest.raises(OptionError, match="dfmethod"):
        _ = fit.df

    with pytest.raises(AttributeError, match=r"no attribute 'parms'; did you mean params\?"):
        _ = fit.parms
    assert not hasattr(fit, "_repr_png_")


def test_nothing_can_be_changed_through_results(fit):
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.fit = None
    before = str(fit)
    for taken in (
        fit.params,
        fit.conf_int(),
        fit.cov_params(),
        fit.random_effects["id"].astype(float),
        fit.random_params,
        fit.e["V"],
        fit.predict(),
    ):
        taken.iloc[:] = 0.0
    fit.e["sample"][:] = 0
    assert str(fit) == before == fit.summary()
    assert fit.fit.design.kept[-1] == 431
    assert (fit.fit.u[0] == 0.5).all()


def test_other_forms(fit):
    assert fit._repr_html_().startswith('<div class="sparsemixed">')
    assert r"\toprule" in fit.to_latex(noretable=True)
    assert "[90% conf. interval]" in fit.summary(level=90)
    with pytest.raises(SparseMixedError, match="nonsense"):
        fit.summary(nonsense=True)


def test_the_index_of_random_params_is_one_that_pandas_makes():
    data = sparsemixed.datasets.simulate_longitudinal(30, 6, seed=1)
    index = sparsemixed.mixed("y time || id: time, covariance(unstructured)", data).random_params.index
    wanted = pd.MultiIndex.from_tuples(list(index), names=["equation", "parameter"])
    pd.testing.assert_index_equal(index, wanted, exact=True)
    for own, other in zip((*index.levels, *index.codes), (*wanted.levels, *wanted.codes), strict=True):
        assert list(own) == list(other)
        assert own.dtype == other.dtype
