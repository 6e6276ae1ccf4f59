"""Levels in per cent and whole numbers, which one check reads wherever they can be given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import OptionError

TAKERS = {
    "conf_int": lambda fit, level: fit.conf_int(level=level),
    "random_conf_int": lambda fit, level: fit.random_conf_int(level=level),
    "summary": lambda fit, level: fit.summary(level=level),
    "tidy": lambda fit, level: fit.tidy(level=level),
    "lincom": lambda fit, level: fit.lincom("x", level=level),
    "margins": lambda fit, level: fit.margins(level=level),
    "estat.icc": lambda fit, level: fit.estat.icc(level=level),
    "emmeans": lambda fit, level: fit.emmeans("a", level=level),
    "estat.sd": lambda fit, level: fit.estat.sd(level=level),
    "profile": lambda fit, level: fit.profile("x", level=level).limits,
    "bootstrap": lambda fit, level: fit.bootstrap(10, seed=1).conf_int(level=level),
    "bayes": lambda fit, level: fit.bayes(draws=200, seed=1).table(level=level),
}


@pytest.fixture(scope="module")
def fit() -> sparsemixed.results.Results:
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(12), 5)
    y = rng.normal(size=60) + rng.normal(size=12)[g]
    data = pd.DataFrame({"y": y, "x": rng.normal(size=60), "a": np.arange(60) % 3, "g": g})
    return sparsemixed.mixed("y x i.a || g:", data)


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("level", [np.int64(90), np.float32(90)], ids=["int64", "float32"])
def test_numbers_of_numpy_are_levels(fit, taker, level):
    assert str(TAKERS[taker](fit, level)) == str(TAKERS[taker](fit, 90))


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("level", [True, 0.95, 100, -5], ids=str)
def test_what_is_no_level_is_refused(fit, taker, level):
    with pytest.raises(OptionError, match=r"is not a level in per cent, which must lie between 10 and 99\.99"):
        TAKERS[taker](fit, level)


@pytest.mark.parametrize("taker", sorted(set(TAKERS) - {"margins"}))
def test_texts_are_refused(fit, taker):
    """But by margins, whose options can be texts."""
    with pytest.raises(OptionError, match="'90' is not a level in per cent"):
        TAKERS[taker](fit, "90")


OTHERS = {
    "bootstrap": lambda fit, whole: fit.bootstrap(whole(10), seed=whole(1), n_jobs=whole(1)).replicates,
    "jackknife": lambda fit, whole: fit.jackknife(n_jobs=whole(1)).replicates,
    "simulate": lambda fit, whole: fit.simulate(whole(3), seed=whole(2)),
    "at": lambda fit, whole: fit.margins(at={"x": whole(1)}),
    "bayes": lambda fit, whole: fit.bayes(draws=whole(200), seed=whole(1), n_jobs=whole(1)),
    "crossing": lambda fit, whole: sparsemixed.crossing(g=whole(3)),
    "extend": lambda fit, whole: sparsemixed.extend(sparsemixed.crossing(g=3, t=2), "g", n=whole(5)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_whole_numbers_of_numpy(fit, name):
    assert str(OTHERS[name](fit, np.int64)) == str(OTHERS[name](fit, int))


@pytest.mark.parametrize("name", sorted(set(OTHERS) - {"at", "crossing"}))
def test_what_is_no_whole_number_is_refused(fit, name):
    for wrong in (lambda _: True, str, lambda number: number + 0.5):
        with pytest.raises(OptionError):
            OTHERS[name](fit, wrong)
