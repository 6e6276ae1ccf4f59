"""The rules of residuals(): what is refused with which words, what is only noted, and which rows are used."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import CommandError, DataError, OptionError


@cache
def data():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"id": np.repeat(np.arange(12), 4), "week": np.tile([0, 1, 2, 4], 12)})
    table["half"], table["before"], table["constant"] = table["week"] + 0.5, table["week"] - 2, 1
    table["arm"] = table["id"] % 2
    table["name"] = np.where(table["arm"] == 1, "new", "old")
    table["date"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(table["week"], unit="D")
    table["clock"] = table["date"].dt.time
    table["some week"] = table["week"]
    table["missed"] = table["week"].where(table["id"] != 3).astype(float)
    table["unknown_arm"] = table["arm"].where(table["id"] != 3).astype(float)
    table["x"] = rng.normal(size=48)
    table["y"] = rng.normal(size=48) + np.repeat(rng.normal(size=12), 4)
    return table


def fit(argument, **options):
    return sparsemixed.mixed(f"y x || id:, noconstant residuals({argument})", data(), **options)


@pytest.mark.parametrize("structure", ["ar", "ma 1", "unstructured", "banded 1", "toeplitz", "exponential"])
def test_a_time_variable_is_required(structure):
    with pytest.raises(OptionError, match=r"needs a time variable: .*t\(varname\)") as caught:
        fit(structure)
    assert caught.value.text[caught.value.position :].startswith(f"residuals({structure})")


@pytest.mark.parametrize("structure", ["ar 1", "ma 1", "unstructured", "banded 1", "toeplitz 1"])
def test_times_must_be_integers(structure):
    with pytest.raises(DataError, match=r"t\(half\) must be integer-valued .*exponential"):
        fit(f"{structure}, t(half)")


@pytest.mark.parametrize("structure", ["unstructured", "banded 1"])
def test_times_that_identify_levels_must_not_be_negative(structure):
    with pytest.raises(DataError, match=r"must be nonnegative .* smallest value is -2"):
        fit(f"{structure}, t(before)")


@pytest.mark.parametrize("structure", ["ar 1", "ma 1", "toeplitz 1", "exponential"])
def test_times_that_count_lags_may_be_negative(structure):
    assert fit(f"{structure}, t(before)").llf == pytest.approx(fit(f"{structure}, t(week)").llf, abs=1e-8)


@pytest.mark.parametrize("structure", ["ar 1", "ma 1", "unstructured", "banded 1", "toeplitz 1", "exponential"])
def test_times_must_not_repeat_within_a_group(structure):
    with pytest.raises(DataError, match=r"t\(arm\) repeats within groups \(36 times, first t = 0\)"):
        fit(f"{structure}, t(arm)")


@pytest.mark.parametrize(("name", "holds"), [("name", "text"), ("clock", "times of day")])
def test_times_must_be_numbers(name, holds):
    with pytest.raises(DataError, match=rf"t\({name}\) must hold numbers or dates .* holds {holds}"):
        fit(f"ar 1, t({name})")


TIMED = ("ar", "ma", "unstructured", "banded", "toeplitz", "exponential")


@pytest.mark.parametrize("argument", ["exchangeable, by({})", *(f"{name}, t(week) by({{}})" for name in TIMED)])
def test_by_must_be_constant_within_groups(argument):
    with pytest.raises(DataError, match=r"by\(half\) must be constant .* varies in 12 of 12 groups"):
        fit(argument.format("half"))
    levels = fit(argument.format("arm")).random_params.index.get_level_values("parameter")
    assert {label.split(":")[0] for label in levels} == {"0", "1"}


def test_by_may_vary_for_independent_errors():
    labels = fit("independent, by(half)").random_params.index.get_level_values("parameter")
    assert list(labels) == [f"{level}: var(e)" for level in ("0.5", "1.5", "2.5", "4.5")]


@pytest.mark.parametrize(
    ("argument", "limits"),
    [
        ("ar 0, t(week)", "between 1 and 4 .the longest lag"),
        ("ar 5, t(week)", "between 1 and 4 .the longest lag"),
        ("ma 0, t(week)", "between 1 and 4 .the longest lag"),
        ("ma 5, t(week)", "between 1 and 4 .the longest lag"),
        ("toeplitz 0, t(week)", "between 1 and 4 .the longest lag"),
        ("toeplitz 5, t(week)", "between 1 and 4 .the longest lag"),
        ("banded 4, t(week)", "between 0 and 3 .the number of levels less one"),
        ("banded -1, t(week)", "must be a whole number, found -1"),
        ("ar 1.5, t(week)", "must be a whole number, found 1.5"),
        ("unstructured 2, t(week)", "takes no order, found 2"),
        ("exchangeable 1", "takes no order, found 1"),
        ("exponential 1, t(week)", "takes no order, found 1"),
        ("independent 1", "takes no order, found 1"),
    ],
)
def test_orders(argument, limits):
    with pytest.raises(OptionError, match=limits) as caught:
        fit(argument)
    assert argument in caught.value.text[caught.value.position :]


@pytest.mark.parametrize(
    ("argument", "n_parameters"),
    [
        ("ar, t(week)", 2),
        ("ma, t(week)", 2),
        ("toeplitz, t(week)", 5),
        ("banded, t(week)", 10),
        ("banded 0, t(week)", 4),
        ("banded 1, t(week)", 7),
        ("unstructured, t(week)", 10),
        ("exponential, t(half)", 2),
        ("exchangeable", 2),
    ],
)
def test_default_orders_and_numbers_of_parameters(argument, n_parameters):
    assert len(fit(argument).random_params) == n_parameters


def test_a_single_time_has_no_lag():
    with pytest.raises(DataError, match="no lowest-level group has two observations at different t"):
        sparsemixed.mixed("y x if week == 1 || id:, noconstant residuals(ar 1, t(week))", data())


@pytest.mark.parametrize("argument", ["ar 1, t(week)", "independent, by(arm)", "exchangeable"])
def test_nostderr_is_for_independent_errors_with_one_variance(argument):
    with pytest.raises(OptionError, match="nostderr is allowed only with"):
        fit(argument, nostderr=True)
    assert fit("independent", nostderr=True).random_params["std_err"].isna().all()


def test_a_level_is_needed():
    with pytest.raises(OptionError, match=r"name them, as in \|\| id:") as caught:
        sparsemixed.mixed("y x, residuals(ar 1, t(week))", data())
    assert caught.value.position == len("y x, ")


def test_the_option_may_stand_in_any_equation():
    fits = [
        sparsemixed.mixed(f"y x{first} || id:{second}", data())
        for first, second in ((", residuals(ar 1, t(week))", ""), ("", ", residuals(ar 1, t(week))"))
    ]
    fits.append(sparsemixed.mixed("y ~ x + (1 | id)", data(), residuals="ar 1, t(week)"))
    assert len({f.llf for f in fits}) == 1


@pytest.mark.parametrize("argument", ["exchangeable, t(missed)", "independent, t(missed)", "independent, t(nowhere)"])
def test_a_time_without_use_is_noted_and_drops_no_rows(argument):
    found = fit(argument)
    assert found.nobs == 48
    assert str(found).count("t() not required for this residual structure; ignored") == 1


@pytest.mark.parametrize("argument", ["ar 1, t(missed)", "unstructured, t(missed)", "exchangeable, by(unknown_arm)"])
def test_missing_times_and_levels_drop_rows(argument):
    assert fit(argument).nobs == 44


@pytest.mark.parametrize(
    ("argument", "wrong", "meant"),
    [("ar 1, t(weak)", "weak", "week"), ("ar 1, t(week) by(amr)", "amr", "arm"), ("exchangeable, by(amr)", "amr", "arm")],
)
def test_unknown_variables_are_pointed_at(argument, wrong, meant):
    with pytest.raises(CommandError, match=f"`{wrong}` not found; did you mean `{meant}`") as caught:
        fit(argument)
    assert caught.value.position == caught.value.text.index(wrong)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("foo, t(week)", "unknown residual structure foo; expected one of independent, exchangeable, ar"),
        ("exponentail, t(week)", "did you mean exponential"),
        ("", "found nothing, expected a structure"),
        ("ar 1 t(week)", "expected a structure such as ar 1"),
        ("ar 1, t(week) t(half)", r"t\(\) is given twice"),
        ("ar 1, t(week) q(half)", r"found q\(half\), expected by\(varname\), t\(varname\) or group\(level\)"),
        ("ar 1, t(week half)", r"expected by\(varname\), t\(varname\) or group\(level\)"),
        ("ar 1, t()", r"expected by\(varname\), t\(varname\) or group\(level\)"),
    ],
)
def test_arguments_that_cannot_be_read(argument, message):
    with pytest.raises(OptionError, match=message) as caught:
        fit(argument)
    assert caught.value.position == len("y x || id:, noconstant residuals(")


def test_names_in_backquotes():
    assert fit("ar 1, t(`some week`)").llf == fit("ar 1, t(week)").llf


def test_two_structures_contradict_each_other():
    with pytest.raises(OptionError, match="contradicts"):
        sparsemixed.mixed("y x || id:, residuals(ar 1, t(week)) residuals(ma 1, t(week))", data())
