"""Fitting models: the functions of the package's front that every process needs; those that compare fits: `comparisons.py`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from sparsemixed.command.keywords import ModelKeywords
from sparsemixed.command.prefixes import read_prefix
from sparsemixed.estimation.search.values import LogEntry
from sparsemixed.estimation.sources.responses import Responses
from sparsemixed.fitting.call import Call, run
from sparsemixed.fitting.prepared import checked_response, fit_response, prepared
from sparsemixed.results import Results


def mixed(
    model: str, data: Any, *, progress: Callable[[LogEntry], None] | None = None, **options: Unpack[ModelKeywords]
) -> Results:
    """Fit a linear mixed-effects model.

    Parameters
    ----------
    model : str
        A command, `"weight week || id: week, reml"`, or, when it holds a `~`, a formula, `"weight ~ week + (1 + week | id)"`;
        with a prefix, `"by school: mixed ..."`, what the function of its name returns.
    data : DataFrame, dict or path
        pandas, a dict of arrays, what narwhals reads (polars, pyarrow, duckdb, ibis), a stream of Arrow, or the path of a .dta,
        .csv, .tsv, .xlsx, .parquet, .feather or .arrow file. A folder of Parquet files, a data set of pyarrow, a Dask data frame
        and a function that makes batches are never held in memory; their fits are like fits saved without data.
    progress : callable, optional
        Called with a `LogEntry` after every iteration.
    **options
        Any option of the command as a keyword: `reml=True`, `level=90`. Weights: `fweights="n"`, `pweights="w"`, by level
        `pweights={"": "w", "school": "w_school"}`, and `precision_weights="1/v"` for known relative precisions of the rows, or
        arrays and Series. Of text files: `delimiter=";"`. Of statsmodels: `groups`, `re_formula`, `vc_formula`, `method="reml"`.

    Returns
    -------
    Results

    Warns
    -----
    SparseMixedWarning
        Not converged, columns omitted, components on the boundary, parameters not identified; the logger gets the same.

    Raises
    ------
    SparseMixedError
        Its message says what was found, where, and what to do.

    Examples
    --------
    >>> import sparsemixed
    >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
    >>> sparsemixed.mixed("y time || id: time, covariance(unstructured)", data).nobs
    300
    """
    if isinstance(model, str) and read_prefix(model) is not None:
        return _with_prefix(model, data, options)
    return Results(run(call := Call(model, data, options), progress), call)


def _with_prefix(model: str, data: Any, options: Mapping[str, Any]) -> Any:
    from sparsemixed.repeated.prefixed import fit_text  # delayed: no plain fit needs what prefixes do

    return fit_text(model, data, options)


@dataclass(frozen=True, repr=False, eq=False)
class PreparedModel:
    """A model whose data are read and whose design is made: see `prepare`."""

    call: Call
    model: Responses

    def __repr__(self) -> str:
        return f"prepared {self.call!r}"

    def fit(self, response: Any = None, weights: Any = None) -> Results:
        """Fit the model.

        Parameters
        ----------
        response : (n,) array_like, optional
            One value for each row of the estimation sample, in its order; by default the response of the data.
        weights : (J,) array_like or Series, optional
            How often each of the groups that hold all others occurs, in the order of their levels, or by them as the index of a
            Series; by default once. Copies of a group share nothing, as in a bootstrap of clusters, and a group of weight zero
            is left out.

        Returns
        -------
        Results
            As `mixed` returns them. A fit to another response, or with weights, does not know a call, so that it has no
            `update`.

        Warns
        -----
        SparseMixedWarning
            As `mixed`.

        Raises
        ------
        DataError
            The response has another length, missing or infinite values, or does not vary, or the fixed part fits it exactly.
            Weights are not one whole number for each group, or leave rows that do not determine the coefficients.
        OptionError
            Weights where the top groups are crossed.

        Examples
        --------
        >>> import sparsemixed
        >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
        >>> model = sparsemixed.prepare("y ~ time + (1 | id)", data)
        >>> model.fit(weights=[0, 2] + 48 * [1]).nobs
        300
        """
        if weights is None:
            return Results(fit_response(self.model, response), self.call if response is None else None)
        from sparsemixed.fitting.counted_groups import counted  # delayed: few fits count groups

        model, rows = counted(self.model, weights)
        return Results(fit_response(model, None if response is None else checked_response(self.model, response)[rows]))


def prepare(model: str, data: Any, **options: Unpack[ModelKeywords]) -> PreparedModel:
    """Read a model and its data once, to fit it to many responses.

    Parameters
    ----------
    model, data, **options
        As of `mixed`; the data must be in memory. Rows where the model's own response is missing are left out.

    Returns
    -------
    PreparedModel

    Raises
    ------
    SparseMixedError
        As `mixed`.

    Examples
    --------
    >>> import sparsemixed
    >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
    >>> model = sparsemixed.prepare("y ~ time + (1 | id)", data)
    >>> bool(model.fit(2 * data.y).llf < model.fit().llf)
    True
    """
    call = Call(model, data, options)
    return PreparedModel(call, prepared(call))


def load(path: str | os.PathLike) -> Results:
    """Read a fit that was saved by `Results.save`.

    Reading a file runs nothing that is in it: it holds numbers and texts only.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Results
        Without the data, unless they were saved too: see `Results.save`. A `BayesResults` where that was saved.

    Raises
    ------
    DataError
        There is no such file, or it is no saved fit, or damaged, or was saved by a newer version of sparsemixed.
    """
    from sparsemixed.storage.fit_file import load_file  # delayed, with what it needs, for a quick start

    fit, saved = load_file(path)
    if saved is None:
        return Results(fit)
    from sparsemixed.fitting.bayes_results import BayesResults  # delayed: only posteriors need it

    return BayesResults(saved.posterior, saved.shape)  # type: ignore[return-value]  # of a file that BayesResults.save wrote
