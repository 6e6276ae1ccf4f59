"""Terms with contrasts, by R's rule of margins.

A categorical variable in a term has its contrasts if the term without it is in the model, and a column for every level if it is
not (Chambers & Hastie 1992, section 2.4.1). Terms without contrasts other than indicators are left to `design.fixed.terms`, whose
rule gives the same columns for those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

from sparsemixed.design.data.rows import Level
from sparsemixed.spec import Factor, Term


def coded_terms(
    terms: Sequence[Term],
    constant: bool,
    contrasts: Mapping[str, tuple[str, ...]],
    variables: Mapping[str, str],
    levels: Mapping[str, tuple[Level, ...]],
    bases: Mapping[str, Level | None],
) -> tuple[Term, ...]:
    """Terms in which contrasts are columns of numbers.

    Parameters
    ----------
    terms : sequence of Term
        Factors of contrasts have the text of a key of `contrasts` as their variable.
    constant : bool
        Whether the list has a constant.
    contrasts : mapping
        Text -> names of its columns.
    variables : mapping
        Text -> its categorical variable.
    levels, bases : mapping
        Of every categorical variable: its levels in the sample, and the one without a column.
    """

    def categorical(factor: Factor) -> bool:
        return factor.variable in contrasts or factor.variable in levels

    listed = {_key(term.factors) for term in terms}
    absorbed, done = constant, []
    for term in terms:
        if not any(factor.variable in contrasts for factor in term.factors):
            done.append(term)
        else:
            choices = []
            for place, factor in enumerate(term.factors):
                rest = _key((*term.factors[:place], *term.factors[place + 1 :]))
                margin = (rest in listed) if rest else absorbed
                choices.append(_choices(factor, margin, contrasts, variables, levels, bases))
            done += [Term(factors) for factors in product(*choices)]
        absorbed = absorbed or all(map(categorical, term.factors))
    return tuple(dict.fromkeys(done))


def _choices(
    factor: Factor,
    margin: bool,
    contrasts: Mapping[str, tuple[str, ...]],
    variables: Mapping[str, str],
    levels: Mapping[str, tuple[Level, ...]],
    bases: Mapping[str, Level | None],
) -> list[Factor]:
    """What stands in a factor's place: its contrasts, or its levels with or without the base."""
    if factor.variable in contrasts and margin:
        return [replace(factor, variable=name, kind="continuous") for name in contrasts[factor.variable]]
    variable = variables.get(factor.variable, factor.variable)
    if variable not in levels:
        return [factor]
    kept = tuple(level for level in levels[variable] if not (margin and level == bases[variable]))
    return [replace(factor, variable=variable, kind="categorical", levels=kept)]


def _key(factors: Sequence[Factor]) -> frozenset[str]:
    return frozenset(factor.variable for factor in factors)
