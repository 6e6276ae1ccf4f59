"""Contrasts of balanced margins and pairwise comparisons: `contrast`, `pwcompare`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from sparsemixed.design.fixed.terms import level_text
from sparsemixed.errors import OptionError, shortened
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import held_rows
from sparsemixed.inference.covariance.vce import beta_covariance
from sparsemixed.inference.degrees.method import DofMethod
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.hypotheses.hypothesis import rows_of, terms_text
from sparsemixed.inference.hypotheses.multiple import CORRELATED, adjusted
from sparsemixed.inference.hypotheses.wald import HypothesisTest, wald_test, with_degrees
from sparsemixed.postestimation.contrast_operators import WEIGHTED, operator_rows
from sparsemixed.postestimation.margin_rows import MarginRows, margin_rows
from sparsemixed.solver.linalg import unit_diagonal
from sparsemixed.spec import MOST_FACTORS
from sparsemixed.time_series import unmarked

NOT_ESTIMABLE = "Comparisons that involve empty cells or omitted coefficients are not estimable and shown as missing."


@dataclass(frozen=True)
class Comparisons:
    """Joint tests and single comparisons.

    Attributes
    ----------
    tests : DataFrame
        One row per term: df, ddf, statistic (chi-squared, or F with ddf), pvalue.
    effects : DataFrame
        One row per comparison: estimate, std_err, ddf, statistic, pvalue, low, high; p-values and limits adjusted by
        `mcompare`.
    statistic, df, ddf, pvalue
        Of the joint test of everything.
    mcompare, note : str
    level : float
    title : str
        What is compared, where it is not the balanced margins.
    """

    tests: pd.DataFrame
    effects: pd.DataFrame
    statistic: float
    df: float
    ddf: float | None
    pvalue: float
    mcompare: str
    level: float
    note: str = ""
    title: str = ""


@dataclass(frozen=True)
class TermContrasts:
    """Contrasts of one term: rows (l, p), whether each is estimable (l,), labels, the term's name, means compared."""

    name: str
    rows: np.ndarray
    estimable: np.ndarray
    labels: tuple[str, ...]
    groups: int


def contrast(fit: Fit, terms: str, mcompare: str, level: float, small: bool) -> Comparisons:
    """Contrasts of the margins of each term, such as `r.drug`, `drug#day`, `ar.day@drug`, `r.drug#c.age`."""
    terms = terms_text(terms, "contrast", "r.drug")
    found = [_term(fit, term) for typed in terms.split() for term in _expanded(typed)]
    if not found:
        raise OptionError("contrast: name a term, such as r.drug")
    return compared(fit, found, mcompare, level, small, joint=True)


def pairwise(fit: Fit, terms: str, mcompare: str, level: float, small: bool) -> Comparisons:
    """All pairs of margins of each term."""
    found, terms = [], terms_text(terms, "pwcompare", "drug")
    for term in (t for typed in terms.split() for t in _expanded(typed)):
        names, covariates = _variables(term.split("#"))
        margins = margin_rows(fit, names, covariates)
        pairs = list(combinations(range(len(margins.cells)), 2))
        C = np.zeros((len(pairs), len(margins.cells)))
        for row, (i, j) in zip(C, pairs, strict=True):
            row[[i, j]] = -1.0, 1.0
        texts = [" ".join(cell) for cell in margins.cells]
        labels = tuple(f"({texts[j]}) vs ({texts[i]})" if len(names) > 1 else f"{texts[j]} vs {texts[i]}" for i, j in pairs)
        found.append(_contrasts(term, margins, C, labels))
    if not found:
        raise OptionError("pwcompare: name a factor, such as drug")
    return compared(fit, found, mcompare, level, small, joint=False)


def _expanded(typed: str) -> list[str]:
    """`a##b` as a, b, a#b."""
    if "##" not in typed:
        return [typed]
    parts = typed.split("##")
    if len(parts) > MOST_FACTORS:
        raise OptionError(f"an interaction has at most {MOST_FACTORS} variables; found {shortened(typed)}")
    return ["#".join(c) for size in range(1, len(parts) + 1) for c in combinations(parts, size)]


def _variables(pieces: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Factors and covariates of a term without operators."""
    split = [unmarked(piece) for piece in pieces]
    covariates = tuple(v for operator, v in split if operator == "c")
    return tuple(v for operator, v in split if operator != "c"), covariates


def _term(fit: Fit, typed: str) -> TermContrasts:
    """Kronecker product of the operators of a term's factors; factors after `@` are looked at level by level."""
    inner, _, outer = typed.partition("@")
    pieces = [*inner.split("#"), *filter(None, re.split(r"[#@]", outer))]
    names, covariates = _variables(pieces)
    margins = margin_rows(fit, names, covariates)
    C, labels = np.ones((1, 1)), [""]
    for piece in pieces:
        operator, variable = unmarked(piece)
        if operator == "c":
            continue
        levels = fit.design.levels[variable]
        texts = tuple(map(level_text, levels))
        if piece in inner.split("#"):
            counts = fit.design.counts[variable] if operator in WEIGHTED else None
            rows, own = operator_rows("r" if operator in ("", "i") else operator, levels, texts, counts)
            own = [f"({label})" for label in own]
        else:
            rows, own = np.eye(len(levels)), list(texts)
        C = np.kron(C, rows)
        labels = [f"{a} {b}".strip() for a in labels for b in own]
    return _contrasts(typed, margins, C, tuple(labels))


def _contrasts(name: str, margins: MarginRows, C: np.ndarray, labels: tuple[str, ...]) -> TermContrasts:
    estimable = ~np.any(np.abs(C @ margins.unknown) > 1e-9, axis=1)
    return TermContrasts(name, C @ margins.rows, estimable, labels, len(margins.cells))


def compared(
    fit: Fit,
    found: list[TermContrasts],
    mcompare: str,
    level: float,
    small: bool,
    joint: bool,
    title: str = "",
    given_df: float | None = None,
) -> Comparisons:
    """Tests of all comparisons, one by one and jointly.

    Parameters
    ----------
    found : list of TermContrasts
    mcompare : str
    level : float
    small : bool
        With the degrees of freedom of the fit's method.
    joint : bool
        Whether each term has a test of its own.
    title : str
    given_df : float, optional
        Degrees of freedom of all t and F tests.
    """
    method = small_sample(fit, True) if small else None
    frames, joint_tests = [], []
    for term in found:
        usable = term.estimable & np.any(np.abs(term.rows) > 0, axis=1)
        whole = rows_of(fit, term.rows[usable])
        estimate, std_err, df = _single_tests(fit, term, usable, method, given_df)
        groups = 0 if joint else term.groups
        correlation = _correlation(fit, term, method) if mcompare in CORRELATED else None
        table = adjusted(estimate, std_err, df, level, mcompare, len(whole.K), groups, correlation)
        joint_tests.append(with_degrees(wald_test(fit, whole.K, whole.r, method), given_df))
        frames.append(_frame(term, table))
    everything = np.concatenate([t.rows[t.estimable & np.any(np.abs(t.rows) > 0, axis=1)] for t in found])
    overall = with_degrees(wald_test(fit, rows_of(fit, everything).K, None, method), given_df)
    tests = _tests(found, joint_tests, overall) if joint else _tests([], [], overall)
    note = "" if all(t.estimable.all() for t in found) else NOT_ESTIMABLE
    return Comparisons(
        tests, pd.concat(frames), overall.statistic, overall.df, overall.ddf, overall.pvalue, mcompare, level, note, title
    )


def _correlation(fit: Fit, term: TermContrasts, method: DofMethod | None) -> np.ndarray:
    """(l, l) of a term's comparisons."""
    covariance = term.rows @ (beta_covariance(fit) if method is None else method.covariance(fit)) @ term.rows.T
    return unit_diagonal(covariance)[1]


def _single_tests(
    fit: Fit, term: TermContrasts, usable: np.ndarray, method: DofMethod | None, given_df: float | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Estimates, standard errors and degrees of freedom of a term's comparisons; NaN where they are not estimable."""
    covariance = beta_covariance(fit) if method is None else method.covariance(fit)
    rows = np.where(usable[:, None], term.rows, np.nan)
    held = usable & held_rows(fit, term.rows)
    std_err = np.where(held, 0.0, np.sqrt(np.einsum("ia,ab,ib->i", rows, covariance, rows)))
    df = None
    if given_df is not None:
        df = np.full(len(rows), given_df)
    elif method is not None:
        moves = usable & ~held
        degrees = [method.dof(fit, row[None]).df if ok else np.nan for row, ok in zip(rows, moves, strict=True)]
        df = None if any(d is None for d in degrees) else np.array(degrees, dtype=float)
    return rows @ fit.beta, std_err, df


def _frame(term: TermContrasts, table) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples([(term.name, label) for label in term.labels], names=["term", "contrast"])
    columns = {
        "estimate": table.estimate,
        "std_err": table.std_err,
        "ddf": np.full(len(term.labels), np.nan) if table.df is None else table.df,
        "statistic": table.statistic,
        "pvalue": table.pvalue,
        "low": table.low,
        "high": table.high,
    }
    return pd.DataFrame(columns, index=index)


def _tests(found: list[TermContrasts], tests: list[HypothesisTest], overall: HypothesisTest) -> pd.DataFrame:
    rows = {term.name: result for term, result in zip(found, tests, strict=True)}
    if len(rows) > 1:
        rows["Overall"] = overall
    values = [(t.df, np.nan if t.ddf is None else t.ddf, t.statistic, t.pvalue) for t in rows.values()]
    return pd.DataFrame(values, index=list(rows), columns=["df", "ddf", "statistic", "pvalue"], dtype=float)
