"""Weights in the design: rows left out, products along the path, pwscale(), nesting, and what is counted."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsemixed.command import read_model
from sparsemixed.design import build_design
from sparsemixed.design.weights.scaling import scaled
from sparsemixed.errors import CommandError, DataError, OptionError
from sparsemixed.inference.hypotheses.comparable import refuse_incomparable
from sparsemixed.reporting.stored.weights import stored_weights
from sparsemixed.reporting.tables.titles import criterion_name, title

N = 24


@cache
def data():
    """Two schools of three classes (numbered anew in each school) of four pupils."""
    rng = np.random.default_rng(0)
    rows = np.arange(N)
    table = pd.DataFrame({"y": rng.normal(size=N), "x": rng.normal(size=N), "school": rows // 12, "class": rows // 4 % 3})
    table["room"] = rows // 4  # as class, but each with a number of its own
    table["teacher"] = rows % 3  # crossed with everything
    table["t"], table["arm"] = rows % 4, rows % 2
    table["n"] = rng.integers(1, 4, N)
    table["n_school"], table["n_class"] = 2 + table["school"], 1 + table["class"]
    table["p"] = rng.uniform(0.5, 2, N)
    table["p_school"], table["p_class"] = 1.5 + table["school"], 0.5 + table["room"] / 8
    return table


def design(model, changes=None, **options):
    table = data().assign(**(changes or {}))
    before = table.copy()
    found = build_design(read_model(model, options), table)
    pd.testing.assert_frame_equal(table, before)
    return found


def column(name, rows=None):
    values = data()[name].to_numpy(dtype=float)
    return values if rows is None else values[rows]


def test_without_weights():
    assert design("y x || school:").weights is None


def test_products_along_the_path():
    found = design("y x [pw=p] || school:, pweight(p_school) || class: x, pweight(p_class)")
    assert found.weights.kind == "sampling"
    assert np.array_equal(found.weights.rows, column("p") * (column("p_school") * column("p_class")))
    of_schools, of_classes = found.weights.groups
    assert of_schools.tolist() == [1.5, 2.5]
    assert of_classes.tolist() == [(1.5 + room // 3) * (0.5 + room / 8) for room in range(6)]


def test_every_term_of_a_level_has_the_weights_of_its_groups():
    found = design("y x || school: R.t || school: x || school:, fweight(n_school)")
    inner, outer = found.weights.groups
    assert outer.tolist() == [2, 3]
    assert inner.tolist() == [2] * 4 + [3] * 4
    assert all(len(g) == term.n_groups for g, term in zip(found.weights.groups, found.random, strict=True))


def test_exchangeable_effects_share_the_weight_of_their_group():
    found = design("y x || school: R.t, covariance(exchangeable) || school:, fweight(n_school)")
    assert [g.tolist() for g in found.weights.groups] == [[2, 3], [2, 3]]


def test_a_level_without_weights_carries_those_above():
    found = design("y x || school:, fweight(n_school) || class:")
    assert [g.tolist() for g in found.weights.groups] == [[2, 3], [2, 2, 2, 3, 3, 3]]
    assert np.array_equal(found.weights.rows, column("n_school"))


def test_the_whole_sample_has_weight_one():
    found = design("y x [fw=n] || _all: || school:, fweight(n_school)")
    assert [g.tolist() for g in found.weights.groups] == [[1], [2, 3]]


def test_weights_without_random_effects():
    found = design("y x [pw=p]")
    assert found.weights.groups == ()
    assert np.array_equal(found.weights.rows, column("p"))


def test_expressions_see_all_rows_of_the_data():
    found = design("y x [pw=_n/2] in 5/14 || school:")
    assert found.weights.rows.tolist() == [n / 2 for n in range(5, 15)]


def test_precision_weights_weight_rows_only():
    found = design("y x || _all: R.teacher || room:", precision_weights="1/p", reml=True)
    assert found.weights.kind == "precision"
    assert np.array_equal(found.weights.rows, 1 / column("p"))
    assert all(np.all(g == 1) for g in found.weights.groups)
    assert found.nobs == found.n_obs == N


def test_levels_of_formulas_nest_as_the_data_do():
    nested = design("y ~ x + (1 | room) + (1 | school)", pweights={"": "p", "room": "p_class", "school": "p_school"})
    typed = design("y x [pw=p] || school:, pweight(p_school) || class:, pweight(p_class)")
    assert np.array_equal(nested.weights.rows, typed.weights.rows)
    for ours, theirs in zip(nested.weights.groups, reversed(typed.weights.groups), strict=True):
        assert np.array_equal(ours, theirs)
    slash = design("y ~ x + (1 | school/class)", pweights={"": "p", "school:class": "p_class", "school": "p_school"})
    assert np.array_equal(slash.weights.groups[1], typed.weights.groups[1])


def test_levels_with_the_same_groups_keep_their_order():
    """Every school has one head: its weight belongs below the school's."""
    found = design("y x || school:, fweight(n_school) || head:, fweight(2)", {"head": data()["school"]})
    assert [g.tolist() for g in found.weights.groups] == [[2, 3], [4, 6]]


# Rows left out


def test_missing_and_zero_weights_leave_rows_out():
    found = design("y x [pw=w] || school:", {"w": data()["p"].where(data().index != 3).where(data().index != 7, 0.0)})
    assert found.kept.tolist() == [row for row in range(N) if row not in (3, 7)]
    assert np.array_equal(found.weights.rows, column("p", found.kept))


def test_what_has_no_value_is_missing():
    found = design("y x [pw=1/z] || school:", {"z": data()["t"]})
    assert found.kept.tolist() == [row for row in range(N) if row % 4]
    assert len(design("y x [pw=cond(missing(z), 1, z)] || school:", {"z": data()["p"].where(data()["t"] > 0)}).kept) == N


@pytest.mark.parametrize("empty", [0.0, np.nan])
def test_a_group_without_weight_leaves_with_its_rows(empty):
    found = design("y x || school: || class:, pweight(w)", {"w": data()["p_class"].where(data()["room"] != 2, empty)})
    assert found.kept.tolist() == [row for row in range(N) if row // 4 != 2]
    assert [len(g) for g in found.weights.groups] == [2, 5]


def test_rows_outside_of_the_condition_may_have_any_weight():
    assert len(design("y x if t > 0 [fw=w] || school:", {"w": data()["n"].where(data()["t"] > 0, -0.5)}).kept) == 18


def test_frequencies_computed_with_rounding_are_whole():
    found = design("y x [fw=w*3] || school:", {"w": 0.1 * data()["n"] * 10 / 3})
    assert np.array_equal(found.weights.rows, column("n"))


# Values that no weight may have


@pytest.mark.parametrize(
    ("model", "changes", "message"),
    [
        ("y x [pw=w] || school:", {7: -1.0}, r"the weight `w` is negative \(-1\) in row 8 of the data"),
        ("y x [pw=2*w] || school:", {7: -1.0, 9: -2.0}, r"the weight `2\*w` is negative \(-2\) in row 8"),
        ("y x [fw=w] || school:", {7: 2.5}, "the frequency weight `w` is 2.5 in row 8 of the data; .*whole numbers; .*pweights"),
        ("y x [pw=w] || school:", {7: np.inf}, "variable `w` is infinite in 1 of the 24 rows"),
        ("y x [pw=1/w] || school:", {7: np.inf}, "variable `w` is infinite"),
        ("y x [pw=w*0] || school:", {}, r"no observations: the weight `w\*0` is zero in all of the 24 rows"),
        ("y x [pw=w/0] || school:", {}, "no observations: `w/0` is missing in all of the 24 rows"),
        ("y x || school:, pweight(w)", {7: 2.0}, "weight `w` of the level school must be constant .* 1 and 2 within school = 0$"),
        ("y x || school: || class:, pweight(w)", {21: 2.0}, "of the level class .* 1 and 2 within school = 1, class = 2$"),
        ("y x || school:, fweight(w)", {13: 0.0}, "must be constant within its groups; it is 1 and 0 within school = 1$"),
        ("y x || school:, fweight(w/2)", {}, r"the frequency weight `w/2` is 0.5 in row 1"),
    ],
)
def test_refused_values(model, changes, message):
    weight = np.ones(N)
    weight[list(changes)] = list(changes.values())
    with pytest.raises(DataError, match=message):
        design(model, {"w": weight})


def test_the_first_group_that_varies_is_named():
    with pytest.raises(DataError, match="within school = 0, class = 1"):
        design("y x || school: || class:, pweight(w)", {"w": 1.0 + (np.arange(N) % 8 == 5) + (np.arange(N) == 4 * 4)})


def test_text_is_no_weight():
    with pytest.raises(DataError, match="the weight `name` is text or dates, not numbers"):
        design("y x [pw=name] || school:", {"name": "a"})
    with pytest.raises(CommandError, match="arithmetic needs numbers"):
        design("y x [pw=name+1] || school:", {"name": "a"})


def test_unknown_variables_are_pointed_at():
    for command in ("y x [pw=p/skool] || school:", "y x || school:, pweight(p/skool)"):
        with pytest.raises(CommandError, match="`skool` not found; did you mean `school`") as caught:
            design(command)
        assert caught.value.position == command.index("skool")
    with pytest.raises(CommandError, match="`skool` not found"):
        design("y x || school:", pweights="skool")


# Crossed factors and residual structures


CROSSED = ["y x || _all: R.teacher || school:", "y ~ x + (1 | teacher) + (1 | school)", "y x || school: R.teacher || class:"]


@pytest.mark.parametrize("model", CROSSED)
def test_observations_of_crossed_factors_may_have_frequencies(model):
    found = design(model, fweights="n")
    assert np.array_equal(found.weights.rows, column("n"))
    assert all(np.all(g == 1) for g in found.weights.groups)


@pytest.mark.parametrize("model", CROSSED)
def test_groups_of_crossed_factors_may_not(model):
    level = "class" if "class" in model else "school"
    with pytest.raises(OptionError, match=r"(R\.)?\w+ and \w+ are crossed; .*frequency weights of the observations"):
        design(model, fweights={level: "n_class" if level == "class" else "n_school"})


@pytest.mark.parametrize("model", CROSSED[1:])
def test_sampling_weights_need_nested_groups(model):
    with pytest.raises(OptionError, match=r"pweights need nested groups, and .*\w+ and \w+ are crossed: the pseudolikelihood"):
        design(model, pweights="p")


def test_crossed_groups_are_pointed_at():
    command = "y x || _all: R.teacher || school:, fweight(n_school)"
    with pytest.raises(OptionError, match="are crossed") as caught:
        design(command)
    assert caught.value.position == command.index("n_school")


def test_effects_that_the_data_nest_are_not_crossed():
    found = design("y x || _all: R.school || room:, fweight(n_class)")
    assert [g.tolist() for g in found.weights.groups] == [[1, 1], [1, 2, 3, 1, 2, 3]]


@pytest.mark.parametrize("residual", ["ar 1, t(t)", "exchangeable", "exponential, t(t) by(school)"])
def test_correlated_errors_go_with_weights_of_the_top_level(residual):
    found = design(f"y x || school:, fweight(n_school) || class:, residuals({residual})")
    assert np.array_equal(found.weights.rows, column("n_school"))
    command = f"y x || school: || class:, fweight(n_class) residuals({residual})"
    with pytest.raises(OptionError, match="only groups of the top level may have weights then, and class is below") as caught:
        design(command)
    assert caught.value.position == command.index("n_class")


def test_errors_of_several_variances_go_with_weights_everywhere():
    found = design("y x [fw=n] || school:, fw(n_school) || class:, fw(n_class) residuals(independent, by(arm))")
    assert np.array_equal(found.weights.rows, column("n") * column("n_school") * column("n_class"))


# pwscale()


def test_pwscale_by_hand():
    by = np.arange(N) // 12
    p, school = column("p"), column("p_school")
    groups = [slice(0, 12), slice(12, 24)]
    expected = {
        "size": (np.concatenate([12 * p[g] / p[g].sum() for g in groups]), school),
        "effective": (np.concatenate([p[g] * p[g].sum() / (p[g] ** 2).sum() for g in groups]), school),
        "gk": (np.ones(N), np.array([(p[g] * school[g]).sum() / 12 for g in groups])[by]),
    }
    for scale, (of_rows, of_groups) in expected.items():
        found = design(f"y x [pw=p] || school: R.t || school:, pweight(p_school) pwscale({scale})")
        np.testing.assert_allclose(found.weights.rows, of_rows * of_groups, rtol=1e-14)
        np.testing.assert_allclose(found.weights.groups[1], of_groups[[0, 12]], rtol=1e-14)
        np.testing.assert_allclose(found.weights.groups[0], np.repeat(of_groups[[0, 12]], 4), rtol=1e-14)


def test_gk_makes_weights_of_groups_where_there_are_none():
    found = design("y x [pw=p] || school:, pwscale(gk)")
    means = [column("p", slice(0, 12)).mean(), column("p", slice(12, 24)).mean()]
    np.testing.assert_allclose(found.weights.groups[0], means, rtol=1e-14)


def test_rows_left_out_do_not_count_in_the_scale():
    weight = data()["p"].where(data()["t"] > 0, 0.0)
    found = design("y x [pw=w] || school:, pwscale(size)", {"w": weight})
    np.testing.assert_allclose(np.bincount(found.random[0].codes, found.weights.rows), [9, 9])


positive = st.floats(0.01, 100)


@given(st.lists(st.tuples(st.integers(0, 3), positive), min_size=1, max_size=30), st.lists(positive, min_size=8, max_size=8))
def test_what_scaled_weights_add_up_to(rows, other):
    codes, distinct = np.unique([code for code, _ in rows], return_inverse=True)[::-1]
    w, groups = np.array([weight for _, weight in rows]), np.array(other[:4])[codes]
    n = len(distinct)
    size, total = np.bincount(codes), np.bincount(codes, w)
    np.testing.assert_allclose(np.bincount(codes, scaled("size", w, groups, codes, n)[0]), size)
    effective = total**2 / np.bincount(codes, w**2)
    np.testing.assert_allclose(np.bincount(codes, scaled("effective", w, groups, codes, n)[0]), effective)
    ones, means = scaled("gk", w, groups, codes, n)
    assert np.all(ones == 1)
    np.testing.assert_allclose(np.bincount(codes, means), np.bincount(codes, w * groups))
    # Unconditional weights serve as well as conditional ones.
    unconditional = w * np.array(other[4:])[codes]
    for scale in ("size", "effective"):
        conditional = scaled(scale, w, groups, codes, n)
        np.testing.assert_allclose(scaled(scale, unconditional, groups, codes, n)[0], conditional[0])
        assert conditional[1] is groups


# What is counted


def test_frequencies_count_as_rows_and_groups():
    """As the same data with every row and every group written out as often as its weight says."""
    model = "y x [fw=n] || school:, fweight(n_school) || class:, fweight(n_class)"
    found = design(model)
    written_out = []
    for (school, number), rows in data().groupby(["school", "class"]):
        for copy in range(rows["n_school"].iloc[0]):
            for twin in range(rows["n_class"].iloc[0]):
                repeated = rows.loc[rows.index.repeat(rows["n"])]
                written_out.append(repeated.assign(school=f"{school}/{copy}", **{"class": f"{number}/{twin}"}))
    plain = build_design(read_model("y x || school: || class:"), pd.concat(written_out))
    assert found.nobs == plain.nobs == found.n_obs == len(plain.y)
    assert found.groups == plain.groups


def test_frequencies_of_crossed_factors_count_as_rows():
    found = design("y x [fw=n] || _all: R.teacher || school:")
    plain = build_design(read_model("y x || _all: R.teacher || school:"), data().loc[data().index.repeat(data()["n"])])
    assert (found.nobs, found.groups) == (plain.nobs, plain.groups)


def test_sampling_weights_do_not_count():
    found = design("y x [pw=p] || school:, pweight(p_school) || class:")
    assert found.nobs == N
    assert found.n_obs == pytest.approx((column("p") * column("p_school")).sum())
    assert found.groups == design("y x || school: || class:").groups


def test_the_manual_s_school_survey(manual_data):
    command = "isei female high_school college one_for both_for test_lang [pw={}] || id_school:, pweight(wnrschbw) pwscale({})"
    size = build_design(read_model(command.format("w_fstuwt", "size")), str(manual_data("pisa2000")))
    assert (size.nobs, size.groups[0].n_groups, size.groups[0].minimum, size.groups[0].maximum) == (2069, 148, 1, 28)
    of_school = size.weights.groups[0]
    sizes = np.bincount(size.random[0].codes)
    np.testing.assert_allclose(np.bincount(size.random[0].codes, size.weights.rows), sizes * of_school)
    same = build_design(read_model(command.format("w_fstuwt/wnrschbw", "size")), str(manual_data("pisa2000")))
    np.testing.assert_allclose(same.weights.rows, size.weights.rows)


def test_stored_results_and_titles():
    spec = read_model("y x [pw=p / 2] || school:, pweight(p_school) || class:, pweight(2)")
    rows = {"wtype": "pweight", "wexp": "= p / 2", "marginswtype": "pweight", "marginswexp": "= p / 2"}
    assert stored_weights(spec) == {**rows, "pweight1": "p_school", "pweight2": "2"}
    assert (title(spec), criterion_name(spec)) == ("Mixed-effects regression", "Log pseudolikelihood")
    spec = read_model("y x || school: || class:, fweight(n_class)")
    assert stored_weights(spec) == {"fweight2": "n_class"}
    assert (title(spec), criterion_name(spec)) == ("Mixed-effects ML regression", "Log likelihood")
    assert stored_weights(read_model("y x [pw=p] || school:, pwscale(gk)"))["pwscale"] == "gk"
    assert stored_weights(read_model("y x || school:")) == {}


def test_which_fits_are_compared():
    def fit(model, **options):
        spec = read_model(model, options)
        built = build_design(spec, data())
        return SimpleNamespace(spec=spec, design=built, beta=np.zeros(2), theta=np.zeros(len(built.random)))

    plain, more = fit("y x || school:"), fit("y x || school: || class:")
    weighted, weighted_more = (fit(f"y x [fw=n] || school:{rest}") for rest in ("", " || class:"))
    refuse_incomparable(plain, more)
    refuse_incomparable(weighted, weighted_more)
    with pytest.raises(OptionError, match="different weights"):
        refuse_incomparable(plain, weighted_more)
    with pytest.raises(OptionError, match="different weights"):
        refuse_incomparable(fit("y x || school:", precision_weights="n"), weighted_more)
    with pytest.raises(OptionError, match="different weights"):
        refuse_incomparable(fit("y x [fw=n_school] || school:"), fit("y x || school:, fw(n_school) || class:"))
    with pytest.raises(OptionError, match="sampling weights have a pseudolikelihood"):
        refuse_incomparable(fit("y x [pw=p] || school:"), fit("y x [pw=p] || school: || class:"))
