"""Places far out, where numbers overflow: no evaluation, no warning, no traceback."""

from __future__ import annotations

import numpy as np
import pytest

from sparsemixed.command.model import read_model
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.design.build import build_design
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.sources.rows import reduce_rows
from sparsemixed.estimation.trial import evaluated

DATA = simulate_longitudinal(12, 4, seed=1)


@pytest.mark.parametrize("size", [400.0, -400.0, 1e200])
@pytest.mark.parametrize(
    "errors", ["ar 1", "ar 2", "ma 1", "toeplitz 2", "banded 1", "unstructured", "exponential", "exchangeable"]
)
@pytest.mark.parametrize("random", ["id:", "id:, noconstant"])
def test_far_out_there_is_an_evaluation_or_none(random, errors, size):
    separator = " " if "," in random else ", "
    spec = read_model(f"y time || {random}{separator}residuals({errors}, t(time))", {})
    design = build_design(spec, DATA)
    problem = choose_problem(spec, design, reduce_rows(spec, design, False))
    count = problem.objective.parameters.n_theta + design.residual.structure.n_rho
    at = evaluated(problem.objective, np.full(count, size))
    assert at is None or np.isfinite(at.deviance)
