"""Commands with a prefix: `by`, which serves any command, and which function each prefix is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Unpack

from sparsemixed.command.keywords import ModelKeywords
from sparsemixed.command.prefixes import Prefixed, read_prefix
from sparsemixed.errors import CommandError, OptionError
from sparsemixed.fitting.call import Call, frame_of, run, settled
from sparsemixed.fitting.levels import Levels
from sparsemixed.repeated.by_level import FitsByLevel, fits_by_level, names_of
from sparsemixed.repeated.groups_and_windows import rolling, statsby
from sparsemixed.repeated.imputed import mi
from sparsemixed.repeated.resampled import bootstrap_of, jackknife_of
from sparsemixed.results import Results

Options = Mapping[str, Any]


def fit_text(model: str, data: Any, options: Options) -> Any:
    """What a text asks for: a fit, or what its prefix makes of the model.

    Raises
    ------
    SparseMixedError
    """
    prefixed = read_prefix(model) if isinstance(model, str) else None
    if prefixed is not None:
        return run_prefixed(prefixed, model, data, options)
    call = Call(model, data, options)
    return Results(run(call), call)


def run_prefixed(prefixed: Prefixed, source: str, data: Any, options: Options) -> Any:
    """Carry out a prefix; errors in the model after it show the whole text.

    Raises
    ------
    SparseMixedError
    """
    name = prefixed.prefix.name
    inner = read_prefix(prefixed.rest)
    if inner is not None and prefixed.prefix.function != "by":
        raise OptionError(
            f"the prefix {name} cannot stand before {inner.prefix.name}; by may stand before any, {name} before a model alone",
            source,
            prefixed.start,
        )
    try:
        return _FUNCTIONS[prefixed.prefix.function](prefixed, data, options)
    except CommandError as error:
        if error.text != prefixed.rest or error.position is None:
            raise
        raise type(error)(error.message, source, error.position + prefixed.start) from None


def by(model: str, data: Any, by: Any, **options: Unpack[ModelKeywords]) -> FitsByLevel:
    """Fit a model to the rows of each level of a variable, or of each combination of several.

    Parameters
    ----------
    model : str
        As `mixed` takes it, also with another prefix: `"mi estimate: mixed y x || id:"`.
    data
        As `mixed` takes them; in memory, or the path of a file.
    by : str or list of str
        Rows where one of them is missing belong to no level.
    **options
        As of `mixed`.

    Returns
    -------
    FitsByLevel
        Fits by level, a mapping; `frame` has all estimates, and a row with the message of each level that could not be fitted.
        Fits warn of nothing here: `glance` has the `status` of each.

    Raises
    ------
    SparseMixedError
        No level could be fitted, or there are no such variables.

    Examples
    --------
    >>> import sparsemixed
    >>> data = sparsemixed.datasets.simulate_longitudinal(60, 6, seed=1)
    >>> found = sparsemixed.by("y time || id:", data.assign(arm=data.id % 2), by="arm")
    >>> list(found), found[1].nobs
    ([0, 1], 180)
    """
    plain = settled(Call(model, data, options))
    levels = Levels(frame_of(plain, "by"), _one_or_several(names_of(by, "by")))
    return fits_by_level(levels, lambda rows: fit_text(plain.model, rows, plain.options))


def _one_or_several(names: tuple[str, ...]) -> str | tuple[str, ...]:
    return names[0] if len(names) == 1 else names


# --- prefixes -----------------------------------------------------------------------------------------------------------------


def _by(prefixed: Prefixed, data: Any, options: Options) -> FitsByLevel:
    return by(prefixed.rest, data, prefixed.variables, **options)


def _statsby(prefixed: Prefixed, data: Any, options: Options) -> Any:
    groups = prefixed.options.get("by")
    if groups is None:
        raise OptionError("the prefix statsby needs groups: statsby _b, by(school): mixed ...")
    own = {name: prefixed.options[name] for name in ("total", "saving") if name in prefixed.options}
    return statsby(prefixed.rest, data, groups, prefixed.given or None, **own, **options)


def _rolling(prefixed: Prefixed, data: Any, options: Options) -> Any:
    own = dict(prefixed.options)
    if "window" not in own:
        raise OptionError("the prefix rolling needs the length of its windows: rolling _b, window(12): mixed ...")
    time = own.get("time")
    renamed = {"stepsize": "step"}
    known = ("window", "stepsize", "recursive", "rrecursive", "start", "end", "saving")
    settings = {renamed.get(name, name): own[name] for name in known if name in own}
    statistics = prefixed.given or None
    return rolling(prefixed.rest, data, statistics=statistics, time=None if time is None else time[0], **settings, **options)


def _mi(prefixed: Prefixed, data: Any, options: Options) -> Any:
    own = dict(prefixed.options)
    if "imputation" in own:
        own["imputation"] = own["imputation"][0]
    return mi(prefixed.rest, data, **own, **options)


_FUNCTIONS: dict[str, Callable[[Prefixed, Any, Options], Any]] = {
    "by": _by,
    "statsby": _statsby,
    "rolling": _rolling,
    "mi": _mi,
    "bootstrap": bootstrap_of,
    "jackknife": jackknife_of,
}
"""Name of the function in `command.prefixes.PREFIXES` -> what carries it out."""
