"""What is added to the package takes one class and one row: here each kind, from the command to the printed table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import DataError, NotAvailableError, OptionError
from sparsemixed.inference.covariance.cluster_robust import cr0_moments
from sparsemixed.inference.degrees.method import PerCoefficient
from sparsemixed.postestimation.estat import table as estat
from sparsemixed.spec import DFMETHODS, VCE
from sparsemixed.spec.methods import DegreesMethod, cluster_robust
from sparsemixed.structures.base import Displayed
from sparsemixed.structures.random.base import RandomStructure
from sparsemixed.structures.random.table import STRUCTURES
from sparsemixed.structures.residual_errors.base import ResidualStructure, lags, logistic, unit_variance
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES


@pytest.fixture(scope="module")
def data():
    """Three visits in each of 40 groups at times that are no whole numbers, `near` at whole ones."""
    rng = np.random.default_rng(12)
    t = np.sort(rng.uniform(0, 3, (40, 3)), axis=1)
    R = 0.3 * np.eye(3) + 0.7 * np.exp(-(lags(t) ** 2))
    errors = np.einsum("gab,gb->ga", np.linalg.cholesky(R), rng.normal(size=(40, 3)))
    columns = {"id": np.repeat(np.arange(40), 3), "t": t.ravel(), "near": np.tile(np.arange(3), 40), "x": rng.normal(size=120)}
    table = pd.DataFrame(columns)
    table["z"] = rng.normal(size=120)
    effects = rng.normal(size=(40, 3)) * [0.5, 0.5, 1.0]
    table["y"] = 1 + table["x"] + errors.ravel()
    table["w"] = table["x"] + np.sum(effects[table["id"]] * np.column_stack([table[["x", "z"]], np.ones(120)]), 1)
    table["w"] += rng.normal(size=120)
    return table


class Gaussian(ResidualStructure):
    """rho^(distance squared) beside a nugget of three tenths."""

    word, time, n_rho = "GAussian", "real", 1

    @classmethod
    def build(cls, times, order):
        return cls()

    @property
    def title(self):
        return "Gaussian"

    def covariance(self, rho, t):
        square = lags(t) ** 2
        return np.where(square == 0, 1.0, 0.7 * logistic(rho[0]) ** square)

    def dcovariance(self, rho, t):
        square = lags(t) ** 2
        return (square * np.where(square == 0, 0.0, 0.7 * logistic(rho[0]) ** square) * logistic(-rho[0]))[None]

    def display(self, rho):
        value = logistic(rho[0])
        return [Displayed(("rho",), "", float(value), "decay", np.array([value * (1 - value)])), unit_variance(1)]


def test_a_residual_structure_of_real_times(data, monkeypatch):
    command = "y x || id:, noconstant residuals(ga, t(t))"
    with pytest.raises(OptionError, match="unknown residual structure ga"):
        sparsemixed.mixed(command, data)
    monkeypatch.setitem(RESIDUAL_STRUCTURES, Gaussian.name, Gaussian)
    fit = sparsemixed.mixed(command, data)
    assert fit.converged
    shown = str(fit)
    assert "Residual: Gaussian" in shown
    assert [line.split("|")[0].strip() for line in shown.splitlines() if "rho" in line] == ["rho"]
    assert 0.1 < fit.random_params["estimate"].iloc[0] < 0.8
    assert (fit.e["rstructure"], fit.e["rstructlab"], fit.e["timevar"]) == ("gaussian", "Gaussian", "t")
    assert [name for name, _ in fit.e["b"].columns][-2:] == ["r_logitr1", "lnsig_e"]
    by = sparsemixed.mixed(
        "y x || id:, noconstant residuals(gaussian, t(t) by(half)) stddeviations", data.assign(half=data["id"] % 2)
    )
    assert list(by.random_params.index.get_level_values("parameter")) == ["0: rho", "0: sd(e)", "1: rho", "1: sd(e)"]
    with pytest.raises(OptionError, match=r"residuals\(gaussian\) takes no order"):
        sparsemixed.mixed("y x || id:, residuals(gaussian 2, t(t))", data)
    with pytest.raises(DataError, match=r"use residuals\(exponential\) or residuals\(gaussian\) for real times"):
        sparsemixed.mixed("y x || id:, residuals(ar 1, t(t))", data)
    dense = Gaussian().covariance(np.log([0.5]) - np.log(0.5), np.array([0.0, 1.0]))
    assert dense[0, 1] == pytest.approx(0.35)


class SharedSlopes(RandomStructure):
    """One variance for all effects but the last, which has its own; no covariances."""

    word, title = "SHared", "Shared slopes"

    def dfactor(self):
        last = np.zeros((self.m, self.m))
        last[-1, -1] = 1.0
        return np.stack([np.eye(self.m) - last, last])

    def nearest(self, covariance):
        variances = np.diag(covariance)
        return np.sqrt([variances[:-1].mean(), variances[-1]])

    def singular_faces(self):
        return np.eye(2)

    def face_names(self, names, label):
        return [f"the variance of {', '.join(names[:-1])} of {label} is 0", f"var({names[-1]}) of {label} is 0"]

    def display(self, theta, names):
        shared = Displayed(("var", 0), " ".join(names[:-1]), float(theta[0] ** 2), "variance", np.array([2 * theta[0], 0.0]))
        return [
            shared,
            Displayed(("var", self.m - 1), names[-1], float(theta[1] ** 2), "variance", np.array([0.0, 2 * theta[1]])),
        ]


def test_a_structure_of_random_effects(data, monkeypatch):
    command = "w x || id: x z, covariance(sh)"
    with pytest.raises(OptionError, match="found sh, expected independent, exchangeable, identity or unstructured"):
        sparsemixed.mixed(command, data)
    monkeypatch.setitem(STRUCTURES, SharedSlopes.name, SharedSlopes)
    fit = sparsemixed.mixed(command, data)
    assert fit.converged
    shown = str(fit)
    assert "id: Shared slopes" in shown
    assert "var(x z)" in shown
    assert [name for name, _ in fit.e["b"].columns][-3:] == ["lns1_1_1", "lns1_1_3", "lnsig_e"]
    smaller, larger = (sparsemixed.mixed(f"w x || id: x z{more}", data).llf for more in (", covariance(identity)", ""))
    assert smaller < fit.llf < larger
    deviations = sparsemixed.mixed(command + " stddeviations matlog", data).random_params["estimate"]
    np.testing.assert_allclose(deviations**2, fit.random_params["estimate"], rtol=1e-4)
    assert list(deviations.index.get_level_values("parameter")) == ["sd(x z)", "sd(_cons)", "sd(Residual)"]
    with pytest.raises(OptionError, match=r"R.near takes covariance\(identity\) or covariance\(exchangeable\), found shared"):
        sparsemixed.mixed("w x || id: R.near, covariance(shared)", data)


class Groups(PerCoefficient):
    """Groups less one."""

    def coefficients(self, fit):
        return np.full(len(fit.beta), fit.design.random[0].n_groups - 1.0)


def test_a_method_of_degrees_of_freedom(data, monkeypatch):
    command = "w x || id:, dfmethod(gr)"
    with pytest.raises(OptionError, match="found gr, expected residual"):
        sparsemixed.mixed(command, data)
    monkeypatch.setitem(DFMETHODS, "groups", DegreesMethod("GRoups", "Groups less one", f"{__name__}:Groups"))
    fit = sparsemixed.mixed(command, data)
    assert "DF method: Groups less one" in " ".join(str(fit).split())
    assert list(fit.df) == [39.0, 39.0]
    assert (fit.e["dfmethod"], fit.e["dftitle"], "V_df" in fit.e) == ("groups", "Groups less one", False)
    assert list(fit.estat.df("groups")["Groups less one"]) == [39.0, 39.0]
    with pytest.raises(OptionError, match="groups takes no option"):
        sparsemixed.mixed("w x || id:, dfmethod(groups, oim)", data)


def with_factor(fit, stack):
    """CR0 times M / (M - 1), as CR1."""
    factor = np.sqrt(fit.design.clusters.n_clusters / (fit.design.clusters.n_clusters - 1.0))
    scores, spread, pull = cr0_moments(fit, stack)
    return factor * scores, factor**2 * spread, factor * pull


def test_a_covariance_of_the_estimates(data, monkeypatch):
    command = "w x || id:, reml vce(cr1)"
    with pytest.raises(OptionError, match="found cr1, expected oim"):
        sparsemixed.mixed(command, data)
    monkeypatch.setitem(VCE, "cr1", cluster_robust("CR1", f"{__name__}:with_factor"))
    fit, plain = sparsemixed.mixed(command, data), sparsemixed.mixed("w x || id:, reml vce(cr0)", data)
    shown = " ".join(str(fit).split())
    assert next(line.split("|")[1].split() for line in str(fit).splitlines() if "|" in line) == ["CR1"]
    assert "DF method: Bell-McCaffrey (CR1)" in shown
    np.testing.assert_allclose(fit.bse, plain.bse * np.sqrt(40 / 39), rtol=1e-12)
    np.testing.assert_allclose(fit.df, plain.df, rtol=1e-10)
    assert fit.e["vce"] == "cr1"


def groups_of(fit):
    """How many groups each term has."""
    return pd.Series([term.n_groups for term in fit.design.random])


def test_a_subcommand_of_estat(data, monkeypatch):
    fit = sparsemixed.mixed("w x || id:", data)
    with pytest.raises(NotAvailableError, match=r"there is no estat.groups\(\); there are df, ic"):
        fit.estat.groups()
    monkeypatch.setitem(estat.SUBCOMMANDS, "groups", f"{__name__}:groups_of")
    assert list(fit.estat.groups()) == [40]
    assert "groups" in dir(fit.estat)
