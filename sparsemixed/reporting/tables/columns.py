"""Which columns a table of coefficients has, and how it is laid out."""

from __future__ import annotations

import numpy as np

from sparsemixed.inference.hypotheses.wald import Coefficients
from sparsemixed.reporting.document import Column, Layout
from sparsemixed.reporting.number_format import percent
from sparsemixed.spec import DisplayOptions

STANDARD = ("std_err", "statistic", "pvalue", "low", "high")
WITH_DEGREES = {"ci": ("std_err", "df", "low", "high"), "pvalue": ("std_err", "df", "statistic", "pvalue")}
"""Value of dftable() -> the columns after the estimate."""


def coefficient_columns(
    c: Coefficients, options: DisplayOptions, std_err: str
) -> tuple[tuple[Column, ...], tuple[np.ndarray, ...]]:
    """The columns asked for, and the arrays (p,) of those with numbers; without degrees of freedom dftable() asks for nothing.

    Parameters
    ----------
    std_err : str
        Heading of the standard errors.
    """
    name = "z" if c.df is None else "t"
    low, high = limit_columns(options)
    table = {
        "std_err": (Column(std_err, "std_err", options.cformat), c.std_err),
        "df": (Column("DF", "df"), c.df),
        "statistic": (Column(name, "statistic", options.sformat), c.statistic),
        "pvalue": (Column(f"P>|{name}|", "pvalue", options.pformat), c.pvalue),
        "low": (low, c.low),
        "high": (high, c.high),
    }
    estimate = Column("Coefficient", "estimate", options.cformat)
    if options.coeflegend:
        return (estimate, Column("Legend", "legend")), (c.estimate,)
    hidden = {"statistic", "pvalue"} if options.nopvalues else set()
    hidden |= {"low", "high"} if options.noci else set()
    asked = STANDARD if c.df is None or options.estmetric else WITH_DEGREES.get(options.dftable, STANDARD)
    chosen = [table[key] for key in asked if key not in hidden]
    arrays = [values for _, values in chosen if values is not None]
    return (estimate, *(column for column, _ in chosen)), (c.estimate, *arrays)


def limit_columns(options: DisplayOptions) -> tuple[Column, Column]:
    """The columns of confidence limits, which share a heading."""
    heading = f"[{percent(options.level)}% conf. interval]"
    return Column(heading, "limit", options.cformat), Column("", "limit", options.cformat)


def layout(options: DisplayOptions) -> Layout:
    """What text makes of long labels and of blank lines."""
    return Layout(options.vsquish, options.lstretch, options.fvwrap, options.fvwrapon == "word")


def quantity_columns(title: str, with_df: bool, level: float) -> tuple[Column, ...]:
    """The columns of single quantities after a fit: estimate, std_err, df (of t tests), statistic, pvalue, low, high.

    Parameters
    ----------
    title : str
        Heading of the estimates.
    level : float
        Of the limits, in per cent.
    """
    name = "t" if with_df else "z"
    degrees = (Column("DF", "df"),) if with_df else ()
    tests = (Column(name, "statistic"), Column(f"P>|{name}|", "pvalue"))
    return (
        Column(title, "estimate"),
        Column("Std. err.", "std_err"),
        *degrees,
        *tests,
        *limit_columns(DisplayOptions(level=level)),
    )
