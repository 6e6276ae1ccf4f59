"""One model, many responses: their estimates as frames, a row for each."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import pandas as pd

from sparsemixed.command.keywords import ModelKeywords
from sparsemixed.design.data.added_columns import aligned
from sparsemixed.design.data.frame import Frame
from sparsemixed.errors import DataError, OptionError, SparseMixedError, SparseMixedWarning, suggestion
from sparsemixed.estimation.compact import of_fit
from sparsemixed.estimation.estimate import estimate_response
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.sources.responses import Responses
from sparsemixed.estimation.sources.responses import responses as prepared_responses
from sparsemixed.fitting.call import Call, asked, frame_of, settled, with_design
from sparsemixed.fitting.prepared import checked_response, fit_response
from sparsemixed.inference.hypotheses.wald import coefficients
from sparsemixed.reporting.many_fits import ManyFits
from sparsemixed.resampling.replicates import Replicates
from sparsemixed.resampling.response_fits import ResponseFits
from sparsemixed.resampling.workers import in_order, pieces_of, read_jobs

STAND_IN = 1
"""Seed of a response that stands for those to come while the design is made."""


def refitted(fit: Fit, y: Any) -> Fit:
    """The fit to another response of the sample, offset included; warnings are those of `mixed`.

    Raises
    ------
    DataError
    """
    model = _responses(fit)
    values = checked_response(model, y.to_numpy() if isinstance(y, pd.Series) else y, "refit")
    return fit_response(model, values if fit.design.offset is None else values - fit.design.offset)


def refitted_many(fit: Fit, frame: pd.DataFrame) -> ManyFits:
    """The estimates for every column of a frame with the sample's rows."""
    model = _responses(fit)
    n = fit.design.n_rows
    if len(frame) != n:
        found = f"found {len(frame)}"
        raise DataError(f"refit: the responses are to have {n} values, one for each row of the estimation sample; {found}")
    offset = 0.0 if fit.design.offset is None else fit.design.offset
    columns = [_number(frame.iloc[:, j], str(name), "refit") - offset for j, name in enumerate(frame.columns)]
    return _framed(fit, _fitted(ResponseFits(model, fit), columns, 1), frame.columns)


def _responses(fit: Fit) -> Responses:
    if not fit.design.has_rows:
        raise DataError("refit: this fit does not hold its rows; save it with data=True, or fit the model again")
    return prepared_responses(fit.spec, fit.design)


def mixed_many(model: str, data: Any, responses: Any, n_jobs: int = 1, **options: Unpack[ModelKeywords]) -> ManyFits:
    """Fit one model to many responses, and keep their estimates alone.

    Parameters
    ----------
    model : str
        As of `mixed`; its response is a plain name, whose place the responses take.
    data : DataFrame, dict or path
        In memory. It need not have a column of that name.
    responses : DataFrame, (n, m) array_like or list of str
        A response in each column, a value for each row of the data; or names of columns of the data. Rows where a response is
        missing are left out of its fit.
    n_jobs : int
        Workers; results do not depend on it.
    **options
        As of `mixed`.

    Returns
    -------
    ManyFits
        Frames `params`, `bse`, `random_params` and series `llf`, `converged`, `boundary`, `message`, one row for each response;
        `frame` has all of it. A response that cannot be fitted is a row of missing values with its message.

    Raises
    ------
    SparseMixedError
        As `mixed`, of what concerns all responses.

    Examples
    --------
    >>> import sparsemixed
    >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
    >>> sparsemixed.mixed_many("y ~ time + (1 | id)", data.assign(z=2 * data.y), ["y", "z"]).params.shape
    (2, 2)
    """
    return _many(Call(model, data, options), responses, read_jobs(n_jobs, "mixed_many"))


def _many(call: Call, responses: Any, jobs: int) -> ManyFits:
    """The responses by the rows in which they are known: each set of rows has a design of its own."""
    frame = frame_of(call, "mixed_many")
    names, columns = _columns(responses, frame)
    plain = settled(call)
    spec = asked(plain)
    if not _is_name(spec.response):
        raise OptionError(
            f"mixed_many: the model's response is {spec.response}; it is to be a plain name, whose place the responses take"
        )
    parts: list[tuple[list[int], Replicates]] = []
    template: Fit | None = None
    for pattern, own in _by_pattern(columns).items():
        present = np.frombuffer(pattern, dtype=bool)
        prepared = prepared_responses(*with_design(spec, _with_response(frame, spec.response, present)))
        kept, offset = prepared.design.kept, prepared.design.offset
        found = [columns[j][kept] if offset is None else columns[j][kept] - offset for j in own]
        fit = _template(prepared, found)
        parts.append((own, _fitted(ResponseFits(prepared, fit, alike=False), found, jobs)))
        template = template or fit
    assert template is not None
    every = Replicates.joined([part for _, part in parts])
    return _framed(template, every.rows(np.argsort([j for own, _ in parts for j in own])), pd.Index(names))


def _is_name(response: str) -> bool:
    return all(letter.isalnum() or letter == "_" for letter in response)


def _columns(wanted: Any, frame: Frame) -> tuple[list[Any], list[np.ndarray]]:
    """Names of the responses and their values in all rows of the data, NaN where missing.

    Raises
    ------
    OptionError
        There are none.
    DataError
        Other rows than the data's, values that are no numbers, names that are no columns.
    """
    if isinstance(wanted, str) or (isinstance(wanted, Sequence) and wanted and all(isinstance(name, str) for name in wanted)):
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        for name in names:
            if name not in frame:
                raise DataError(f"mixed_many: there is no column `{name}` in the data{suggestion(name, frame.names)}")
        series = [frame.series(name) for name in names]
    elif isinstance(wanted, pd.DataFrame):
        names, series = list(wanted.columns), [wanted.iloc[:, j] for j in range(wanted.shape[1])]
    else:
        array = np.asarray(wanted)
        if array.ndim != 2:
            raise OptionError(
                "mixed_many: responses is a data frame or an array with a column for each response, or a list of columns of the "
                f"data; found shape {array.shape}"
            )
        names, series = list(range(array.shape[1])), list(array.T)
    if not names:
        raise OptionError("mixed_many: there are no responses")
    pairs = zip(names, series, strict=True)
    return names, [_number(aligned(f"response {name}", values, frame), str(name), "mixed_many") for name, values in pairs]


def _number(values: Any, name: str, command: str) -> np.ndarray:
    try:
        numbers: Any = pd.to_numeric(pd.Series(values))
        found = numbers.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise DataError(f"{command}: the response `{name}` is to be numbers") from None
    if np.isinf(found).any():
        raise DataError(f"{command}: the response `{name}` has {int(np.isinf(found).sum())} infinite values")
    return found


def _by_pattern(columns: Sequence[np.ndarray]) -> dict[bytes, list[int]]:
    """Which responses are known in the same rows, by the bytes of (n,) bool."""
    found: dict[bytes, list[int]] = {}
    for j, values in enumerate(columns):
        found.setdefault((~np.isnan(values)).tobytes(), []).append(j)
    return found


def _with_response(frame: Frame, name: str, present: np.ndarray) -> Frame:
    """The frame with a stand-in for the response, known in the rows where the responses are."""
    values = np.where(present, np.random.default_rng(STAND_IN).standard_normal(len(present)), np.nan)
    names = [*(each for each in frame.names if each != name), name]
    response = pd.Series(values)

    def fetch(position: int) -> pd.Series:
        return response if position == len(names) - 1 else frame.series(names[position])

    return Frame(names, frame.n_rows, fetch, frame.value_labels, frame.index, frame.units)


def _template(model: Responses, found: Sequence[np.ndarray]) -> Fit:
    """A fit to the design, by which numbers are named: of the first response that can be fitted, or of the stand-in."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparseMixedWarning)
        for y in found:
            try:
                return estimate_response(model, checked_response(model, y, "mixed_many"))
            except SparseMixedError:
                continue
        return estimate_response(model, model.design.y)


def _fitted(fits: ResponseFits, columns: Sequence[np.ndarray], n_jobs: int) -> Replicates:
    """The estimates, in order; of fits whose standard errors are not the model's one by one."""
    model = fits.model
    own_errors = model.spec.small_sample is not None or not model.spec.vce.method.model_based

    def work(begin: int, end: int) -> Replicates:
        some = columns[begin:end]
        found = _whole(fits, some) if own_errors else fits.drawn(lambda: np.array(some))
        for row, y in enumerate(some):
            if y.min() == y.max():
                _fail(found, row, f"the response is constant (= {y[0]:g}); there is no variance to model")
        return found

    step = 1 if own_errors else fits.step
    return Replicates.joined([*in_order(work, pieces_of(0, len(columns), step), n_jobs, fits.compiled and not own_errors)])


def _whole(fits: ResponseFits, columns: Sequence[np.ndarray]) -> Replicates:
    out = Replicates.room(len(columns), len(fits.fit.beta), len(fits.fit.variances))
    for row, y in enumerate(columns):
        try:
            fit = estimate_response(fits.model, y)
            out.put(row, of_fit(fit)._replace(errors=coefficients(fit, 95.0).std_err))
        except SparseMixedError as error:
            out.message[row] = str(error)
    return out


def _fail(found: Replicates, row: int, why: str) -> None:
    for numbers in (found.beta, found.errors, found.variances, found.llf):
        numbers[row] = np.nan
    found.converged[row], found.boundary[row], found.message[row] = False, "", why


def _framed(fit: Fit, found: Replicates, index: pd.Index) -> ManyFits:
    names = list(fit.design.names)
    keys = pd.MultiIndex.from_tuples([(v.equation, v.label) for v in fit.variances], names=["equation", "parameter"])
    return ManyFits(
        params=pd.DataFrame(found.beta, index=index, columns=names),
        bse=pd.DataFrame(found.errors, index=index, columns=names),
        random_params=pd.DataFrame(found.variances, index=index, columns=keys),
        llf=pd.Series(found.llf, index=index, name="llf"),
        converged=pd.Series(found.converged, index=index, name="converged"),
        boundary=pd.Series(found.boundary, index=index, name="boundary"),
        message=pd.Series(found.message, index=index, name="message"),
    )
