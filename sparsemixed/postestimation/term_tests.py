"""Analysis of variance of a fit: a Wald test of every term of the fixed part, of type 1, 2 or 3.

The hypotheses are those of lmerTest (Kuznetsova, Brockhoff & Christensen 2017), which are SAS's:

1. A term, adjusted for those before it: with X = QR in the order of the terms, R beta = 0 in the rows of the term.
2. The same with the terms in another order: those that contain the term go last. One contains another if it has the same
   covariates and all of its factors, and more factors.
3. The coefficients of a term in sum-to-zero coding X_s = XB, where beta_s = inv(B) beta: averages over the levels of the other
   factors, all of equal weight; covariates are at zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.hypotheses.hypothesis import rows_of
from sparsemixed.inference.hypotheses.wald import HypothesisTest, wald_test
from sparsemixed.postestimation.model_comparison import term_text

TYPES = (1, 2, 3)
Key = tuple[tuple[str, ...], frozenset[tuple[str, object]]]
"""What tells columns apart: their covariates, and the level of each of their factors."""


@dataclass(frozen=True)
class TermTests:
    """One test for each term.

    Attributes
    ----------
    names : tuple of str
    tests : tuple of HypothesisTest
        F with the fit's degrees of freedom, chi-squared without.
    type : {1, 2, 3}
    method : str
        The option dfmethod; empty without one.
    """

    names: tuple[str, ...]
    tests: tuple[HypothesisTest, ...]
    type: int
    method: str


def term_tests(fit: Fit, kind: int, small: bool | None = None) -> TermTests:
    """Tests of all terms of the fixed part.

    Parameters
    ----------
    fit : Fit
    kind : {1, 2, 3}
    small : bool, optional
        Whether by F tests with the fit's method; by default if it has one.

    Raises
    ------
    OptionError
        Another type, no terms, constraints; type 3 where cells are empty or columns are omitted.
    DataError
        Types 1 and 2 of a fit that does not hold its rows.
    """
    if kind not in TYPES:
        raise OptionError(f"anova: type is 1, 2 or 3, not {kind!r}")
    if fit.spec.constraints:
        raise OptionError("anova: constraints tie coefficients of terms; test them by testparm()")
    method = small_sample(fit, small)
    terms = _estimated_terms(fit)
    if not terms:
        raise OptionError("anova: the fixed part has no terms to be tested")
    rows = _sum_to_zero_rows(fit, terms) if kind == 3 else {t: _sequential_rows(fit, _order(fit, t, kind), t) for t in terms}
    tests = tuple(wald_test(fit, rows_of(fit, rows[t]).K, dof=method) for t in terms)
    asked = fit.spec.small_sample
    names = tuple(term_text(fit.spec, fit.spec.fixed[t]) for t in terms)
    return TermTests(names, tests, kind, "" if method is None or asked is None else asked.name)


def _estimated_terms(fit: Fit) -> list[int]:
    """Terms with estimated columns, in order; the constant is none."""
    return list(dict.fromkeys(c.term for c in fit.design.columns if c.status == "estimated" and c.term >= 0))


def _columns(fit: Fit, term: int) -> list[int]:
    """Places of a term's columns in X; -1 is the constant."""
    estimated = [column for column in fit.design.columns if column.status == "estimated"]
    return [place for place, column in enumerate(estimated) if column.term == term]


# --- types 1 and 2 -----------------------------------------------------------------------------------------------------------


def _order(fit: Fit, term: int, kind: int) -> list[int]:
    """The terms up to the one that is tested, those that it is adjusted for."""
    terms = [-1, *_estimated_terms(fit)]
    if kind == 1:
        return terms[: terms.index(term) + 1]
    return [*(other for other in terms if other != term and not _contains(fit, other, term)), term]


def _contains(fit: Fit, other: int, term: int) -> bool:
    if other < 0:
        return False
    covariates, factors = _variables(fit, other)
    own_covariates, own_factors = _variables(fit, term)
    return covariates == own_covariates and own_factors < factors


def _variables(fit: Fit, term: int) -> tuple[tuple[str, ...], frozenset[str]]:
    """Covariates, as often as they stand in the term, and factors."""
    cell = next(column.cell for column in fit.design.columns if column.term == term)
    pairs = list(zip(fit.spec.fixed[term].factors, cell, strict=True))
    covariates = sorted(factor.variable for factor, level in pairs if level is None)
    return tuple(covariates), frozenset(factor.variable for factor, level in pairs if level is not None)


def _sequential_rows(fit: Fit, order: list[int], term: int) -> np.ndarray:
    """Rows (l, p) of R of the columns of a term, after those of other terms and before all that are not named."""
    named = [place for each in order for place in _columns(fit, each)]
    rest = [place for place in range(len(fit.beta)) if place not in set(named)]
    X = fit.design.X[:, [*named, *rest]]
    R = np.linalg.qr(X, mode="r")
    own = _columns(fit, term)
    K = np.zeros((len(own), len(fit.beta)))
    K[:, [*named, *rest]] = R[len(named) - len(own) : len(named)]
    return K


# --- type 3 ------------------------------------------------------------------------------------------------------------------


def _sum_to_zero_rows(fit: Fit, terms: list[int]) -> dict[int, np.ndarray]:
    """The rows of inv(B) that make each term's coefficients in sum-to-zero coding."""
    coding = _Coding(fit, terms)
    columns, owner = [], []
    for term in [*terms, *([-1] if _columns(fit, -1) else [])]:
        own = list(coding.columns(term))
        if len(own) != len(_columns(fit, term)):
            raise OptionError(_not_complete(fit, term))
        columns += own
        owner += [term] * len(own)
    inverse = np.linalg.inv(np.column_stack(columns))
    return {term: inverse[[place for place, own in enumerate(owner) if own == term]] for term in terms}


def _not_complete(fit: Fit, term: int) -> str:
    return (
        f"anova: tests of type 3 average over all cells, and those of {term_text(fit.spec, fit.spec.fixed[term])} are not all "
        "estimated: cells are empty, or columns are omitted; use type=2 or type=1"
    )


class _Coding:
    """Columns of sum-to-zero coding as combinations of those of X: products of indicators, where the one of a base level is one
    less all others.
    """

    def __init__(self, fit: Fit, terms: list[int]):
        self.fit, self.terms, self.p = fit, terms, len(fit.beta)
        estimated = [column for column in fit.design.columns if column.status == "estimated"]
        self.place = {self._key(column.term, column.cell): place for place, column in enumerate(estimated)}
        self.sets = {_variables(fit, term) for term in terms} | ({((), frozenset())} if _columns(fit, -1) else set())

    def _key(self, term: int, cell: tuple) -> Key:
        if term < 0:
            return (), frozenset()
        pairs = list(zip(self.fit.spec.fixed[term].factors, cell, strict=True))
        covariates = sorted(factor.variable for factor, level in pairs if level is None)
        return tuple(covariates), frozenset((factor.variable, level) for factor, level in pairs if level is not None)

    def columns(self, term: int) -> Iterable[np.ndarray]:
        """(p,) combinations, one for each column of a term."""
        covariates, factors = _variables(self.fit, term) if term >= 0 else ((), frozenset())
        choices = []
        for factor in sorted(factors):
            levels = self.fit.design.levels[factor]
            if (covariates, factors - {factor}) in self.sets:  # its sum over the levels is a column of its own
                choices.append([{(factor, level): 1.0, (factor, levels[-1]): -1.0} for level in levels[:-1]])
            else:
                choices.append([{(factor, level): 1.0} for level in levels])
        for chosen in product(*choices):
            total = np.zeros(self.p)
            for cells in product(*(one.items() for one in chosen)):
                weight = float(np.prod([value for _, value in cells]))
                total += weight * self._combination((covariates, frozenset(cell for cell, _ in cells)), term)
            yield total

    def _combination(self, key: Key, term: int) -> np.ndarray:
        """(p,) weights of the columns of X that add up to a product of indicators and covariates."""
        if key in self.place:
            return np.eye(self.p)[self.place[key]]
        covariates, cells = key
        for factor, level in sorted(cells, key=str):
            others = cells - {(factor, level)}
            if (covariates, frozenset(name for name, _ in others)) in self.sets and self._is_base(key, factor):
                rest = (own for own in self.fit.design.levels[factor] if own != level)
                return self._combination((covariates, others), term) - sum(
                    self._combination((covariates, others | {(factor, own)}), term) for own in rest
                )
        raise OptionError(_not_complete(self.fit, term))

    def _is_base(self, key: Key, factor: str) -> bool:
        """Whether columns leave out this level of the factor in all cells of the same variables, not an empty cell here alone."""
        covariates, cells = key
        level = dict(cells)[factor]
        names = frozenset(name for name, _ in cells)
        same = [own for covars, own in self.place if covars == covariates and frozenset(name for name, _ in own) == names]
        return not any((factor, level) in own for own in same)
