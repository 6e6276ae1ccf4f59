"""A call of `mixed` as a value, and the fit that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sparsemixed.command import read_model
from sparsemixed.command.other_meanings import with_other_meaning
from sparsemixed.design import build_design, concrete_spec, learned_spec, read_frame
from sparsemixed.design.batches import check_batches, learned_from_batches, used_columns
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.sample import weight_variables
from sparsemixed.design.values import Design
from sparsemixed.errors import OptionError, UnknownVariableError, warn
from sparsemixed.estimation import estimate
from sparsemixed.estimation.estimate import estimate_batches, estimate_dask
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.search.values import LogEntry
from sparsemixed.estimation.sources.dask_frames import dask_parts, is_dask
from sparsemixed.fitting.batches import batch_source, in_batches
from sparsemixed.fitting.borrowed_keywords import in_own_words
from sparsemixed.fitting.weight_columns import with_weight_columns
from sparsemixed.inference.covariance.sandwich import is_robust
from sparsemixed.inference.covariance.vce import theta_covariance
from sparsemixed.inference.degrees.table import coefficient_degrees
from sparsemixed.reporting.report import warnings_of
from sparsemixed.spec import ModelSpec


@dataclass(frozen=True, repr=False)
class Call:
    """What a model was fitted by.

    Attributes
    ----------
    model : str
        As typed.
    data : DataFrame, path or another source
        The object itself, not a copy.
    options : mapping
        The keyword arguments.
    options_win : bool
        Whether an option given by keyword takes the place of the same option in the text; else their contradiction is an error.
    """

    model: str
    data: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    options_win: bool = False

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"mixed({self.model!r}, <{type(self.data).__name__}>{options})"


def run(call: Call, progress: Callable[[LogEntry], None] | None = None) -> Fit:
    """Fit the model, and warn of what must not be overlooked in the fit."""
    plain = settled(call)
    spec = asked(plain)
    try:
        return checked(_estimated(spec, plain.data, progress))
    except UnknownVariableError as error:
        raise with_other_meaning(error, spec) from None


def checked(fit: Fit) -> Fit:
    """The fit, once its degrees of freedom are known to be had and its warnings are given."""
    if fit.spec.small_sample is not None:
        # Now, not when they are first shown: a method that cannot serve this design must say so here.
        coefficient_degrees(fit, fit.spec.small_sample)
    if is_robust(fit):
        # Likewise: where there are no scores, no table could be shown.
        theta_covariance(fit)
    for kind, message in warnings_of(fit):
        warn(message, kind)
    return fit


def asked(plain: Call) -> ModelSpec:
    """The specification; the point of `y ~ .` stands for the columns of the data that say nothing else of the model."""
    if "prior" not in plain.options:
        return _asked(plain)
    from sparsemixed.fitting.asked_prior import with_prior  # delayed: no fit without priors needs densities

    rest = {name: value for name, value in plain.options.items() if name != "prior"}
    return with_prior(_asked(replace(plain, options=rest)), plain.options["prior"])


def _asked(plain: Call) -> ModelSpec:
    spec = read_model(plain.model, plain.options, plain.options_win)
    if not any(factor.pattern and factor.variable == "." for term in spec.fixed for factor in term.factors):
        return spec
    others = {*weight_variables(spec), spec.vce.variable}
    columns = [name for name in _head(plain.data).names if name not in others]
    return read_model(plain.model, plain.options, plain.options_win, columns)


def _head(data: Any) -> Frame:
    """A frame with the columns of the data, and their rows where they are in memory."""
    if is_dask(data):
        return read_frame(data._meta)
    source = batch_source(data)
    return read_frame(data if source is None else source.head())


def settled(call: Call) -> Call:
    """The call in the words of this package, with every array among its options a column of the data."""
    own = in_own_words(call.model, *_read(call.data, call.options))
    data, options = with_weight_columns(own.data, own.options)
    return Call(own.model, data, options, call.options_win)


def _read(data: Any, options: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """The text file that `delimiter` is for, read; and the other options."""
    rest = {name: value for name, value in options.items() if name != "delimiter"}
    delimiter = options.get("delimiter")
    return (data if delimiter is None else read_frame(data, delimiter)), rest


def frame_of(call: Call, what: str) -> Frame:
    """The data of a call, for what needs them in memory.

    Raises
    ------
    OptionError
        They are read batch by batch.
    """
    data = settled(call).data
    if in_batches(data):
        raise OptionError(f"{what} needs data in memory, and these are read in batches; fit the models one by one")
    return read_frame(data)


def _estimated(spec: ModelSpec, data: Any, progress: Callable[[LogEntry], None] | None) -> Fit:
    """The fit to a frame in memory, or batch by batch to what never is."""
    if is_dask(data):
        concrete = _batch_spec(spec, data._meta)
        return estimate_dask(learned_from_batches(concrete, lambda names: dask_parts(data, names)), data, progress)
    source = batch_source(data)
    if source is not None:
        concrete = learned_from_batches(_batch_spec(spec, source.head()), source.batches)
        return estimate_batches(concrete, lambda: source.batches(used_columns(concrete)), progress)
    return estimate(*with_design(spec, read_frame(data)), progress=progress)


def with_design(spec: ModelSpec, frame: Frame) -> tuple[ModelSpec, Design]:
    """The specification as the data complete it, and its design; only the columns that it needs are fetched."""
    concrete = learned_spec(concrete_spec(spec, frame), frame)
    return concrete, build_design(concrete, frame.only(partial(_columns, concrete)))


def _columns(spec: ModelSpec) -> list[str]:
    """Everything that the design reads."""
    times = () if spec.tsset is None else (spec.tsset.panel, spec.tsset.time)
    return [*used_columns(spec), *weight_variables(spec), *(name for name in times if name is not None)]


def _batch_spec(spec: ModelSpec, head: Any) -> ModelSpec:
    """The concrete specification for batches with the columns of `head`, checked."""
    frame = read_frame(head)
    spec = concrete_spec(spec, frame)
    check_batches(spec, frame)
    return spec
