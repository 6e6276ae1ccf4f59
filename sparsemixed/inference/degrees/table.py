"""The one table of methods of degrees of freedom: options, results and documentation read it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import fixed_coefficients
from sparsemixed.inference.degrees.anova import Anova
from sparsemixed.inference.degrees.bell_mccaffrey import ClusterRobust
from sparsemixed.inference.degrees.between_within import BetweenWithin
from sparsemixed.inference.degrees.kenward_roger import FullKenwardRoger, KenwardRoger, KenwardRoger2009
from sparsemixed.inference.degrees.method import DofMethod
from sparsemixed.inference.degrees.repeated import Repeated
from sparsemixed.inference.degrees.residual import Residual
from sparsemixed.inference.degrees.satterthwaite import Satterthwaite
from sparsemixed.inference.fit_cache import remembered
from sparsemixed.spec import CLUSTER_ROBUST, DFMETHODS, SmallSample

METHODS: dict[str, Callable[[str], DofMethod]] = {
    "residual": lambda information: Residual(),
    "repeated": lambda information: Repeated(),
    "anova": lambda information: Anova(),
    "betwithin": lambda information: BetweenWithin(),
    "satterthwaite": Satterthwaite,
    "kroger": KenwardRoger,
    "krfull": FullKenwardRoger,
    "kr2009": KenwardRoger2009,
    **{name: lambda information, name=name: ClusterRobust(name) for name in CLUSTER_ROBUST},
}
"""Name -> the method for an information matrix, `eim` or `oim`."""


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
    return asked.name if asked.name in CLUSTER_ROBUST else "oim"


def method_of(fit: Fit, asked: SmallSample) -> DofMethod:
    """The method asked for, if it can serve this fit.

    Raises
    ------
    OptionError
        satterthwaite and kroger rest on the restricted likelihood; cr0, cr2 and cr3 on clusters.
    """
    if asked.name not in METHODS:
        raise OptionError(f"unknown method of degrees of freedom {asked.name}; there are {', '.join(METHODS)}")
    if asked.name in CLUSTER_ROBUST:
        _check_clusters(fit, asked.name)
    elif DFMETHODS[asked.name] and fit.spec.estimation.method != "reml":
        raise OptionError(f"dfmethod({asked.name}) needs REML estimation; add the option reml")
    return METHODS[asked.name](asked.information)


def _check_clusters(fit: Fit, name: str) -> None:
    weights = fit.design.weights
    if fit.design.clusters is None:
        raise OptionError(f"{name} needs clusters: fit the model with vce({name}), or vce({name} clustvar)")
    if weights is not None and weights.kind != "precision":
        raise OptionError(f"{name} is not available with weights that replicate observations; vce(robust) is")


@remembered("coefficient-degrees")
def coefficient_degrees(fit: Fit, asked: SmallSample) -> np.ndarray:
    """(p,) degrees of freedom of every coefficient; NaN where a method finds none, and for values that constraints fix.

    Not to be changed.
    """
    df = np.asarray(method_of(fit, asked).coefficients(fit), dtype=float)
    return np.where((df > 0) & ~fixed_coefficients(fit), df, np.nan)


@remembered("coefficient-covariance")
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
