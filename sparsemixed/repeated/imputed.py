"""`mi`: a model fitted to every imputation of the data, and the fits combined."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from sparsemixed.command.arguments import degrees_of_freedom
from sparsemixed.command.keywords import ModelKeywords
from sparsemixed.command.prefixes import read_prefix
from sparsemixed.errors import CommandError, DataError, OptionError, SparseMixedError
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call, asked, run, settled
from sparsemixed.fitting.imputed_data import chosen, imputed_data
from sparsemixed.postestimation.imputations import pooled_fits
from sparsemixed.repeated.by_level import message_of, quietly
from sparsemixed.reporting.imputations import PooledResults, Tables
from sparsemixed.spec import DisplayOptions, ModelSpec


class MiKeywords(ModelKeywords, total=False):
    """Everything that `mi` takes beside the model and the data: options of `mixed`, and its own."""

    imputation: str | None
    """The column of a long table that numbers the imputations."""
    nimputations: int | None
    """Only the first so many imputations."""
    imputations: Sequence[int] | None
    """Only these."""
    dfcom: float | str | None
    """Degrees of freedom of complete data: a number, or a method of `dfmethod()`."""
    nosmall: bool
    """Ignore `dfcom`."""
    mcerror: bool
    """Monte Carlo errors, by leaving out one imputation at a time."""
    vartable: bool
    """Show variances within and between imputations."""
    ufmitest: bool
    """Let fractions of missing information differ between the coefficients of a joint test."""
    esampvaryok: bool
    """Let the estimation sample differ between imputations."""
    errorok: bool
    """Leave out imputations that cannot be fitted."""


OWN = (*(name for name in MiKeywords.__annotations__ if name not in ModelKeywords.__annotations__), "dftable")
"""Those of its own; `dftable` shows degrees of freedom and increases of standard errors here."""


def mi(model: str, datasets: Any, **options: Unpack[MiKeywords]) -> PooledResults:
    """Fit a model to several imputations of the data and combine the fits by Rubin's rules.

    Estimates are combined in the metric of e(b): coefficients, logarithms of standard deviations, inverse hyperbolic tangents of
    correlations. Degrees of freedom are (M - 1)(1 + 1/r)^2, r the relative increase in variance, or with `dfcom` those of Barnard
    & Rubin (1999).

    Parameters
    ----------
    model : str
        As `mixed` takes it.
    datasets : list or dict of tables, or one long table
        In a long table `_mi_m`, or `.imp` as R's mice has it, numbers the imputations; the original data, 0, are left out.
    **options
        Those of `mixed`, but for `dfmethod`, and those of `mi estimate`: see `MiKeywords`. `dfcom="kroger"` gives every
        coefficient the degrees of freedom of that method, averaged over imputations, and takes its variances for those within.

    Returns
    -------
    PooledResults
        It prints like a fit, with standard deviations unless `variance` is asked for.

    Raises
    ------
    OptionError
        `dfmethod`, or a `vce` with degrees of freedom; a long table without its numbers.
    DataError
        Fewer than two imputations; other rows or coefficients in some.

    Examples
    --------
    >>> import sparsemixed
    >>> data = sparsemixed.datasets.simulate_longitudinal(40, 5, seed=1)
    >>> sparsemixed.mi("y time || id:", [data, data.assign(time=data.time + 0.1)]).params.round(3).tolist()
    [0.488, 0.774]
    """
    own = {name: value for name, value in options.items() if name in OWN}
    return _combined(model, datasets, {name: value for name, value in options.items() if name not in own}, own)


def _combined(model: str, datasets: Any, options: Mapping[str, Any], own: Mapping[str, Any]) -> PooledResults:
    if isinstance(model, str) and (prefixed := read_prefix(model)) is not None:
        raise OptionError(f"mi takes a model without prefixes, found {prefixed.prefix.name}")
    data = chosen(imputed_data(datasets, own.get("imputation")), own.get("nimputations"), own.get("imputations"))
    first = next(iter(data.values()))
    spec = _asked(model, first, options)
    degrees, complete = _degrees(spec, None if own.get("nosmall") else own.get("dfcom"))
    fits, failures = _fitted(model, data, {**options, **degrees}, bool(own.get("errorok")))
    found = pooled_fits(
        list(fits.values()), list(fits), complete, bool(own.get("mcerror")), same_sample=not own.get("esampvaryok")
    )
    found = dataclasses.replace(found, unrestricted=bool(own.get("ufmitest")))
    if failures:
        left_out = "; ".join(f"imputation {number} is left out: {text}" for number, text in failures.items())
        found = dataclasses.replace(found, notes=(*found.notes, left_out.rstrip(".")))
    tables = Tables(bool(own.get("vartable")), bool(own.get("dftable")))
    return PooledResults(found, tables, _display(model, first, options, spec))


def _asked(model: str, first: Any, options: Mapping[str, Any]) -> ModelSpec:
    """The model as typed.

    Raises
    ------
    OptionError
        It has degrees of freedom of its own.
    """
    spec = asked(settled(Call(model, first, options)))
    if spec.small_sample is not None:
        written = f"vce({spec.vce.name})" if spec.small_sample.robust else f"dfmethod({spec.small_sample.name})"
        raise OptionError(
            f"mi estimate is not allowed with {written}: the combination has degrees of freedom of its own; "
            'dfcom="kroger" takes those of a method for the degrees of freedom of complete data'
        )
    return spec


def _degrees(spec: ModelSpec, dfcom: float | str | None) -> tuple[dict[str, Any], float | None]:
    """Options of the fits, and the degrees of freedom of complete data where they are a number."""
    if dfcom is None:
        return {}, None
    if isinstance(dfcom, str):
        try:
            method = degrees_of_freedom(dfcom)
        except CommandError as error:
            raise OptionError(f"mi: dfcom is a number or a method of dfmethod(): {error.message}") from None
        if method.method.needs_reml and spec.estimation.method != "reml":
            raise OptionError(f"mi: dfcom={dfcom!r} needs REML estimation; add the option reml")
        return {"dfmethod": dfcom}, None
    if isinstance(dfcom, bool) or not dfcom > 0:
        raise OptionError(f"mi: dfcom is a positive number of degrees of freedom or a method of dfmethod(), found {dfcom!r}")
    return {}, float(dfcom)


def _fitted(
    model: str, data: Mapping[int, Any], options: Mapping[str, Any], errorok: bool
) -> tuple[dict[int, Fit], dict[int, str]]:
    fits: dict[int, Fit] = {}
    failures: dict[int, str] = {}
    for number, table in data.items():
        try:
            fits[number] = quietly(lambda rows: run(Call(model, rows, options)), table)
        except CommandError:
            raise
        except SparseMixedError as error:
            if not errorok:
                raise type(error)(f"mi: imputation {number}: {message_of(error)}") from None
            failures[number] = message_of(error)
    if failures and len(fits) < 2:
        raise DataError(f"mi: {len(failures)} of {len(data)} imputations cannot be fitted: {next(iter(failures.values()))}")
    return fits, failures


def _display(model: str, first: Any, options: Mapping[str, Any], spec: ModelSpec) -> DisplayOptions:
    """The display options asked for; standard deviations unless variances, or the metric of e(b), are."""
    try:
        return asked(settled(Call(model, first, {**options, "stddeviations": True}))).display
    except OptionError:
        return spec.display
