"""The argument of residuals(): read once, with the places of its variables and its words."""

import pytest

from sparsemixed.command import read_model
from sparsemixed.command.residuals import residuals
from sparsemixed.errors import OptionError


@pytest.mark.parametrize(
    ("command", "text", "places"),
    [
        ("y x || id:, residuals(ar 1, t(week))", "ar 1, t(week)", {"week": 30}),
        ("y x || id:, reml res( toep 2 , by(arm) T( week ) ) nolog", "toep 2 , by(arm) T( week )", {"arm": 34, "week": 42}),
        ("y x || id:, residuals(exch, by(`an (odd) arm`))", "exch, by(`an (odd) arm`)", {"an (odd) arm": 31}),
        ("y x, residuals(ma, t(t)) || id:", "ma, t(t)", {"t": 21}),
        ("y x || id:, res(ar 1, /* by(no) */ t(week))", "ar 1,              t(week)", {"week": 37}),
    ],
)
def test_words_and_places(command, text, places):
    found = read_model(command, {}).residual
    assert (found.text, found.positions) == (text, places)
    assert all(command[place:].lstrip("`").startswith(name) for name, place in places.items())


def test_a_variable_keeps_its_first_place():
    spec = read_model("y t || id:, residuals(ar 1, t(t))", {})
    assert spec.positions["t"] == 2
    assert spec.residual.positions["t"] == 30


@pytest.mark.parametrize("model", ["y x || id:", "y ~ x + (1 | id)"])
def test_places_in_a_keyword_are_none_of_the_text(model):
    spec = read_model(model, {"residuals": "ar 1, t(week)"})
    assert spec.residual.text == "ar 1, t(week)"
    assert "week" not in spec.positions
    assert spec.residual.position is None


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("ar 1, t(week) by(a b)", r"found by\(a b\), expected by"),
        ("ar 1, t", "found t, expected by"),
        ("ar 1, (week)", r"found \(week\), expected by"),
        ("ar 1, t(week", r"found t\(week, expected by"),
        ("ar 1 2, t(week)", "found ar 1 2, t"),
        ("ar(1)", r"found ar\(1\), expected a structure"),
        ("ar ², t(week)", "whole number, found ²"),
        (f"ar {'9' * 5000}, t(week)", "a number of 5000 digits is too large"),
    ],
)
def test_what_cannot_be_read(typed, message):
    with pytest.raises(OptionError, match=message):
        residuals(typed)
    with pytest.raises(OptionError, match=message):
        read_model("y ~ x + (1 | id)", {"residuals": typed})
