"""Factor variables and interactions."""

import pytest

from sparsemixed.command import read_model
from sparsemixed.errors import CommandError
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


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("L.x", "L.x"),
        ("l1.x", "L.x"),
        ("L2.x", "L2.x"),
        ("L(1/3).x", "L.x,L2.x,L3.x"),
        ("L(0 2, 4).x", "x,L2.x,L4.x"),
        ("L(-1/1).x", "F.x,x,L.x"),
        ("L(3/1).x", "L3.x,L2.x,L.x"),
        ("f2.x", "F2.x"),
        ("D.x", "D.x"),
        ("D2.x", "D2.x"),
        ("DD.x", "D2.x"),
        ("S12.x", "S12.x"),
        ("S1.x", "D.x"),
        ("LD.x", "LD.x"),
        ("D.L2.x", "L2D.x"),
        ("FL.x", "x"),
        ("L0.x", "x"),
        ("S12DL.x", "LDS12.x"),
        ("L(1/2)D(0/1).x", "L.x,LD.x,L2.x,L2D.x"),
        ("L.(x z)", "L.x,L.z"),
        ("D.(x L.z)", "D.x,LD.z"),
        ("L.`my x`", "L.my x"),
        ("L.(x x)", "L.x"),
    ],
)
def test_time_series_operators(text, names):
    assert [term.factors for term in fixed(text)] == [(Factor(name),) for name in names.split(",")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cL.x#i.a", "c.L.x#a"),
        ("c.L.x#i.a", "c.L.x#a"),
        ("L.c.x#i.a", "c.L.x#a"),
        ("i.a##cL(1/2).x", "a c.L.x a#c.L.x c.L2.x a#c.L2.x"),
        ("L.x#a", "L.x#a"),
        ("iL.a", "L.a"),
        ("i.L(1 2).a", "L.a L2.a"),
        ("i.(L.a b)", "L.a b"),
        ("c.(L.x D.z)#i.a", "c.L.x#a c.D.z#a"),
    ],
)
def test_time_series_operators_with_factor_notation(text, expected):
    assert shape(text) == expected


def test_marks_and_levels_of_lagged_factors():
    assert factor("ib3L.a") == Factor("L.a", "categorical", 3.0)
    assert factor("2L.a") == factor("L.2.a") == Factor("L.a", "categorical", "none", (2.0,))
    assert factor("1bL.a") == Factor("L.a", "categorical", 1.0, (1.0,))
    assert factor("coL.x") == factor("oL.x") == Factor("L.x", omitted=True)


@pytest.mark.parametrize("text", ["D.y", "L2.y", "S12.y", "LD.y"])
def test_a_dependent_variable_with_time_series_operators(text):
    spec = read_model(f"{text} x || id:", {})
    assert spec.response == text
    assert spec.positions[text] == text.index("y")
    assert read_model(f"mixed {text.lower()} x || id:", {}).response == text.replace("Y", "y")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("D.a#c.x", "D.a is a difference and has no levels; write cD.a"),
        ("iS12.a", "write cS12.a"),
        ("L(x).x", "found x where numbers should be"),
        ("L().x", "no number is listed"),
        ("S0.x", "must be at least 1, found 0"),
        ("D51.x", "between 0 and 50"),
        ("D30.D30.x", "between 0 and 50"),
        ("L(0/99999).x", "more than 1000 numbers"),
        ("L(0/99)D(0/20).x", "stands for 2100 variables"),
        ("L1234567890.x", "too large"),
        ("my.x", "a column whose name has a dot goes in backquotes: `my.x`"),
        ("i.a*i.b", "interactions are written with # or ##"),
    ],
)
def test_operators_that_are_refused(text, message):
    with pytest.raises(CommandError) as caught:
        fixed(text)
    assert message in str(caught.value)
    assert caught.value.position is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x*", Factor("x*", pattern=True)),
        ("*z", Factor("*z", pattern=True)),
        ("*", Factor("*", pattern=True)),
        ("x?", Factor("x?", pattern=True)),
        ("x~z", Factor("x~z", pattern=True)),
        ("x1-x9", Factor("x1-x9", pattern=True)),
        ("x1 - x9", Factor("x1-x9", pattern=True)),
        ("i.a*", Factor("a*", "categorical", pattern=True)),
        ("i.(a*)", Factor("a*", "categorical", pattern=True)),
        ("L.(x*)", Factor("L.x*", pattern=True)),
        ("`x*`", Factor("x*")),
    ],
)
def test_patterns(text, expected):
    assert factor(text) == expected


def test_an_abbreviated_name_is_no_formula():
    assert read_model("y x~z || id:", {}).fixed == (Term((Factor("x~z", pattern=True),)),)
    assert read_model("y~x", {}).full_coding
    with pytest.raises(CommandError, match="left side"):
        read_model("y x ~ z", {})


@pytest.mark.parametrize(
    "text", ["i.y x", "y#x", "(y)", "y* x", "L(1/2).y x", "iL.y x", "y1-y9", "|| id:", "", "mixed", "if x > 2", ", reml"]
)
def test_the_dependent_variable_is_one_plain_variable(text):
    with pytest.raises(CommandError):
        read_model(text, {})


@pytest.mark.parametrize(
    "text",
    [
        "y x /* the outcome */ || id: x, reml",
        "y x || id: x, reml // the end",
        "y x /// the first line\n  || id: x, reml",
        "y x\n|| id: x, reml",
        "/* a\ncomment */ mixed y x || id: /* another */ x,\n// a line\nreml",
        "y /**/ x || id: x, reml",
    ],
)
def test_comments_and_line_breaks(text):
    spec = read_model(text, {})
    assert (spec.response, spec.random[0].label, spec.estimation.method) == ("y", "id", "reml")
    assert spec.fixed == spec.random[0].terms == (Term((Factor("x"),)),)
    assert text[spec.positions["id"] :].startswith("id:")


def test_comments_that_are_none():
    with pytest.raises(CommandError, match="not closed") as caught:
        read_model("y x /* || id:", {})
    assert caught.value.position == 4
    assert read_model('y x if s == "a // b /* c" || id:', {}).sample.condition_text == 's == "a // b /* c"'
    assert read_model("y ~ x + (1 | a/b) // nested", {}).random[1].label == "a:b"
    assert read_model("y ~ x /* y || z */ + (1 | a)", {}).random[0].label == "a"
