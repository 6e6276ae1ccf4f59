"""Values of `if` expressions: Stata's precedence, missing values above every number, the functions."""

import numpy as np
import pytest

from sparsemixed.command import read_expression, read_model
from sparsemixed.errors import CommandError

NAN = float("nan")
DATA = {
    "x": np.array([1, 2, 3]),
    "m": np.array([1.0, NAN, -2.5]),
    "flag": np.array([True, False, True]),
    "s": np.array(["ab", "", "Cd"]),
    "t": np.array(["ab", None, "b"], dtype=object),
    "o": np.array([1, None, 2], dtype=object),
}


def value(text):
    return read_expression(text).evaluate(DATA, 3).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-2^2", -4),
        ("2^-1", 0.5),
        ("2^3^2", 64),
        ("!0 == 1", 1),
        ("~1", 0),
        ("8/2*3", 12),
        ("10 - 2 - 3", 5),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("1 | 0 & 0", 1),
        ("2 > 1 == 1", 1),
        ("1 < 2 & 3 >= 3", 1),
        (".5e1 + 1e-1 * 0", 5),
        ("+1 - -1", 2),
        ('"a" + "b" == "ab"', 1),
        ('"a" < "b"', 1),
        ("_N", 3),
        (". == .a", 1),
        (". > 1e300", 1),
        (".z < .", 0),
        ("!.", 0),
        (". & 1", 1),
    ],
)
def test_operators(text, expected):
    assert value(text) == [expected] * 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", [1, 2, 3]),
        ("_n == 2", [0, 1, 0]),
        ("m > 0", [1, 1, 0]),
        ("m < .", [1, 0, 1]),
        ("m <= .", [1, 1, 1]),
        ("m >= .", [0, 1, 0]),
        ("m != 1", [0, 1, 1]),
        ("m ~= .", [1, 0, 1]),
        ("o == 2", [0, 0, 1]),
        ("flag", [1, 0, 1]),
        ("flag & x > 1", [0, 0, 1]),
        ('s == "ab"', [1, 0, 0]),
        ('t == ""', [0, 1, 0]),
        ("s == t", [1, 1, 0]),
        ("s + t", ["abab", "", "Cdb"]),
        ("inlist(x, 1, 3)", [1, 0, 1]),
        ("inlist(m, .)", [0, 1, 0]),
        ('inlist(s, "ab", "Cd")', [1, 0, 1]),
        ("inrange(x, 2, 3)", [0, 1, 1]),
        ("inrange(m, ., 0)", [0, 0, 1]),
        ("inrange(m, 0, .)", [1, 0, 0]),
        ("missing(m)", [0, 1, 0]),
        ("mi(m, t)", [0, 1, 0]),
        ("missing(s)", [0, 1, 0]),
        ("int(m)", [1, NAN, -2]),
        ("floor(m)", [1, NAN, -3]),
        ("ceil(m)", [1, NAN, -2]),
        ("round(m)", [1, NAN, -2]),
        ("round(m, 2)", [2, NAN, -2]),
        ("round(m, 0)", [1, NAN, -2.5]),
        ("abs(m)", [1, NAN, 2.5]),
        ("sign(m)", [1, NAN, -1]),
        ("sqrt(m)", [1, NAN, NAN]),
        ("ln(m)", [0, NAN, NAN]),
        ("log(x - 1)", [NAN, 0, np.log(2)]),
        ("log10(x*0 + 100)", [2, 2, 2]),
        ("exp(x*1000)", [NAN, NAN, NAN]),
        ("x/(x - 1)", [NAN, 2, 1.5]),
        ("mod(x, 2)", [1, 0, 1]),
        ("mod(-x, 3)", [2, 1, 0]),
        ("mod(x, 0)", [NAN, NAN, NAN]),
        ("mod(x, -2)", [NAN, NAN, NAN]),
        ("trunc(m)", [1, NAN, -2]),
        ("invlogit(m - m)", [0.5, NAN, 0.5]),
        ("logit(m/2)", [0, NAN, NAN]),
        ("logit(invlogit(m)) - m < 1e-12", [1, 0, 1]),
        ("sin(m)^2 + cos(m)^2 - 1 < 1e-12 | mi(m)", [1, 1, 1]),
        ("tan(atan(m)) - m < 1e-12 | mi(m)", [1, 1, 1]),
        ('real("12.5")', [12.5] * 3),
        ('real(" -1e3 ")', [-1000] * 3),
        ('real("1_0") == . & real("nan") == . & real("") == . & real(".") == .', [1, 1, 1]),
        ("string(m)", ["1", ".", "-2.5"]),
        ("strofreal(x/3)", [".3333333", ".6666667", "1"]),
        ("real(string(x)) == x", [1, 1, 1]),
        ('strpos(s, "b")', [2, 0, 0]),
        ('strpos(s, "")', [0, 0, 0]),
        ('trim("  a b ") == "a b" & strtrim(" c") == "c"', [1, 1, 1]),
        ('ltrim(" a ") + rtrim(" a ")', ["a  a"] * 3),
        ('strmatch(s, "?b")', [1, 0, 0]),
        ('strmatch(s, "C*")', [0, 0, 1]),
        ('strmatch("a.b", "a?b") & !strmatch("axb", "a.b")', [1, 1, 1]),
        ("min(m, x)", [1, 2, -2.5]),
        ("max(m, x, 2)", [2, 2, 3]),
        ("max(m)", [1, NAN, -2.5]),
        ("cond(m > 0, x, -x)", [1, 2, -3]),
        ("cond(m, x, -x, 0)", [1, 0, 3]),
        ("strlen(s)", [2, 0, 2]),
        ("length(t)", [2, 0, 1]),
        ("lower(s)", ["ab", "", "cd"]),
        ("strupper(s)", ["AB", "", "CD"]),
        ("substr(s, 2, 1)", ["b", "", "d"]),
        ("substr(s, -1, .)", ["b", "", "d"]),
        ("substr(s, 0, 1)", ["", "", ""]),
        ("substr(s, 1, x)", ["a", "", "Cd"]),
    ],
)
def test_columns_and_functions(text, expected):
    np.testing.assert_equal(value(text), expected)


def test_time_series_operators_are_part_of_the_name():
    expression = read_expression("L.x > 2 & l2.d.`my x` < . | 1.5 > f.x - S12.x")
    assert expression.variables == {"L.x", "L2D.my x", "F.x", "S12.x"}
    assert expression.positions["L2D.my x"] == 10
    assert read_expression("d.x").evaluate({"D.x": np.array([1.0, NAN])}, 2)[0] == 1
    with pytest.raises(CommandError, match=r"S0\. is not understood: the number after S must be at least 1") as caught:
        read_expression("1 + S0.x")
    assert caught.value.position == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x[_n-1]", [np.nan, 1, 2]),
        ("x[_N] - x[1]", [3, 3, 3]),
        ("x[x]", [1, 2, np.nan]),
        ("x[1.9] + x [2]", [3, 3, 3]),
        ("x[.] == . & x[0] == . & x[1e300] == .", [1, 1, 1]),
        ('s[_n+1] == "" | s[1] == "b"', [0, 0, 1]),
        ("strlen(s[_n-1])", [0, 1, 1]),
    ],
)
def test_elements(text, expected):
    data = {"x": np.array([1.0, 2.0, 4.0]), "s": np.array(["a", "b", "c"], dtype=object)}
    np.testing.assert_array_equal(read_expression(text).evaluate(data, 3), expected)


def test_brackets_of_weights_are_no_elements():
    spec = read_model("y x if x[1] == 2 [pw = w[_N] == 1] || id:")
    assert spec.sample.condition == read_expression("x[1] == 2")
    assert spec.weights.rows.expression == read_expression("w[_N] == 1")


def test_values_do_not_touch_the_data():
    before = {name: column.copy() for name, column in DATA.items()}
    read_expression("x").evaluate(DATA, 3)[:] = 7
    for name, column in before.items():
        np.testing.assert_array_equal(column, DATA[name])


def test_no_rows():
    assert read_expression('x > 2 & substr(s, 1, 1) == "a"').evaluate({"x": np.empty(0), "s": np.empty(0, "U1")}, 0).size == 0


def test_long_and_deep_conditions():
    long = " | ".join(f"x == {i}" for i in range(3, 3000))
    assert value(long) == [0, 0, 1]
    assert value(f"{'(' * 3000}x{' + 1)' * 3000}") == [3001, 3002, 3003]


def test_variables_and_equality():
    expression = read_expression("x > 2 & inlist(`odd name`, _n, _N)")
    assert expression.variables == {"x", "odd name"}
    assert expression == read_expression("(x>2) & inlist(`odd name`,_n,_N)")
    assert expression != read_expression("x > 3")
    assert hash(read_expression("x < .")) == hash(read_expression("x<.a"))


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("(x", 2, "expected `\\)`"),
        ("x)", 1, "found `\\)`"),
        ("x >", 3, "the end"),
        ("x y", 2, "found `y`"),
        ("x = 2", 2, "=="),
        ('x > "a', 4, "found"),
        ("foor(x)", 0, "did you mean floor"),
        ("1 + mod(x)", 4, "takes 2 arguments, found 1"),
        ("inlist(x)", 0, "2 or more"),
        ("cond(1, 2)", 0, "3 to 4"),
        ("", 0, "the end"),
        ("__import__(1)", 0, "unknown function"),
        ("x.y", 1, "found"),
        ("x[1", 3, "expected `]`"),
        ("x[]", 2, "expected a name or a value"),
        ("_n[1]", 2, "_n is no variable"),
    ],
)
def test_not_understood(text, position, message):
    with pytest.raises(CommandError, match=message) as caught:
        read_expression(text)
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ('x == "a"', 2, "type mismatch"),
        ("x[s]", 1, "a row is a number"),
        ("1 + s", 2, "type mismatch"),
        ("-s", 0, "type mismatch"),
        ("x & s", 2, "neither true nor false"),
        ("1 + abs(s)", 4, "abs\\(\\): type mismatch"),
        ("strlen(x)", 0, "must be a string"),
        ('cond(x, "a", 1)', 0, "cannot return"),
        ('inlist(x, "a")', 0, "type mismatch"),
        ("x + ss", 4, "variable ss not found"),
        ("1 + when", 4, "neither numeric nor a string"),
        ("1 + mixture", 4, "mixes values"),
    ],
)
def test_wrong_values(text, position, message):
    data = {**DATA, "when": np.array(["2020-01-01"] * 3, dtype="M8[D]"), "mixture": np.array([1, "a", 2], dtype=object)}
    with pytest.raises(CommandError, match=message) as caught:
        read_expression(text).evaluate(data, 3)
    assert caught.value.position == position


def test_a_condition_is_numeric():
    np.testing.assert_array_equal(read_expression("m > 0").selects(DATA, 3), [True, True, False])
    with pytest.raises(CommandError, match="is a string"):
        read_expression("s").selects(DATA, 3)
