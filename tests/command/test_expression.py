"""Values of `if` expressions: Stata's precedence, missing values above every number, the functions."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import sparsemixed
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


LARGE = 10**18
IDS = [LARGE + 3, LARGE + 2, LARGE + 4, 7]
COLUMNS = {
    "int64": np.array(IDS),
    "uint64": np.array([2**63 + i for i in IDS], dtype=np.uint64),
    "objects": np.array([*IDS[:3], None], dtype=object),
    "negative": np.array([-i for i in IDS]),
    "big": np.array([2**70 + i for i in IDS], dtype=object),
    "decimals": np.array([Decimal(i) / 100 for i in IDS], dtype=object),
    "mixed": np.array([*IDS[:3], 0.5], dtype=object),
    "x": np.array([1.0, 2.0, np.nan, 7.0]),
    "rounded": np.array(IDS, dtype=float),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int64 == 1000000000000000003", [1, 0, 0, 0]),
        ("1000000000000000003 == int64", [1, 0, 0, 0]),
        ("int64 != 1000000000000000003", [0, 1, 1, 1]),
        ("int64 ~= 1000000000000000003", [0, 1, 1, 1]),
        ("int64 < 1000000000000000003", [0, 1, 0, 1]),
        ("int64 <= 1000000000000000003", [1, 1, 0, 1]),
        ("int64 > 1000000000000000002", [1, 0, 1, 0]),
        ("int64 >= 1e18", [1, 1, 1, 0]),
        ("inlist(int64, 1000000000000000002, 7)", [0, 1, 0, 1]),
        ("inrange(int64, 1000000000000000003, .)", [1, 0, 1, 0]),
        ("inrange(int64, 8, 1000000000000000003)", [1, 1, 0, 0]),
        ("int64 == 7", [0, 0, 0, 1]),
        ("int64 == x", [0, 0, 0, 1]),
        ("int64 < x", [0, 0, 1, 0]),
        ("int64 == objects", [1, 1, 1, 0]),
        ("int64[_n-1] == 1000000000000000003", [0, 1, 0, 0]),
        ("int64 == int64[1]", [1, 0, 0, 0]),
        ("missing(int64[_n-1])", [1, 0, 0, 0]),
        ("!int64 | int64 & int64 < .", [1, 1, 1, 1]),
        ("uint64 == 10223372036854775811", [1, 0, 0, 0]),
        ("objects == 1000000000000000003", [1, 0, 0, 0]),
        ("objects != 1000000000000000003", [0, 1, 1, 1]),
        ("objects > 1000000000000000003", [0, 0, 1, 1]),
        ("objects >= .", [0, 0, 0, 1]),
        ("objects == .", [0, 0, 0, 1]),
        ("mi(objects)", [0, 0, 0, 1]),
        ("inlist(objects, ., 1000000000000000004)", [0, 0, 1, 1]),
        ("negative == -1000000000000000003", [1, 0, 0, 0]),
        ("negative < -1000000000000000003", [0, 0, 1, 0]),
        ("big == 1180591620717411303424 + 0", None),
        ("big == 1181591620717411303427", [1, 0, 0, 0]),
        ("decimals == 10000000000000000.03", [1, 0, 0, 0]),
        ("decimals > 10000000000000000.02", [1, 0, 1, 0]),
        ("decimals == .07", [0, 0, 0, 1]),
        ("mixed == .5 | mixed == 1000000000000000003", [1, 0, 0, 1]),
        ("x == 1000000000000000003", [0, 0, 0, 0]),
        ("x < 1000000000000000003", [1, 1, 0, 1]),
        ("x * 1000000000000000003 > 2e18", [0, 0, 1, 1]),
        ("x == 2.00000000000000000001", [0, 1, 0, 0]),
        ("rounded > 1000000000000000000", [0, 0, 0, 0]),
        ("rounded == 1000000000000000000", [1, 1, 1, 0]),
        ("rounded == 1e18", [1, 1, 1, 0]),
        ("rounded < 1000000000000000003", [1, 1, 1, 1]),
        ("rounded == 1000000000000000003", None),
        ("rounded != 1000000000000000003", None),
        ("inlist(rounded, 7, 1000000000000000003)", None),
        ("int64 == rounded", None),
        ("int64 < rounded", None),
        ("int64 == 1000000000000000000 + 3", None),
        ("int64 - 1000000000000000000 == 3", None),
        ("mod(int64, 10) == 3", None),
        ("max(int64, 3) == 3", None),
        ("cond(x, int64, 0) == 3", None),
    ],
)
def test_numbers_beyond_float64(text, expected):
    """Whole numbers beyond 2**53 and long decimals are compared exactly, or not at all."""
    expression = read_expression(text)
    if expected is None:
        with pytest.raises(CommandError, match="double precision"):
            expression.evaluate(COLUMNS, 4)
    else:
        assert expression.evaluate(COLUMNS, 4).tolist() == expected


@pytest.mark.parametrize("dtype", ["int64", "Int64", "object", "uint64", "int64[pyarrow]", "decimal", "category", "longdouble"])
def test_conditions_on_long_identifiers(dtype):
    """From the command to the rows, in every type that holds such numbers; the neighbours stay out."""
    ids = [LARGE + i // 4 for i in range(40)]
    column = {
        "decimal": lambda: pd.Series([Decimal(i) for i in ids], dtype=pd.ArrowDtype(pa.decimal128(30, 0))),
        "longdouble": lambda: pd.Series(np.array(ids, dtype=np.int64).astype(np.longdouble)),
    }.get(dtype, lambda: pd.Series(ids, dtype=dtype))()
    if dtype == "longdouble" and np.finfo(np.longdouble).nmant < 60:
        pytest.skip("extended precision is double precision here")
    data = pd.DataFrame({"id": column, "y": np.random.default_rng(1).normal(size=40)})
    kept = {"id == 1000000000000000003": 4, "id != 1000000000000000003": 36, "inlist(id, 1000000000000000003)": 4}
    kept |= {"id < 1000000000000000003": 12, "inrange(id, 1000000000000000003, 1000000000000000005)": 12}
    for condition, count in kept.items():
        assert sparsemixed.mixed(f"y if {condition} ||", data).nobs == count


def test_numbers_typed_with_all_their_digits():
    """What float64 rounds is another condition, also when it is read back from a saved fit."""
    one, other = (read_expression(f"id == 100000000000000000{i}") for i in (2, 3))
    assert one != other
    assert one == read_expression(one.source)
    assert hash(one) != hash(other)
    huge = read_expression("x < 1e999999999999999999999 & x > 1e-999999999999999999999")
    assert huge.evaluate({"x": np.array([1.0])}, 1).tolist() == [1]


def test_levels_beyond_float64():
    """`ib#.`, `#.` and `i(#/#).` name the level that is typed, not one beside it."""
    levels = [10**17 + i for i in range(4)]
    data = pd.DataFrame({"f": np.repeat(levels, 10), "y": np.random.default_rng(2).normal(size=40)})
    fit = sparsemixed.mixed("y ib100000000000000003.f ||", data)
    assert [name.partition(".")[0] for name in fit.params.index[:-1]] == [str(level) for level in levels[:3]]
    some = sparsemixed.mixed("y i(100000000000000001/100000000000000002).f ||", data)
    assert [name.partition(".")[0] for name in some.params.index[:-1]] == [str(level) for level in levels[1:3]]
    one = sparsemixed.mixed("y 100000000000000002.f ||", data)
    assert one.params.iloc[0] == pytest.approx(data.y[data.f == levels[2]].mean() - data.y[data.f != levels[2]].mean())
