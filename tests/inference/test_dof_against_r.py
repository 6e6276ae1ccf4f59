"""Degrees of freedom by R's pbkrtest and lmerTest, independent implementations.

Kenward-Roger with the expected information is pbkrtest's, Satterthwaite with the observed information is lmerTest's.
"""

from __future__ import annotations

from functools import cache

import pytest

import sparsemixed
from tests.golden import flat, golden, load, small_sample

FIGURES = golden("dof")
MODELS = {
    "sleepstudy": ("sleepstudy", "Reaction ~ Days + (Days | Subject)"),
    "sleepstudy, unbalanced": ("sleepstudy_unbalanced", "Reaction ~ Days + (Days | Subject)"),
    "penicillin": ("penicillin_unbalanced", "diameter ~ x + (1 | plate) + (1 | sample)"),
    "cake": ("cake", "angle ~ recipe + temp + (1 | recipe:replicate)"),
    "oats": ("oats", "yield ~ nitro + Variety + (1 | Block / Variety)"),
    "machines": ("machines_unbalanced", "score ~ Machine + (1 | Worker / Machine)"),
    "machines, unstructured": ("machines", "score ~ Machine + (Machine | Worker)"),
    "oxide": ("oxide_unbalanced", "Thickness ~ Source + z + (1 | Lot / Wafer)"),
    "insteval": ("insteval_start", "y ~ service + (1 | s) + (1 | d)"),
    "veneer": ("veneer", "gcf followup base_gcf cda age || patient: followup, cov(un) || tooth:"),
}
"""Sample and model."""
CLOSE = 1e-4
"""lme4 stops its search where the deviance no longer tells points apart, and lmerTest takes numerical derivatives there."""


@cache
def fitted(name):
    sample, model = MODELS[name]
    return sparsemixed.mixed(model, load(sample), reml=True)


def test_every_figure_is_used():
    assert set(MODELS) == set(FIGURES)


@pytest.mark.parametrize("name", MODELS)
def test_kenward_roger_as_pbkrtest(name):
    fit = fitted(name).estat.df(post="kroger")
    assert small_sample(fit) == pytest.approx(flat(FIGURES[name]["kroger"]), rel=CLOSE)


@pytest.mark.parametrize("name", MODELS)
def test_satterthwaite_as_lmertest(name):
    fit = fitted(name).estat.df(post="satterthwaite", information="oim")
    assert small_sample(fit) == pytest.approx(flat(FIGURES[name]["satterthwaite"]), rel=CLOSE)


def test_balanced_split_plot_has_the_degrees_of_freedom_of_its_anova():
    fit = fitted("oats").estat.df(post="kroger")
    assert fit.test("Marvellous.Variety Victory.Variety", small=True).ddf == pytest.approx(10, rel=1e-6)
    assert fit.df["nitro"] == pytest.approx(53, rel=1e-6)
