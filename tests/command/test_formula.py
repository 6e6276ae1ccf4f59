"""lme4-style formulas."""

import pytest

from sparsemixed.command import read_model
from sparsemixed.command.algebra import Algebra
from sparsemixed.errors import CommandError
from sparsemixed.spec import EstimationOptions, Factor, RandomEquation, Term


def term(*names):
    return Term(tuple(Factor(name, "by_type") for name in names))


def fixed(right):
    spec = read_model(f"y ~ {right}", {})
    return [":".join(factor.variable for factor in each.factors) for each in spec.fixed], spec.constant


@pytest.mark.parametrize(
    ("right", "terms", "constant"),
    [
        ("x + f + x:f", ["x", "f", "x:f"], True),
        ("x * z", ["x", "z", "x:z"], True),
        ("x:z + z + x:z", ["z", "x:z"], True),
        ("0 + x", ["x"], False),
        ("x - 1", ["x"], False),
        ("-1 + x", ["x"], False),
        ("1 + x", ["x"], True),
        ("1", [], True),
        ("x / z", ["x", "x:z"], True),
        ("(a + b + c)^2 - a:b", ["a", "b", "c", "a:c", "b:c"], True),
        ("(a + b)**2", ["a", "b", "a:b"], True),
        ("(1 | g)", [], True),
        ("0 + (1 | g) + x", ["x"], False),
        ("(1 | g) + x - 1", ["x"], False),
        ("x\n + `odd name`", ["x", "odd name"], True),
        (" + ".join(f"v{i}" for i in range(300)), [f"v{i}" for i in range(300)], True),
    ],
)
def test_fixed_part(right, terms, constant):
    assert fixed(right) == (terms, constant)


SUMS = ("x", "1", "0", "x + z", "0 + x", "x+0", "1 + x + z", "x + x", " x + é + a.b ", "`odd name` + x", "x + log(z) + log(z)")
NO_SUMS = ("x + 0 + 1", "1 + 1", "-1 + x", "x:z + x", "x.", "x..y", "offset(w) + x", "(x + z)", "x +\n.")


@pytest.mark.parametrize("right", [*SUMS, *NO_SUMS])
def test_a_sum_is_what_formulaic_reads(right, monkeypatch):
    found, positions = [], []
    for _ in range(2):
        positions.append({})
        found.append(Algebra(right, positions[-1]).terms_and_offsets(right))
        monkeypatch.setattr(Algebra, "_plain_sum", lambda self, text: None)
    assert found[0] == found[1]
    assert positions[0] == positions[1]


@pytest.mark.parametrize(("right", "plain"), [*dict.fromkeys(SUMS, True).items(), *dict.fromkeys(NO_SUMS, False).items()])
def test_only_sums_are_read_as_such(right, plain):
    algebra = Algebra(right, {})
    assert (algebra._plain_sum(algebra._without_calls(right)) is not None) == plain


def test_variables_take_their_kind_from_the_data_unless_told():
    spec = read_model("y ~ x + C(a):x + C(`b b`)", {})
    assert spec.fixed == (
        term("x"),
        Term((Factor("b b", "categorical"),)),
        Term((Factor("a", "categorical"), Factor("x", "by_type"))),
    )
    assert spec.positions == {"y": 0, "x": 4, "a": 10, "b b": 19}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(1 | g)", [RandomEquation("g", ("g",), covariance="unstructured")]),
        ("(x | g)", [RandomEquation("g", ("g",), (term("x"),), covariance="unstructured")]),
        ("(1 + x | g)", [RandomEquation("g", ("g",), (term("x"),), covariance="unstructured")]),
        ("(x || g)", [RandomEquation("g", ("g",), (term("x"),), covariance="independent")]),
        ("(0 + x || g)", [RandomEquation("g", ("g",), (term("x"),), False, covariance="independent")]),
        (
            "(1 | a/b)",
            [
                RandomEquation("a", ("a",), covariance="unstructured"),
                RandomEquation("a:b", ("a", "b"), covariance="unstructured"),
            ],
        ),
        ("(1 | a:b)", [RandomEquation("a:b", ("a", "b"), covariance="unstructured")]),
        (
            "(1 | a/b:c)",
            [
                RandomEquation("a", ("a",), covariance="unstructured"),
                RandomEquation("a:b:c", ("a", "b", "c"), covariance="unstructured"),
            ],
        ),
        (
            "(1 | g) + (0 + x | g) + (1 | h)",
            [
                RandomEquation("g", ("g",), covariance="unstructured"),
                RandomEquation("g", ("g",), (term("x"),), False, covariance="unstructured"),
                RandomEquation("h", ("h",), covariance="unstructured"),
            ],
        ),
        ("(x * z - x | `my g`)", [RandomEquation("my g", ("my g",), (term("z"), term("x", "z")), covariance="unstructured")]),
    ],
)
def test_random_parts(text, expected):
    spec = read_model(f"y ~ w + {text}", {})
    assert list(spec.random) == expected
    assert spec.fixed == (term("w"),)


def test_the_two_languages_meet():
    command = read_model("weight week || id: week, covariance(unstructured)", {})
    formula = read_model("mixed weight ~ week + (week | id)", {})
    assert formula.response == command.response
    assert formula.constant == command.constant
    assert formula.random[0].covariance == command.random[0].covariance
    assert formula.estimation == command.estimation == EstimationOptions()


def test_a_command_with_a_tilde_in_its_condition_is_a_command():
    for text in ("y x if ~missing(z) || id:", 'y x if s ~= "~" || id:', "y `a~b` || id:"):
        assert [equation.label for equation in read_model(text, {}).random] == ["id"]


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("y ~ C(x, 2)", "2", "contrasts are one of"),
        ("y ~ {x}", "{", "functions such as"),
        ("y ~ x + 2", "2", "0 and 1"),
        ("y ~ x^z", "z", "power"),
        ("y ~ x^9", "9", "power"),
        ("y ~ x^2.5", "2.5", "power"),
        ("y ~ x ~ z", "~", "not understood"),
        ("y ~ x, reml", ",", "keyword arguments"),
        ("y ~ [x]", "[", "not understood"),
        ("y ~ 'x'", "'x", "0 and 1"),
        ("y + z ~ x", "y", "must be one variable"),
        ("~ x", "~", "must be one variable"),
        ("y ~ x | g", "|", "belongs inside"),
        ("y ~ (x | g | h)", "| h", "belongs inside"),
        ("y ~ ((x | g))", "|", "belongs inside"),
        ("y ~ (| g)", "|", "no random effects before"),
        ("y ~ (1 | )", " )", "nothing"),
        ("y ~ (1 | a + b)", " a + b", "grouping"),
        ("y ~ (1 | a/)", ")", "grouping"),
        ("y ~ x * (1 | g)", "(", "added with"),
        ("y ~ (1 | g) x", "(", "added with"),
        ("y ~ x + (1 | g", "", "expected"),
        ("y ~ x)", ")", "found `\\)`"),
        ("y ~ x x", "x x", "operator"),
        ("y ~ x +", "x +", "perator"),
        ("y ~ (1 | g) + (x | g)", "(x", "twice"),
        ("y ~ (1 | a/b) + (1 | b:a)", "(1 | b", "twice"),
        ("y ~ (a+b+c+d+e+f+g+h+i+j)^8", "(", "more than 10000"),
        ("y ~ a:b:c:d:e:f:g:h:i", "a", "at most 8"),
    ],
)
def test_refused(text, at, message):
    with pytest.raises(CommandError, match=message) as caught:
        read_model(text, {})
    assert caught.value.text == text
    assert caught.value.position == (text.rindex(at) if at else len(text))
