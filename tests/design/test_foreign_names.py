"""Coefficients by the names of statsmodels and R, wherever one is named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import CommandError, OptionError

SAME = {
    "_cons": ["Intercept", "(Intercept)", "const"],
    "2.arm": ["arm[T.2]", "C(arm)[T.2]", "C(arm, Treatment)[T.2]", "C(arm, Treatment(reference=1))[T.2]", "arm2", "arm[T.2.0]"],
    "c.time": ["time"],
    "2.arm#c.time": ["arm[T.2]:time", "time:arm[T.2]", "C(arm)[T.2]:time", "arm2:time", "time:arm2", "2.arm:time"],
    "b.site": ["site[T.b]", "C(site)[T.b]", "siteb"],
    "1.flag": ["flag[T.1]", "flag[T.True]", "flag[1]"],
}


@pytest.fixture(scope="module")
def data():
    found = sparsemixed.datasets.simulate_longitudinal(60, 6, seed=1)
    found["arm"], found["flag"] = 1 + found["id"] % 3, (found["id"] // 3) % 2
    found["site"] = pd.Series(found["id"] % 2).map({0: "a", 1: "b"})
    return found


@pytest.fixture(scope="module", params=["y i.arm##c.time i.site i.flag || id:", "y ~ C(arm) * time + site + C(flag) + (1 | id)"])
def fit(request, data):
    return sparsemixed.mixed(request.param, data)


@pytest.mark.parametrize(("ours", "theirs"), [(ours, one) for ours, several in SAME.items() for one in several])
def test_every_place_that_takes_a_name(fit, ours, theirs):
    want = fit.test(f"{ours} = 0.25").statistic
    for hypothesis in (f"{theirs} = 0.25", f"({theirs} = 0.25)", f"_b[{theirs}] = 0.25"):
        if theirs != "(Intercept)" or not hypothesis.startswith("_b"):
            assert fit.test(hypothesis).statistic == pytest.approx(want)
    assert fit.test([theirs]).statistic == pytest.approx(fit.test(ours).statistic)
    assert fit.test({theirs: 1.0}, [0.25]).statistic == pytest.approx(want)
    assert fit.test(pd.Series({theirs: 1.0}), 0.25).statistic == pytest.approx(want)
    assert fit.test(pd.DataFrame({theirs: [1.0]}), [0.25]).statistic == pytest.approx(want)
    assert fit.lincom(f"2*{theirs} - 0.5").statistic == pytest.approx(fit.lincom(f"2*{ours} - 0.5").statistic)


@pytest.mark.parametrize(("ours", "theirs"), [("2.arm = 0.1", "arm[T.2] = 0.1"), ("_cons = time", "Intercept = time")])
def test_constraints(data, ours, theirs):
    model = "y ~ C(arm) * time + (1 | id)"
    one, other = (sparsemixed.mixed(model, data, constraints=[text]) for text in (ours, theirs))
    assert one.llf == pytest.approx(other.llf, rel=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), [("i.arm", "C(arm)"), ("i.arm#c.time", "C(arm):time"), ("i.arm#c.time", "arm:time")])
def test_terms(fit, ours, theirs):
    assert fit.testparm(theirs).statistic == pytest.approx(fit.testparm(ours).statistic)
    assert fit.testparm(theirs).df == fit.testparm(ours).df == 2


def test_weights_by_name_do_not_depend_on_the_order(fit):
    weights = {"Intercept": 1.0, "arm[T.3]": -1.0, "time": [0.0, 2.0]}
    joint = fit.test(weights)
    K = np.zeros((2, len(fit.params)))
    K[:, list(fit.params.index).index("_cons")], K[:, list(fit.params.index).index("3.arm")] = 1.0, -1.0
    K[1, list(fit.params.index).index("time")] = 2.0
    assert joint.statistic == pytest.approx(fit.test(K).statistic)
    assert fit.test(pd.DataFrame(K, columns=fit.params.index)[fit.params.index[::-1]]).statistic == pytest.approx(joint.statistic)
    # A frame without names is an array.
    assert fit.test(pd.DataFrame(K)).statistic == pytest.approx(joint.statistic)
    with pytest.raises(OptionError, match="as many numbers each as there are hypotheses"):
        fit.test({"time": [1, 2], "arm[T.2]": [1, 2, 3]})


def test_base_levels_are_zero_by_every_name(fit):
    assert fit.lincom("arm[T.2] - arm[T.1]").estimate == pytest.approx(fit.params["2.arm"])


def test_names_that_are_none(fit):
    for text in ("arm[T.9] = 0", "C(drug)[T.2] = 0", "arm[T.2]:tim = 0", "arm[T.2 = 0", "arm9 = 0", "C(arm = 0"):
        with pytest.raises(CommandError):
            fit.test(text)
    with pytest.raises(CommandError, match="no coefficient arm"):
        fit.test({"arm[T.9]": 1})


def test_columns_that_are_called_so_come_first(data):
    named = data.assign(Intercept=np.cos(np.arange(len(data))), arm2=np.sin(np.arange(len(data))))
    fit = sparsemixed.mixed("y ~ Intercept + C(arm) + arm2 + (1 | id)", named)
    assert fit.lincom("Intercept").estimate == fit.params["Intercept"]
    assert fit.lincom("arm2").estimate == fit.params["arm2"]
    assert fit.lincom("arm[T.2]").estimate == fit.params["2.arm"]
    assert fit.lincom("const").estimate == fit.params["_cons"]
