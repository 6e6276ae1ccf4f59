"""Tests of comparisons of margins, one by one and jointly, whatever their variances come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import held_rows
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.hypotheses.distributions import f_pvalue
from sparsemixed.inference.hypotheses.hypothesis import rows_of
from sparsemixed.inference.hypotheses.multiple import adjusted
from sparsemixed.inference.hypotheses.wald import Coefficients, HypothesisTest, wald_chi2, wald_test, with_degrees
from sparsemixed.postestimation.comparison_frames import effects_frame, parts_frame, tests_frame
from sparsemixed.postestimation.contrasts import NOT_ESTIMABLE, Comparisons
from sparsemixed.postestimation.margins.margins import APPROXIMATE
from sparsemixed.postestimation.margins.row_tests import margin_covariance
from sparsemixed.postestimation.margins.values import Margins


@dataclass(frozen=True)
class MarginComparison:
    """Comparisons of one term.

    Attributes
    ----------
    name : str
    C : (l, m) float64
        Over all margins.
    estimable : (l,) bool
    labels : tuple of str
    groups : int
        Margins compared.
    parts : tuple of str
        For each row the part of the term that it is tested with; empty where only the whole term is.
    """

    name: str
    C: np.ndarray
    estimable: np.ndarray
    labels: tuple[str, ...]
    groups: int
    parts: tuple[str, ...] = ()


def tested(fit: Fit, found: Margins, terms: Sequence[MarginComparison], joint: bool, title: str, overall: bool) -> Comparisons:
    """Comparisons of margins with their tests.

    Parameters
    ----------
    found : Margins
    terms : sequence of MarginComparison
    joint : bool
        Whether each term has a test of its own.
    title : str
    overall : bool
        Whether there is a test of everything even with one term.
    """
    tests = MarginTests(fit, found)
    singles = _adjusted(fit, found, terms, [tests.single(term) for term in terms], joint)
    joint_tests = {term.name: tests.joint([term]) for term in terms} if joint else {}
    everything = tests.joint(terms)
    if len(joint_tests) > 1 or (joint and overall):
        joint_tests["Overall"] = everything
    notes = [] if all(term.estimable.all() for term in terms) else [NOT_ESTIMABLE]
    if tests.local and found.request.small:
        notes.append(f"{APPROXIMATE[0].upper()}{APPROXIMATE[1:]}")
    effects = pd.concat([effects_frame(term.name, term.labels, single) for term, single in zip(terms, singles, strict=True)])
    parts = {(term.name, label): test for term in terms for label, test in tests.parts(term).items()} if joint else {}
    asked = found.request
    return Comparisons(
        *(tests_frame(joint_tests), effects, everything.statistic, everything.df, everything.ddf, everything.pvalue),
        *(asked.mcompare, asked.level, " ".join(notes), title),
        parts=parts_frame(parts),
    )


class MarginTests:
    """Tests of rows C m over margins m with m = K b + constant to first order."""

    def __init__(self, fit: Fit, found: Margins):
        self.fit, self.found, self.asked = fit, found, found.request
        self.method = small_sample(fit, True) if self.asked.small else None
        self.local = self.asked.derivative.kind in ("eydx", "eyex")
        self.constant = np.broadcast_to(found.constant, len(found.jacobian))
        self.estimate = found.jacobian @ fit.beta + self.constant

    def covariance(self, C: np.ndarray) -> np.ndarray:
        """(l, l) of C m: rows are compared before they meet a covariance, so that what they share cancels exactly."""
        if self.asked.unconditional:
            return C @ self.found.covariance @ C.T
        return margin_covariance(self.fit, C @ self.found.jacobian, self.asked.small)

    def held(self, C: np.ndarray) -> np.ndarray:
        """Which rows have a value that constraints fix (l,)."""
        return np.zeros(len(C), bool) if self.asked.unconditional else held_rows(self.fit, C @ self.found.jacobian)

    def usable(self, term: MarginComparison) -> np.ndarray:
        """Which comparisons have something to test (l,)."""
        moving = np.any(np.abs(term.C @ self.found.jacobian) > 0, axis=1)
        return term.estimable & (moving | (np.diag(self.covariance(term.C)) > 0))

    def single(self, term: MarginComparison) -> Coefficients:
        """Estimates with their standard errors and degrees of freedom, not adjusted."""
        usable = self.usable(term)
        held = term.estimable & (~usable | self.held(term.C))
        std_err = np.sqrt(np.clip(np.diag(self.covariance(term.C)), 0.0, None))
        std_err = np.where(held, 0.0, np.where(usable, std_err, np.nan))
        df = None
        if self.asked.df is not None:
            df = np.full(len(held), self.asked.df)
        elif self.method is not None:
            K, moves = term.C @ self.found.jacobian, usable & ~held
            each = [self.method.dof(self.fit, row[None]).df if ok else np.nan for row, ok in zip(K, moves, strict=True)]
            df = None if any(one is None for one in each) else np.array(each, dtype=float)
        estimate = np.where(term.estimable, term.C @ self.estimate, np.nan)
        return Coefficients(estimate, std_err, *(np.full(len(held), np.nan),) * 4, df=df)

    def joint(self, terms: Sequence[MarginComparison]) -> HypothesisTest:
        """Of all comparisons of some terms."""
        return self.wald(np.concatenate([term.C[self.usable(term)] for term in terms]))

    def parts(self, term: MarginComparison) -> dict[str, HypothesisTest]:
        """Of the comparisons of each part of a term that has several."""
        labels, usable = list(dict.fromkeys(term.parts)), self.usable(term)
        if len(labels) < 2:
            return {}
        return {label: self.wald(term.C[usable & np.array([own == label for own in term.parts])]) for label in labels}

    def wald(self, C: np.ndarray, r: np.ndarray | None = None) -> HypothesisTest:
        """Wald test of C m = r for rows C (l, m), r zero by default; rows with a value that constraints fix are left out."""
        moving = ~self.held(C)
        C, r = C[moving], np.zeros(int(moving.sum())) if r is None else r[moving]
        K = C @ self.found.jacobian
        if not self.asked.unconditional and not self.local and np.all(C @ self.constant == r):
            return with_degrees(wald_test(self.fit, rows_of(self.fit, K).K, None, self.method), self.asked.df)
        chi2 = wald_chi2(C @ self.estimate - r, self.covariance(C))
        degrees = None if self.method is None or not len(C) else self.method.dof(self.fit, rows_of(self.fit, K).K)
        if degrees is None or degrees.df is None or not chi2.df:
            return with_degrees(chi2, self.asked.df)
        statistic = chi2.statistic / chi2.df * degrees.scale
        return HypothesisTest(statistic, chi2.df, degrees.df, f_pvalue(statistic, chi2.df, degrees.df), "", "F")


def _adjusted(
    fit: Fit, found: Margins, terms: Sequence[MarginComparison], singles: Sequence[Coefficients], joint: bool
) -> list[Coefficients]:
    """With tests and limits, adjusted for the comparisons of each term, or of all terms together."""
    asked = found.request
    if asked.adjust_all:
        sizes = np.cumsum([len(term.labels) for term in terms])
        dfs = [np.full(len(one.estimate), np.inf) if one.df is None else one.df for one in singles]
        df = None if all(one.df is None for one in singles) else np.concatenate(dfs)
        estimate, std_err = (np.concatenate([getattr(one, name) for one in singles]) for name in ("estimate", "std_err"))
        whole = adjusted(estimate, std_err, df, asked.level, asked.mcompare, len(estimate))
        parts = zip(*(np.split(values, sizes[:-1]) for values in vars(whole).values() if values is not None), strict=True)
        return [Coefficients(*own) for own in parts]
    out = []
    for term, one in zip(terms, singles, strict=True):
        rank = len(rows_of(fit, term.C[term.estimable] @ found.jacobian).K) if asked.mcompare == "scheffe" else len(term.C)
        groups = 0 if joint else term.groups
        out.append(adjusted(one.estimate, one.std_err, one.df, asked.level, asked.mcompare, rank, groups))
    return out
