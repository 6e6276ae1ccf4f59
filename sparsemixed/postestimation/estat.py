"""`estat`: summaries of a fit beyond its tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pandas as pd

from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.degrees.table import METHODS, coefficient_degrees, method_of
from sparsemixed.inference.fit_cache import inherit
from sparsemixed.spec import CLUSTER_ROBUST, SmallSample


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
    columns = {method_of(fit, one).title: coefficient_degrees(fit, one).copy() for one in asked}
    return pd.DataFrame(columns, index=list(fit.design.names))


def with_method(fit: Fit, post: str, information: str) -> Fit:
    """The same fit with another method of degrees of freedom; nothing is estimated again."""
    if post not in METHODS:
        raise OptionError(f"estat.df: unknown method {post!r}; there are {', '.join(METHODS)}")
    if fit.spec.vce.name != "oim" and post not in CLUSTER_ROBUST:
        raise OptionError(
            f"estat.df: degrees of freedom by {post} rest on the model's covariance, and this fit has vce({fit.spec.vce.name}); "
            "fit the model with vce(oim)"
        )
    asked = asked_methods([post], information, fit)[0]
    coefficient_degrees(fit, asked)
    estimation = dataclasses.replace(fit.spec.estimation, dfmethod=asked)
    new = dataclasses.replace(fit, spec=dataclasses.replace(fit.spec, estimation=estimation))
    inherit(fit, new)
    return new


LATER = ("group", "icc", "recovariance", "sd", "wcorrelation", "summarize", "vce")


def refuse(name: str) -> NotAvailableError:
    """The error for a subcommand that is not there."""
    if name in LATER:
        return NotAvailableError(f"estat.{name}() is not available yet")
    return NotAvailableError(f"there is no estat.{name}(); there are df, ic")
