"""Cluster-robust covariances by R's clubSandwich, an independent implementation by one of their inventors.

Standard errors and Satterthwaite degrees of freedom of each coefficient, F and its degrees of freedom by the HTZ test of all but
the constant.
"""

from __future__ import annotations

from functools import cache

import pytest

import sparsemixed
from tests.golden import flat, golden, load, small_sample

FIGURES = golden("club_sandwich")
MODELS = {
    "sleepstudy": ("sleepstudy_unbalanced", "Reaction ~ Days + (Days | Subject)", True),
    "orthodont": ("orthodont_unbalanced", "distance ~ age * Sex + (1 | Subject)", False),
    "orthodont ar 1": (
        "orthodont_unbalanced",
        "distance c.age##i.Sex || Subject:, noconstant residuals(ar 1, t(visit))",
        True,
    ),
    "oats": ("oats_unbalanced", "yield ~ nitro + Variety + (1 | Block / Variety)", True),
}
"""Sample, model, whether by REML."""
CLOSE = 1e-5
"""The working covariances are the fitted ones: digits are shared as far as both fits stop at the same optimum."""


@cache
def fitted(name, vce):
    sample, model, reml = MODELS[name]
    return sparsemixed.mixed(model, load(sample), reml=reml, vce=vce)


def test_every_figure_is_used():
    assert set(MODELS) == set(FIGURES)


@pytest.mark.parametrize("vce", ["cr0", "cr2", "cr3"])
@pytest.mark.parametrize("name", MODELS)
def test_standard_errors_degrees_of_freedom_and_joint_test(name, vce):
    assert small_sample(fitted(name, vce)) == pytest.approx(flat(FIGURES[name][vce]), rel=CLOSE)


def test_posting_another_method():
    fit = fitted("oats", "cr0").estat.df(post="cr2")
    assert small_sample(fit) == pytest.approx(flat(FIGURES["oats"]["cr2"]), rel=CLOSE)


def test_clusters_above_the_top_level():
    data, model = load("oats").iloc[:60], MODELS["oats"][1]
    named, top = (sparsemixed.mixed(model, data, reml=True, vce=vce) for vce in ("cr2 Block", "cr2"))
    assert list(named.bse) == pytest.approx(list(top.bse))
