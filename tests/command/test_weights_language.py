"""Weights in commands, formulas and keywords: what is read, and which combinations are refused with which words."""

from __future__ import annotations

import pytest

from sparsemixed.command import read_expression, read_model
from sparsemixed.errors import CommandError, OptionError
from sparsemixed.spec import Weight, WeightSpec


def read(model, **options):
    return read_model(model, options).weights


def summary(weights):
    return [(weight.label, weight.grouping, weight.text) for weight in weights.each]


@pytest.mark.parametrize("word", ["fw", "fwe", "fweight"])
def test_frequency_weights(word):
    weights = read(f"y x if x > 2 [{word} = n*2] in 1/9 || id:")
    assert weights == WeightSpec("frequency", Weight(read_expression("n * 2"), "n*2"))
    assert weights.rows.text == "n*2"
    assert weights.name == "fweight"


@pytest.mark.parametrize("word", ["pw", "pweigh", "pweight"])
def test_sampling_weights(word):
    assert read(f"y x [{word}=(w)] || id:") == WeightSpec("sampling", Weight(read_expression("w"), "(w)"))


@pytest.mark.parametrize("option", ["pw", "pwe", "pweight"])
def test_weights_of_groups(option):
    weights = read(f"y x [pw=w] || a: z, cov(un) {option}( u/2 ) || b:, {option}(max(v, 1))")
    assert summary(weights) == [("", None, "w"), ("a", ("a",), "u/2"), ("b", ("a", "b"), "max(v, 1)")]


def test_groups_may_have_weights_and_rows_none():
    weights = read("y x || a:, fweight(n)")
    assert (weights.rows, summary(weights)) == (None, [("a", ("a",), "n")])


def test_one_weight_serves_the_equations_of_a_level():
    weights = read("y x || a: z, fweight(n/1) || a: R.x || a:, fweight( n / 1 )")
    assert summary(weights) == [("a", ("a",), "n/1")]


def test_no_weights():
    assert read("y x || a:") is None
    assert read("y ~ x + (1 | a)", fweights=None) is None


def test_positions_are_those_of_the_command():
    command = "y x [pw=w1/2] || a: w2, pweight(  w2 + w3)"
    spec = read_model(command, {})
    assert {name: spec.positions[name] for name in ("w1", "w2", "w3")} == {
        "w1": command.index("w1"),
        "w2": command.index("w2"),
        "w3": command.index("w3"),
    }
    assert [weight.position for weight in spec.weights.each] == [command.index("w1"), command.index("w2 +")]


@pytest.mark.parametrize("scale", ["size", "effective", "eff", "gk"])
def test_pwscale(scale):
    expected = "effective" if scale == "eff" else scale
    assert read(f"y x [pw=w] || a:, pwscale({scale})").scale == expected
    assert read("y x || a:", pweights="w", pwscale=expected).scale == expected


@pytest.mark.parametrize("model", ["y x || a: || b:", "y ~ x + (1 | a/b)"])
@pytest.mark.parametrize(("keyword", "kind"), [("fweights", "frequency"), ("pweights", "sampling")])
def test_keywords(model, keyword, kind):
    assert read(model, **{keyword: "w/2"}) == WeightSpec(kind, Weight(read_expression("w/2"), "w/2"))
    bottom = "b" if "||" in model else "a:b"
    weights = read(model, **{keyword: {bottom: "u", "observation": "w", "a": "v"}})
    assert (weights.kind, summary(weights)) == (kind, [("", None, "w"), ("a", ("a",), "v"), (bottom, ("a", "b"), "u")])
    assert summary(read(model, **{keyword: {"": "w"}})) == [("", None, "w")]


@pytest.mark.parametrize("options", [{}, {"reml": True}, {"reml": True, "dfmethod": "kroger"}])
@pytest.mark.parametrize("model", ["y x || _all: R.a || b:", "y ~ x + (1 | a) + (1 | b)"])
def test_precision_weights_go_with_everything(model, options):
    weights = read(model, precision_weights="1/v", **options)
    assert weights == WeightSpec("precision", Weight(read_expression("1 / v"), "1/v"))


def test_keywords_and_text_may_agree():
    assert read("y x [pw=w/2] || a:, pweight(u)", pweights={"": "w / 2", "a": "u"}) == read("y x [pw=w/2] || a:, pweight(u)")


def test_a_level_of_the_name_observation_is_the_level():
    assert summary(read("y x || observation:", pweights={"observation": "w"})) == [("observation", ("observation",), "w")]


def refused(model, at=None, match="", error=OptionError, **options):
    with pytest.raises(error, match=match) as caught:
        read_model(model, options)
    if at is not None:
        assert model.startswith(at, caught.value.position), str(caught.value)
    return caught.value


@pytest.mark.parametrize("word", ["aw", "aweight", "iw", "iweight"])
def test_analytic_and_importance_weights_are_refused(word):
    refused(f"y x [{word}=w] || id:", word, r"it takes fweights and pweights; .*precision_weights=")


@pytest.mark.parametrize("word", ["w", "weight", "zw"])
def test_other_words_are_no_weights(word):
    refused(f"y x [{word}=w] || id:", word, "it takes fweights and pweights")


def test_expressions_are_checked():
    refused("y x [pw=w+] || a:", "]", "expected a name", CommandError)
    refused("y x [pw=nosuch(w)] || a:", "nosuch", "unknown function", CommandError)
    refused("y x || a:, pweight(1 + nosuch(w))", "nosuch", r"option pweight\(\): unknown function", CommandError)
    refused("y x || a: z, fweight(2 u)", "u)", r"option fweight\(\): found `u`", CommandError)
    refused("y x || a:, fweight()", ")", "found nothing")
    refused("y x || a:, fweight", "fweight", "needs an argument")
    refused("y x || a:", None, "pweights: unknown function", CommandError, pweights="nosuch(w)")


def test_a_weight_stands_once_in_its_place():
    refused("y x [pw=w] [pw=w] || a:", "[pw=w] ||", "a second weight", CommandError)
    refused("y x [pw=w] || a: [pw=w]", "[pw=w]", "a second weight", CommandError)
    refused("y x || a: [pw=w] || b:", "[", r"option of the equation: .*pweight\(exp\)", CommandError)
    refused("y x, fweight(w) || a:", "fweight", "belongs to a random-effects equation")
    refused("y x || a:, fweight(w) fweight(v)", "fweight(v)", "contradicts")


def test_kinds_do_not_mix():
    refused("y x [fw=w] || a:, pweight(v)", "v)", r"pweight\(v\) does not go with \[fweight=w\]: .*of one kind")
    refused("y x || a:, fweight(w) || b:, pweight(v)", "v)", r"pweight\(v\) does not go with fweight\(w\)")
    refused("y x || a:, fweight(w) pweight(v)", "v)", "does not go with")
    refused("y x [fw=w] || a:", "w]", "precision_weights='v' does not go with", precision_weights="v")
    refused("y x || a:", None, "does not go with", fweights="w", pweights="w")


def test_a_level_has_one_weight():
    refused("y x || a: x, fweight(w) || a:, fweight(v)", "v)", r"fweight\(v\) contradicts fweight\(w\): the groups of a")
    refused("y x [pw=w] || a:", None, "the observations have one weight", pweights="v")


@pytest.mark.parametrize("weight", ["fw=w", "pw=w"])
def test_no_weights_with_reml_and_dfmethod(weight):
    kind = weight[0] + "weights"
    refused(f"y x [{weight}] || a:, reml", "w]", f"{kind} are not allowed with reml")
    refused(f"y x [{weight}] || a:", "w]", f"{kind} are not allowed with reml", reml=True)
    refused(f"y x [{weight}] || a:, dfmethod(residual)", "w]", rf"{kind} are not allowed with dfmethod\(\)")
    # Not "dfmethod() needs REML", which would lead to the next error.
    refused(f"y x [{weight}] || a:, dfmethod(kroger)", "w]", rf"{kind} are not allowed with dfmethod\(\)")
    refused(f"y x || a:, {kind[:-1]}(w) reml dfmethod(kroger)", "w)", f"{kind} are not allowed")


def test_pwscale_needs_sampling_weights_and_two_levels():
    refused("y x || a:, pwscale(size)", "pwscale", r"pwscale\(size\) scales sampling weights, and the model has none")
    refused("y x [fw=w] || a:, pwscale(gk)", "pwscale", "the model has fweights")
    refused("y x || a:", None, "the model has precision_weights", pwscale="gk", precision_weights="w")
    refused("y x [pw=w] || a: || b:, pwscale(size)", "pwscale", r"2 levels of groups \(a, b\)")
    refused("y x [pw=w], pwscale(size)", "pwscale", "no groups")
    refused("y x [pw=w] || a:, dfmethod(residual) pwscale(size)", "w]", "not allowed with dfmethod")
    refused("y x [pw=w] || a:, pwscale(sized)", "sized", "expected size, effective or gk; did you mean size")
    assert read("y x [pw=w] || a: R.z || a: x, pweight(u) pwscale(size)").scale == "size"


def test_weights_of_groups_that_are_none():
    refused("y x || _all:, fweight(w) || a:", "w)", r"fweight\(w\): _all is one group")
    refused("y x || _all: R.x, fweight(w) || a:", "w)", "_all is one group")
    refused("y x || a: R.x, pweight(w)", "w)", r"does not go with R.x; .*`\|\| a:, pweight\(w\)`")
    refused("y x || _all: R.a || b:", None, "_all is one group", fweights={"_all": "w"})
    refused("y x || a: R.x", None, "does not go with R.x", fweights={"a": "w"})


@pytest.mark.parametrize("model", ["y x [pw=w] || _all: R.a || b:", "y x || _all: || b:, pweight(w)"])
def test_sampling_weights_need_nested_levels(model):
    refused(model, "w", "pweights are not allowed with _all: the pseudolikelihood .* needs nested levels")


def test_rows_with_correlated_errors():
    for kind in ("fw", "pw"):
        model = f"y x [{kind}=w] || a:, residuals(ar 1, t(t))"
        refused(model, "w]", r"weight=w\] is not allowed with residuals\(ar\): .*correlated errors")
    assert read("y x || a:, residuals(ar 1, t(t))", precision_weights="w").kind == "precision"
    assert read("y x [fw=w] || a:, residuals(independent, by(g))").rows is not None
    assert read("y x || a:, pweight(w) residuals(ar 1, t(t))").groups[0].text == "w"


def test_keywords_take_texts_and_known_levels():
    refused("y ~ x + (1 | school/class)", None, "has no level 'shool'; did you mean school", pweights={"shool": "w"})
    refused("y ~ x + (1 | a)", None, 'the keys are "", "a", the first for the rows', pweights={"zzz": "w"})
    refused("y ~ x + (1 | a)", None, "pweights takes the name of a column .* found list", pweights=[1.0])
    refused("y ~ x + (1 | a)", None, r"pweights\['a'\] takes .* found an empty text", pweights={"a": ""})
    refused("y ~ x + (1 | a)", None, "precision_weights weights the rows only", precision_weights={"": "w"})


@pytest.mark.parametrize("name", ["weights", "aweights", "iweight"])
def test_keywords_of_other_programs(name):
    refused("y ~ x + (1 | a)", None, f'{name} is no option: .*precision_weights="w"', **{name: "w"})


@pytest.mark.parametrize("name", ["fweight", "pweight"])
def test_options_of_equations_are_no_keywords(name):
    refused("y ~ x + (1 | a)", None, f"as a keyword write {name}s", **{name: "w"})
