"""Forms of Stata that do-files and logs hold: what is read, and what the others are told."""

from __future__ import annotations

import pytest

import sparsemixed
from sparsemixed.command import read_model
from sparsemixed.errors import CommandError, OptionError

PLAIN = "y x || id: x, cov(un)"


def read(text, **keywords):
    return read_model(text, keywords)


@pytest.mark.parametrize(
    "text",
    [
        f"mixed {PLAIN}",
        f"quietly mixed {PLAIN}",
        f"qui: mixed {PLAIN}",
        f"capture noisily mixed {PLAIN}",
        f"cap n qui : mixed {PLAIN}",
        f"qui: {PLAIN}",
        f"xi: mixed {PLAIN}",
        f"{PLAIN} ||",
        "y x || id: x, cov(un) || , nolog",
        f"#delimit ;\nmixed {PLAIN};\n#delimit cr",
        f"  2. mixed {PLAIN}",
        "y x || id: x , cov(un) mle ,, variance nolog ,",
        "y x, , || id: x, , cov(un)",
        "mixed y x ///\n> || id: x, ///\n> cov(un)",
        ". mixed y x || id: x,\n> cov(un)",
        ". mixed y x\n> || id: x, cov(un)",
        f"* the model\n\n  * of this paper\nmixed {PLAIN};",
        "quietly mixed y /// outcome\n x || id: /* people */ x, cov(un) ml",
    ],
)
def test_the_same_model(text):
    found, plain = read(text), read(PLAIN)
    assert (found.response, found.fixed, found.random, found.estimation) == (
        *(plain.response, plain.fixed, plain.random),
        plain.estimation,
    )
    assert text[found.positions["id"] :].startswith("id")
    assert not found.display.stddeviations


@pytest.mark.parametrize(
    ("options", "shown"), [("", True), (", ml", True), (", variance", False), (", var reml", False), (", stddev", True)]
)
def test_xtmixed_is_by_maximum_likelihood_and_shows_standard_deviations(options, shown):
    found = read(f"xtmixed y x || id:{options}")
    assert found.estimation.method == ("reml" if "reml" in options else "ml")
    assert found.display.stddeviations is shown
    assert read("xtmixed y x || id:", variance=True).display.stddeviations is False
    assert read("quietly xtmixed y ~ x + (1 | id)").display.stddeviations is True


@pytest.mark.parametrize("text", ["mixed || id:", "mixed if x > 1 || id:", "n x || id:", "qui y x || id:", "capture x || id:"])
def test_a_variable_may_be_called_like_that(text):
    assert read(text).response == text.split()[0]


@pytest.mark.parametrize(
    ("text", "condition", "first", "weight"),
    [
        ("y x || id: if a == 1", "a == 1", None, None),
        ("y x || id: x in 2/9 if a == 1, cov(un)", "a == 1", 2, None),
        ("y x || g: || id: [pw=w] if a", "a", None, "w"),
        ("y x in 2/9 || id: x [pweight=w*2] if a>.5, nolog", "a>.5", 2, "w*2"),
        ("y x || _all: R.x if a", "a", None, None),
        ("y x || id: x || if a in 2/9 [pw=w], nolog", "a", 2, "w"),
    ],
)
def test_if_in_and_weight_in_the_last_equation(text, condition, first, weight):
    spec = read(text)
    assert (spec.sample.condition_text, spec.sample.first) == (condition, first)
    assert (None if spec.weights is None else spec.weights.rows.text) == weight
    assert spec.positions["a"] == text.index(" a") + 1


def test_the_rows_are_those_of_the_same_condition_in_the_fixed_part(longitudinal):
    first, last = (
        sparsemixed.mixed(text, longitudinal)
        for text in ("y time if arm == 1 in 1/150 [fw=n] || id:", "y time || id: if arm == 1 in 1/150 [fw=n]")
    )
    assert first.llf == last.llf
    assert first.nobs == last.nobs < len(longitudinal)


@pytest.fixture(scope="module")
def longitudinal():
    data = sparsemixed.datasets.simulate_longitudinal(40, 5, seed=3)
    return data.assign(arm=data["id"] % 2, site=data["id"] % 4, n=data["id"] % 3 + 1, weight=data["y"], a_long_name=data["time"])


@pytest.mark.parametrize(
    "options", ["robust cluster(g)", "cluster(g) robust", "r cl(g)", "vce(robust) cluster(g)", "vce(cl g) r"]
)
def test_robust_and_cluster_are_one(options):
    vce = read(f"y x || id:, {options}").vce
    assert (vce.name, vce.variable) == ("cluster", "g")


def test_robust_and_cluster_by_keyword():
    assert read("y ~ x + (1 | id)", robust=True, cluster="g").vce.variable == "g"
    with pytest.raises(OptionError, match=r"cluster\(h\) contradicts cluster\(g\)"):
        read("y x || id:, robust cluster(g) cluster(h)")
    with pytest.raises(OptionError, match="contradicts"):
        read("y x || id:, vce(oim) cluster(g)")


@pytest.mark.parametrize("typed", ["i. a", "i.  a", "i.\n a", "ib2. a", "i. (a)", "i.\ta"])
def test_blanks_after_an_operator(typed):
    tight = "".join(typed.split())
    assert read(f"y {typed} x || id:").fixed == read(f"y {tight} x || id:").fixed
    assert read(f"y {typed}#c. x || id:").fixed == read(f"y {tight}#c.x || id:").fixed


def test_abbreviations_with_a_tilde(longitudinal):
    renamed = longitudinal.rename(columns={"id": "identity"})
    found = sparsemixed.mixed("mixed wei~t a_l~e if t~e < 3 | a_~e == 3 || s~e: || id~y:", renamed)
    plain = sparsemixed.mixed("weight a_long_name if time <= 3 || site: || id:", longitudinal)
    assert found.llf == plain.llf
    assert list(found.params.index) == ["a_long_name", "_cons"]
    assert list(found.random_effects) == ["site", "identity"]
    with pytest.raises(CommandError, match="t~e is ambiguous: it abbreviates time, tie") as caught:
        sparsemixed.mixed("y || t~e:", longitudinal.rename(columns={"site": "tie"}))
    assert caught.value.position == 5
    for text in ("z~z time || id:", "y time || z~z:", "y time if z~z > 1 || id:"):
        with pytest.raises(CommandError, match="variable `z~z` not found") as caught:
            sparsemixed.mixed(text, longitudinal)
        assert caught.value.position == text.index("z~z")


REPLAY = r"last results .* print\(fit.summary\(level=90\)\)"
LOCAL = "local macro, and macros are not expanded"


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("mixed", "mixed", REPLAY),
        ("mixed, level(90)", "mixed", REPLAY),
        ("  xtmixed , var", "xtmixed", REPLAY),
        ("quietly mixed", "mixed", REPLAY),
        ("by arm: mixed y x || id:", "by", "sparsemixed.by does the same"),
        ("bys arm (t): xtmixed y x || id:", "bys", "sparsemixed.by does the same"),
        ("qui bysort arm: mixed y x || id:", "bysort", "sparsemixed.by does the same"),
        ("bootstrap _b, reps(100) seed(1): mixed y x || id:", "bootstrap", "sparsemixed.mixed"),
        ("permute x: mixed y x || id:", "permute", "draw data frames"),
        ("mi estimate, dots: mixed y x || id:", "mi", "sparsemixed.mi does the same"),
        ("svy: mixed y x || id:", "svy", r"\[pweight=w\]"),
        ("version 11: xtmixed y x || id:", "version", "leave it out"),
        ("mypre, o(1): mixed y x || id:", "mypre", "prefix mypre: is no part of the language"),
        ("xi: mixed y i.a*i.b || id:", "i.a*", "i.a##i.b"),
        ("xi: mixed y i.a|x || id:", "i.a|", "i.a#c.x"),
        ("estat ic", "estat", r"fit.estat.ic\(\)"),
        ("margins arm", "margins", r"fit.margins\("),
        ("qui margins arm", "margins", r"fit.margins\("),
        ("y x || id:; estat ic", ";", "a text is one command"),
        ("quietly {\nmixed y x || id:\n}", "{", "blocks are Python's"),
        ("y x || id: ||, cov(un)", ", cov", "no equation after the last"),
        ("y x || id: || if a || g:", "|| g", "expected"),
        ("y x || id: if a || if b", "if b", "a second if"),
        ("y `=2+1' || id:", "`=2+1'", LOCAL),
        ("y x || id:, nolrtest", "nolrtest", "leave it out"),
        ("y x || id:, t(time)", "t(time)", r"residuals\(ar 1, t\(varname\)\)"),
        ("y x if year(d) == 1 || id:", "year", "make a column of it first"),
        ("lrtest a b", "lrtest", r"sparsemixed.lrtest\(fit, other\)"),
        ("test 2.arm = 3.arm", "test", r"fit.test\("),
        ("predict r, residuals", "predict", r"fit.predict\("),
        ("gen z = x^2", "gen", "prepare the data frame"),
        ("use pig, clear", "use", "prepare the data frame"),
        ("xtreg y x, fe", "xtreg", "linear mixed models"),
        ("meglm y x || id:", "meglm", "linear mixed models"),
        ("mixed y `x' || id:", "`x'", LOCAL),
        ("mixed y `x' `z' || id:", "`x'", LOCAL),
        ("y ``x'' || id:", "``x''", LOCAL),
        ('y x if s == "`s\'" || id:', "`s'", LOCAL),
        ("y ~ `x' + (1 | id)", "`x'", LOCAL),
        ("y $x || id:", "$x", "macros are not expanded"),
        ("y ${x}_2 || id:", "${x}", "macros are not expanded"),
        ("y ~ df$x + (1 | id)", "$x", "R's way to a column"),
        ("y x if e(sample) || id:", "e(sample)", r'data.iloc\[fit.e\["sample"\]\]'),
        ("y x if x > r(mean) || id:", "r(mean)", "last results; put the number in its place"),
        ("y x if a || id: if b", "if b", "a second if"),
        ("y x in 1/2 || id: in 3/4", "in 3", "a second in"),
    ],
)
def test_what_the_others_are_told(text, at, message):
    with pytest.raises(CommandError, match=message) as caught:
        read(text)
    assert caught.value.text == text
    assert caught.value.position == text.index(at)


@pytest.mark.parametrize("text", ["y `bob's age` || id:", "y `cost in $` || id:", "y ~ `bob's age` + (1 | `al's id`)"])
def test_names_with_signs_of_macros(text):
    assert read(text).fixed


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("sort id", "sort", "another command of Stata; prepare the data frame"),
        ("estimates store m1", "estimates", r"fit.save\(path\)"),
        ("mixed y || id:\nestimates store m1", "estimates", r"fit.save\(path\).* a text is one command"),
        ("mixed y || id:\nmixed weight || id:", "mixed", "a text is one command"),
        ("MIXED y || id:", "MIXED", "the command is mixed, in small letters"),
        ("y time || id: time cov(un)", "cov", r"the option covariance\(\) is written after a comma"),
        ("y time || id: reml", "reml", "the option reml is written after a comma"),
        ("y tim || id:", "tim", "did you mean `time`"),
    ],
)
def test_a_name_that_the_data_do_not_have_may_be_something_else(text, name, message, longitudinal):
    with pytest.raises(CommandError, match=f"variable `{name}` not found.*{message}") as caught:
        sparsemixed.mixed(text, longitudinal)
    assert text[caught.value.position :].startswith(name)


def test_a_comparison_at_the_start_of_a_line_is_no_mark_of_a_log():
    assert read("y x if z\n> 3 || id:").sample.condition_text == "z\n> 3"
    assert read("y x if inlist(a, 1) & (b\n> c) || id:").positions["c"] == 27
    assert read("y x [fw=a\n> b] || id:").weights.rows.text == "a\n> b"
    assert read("y x if z >\n> 3 || id:").sample.condition_text.split() == ["z", ">", "3"]
    assert read("y x if z == 1, reml\n> nolog || id:").estimation.method == "reml"


def test_compound_quotes():
    found, plain = read('y x if s == `"new"\' || id:').sample, read('y x if s == "new" || id:').sample
    assert found.condition == plain.condition


@pytest.mark.parametrize("name", ["x", "e", "m", "n", "mi", "est", "lin", "co"])
def test_a_response_may_be_called_as_the_start_of_another_command(name):
    """Words without capitals in the table of commands have no abbreviations: `x` is no xtset."""
    assert read_model(f"{name} ~ z + (1 | g)").response == name
    assert read_model(f"{name} z || g:").response == name
    assert read_model(f"{name} z").response == name
