"""The commands of the manual's examples, read into exactly the specification they mean."""

from dataclasses import replace

import pytest

from sparsemixed.command import read_model
from sparsemixed.spec import DisplayOptions, EstimationOptions, Factor, ModelSpec, RandomEquation, ResidualSpec, Sample, Term

REML = EstimationOptions(method="reml")
GSP = "gsp private emp hwy water other unemp"
GCF = "gcf followup base_gcf cda age || patient: followup, cov(un) || tooth:, "


def terms(*names):
    return tuple(Term((Factor(name),)) for name in names)


def one(variable, base="first"):
    return Factor(variable, "categorical", base)


AGE = Factor("age")
GROWTH = (Term((one("girl", "none"),)), Term((one("girl", "none"), AGE)))
PRODUCTIVITY = terms("private", "emp", "hwy", "water", "other", "unemp")
REGION_AND_STATE = (RandomEquation("region", ("region",)), RandomEquation("state", ("region", "state")))
VENEER = ModelSpec(
    "",
    "gcf",
    terms("followup", "base_gcf", "cda", "age"),
    random=(
        RandomEquation("patient", ("patient",), terms("followup"), covariance="unstructured"),
        RandomEquation("tooth", ("patient", "tooth")),
    ),
    estimation=REML,
)


STRENGTH = ModelSpec(
    "",
    "strength",
    (Term((one("program"),)), Term((one("day"),)), Term((one("program"), one("day")))),
    random=(RandomEquation("id", ("id",), constant=False),),
    residual=ResidualSpec("unstructured", t="day"),
)


def pig(*random, **options):
    return ModelSpec("", "weight", terms("week"), random=random, **options)


BY_ID = RandomEquation("id", ("id",))
QUIET = DisplayOptions(nogroup=True, nofetable=True)

MANUAL = {
    "weight week || id:": pig(BY_ID),
    "mixed weight week || id: week": pig(RandomEquation("id", ("id",), terms("week"))),
    "weight week || id: week, covariance(unstructured)": pig(
        RandomEquation("id", ("id",), terms("week"), covariance="unstructured")
    ),
    "weight week || id: week, reml": pig(RandomEquation("id", ("id",), terms("week")), estimation=REML),
    "weight week || id: week, covariance(unstructured) reml": pig(
        RandomEquation("id", ("id",), terms("week"), covariance="unstructured"), estimation=REML
    ),
    f"{GSP} || region: || state:": ModelSpec("", "gsp", PRODUCTIVITY, random=REGION_AND_STATE),
    f"{GSP} || region: hwy unemp || state:, nolog nogroup nofetable": ModelSpec(
        "",
        "gsp",
        PRODUCTIVITY,
        random=(RandomEquation("region", ("region",), terms("hwy", "unemp")), REGION_AND_STATE[1]),
        display=QUIET,
    ),
    f"{GSP} || region: hwy unemp, cov(identity) || region: || state:, nolog nogroup nofetable": ModelSpec(
        "",
        "gsp",
        PRODUCTIVITY,
        random=(
            RandomEquation("region", ("region",), terms("hwy", "unemp"), constant=False, covariance="identity"),
            *REGION_AND_STATE,
        ),
        display=QUIET,
    ),
    "weight age c.age#c.age || id: age, nolog": ModelSpec(
        "", "weight", (*terms("age"), Term((AGE, AGE))), random=(RandomEquation("id", ("id",), terms("age")),)
    ),
    "weight ibn.girl i.girl#c.age c.age#c.age, noconstant nofvlabel || id: age, nolog": ModelSpec(
        "",
        "weight",
        (*GROWTH, Term((AGE, AGE))),
        constant=False,
        random=(RandomEquation("id", ("id",), terms("age")),),
        display=DisplayOptions(nofvlabel=True),
    ),
    "weight ibn.girl i.girl#c.age c.age#c.age, noconstant nofvlabel "
    "|| id: ibn.girl i.girl#c.age, noconstant nolog nofetable": ModelSpec(
        "",
        "weight",
        (*GROWTH, Term((AGE, AGE))),
        constant=False,
        random=(RandomEquation("id", ("id",), GROWTH, constant=False),),
        display=DisplayOptions(nofvlabel=True, nofetable=True),
    ),
    f"{GCF}reml nolog": VENEER,
    f"{GCF}residuals(independent, by(followup)) reml nolog": replace(VENEER, residual=ResidualSpec(by="followup")),
    "follicles sin1 cos1 || mare:, residuals(ar 2, t(time)) reml nolog": ModelSpec(
        "",
        "follicles",
        terms("sin1", "cos1"),
        random=(RandomEquation("mare", ("mare",)),),
        estimation=REML,
        residual=ResidualSpec("ar", 2, t="time"),
    ),
    "strength i.program##i.day || id:, noconstant residuals(unstructured, t(day)) nolog": STRENGTH,
    "strength i.program##i.day || id:, noconstant residuals(exponential, t(day)) nolog nofetable": replace(
        STRENGTH, residual=ResidualSpec("exponential", t="day"), display=DisplayOptions(nofetable=True)
    ),
    "weight week || _all: R.week || _all: R.id": pig(
        RandomEquation("_all", (), constant=False, factor="week", covariance="identity"),
        RandomEquation("_all", (), constant=False, factor="id", covariance="identity"),
    ),
    "weight week || _all: R.week || id:": pig(
        RandomEquation("_all", (), constant=False, factor="week", covariance="identity"), BY_ID
    ),
    f"{GSP} || region: R.state, cov(exchangeable)": ModelSpec(
        "",
        "gsp",
        PRODUCTIVITY,
        random=(RandomEquation("region", ("region",), constant=False, factor="state", covariance="exchangeable"),),
    ),
    "score i.drug || person:, reml": ModelSpec(
        "", "score", (Term((one("drug"),)),), random=(RandomEquation("person", ("person",)),), estimation=REML
    ),
}


@pytest.mark.parametrize("command", MANUAL)
def test_specification(command):
    spec = read_model(command, {})
    expected = MANUAL[command]
    if "nolog" in command:
        expected = replace(expected, display=replace(expected.display, log=False))
    assert spec.text == command
    parts = ("response", "fixed", "constant", "random", "sample", "estimation", "display", "residual")
    assert {part: getattr(spec, part) for part in parts} == {part: getattr(expected, part) for part in parts}


ISEI = "isei female high_school test_lang"
WEIGHTED = {
    f"{ISEI} [pw=w_fstuwt] || id_school:, pweight(wnrschbw) pwscale(size)": ("w_fstuwt", "size"),
    f"{ISEI} [pw=w_fstuwt/wnrschbw] || id_school:, pweight(wnrschbw) pwscale(gk)": ("w_fstuwt/wnrschbw", "gk"),
    f"{ISEI} || id_school:, pweight(wnrschbw)": (None, None),
}


@pytest.mark.parametrize("command", WEIGHTED)
def test_sampling_weights(command):
    spec, (of_rows, scale) = read_model(command, {}), WEIGHTED[command]
    assert spec.weights.kind == "sampling"
    assert spec.weights.scale == scale
    assert (spec.weights.rows and spec.weights.rows.text) == of_rows
    assert [(weight.text, weight.grouping) for weight in spec.weights.groups] == [("wnrschbw", ("id_school",))]
    assert [equation.label for equation in spec.random] == ["id_school"]


def test_without_the_residual_structure_the_strength_model_is_read_whole():
    spec = read_model("strength i.program##i.day if inlist(day, 0, 4, 6, 8, 12) || id:, noconstant nolog", {})
    program, day = one("program"), one("day")
    assert spec.fixed == (Term((program,)), Term((day,)), Term((program, day)))
    assert spec.random == (RandomEquation("id", ("id",), constant=False),)
    assert spec.sample.condition_text == "inlist(day, 0, 4, 6, 8, 12)"
    assert spec.sample.condition.variables == {"day"}
    assert spec.positions == {"strength": 0, "program": 11, "day": 22, "id": spec.text.index("id:")}


@pytest.mark.parametrize(
    ("range_text", "first", "last"),
    [("5", 5, 5), ("1/10", 1, 10), ("-10/l", -10, None), ("f/20", None, 20), ("10/L", 10, None), ("l", -1, -1), ("f", 1, 1)],
)
def test_in_range(range_text, first, last):
    assert read_model(f"y x in {range_text} if x < 3 || id:", {}).sample == Sample(
        read_model("y if x<3", {}).sample.condition, "x < 3", first, last
    )


def test_line_breaks_and_continuations_are_blanks():
    command = "mixed y x ///\n    z /// a remark\n || id: x, ///\n  covariance( ///\n exch) reml"
    spec = read_model(command, {})
    assert spec.fixed == terms("x", "z")
    assert spec.random[0].covariance == "exchangeable"
    assert spec.estimation.method == "reml"


def test_mixed_may_be_a_variable():
    assert read_model("mixed || id:", {}).response == "mixed"
    assert read_model("mixed mixed x || id:", {}).response == "mixed"
    assert read_model("mixed `my y` `x 1` || `the id`:", {}).random[0].grouping == ("the id",)
