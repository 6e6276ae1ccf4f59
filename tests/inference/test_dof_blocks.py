"""Degrees of freedom where the penalised system loses the digits of inv(V): dense blocks of V against dense algebra."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import NotAvailableError
from sparsemixed.inference.degrees.kenward_roger import KenwardRoger
from sparsemixed.inference.degrees.satterthwaite import Satterthwaite
from sparsemixed.inference.information import blocks
from sparsemixed.inference.information.penalized import fixed_derivatives
from tests.oracles import dense_dof
from tests.oracles import dense_oracle as oracle

pytestmark = pytest.mark.filterwarnings("ignore::sparsemixed.errors.BoundaryWarning")
METHODS = ("kroger", "krfull", "kr2009", "kroger, oim", "satterthwaite", "satterthwaite, oim")


def balanced(seed, groups=9, second=0.9):
    """Two rows per group; with `second` near one the second row varies with the first more than errors allow."""
    rng = np.random.default_rng(seed)
    g, t = np.repeat(np.arange(groups), 2), np.tile([0.0, 1.0], groups)
    first = rng.normal(size=groups)
    y = 1.0 + 0.5 * t + first[g] * (1 + second * t) + t * 0.4 * rng.normal(size=groups)[g]
    return pd.DataFrame({"y": y, "g": g, "t": t, "x": rng.normal(size=g.size), "h": g // 3, "w": 1.0 + g % 3})


def dense(fit, information):
    """Phi, P, Q and W from n x n matrices: variances of zero are known, the residuals' among them."""
    design, own = fit.design, fit.variances
    parts = [*dense_dof.directions(design.random)]
    V = sum(p.estimate * d for p, d in zip(own, parts, strict=True))
    free = [d for p, d in zip(own, parts, strict=True) if p.estimate != 0.0]
    Phi, P, Q, T = dense_dof.precision(V, design.X, free)
    if information == "eim":
        return Phi, P, Q, np.linalg.inv(dense_dof.expected_information(Phi, P, Q, T))
    none = [[np.zeros_like(V)] * len(free)] * len(free)
    return Phi, P, Q, np.linalg.inv(0.5 * oracle.hessian(design.y, design.X, V, free, none, True))


@pytest.mark.parametrize("information", ["eim", "oim"])
@pytest.mark.parametrize("model", ["y t || g: t", "y t x || g: t", "y t x || h: || g: t", "y x || _all: R.t || g: t"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_without_residual_variance(model, information, seed):
    fit = sparsemixed.mixed(model, balanced(seed), reml=True).fit
    assert fit.without_errors
    Phi, P, Q, W = dense(fit, information)
    unit = np.eye(len(Phi))
    found = fixed_derivatives(fit, information)
    np.testing.assert_allclose(found.root @ found.root.T, Phi, rtol=1e-7, atol=1e-12)
    roger = KenwardRoger(information)
    np.testing.assert_allclose(roger.covariance(fit), dense_dof.adjusted_covariance(Phi, P, Q, W), rtol=1e-5, atol=1e-9)
    wanted = [dense_dof.satterthwaite(Phi, P, W, c) for c in unit]
    assert list(roger.coefficients(fit)) == pytest.approx(wanted, rel=1e-5)
    assert list(Satterthwaite(information).coefficients(fit)) == pytest.approx(wanted, rel=1e-5)
    assert roger.dof(fit, unit[:2]) == pytest.approx(dense_dof.kenward_roger(Phi, P, W, unit[:2]), rel=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", [0, 4])
def test_a_saturated_mean_is_not_adjusted(method, seed):
    """Complete and balanced with a free mean at every time: least squares for every V, one degree of freedom less than groups."""
    data = balanced(seed, groups=6)
    fit = sparsemixed.mixed(f"y t || g: t, reml dfmethod({method})", data)
    plain = sparsemixed.mixed("y t || g: t, reml", data)
    assert fit.fit.without_errors
    assert list(fit.df) == pytest.approx([5.0, 5.0], abs=1e-5)
    assert list(fit.bse) == pytest.approx(list(plain.bse), rel=1e-7)
    variances = fit.random_params["estimate"].to_numpy()
    assert list(fit.bse) == pytest.approx(np.sqrt(variances[:2] / 6), rel=1e-7)


@pytest.mark.parametrize("information", ["eim", "oim"])
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("model", ["y t x || g: t", "y x || g: x, covariance(unstructured)", "y x || h: || g:"])
def test_large_ratios_of_variances(model, weights, information):
    """Standard deviations of random effects two thousand times those of errors."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(12), 4)
    x, t = rng.normal(size=48), np.tile(np.arange(4.0), 12)
    effects = 2e3 * rng.normal(size=(3, 12))
    y = effects[0][g] + effects[1][g] * (t if ": t" in model else x if ": x" in model else 0) + rng.normal(size=48)
    data = pd.DataFrame({"y": y + (effects[2][g // 3] if "h:" in model else 0), "g": g, "h": g // 3, "x": x, "t": t, "w": 1 + t})
    options = {"precision_weights": "w"} if weights else {}
    fit = sparsemixed.mixed(model, data, reml=True, **options).fit
    assert blocks.in_blocks(fit)
    parts = [*dense_dof.directions(fit.design.random)[:-1], np.diag(1.0 / data["w"]) if weights else np.eye(48)]
    V, X = sum(p.estimate * d for p, d in zip(fit.variances, parts, strict=True)), fit.design.X
    Phi, P, Q, T = dense_dof.precision(V, X, parts)
    matrix = dense_dof.expected_information(Phi, P, Q, T)
    if information == "oim":
        none = [[np.zeros_like(V)] * len(parts)] * len(parts)
        matrix = 0.5 * oracle.hessian(fit.design.y, X, V, parts, none, True)
    scale = np.sqrt(np.diag(matrix))
    W = np.linalg.inv(matrix / np.outer(scale, scale)) / np.outer(scale, scale)
    wanted = [dense_dof.satterthwaite(Phi, P, W, c) for c in np.eye(len(Phi))]
    assert list(KenwardRoger(information).coefficients(fit)) == pytest.approx(wanted, rel=2e-4)
    adjusted = dense_dof.adjusted_covariance(Phi, P, Q, W)
    units = np.sqrt(np.outer(np.diag(adjusted), np.diag(adjusted)))
    np.testing.assert_allclose(KenwardRoger(information).covariance(fit) / units, adjusted / units, atol=1e-5)


def test_large_blocks_are_refused(monkeypatch):
    fit = sparsemixed.mixed("y t || g: t", balanced(0), reml=True)
    assert fit.fit.without_errors
    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 1)
    with pytest.raises(NotAvailableError, match="up to 2 rows are tied together"):
        fixed_derivatives(fit.fit, "eim")
