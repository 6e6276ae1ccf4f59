"""`power` and `power_curve`: what a design would find, at parameters that are assumed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import pandas as pd

from sparsemixed.command.keywords import ModelKeywords
from sparsemixed.design.data.added_columns import with_columns
from sparsemixed.errors import OptionError, shortened
from sparsemixed.estimation.assumed import assumed_fit, problem_for, stand_in
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call, asked, frame_of, settled, with_design
from sparsemixed.fitting.changed_call import known_call
from sparsemixed.fitting.designed_data import extend
from sparsemixed.inference.hypotheses.hypothesis import Hypothesis, hypothesis_rows, independent
from sparsemixed.inference.hypotheses.wald import tested_coefficients
from sparsemixed.postestimation.power.assumed_values import assumed_parameters, values_of
from sparsemixed.postestimation.power.power import power_at
from sparsemixed.reporting.power import PowerCurve, PowerResult
from sparsemixed.resampling.simulated_power import simulated_power
from sparsemixed.resampling.simulator import refuse_replicates
from sparsemixed.resampling.workers import read_jobs
from sparsemixed.results import Results
from sparsemixed.spec.numbers import is_number

Params = Mapping[str, float] | None
OWN = ("test", "alpha", "simulate", "n_jobs")


class PowerKeywords(ModelKeywords, total=False):
    """Options of `mixed`, and those of `power`; `seed` is of the simulation."""

    test: Any
    """A hypothesis as `Results.test` takes it; all coefficients but the constant by default."""
    alpha: float
    """Level of the test; 0.05 by default."""
    simulate: int
    """Data sets to draw, fit and test besides; none by default."""
    n_jobs: int
    """Workers that share them, -1 for one per processor; 1 by default. The figures do not depend on it."""


def power(model: str | Results, data: Any = None, params: Params = None, **options: Unpack[PowerKeywords]) -> PowerResult:
    """Power of a test at assumed parameters: from the noncentral F distribution, and by simulation to check it.

    F has the degrees of freedom that the method finds at the assumed parameters, Kenward-Roger's with REML unless `dfmethod` says
    otherwise (None is for large samples, and the model is as typed).

    Parameters
    ----------
    model : str or Results
        As `mixed` takes it, or a fit, of a pilot study say, whose parameters are those that `params` leaves out.
    data : optional
        The design, a row for each observation; it needs no response. Those of the fit by default.
    params : mapping
        Coefficients by name, zero if not given, and all variances as printed: `{"x": 0.5, "var(_cons)": 1, "var(Residual)": 4}`;
        standard deviations and correlations likewise, `"sd(_cons)"`, with their level where there are several,
        `"[school]sd(_cons)"`.
    **options
        Those of `mixed`; `test`, `alpha`, `simulate`, `n_jobs` and `seed`: see `PowerKeywords`.

    Raises
    ------
    OptionError
        Parameters that are missing, unknown, or those of no covariance matrix; weights that replicate observations.

    Examples
    --------
    >>> import sparsemixed
    >>> design = sparsemixed.crossing(subject=20, x=[0, 1], trial=5)
    >>> params = {"x": 0.5, "sd(_cons)": 1.0, "sd(Residual)": 1.0}
    >>> round(sparsemixed.power("y ~ x + (1 | subject)", design, params).power, 3)
    0.94
    """
    own: dict[str, Any] = {name: options.pop(name, None) for name in OWN}
    seed = options.pop("seed", None)
    alpha, jobs = _alpha(own["alpha"]), read_jobs(1 if own["n_jobs"] is None else own["n_jobs"], "power")
    call, values = _call(model, data, params, options)
    fit = _assumed(call, values)
    hypothesis = _hypothesis(fit, own["test"])
    value = power_at(fit, hypothesis, alpha)
    drawn = simulated_power(fit, hypothesis, alpha, own["simulate"], seed, jobs) if own["simulate"] is not None else None
    method = "" if value.ddf is None or fit.spec.small_sample is None else fit.spec.small_sample.method.title
    return PowerResult(value, fit.spec.text, method, hypothesis.equations, drawn)


def power_curve(
    model: str | Results,
    data: Any = None,
    params: Params = None,
    *,
    along: str | Sequence[str],
    n: Sequence[int],
    **options: Unpack[PowerKeywords],
) -> PowerCurve:
    """Power for several sizes of a design.

    Parameters
    ----------
    model, data, params, **options
        As of `power`; data are a data frame.
    along : str or list of str
        A column, whose groups are repeated or left out until there are so many (`extend`); of a list, the rows within every
        combination of the columns.
    n : sequence of int
        The sizes.

    Examples
    --------
    >>> import sparsemixed
    >>> design = sparsemixed.crossing(subject=10, x=[0, 1], trial=5)
    >>> params = {"x": 0.5, "sd(_cons)": 1.0, "sd(Residual)": 1.0}
    >>> sparsemixed.power_curve("y ~ x + (1 | subject)", design, params, along="subject", n=range(5, 30, 5)).smallest(0.8)
    15
    """
    if not isinstance(n, (Sequence, np.ndarray)) or not len(n):
        raise OptionError(f"power_curve: n is a list of sizes, found {n!r}")
    source = known_call(model.call, "power_curve").data if data is None and isinstance(model, Results) else data
    if not isinstance(source, pd.DataFrame):
        raise OptionError(f"power_curve repeats rows of a pandas data frame; found {type(source).__name__}")
    points = []
    for size in n:
        rows = extend(source, along, size) if isinstance(along, str) else extend(source, n=size, within=along)
        points.append((int(size), power(model, rows, params, **options)))
    return PowerCurve(along if isinstance(along, str) else " ".join(along), tuple(points))


def _alpha(given: Any) -> float:
    alpha = 0.05 if given is None else given
    if not is_number(alpha) or not 0.0 < alpha < 1.0:
        raise OptionError(f"power: alpha is the level of the test, between 0 and 1; found {given!r}")
    return float(alpha)


def _call(model: str | Results, data: Any, params: Params, options: Mapping[str, Any]) -> tuple[Call, dict[str, float]]:
    """The model with its data and options, and all values that are given for its parameters."""
    if params is not None and not isinstance(params, Mapping):
        raise OptionError(f"power: params takes values of parameters by name; found {shortened(repr(params))}")
    if isinstance(model, Results):
        known = known_call(model.call, "power")
        values = {**values_of(model.fit), **_with_levels(model.fit, params or {})}
        merged = {**known.options, **options}
        return Call(known.model, known.data if data is None else data, merged, options_win=True), values
    if data is None:
        raise OptionError("power needs the rows of the design: sparsemixed.crossing(subject=20, x=[0, 1]) makes some")
    if params is None:
        raise OptionError('power needs assumed parameters, such as {"x": 0.5, "var(_cons)": 1, "var(Residual)": 4}')
    return Call(model, data, dict(options)), dict(params)


def _with_levels(fit: Fit, params: Mapping[str, float]) -> dict[str, float]:
    """The parameters under the names of `values_of`, so that they take the places of the fit's."""
    names = values_of(fit)
    found = {}
    for name, value in params.items():
        whole = [known for known in names if known == name or known.partition("]")[2] == name]
        roots = [known for known in names if known.partition("]")[2] == name.replace("sd(", "var(", 1)]
        if len(whole) == 1:
            found[whole[0]] = value
        elif not whole and len(roots) == 1 and name.startswith("sd("):
            found[roots[0]] = value**2
        else:
            found[name] = value
    return found


def _assumed(call: Call, values: Mapping[str, float]) -> Fit:
    """The fit that has these parameters.

    Raises
    ------
    OptionError
        Robust standard errors, or weights that replicate observations.
    """
    plain = settled(call)
    spec = asked(plain)
    if not spec.vce.method.model_based:
        raise OptionError(f"power rests on the model's covariance and is not available with vce({spec.vce.name})")
    if spec.small_sample is None and "dfmethod" not in plain.options:
        plain = dataclasses.replace(plain, options={**plain.options, "dfmethod": "kroger", "reml": True})
        spec = asked(plain)
    if spec.small_sample is not None and spec.small_sample.information == "oim":
        raise OptionError("power: nothing is observed at assumed parameters; take the expected information, eim")
    frame = frame_of(plain, "power")
    if spec.response not in frame and not spec.computed:
        column = pd.Series(np.random.default_rng(0).standard_normal(frame.n_rows))
        frame = with_columns(frame, {spec.response: column})
    spec, design = with_design(spec, frame)
    problem = problem_for(spec, stand_in(design))
    fit = assumed_fit(problem, *assumed_parameters(problem, spec, values))
    refuse_replicates(fit, "power")
    return fit


def _hypothesis(fit: Fit, test: Any) -> Hypothesis:
    if test is None:
        K = np.eye(len(fit.beta))[tested_coefficients(fit)]
        return independent(fit, K, np.zeros(len(K)))
    return independent(fit, *hypothesis_rows(fit, test))
