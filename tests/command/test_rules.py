"""Options that rule each other out: every row of the table, in both languages."""

import pytest

from sparsemixed.command import read_model
from sparsemixed.command.rules import RULES
from sparsemixed.errors import OptionError

CR2 = {"vce": "cr2"}
KRYLOV = {"solver": "krylov"}
BROKEN = [
    (
        "y x [fweight=w] || id:, emonly",
        {"emonly": True, "fweights": "w"},
        r"emonly.*unweighted estimation, not with \[fweight=w\]",
    ),
    (
        "y x || id:, emonly residuals(independent, by(a))",
        {"emonly": True, "residuals": "independent, by(a)"},
        r"emonly.*constant variance and is not available with residuals.*independent, by\(a\)",
    ),
    (
        "y x || id:, nonrtolerance nrtolerance(1)",
        {"nonrtolerance": True, "nrtolerance": 1},
        r"nonrtolerance.* and nrtolerance\(\) exclude each other",
    ),
    *(
        (
            f"y x || id:, solver(krylov) {typed}",
            {**KRYLOV, **keyword},
            rf"{next(iter(keyword))}.*not available with solver\(krylov\)",
        )
        for typed, keyword in (
            ("emonly", {"emonly": True}),
            ("technique(bfgs)", {"technique": "bfgs"}),
            ("matlog", {"matlog": True}),
            ("difficult", {"difficult": True}),
            ("nonrtolerance", {"nonrtolerance": True}),
        )
    ),
    ("y x || id:, dfmethod(kroger)", {"dfmethod": "kroger"}, "dfmethod.*needs REML estimation"),
    ("y x || id:, group(id)", {"group": "id"}, r"group.*needs residuals\(\)"),
    ("y x || id:, dftable(ci)", {"dftable": "ci"}, "dftable.*needs degrees of freedom"),
    ("y x || id:, small", {"small": True}, "small.*needs degrees of freedom"),
    ("y x || id:, estmetric stddev", {"estmetric": True, "stddeviations": True}, "estmetric.* and stddeviations.* exclude"),
    (
        "y x || id:, vce(cr2) estmetric dftable(ci)",
        {**CR2, "estmetric": True, "dftable": "ci"},
        "estmetric.* and dftable.* exclude",
    ),
    (
        "y x || id:, vce(cr2) coeflegend dftable(ci)",
        {**CR2, "coeflegend": True, "dftable": "ci"},
        "coeflegend.*and dftable.*exclude",
    ),
    ("y x || id:, reml robust", {"reml": True, "robust": True}, "robust.*not available with reml"),
    ("y x || id:, vce(robust) dfm(res)", {"vce": "robust", "dfmethod": "residual"}, r"vce.* and dfmethod\(\) exclude each other"),
    ("y x [pweight=w] || id:, vce(oim)", {"vce": "oim", "pweights": "w"}, "vce.*not available with sampling weights"),
    ("y x [fweight=w] || id:, vce(cr2)", {**CR2, "fweights": "w"}, r"vce.*not available with fweights; use vce\(robust\)"),
]


def test_every_rule_is_here():
    assert len(BROKEN) == len(RULES)


@pytest.mark.parametrize(("command", "keywords", "message"), BROKEN)
def test_the_message_is_about_the_option_and_the_caret_below_it(command, keywords, message):
    with pytest.raises(OptionError, match=f"^option {message}") as caught:
        read_model(command, {})
    named = caught.value.message.split()[1].partition("(")[0]
    assert named.startswith(command[caught.value.position :].partition("(")[0].split()[0])
    with pytest.raises(OptionError, match=f"^option {message}") as caught:
        read_model("y ~ x + (1 | id)", keywords)
    assert caught.value.position is None


@pytest.mark.parametrize("model", ["y x, noconstant || id:", "y ~ 0 + x + (1 | id)"])
def test_a_constant_left_out_and_asked_for(model):
    with pytest.raises(OptionError, match="noconstant=False contradicts"):
        read_model(model, {"noconstant": False})
