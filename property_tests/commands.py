"""Random commands: every construct of the language, and what is left of it after some cuts and pastes."""

from hypothesis import strategies as st

from sparsemixed.command.functions import FUNCTIONS
from sparsemixed.command.options import OPTIONS

NAMES = ("y", "x", "z", "a", "id", "week", "x1", "_tmp", "`my x`", "été", "if_", "L", "i", "c")
WILD = ("x*", "*z", "x?", "x~z", "*", "??", "x1-x9", "x1 - x9")
LISTS = ("1", "2 4", "1/3", "0 2, 4")
ODD_LISTS = ("3/1", "-1/1", '"u" "v"', "first", "#2", "#0", "", "x", "1/", "1/99999999")
NUMBERS = ("0", "1", "2", "3.5", ".5", "1e3", "007", "12345678901234567890")
GAPS = (" ", " ", " ", " ", "  ", "\n", "\t", " ///\n", " /* a note */ ", " // the rest\n", " ///\n> ", "/**/ ")

HEADINGS = ("", "", "mixed", "xtmixed", "quietly mixed", "qui: mixed", "cap noi xtmixed", "xi: mixed", ". mixed", "* a\nmixed")
ODD_HEADINGS = ("by id: mixed", "bootstrap, reps(9): mixed", "mi estimate:", "foo: xtmixed", "estat", "test", "mixed,", "n :")
COMPOUND = '`"ab"\''
ENDS = ("", "", "", "||", " || ", ";", ", ,")

names = st.sampled_from(NAMES)


def lists(sane):
    return st.sampled_from(LISTS if sane else LISTS + ODD_LISTS)


@st.composite
def factor_operators(draw, sane):
    listed = draw(lists(sane))
    if sane:
        forms = ("i", "i", "i", "c", "c", "o", "ib3", "ibn", "ib(last)", "ib(freq)", "ib(#2)", "2", "2o", "1b", f"i({listed})")
        return draw(st.sampled_from(forms))
    letter = draw(st.sampled_from(("i", "c", "", "o", "R")))
    base = draw(st.sampled_from(("", "b3", "bn", "b", "o", "o2", f"b({listed})")))
    return letter + draw(st.sampled_from(("", "2", f"({listed})"))) + base


@st.composite
def time_operators(draw, sane):
    text = ""
    for _ in range(draw(st.integers(1, 2 if sane else 4))):
        number = draw(st.sampled_from(("", "", "2", "12") if sane else ("", "0", "99", "99999999999")))
        text += draw(st.sampled_from("LFDSlfds")) + draw(st.sampled_from((number, number, f"({draw(lists(sane))})")))
    return text


@st.composite
def operators(draw, sane):
    """What stands before a variable, with its dots."""
    kind = draw(st.sampled_from(("", "", "", "factor", "factor", "time", "both", "apart")))
    factor, time = draw(factor_operators(sane)), draw(time_operators(sane))
    if sane and factor != "c":
        time = draw(st.sampled_from(("L", "F2", "l", "L(0/2)")))  # the only ones for categorical variables
    written = {"factor": f"{factor}.", "time": f"{time}.", "both": f"{factor}{time}.", "apart": f"{factor}.{time}."}
    return written.get(kind, "")


levels_and_responses = st.one_of(names, names, names, st.just("wei~t"))
patterns = st.one_of(names, names, names, st.sampled_from(WILD))


@st.composite
def operands(draw, depth, sane):
    if depth and draw(st.integers(0, 5)) == 0:
        return f"{draw(operators(sane))}({draw(variable_lists(depth - 1, sane, fewest=1))})"
    operator = draw(operators(sane))
    return operator + draw(st.sampled_from(("", "", " "))) * operator.endswith(".") + draw(patterns)


@st.composite
def chains(draw, depth, sane):
    parts = draw(st.lists(operands(depth, sane), min_size=1, max_size=3))
    return parts[0] + "".join(draw(st.sampled_from(("#", "##", " # "))) + part for part in parts[1:])


def variable_lists(depth, sane, fewest=0):
    return st.lists(st.deferred(lambda: chains(depth, sane)), min_size=fewest, max_size=3).map(" ".join)


BINARY = ("+", "-", "*", "/", "^", "==", "!=", "~=", "<", "<=", ">", ">=", "&", "|")


@st.composite
def expressions(draw, depth, sane):
    kinds = ("leaf", "binary", "binary", "unary", "call", "parenthesis", "element")
    kind = draw(st.sampled_from(kinds)) if depth else "leaf"
    if kind == "leaf":
        texts = ('"ab"', '""', COMPOUND, "wei~t", ".", ".a", ".z", "_n", "_N", "L.x", "l2.d.x", *([] if sane else ["e(sample)"]))
        return draw(st.one_of(names, st.sampled_from(NUMBERS), st.sampled_from(texts)))
    parts = expressions(depth - 1, sane)
    if kind == "binary":
        operator = draw(st.sampled_from(BINARY if sane else (*BINARY, "=", "**", "&&")))
        blank = draw(st.sampled_from(("", " ")))
        return f"{draw(parts)}{blank}{operator}{blank}{draw(parts)}"
    if kind == "element":
        blank = draw(st.sampled_from(("", "", " ")))
        return f"{draw(names)}{blank}[{draw(parts)}]"
    if kind == "unary":
        return draw(st.sampled_from(("-", "+", "!", "~"))) + draw(parts)
    if kind == "call":
        name = draw(st.sampled_from([*FUNCTIONS] if sane else [*FUNCTIONS, "foo"]))
        fewest, most = (FUNCTIONS[name].fewest, FUNCTIONS[name].most or 4) if sane else (0, 4)
        return f"{name}({', '.join(draw(st.lists(parts, min_size=fewest, max_size=most)))})"
    return f"({draw(parts)})"


SANE_OPTIONS = ("reml", "iterate(5)", "tolerance(1e-8)", "l(90)", "stddev", "nolog", "nogr", "varabbrev", "tsset(id `my x`)")
OF_EQUATIONS = ("nocons", "cov(un)", "covariance(exchangeable)", "collinear")
ARGUMENTS = (
    *("unstructured", "ident", "ex", "ar 2, t(week)", "toeplitz 2, t(week) by(a)", "unstructured, t(`my x`)", "exponential"),
    *(
        "id week",
        "week, delta(2)",
        "id week, monthly",
        "`my x` week",
        "kroger",
        "satterthwaite, oim",
        "90",
        "1e-8",
        "0",
        "-1",
        "1/3, 5",
        "size",
        "robust",
    ),
    *("cluster id", "cr2 id", "oim", "x*2 + L.z", "nr", "auto", "pvalue", "", ")", "(", '"', "a(b)c", "99999999999999999999"),
)


@st.composite
def any_options(draw):
    """Any option, abbreviated somehow, with any argument."""
    option = draw(st.sampled_from(OPTIONS))
    shortest, name = option.word.shortest, option.name
    word = name[: draw(st.integers(min(len(shortest), len(name)), len(name)))]
    with_argument = option.takes_argument != (draw(st.integers(0, 9)) == 0)
    return f"{word}({draw(st.sampled_from(ARGUMENTS))})" if with_argument else word


def option_lists(sane, known):
    each = st.lists(st.sampled_from(known), max_size=3, unique=True) if sane else st.lists(any_options(), max_size=3)
    apart = each.map(lambda found: ",, " + ", ".join(found))
    return st.one_of(st.just(""), each.map(lambda found: ", " + " ".join(found)), apart)


@st.composite
def equations(draw, sane, level, condition=""):
    part = draw(st.one_of(st.just(""), variable_lists(1, sane), names.map("R.{}".format)))
    known = () if part.startswith("R.") else OF_EQUATIONS[: draw(st.sampled_from((1, 2, 4)))]
    return f"|| {level}: {part} {condition}{draw(option_lists(sane, known) if known or not sane else st.just(''))}"


@st.composite
def commands(draw):
    """A command put together by the rules of the grammar; half of them may say nonsense."""
    sane = draw(st.booleans())
    parts = [draw(st.sampled_from(HEADINGS if sane else HEADINGS + ODD_HEADINGS))]
    operator = draw(st.sampled_from(("", "", "D.", "L2.") if sane else ("", "", "", "D.", "i.", "L(1/2).")))
    parts.append(operator + draw(levels_and_responses))
    parts.append(draw(variable_lists(2, sane)))
    last = draw(st.integers(0, 3)) == 0  # where the condition stands
    condition = f"if {draw(expressions(3, sane))}" if draw(st.booleans()) else ""
    if not last:
        parts.append(condition)
    if draw(st.integers(0, 3)) == 0:
        parts.append(f"in {draw(st.sampled_from(('1/10', '-5/l', 'f/3', '2') if sane else ('l', '5/2', '0/1', 'x')))}")
    if draw(st.integers(0, 3)) == 0:
        word = draw(st.sampled_from(("fw", "pweight") if sane else ("fweights", "aw", "w", "x")))
        parts.append(f"[{word}={draw(expressions(2, sane))}]")
        known = SANE_OPTIONS[1:]  # no reml with weights
    else:
        known = SANE_OPTIONS
    parts[-1] += draw(option_lists(sane, known))
    levels = draw(st.lists(st.sampled_from(("_all", *NAMES, "i~d")), max_size=3, unique=sane))
    levels = sorted(levels, key=lambda level: level != "_all") if sane else levels
    for k, level in enumerate(levels, start=1):
        parts.append(draw(equations(sane, level, condition if last and k == len(levels) else "")))
    parts.append(draw(st.sampled_from(ENDS[:5] if sane and not levels else ENDS)))
    return "".join(part.replace(" ", draw(st.sampled_from(GAPS)), 1) + draw(st.sampled_from(GAPS)) for part in parts)


_WORDS = """
    y x id _all week i. ib3. ibn. c. R. 2. o. L. L(1/2). D. cL. # ## ( ) [ ] || | ~ + - * ** / ^ : , . .a = == != < >= & ! 1 0
    3.5 2/4 1e400 if in f/l mixed reml mle nocons cov( un) level(90) tsset( varabbrev iter(3) inlist( missing( cond( _n _N C( I(
    fw pw= "abc" " ` `v` `v' $v ${v} `"s"' xtmixed qui: by capture ml robust cluster( group( > e(sample)
    wei~t { } % $ \\ ' ; @ ? x* x~z x1-x9 /// // /* */ é
"""
PIECES = (*_WORDS.split(), " ", "\n", "\t", "\x00", "\u2028")


@st.composite
def mutated(draw, texts):
    """A text with some stretches cut out, repeated or replaced."""
    text = draw(texts)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + draw(st.sampled_from(["", text[start:end] * 2, *PIECES])) + text[end:]
    return text
