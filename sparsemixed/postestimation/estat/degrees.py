"""`estat.df`: degrees of freedom of the coefficients by several methods."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.table import coefficient_degrees, method_of
from sparsemixed.inference.fit_cache import copy_cache
from sparsemixed.spec import SmallSample, degrees_methods


def degrees_of_freedom(
    fit: Fit, methods: Sequence[str] | str | None = None, post: str | None = None, information: str = "eim"
) -> pd.DataFrame | Fit:
    """Degrees of freedom of the coefficients by several methods.

    Parameters
    ----------
    methods : list of str, optional
        Of residual, repeated, anova, betwithin, satterthwaite, kroger, krfull, kr2009, and with clusters cr0, cr2, cr3; by
        default the fit's own.
    post : str, optional
        Return `Results` that use this method from here on, instead of a table; nothing is estimated again.
    information : {"eim", "oim"}
        The information matrix of the methods that rest on one: satterthwaite and the Kenward-Roger methods.

    Returns
    -------
    DataFrame or Results
        (p, number of methods), one column per method's title.

    Raises
    ------
    OptionError
        An unknown method, or one that cannot serve this fit.
    """
    return degrees_table(fit, methods, information) if post is None else with_method(fit, post, information)


def asked_methods(methods: Sequence[str] | str | None, information: str, fit: Fit) -> list[SmallSample]:
    """The methods named, in order; by default the fit's own."""
    if methods is None:
        own = fit.spec.small_sample
        if own is None:
            raise OptionError("estat.df: name methods=[...], because the model was fitted without dfmethod()")
        return [own]
    names = methods.split() if isinstance(methods, str) else list(methods)
    if information not in ("eim", "oim"):
        raise OptionError(f"estat.df: information={information!r} is neither eim nor oim")
    return [SmallSample(name, information) for name in names]  # type: ignore[arg-type]


def degrees_table(fit: Fit, methods: Sequence[str] | str | None, information: str) -> pd.DataFrame:
    """Degrees of freedom of every coefficient, (p, number of methods), one column per method's title."""
    asked = asked_methods(methods, information, fit)
    for one in asked:
        method_of(fit, one)
    columns = {one.method.title: coefficient_degrees(fit, one).copy() for one in asked}
    table = pd.DataFrame(columns, index=list(fit.design.names))
    table.attrs = {"heading": "Degrees of freedom", "kinds": dict.fromkeys(columns, "ddf")}
    return table


def with_method(fit: Fit, post: str, information: str) -> Fit:
    """The same fit with another method of degrees of freedom; nothing is estimated again."""
    if post not in degrees_methods():
        raise OptionError(f"estat.df: unknown method {post!r}; there are {', '.join(degrees_methods())}")
    if not fit.spec.vce.method.model_based and not SmallSample(post).robust:
        raise OptionError(
            f"estat.df: degrees of freedom by {post} rest on the model's covariance, and this fit has vce({fit.spec.vce.name}); "
            "fit the model with vce(oim)"
        )
    asked = asked_methods([post], information, fit)[0]
    coefficient_degrees(fit, asked)
    estimation = dataclasses.replace(fit.spec.estimation, dfmethod=asked)
    new = dataclasses.replace(fit, spec=dataclasses.replace(fit.spec, estimation=estimation))
    copy_cache(fit, new)
    return new
