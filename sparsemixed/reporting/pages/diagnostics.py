"""What a fit's residuals and estimates say about the model, in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sparsemixed.errors import SparseMixedError
from sparsemixed.estimation.fit import Fit
from sparsemixed.plots.autocorrelation import autocorrelation_frame
from sparsemixed.plots.influence import influence_frame
from sparsemixed.plots.loess import loess
from sparsemixed.plots.subject import Subject
from sparsemixed.reporting.report import warnings_of

MOST_ROWS = 200_000
"""Rows beyond which single deletions are not looked at."""


@dataclass(frozen=True)
class Finding:
    """Something to know about a fit.

    Attributes
    ----------
    kind : {"good", "note", "warning"}
    what : str
        What was found.
    advice : str
        What to do, empty where there is nothing.
    """

    kind: Literal["good", "note", "warning"]
    what: str
    advice: str = ""


def diagnostics(subject: Subject) -> tuple[Finding, ...]:
    """Everything that was looked at, warnings first."""
    fit = subject.fit
    found = [*_of_the_search(fit), *_of_the_size(fit)]
    if fit.design.has_rows:
        for look in (_of_residuals, _of_series, _of_groups):
            found += _where_defined(look, subject)
    else:
        found.append(
            Finding("note", "The fit was saved without its rows: residuals were not looked at.", "Save it with data=True.")
        )
    order = {"warning": 0, "note": 1, "good": 2}
    return tuple(sorted(found, key=lambda one: order[one.kind]))


def _where_defined(look: Callable[[Subject], Iterator[Finding]], subject: Subject) -> list[Finding]:
    """What a look finds; that it cannot be had, with the reason, where the model has no such residuals or groups."""
    try:
        return list(look(subject))
    except SparseMixedError as error:
        return [Finding("note", f"Not looked at: {error}.".replace("..", "."))]


ADVICE = {
    "ConvergenceWarning": "Raise iterate(), rescale covariates to numbers of about one, or simplify the random part.",
    "BoundaryWarning": "The data hold no sign of this variance. Leave the effect out, or keep it if the design asks for it; "
    "standard errors of the rest are those of the model without it.",
    "IdentificationWarning": "Leave out what the data cannot tell apart.",
}


def _of_the_search(fit: Fit) -> Iterator[Finding]:
    for kind, text in warnings_of(fit):
        yield Finding("warning", f"{text[0].upper()}{text[1:]}.", ADVICE.get(kind.__name__, ""))
    if fit.converged:
        yield Finding("good", "The search converged.")


FEW_GROUPS, SMALL_GROUPS = 10, 50


def _of_the_size(fit: Fit) -> Iterator[Finding]:
    """Numbers of groups."""
    few = [row for row in fit.design.groups if 1 < row.n_groups < FEW_GROUPS]
    for row in few:
        what = f"{row.name} has only {row.n_groups} groups; their variance is estimated from as many numbers."
        yield Finding("note", what, f"With reml it is less biased; {row.name} could also be a factor in the fixed part.")
    smallest = min((row.n_groups for row in fit.design.groups if row.n_groups > 1), default=0)
    if smallest and smallest < SMALL_GROUPS and fit.spec.small_sample is None:
        advice = "Fit with reml and dfmethod(kroger) or dfmethod(satterthwaite) for t and F tests."
        yield Finding("note", f"Tests are large-sample ones, and there are {smallest} groups at the top of the data.", advice)


FAR, SKEWED, HEAVY, BENT, SPREADING = 4.0, 0.8, 2.0, 0.35, 0.25


def _of_residuals(subject: Subject) -> Iterator[Finding]:
    """Standardized residuals: their shape, their curve and their spread over fitted values."""
    residual = subject.results.predict(what="rstandard").to_numpy()
    fitted = subject.results.predict(what="fitted").to_numpy()
    known = np.isfinite(residual)
    residual, fitted = residual[known], fitted[known]
    if len(residual) < 20:
        yield Finding("note", "There are too few residuals to judge.")
        return
    z = (residual - residual.mean()) / residual.std()
    skewness, kurtosis = float(np.mean(z**3)), float(np.mean(z**4)) - 3.0
    robust = "Transform the response, or use vce(robust)."
    if abs(skewness) > SKEWED:
        side = "right" if skewness > 0 else "left"
        yield Finding("warning", f"Residuals are skewed to the {side} (skewness {skewness:.2f}).", f"{robust} A log often helps.")
    elif kurtosis > HEAVY:
        yield Finding("warning", f"Residuals have heavy tails (excess kurtosis {kurtosis:.1f}).", f"{robust} Look at outliers.")
    else:
        yield Finding(
            "good", f"Residuals are near a normal distribution (skewness {skewness:.2f}, excess kurtosis {kurtosis:.2f})."
        )
    yield from _outliers(residual)
    yield from _shape(fitted, residual)


def _outliers(residual: np.ndarray) -> Iterator[Finding]:
    count = int((np.abs(residual) > FAR).sum())
    if count > 0.0005 * len(residual):
        rows = "1 row is" if count == 1 else f"{count:,} rows are"
        advice = "Check these values: fit.predict(what='rstandard') has them."
        yield Finding("warning", f"{rows} more than {FAR:g} standard deviations from the fitted value.", advice)


def _shape(fitted: np.ndarray, residual: np.ndarray) -> Iterator[Finding]:
    """The loess curve over the middle nine tenths of fitted values, and the correlation of sizes with ranks."""
    x, y = loess(fitted, residual)
    low, high = np.quantile(fitted, [0.05, 0.95])
    inside = (x >= low) & (x <= high)
    # Off a line: predicted effects are shrunken, so that residuals rise with fitted values in good models too.
    bend = (
        float(np.max(np.abs(y[inside] - np.polyval(np.polyfit(x[inside], y[inside], 1), x[inside])))) if inside.sum() > 3 else 0.0
    )
    if bend > BENT:
        what = f"Residuals bend with the fitted values, by up to {bend:.2f} standard deviations."
        yield Finding("warning", what, "Add powers, splines or interactions of the covariates, or transform the response.")
    ranks = np.argsort(np.argsort(fitted))
    spread = float(np.corrcoef(ranks, np.abs(residual))[0, 1]) if np.ptp(fitted) > 0 else 0.0
    if abs(spread) > SPREADING:
        word = "grow" if spread > 0 else "shrink"
        advice = "Use vce(robust), a residual variance by group (residuals(independent, by())), or a log of the response."
        yield Finding("warning", f"Residuals {word} with the fitted values (correlation {spread:.2f}).", advice)
    if bend <= BENT and abs(spread) <= SPREADING:
        yield Finding("good", "Residuals show no bend and no change of spread over the fitted values.")


OFF = 0.1


def _of_series(subject: Subject) -> Iterator[Finding]:
    """The first autocorrelation against what the model expects of it."""
    frame: Any = autocorrelation_frame(subject, lags=1)
    if len(frame) < 2 or not np.isfinite(frame["correlation"][1]) or frame["pairs"][1] < 20:
        return
    found, model, half = (float(frame[name][1]) for name in ("correlation", "model", "high"))
    if abs(found - model) > max(half, OFF):
        what = f"Neighbouring residuals of a group have the correlation {found:.2f}, and the model expects {model:.2f}."
        yield Finding("warning", what, "If rows are ordered in time, try residuals(ar 1, t(time)), or a random slope of time.")
    else:
        yield Finding("good", f"Neighbouring residuals are correlated as the model expects ({found:.2f}, expected {model:.2f}).")


def _of_groups(subject: Subject) -> Iterator[Finding]:
    """Groups of the highest level that move the estimates most."""
    fit = subject.fit
    levels = [row.name for row in fit.design.groups if row.n_groups > 2]
    if not levels or fit.design.n_rows > MOST_ROWS or not len(fit.design.names):
        return
    frame: Any = influence_frame(subject, by=levels[0], top=3)
    large = frame[frame["value"] > max(0.5, 4.0 * float(frame["cutoff"].iloc[0]))].nlargest(3, "value")
    if len(large):
        named = ", ".join(
            f"{label} (Cook's distance {value:.2f})" for label, value in large[["label", "value"]].itertuples(index=False)
        )
        advice = f"Fit again without: fit.influence('{levels[0]}', method='exact') tells what changes."
        yield Finding("warning", f"Some groups of {levels[0]} move the coefficients much: {named}.", advice)
    else:
        yield Finding("good", f"No single group of {levels[0]} moves the coefficients much.")
