"""Contrasts of balanced margins and pairwise comparisons: `contrast`, `pwcompare`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, product

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
from sparsemixed.postestimation.comparison_frames import effects_frame, parts_frame, tests_frame
from sparsemixed.postestimation.contrast_operators import WEIGHTED, selected_rows
from sparsemixed.postestimation.contrast_terms import ContrastTerm, Piece, read_terms
from sparsemixed.postestimation.letter_groups import with_groups
from sparsemixed.postestimation.margin_rows import MarginRows, Shares, margin_rows
from sparsemixed.solver.linalg import unit_diagonal

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
    parts : DataFrame or None
        Tests of parts of terms, of each level after `@` or each contrast of an operator; index (term, part).
    margins : DataFrame or None
        Of pairs, the margins themselves: estimate, std_err, ddf, statistic, pvalue, low, high, group.
    groups : bool
        Whether `margins` are shown with letters, and not with limits.
    observed : bool
        Whether other factors are averaged over as observed.
    hidden : tuple of str
        Tables that are not shown: `wald`, `effects`.
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
    parts: pd.DataFrame | None = None
    margins: pd.DataFrame | None = None
    groups: bool = False
    observed: bool = False
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class TermContrasts:
    """Contrasts of one term.

    Attributes
    ----------
    name : str
    rows : (l, p) float64
    estimable : (l,) bool
    labels : tuple of str
    groups : int
        Means that are compared.
    levels : tuple of str
        For each row the part of the term that it is tested with; empty where only the whole term is.
    """

    name: str
    rows: np.ndarray
    estimable: np.ndarray
    labels: tuple[str, ...]
    groups: int
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class ContrastOptions:
    """How contrasts are computed.

    Attributes
    ----------
    mcompare : str
    level : float
        In per cent.
    small : bool
    df : float or None
        Given degrees of freedom.
    shares : function or None
        The share of the rows in a cell of factors.
    asobserved : bool
        Whether other factors are averaged over by their shares, not evenly.
    overall, lincom : bool
        A test of all terms even if there is one; whether contrasts of one's own need not add up to zero.
    margins : str
        What is shown of the margins that pairs are made of: `groups`, `cimargins`, or nothing.
    sort : bool
        By size within each term.
    hidden : tuple of str
        Tables that are not shown: `wald`, `effects`.
    """

    mcompare: str = "noadjust"
    level: float = 95.0
    small: bool = False
    df: float | None = None
    shares: Shares | None = None
    asobserved: bool = False
    overall: bool = False
    lincom: bool = False
    margins: str = ""
    sort: bool = False
    hidden: tuple[str, ...] = ()


def contrast(fit: Fit, terms: str, asked: ContrastOptions) -> Comparisons:
    """Contrasts of the margins of each term, such as `r.drug`, `drug#day`, `ar.day@drug`, `r.drug#c.age`."""
    found = [_term(fit, term, asked) for term in read_terms(terms_text(terms, "contrast", "r.drug"), "contrast")]
    if not found:
        raise OptionError("contrast: name a term, such as r.drug")
    compared_ = compared(
        fit, found, asked.mcompare, asked.level, asked.small, joint=True, given_df=asked.df, overall=asked.overall
    )
    return replace(_sorted(compared_) if asked.sort else compared_, observed=asked.asobserved, hidden=asked.hidden)


def pairwise(fit: Fit, terms: str, asked: ContrastOptions) -> Comparisons:
    """All pairs of margins of each term."""
    found, means = [], []
    for term in read_terms(terms_text(terms, "pwcompare", "drug"), "pwcompare"):
        _check_plain(term)
        margins = margin_rows(fit, term.factors, term.covariates, asked.shares if asked.asobserved else None)
        k = len(margins.cells)
        pairs = list(combinations(range(k), 2))
        C = np.zeros((len(pairs), k))
        for row, (i, j) in zip(C, pairs, strict=True):
            row[[i, j]] = -1.0, 1.0
        texts = [" ".join(cell) for cell in margins.cells]
        several = len(term.factors) > 1
        labels = tuple(f"({texts[j]}) vs ({texts[i]})" if several else f"{texts[j]} vs {texts[i]}" for i, j in pairs)
        found.append(_contrasts(term.name, margins, C, labels))
        means.append(replace(_contrasts(term.name, margins, np.eye(k), tuple(texts)), groups=k))
    if not found:
        raise OptionError("pwcompare: name a factor, such as drug")
    pairs = compared(fit, found, asked.mcompare, asked.level, asked.small, joint=False, given_df=asked.df)
    table = None
    if asked.margins:
        plain = compared(fit, means, "noadjust", asked.level, asked.small, joint=False, given_df=asked.df)
        table = with_groups(plain.effects, pairs.effects, asked.level)
    pairs = replace(pairs, margins=table, groups=asked.margins == "groups", observed=asked.asobserved, hidden=asked.hidden)
    return _sorted(pairs) if asked.sort else pairs


def _check_plain(term: ContrastTerm) -> None:
    if term.outer or any(piece.operator not in ("", "c") or piece.coefficients for piece in term.inner):
        raise OptionError(f"pwcompare: {shortened(term.name)}: all pairs have no operators; contrast does")


def _sorted(found: Comparisons) -> Comparisons:
    """Rows by size within each term."""

    def ordered(table: pd.DataFrame) -> pd.DataFrame:
        parts = [part.sort_values("estimate", kind="stable") for _, part in table.groupby(level="term", sort=False)]
        return pd.concat(parts)

    return replace(found, effects=ordered(found.effects), margins=None if found.margins is None else ordered(found.margins))


def _term(fit: Fit, term: ContrastTerm, asked: ContrastOptions) -> TermContrasts:
    """Kronecker product of the operators of a term's factors; factors after `@` are looked at level by level."""
    margins = margin_rows(fit, term.factors, term.covariates, asked.shares if asked.asobserved else None)
    outer = [" ".join(map(level_text, cell)) for cell in product(*(fit.design.levels[name] for name in term.outer))]
    if term.nested:
        return _nested(fit, term, margins, outer, _present(fit, term, asked))
    C, labels, typed = np.ones((1, 1)), [""], False
    for piece in term.inner:
        if piece.operator == "c":
            continue
        rows, own = _own_rows(fit, piece, asked.lincom) if piece.coefficients else _operator_rows(fit, piece)
        typed |= bool(piece.operator or piece.coefficients)
        C = np.kron(C, rows)
        labels = [f"{a} ({b})".strip() for a in labels for b in own]
    C = np.kron(C, np.eye(len(outer)))
    shown = tuple(f"{a} {b}".strip() for a in labels for b in outer)
    levels = tuple(b for _ in labels for b in outer) if term.outer else shown if typed else ()
    return replace(_contrasts(term.name, margins, C, shown), levels=levels)


def _operator_rows(fit: Fit, piece: Piece, keep: np.ndarray | None = None) -> tuple[np.ndarray, list[str]]:
    """The rows of an operator among the levels of a factor, or among those to `keep`."""
    levels, operator = fit.design.levels[piece.variables[0]], piece.operator or "r"
    counts = fit.design.counts[piece.variables[0]] if operator in WEIGHTED else None
    if keep is not None:
        levels = tuple(level for level, own in zip(levels, keep, strict=True) if own)
        counts = None if counts is None else counts[keep]
    return selected_rows(operator, piece.selected, levels, tuple(map(level_text, levels)), counts)


def _own_rows(fit: Fit, piece: Piece, lincom: bool) -> tuple[np.ndarray, list[str]]:
    k = int(np.prod([len(fit.design.levels[name]) for name in piece.variables]))
    name, given = "#".join(piece.variables), piece.coefficients
    if len(given) > k:
        raise OptionError(f"contrast: {name} has {k} levels, and {len(given)} coefficients were given")
    if not lincom and abs(sum(given)) > 1e-8 * max(map(abs, given)):
        raise OptionError(f"contrast: the coefficients of {name} add up to {sum(given):.6g}, not zero; lincom allows that")
    return np.array([[*given, *[0.0] * (k - len(given))]]), ["1"]


def _present(fit: Fit, term: ContrastTerm, asked: ContrastOptions) -> np.ndarray:
    """(levels, levels of the factors after `|`) bool: which occur together in the sample."""
    assert asked.shares is not None
    levels = [fit.design.levels[name] for name in term.factors]
    try:
        cells = [asked.shares(tuple(zip(term.factors, cell, strict=True))) for cell in product(*levels)]
    except KeyError:
        names = "#".join(term.factors)
        raise OptionError(
            f"contrast: {shortened(term.name)} needs {names} in the fixed part; use @ for a model without"
        ) from None
    return np.array(cells).reshape(len(levels[0]), -1) > 0


def _nested(fit: Fit, term: ContrastTerm, margins: MarginRows, outer: list[str], there: np.ndarray) -> TermContrasts:
    """Contrasts among the levels that occur with each level of the factors after `|`."""
    blocks, labels, levels = [], [], []
    for j, text in enumerate(outer):
        keep = there[:, j]
        if keep.sum() < 2:
            continue
        rows, own = _operator_rows(fit, term.inner[0], keep)
        block = np.zeros((len(rows), *there.shape))
        block[:, keep, j] = rows
        blocks.append(block.reshape(len(rows), -1))
        labels += [f"({label}) {text}" for label in own]
        levels += [text] * len(own)
    if not blocks:
        raise OptionError(f"contrast: {shortened(term.name)}: no two levels of {term.inner[0].variables[0]} occur together")
    return replace(_contrasts(term.name, margins, np.concatenate(blocks), tuple(labels)), levels=tuple(levels))


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
    overall: bool = False,
) -> Comparisons:
    """Tests of all comparisons, one by one and jointly.

    Parameters
    ----------
    found : list of TermContrasts
    mcompare, level, title
    small : bool
        With the degrees of freedom of the fit's method.
    joint : bool
        Whether each term has a test of its own.
    given_df : float, optional
        Degrees of freedom of all t and F tests.
    overall : bool
        Whether there is a test of everything even with one term.
    """
    method = small_sample(fit, True) if small else None
    frames, joint_tests, parts = [], {}, {}
    for term in found:
        usable = _usable(term)
        whole = rows_of(fit, term.rows[usable])
        estimate, std_err, df = _single_tests(fit, term, usable, method, given_df)
        correlation = _correlation(fit, term, method) if mcompare in CORRELATED else None
        table = adjusted(estimate, std_err, df, level, mcompare, len(whole.K), 0 if joint else term.groups, correlation)
        joint_tests[term.name] = with_degrees(wald_test(fit, whole.K, whole.r, method), given_df)
        frames.append(effects_frame(term.name, term.labels, table))
        parts |= _parts(fit, term, method, given_df)
    everything = np.concatenate([term.rows[_usable(term)] for term in found])
    whole_test = with_degrees(wald_test(fit, rows_of(fit, everything).K, None, method), given_df)
    if len(joint_tests) > 1 or overall:
        joint_tests["Overall"] = whole_test
    tests = tests_frame(joint_tests if joint else {})
    note = "" if all(t.estimable.all() for t in found) else NOT_ESTIMABLE
    numbers = (whole_test.statistic, whole_test.df, whole_test.ddf, whole_test.pvalue)
    return Comparisons(tests, pd.concat(frames), *numbers, mcompare, level, note, title, parts_frame(parts))


def _usable(term: TermContrasts) -> np.ndarray:
    """(l,) bool: the rows that can be tested."""
    return term.estimable & np.any(np.abs(term.rows) > 0, axis=1)


def _parts(
    fit: Fit, term: TermContrasts, method: DofMethod | None, given_df: float | None
) -> dict[tuple[str, str], HypothesisTest]:
    """Tests of the parts of a term that has several, by (term, part)."""
    labels = list(dict.fromkeys(term.levels))
    if len(labels) < 2:
        return {}
    found = {}
    for label in labels:
        own = _usable(term) & np.array([level == label for level in term.levels])
        hypothesis = rows_of(fit, term.rows[own])
        found[term.name, label] = with_degrees(wald_test(fit, hypothesis.K, hypothesis.r, method), given_df)
    return found


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
