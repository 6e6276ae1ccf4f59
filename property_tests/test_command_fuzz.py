"""Whatever the text, reading it ends in a specification or in an error of ours that points into the text."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sparsemixed.command import read_model
from sparsemixed.errors import CommandError
from sparsemixed.spec import ModelSpec

COMMANDS = [
    "mixed weight week || id: week, covariance(unstructured) reml",
    "gsp private emp hwy || region: hwy unemp, cov(identity) || region: || state:, nolog nogroup nofetable",
    "weight ibn.girl i.girl#c.age c.age#c.age, noconstant nofvlabel || id: ibn.girl i.girl#c.age, noconstant nolog",
    "strength i.program##i.day if inlist(day, 0, 4, 6) in 1/10 || id:, noconstant residuals(unstructured, t(day))",
    "weight week || _all: R.week || _all: R.id, emiterate(5) level(90)",
    "isei female (a b)##c.x i(2/4).z [pw=w/u] || school:, pweight(v) pwscale(size)",
    'y x if x > 3.5e1 & !missing(z) | substr(s, 1, -2) == "ab" || `my id`:, variance',
    "y ~ x * f + I(x) - 1 + (1 + x | a/b) + (0 + x || g:h)",
    "y ~ (a + b)^2 + C(f):x + `odd name` + (1 | g)",
]
WORDS = """
    y x id _all week i. ib3. ibn. c. R. 2. o. L. # ## ( ) [ ] || | ~ + - * ** / ^ : , . .a = == != < >= & ! 1 0 3.5 2/4
    1e400 if in f/l mixed reml mle nocons cov( un) level(90) emiterate(-1) iter(3) inlist( missing( cond( _n _N C( I( fw
    pw= "abc" " ` `v` { } % $ \\ ' ; @ ? x* x1-x9 /// \u00e9
"""
PIECES = [*WORDS.split(), "\n", "\t", "\x00", "\u2028"]

pieces = st.lists(st.sampled_from([*PIECES, " "]), max_size=25)


@st.composite
def mutated_commands(draw):
    """A valid text with some stretches cut out, repeated or replaced."""
    text = draw(st.sampled_from(COMMANDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + draw(st.sampled_from(["", text[start:end] * 2, *PIECES])) + text[end:]
    return text


def check(text):
    outcome = read_or_error(text)
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


@given(st.one_of(pieces.map("".join), pieces.map(" ".join)))
@example("mixed")
@example("")
@example("y ~ x^z")
def test_random_text(text):
    check(text)


@given(mutated_commands())
@settings(max_examples=300)
def test_mutated_commands(text):
    check(text)


@given(st.text(max_size=40))
def test_any_characters(text):
    check(text)


@given(st.text(max_size=40))
def test_any_characters_in_a_formula(text):
    check(f"y ~ {text}")
