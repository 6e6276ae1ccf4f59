"""`influence`: how far the estimates move without single rows, or without whole groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sparsemixed.errors import DataError, NotEstimableWarning, OptionError, SparseMixedError, warn
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.influence.deletion import Deletion, asked_measures, measured
from sparsemixed.postestimation.influence.fixed_theta import deleted_groups, whitened
from sparsemixed.postestimation.influence.groups import DeletedGroups
from sparsemixed.postestimation.influence.one_step import one_step_deleted
from sparsemixed.postestimation.influence.remaining_rows import fitted_again, named_covariances

METHODS = ("fixed", "onestep", "exact")


def influence(fit: Fit, groups: DeletedGroups, method: str, what: str | Sequence[str] | None = None) -> pd.DataFrame:
    """Measures of the deletion of each group.

    Parameters
    ----------
    fit : Fit
    groups : DeletedGroups
    method : {"fixed", "onestep", "exact"}
        Variance parameters as known, one Newton step away, or estimated anew.
    what : str or sequence of str, optional
        Measures, see `deletion.MEASURES`.

    Raises
    ------
    OptionError
        Unknown methods or measures.
    NotAvailableError
        What a method cannot serve.
    DataError
        The model cannot be fitted without one of the groups.
    """
    if method not in METHODS:
        raise OptionError(f"influence: method={method!r} is not one of {', '.join(METHODS)}")
    names = asked_measures(what, method != "fixed")
    if groups.n_groups < 2:
        raise OptionError(f"influence: {groups.by or 'the sample'} has one group alone, and nothing is left without it")
    if method == "exact":
        found = _fitted_without(fit, groups)
    else:
        found = one_step_deleted(fit, groups) if method == "onestep" else deleted_groups(fit, whitened(fit), groups)
    _tell_missing(found, groups)
    return measured(fit, found, names, groups.index)


def _fitted_without(fit: Fit, groups: DeletedGroups) -> Deletion:
    """The model fitted again without each group."""
    r = fit.root.shape[1]
    inverse, named = np.linalg.pinv(fit.root), named_covariances(fit)
    d, K = np.full((groups.n_groups, r), np.nan), np.full((groups.n_groups, r, r), np.nan)
    variances = np.full((groups.n_groups, len(fit.variances)), np.nan)
    for group in range(groups.n_groups):
        try:
            rest = fitted_again(fit, named, groups.codes != group)
        except SparseMixedError as error:
            raise DataError(f"influence: without {groups.named(group)}: {error}") from error
        if rest is not None:
            d[group] = inverse @ (fit.beta - rest.beta)
            K[group] = inverse @ rest.vcov_beta @ inverse.T
            variances[group] = [parameter.estimate for parameter in rest.variances]
    return Deletion(d, K, fit.root, variances)


def _tell_missing(found: Deletion, groups: DeletedGroups) -> None:
    missing = np.flatnonzero(~np.isfinite(found.d).all(axis=1))
    if missing.size:
        more = f" and {missing.size - 1} more" if missing.size > 1 else ""
        warn(
            f"influence: without {groups.named(int(missing[0]))}{more} the coefficients are not determined, or one step leads "
            "nowhere; the measures are missing",
            NotEstimableWarning,
        )
