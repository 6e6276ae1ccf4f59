"""A fit by REML once more by maximum likelihood: comparisons of different fixed parts rest on that."""

from __future__ import annotations

from dataclasses import replace

from sparsemixed.errors import OptionError
from sparsemixed.estimation.estimate import estimate
from sparsemixed.estimation.fit import Fit


def by_maximum_likelihood(fit: Fit, why: str) -> Fit:
    """The same model and rows by maximum likelihood; the fit itself where that is how it was fitted.

    Parameters
    ----------
    fit : Fit
    why : str
        What needs it, for the message: `anova`.

    Raises
    ------
    OptionError
        The fit does not hold its rows, so that nothing can be fitted again.
    """
    spec = fit.spec
    if spec.estimation.method == "ml":
        return fit
    if not fit.design.has_rows:
        raise OptionError(
            f"{why} compares log likelihoods, and those of REML with different fixed parts cannot be compared; this fit is by "
            "REML and does not hold its data, by which it could be fitted again: fit the model with reml=False, or save it with "
            "data=True"
        )
    return estimate(replace(spec, estimation=replace(spec.estimation, method="ml", dfmethod=None)), fit.design)
