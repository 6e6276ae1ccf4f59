"""`bootstrap:` and `jackknife:` before a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sparsemixed.command.prefixes import Prefixed
from sparsemixed.design.data.added_columns import with_columns
from sparsemixed.errors import DataError, OptionError
from sparsemixed.fitting.call import Call, frame_of, run, settled
from sparsemixed.repeated.statistics import WHOLE, read_statistics, values_of
from sparsemixed.reporting.resampled import Bootstrap, Jackknife
from sparsemixed.reporting.resampled_fit import ResampledFit
from sparsemixed.results import Results
from sparsemixed.storage.table_file import check_format, write_table

REPLICATES = 50
"""How many there are where none are asked for, as in Stata."""


def bootstrap_of(prefixed: Prefixed, data: Any, options: Mapping[str, Any]) -> Bootstrap | ResampledFit:
    """The bootstrap of a model by clusters of top groups, each copy of which is a group of its own.

    Raises
    ------
    OptionError
        Weights, crossed effects, too few replicates.
    """
    own = prefixed.options
    fit = _fitted(prefixed, data, options)
    words: Any = {name: list(own[name]) for name in ("cluster", "strata") if name in own}
    number = own.get("reps", REPLICATES)
    found = fit.bootstrap(number, kind="cluster", statistic=_statistic(fit, prefixed), seed=own.get("seed"), **words)
    return _shown(fit, found, prefixed)


def jackknife_of(prefixed: Prefixed, data: Any, options: Mapping[str, Any]) -> Jackknife | ResampledFit:
    """The jackknife of a model by clusters, those of the top level by default.

    Raises
    ------
    OptionError
        Weights; crossed effects without clusters.
    """
    fit = _fitted(prefixed, data, options)
    by = prefixed.options.get("cluster")
    return _shown(fit, fit.jackknife(None if by is None else list(by), statistic=_statistic(fit, prefixed)), prefixed)


def _fitted(prefixed: Prefixed, data: Any, options: Mapping[str, Any]) -> Results:
    """The model on its data, to which the variable of idcluster() is added where the model has levels of it."""
    own = prefixed.options
    if "saving" in own:
        check_format(own["saving"])
    level = {"level": own["level"]} if "level" in own else {}
    plain = settled(Call(prefixed.rest, data, {**options, **level}))
    frame = frame_of(plain, prefixed.prefix.name)
    copies = own.get("idcluster", ())
    if copies and len(copies) != len(own.get("cluster", ())):
        raise OptionError(f"the prefix {prefixed.prefix.name}: idcluster() names one new variable for each of cluster()")
    for new, old in zip(copies, own["cluster"] if copies else (), strict=True):
        if old not in frame:
            raise DataError(f"the prefix {prefixed.prefix.name}: there is no variable `{old}` in the data")
        if new not in frame:
            frame = with_columns(frame, {new: frame.series(old)})
    call = Call(plain.model, frame, plain.options, plain.options_win)
    return Results(run(call), call)


def _is_whole(prefixed: Prefixed) -> bool:
    """Whether the estimates of the model are what is resampled, so that its tables show them."""
    return not prefixed.given or prefixed.given == WHOLE[0]


def _statistic(fit: Results, prefixed: Prefixed) -> Callable[[Results], dict[str, float]] | None:
    """What is kept of each replicate; None for the estimates as they are printed by default."""
    if not _is_whole(prefixed):
        wanted = read_statistics(prefixed.given)
        return lambda results: values_of(results, wanted)
    return _deviations if fit.fit.spec.display.stddeviations else None


def _deviations(results: Results) -> dict[str, float]:
    """Coefficients, and variance parameters as standard deviations and correlations."""
    fit = results.fit
    found = dict(zip(fit.design.names, map(float, fit.beta), strict=True))
    for component in fit.components:
        level = "" if component.block is None else f"{component.block.equation}: "
        found |= {f"{level}{one.label}": float(one.estimate) for one in component.deviations}
    return found


def _shown(fit: Results, found: Any, prefixed: Prefixed) -> Any:
    if "saving" in prefixed.options:
        write_table(found.replicates, prefixed.options["saving"])
    if not _is_whole(prefixed):
        return found
    cluster = " ".join(prefixed.options.get("cluster", ())) or (fit.fit.design.groups[0].name if fit.fit.design.groups else "")
    return ResampledFit(fit.fit, found, cluster)
