"""Bootstrap and jackknife of a fit by the words of a user: which groups, which statistic, which file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sparsemixed.errors import DataError, OptionError, suggestion
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call
from sparsemixed.fitting.deleted_groups import deleted_groups
from sparsemixed.postestimation.influence.groups import DeletedGroups
from sparsemixed.reporting.resampled import Bootstrap, Jackknife
from sparsemixed.resampling.bootstrapped import Bootstrapped, read_reps, started
from sparsemixed.resampling.jackknife import default_groups, jackknife_run
from sparsemixed.resampling.run_file import run_file
from sparsemixed.resampling.runs import empty_run
from sparsemixed.resampling.samplers import GroupSampler, sampler_of
from sparsemixed.resampling.seeds import read_seed
from sparsemixed.resampling.simulator import refuse_replicates
from sparsemixed.resampling.statistics import Statistic, read_statistic
from sparsemixed.resampling.workers import read_jobs

Words = str | Sequence[str] | None


def bootstrapped(
    fit: Fit,
    call: Call | None,
    results: Callable[[Fit], Any],
    reps: Any,
    kind: str,
    statistic: Any,
    seed: Any,
    n_jobs: Any,
    saving: str | os.PathLike | None,
    options: Mapping[str, Any],
) -> Bootstrap:
    """The bootstrap of a fit; parameters as of `HasResampling.bootstrap`, `results` makes of a fit what a statistic gets."""
    _check(fit, "bootstrap")
    number, jobs, seeded = read_reps(reps, "bootstrap"), read_jobs(n_jobs, "bootstrap"), read_seed(seed, "bootstrap")
    cluster, strata = _read(options)
    wanted = read_statistic(fit, statistic, "bootstrap", results)
    if kind in ("cluster", "pigeonhole"):
        _refuse_robust(fit, wanted, f"bootstrap: kind={kind!r}")
    clusters, layers = (None if own is None else _codes(fit, call, own) for own in (cluster, strata))
    sampler = sampler_of(fit, kind, seeded, clusters, layers)
    about = {"kind": kind, "statistic": list(wanted.names), "seed": seeded}
    if saving is not None and seed is None and os.path.exists(saving):
        raise DataError(f"bootstrap: {os.fspath(saving)} is there already; give the seed of its replicates to go on with them")
    found = Bootstrapped(
        fit=fit,
        kind=kind,
        seed=seeded,
        statistic=wanted,
        run=empty_run(wanted),
        sampler=sampler,
        left_out=lambda: _left_out(fit, call, cluster, wanted),
        n_jobs=jobs,
        file=None if saving is None else run_file(saving, fit, about),
        clusters=sampler.top.n_clusters if isinstance(sampler, GroupSampler) else 0,
    )
    return Bootstrap.of(started(found, number))


def jackknifed(fit: Fit, call: Call | None, results: Callable[[Fit], Any], by: Words, statistic: Any, n_jobs: Any) -> Jackknife:
    """The jackknife of a fit; parameters as of `bootstrapped`."""
    _check(fit, "jackknife")
    wanted, groups = read_statistic(fit, statistic, "jackknife", results), _groups(fit, call, by, "jackknife")
    _refuse_robust(fit, wanted, "jackknife")
    return Jackknife(fit, groups, wanted, jackknife_run(fit, groups, wanted, read_jobs(n_jobs, "jackknife")))


def _read(options: Mapping[str, Any]) -> tuple[Words, Words]:
    """Cluster and strata."""
    known = ("cluster", "strata")
    for name in options:
        if name not in known:
            raise OptionError(f"bootstrap: there is no option {name!r}{suggestion(name, known)}")
    return options.get("cluster"), options.get("strata")


def _refuse_robust(fit: Fit, statistic: Statistic, command: str) -> None:
    """Raise where a function may ask a fit to other rows for standard errors from clusters, which it does not know."""
    if statistic.function is not None and not fit.spec.vce.method.model_based:
        raise OptionError(
            f"{command}: a function of fits needs standard errors by the model, and this fit has vce({fit.spec.vce.name}); fit "
            "it without, or name estimates"
        )


def _check(fit: Fit, command: str) -> None:
    if not fit.design.has_rows:
        raise DataError(f"{command}: this fit does not hold its rows; save it with data=True, or fit the model again")
    refuse_replicates(fit, command)


def _groups(fit: Fit, call: Call | None, by: Words, command: str) -> DeletedGroups:
    return default_groups(fit, command) if by is None else deleted_groups(fit, call, by, command)


def _codes(fit: Fit, call: Call | None, by: Words) -> np.ndarray:
    return deleted_groups(fit, call, by, "bootstrap").codes


def _left_out(fit: Fit, call: Call | None, cluster: Words, statistic: Statistic) -> np.ndarray:
    """The statistic without each cluster (J, k), by which limits are accelerated."""
    return jackknife_run(fit, _groups(fit, call, cluster, "bca limits"), statistic).values
