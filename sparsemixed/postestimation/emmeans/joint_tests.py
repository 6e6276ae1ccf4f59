"""Joint tests of the contrasts of marginal means, term by term: analysis of variance that does not depend on coding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sparsemixed.design.fixed.terms import level_text
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.hypotheses.hypothesis import rows_of
from sparsemixed.inference.hypotheses.wald import HypothesisTest, wald_test
from sparsemixed.postestimation.emmeans.grid import ReferenceGrid
from sparsemixed.postestimation.margins.cell_means import column_parts
from sparsemixed.postestimation.margins.sample import MarginSample

REDUCED = "fewer degrees of freedom than contrasts, because some are not estimable"


@dataclass(frozen=True)
class JointTests:
    """One test for each term, within each combination of `by`.

    Attributes
    ----------
    by : tuple of str
    cells : tuple of tuple of str
        The levels of `by` for each test.
    names : tuple of str
    tests : tuple of HypothesisTest
        F with the fit's degrees of freedom, chi-squared without.
    reduced : tuple of bool
        Whether some contrasts of a test are not estimable.
    method : str
        The option dfmethod; empty without one.
    """

    by: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    tests: tuple[HypothesisTest, ...]
    reduced: tuple[bool, ...]
    method: str


def joint_tests(fit: Fit, sample: MarginSample, by: tuple[str, ...], at: Mapping[str, tuple], weights: str) -> JointTests:
    """Tests that means do not differ, that differences do not differ, and so on, for every set of variables of a term.

    A covariate has two values, one below and one above its mean, so that its test is one of its slope; with `at` those given.

    Raises
    ------
    OptionError
        Unknown variables, or nothing to be tested.
    """
    grid = ReferenceGrid(fit, sample, at, two_values=True)
    grid.check(by, "joint_tests")
    method, asked = small_sample(fit), fit.spec.small_sample
    found: list[tuple[tuple[str, ...], str, HypothesisTest, bool]] = []
    for names in _terms(fit, [name for name in grid.levels if name not in by and len(grid.levels[name]) > 1]):
        whole = grid.averaged((*by, *names), weights)
        C = np.ones((1, 1))
        for name in names:
            k = len(grid.levels[name])
            C = np.kron(C, np.eye(k)[1:] - np.eye(k)[:-1])
        for i, cell in enumerate(grid.cells(by)):
            rows = C @ whole[i * C.shape[1] : (i + 1) * C.shape[1]]
            if not np.all(np.isfinite(rows)) or not np.any(np.abs(rows) > 1e-12):
                continue
            K, reduced = _estimable(grid, rows)
            if len(K):
                tested = wald_test(fit, rows_of(fit, K).K, dof=method)
                found.append((tuple(map(level_text, cell)), "#".join(names), tested, reduced))
    if not found:
        raise OptionError("joint_tests: the fixed part has no terms to be tested")
    order = [tuple(map(level_text, cell)) for cell in grid.cells(by)]
    found.sort(key=lambda one: order.index(one[0]))
    cells, terms, tests, reduced_all = zip(*found, strict=True)
    return JointTests(by, cells, terms, tests, reduced_all, "" if method is None or asked is None else asked.name)


def _terms(fit: Fit, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Sets of variables that stand together in a column of the fixed part, small ones first."""
    found: dict[tuple[str, ...], None] = {}
    for parts in column_parts(fit.design, fit.spec):
        own = [name for name in names if any(name == variable for variable, _ in parts)]
        for size in range(1, len(own) + 1):
            found |= dict.fromkeys(combinations(own, size))
    return sorted(found, key=lambda term: (len(term), [names.index(name) for name in term]))


def _estimable(grid: ReferenceGrid, rows: np.ndarray) -> tuple[np.ndarray, bool]:
    """The combinations of rows (l, columns) of which nothing falls on coefficients without an estimate; whether all do not."""
    unknown = grid.rows.unknown(rows)
    size = np.abs(rows).max(initial=0.0)
    if not np.any(np.abs(unknown) > 1e-9 * size):
        return grid.rows.estimated(rows), False
    left, values, _ = np.linalg.svd(unknown)
    rank = int(np.sum(values > 1e-9 * size))
    return grid.rows.estimated(left[:, rank:].T @ rows), True
