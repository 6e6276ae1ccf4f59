"""Options: the table, abbreviations, places, values, keyword arguments."""

from dataclasses import fields

import pytest

from sparsemixed.command import read_model
from sparsemixed.command.arguments import Word
from sparsemixed.command.options import OPTIONS, find_option
from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.spec import DisplayOptions, EstimationOptions, ResidualSpec
from sparsemixed.structures.random.table import STRUCTURES
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES

MANUAL = """
    noconstant constraints covariance fweight pweight collinear mle reml dfmethod residuals pwscale vce level variance
    stddeviations dftable noretable nofetable estmetric noheader nogroup nostderr nocnsreport emiterate emtolerance emonly
    emlog emdots matsqrt matlog small coeflegend noci nopvalues noomitted vsquish noemptycells baselevels allbaselevels
    nofvlabel fvwrap fvwrapon cformat pformat sformat nolstretch difficult technique iterate log nolog trace gradient
    showstep hessian showtolerance tolerance ltolerance nrtolerance nonrtolerance
"""


def spec(options):
    return read_model(f"y x || id: x, {options}", {})


def test_every_option_of_the_manual_is_in_the_table():
    assert set(MANUAL.split()) <= {option.name for option in OPTIONS}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_abbreviations_mean_one_option(option):
    shortest = option.word.shortest
    assert option.name.startswith(shortest)
    for length in range(len(shortest), len(option.name) + 1):
        typed = option.name[:length]
        exact = [other for other in OPTIONS if other.name == typed]
        assert (exact or [other for other in OPTIONS if other.word.matches(typed)]) == [find_option(typed)]
    assert find_option(option.name) is option


def test_the_table_sets_every_field():
    """All but the priors, which are objects of Python."""
    for part, options in (("estimation", EstimationOptions), ("display", DisplayOptions)):
        named = {field.name for field in fields(options)} - {"prior"}
        assert {option.field for option in OPTIONS if option.part == part} == named


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_structure_of_random_effects_is_read_by_its_shortest_word(name):
    typed = Word(STRUCTURES[name].word).shortest
    assert read_model(f"y x || id: x, covariance({typed})", {}).random[0].covariance == name


@pytest.mark.parametrize(
    ("options", "part", "field", "value"),
    [
        ("reml", "estimation", "method", "reml"),
        ("mle", "estimation", "method", "ml"),
        ("emiter(5)", "estimation", "emiterate", 5),
        ("emiterate(0)", "estimation", "emiterate", 0),
        ("emtol(1e-4)", "estimation", "emtolerance", 1e-4),
        ("iter(0)", "estimation", "iterate", 0),
        ("tol(.001)", "estimation", "tolerance", 0.001),
        ("ltol(1e-8)", "estimation", "ltolerance", 1e-8),
        ("nrtol(1e-7)", "estimation", "nrtolerance", 1e-7),
        ("nostd", "estimation", "nostderr", True),
        ("nonrtol", "estimation", "nonrtolerance", True),
        ("tech(dfp)", "estimation", "technique", (("dfp", 5),)),
        ("technique(bfgs 10 nr 20)", "estimation", "technique", (("bfgs", 10), ("nr", 20))),
        ("mats", "estimation", "metric", "matsqrt"),
        ("matl", "estimation", "metric", "matlog"),
        ("dif", "estimation", "difficult", True),
        ("emlog", "display", "emlog", True),
        ("emdot", "display", "emdots", True),
        ("tr", "display", "trace", True),
        ("grad", "display", "gradient", True),
        ("hess", "display", "hessian", True),
        ("showstep", "display", "showstep", True),
        ("showtol", "display", "showtolerance", True),
        ("solver(dense)", "estimation", "solver", "dense"),
        ("l(90)", "display", "level", 90.0),
        ("level( 99.9 )", "display", "level", 99.9),
        ("level (90)", "display", "level", 90.0),
        ("stddev", "display", "stddeviations", True),
        ("var", "display", "stddeviations", False),
        ("noret", "display", "noretable", True),
        ("nofet", "display", "nofetable", True),
        ("nohead", "display", "noheader", True),
        ("nogr", "display", "nogroup", True),
        ("nofvlab", "display", "nofvlabel", True),
        ("log", "display", "log", True),
        ("nolog", "display", "log", False),
    ],
)
def test_values(options, part, field, value):
    assert getattr(getattr(spec(options), part), field) == value
    assert getattr(getattr(read_model(f"y x, {options} || id:", {}), part), field) == value


@pytest.mark.parametrize("options", ["vce(oim)", "technique(nr)", "matsqrt", "residuals(independent)", "res(ind)", "reml reml"])
def test_what_is_done_anyway_is_accepted(options):
    assert spec(options).display == DisplayOptions()
    assert spec(options.replace("reml", "")).estimation == EstimationOptions()


def test_emonly_runs_as_many_iterations_as_stata():
    assert spec("emonly").estimation == EstimationOptions(emonly=True, emiterate=20)
    assert spec("emonly emiterate(0)").estimation.emiterate == 0
    assert spec("emiterate(3) emonly").estimation.emiterate == 3
    assert spec("emlog").estimation == EstimationOptions()


@pytest.mark.parametrize("name", RESIDUAL_STRUCTURES)
def test_every_residual_structure_is_read_by_its_shortest_word(name):
    typed = Word(RESIDUAL_STRUCTURES[name].word).shortest
    assert spec(f"residuals({typed}, t(x) by(a))").residual == ResidualSpec(name, by="a", t="x")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ind, by(a)", ResidualSpec("independent", by="a")),
        ("ex", ResidualSpec("exchangeable")),
        ("exch, by(`my arm`)", ResidualSpec("exchangeable", by="my arm")),
        ("ar, t(x)", ResidualSpec("ar", t="x")),
        ("ar 3, t(x) by(a)", ResidualSpec("ar", 3, "a", "x")),
        ("ma 2, by(a) t(x)", ResidualSpec("ma", 2, "a", "x")),
        ("un, t(x)", ResidualSpec("unstructured", t="x")),
        ("ba 0, t(x)", ResidualSpec("banded", 0, t="x")),
        ("toep 4, t( x )", ResidualSpec("toeplitz", 4, t="x")),
        ("exp, t(x), by(a)", ResidualSpec("exponential", by="a", t="x")),
        ("AR 1, T(x)", ResidualSpec("ar", 1, t="x")),
    ],
)
def test_residual_words(typed, found):
    assert spec(f"residuals({typed})").residual == found
    assert read_model("y ~ x + (1 | id)", {"residuals": typed}).residual == found


@pytest.mark.parametrize(
    ("typed", "name"), [("id", "identity"), ("ind", "independent"), ("ex", "exchangeable"), ("unstr", "unstructured")]
)
def test_covariance_words(typed, name):
    assert spec(f"cov({typed})").random[0].covariance == name


@pytest.mark.parametrize(
    ("options", "at", "message"),
    [
        ("emiterate(-1)", "-1", "at least 0"),
        ("iterate(2.5)", "2.5", "whole number"),
        ("tolerance(abc)", "abc", "number should be"),
        ("tolerance(1e999)", "1e999", "at least"),
        ("tolerance()", ")", "nothing"),
        ("level(5)", "5", "between 10 and 99.99"),
        ("level(100)", "100", "between 10 and 99.99"),
        ("level", "level", "needs an argument"),
        ("reml(3)", "(3)", "no argument"),
        ("reml mle", "mle", "contradicts reml"),
        ("level(90) level(95)", "level(95)", "contradicts"),
        ("cov(un) cov(id)", "cov(id)", "contradicts"),
        ("log nolog", "nolog", "contradicts log"),
        ("var stddev", "stddev", "contradicts variance"),
        ("cov(foo)", "foo", "identity or unstructured"),
        ("cov(un id)", "un id", "expected"),
        ("cov()", ")", "nothing"),
        ("vce(foo)", "foo", "expected oim"),
        ("technique(bhhh)", "bhhh", "may not"),
        ("technique(bfgs 5 bhh 3)", "bhh 3", "expected nr, bfgs or dfp"),
        ("technique(nr 0)", "0", "at least 1"),
        ("technique(nr 5 5)", "5)", "second number"),
        ("technique()", ")", "nothing"),
        ("technique", "technique", "needs an argument"),
        ("matlog matsqrt", "matsqrt", "contradicts matlog"),
        ("nrtolerance(1) nonrtolerance", "nonrtolerance", "exclude each other"),
        ("emonly residuals(exch)", "emonly", "constant variance"),
        ("matlog solver(krylov)", "matlog", "krylov"),
        ("solver(dens)", "dens", "did you mean dense"),
        ("cformat(9.2f)", "9.2f", "such as %9.0g"),
        ("cformat(%12.2f)", "%12.2f", "width must not exceed 9"),
        ("pformat(%6.4f)", "%6.4f", "width must not exceed 5"),
        ("sformat(%9.3f)", "%9.3f", "width must not exceed 8"),
        ("cformat(%4.4f)", "%4.4f", "digits must be fewer"),
        ("cformat(%9s)", "%9s", "expected a numeric format"),
        ("fvwrap(0)", "0", "at least 1"),
        ("fvwrapon(letter)", "letter", "word or width"),
        ("estmetric stddev", "estmetric", "and stddeviations exclude each other"),
        ("lstretch nolstretch", "nolstretch", "contradicts lstretch"),
        ("coviarance(un)", "coviarance", "did you mean covariance"),
        ("REML", "REML", "did you mean reml"),
    ],
)
def test_refused(options, at, message):
    with pytest.raises(OptionError, match=message) as caught:
        spec(options)
    text = f"y x || id: x, {options}"
    assert caught.value.position == text.rindex(at)
    assert not isinstance(caught.value, NotAvailableError)


@pytest.mark.parametrize("options", ["covariance(un)", "collinear"])
def test_options_of_random_equations_are_refused_in_the_fixed_part(options):
    with pytest.raises(OptionError, match="belongs to a random-effects equation") as caught:
        read_model(f"y x, {options} || id:", {})
    assert caught.value.position == 5


@pytest.mark.parametrize("model", ["y x || id: x", "y ~ x + (x | id)"])
def test_keyword_arguments(model):
    given = read_model(
        model,
        {
            "reml": True,
            "level": 90,
            "iterate": 5,
            "solver": "dense",
            "log": True,
            "tolerance": 1e-5,
            "nogroup": False,
            "iter": None,
        },
    )
    assert given.estimation == EstimationOptions(method="reml", iterate=5, solver="dense", tolerance=1e-5)
    assert given.display == DisplayOptions(level=90.0, log=True)
    assert not read_model(model, {"noconstant": True}).constant
    assert read_model(model, {"collinear": True}).random[0].collinear
    assert read_model(model, {"dftable": None, "emonly": False}).estimation == EstimationOptions()
    asked = read_model(model, {"technique": "dfp 3", "matlog": True, "difficult": True, "trace": True})
    assert asked.estimation == EstimationOptions(technique=(("dfp", 3),), metric="matlog", difficult=True)
    assert asked.display == DisplayOptions(trace=True)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"reml": False}, "reml=False contradicts reml"),
        ({"mle": True}, "mle=True contradicts reml"),
        ({"level": 95}, "level=95 contradicts level\\(90\\)"),
        ({"noconstant": False}, "contradicts noconstant"),
        ({"reml": 1}, "True or False"),
        ({"iterate": True}, "number should be"),
        ({"iterate": 2.5}, "whole number"),
        ({"emiterate": -1}, "at least 0"),
        ({"remll": True}, "unknown option remll; did you mean reml"),
        ({"covariance": "un"}, "belongs to one random-effects equation"),
    ],
)
def test_keyword_arguments_refused(keywords, message):
    with pytest.raises(OptionError, match=message):
        read_model("y x, noconstant || id: x, reml level(90)", keywords)


def test_keyword_arguments_that_agree_with_the_text():
    assert read_model("y x || id:, reml", {"reml": True}).estimation.method == "reml"
