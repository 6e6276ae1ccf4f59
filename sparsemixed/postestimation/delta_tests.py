"""Wald tests of linearised functions of estimates, jointly and one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.method import DofMethod
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.delta_method import Linearized
from sparsemixed.inference.hypotheses.distributions import f_pvalue
from sparsemixed.inference.hypotheses.multiple import adjusted_pvalues
from sparsemixed.inference.hypotheses.wald import HypothesisTest, wald_chi2, with_degrees
from sparsemixed.solver.linalg import unit_diagonal

REDUNDANT = 1e-10
"""Eigenvalue of the correlations of tested functions, relative to the largest, below which one follows from the others."""


def delta_test(
    fit: Fit,
    found: Linearized,
    equations: tuple[str, ...],
    mtest: str | None,
    small: bool,
    df: float | None,
    approximate: str = "",
) -> HypothesisTest:
    """Joint test that linearised functions are zero; with `mtest` each by itself as well."""
    method = method_for(fit, found, small, df)
    K = found.coefficients(fit)
    covariance = found.covariance if method is None else K @ method.covariance(fit) @ K.T
    note = notes_of(found, [approximate] if method is not None and approximate else [])
    if not any(found.undefined):
        _check_rank(covariance, found, equations)

    def tested(rows: slice | list[int]) -> HypothesisTest:
        chi2 = wald_chi2(found.value[rows], covariance[rows][:, rows])
        if method is None or not np.all(np.isfinite(K[rows])):
            return with_degrees(chi2, df)
        degrees = method.dof(fit, K[rows])
        if degrees.df is None:
            return chi2
        statistic = chi2.statistic / chi2.df * degrees.scale
        return replace(chi2, statistic=statistic, ddf=degrees.df, pvalue=f_pvalue(statistic, chi2.df, degrees.df), kind="F")

    joint = replace(tested(slice(None)), note=note, equations=equations)
    return joint if mtest is None else with_singles(joint, [tested([i]) for i in range(len(equations))], mtest)


def with_singles(joint: HypothesisTest, singles: Sequence[HypothesisTest], mtest: str) -> HypothesisTest:
    """A joint test with those of its equations one by one, whose p-values are adjusted for their number."""
    pvalues = adjusted_pvalues(np.array([one.pvalue for one in singles]), mtest)
    own = tuple(replace(one, pvalue=float(p)) for one, p in zip(singles, pvalues, strict=True))
    return replace(joint, singles=own, mtest=mtest)


def method_for(fit: Fit, found: Linearized, small: bool, df: float | None) -> DofMethod | None:
    """The fit's method of degrees of freedom where `small` asks for it, of functions of coefficients alone."""
    if not small:
        return None
    if df is not None:
        raise OptionError("df() and small cannot be combined; small takes the degrees of freedom of the fit's method")
    if found.variances:
        raise OptionError(f"small is for coefficients; tests of variance parameters, {found.variances[0]}, are large-sample")
    return small_sample(fit, True)


def notes_of(found: Linearized, others: Sequence[str]) -> str:
    """Why functions have no standard error, and other remarks, one on a line."""
    reasons = dict.fromkeys(f"no standard error: {why}." for why in found.undefined if why)
    return "\n".join([*reasons, *others])


def _check_rank(covariance: np.ndarray, found: Linearized, equations: tuple[str, ...]) -> None:
    """Refuse functions of which one moves with the others."""
    for i, row in enumerate(found.jacobian):
        if not row.any():
            raise OptionError(f"hypothesis ({i + 1})  {equations[i]} depends on nothing that was estimated")
    if len(covariance) < 2:
        return
    eigenvalues = np.linalg.eigvalsh(unit_diagonal(covariance)[1])
    if eigenvalues[0] <= REDUNDANT * eigenvalues[-1]:
        raise OptionError("the hypotheses follow from or contradict one another: leave out those that say nothing new")
