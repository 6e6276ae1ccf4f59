"""Bad input ends in one clear message, or a note, in Python and on the command line alike."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed import cli
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import CommandError, DataError, NoObservationsError, OptionError, SparseMixedError


def visits(**columns):
    data = simulate_longitudinal(12, 5, seed=1)
    data["x"] = np.random.default_rng(0).normal(size=len(data))
    return data.assign(**columns)


def infinite(name):
    data = visits()
    data.loc[3, name] = np.inf
    return data


ERRORS = {
    "unknown variable": ("y tme || id:", visits(), CommandError, "variable `tme` not found; did you mean `time`?", 2),
    "unknown level": ("y time || idd:", visits(), CommandError, "variable `idd` not found; did you mean `id`?", 10),
    "unknown random coefficient": ("y || id: weak", visits(), CommandError, "variable `weak` not found", 9),
    "unknown variable in if": ("y if agee > 3 || id:", visits(), CommandError, "variable `agee` not found", 5),
    "unknown response": ("z ~ time + (1 | id)", visits(), CommandError, "variable `z` not found", 0),
    "unknown option": ("y time || id:, remll", visits(), OptionError, "unknown option remll; did you mean reml?", 15),
    "no observations": ("y if time > 99 || id:", visits(), NoObservationsError, "`time > 99` selects none of the 60 rows", None),
    "no rows": ("y time || id:", visits().iloc[:0], NoObservationsError, "the data have no rows", None),
    "level missing in all rows": (
        "y || id:",
        visits(id=np.nan),
        NoObservationsError,
        "`id` is missing in all of the 60 rows",
        None,
    ),
    "constant response": ("y time || id:", visits(y=2.5), DataError, "the response `y` is constant (= 2.5)", None),
    "constant where selected": ("y if time == 0 || id:", visits(y=lambda d: d.time), DataError, "`y` is constant (= 0)", None),
    "infinite covariate": ("y time || id:", infinite("time"), DataError, "`time` is infinite in 1 of the 60 rows", None),
    "infinite response": ("y time || id:", infinite("y"), DataError, "`y` is infinite in 1 of the 60 rows", None),
    "infinite random coefficient": ("y || id: x", infinite("x"), DataError, "`x` is infinite in 1 of the 60 rows", None),
    "negative emiterate": ("y || id:, emiterate(-1)", visits(), OptionError, "emiterate(): must be at least 0, found -1", 20),
    "fractional emiterate": ("y || id:, emiter(1.5)", visits(), OptionError, "must be a whole number, found 1.5", 17),
    "text for a number": ("y || id:, iterate(ten)", visits(), OptionError, "found ten where a number should be", 18),
    "level out of range": ("y || id:, level(100)", visits(), OptionError, "must be between 10 and 99.99, found 100", 16),
    "text response": ("y time || id:", visits(y="high"), DataError, "the response `y` holds text, not numbers", None),
    "text covariate": ("y x || id:", visits(x="high"), DataError, "holds text, not numbers; use i.x", None),
    "no model": ("", visits(), CommandError, "no dependent variable", 0),
    "more coefficients than rows": ("y i.row", visits(row=range(60)), DataError, "there are only 60 observations", None),
}


@pytest.fixture(params=ERRORS, ids=str)
def case(request):
    return ERRORS[request.param]


def test_an_error_of_our_own_names_what_and_where(case):
    model, data, kind, message, position = case
    with pytest.raises(SparseMixedError) as caught:
        sparsemixed.mixed(model, data)
    assert type(caught.value) is kind
    assert message in str(caught.value)
    if position is not None:
        assert caught.value.position == position
        assert str(caught.value).splitlines()[1:] == [f"  {model}", f"  {' ' * position}^"]


def test_the_command_line_prints_that_message_and_ends_with_status_2(case, tmp_path, capsys):
    model, data, _, message, _ = case
    path, out = tmp_path / "visits.csv", tmp_path / "fit.json"
    data.to_csv(path, index=False)
    status = cli.main(["fit", str(path), model, "--json", str(out)])
    printed, err = capsys.readouterr()
    assert (status, printed) == (2, "")
    assert err.startswith("sparsemixed: ")
    assert message in err
    assert "Traceback" not in err
    assert "internal error" not in err
    assert not out.exists()


def test_a_whole_process(tmp_path):
    """What a shell sees: the message and its caret, and nothing else."""
    path = tmp_path / "visits.csv"
    visits().to_csv(path, index=False)
    command = [sys.executable, "-m", "sparsemixed", "fit", str(path), "y tme || id:"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "sparsemixed: variable `tme` not found; did you mean `time`?\n  y tme || id:\n    ^\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"remll": True}, "unknown option remll; did you mean reml?"),
        ({"emiterate": -1}, "option emiterate(): must be at least 0, found -1"),
        ({"reml": "yes"}, "option reml is True or False, found 'yes'"),
        ({"mle": True, "reml": True}, "reml=True contradicts mle=True"),
    ],
)
def test_keyword_arguments(options, message):
    with pytest.raises(OptionError) as caught:
        sparsemixed.mixed("y time || id:", visits(), **options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pd.Categorical(["low", "high"] * 30), "holds categories, not numbers"),
        (pd.date_range("2020-01-01", periods=60), "holds dates or times, not numbers"),
        (np.full(60, 1j), "holds complex numbers"),
    ],
)
def test_responses_that_are_no_numbers(values, message):
    with pytest.raises(DataError, match=message):
        sparsemixed.mixed("y time || id:", visits(y=values))


@pytest.mark.parametrize("model", ["y time twice || id:", "y ~ time + twice + (1 | id)"])
def test_a_collinear_design_is_fitted_without_the_last_column_and_says_so(model, tmp_path, capsys):
    data = visits(twice=lambda d: 2 * d.time - 1)
    fit, plain = sparsemixed.mixed(model, data), sparsemixed.mixed("y time || id:", data)
    note = "note: twice omitted because of collinearity."
    assert fit.fit.design.notes == (note,)
    assert str(fit).startswith(note)
    assert list(fit.params.index) == ["time", "_cons"]
    assert fit.llf == plain.llf
    assert fit.e["b"][("y", "o.twice")].item() == 0.0
    data.to_csv(tmp_path / "visits.csv", index=False)
    assert cli.main(["fit", str(tmp_path / "visits.csv"), model]) == 0
    assert note in capsys.readouterr().out


def test_collinear_random_coefficients():
    fit = sparsemixed.mixed("y time || id: time twice", visits(twice=lambda d: 2 * d.time))
    assert fit.fit.design.notes == ("note: twice omitted from the random-effects equation for id because of collinearity.",)
    assert ("id: Independent", "var(twice)") not in fit.random_params.index
