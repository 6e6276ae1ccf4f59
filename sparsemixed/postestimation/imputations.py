"""Fits of one model to several imputations of the same data, combined by Rubin's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsemixed.errors import DataError, OptionError
from sparsemixed.estimation.fit import Fit, VarianceParameter
from sparsemixed.inference.constrained import moving_rows
from sparsemixed.inference.covariance.vce import theta_covariance
from sparsemixed.inference.degrees.table import coefficient_covariance, coefficient_degrees
from sparsemixed.inference.estimation_metric import metric_estimates
from sparsemixed.inference.hypotheses.distributions import critical
from sparsemixed.inference.hypotheses.hypothesis import Hypothesis, hypothesis_rows, independent
from sparsemixed.inference.hypotheses.wald import HypothesisTest, tested_coefficients
from sparsemixed.inference.intervals import SCALES
from sparsemixed.inference.pooling import Pooled, average_increase, joint_test, monte_carlo_errors, pool


@dataclass(frozen=True)
class PooledParameter:
    """A variance parameter of all imputations as one.

    Attributes
    ----------
    parameter : VarianceParameter
        Of the first imputation: its name and kind.
    estimate, std_err, low, high : float
        Averaged on the scale of its kind, where limits are symmetric; NaN without a standard error in some imputation.
    """

    parameter: VarianceParameter
    estimate: float
    std_err: float
    low: float
    high: float


@dataclass(frozen=True)
class PooledFits:
    """What `mi` returns.

    Attributes
    ----------
    fits : tuple of Fit
    numbers : tuple of int
        Of the imputations.
    names : tuple of (str, str)
        Equation and name of everything in e(b).
    pooled : Pooled
        Of e(b), (k,): coefficients, base and omitted ones among them, then variance parameters in logs and inverse tanh.
    mc_errors : dict or None
        Monte Carlo errors (k,) by the name of a field of `Pooled`.
    notes : tuple of str
        What to keep in mind, without the last point.
    unrestricted : bool
        Whether joint tests let fractions of missing information differ.
    """

    fits: tuple[Fit, ...]
    numbers: tuple[int, ...]
    names: tuple[tuple[str, str], ...]
    pooled: Pooled
    mc_errors: dict[str, np.ndarray] | None = None
    notes: tuple[str, ...] = ()
    unrestricted: bool = False

    @property
    def first(self) -> Fit:
        """The fit of the first imputation: names, groups and display options are its."""
        return self.fits[0]

    @property
    def estimated(self) -> np.ndarray:
        """(p,) places of the estimated coefficients in e(b)."""
        return np.array([i for i, c in enumerate(self.first.design.columns) if c.status == "estimated"], dtype=np.int64)

    @property
    def coefficients(self) -> Pooled:
        """Of the estimated coefficients alone, (p,)."""
        return self.pooled.some(self.estimated)

    @property
    def parameters(self) -> Pooled:
        """Of everything that is estimated: coefficients and variance parameters of e(b)."""
        p = len(self.first.design.columns)
        return self.pooled.some(np.concatenate([self.estimated, np.arange(p, len(self.names))]))

    @property
    def small(self) -> bool:
        """Whether degrees of freedom are those of small samples."""
        return self.pooled.complete is not None


def pooled_fits(
    fits: Sequence[Fit], numbers: Sequence[int], complete: float | None, mcerror: bool, same_sample: bool
) -> PooledFits:
    """Combine fits.

    Parameters
    ----------
    complete : float, optional
        Degrees of freedom of complete data, of every coefficient; by default those of the fits' `dfmethod`, where they have one.
    mcerror : bool
        Monte Carlo errors, too.
    same_sample : bool
        Whether the rows must be the same in all imputations.

    Raises
    ------
    DataError
        Other rows, or other coefficients, in some imputation.
    OptionError
        Fewer than two fits, or than three for Monte Carlo errors.
    """
    if len(fits) < 2:
        raise OptionError(f"mi combines two imputations or more, found {len(fits)}")
    if mcerror and len(fits) < 3:
        raise OptionError("mi: mcerror leaves out one imputation at a time and needs three or more")
    _check(fits, numbers, same_sample)
    estimates, covariances, names = _metric(fits)
    df = _complete(fits, complete, len(names))
    with np.errstate(invalid="ignore"):
        found = pool(estimates, covariances, df)
        errors = monte_carlo_errors(estimates, covariances, df) if mcerror else None
    return PooledFits(tuple(fits), tuple(numbers), names, found, errors, _notes(fits, numbers))


def _check(fits: Sequence[Fit], numbers: Sequence[int], same_sample: bool) -> None:
    first = fits[0]
    columns = [(c.name, c.status) for c in first.design.columns]
    for number, fit in zip(numbers[1:], fits[1:], strict=True):
        own = [(c.name, c.status) for c in fit.design.columns]
        if own != columns:
            different = sorted({f"{name} ({status})" for name, status in set(own) ^ set(columns)})
            raise DataError(
                f"mi: imputation {number} has other coefficients than imputation {numbers[0]}: {', '.join(different[:4])}; the "
                "model must be the same in all, and no level may be missing in some"
            )
        if same_sample and not np.array_equal(fit.design.kept, first.design.kept):
            n, m = first.design.n_rows, fit.design.n_rows
            counts = f"{n} and {m} rows" if n != m else f"{n} rows, not all the same ones,"
            raise DataError(
                f"mi: the estimation sample varies: imputations {numbers[0]} and {number} have {counts} without missing values; "
                "impute what the model needs, or ask for esampvaryok"
            )


def _metric(fits: Sequence[Fit]) -> tuple[np.ndarray, np.ndarray, tuple[tuple[str, str], ...]]:
    """e(b) (M, k) and e(V) (M, k, k), by the fits' own method of degrees of freedom; NaN in V for what has no standard error."""
    estimates, covariances, names = [], [], ()
    for fit in fits:
        metric = metric_estimates(fit)
        V, p = metric.V.copy(), len(fit.design.columns)
        asked = fit.spec.small_sample
        if asked is not None:
            place = [i for i, c in enumerate(fit.design.columns) if c.status == "estimated"]
            V[np.ix_(place, place)] = coefficient_covariance(fit, asked)
        lost = p + np.flatnonzero([one.boundary for one in fit.deviations])
        V[lost], V[:, lost] = np.nan, np.nan
        estimates.append(metric.b)
        covariances.append(V)
        names = metric.names
    return np.array(estimates), np.array(covariances), names


def _complete(fits: Sequence[Fit], given: float | None, k: int) -> np.ndarray | None:
    """Degrees of freedom of complete data (k,): of coefficients those given or the fits' average, of variances infinite."""
    first = fits[0]
    asked = first.spec.small_sample
    if given is None and asked is None:
        return None
    df = np.full(k, np.inf)
    place = [i for i, c in enumerate(first.design.columns) if c.status == "estimated"]
    if given is not None:
        df[place] = given
    else:
        df[place] = np.mean([coefficient_degrees(fit, fit.spec.small_sample) for fit in fits], axis=0)  # type: ignore[arg-type]
    return df


def _notes(fits: Sequence[Fit], numbers: Sequence[int]) -> tuple[str, ...]:
    notes = []
    on_edge = {number: fit.boundary_names for number, fit in zip(numbers, fits, strict=True) if fit.boundary_names}
    if on_edge:
        words = "; ".join(dict.fromkeys(name for names in on_edge.values() for name in names))
        which = ", ".join(map(str, on_edge))
        notes.append(
            f"on the boundary of the parameter space in imputations {which}: {words}; combined they have no standard error"
        )
    unfinished = [str(number) for number, fit in zip(numbers, fits, strict=True) if not fit.converged]
    if unfinished:
        notes.append(f"convergence not achieved in imputations {', '.join(unfinished)}; the results are not final")
    return tuple(notes)


def pooled_test(pooled: PooledFits, what: Any, values: Any = None, unrestricted: bool | None = None) -> HypothesisTest:
    """The joint test of a hypothesis about the coefficients, as `Results.test` takes it; by default as the model test.

    Raises
    ------
    OptionError
        Rows that contradict each other.
    """
    found: Hypothesis = independent(pooled.first, *hypothesis_rows(pooled.first, what, values))
    different = pooled.unrestricted if unrestricted is None else unrestricted
    test = joint_test(pooled.coefficients, found.K, found.r, unrestricted=different)
    return replace(test, note=found.note, equations=found.equations, dropped=found.dropped)


def pooled_model_test(pooled: PooledFits) -> HypothesisTest:
    """That all regressors have coefficient zero, as far as constraints let them."""
    rows = _model_rows(pooled)
    return joint_test(pooled.coefficients, rows, np.zeros(len(rows)), "Model F test", pooled.unrestricted)


def model_increase(pooled: PooledFits) -> float:
    """The average relative increase in variance of what the model test tests; NaN where that is nothing."""
    rows, own = _model_rows(pooled), pooled.coefficients
    return average_increase(own.n, rows @ own.within @ rows.T, rows @ own.between @ rows.T) if len(rows) else float("nan")


def _model_rows(pooled: PooledFits) -> np.ndarray:
    fit = pooled.first
    rows = np.eye(len(fit.beta))[tested_coefficients(fit)]
    return rows[moving_rows(fit, rows).kept]


def pooled_variances(pooled: PooledFits, level: float, stddeviations: bool) -> list[tuple[int | None, PooledParameter]]:
    """Variance parameters as printed, each with the position of its equation: averaged in the metric of their kind."""
    parts = [_on_scale(fit, stddeviations) for fit in pooled.fits]
    with np.errstate(invalid="ignore", over="ignore"):
        combined = pool(np.array([values for values, _ in parts]), np.array([np.diag(squares) for _, squares in parts]))
        half = critical(level, combined.df) * combined.std_err
    rows = []
    for component in pooled.first.components:
        for parameter in component.deviations if stddeviations else component.variances:
            rows.append((component.position, parameter))
    return [
        (position, _shown(parameter, value, error, width))
        for (position, parameter), value, error, width in zip(rows, combined.estimate, combined.std_err, half, strict=True)
    ]


def _shown(parameter: VarianceParameter, value: float, std_err: float, half: float) -> PooledParameter:
    scale = SCALES[parameter.kind]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        estimate = float(scale.back(value))
        error = std_err / scale.slope(estimate) if np.isfinite(std_err) and scale.valid(estimate) else np.nan
        low, high = float(scale.back(value - half)), float(scale.back(value + half))
    return PooledParameter(parameter, estimate, float(error), low, high)


def _on_scale(fit: Fit, stddeviations: bool) -> tuple[np.ndarray, np.ndarray]:
    """The variance parameters on the scales of their kinds (q,), and the squares of their standard errors there."""
    W = theta_covariance(fit).matrix
    values, squares = [], []
    for one in fit.deviations if stddeviations else fit.variances:
        scale = SCALES[one.kind]
        known = scale.valid(one.estimate)
        with np.errstate(divide="ignore"):
            values.append(scale.to(one.estimate) if known or one.estimate == 0.0 else np.nan)
        usable = W is not None and known and not one.boundary and one.identified
        squares.append(one.gradient @ W @ one.gradient * scale.slope(one.estimate) ** 2 if usable and W is not None else np.nan)
    return np.array(values, dtype=float), np.array(squares, dtype=float)
