"""Objectives of every family, and all that can be asked of their derivatives."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

import sparsemixed
from sparsemixed.estimation.estimate import refactor_at_optimum
from tests.estimation import test_precision_path, test_residual_oracle, test_vanishing
from tests.oracles.engine_cases import SHAPES, make_terms, solvers_for
from tests.oracles.weighted_cases import command, nested
from tests.solver import test_engine

PENALIZED = [(shape, solver) for shape in SHAPES for solver in (*solvers_for(shape), "all cells")]
PRECISION = [
    ("ar 1", "group", "auto"),
    ("ar 2", "nested", "auto"),
    ("exchangeable", "crossed", "dense"),
    ("ma 1", "crossed", "sparse"),
]
PATTERNS = [("ar 1", "slope"), ("unstructured", "crossed"), ("toeplitz 1", "nested, crossed"), ("independent by arm", "nested")]
WEIGHTED = ["slope", "three levels", "slopes above"]


def penalized(shape, solver, reml=True, seed=0):
    """Objective, a theta and the design: independent errors, one storage."""
    objective, _, theta, *_ = test_engine.setting(shape, solver, reml, seed)
    terms = make_terms(np.random.default_rng([seed, list(SHAPES).index(shape)]), test_engine.N, shape)
    return objective, theta, SimpleNamespace(random=terms)


def precision(name, design, solver, reml=True, seed=0):
    """Objective, a theta and the design: correlated errors by their precision matrix."""
    objective, theta, *_ = test_precision_path.setting(name, design, reml, solver, seed)
    return objective, theta, SimpleNamespace(random=test_precision_path.DESIGNS[design])


def patterns(errors, random, reml=True):
    """Objective, a theta and the design: correlated errors by patterns of clusters."""
    design, _, objective, theta = test_residual_oracle.setting(errors, random, reml)
    return objective, theta, design


def weighted(name):
    """Objective, a theta and the design: weights of rows and groups."""
    fit = sparsemixed.mixed(command(name), nested(5)).fit
    objective, _, at = refactor_at_optimum(fit)
    return objective, at.theta + 0.1, fit.design


def iterative(reml=True):
    """Objective, a theta and the design: by conjugate gradients, with exact traces."""
    objective, _ = test_vanishing.objectives(test_vanishing.ratings(5, sd_item=0.2, n=2000, users=120, items=60), reml)
    objective.probes.exhaust()
    return objective, np.array([0.4, 0.3, 0.2]), SimpleNamespace(random=range(3))


def everything(objective, derivatives, design):
    """Name -> array of all that a search, a fit or a degree of freedom asks of derivatives, in an order of its own."""
    found = {"fixed slopes": derivatives.fixed_slopes, "information": derivatives.information.hessian}
    means, variances = objective.predictions(design, derivatives)
    found |= {f"mean {r}": m for r, m in enumerate(means)} | {f"variance {r}": v for r, v in enumerate(variances)}
    if hasattr(derivatives, "observed_information"):
        found["observed"] = derivatives.observed_information.hessian
    found["average"] = derivatives.average_information.profiled
    found["gradient"] = derivatives.gradient
    return found
