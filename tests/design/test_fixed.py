"""Columns of the fixed part: names as Stata prints them, base levels, collinearity, new data."""

import numpy as np
import pandas as pd
import pytest

from sparsemixed.design import build_design, rows_of_X
from sparsemixed.errors import CommandError, DataError
from sparsemixed.spec import Factor, ModelSpec, RandomEquation, Term


def c(name, **more):
    return Factor(name, "continuous", **more)


def i(name, **more):
    return Factor(name, "categorical", **more)


def auto(name, **more):
    return Factor(name, "by_type", **more)


def term(*factors):
    return Term(factors)


def full(*factors):
    """`a##b` as the parser expands it."""
    return (*[Term((factor,)) for factor in factors], Term(factors))


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    a, b = np.divmod(np.arange(48) % 12, 4)
    return pd.DataFrame(
        {
            "y": rng.normal(size=48),
            "x": rng.normal(size=48),
            "z": rng.normal(size=48),
            "a": a + 1,
            "b": b * 2,
            "s": np.array(["new", "old", "mid"])[a],
            "k": pd.Categorical(np.array(["lo", "hi", "mid"])[a], categories=["none", "lo", "mid", "hi"]),
            "t": a == 1,
        }
    )


def design_of(data, *terms, constant=True, **more):
    return build_design(ModelSpec("the text", "y", tuple(terms), constant, **more), data)


def statuses(design):
    return {column.name: column.status for column in design.columns}


def test_continuous_columns_and_products(data):
    design = design_of(data, term(c("x")), term(c("x"), c("x")), term(c("x"), c("z")))
    assert design.names == ("x", "c.x#c.x", "c.x#c.z", "_cons")
    x, z = data.x.to_numpy(), data.z.to_numpy()
    np.testing.assert_array_equal(design.X, np.column_stack([x, x * x, x * z, np.ones(48)]))
    assert design.X.flags.c_contiguous
    assert design.X.dtype == np.float64
    assert design.columns[-1].term == -1
    assert design.columns[1].cell == (None, None)


def test_factor_has_a_base_column_that_is_not_estimated(data):
    design = design_of(data, term(i("a")))
    assert statuses(design) == {"1b.a": "base", "2.a": "estimated", "3.a": "estimated", "_cons": "estimated"}
    np.testing.assert_array_equal(design.X[:, 1], data.a == 3)
    assert design.levels == {"a": (1, 2, 3)}


@pytest.mark.parametrize(
    ("base", "names"),
    [
        ("first", ("2.a", "3.a")),
        ("last", ("1.a", "2.a")),
        ("frequent", ("1.a", "3.a")),
        (2.0, ("1.a", "3.a")),
        ("#2", ("1.a", "3.a")),
        ("none", ("1bn.a", "2.a")),
    ],
)
def test_base_levels(data, base, names):
    data = data[(data.a == 2) | (np.arange(48) % 3 > 0)]
    assert design_of(data, term(i("a", base=base))).names == (*names, "_cons")


def test_base_that_is_not_in_the_sample(data):
    with pytest.raises(CommandError) as caught:
        design_of(data, term(i("a", base=9.0, position=4)))
    assert str(caught.value) == "base level 9 of `a` is not in the sample; its levels are 1, 2, 3\n  the text\n      ^"


def test_base_by_rank_beyond_the_levels(data):
    with pytest.raises(CommandError, match="base level #4 of `a` is not in the sample; its levels are 1, 2, 3"):
        design_of(data, term(i("a", base="#4")))


def test_full_interaction_gives_the_usual_contrasts(data):
    design = design_of(data, *full(i("a"), i("b")))
    assert design.names == (
        *("2.a", "3.a", "2.b", "4.b", "6.b"),
        *("2.a#2.b", "2.a#4.b", "2.a#6.b", "3.a#2.b", "3.a#4.b", "3.a#6.b", "_cons"),
    )
    found = statuses(design)
    assert all(found[name] == "base" for name in ("1b.a#0b.b", "1b.a#2o.b", "2o.a#0b.b"))
    assert np.linalg.matrix_rank(design.X) == 12
    assert not design.notes


def test_interaction_alone_has_one_base_cell(data):
    design = design_of(data, term(i("a"), i("b")))
    assert [column.name for column in design.columns if column.status != "estimated"] == ["1b.a#0b.b"]
    assert design.names[:4] == ("1b.a#2.b", "1b.a#4.b", "1b.a#6.b", "2.a#0b.b")
    assert np.linalg.matrix_rank(design.X) == design.X.shape[1] == 12


def test_interaction_with_one_main_effect(data):
    design = design_of(data, term(i("a")), term(i("a"), i("b")))
    assert np.linalg.matrix_rank(design.X) == design.X.shape[1] == 12
    assert statuses(design)["1b.a#2.b"] == "estimated"
    assert statuses(design)["2o.a#0b.b"] == "base"
    assert not design.notes


def test_slopes_for_every_level_unless_the_variable_is_in_the_list(data):
    assert design_of(data, term(i("a"), c("x"))).names == ("1b.a#c.x", "2.a#c.x", "3.a#c.x", "_cons")
    with_main = design_of(data, term(i("a"), c("x")), term(c("x")))
    assert with_main.names == ("2.a#c.x", "3.a#c.x", "x", "_cons")
    assert statuses(with_main)["1b.a#co.x"] == "base"


def test_three_way_slopes_over_a_main_effect(data):
    design = design_of(data, term(c("x")), term(i("a"), i("b"), c("x")))
    assert statuses(design)["1b.a#0b.b#co.x"] == "base"
    assert design.X.shape[1] == 13
    assert np.linalg.matrix_rank(design.X) == 13


def test_no_base_anywhere_means_no_base_in_the_whole_list(data):
    design = design_of(data, term(i("a", base="none")), term(i("a"), c("x")), term(c("x"), c("x")), constant=False)
    assert design.names == ("1bn.a", "2.a", "3.a", "1bn.a#c.x", "2.a#c.x", "3.a#c.x", "c.x#c.x")


def test_ex6b_and_ex6c_names(manual_data):
    terms = (term(i("girl", base="none")), term(i("girl"), c("age")))
    equation = RandomEquation("id", ("id",), terms, constant=False)
    spec = ModelSpec("", "weight", (*terms, term(c("age"), c("age"))), False, (equation,))
    design = build_design(spec, manual_data("childweight"))
    assert design.names == ("0bn.girl", "1.girl", "0bn.girl#c.age", "1.girl#c.age", "c.age#c.age")
    assert design.random[0].blocks[0].names == ("0.girl", "1.girl", "0.girl#age", "1.girl#age")
    assert design.value_labels == {"girl": {0: "boy", 1: "girl"}}
    assert not design.notes


def test_continuous_factors_follow_categorical_ones_in_names(data):
    assert design_of(data, term(c("x"), i("a"))).names[0] == "1b.a#c.x"


def test_chosen_levels_have_no_base(data):
    design = design_of(data, term(i("a", levels=(1, 3))))
    assert design.names == ("1.a", "3.a", "_cons")
    for base in ("first", "none"):
        chosen = term(i("a", levels=(3,), base=base), c("x"))
        assert design_of(data, term(i("a")), chosen).names == ("2.a", "3.a", "3.a#c.x", "_cons")


def test_levels_and_cells_without_observations(data):
    data = data[~((data.a == 2) & (data.b == 4))]
    design = design_of(data, *full(i("a"), i("b")))
    assert statuses(design)["2o.a#4o.b"] == "empty"
    assert design.notes == ("note: 2.a#4.b identifies no observations in the sample.",)
    assert design_of(data, term(i("a", levels=(9.0,)))).names == ("_cons",)


def test_omitted_on_request(data):
    design = design_of(data, term(c("x", omitted=True)), term(i("a")), term(i("a", levels=(3,), omitted=True)))
    assert statuses(design) == {"o.x": "omitted", "1b.a": "base", "2.a": "estimated", "3o.a": "omitted", "_cons": "estimated"}
    assert not design.notes
    design = design_of(data, term(i("a"), c("x", omitted=True)))
    assert [column.name for column in design.columns][:2] == ["1b.a#co.x", "2o.a#co.x"]


def test_text_categories_and_booleans(data):
    design = design_of(data, term(auto("s")), term(auto("x")))
    assert design.names == ("new.s", "old.s", "x", "_cons")
    design = design_of(data, term(auto("k")))
    assert design.names == ("mid.k", "hi.k", "_cons")  # in category order; "none" is not in the sample
    assert design_of(data, term(auto("t"))).names == ("1.t", "_cons")
    assert design_of(data, term(c("t"))).names == ("t", "_cons")
    assert design_of(data, term(i("s", base="new"))).names == ("mid.s", "old.s", "_cons")


@pytest.mark.parametrize(("values", "shown"), [([-1, 0, 1], "-1"), ([0.5, 1, 2], "0.5")])
def test_numbers_that_are_no_levels(data, values, shown):
    data["w"] = np.resize(values, 48)
    with pytest.raises(DataError, match=f"nonnegative whole numbers or text; `w` has {shown}: recode it"):
        design_of(data, term(i("w")))


def test_collinear_columns_are_omitted_with_a_note(data):
    data["x2"] = 1e9 - 3 * data.x
    data["one"] = 7.1
    design = design_of(data, term(c("x")), term(c("x2")), term(c("one")), term(c("z")))
    assert statuses(design) == {
        "x": "estimated",
        "o.x2": "omitted",
        "o.one": "omitted",
        "z": "estimated",
        "_cons": "estimated",
    }
    assert design.notes == ("note: x2 omitted because of collinearity.", "note: one omitted because of collinearity.")
    assert design.X.shape == (48, 3)
    assert design.X.flags.c_contiguous


def test_collinear_factors(data):
    data["a2"] = data.a + 4
    design = design_of(data, term(i("a")), term(i("a2")), term(i("a2"), c("x")), term(i("a"), c("x")))
    assert design.notes[:2] == ("note: 6.a2 omitted because of collinearity.", "note: 7.a2 omitted because of collinearity.")
    assert design.notes[2:] == tuple(f"note: {level}.a#c.x omitted because of collinearity." for level in (1, 2, 3))
    assert [name for name, status in statuses(design).items() if status == "omitted"] == [
        *("6o.a2", "7o.a2", "1b.a#co.x", "2o.a#co.x", "3o.a#co.x")
    ]


def test_everything_collinear_leaves_the_constant(data):
    data["x"], data["z"] = 0.0, 1.0
    design = design_of(data, term(c("x")), term(c("z")))
    assert design.names == ("_cons",)
    assert design_of(data, term(c("x")), term(c("z")), constant=False).names == ("z",)
    assert design_of(data, constant=False).X.shape == (48, 0)


def test_repeated_terms_are_used_once(data):
    design = design_of(data, term(c("x")), term(c("x")), term(i("a")), *full(i("a"), i("b")), term(i("b"), i("a")))
    assert len(design.names) == len(set(design.names)) == 13
    assert design.notes == ("note: x is listed 2 times and used once.",)


def test_new_data_give_the_same_columns(data):
    spec = ModelSpec("", "y", (*full(auto("s"), i("b")), term(auto("k"), c("x")), term(c("z")), term(c("z"))))
    design = build_design(spec, data)
    np.testing.assert_array_equal(rows_of_X(design, spec, data), design.X)
    new = data.iloc[[17, 3]].drop(columns="y").astype({"s": object, "k": object})
    np.testing.assert_array_equal(rows_of_X(design, spec, new), design.X[[17, 3]])


def test_new_data_with_missing_values_and_unseen_levels(data):
    spec = ModelSpec("", "y", (term(i("s")), term(c("x"))))
    design = build_design(spec, data)
    new = pd.DataFrame({"s": ["old", None, "mid"], "x": [1.0, 2.0, np.nan]})
    np.testing.assert_array_equal(rows_of_X(design, spec, new), [[0, 1, 1, 1], [np.nan] * 4, [np.nan] * 4])
    with pytest.raises(DataError, match="`s` has levels that were not in the sample fitted: older"):
        rows_of_X(design, spec, pd.DataFrame({"s": ["older"], "x": [1.0]}))
    with pytest.raises(CommandError, match="variable `x` not found"):
        rows_of_X(design, spec, pd.DataFrame({"s": ["old"]}))
