"""From a method of degrees of freedom that `spec.methods` declares to what computes it, and to its numbers for a fit."""

from __future__ import annotations

from pkgutil import resolve_name

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import fixed_coefficients
from sparsemixed.inference.degrees.method import DofMethod
from sparsemixed.inference.fit_cache import cached_on_fit
from sparsemixed.spec import SmallSample, Vce, degrees_methods


def small_sample(fit: Fit, small: bool | None = None) -> DofMethod | None:
    """The fit's own method, or None for large-sample inference.

    Parameters
    ----------
    small : bool, optional
        By default small-sample inference is used if the fit has a method; False never uses it, True insists.
    """
    asked = fit.spec.small_sample
    if asked is None:
        if small:
            raise OptionError("small needs degrees of freedom: fit the model with the option dfmethod(), or use estat.df(post=)")
        return None
    return None if small is False else method_of(fit, asked)


def shown_vce(fit: Fit, small: bool | None = None) -> str:
    """Which covariance of the coefficients (a key of `spec.VCE`) inference rests on; `small` as in `small_sample`.

    Methods of `dfmethod()` use the model's, cluster-robust ones their own.
    """
    asked = None if small is False else fit.spec.small_sample
    if asked is None:
        return fit.spec.vce.name
    return asked.name if asked.robust else Vce().name


def method_of(fit: Fit, asked: SmallSample) -> DofMethod:
    """The method asked for, if it can serve this fit.

    Raises
    ------
    OptionError
        Some rest on the restricted likelihood, those of a vce() on clusters.
    """
    if asked.name not in degrees_methods():
        raise OptionError(f"unknown method of degrees of freedom {asked.name}; there are {', '.join(degrees_methods())}")
    computed_by = resolve_name(asked.method.computed_by)
    if asked.robust:
        _check_clusters(fit, asked.name)
        return computed_by(asked.name)
    if asked.method.needs_reml and fit.spec.estimation.method != "reml":
        raise OptionError(f"dfmethod({asked.name}) needs REML estimation; add the option reml")
    if asked.method.takes_information and fit.spec.estimation.prior is not None:
        raise OptionError(
            f"dfmethod({asked.name}) rests on the distribution of REML estimates, and this fit has prior=; "
            "dfmethod(residual), repeated, anova and betwithin are available"
        )
    return computed_by(asked.information) if asked.method.takes_information else computed_by()


def _check_clusters(fit: Fit, name: str) -> None:
    weights = fit.design.weights
    if fit.design.clusters is None:
        raise OptionError(f"{name} needs clusters: fit the model with vce({name}), or vce({name} clustvar)")
    if weights is not None and weights.kind != "precision":
        raise OptionError(f"{name} is not available with weights that replicate observations; vce(robust) is")


@cached_on_fit("coefficient-degrees")
def coefficient_degrees(fit: Fit, asked: SmallSample) -> np.ndarray:
    """(p,) degrees of freedom of every coefficient; NaN where a method finds none, and for values that constraints fix.

    Not to be changed.
    """
    df = np.asarray(method_of(fit, asked).coefficients(fit), dtype=float)
    return np.where((df > 0) & ~fixed_coefficients(fit), df, np.nan)


@cached_on_fit("coefficient-covariance")
def coefficient_covariance(fit: Fit, asked: SmallSample) -> np.ndarray:
    """(p, p) covariance that the method's tests use. Not to be changed."""
    return method_of(fit, asked).covariance(fit)


def degrees_summary(df: np.ndarray) -> tuple[float, float, float]:
    """Smallest, average and largest of the degrees of freedom that are defined; NaN when none are.

    Examples
    --------
    >>> degrees_summary(np.array([12.0, 4.0, np.nan]))
    (4.0, 8.0, 12.0)
    """
    known = df[~np.isnan(df)]
    if not known.size:
        return float("nan"), float("nan"), float("nan")
    return float(known.min()), float(known.mean()), float(known.max())
