"""Whatever the text, reading it ends in a specification or in an error of ours that points into the text."""

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from property_tests.commands import PIECES, commands, mutated
from sparsemixed.command import read_model
from sparsemixed.errors import CommandError
from sparsemixed.spec import ModelSpec

WRITTEN = [
    "mixed weight week || id: week, covariance(unstructured) reml",
    "gsp private emp hwy || region: hwy unemp, cov(identity) || region: || state:, nolog nogroup nofetable",
    "weight ibn.girl i.girl#c.age c.age#c.age, noconstant nofvlabel || id: ibn.girl i.girl#c.age, noconstant nolog",
    "strength i.program##i.day if inlist(day, 0, 4, 6) in 1/10 || id:, noconstant residuals(unstructured, t(day))",
    "weight week || _all: R.week || _all: R.id, emiterate(5) level(90)",
    "isei female (a b)##c.x i(2/4).z [pw=w/u] || school:, pweight(v) pwscale(size)",
    'y x if x > 3.5e1 & !missing(z) | substr(s, 1, -2) == "ab" || `my id`:, variance',
    "D.y L(1/3).x cL.z#ib(last).a iL.b x1-x9 z* if l.x < . || id: S12.x, tsset(id week) varabbrev /* panels */",
    "quietly xtmixed wei~t i. a L2.x if w~t > 3 in 1/20 || sch~l: || id: x, cov(un),, var || ;",
    '. mixed y x ///\n> || g: || id: x if s == `"new"\' [pw=w], robust cluster(g) ml ||',
    "xi: cap noi mixed y i.a || id:, residuals(toep 2, by(arm) t(`my week`)) group(id) nolog",
    "y ~ x * f + I(x) - 1 + (1 + x | a/b) + (0 + x || g:h)",
    "y ~ (a + b)^2 + C(f):x + `odd name` + L.x + (1 | g)",
]

pieces = st.lists(st.sampled_from([*PIECES, " "]), max_size=25)
of_the_grammar = st.one_of(commands(), mutated(commands()), mutated(st.sampled_from(WRITTEN)))


def check(text):
    outcome = read_or_error(text)
    event("read" if isinstance(outcome, ModelSpec) else "refused")
    if isinstance(outcome, ModelSpec):
        assert all(0 <= position < len(text) for position in outcome.positions.values())
    else:
        assert outcome.text == text
        assert outcome.position is not None
        assert 0 <= outcome.position <= len(text)
        assert "^" in str(outcome)


def read_or_error(text):
    try:
        return read_model(text, {})
    except CommandError as error:
        return error


@pytest.mark.parametrize("text", WRITTEN[:-2])
def test_written_commands_are_read(text):
    assert isinstance(read_or_error(text), ModelSpec)


@given(st.one_of(pieces.map("".join), pieces.map(" ".join)))
@example("mixed")
@example("")
@example("y ~ x^z")
@example("y L.(L.(L.x))")
@example("y x /*")
def test_random_text(text):
    check(text)


@given(of_the_grammar)
@settings(max_examples=4 * settings().max_examples)
def test_commands_of_the_grammar_and_their_mutations(text):
    check(text)


@pytest.mark.nightly
@given(of_the_grammar)
@settings(max_examples=10_000)
def test_ten_thousand_commands(text):
    check(text)


@given(st.text(max_size=40))
def test_any_characters(text):
    check(text)


@given(st.text(max_size=40))
def test_any_characters_in_a_formula(text):
    check(f"y ~ {text}")
