"""Comparisons of models that may fit some of them again: `anova` of several fits, `drop1` of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sparsemixed.design.build import build_design
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.sample import response_values
from sparsemixed.errors import DataError, OptionError, SparseMixedError
from sparsemixed.estimation.estimate import estimate
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.maximum_likelihood import by_maximum_likelihood
from sparsemixed.inference.covariance.sandwich import is_robust
from sparsemixed.inference.hypotheses.comparable import PENALISED, is_penalised
from sparsemixed.inference.nested_fits import REFITTED, LikelihoodRatios, deletion_tests, ordered, sequential_tests
from sparsemixed.spec import ModelSpec, Term


def fits_of(results: Iterable[Any], command: str) -> list[Fit]:
    """The fits that results have.

    Raises
    ------
    OptionError
        Something is no result of a fit.
    """
    found = []
    for one in results:
        fit = getattr(one, "fit", None)
        if not isinstance(fit, Fit):
            raise OptionError(f"{command} takes fits, results of mixed; found {type(one).__name__}")
        found.append(fit)
    return found


def nested_tests(fits: Sequence[Fit], names: Sequence[str] | None, refit: bool) -> LikelihoodRatios:
    """Likelihood-ratio tests of nested fits, each against the next smaller one.

    Parameters
    ----------
    fits : sequence of Fit
        In any order; the table has the one with the fewest parameters first.
    names : sequence of str, optional
        By default (1), (2), ... in the order of the table.
    refit : bool
        Whether fits by REML are fitted again by maximum likelihood.

    Raises
    ------
    OptionError
        Fewer than two fits, fits that cannot be compared (see `refuse_incomparable`), or a fit by REML without its data.
    """
    if len(fits) < 2:
        raise OptionError(
            "anova compares fits: anova(small, large). Tests of the terms of one fit are its anova(), testparm() and "
            "contrast(), those of leaving them out drop1()"
        )
    given = tuple(names or ())
    if names is not None and (len(given) != len(fits) or len(set(given)) != len(given)):
        raise OptionError(f"anova: names must be {len(fits)} different names, one for each fit, not {list(given)}")
    again = refit and any(fit.spec.estimation.method == "reml" for fit in fits)
    compared = [by_maximum_likelihood(fit, "anova") for fit in fits] if again else list(fits)
    order = ordered(compared)
    labels = [given[i] for i in order] if given else [f"({i})" for i in range(1, len(fits) + 1)]
    return sequential_tests([compared[i] for i in order], labels, (REFITTED,) if again else (), "anova")


def single_deletions(fit: Fit, frame: Frame) -> LikelihoodRatios:
    """The fit without each of its fixed terms that no other one contains, by maximum likelihood.

    Parameters
    ----------
    fit : Fit
        With its rows.
    frame : Frame
        The data that it was fitted to.

    Raises
    ------
    OptionError
        Constraints, which name coefficients of the terms, robust standard errors, no term, or a fit without its rows.
    DataError
        The data are no longer those of the fit; or the model without a term would use other rows, because its variables have
        missing values.
    """
    if fit.spec.constraints:
        raise OptionError("drop1: constraints name coefficients of terms; fit the models one by one and compare them by anova")
    if is_penalised(fit):
        raise OptionError(f"drop1: {PENALISED}; fit without prior=, or test terms by testparm()")
    if is_robust(fit):
        raise OptionError("drop1: with robust standard errors likelihoods are not compared; test terms by testparm()")
    terms = deletable(fit.spec)
    if not terms:
        raise OptionError("drop1: the fixed part has no term that could be left out")
    check_same_rows(fit, frame, "drop1")
    full = by_maximum_likelihood(fit, "drop1")
    smaller = [_without(full, columns, frame) for columns in terms]
    notes = (REFITTED,) if full is not fit else ()
    return deletion_tests(full, smaller, [term_text(fit.spec, columns[0]) for columns in terms], notes)


def deletable(spec: ModelSpec) -> list[tuple[Term, ...]]:
    """The fixed terms that are no part of another one, in the order typed: main effects stay as long as an interaction does.

    A term of a function with several columns, `poly(x, 2)`, is as many terms of the specification.
    """
    variables = [list(_typed(spec, term)) for term in spec.fixed]

    def within(one: list[str], other: list[str]) -> bool:
        rest = list(other)
        for name in one:
            if name not in rest:
                return False
            rest.remove(name)
        return bool(rest)

    inside = [any(within(own, other) for other in variables) for own in variables]
    found: dict[tuple[str, ...], list[Term]] = {}
    for term, part in zip(spec.fixed, inside, strict=True):
        if not part:
            found.setdefault(_typed(spec, term), []).append(term)
    return list(map(tuple, found.values()))


def _typed(spec: ModelSpec, term: Term) -> tuple[str, ...]:
    """The variables of a term, and the functions of those that are computed."""
    texts = {name: one.text for one in spec.computed for name in one.columns}
    return tuple(texts.get(factor.variable, factor.variable) for factor in term.factors)


def term_text(spec: ModelSpec, term: Term) -> str:
    """A term as a formula has it, `Days:arm`, or as a command does, `i.arm#c.days`."""
    names = list(_typed(spec, term))
    if spec.full_coding:
        return ":".join(names)
    marks = ["c" if factor.kind == "continuous" else "i" for factor in term.factors]
    if marks == ["c"]:
        return names[0]
    return "#".join(f"{mark}.{name}" for mark, name in zip(marks, names, strict=True))


def check_same_rows(fit: Fit, frame: Frame, command: str) -> None:
    """Raise unless the response of the rows used is what it was when the model was fitted."""
    if not fit.design.has_rows:
        raise OptionError(f"{command} needs the rows that the model was fitted to, and this fit does not hold them")
    kept = fit.design.kept
    same = frame.n_rows > kept.max(initial=-1)
    if same:
        try:
            same = np.array_equal(response_values(fit.spec, Rows(model_frame(fit.spec, frame), kept)), fit.design.y)
        except SparseMixedError:
            same = False
    if not same:
        raise DataError(f"{command}: the data have changed since the model was fitted; fit it again")


def _without(full: Fit, terms: tuple[Term, ...], frame: Frame) -> Fit:
    """The fit without a term, all of its columns, to the same rows."""
    term = terms[0]
    kept = tuple(other for other in full.spec.fixed if not any(other is one for one in terms))
    text = f"{' '.join(full.spec.text.split())}, without {term_text(full.spec, term)}"
    spec = replace(full.spec, fixed=kept, text=text, positions={})
    design = build_design(spec, frame)
    if not np.array_equal(design.kept, full.design.kept):
        names = ", ".join(dict.fromkeys(factor.variable for factor in term.factors))
        raise DataError(
            f"drop1: without {term_text(full.spec, term)} the model would use {design.n_rows} rows in place of "
            f"{full.design.n_rows}, because {names} has missing values; leave these rows out first"
        )
    return estimate(spec, design)
