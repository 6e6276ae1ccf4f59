"""Tests and intervals against printed figures and known distributions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import VarianceParameter
from sparsemixed.inference.covariance.vce import ThetaCovariance, theta_covariance
from sparsemixed.inference.hypotheses.distributions import chi2_pvalue, chibar2_pvalue, z_critical, z_pvalue
from sparsemixed.inference.hypotheses.likelihood_ratio import against_linear_model, likelihood_ratio
from sparsemixed.inference.hypotheses.wald import wald_chi2
from sparsemixed.inference.intervals import interval, intervals
from sparsemixed.reporting.hypothesis_tests import TestResult, statistic_name
from tests.golden import golden
from tests.oracles import manual_fits


def parameter(kind, estimate):
    return VarianceParameter("", "", estimate, np.array([1.0]), kind, boundary=False)


@pytest.mark.parametrize("name", golden("stata")["limits"])
def test_intervals_on_each_scale_as_printed(name):
    row = golden("stata")["limits"][name]
    found = interval(parameter(row["kind"], row["estimate"]), ThetaCovariance(np.array([[row["std_err"] ** 2]])), 95.0)
    assert found.std_err == pytest.approx(row["std_err"])
    assert (found.low, found.high) == pytest.approx((row["low"], row["high"]), rel=2e-6)


@given(st.floats(-0.99, 0.99), st.floats(1e-3, 10.0))
def test_limits_of_correlations_stay_inside(estimate, std_err):
    found = interval(parameter("correlation", estimate), ThetaCovariance(np.array([[std_err**2]])), 95.0)
    assert -1 <= found.low < estimate < found.high <= 1


def test_boundary_has_no_limits_and_is_held_fixed():
    fit = manual_fits.example_3()
    information = np.diag([0.0, 4.0, 4.0, 4.0])
    fit = replace(fit, information=information, boundary=np.array([True, False, False]))
    matrix = theta_covariance(fit).matrix
    assert np.allclose(np.diag(matrix), [0, 0.25, 0.25, 0.25])
    head = fit.components[0]
    zero = replace(head.variances[0], estimate=0.0, boundary=True)
    fit = replace(fit, components=(replace(head, variances=(zero, *head.variances[1:])), *fit.components[1:]))
    first, second, *_ = intervals(fit, 95.0)
    assert np.isnan([first.std_err, first.low, first.high]).all()
    assert second.std_err == pytest.approx(1.566194 / 2)


@pytest.mark.parametrize("information", [-np.eye(4), np.ones((4, 4)), np.full((4, 4), np.nan)])
def test_unusable_information_is_said(information):
    fit = replace(manual_fits.example_3(), information=information)
    assert "not positive definite" in theta_covariance(fit).note
    assert all(np.isnan(i.std_err) for i in intervals(fit, 95.0))


def test_without_information_there_is_nothing_to_say():
    fit = replace(manual_fits.example_3(), information=None)
    assert theta_covariance(fit).note == ""
    assert np.isnan(intervals(fit, 95.0)[0].low)


def test_information_is_judged_whatever_the_units():
    scale = np.array([1e-8, 1.0, 1e6, 1e3])
    matrix = np.array([[2.0, 1, 0, 0], [1, 2, 1, 0], [0, 1, 2, 1], [0, 0, 1, 2]])
    fit = replace(manual_fits.example_3(), information=matrix * np.outer(scale, scale))
    assert np.allclose(theta_covariance(fit).matrix * np.outer(scale, scale), np.linalg.inv(matrix))


def test_tails():
    assert z_critical(95) == pytest.approx(1.959963984540054)
    assert z_pvalue(1.959963984540054) == pytest.approx(0.05)
    assert chi2_pvalue(3.841458820694124, 1) == pytest.approx(0.05)
    assert chibar2_pvalue(15.03) == pytest.approx(0.5 * chi2_pvalue(15.03, 1))
    assert f"{chibar2_pvalue(15.0274):.4f}" == "0.0001"
    assert chibar2_pvalue(0.0) == 1.0
    assert np.isnan(chi2_pvalue(1.0, 0))


@pytest.mark.parametrize("df", [1, 2, 3, 4, 7, 39, 40, 41, 300, 2.5])
def test_tails_of_chi_squared(df):
    for statistic in (0.0, 1e-300, 1e-9, 0.3, 3.0, 0.5 * df, 1.5 * df, 80.0, 700.0, 1400.0):
        assert chi2_pvalue(statistic, df) == pytest.approx(chi2.sf(statistic, df), rel=1e-12, abs=1e-300)


def test_tails_and_limits_of_z():
    z = np.array([0.0, -1e-9, 0.5, -1.96, 7.0, -37.0, np.nan, np.inf])
    np.testing.assert_allclose(z_pvalue(z), 2.0 * norm.sf(np.abs(z)), rtol=1e-12)
    assert isinstance(z_pvalue(1.0), float)
    for level in (10.0, 50.0, 95.0, 99.9, 99.999999):
        assert z_critical(level) == pytest.approx(norm.isf((1.0 - level / 100.0) / 2.0), rel=1e-13)
    assert z_critical(100.0) == np.inf


def test_wald_with_a_redundant_row():
    covariance = np.array([[2.0, 0.5], [0.5, 1.0]]) * 1e-6
    estimate = np.array([0.002, 0.001])
    K = np.array([[1.0, 0], [0, 1], [1, 1]])
    full = wald_chi2(estimate, covariance)
    more = wald_chi2(K @ estimate, K @ covariance @ K.T)
    assert full.statistic == pytest.approx(estimate @ np.linalg.solve(covariance, estimate))
    assert (more.df, more.statistic) == (2, pytest.approx(full.statistic))


def test_three_forms_of_the_test_against_the_linear_model():
    one = against_linear_model(manual_fits.example_1())
    assert (one.kind, statistic_name(one), one.note) == ("chibar2", "chibar2(01)", "")
    more = against_linear_model(manual_fits.example_3())
    assert (statistic_name(more), round(more.statistic, 2)) == ("chi2(3)", 764.58)
    assert "conservative" in more.note
    assert against_linear_model(manual_fits.example_9()) is None


def test_a_variance_of_zero_has_p_one():
    fit = manual_fits.example_1()
    assert against_linear_model(replace(fit, llf_linear=fit.llf - 1e-9)).pvalue == 1.0
    assert against_linear_model(replace(fit, llf_linear=fit.llf + 1e-9)).statistic == 0.0


def test_lrtest_as_printed():
    a = likelihood_ratio(manual_fits.example_1(), manual_fits.example_2())
    assert (round(a.statistic, 2), a.df, a.ddf) == (291.78, 1, None)
    text = """\
Likelihood-ratio test
Assumption: weight week || id: nested within weight week || id: week

 LR chi2(1) = 291.78
Prob > chi2 = 0.0000

Note: The reported degrees of freedom assumes the null hypothesis is not on
      the boundary of the parameter space. If this is not true, then the
      reported test is conservative."""
    assert str(TestResult.of(a)) == text
    b = likelihood_ratio(manual_fits.example_3(), manual_fits.example_2())
    assert f"{b.statistic:.2f} {b.pvalue:.3f} {b.note}" == "0.15 0.696 "


def test_lrtest_refuses_what_cannot_be_compared():
    one, two, three = manual_fits.example_1(), manual_fits.example_2(), manual_fits.example_3("reml")
    with pytest.raises(OptionError, match="432 and 816 observations"):
        likelihood_ratio(one, manual_fits.example_5b())
    with pytest.raises(OptionError, match="different responses"):
        likelihood_ratio(one, replace(two, design=replace(two.design, y=two.design.y + 1)))
    with pytest.raises(OptionError, match="ML and the other by REML"):
        likelihood_ratio(two, three)
    with pytest.raises(OptionError, match="neither is nested"):
        likelihood_ratio(one, one)
    small = replace(three, design=replace(three.design, X=three.design.X[:, 1:]), beta=three.beta[1:])
    with pytest.raises(OptionError, match="different fixed parts"):
        likelihood_ratio(three, small)


def test_lrtest_by_reml_allows_reordered_columns():
    three = manual_fits.example_3("reml")
    two = manual_fits.example_2()
    two = replace(two, spec=three.spec, design=replace(two.design, X=two.design.X[:, ::-1]))
    assert "LR tests based on REML" in likelihood_ratio(two, three).note
