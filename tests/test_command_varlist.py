"""Factor variables and interactions."""

import pytest

from sparsemixed.command import read_model
from sparsemixed.errors import CommandError, NotAvailableError
from sparsemixed.spec import Factor, Term


def fixed(text):
    return read_model(f"y {text} || id:", {}).fixed


def factor(text):
    (term,) = fixed(text)
    (only,) = term.factors
    return only


def shape(text):
    """Terms as Stata writes them, continuous variables with `c.`."""
    return " ".join(
        "#".join(("c." if part.kind == "continuous" else "") + part.variable for part in term.factors) for term in fixed(text)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", Factor("x")),
        ("c.x", Factor("x")),
        ("i.a", Factor("a", "categorical")),
        ("ib3.a", Factor("a", "categorical", 3.0)),
        ("b3.a", Factor("a", "categorical", 3.0)),
        ("ibn.a", Factor("a", "categorical", "none")),
        ("bn.a", Factor("a", "categorical", "none")),
        ("ib(first).a", Factor("a", "categorical", "first")),
        ("ib(last).a", Factor("a", "categorical", "last")),
        ("ib(freq).a", Factor("a", "categorical", "frequent")),
        ("ib(3).a", Factor("a", "categorical", 3.0)),
        ('ib("no").a', Factor("a", "categorical", "no")),
        ("i3.a", Factor("a", "categorical", "none", (3.0,))),
        ("3.a", Factor("a", "categorical", "none", (3.0,))),
        ("3bn.a", Factor("a", "categorical", "none", (3.0,))),
        ("1b.a", Factor("a", "categorical", 1.0, (1.0,))),
        ("i(2 3).a", Factor("a", "categorical", "none", (2.0, 3.0))),
        ("i(2/4 9).a", Factor("a", "categorical", "none", (2.0, 3.0, 4.0, 9.0))),
        ('i("u" "v").a', Factor("a", "categorical", "none", ("u", "v"))),
        ("o.x", Factor("x", omitted=True)),
        ("co.x", Factor("x", omitted=True)),
        ("2o.a", Factor("a", "categorical", "none", (2.0,), omitted=True)),
        ("o3.a", Factor("a", "categorical", "none", (3.0,), omitted=True)),
        ("i.`my a`", Factor("my a", "categorical")),
    ],
)
def test_operators(text, expected):
    assert factor(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a##b##c", "a b a#b c a#c b#c a#b#c"),
        ("a#b", "a#b"),
        ("a#b##c", "a#b c a#b#c"),
        ("a#c.x", "a#c.x"),
        ("c.x##c.x", "c.x c.x#c.x"),
        ("(a b)##c.x", "a c.x a#c.x b b#c.x"),
        ("a##(b c)", "a b a#b c a#c"),
        ("i.(a b)", "a b"),
        ("c.(x z)#i.a", "c.x#a c.z#a"),
        ("i.a#(b c.x)", "a#b a#c.x"),
        ("(x z)", "c.x c.z"),
        ("x c.x x", "c.x"),
        ("i.program##i.day i.day i.day#i.program", "program day program#day"),
        ("a # b  ## c", "a#b c a#b#c"),
    ],
)
def test_interactions(text, expected):
    assert shape(text) == expected


def test_eight_ways_and_no_more():
    assert len(fixed("##".join("abcdefgh"))) == 2**8 - 1
    with pytest.raises(CommandError, match="at most 8"):
        fixed("#".join("abcdefghj"))
    with pytest.raises(CommandError, match="more than 10000 terms"):
        fixed("#".join(["(a b c d e f g h)"] * 6))


def test_a_base_holds_in_the_whole_list():
    terms = fixed("i.a#c.x ib3.a 2.a")
    assert terms[0] == Term((Factor("a", "categorical", 3.0), Factor("x")))
    assert terms[1] == Term((Factor("a", "categorical", 3.0),))
    assert terms[2] == Term((Factor("a", "categorical", "none", (2.0,)),))
    spec = read_model("y ib3.a || id: i.a", {})
    assert spec.random[0].terms == (Term((Factor("a", "categorical"),)),)


def test_positions():
    spec = read_model("y i.a#c.x || id: x", {})
    assert [part.position for part in spec.fixed[0].factors] == [4, 8]
    assert spec.positions == {"y": 0, "a": 4, "x": 8, "id": 13}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("zz.a", "zz"),
        ("c3.a", "c3"),
        ("ib.a", "ib"),
        ("ib(2 3).a", "ib"),
        ("i(4/2).a", "i("),
        ("i(1/99999999).a", "i("),
        ("i(x).a", "i("),
        ("i().a", "i("),
        ("R.a", "R."),
        ("c.i.a", "i."),
        ("ib2.a ib3.a", "a"),
        ("x 3.14", "3.14"),
        ("(x", ""),
        ("a##", "||"),
    ],
)
def test_refused(text, at):
    with pytest.raises(CommandError) as caught:
        fixed(text)
    whole = f"y {text} || id:"
    assert caught.value.position in {i for i in range(len(whole)) if whole.startswith(at, i)}


@pytest.mark.parametrize("text", ["L.x", "l2.x", "D.x", "F2.x", "S12.x", "L(1/3).x", "cL.x", "x*", "x1-x9", "ib(#2).a"])
def test_recognised_and_not_available_yet(text):
    with pytest.raises(NotAvailableError) as caught:
        fixed(text)
    assert caught.value.position == 2


@pytest.mark.parametrize("text", ["i.y x", "y#x", "(y)", "|| id:", "", "mixed", "if x > 2", ", reml"])
def test_the_dependent_variable_is_one_plain_variable(text):
    with pytest.raises(CommandError):
        read_model(text, {})
