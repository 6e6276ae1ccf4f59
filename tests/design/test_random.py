"""Random terms, their groups, and the table of groups."""

import numpy as np
import pandas as pd
import pytest

from sparsemixed.design import build_design
from sparsemixed.design import random_terms as effects
from sparsemixed.errors import CommandError, DataError
from sparsemixed.spec import Factor, ModelSpec, RandomEquation, Term
from sparsemixed.structures.random.table import STRUCTURES


@pytest.fixture
def data():
    rng = np.random.default_rng(7)
    region = np.repeat([3, 1, 2], [8, 12, 4])
    state = np.concatenate([np.repeat([1, 2], 4), np.repeat([2, 1, 5], 4), np.repeat(1, 4)])
    return pd.DataFrame(
        {
            "y": rng.normal(size=24),
            "x": rng.normal(size=24),
            "z": rng.normal(size=24),
            "a": np.arange(24) % 3,
            "region": region,
            "state": state,
        }
    )


def variables(*names):
    return tuple(Term((Factor(name),)) for name in names)


def design_of(data, *random):
    return build_design(ModelSpec("the text", "y", random=random), data)


def test_intercepts_of_nested_levels_have_codes_repeated_across_parents(data):
    design = design_of(data, RandomEquation("region", ("region",)), RandomEquation("state", ("region", "state")))
    region, state = design.random
    assert (region.n_groups, state.n_groups) == (3, 6)
    assert region.codes.dtype == np.int32
    assert region.codes.tolist() == [2] * 8 + [0] * 12 + [1] * 4
    assert state.labels.to_dict("list") == {"region": [1, 1, 1, 2, 3, 3], "state": [1, 2, 5, 1, 1, 2]}
    for name in ("region", "state"):
        np.testing.assert_array_equal(state.labels[name].to_numpy()[state.codes], data[name])
    np.testing.assert_array_equal(region.columns, np.ones((24, 1)))
    block = region.blocks[0]
    assert (block.equation, block.names, block.structure.name, block.factor, block.position) == (
        *("region", ("_cons",), "identity", None, 0),
    )
    rows = [(row.name, row.n_groups, row.minimum, row.average, row.maximum) for row in design.groups]
    assert rows == [("region", 3, 4, 8.0, 12), ("state", 6, 4, 4.0, 4)]


@pytest.mark.parametrize("covariance", STRUCTURES)
def test_random_coefficients_in_order_with_the_constant_last(data, covariance):
    (term,) = design_of(data, RandomEquation("region", ("region",), variables("z", "x"), covariance=covariance)).random
    assert term.blocks[0].names == ("z", "x", "_cons")
    assert (term.blocks[0].structure.name, term.blocks[0].structure.m) == (covariance, 3)
    np.testing.assert_array_equal(term.columns, np.column_stack([data.z, data.x, np.ones(24)]))
    assert term.columns.flags.c_contiguous


def test_one_effect_is_always_identity(data):
    (term,) = design_of(data, RandomEquation("region", ("region",), covariance="unstructured")).random
    assert term.blocks[0].structure.name == "identity"


def test_repeated_level_makes_blocks_of_one_term(data):
    design = design_of(
        data,
        RandomEquation("region", ("region",), variables("x", "z"), constant=False, covariance="identity"),
        RandomEquation("region", ("region",)),
        RandomEquation("state", ("region", "state")),
    )
    first, second = design.random
    assert [(block.names, block.structure.m, block.position) for block in first.blocks] == [
        (("x", "z"), 2, 0),
        (("_cons",), 1, 1),
    ]
    np.testing.assert_array_equal(first.columns, np.column_stack([data.x, data.z, np.ones(24)]))
    assert second.blocks[0].position == 2
    assert [row.name for row in design.groups] == ["region", "state"]


def test_empty_equation_makes_no_term_but_a_row_of_groups(data):
    design = design_of(data, RandomEquation("region", ("region",), constant=False))
    assert design.random == ()
    assert [row.name for row in design.groups] == ["region"]


def test_factor_effects_are_groups_of_their_own(data):
    design = design_of(
        data,
        RandomEquation("_all", (), constant=False, factor="a", covariance="identity"),
        RandomEquation("region", ("region",), constant=False, factor="state", covariance="identity"),
        RandomEquation("region", ("region",)),
    )
    whole, nested, region = design.random
    assert whole.codes.tolist() == data.a.tolist()
    assert whole.labels.a.tolist() == [0, 1, 2]
    assert (whole.blocks[0].equation, whole.blocks[0].names, whole.blocks[0].factor) == ("_all", ("R.a",), "a")
    assert nested.n_groups == 6
    assert list(nested.labels) == ["region", "state"]
    assert region.n_groups == 3
    assert [(row.name, row.n_groups, row.maximum) for row in design.groups] == [("_all", 1, 24), ("region", 3, 12)]


def test_exchangeable_factor_effects_share_their_group(data):
    equation = RandomEquation("region", ("region",), constant=False, factor="state", covariance="exchangeable")
    design = design_of(data, equation)
    (term,) = design.random
    assert (term.n_groups, term.k, term.blocks[0].structure.name) == (3, 3, "exchangeable")
    assert term.members.tolist() == [[1, 2, 5], [1, None, None], [1, 2, None]]
    assert (term.columns.sum(axis=1) == 1).all()
    shown = [term.members[group, column] for group, column in zip(term.codes, term.columns.argmax(axis=1), strict=True)]
    assert shown == data.state.tolist()
    assert [(row.name, row.n_groups) for row in design.groups] == [("region", 3)]


def test_exchangeable_factor_effects_that_would_not_fit_are_refused(data, monkeypatch):
    monkeypatch.setattr(effects, "MOST_ELEMENTS", 50)
    with pytest.raises(DataError, match=r"covariance\(exchangeable\) needs a dense matrix of 24 rows by 3 columns"):
        design_of(data, RandomEquation("region", ("region",), constant=False, factor="state", covariance="exchangeable"))


def test_other_structures_of_factor_effects_are_refused(data):
    equation = RandomEquation("_all", (), constant=False, factor="a", covariance="unstructured", position=4)
    with pytest.raises(CommandError, match=r"R.a allows covariance\(identity\) or covariance\(exchangeable\)"):
        design_of(data, equation)


def test_categorical_coefficients(data):
    factor = Term((Factor("a", "categorical"),))
    slopes = Term((Factor("a", "categorical"), Factor("x")))

    def names(constant, full_coding):
        equation = RandomEquation("region", ("region",), (factor, slopes), constant=constant, covariance="unstructured")
        spec = ModelSpec("the text", "y", random=(equation,), full_coding=full_coding)
        return build_design(spec, data).random[0].blocks[0].names

    for full_coding in (False, True):
        assert names(True, full_coding) == ("1.a", "2.a", "0.a#x", "1.a#x", "2.a#x", "_cons")
    assert names(False, False) == ("1.a", "2.a", "0.a#x", "1.a#x", "2.a#x")
    assert names(False, True) == ("0.a", "1.a", "2.a", "0.a#x", "1.a#x", "2.a#x")


def test_collinear_coefficients_are_omitted_unless_asked_for(data):
    data["x2"] = 2 * data.x + 1
    equation = RandomEquation("region", ("region",), variables("x", "x2"))
    design = design_of(data, equation)
    assert design.random[0].blocks[0].names == ("x", "_cons")
    assert design.random[0].columns.shape == (24, 2)
    assert design.notes == ("note: x2 omitted from the random-effects equation for region because of collinearity.",)
    kept = design_of(data, RandomEquation("region", ("region",), variables("x", "x2"), collinear=True))
    assert kept.random[0].blocks[0].names == ("x", "x2", "_cons")
    assert not kept.notes


def test_level_variables_of_every_kind_give_the_same_groups(data):
    text = data.state.map({1: "one", 2: "two", 5: "ünf"})
    for column in (data.state.astype(float), text, text.astype("category"), text.astype(object), data.state * 10**12):
        term = design_of(data.assign(state=column), RandomEquation("state", ("region", "state"))).random[0]
        assert term.n_groups == 6
        np.testing.assert_array_equal(term.labels.state.to_numpy()[term.codes], column.to_numpy())


def test_level_variable_may_be_a_covariate(data):
    spec = ModelSpec("", "y", (Term((Factor("region", "categorical"),)),), random=(RandomEquation("region", ("region",)),))
    design = build_design(spec, data)
    assert design.names == ("2.region", "3.region", "_cons")


def test_manual_examples(manual_data):
    spec = ModelSpec(
        "",
        "weight",
        variables("week"),
        random=(
            RandomEquation("_all", (), constant=False, factor="week", covariance="identity"),
            RandomEquation("id", ("id",)),
        ),
    )
    design = build_design(spec, manual_data("pig"))
    assert [(row.name, row.n_groups, row.minimum) for row in design.groups] == [("_all", 1, 432), ("id", 48, 9)]
    assert [term.n_groups for term in design.random] == [9, 48]
    equation = RandomEquation("region", ("region",), constant=False, factor="state", covariance="exchangeable")
    design = build_design(ModelSpec("", "gsp", variables("hwy"), random=(equation,)), manual_data("productivity"))
    assert [(row.n_groups, row.minimum, row.maximum) for row in design.groups] == [(9, 51, 136)]
    assert design.random[0].k == 9  # eight columns of data, and one for the levels that a region lacks
    assert design.random[0].blocks[0].structure.n_effects == 48
