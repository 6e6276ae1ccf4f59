"""The log likelihood from iteration to iteration."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.errors import NotAvailableError
from sparsemixed.plots.kind import Kind
from sparsemixed.plots.lettering import head, legend
from sparsemixed.plots.look import Look
from sparsemixed.plots.subject import Subject


def likelihood_frame(subject: Subject) -> pd.DataFrame:
    """The path of the log likelihood to its maximum, EM first where there was any.

    Returns
    -------
    DataFrame
        Columns phase (`start`, `EM` or a technique), iteration (counted on through both), llf, gradient (the largest scaled one),
        distance (what the log likelihood still lacked), backed_up (whether steps were refused on the way).
    """
    fit = subject.fit
    em = [("start" if not i else "EM", one) for i, one in enumerate(fit.em_log)]
    entries = em + [(one.technique or "search", one) for one in fit.log]
    if not entries:
        raise NotAvailableError("plot.likelihood: this fit took no iterations; its estimates are in closed form")
    numbers = [(phase, float(one.llf), float(one.gradient), bool(one.backed_up)) for phase, one in entries]
    found = pd.DataFrame(numbers, columns=["phase", "llf", "gradient", "backed_up"])
    found.insert(1, "iteration", np.arange(len(found)))
    best = max(float(fit.llf), float(np.nanmax(found["llf"])))
    found.insert(4, "distance", best - found["llf"])
    name = "Log restricted likelihood" if fit.spec.estimation.method == "reml" else "Log likelihood"
    found.attrs = {"title": "The way to the maximum", "x": "Iteration", "y": name}
    return found


def draw_likelihood(frame: pd.DataFrame, axes: np.ndarray, look: Look) -> None:
    """A line with a point at each iteration, in one colour for each technique."""
    ax = axes[0]
    head(ax, look, frame.attrs["title"], frame.attrs["x"], frame.attrs["y"])
    ax.plot(frame["iteration"], frame["llf"], color=look.soft, linewidth=1.0)
    handles, labels = [], []
    for i, (phase, own) in enumerate(frame.groupby("phase", sort=False)):
        handles.append(ax.scatter(own["iteration"], own["llf"], s=26, color=look.colour(i), marker=look.marker(i), zorder=3))
        labels.append({"start": "Start", "EM": "EM"}.get(str(phase), f"Technique {phase}"))
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.ticklabel_format(axis="y", useOffset=False)
    legend(ax, look, handles, labels, inside=True)


KIND = Kind(likelihood_frame, draw_likelihood, panel=(5.6, 3.6))
