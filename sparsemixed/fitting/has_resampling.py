"""Simulation, refits, bootstrap and jackknife as methods of a fit."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, Unpack

import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call

if TYPE_CHECKING:
    from sparsemixed.reporting.many_fits import ManyFits
    from sparsemixed.reporting.resampled import Bootstrap, Jackknife

Kind = Literal["parametric", "residual", "wild", "cluster", "pigeonhole"]
Wanted = str | Sequence[str] | Callable[[Any], Any] | None


class BootstrapKeywords(TypedDict, total=False):
    """Options of `bootstrap`, for kind "cluster".

    Attributes
    ----------
    cluster : str or list of str
        Columns of the data whose values tell clusters of groups apart; by default the groups of the top level are drawn.
    strata : str or list of str
        Columns whose values part the clusters: of each part as many are drawn as there are.
    """

    cluster: str | Sequence[str] | None
    strata: str | Sequence[str] | None


class HasResampling:
    """A fit with its call, of which other responses and other samples are made."""

    fit: Fit
    call: Call | None

    def simulate(self, n: int = 1, seed: int | None = None, conditional: bool = False, data: Any = None) -> pd.DataFrame:
        """Responses drawn from the model at its estimates, offsets included: one column for each of `n`.

        Parameters
        ----------
        n : int
        seed : int, optional
            Column r is drawn by the r-th child of `numpy.random.SeedSequence(seed)`, whatever `n` is.
        conditional : bool
            Whether the random effects of known groups are those predicted, and errors alone are drawn.
        data : DataFrame, dict or path, optional
            Other rows than those of the sample; effects of new groups are drawn in any case.

        Returns
        -------
        DataFrame
            The index is that of the rows.

        Raises
        ------
        DataError
            The fit does not hold its rows, and there are no data; missing values; very long groups with correlated errors.
        OptionError
            Frequency or sampling weights.

        Examples
        --------
        >>> import sparsemixed
        >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
        >>> fit = sparsemixed.mixed("y ~ time + (1 | id)", data)
        >>> fit.simulate(2, seed=1).shape
        (300, 2)
        """
        from sparsemixed.resampling.seeds import read_seed  # delayed, with what it needs, for a quick start
        from sparsemixed.resampling.simulator import simulated

        return simulated(self.fit, n, read_seed(seed, "simulate"), conditional, data)

    def refit(self, y: Any) -> Self | ManyFits:
        """The model fitted to another response, or to several, on the design as it is.

        Parameters
        ----------
        y : (n,) array_like or Series, or DataFrame
            A value for each row of the estimation sample, in its order, offset included. A frame has a response in each column.

        Returns
        -------
        Results or ManyFits
            Of one response the fit that `mixed` would make; of several their estimates, as of `sparsemixed.mixed_many`.

        Raises
        ------
        DataError
            Another number of rows, missing values, a constant response; a fit without its rows.

        Examples
        --------
        >>> import sparsemixed
        >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
        >>> fit = sparsemixed.mixed("y ~ time + (1 | id)", data)
        >>> fit.refit(fit.simulate(seed=1)[0]).nobs
        300
        """
        from sparsemixed.fitting.many_responses import refitted, refitted_many  # delayed, with what it needs, for a quick start

        if isinstance(y, pd.DataFrame):
            return refitted_many(self.fit, y)
        return type(self)(refitted(self.fit, y))  # type: ignore[call-arg]

    def bootstrap(
        self,
        reps: int = 1000,
        kind: Kind = "parametric",
        statistic: Wanted = None,
        seed: int | None = None,
        n_jobs: int = 1,
        saving: str | os.PathLike | None = None,
        **options: Unpack[BootstrapKeywords],
    ) -> Bootstrap:
        """Estimates, or any function of a fit, in samples drawn anew.

        Parameters
        ----------
        reps : int
            Number of replicates. Those whose fit fails are counted and left out, those on the boundary are counted and kept.
        kind : {"parametric", "residual", "wild", "cluster", "pigeonhole"}
            Responses drawn from the model; from predicted effects and residuals, scaled to its variances; from the residuals of
            the fixed part, those of a top group times one random number; top groups drawn with replacement, each copy a group of
            its own; levels of every crossed factor drawn so.
        statistic : str, list of str or callable, optional
            Estimates by name, as in the columns of `replicates`; or a function of a `Results` that returns a number, an array, a
            Series or a dict. By default all estimates.
        seed : int, optional
            Replicate r is drawn by the r-th child of `numpy.random.SeedSequence(seed)`, whatever `n_jobs` and `reps`.
        n_jobs : int
            Workers: threads where fits are compiled as a whole, else processes; -1 for one per processor.
        saving : path, optional
            A file that is written as replicates come, and gone on with where it is there already.
        **options
            See `BootstrapKeywords`.

        Raises
        ------
        OptionError
            Weights that replicate observations; crossed effects with "cluster" or "wild"; unknown names.
        DataError
            The fit does not hold its rows; `saving` is another file.
        """
        from sparsemixed.fitting.resampled import bootstrapped  # delayed, with what it needs, for a quick start

        return bootstrapped(self.fit, self.call, type(self), reps, kind, statistic, seed, n_jobs, saving, options)

    def jackknife(self, by: str | Sequence[str] | None = None, statistic: Wanted = None, n_jobs: int = 1) -> Jackknife:
        """Estimates, or any function of a fit, without each group.

        Parameters
        ----------
        by : str or list of str, optional
            As in `influence`; by default the groups of the top level, or rows where nothing is grouped.
        statistic : str, list of str or callable, optional
            As in `bootstrap`.
        n_jobs : int

        Returns
        -------
        Jackknife

        Raises
        ------
        OptionError
            Crossed effects without `by`; weights that replicate observations.

        Examples
        --------
        >>> import sparsemixed
        >>> data = sparsemixed.datasets.simulate_longitudinal(30, 5, seed=1)
        >>> sparsemixed.mixed("y ~ time + (1 | id)", data).jackknife().replicates.shape
        (30, 4)
        """
        from sparsemixed.fitting.resampled import jackknifed  # delayed, with what it needs, for a quick start

        return jackknifed(self.fit, self.call, type(self), by, statistic, n_jobs)
