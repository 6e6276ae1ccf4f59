"""`fit.plot`: every picture of a fit by its name."""

from __future__ import annotations

from importlib import import_module

from sparsemixed.errors import suggestion
from sparsemixed.plots.kind import Kind
from sparsemixed.plots.picture import Picture
from sparsemixed.plots.subject import Subject

PICTURES = {
    "margins": "margins as Stata's marginsplot draws them",
    "coefficients": "coefficients of this fit and of others",
    "caterpillar": "predicted random effects in order, with limits",
    "effects_qq": "predicted random effects against normal quantiles",
    "random_pairs": "random effects of one level against each other, with the ellipse of their covariance",
    "shrinkage": "effects by the rows of each group alone, and as predicted",
    "growth": "data and lines of single groups, and the line of the population",
    "residuals": "residuals against fitted values, their quantiles and sizes",
    "autocorrelation": "autocorrelations of residuals in groups, and the model's",
    "variogram": "variogram of residuals in groups, and the model's",
    "influence": "how much the estimates rest on each row or group",
    "profile": "profiles of parameters: the signed root of the rise of the deviance, with limits",
    "profile_pairs": "two parameters at a time: contours of the likelihood, and where the profile of one leads the other",
    "profile_density": "the densities that profiles stand for",
    "densities": "densities of bootstrap replicates or of posterior draws",
    "likelihood": "the log likelihood from iteration to iteration",
}
"""Name -> what it shows; each is a file of `plots` with a `KIND`."""


class Plots:
    """The pictures of a fit.

    `fit.plot.NAME(...)` draws with matplotlib (`pip install "sparsemixed[plot]"`) and returns Axes, an array of them where there
    are several panels; `fit.plot.NAME.frame(...)` returns the tidy data frame that is drawn. `dir(fit.plot)` has the names.
    """

    def __init__(self, subject: Subject):
        self._subject = subject

    def __getattr__(self, name: str) -> Picture:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in PICTURES:
            known = f"there are {', '.join(PICTURES)}"
            raise AttributeError(f"there is no picture {name!r}{suggestion(name, PICTURES)}; {known}")
        return Picture(name, kind_of(name), self._subject)

    def __dir__(self) -> list[str]:
        return list(PICTURES)

    def __repr__(self) -> str:
        return f"<pictures: {', '.join(PICTURES)}>"


def kind_of(name: str) -> Kind:
    """The kind of picture of a name of `PICTURES`."""
    return import_module(f"sparsemixed.plots.{name}").KIND
