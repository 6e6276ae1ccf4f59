"""A specification that has learned from data: what its stateful functions remember, and the columns that its functions have.

As in R's `model.frame`, functions see all rows in which their own arguments are not missing, whether or not the model uses the
row; contrasts see the levels that are left in the rows used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from sparsemixed.design.computed.coded_terms import coded_terms
from sparsemixed.design.computed.contrasts import coded_variable, contrast_names, contrast_state, is_contrast
from sparsemixed.design.computed.evaluate import computed_values
from sparsemixed.design.data.frame import Frame, read_frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.fixed.terms import TermList
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.sample import check_known, sample_rows, used_variables
from sparsemixed.errors import CommandError
from sparsemixed.spec import Factor, ModelSpec, Term
from sparsemixed.spec.computed import Computed


def learned_spec(spec: ModelSpec, data: Any) -> ModelSpec:
    """The specification with what its functions remember of the data, and a term for each of their columns.

    Parameters
    ----------
    spec : ModelSpec, concrete
        One without functions, or that has learned already, comes back unchanged.
    data : anything that `read_frame` takes

    Raises
    ------
    CommandError
        A variable that the data do not have, or a function whose text is the name of a column.
    DataError
        Values that a function cannot be computed from.
    """
    if not spec.computed or all(one.columns for one in spec.computed):
        return spec
    with_numbers = learned_numbers(spec, read_frame(data))
    if not any(map(is_contrast, with_numbers.computed)):
        return with_numbers
    return learned_contrasts(with_numbers, data)


def learned_numbers(spec: ModelSpec, frame: Frame, check: bool = True) -> ModelSpec:
    """What all functions but contrasts remember; with `check` off, from a frame that has their sources alone."""
    if check:
        check_functions(spec, frame)
    frame = model_frame(replace(spec, computed=()), frame)
    used = set(used_variables(spec))
    found = [_learned(one, frame) for one in spec.computed if one.text in used]
    columns = {one.text: one.columns for one in found if one.columns}
    return _with_columns(replace(spec, computed=tuple(found)), columns)


def check_functions(spec: ModelSpec, frame: Frame) -> None:
    """Refuse functions of variables that there are not, and those that are called like a column."""
    check_known(frame, used_variables(spec), spec)
    clash = next((one for one in spec.computed if one.text in frame.names), None)
    if clash is not None:
        message = f"{clash.text} is computed here, and a column of the data is called so; rename it, or name it in backquotes"
        raise CommandError(message, spec.text, clash.position)


def _learned(computed: Computed, frame: Frame) -> Computed:
    if is_contrast(computed):
        return computed
    states: dict[str, dict] = {}
    k = computed_values(computed, frame.__getitem__, frame.n_rows, states).shape[1]
    columns = (computed.text,) if k == 1 else tuple(f"{computed.text}{place}" for place in range(1, k + 1))
    return replace(computed, columns=columns, states=states)


def _with_columns(spec: ModelSpec, columns: Mapping[str, tuple[str, ...]]) -> ModelSpec:
    """The specification with a term for every column of every function."""

    def expanded(terms: Sequence[Term]) -> tuple[Term, ...]:
        return tuple(Term(factors) for term in terms for factors in product(*map(choices, term.factors)))

    def choices(factor: Factor) -> list[Factor]:
        names = columns.get(factor.variable)
        return [factor] if names is None else [replace(factor, variable=name, kind="continuous") for name in names]

    random = tuple(replace(equation, terms=expanded(equation.terms)) for equation in spec.random)
    return replace(spec, fixed=expanded(spec.fixed), random=random, positions=_positions(spec, columns))


def _positions(spec: ModelSpec, columns: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """With the places of functions for their columns."""
    of_columns = {name: spec.positions[text] for text, names in columns.items() if text in spec.positions for name in names}
    return {**of_columns, **spec.positions}


def with_plain_factors(spec: ModelSpec) -> ModelSpec:
    """The specification with indicators in place of contrasts."""
    variables = {one.text: coded_variable(one) for one in spec.computed if is_contrast(one)}

    def plain(terms: Sequence[Term]) -> tuple[Term, ...]:
        return tuple(Term(tuple(map(factor_of, term.factors))) for term in terms)

    def factor_of(factor: Factor) -> Factor:
        variable = variables.get(factor.variable)
        return factor if variable is None else replace(factor, variable=variable, kind="categorical")

    random = tuple(replace(equation, terms=plain(equation.terms)) for equation in spec.random)
    computed = tuple(one for one in spec.computed if not is_contrast(one))
    return replace(spec, fixed=plain(spec.fixed), random=random, computed=computed)


def learned_contrasts(spec: ModelSpec, data: Any) -> ModelSpec:
    """What contrasts remember, and a term for each; `spec` comes from `learned_numbers`."""
    plain = with_plain_factors(spec)
    frame = model_frame(plain, data)
    rows = Rows(frame, sample_rows(plain, frame))
    contrasts: dict[str, Computed] = {}
    for one in filter(is_contrast, spec.computed):
        state = contrast_state(one, rows.factor(coded_variable(one))[1])
        contrasts[one.text] = replace(one, states={one.text: state}, columns=contrast_names(one, len(state["levels"])))
    columns = {text: one.columns for text, one in contrasts.items()}
    variables = {text: coded_variable(one) for text, one in contrasts.items()}

    def coded(terms: Sequence[Term], plain_terms: Sequence[Term], constant: bool) -> tuple[Term, ...]:
        known = TermList(plain_terms, rows, spec, constant)
        return coded_terms(terms, constant, columns, variables, known.levels, known.bases)

    pairs = zip(spec.random, plain.random, strict=True)
    return replace(
        spec,
        fixed=coded(spec.fixed, plain.fixed, spec.constant),
        random=tuple(replace(own, terms=coded(own.terms, other.terms, own.constant)) for own, other in pairs),
        computed=tuple(contrasts.get(one.text, one) for one in spec.computed),
        positions=_positions(spec, columns),
    )
