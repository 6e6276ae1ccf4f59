"""Arguments of the wrong kind are refused in one line that names them."""

from __future__ import annotations

import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import SparseMixedError

DATA = sparsemixed.datasets.simulate_longitudinal(12, 5, seed=1).assign(g=lambda d: d.id % 3)
MODEL = "y ~ time + (1 | id)"

CALLS = {
    "profile: a number": (lambda fit: fit.profile(3), "profile takes a name, or a list of names; found 3"),
    "profile: nothing": (lambda fit: fit.profile(""), "profile takes a name"),
    "influence: what": (lambda fit: fit.influence(what=3), "influence: what takes a name"),
    "influence: by": (lambda fit: fit.influence(by=["g", "g"]), "by names g twice"),
    "loo": (lambda fit: fit.loo(by=["g", "g"]), "by names g twice"),
    "jackknife": (lambda fit: fit.jackknife(by=["g", "g"]), "by names g twice"),
    "predict: what": (lambda fit: fit.predict(what=["fitted"]), r"unknown what=\['fitted'\]"),
    "predict: data": (lambda fit: fit.predict(DATA.y), "the data are a Series"),
    "render": (lambda fit: fit.render(["text"]), "there is no format"),
    "coef": (lambda fit: fit.coef(["id"]), r"there is no level \['id'\]"),
    "emtrends": (lambda fit: fit.emtrends("g", ["time"]), "emtrends: var takes a name"),
    "anova of a fit": (lambda fit: fit.anova(3), "anova takes fits, results of mixed; found int"),
    "anova": (lambda fit: sparsemixed.anova(fit, "fit.smx"), "anova takes fits"),
    "lrtest": (lambda fit: sparsemixed.lrtest(fit, "fit.smx"), "lrtest takes fits"),
    "compare": (lambda fit: sparsemixed.compare(fit, pd.DataFrame()), "compare takes fits"),
    "compare: stars": (lambda fit: sparsemixed.compare(fit, stars=0.05), "stars=0.05 must be levels between 0 and 1"),
    "cross_validate: a fit": (lambda _: sparsemixed.cross_validate(3, by="id"), "cross_validate takes fits"),
    "cross_validate: by": (lambda fit: sparsemixed.cross_validate(fit, by=3), "cross_validate: by takes a name"),
    "cross_validate: seed": (lambda fit: sparsemixed.cross_validate(fit, by="id", random_state=-1), "random_state=-1"),
    "power": (lambda fit: sparsemixed.power(fit, params=0.5), "params takes values of parameters by name; found 0.5"),
    "statsby": (lambda _: sparsemixed.statsby(MODEL, DATA, by="g", statistics=3), "statistics are texts"),
    "estat.wcorrelation": (lambda fit: fit.estat.wcorrelation(at="id"), "at takes values of levels"),
    "mixed": (lambda _: sparsemixed.mixed(MODEL, DATA.y), "the data are a Series"),
}


@pytest.fixture(scope="module")
def fit():
    return sparsemixed.mixed(MODEL, DATA)


@pytest.mark.parametrize("call", CALLS)
def test_one_line_names_it(fit, call):
    run, words = CALLS[call]
    with pytest.raises(SparseMixedError, match=words) as caught:
        run(fit)
    assert "\n" not in str(caught.value)
