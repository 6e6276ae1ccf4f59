"""Rows used, and every way in which data can be unusable."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from sparsemixed.command import read_expression
from sparsemixed.design import build_design
from sparsemixed.errors import CommandError, DataError
from sparsemixed.spec import Factor, ModelSpec, RandomEquation, Sample, Term

N = 12


def data(**changes):
    rng = np.random.default_rng(1)
    columns = {"y": rng.normal(size=N), "x": rng.normal(size=N), "z": rng.normal(size=N), "g": np.arange(N) % 3}
    return pd.DataFrame(columns | changes)


WHOLE = Sample()
INTERCEPTS = (RandomEquation("g", ("g",)),)


def model(*covariates, sample=WHOLE, random=INTERCEPTS):
    terms = tuple(Term((Factor(name),)) for name in covariates)
    return ModelSpec("y x || g:", "y", terms, random=random, sample=sample, positions={"x": 2, "g": 7})


@dataclass(frozen=True)
class Above:
    """An `if` expression `variable > bound`, missing being larger than any number."""

    variable: str
    bound: float

    @property
    def variables(self):
        return frozenset({self.variable})

    def selects(self, columns, n_rows):
        values = columns[self.variable]
        assert values.shape == (n_rows,)
        return np.isnan(values) | (values > self.bound)


def test_every_row_is_kept_when_nothing_is_missing():
    design = build_design(model("x"), data())
    assert design.kept.tolist() == list(range(N))
    assert design.kept.dtype == np.int64


def test_rows_missing_in_any_part_are_dropped_for_all():
    table = data(w=np.ones(N))
    table.loc[1, "y"] = np.nan
    table.loc[2, "x"] = np.nan
    table.loc[3, "z"] = np.nan
    table["g"] = table["g"].astype("Int64")
    table.loc[4, "g"] = pd.NA
    table["r"] = ["", None, *"abcdefghij"]
    table.loc[5, "w"] = np.nan  # not in the model
    before = table.copy()
    random = (
        RandomEquation("g", ("g",), (Term((Factor("z"),)),)),
        RandomEquation("_all", (), constant=False, factor="r", covariance="identity"),
    )
    design = build_design(model("x", random=random), table)
    assert design.kept.tolist() == [5, 6, 7, 8, 9, 10, 11]
    assert len(design.y) == len(design.X) == 7
    assert all(len(term.codes) == len(term.columns) == 7 for term in design.random)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize(
    ("first", "last", "kept"),
    [(3, 5, [2, 3, 4]), (None, 4, [0, 1, 2, 3]), (10, None, [9, 10, 11]), (-3, None, [9, 10, 11]), (-4, -2, [8, 9, 10])],
)
def test_in_range_counts_from_one_or_from_the_end(first, last, kept):
    assert build_design(model("x", sample=Sample(first=first, last=last)), data()).kept.tolist() == kept


@pytest.mark.parametrize(("first", "last"), [(0, 3), (5, 4), (1, N + 1), (-N - 1, None)])
def test_in_range_outside_of_the_data(first, last):
    with pytest.raises(DataError, match="does not lie within the 12 rows"):
        build_design(model("x", sample=Sample(first=first, last=last)), data())


def test_if_takes_missing_for_true_and_its_variables_drop_no_rows():
    table = data(w=[np.nan, *range(1, N)])
    design = build_design(model("x", sample=Sample(Above("w", 5.0))), table)
    assert design.kept.tolist() == [0, 6, 7, 8, 9, 10, 11]


def test_if_that_is_text():
    condition = read_expression("w")
    with pytest.raises(CommandError, match="the condition is a string"):
        build_design(model("x", sample=Sample(condition, "w")), data(w=list("abcdefghijkl")))


def test_if_and_in_together():
    sample = Sample(Above("w", 5.0), first=1, last=9)
    assert build_design(model("x", sample=sample), data(w=np.arange(N))).kept.tolist() == [6, 7, 8]


def test_unknown_variable_is_shown_in_place_with_a_suggestion():
    with pytest.raises(CommandError) as caught:
        build_design(model("x"), data().rename(columns={"x": "X"}))
    assert str(caught.value) == "variable `x` not found; did you mean `X`?\n  y x || g:\n    ^"


@pytest.mark.parametrize(
    ("known", "typed", "advice"),
    [
        ("weight", "wieght", "did you mean `weight`?"),
        ("weight", "wei", "did you mean `weight`?"),
        ("weight", "qqq", "the data have y, weight, g"),
    ],
)
def test_suggestions(known, typed, advice):
    table = data()[["y", "x", "g"]].rename(columns={"x": known})
    with pytest.raises(CommandError) as caught:
        build_design(model(typed), table)
    assert advice in str(caught.value)


def test_unknown_variable_in_the_condition():
    with pytest.raises(CommandError, match="variable `w` not found"):
        build_design(model("x", sample=Sample(Above("w", 0))), data())


BAD = {
    "no rows": (data().iloc[:0], "the data have no rows"),
    "level variable all missing": (data(g=[np.nan] * N), "no observations: `g` is missing in all of the 12 rows selected"),
    "two all missing": (data(g=[np.nan] * N, x=[np.nan] * N), "no observations: `x`, `g` are missing in all"),
    "never complete": (
        data(x=[np.nan] * 6 + [1.0] * 6, g=[1.0] * 6 + [np.nan] * 6),
        r"each of the 12 rows selected is missing some variable of the model: `x` \(6\), `g` \(6\)",
    ),
    "infinite": (data(x=[np.inf, -np.inf] + [1.0] * (N - 2)), "variable `x` is infinite in 2 of the 12 rows used"),
    "text response": (data(y=list("abcdefghijkl")), "the response `y` holds text, not numbers"),
    "constant response": (data(y=[3] * N), r"the response `y` is constant \(= 3\) in the 12 observations used"),
    "text covariate": (data(x=list("abcdefghijkl")), "use i.x to enter it as a categorical covariate"),
    "categorical covariate": (data(x=pd.Categorical(list("ab") * 6)), "`x` holds categories, not numbers; use i.x"),
    "times of day": (data(x=[pd.Timestamp(hour, unit="h").time() for hour in range(N)]), "`x` holds times of day; convert it to"),
    "complex": (data(x=np.ones(N) * 1j), "`x` holds complex numbers"),
}


@pytest.mark.parametrize(("table", "message"), BAD.values(), ids=BAD.keys())
def test_unusable_data(table, message):
    with pytest.raises(DataError, match=message):
        build_design(model("x"), table)


def test_condition_that_selects_nothing():
    sample = Sample(Above("x", 1e9), condition_text="x > 1e9")
    with pytest.raises(DataError, match="the `if` condition `x > 1e9` selects none of the 12 rows"):
        build_design(model("x", sample=sample), data())


def test_infinite_values_outside_of_the_sample_do_not_matter():
    table = data(x=[np.inf] + [1.0, 2.0] * 5 + [0.5])
    assert len(build_design(model("x", sample=Sample(first=2)), table).y) == N - 1


def test_more_coefficients_than_observations():
    table = data(a=np.arange(N))
    spec = ModelSpec("", "y", (Term((Factor("a", "categorical"),)),))
    with pytest.raises(DataError, match="12 coefficients and there are only 12 observations"):
        build_design(spec, table)
    wide = pd.DataFrame({"y": np.arange(3000.0), "a": np.arange(3000), "x": 1.0})
    spec = ModelSpec("", "y", (Term((Factor("a", "categorical"), Factor("a", "categorical"))),))
    with pytest.raises(DataError, match="too many for fixed columns"):
        build_design(spec, wide)
    spec = ModelSpec("", "y", (Term((Factor("a", "categorical"),)), Term((Factor("y"),)), Term((Factor("x"),))))
    with pytest.raises(DataError, match="`a` alone has 3000 levels, which may belong to a random effect"):
        build_design(spec, wide)


def test_dates_may_name_groups():
    table = data(g=pd.to_datetime(["2020-01-02", "2020-01-01"] * 6))
    term = build_design(model("x"), table).random[0]
    assert term.n_groups == 2
    assert term.codes.tolist() == [1, 0] * 6
