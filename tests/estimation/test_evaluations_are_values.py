"""Evaluating elsewhere changes nothing that was evaluated before, nor derivatives of it that are asked for later."""

from __future__ import annotations

import gc

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.estimation.estimate import refactor_at_optimum
from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.solver import recent
from sparsemixed.solver.buffers import Buffers
from tests.oracles import values
from tests.oracles.values import everything

SHAPES = ("slope", "crossed vectors", "nested", "nested, crossed")
FAMILIES = [
    (values.penalized, [case for case in values.PENALIZED if case[0] in SHAPES]),
    (values.precision, values.PRECISION),
    (values.patterns, values.PATTERNS),
    (values.weighted, [(name,) for name in values.WEIGHTED]),
    (values.iterative, [()]),
]
CASES = [pytest.param(make, case, id="-".join((make.__name__, *case))) for make, cases in FAMILIES for case in cases]


@pytest.fixture(params=[recent.MAX_KEPT_NUMBERS, 0.0], ids=["kept", "computed again"])
def room(request, monkeypatch):
    """With every factorization in memory, and with the last one only."""
    monkeypatch.setattr(recent, "MAX_KEPT_NUMBERS", request.param)


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize(("make", "case"), CASES)
def test_derivatives_asked_for_late_are_those_asked_for_at_once(make, case):
    objective, theta, design = make(*case)
    wanted = everything(objective, objective.derivatives(objective.evaluate(theta)), design)
    given = theta.copy()
    late = objective.derivatives(objective.evaluate(given))
    given *= 0.5
    objective.derivatives(objective.evaluate(0.6 * theta)).gradient  # noqa: B018
    objective.evaluate(1.3 * theta)
    for name, found in everything(objective, late, design).items():
        np.testing.assert_array_equal(found, wanted[name], err_msg=name)


def crossed():
    """Crossed factors; the likelihood gains 5e-7 by the second one's variance, too little to tell it from zero at first sight."""
    rng = np.random.default_rng(33)
    a, b = rng.integers(0, 900, 4000), rng.integers(0, 450, 4000)
    data = pd.DataFrame({"y": rng.normal(size=900)[a] + rng.normal(size=4000), "a": a, "b": b})
    data["y"] -= 0.00083 * data.groupby("b")["y"].transform("mean")
    return data


def test_information_after_a_boundary_was_refused(monkeypatch):
    """The fit tries the second variance at zero and refuses; what it reports belongs to where it ended."""
    tried = []
    evaluate = PenalizedObjective.evaluate
    monkeypatch.setattr(PenalizedObjective, "evaluate", lambda self, theta: tried.append(theta[1]) or evaluate(self, theta))
    fit = sparsemixed.mixed("y ~ 1 + (1 | a) + (1 | b)", crossed(), reml=True).fit
    assert tried[-1] == 0.0
    assert fit.theta[1] > 0.0
    objective, _, at = refactor_at_optimum(fit)
    np.testing.assert_allclose(fit.information, 0.5 * objective.derivatives(at).observed_information.hessian, rtol=1e-9)


class Owner:
    """Anything that may hold a buffer."""


def test_a_buffer_serves_one_owner_at_a_time():
    buffers, first, second = Buffers(), Owner(), Owner()
    one, two = buffers.lend(first, (3, 2)), buffers.lend(second, (3, 2))
    assert one is not two
    del first
    gc.collect()
    third = Owner()
    assert buffers.lend(third, (3, 2)) is one
    assert buffers.lend(Owner(), (2, 3)).shape == (2, 3)
