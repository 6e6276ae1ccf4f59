"""Estimated marginal means and their contrasts as they are shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.contrasts import Comparisons
from sparsemixed.postestimation.margins.values import Margins
from sparsemixed.reporting.comparisons import ContrastResult
from sparsemixed.reporting.margins import MarginsResult
from sparsemixed.reporting.margins_stored import margin_facts


@dataclass(frozen=True)
class MeansResult(MarginsResult):
    """Means, or slopes, on the reference grid: `means` is the frame; the other attributes are those of `MarginsResult`."""

    @classmethod
    def on_grid(cls, fit: Fit, found: Margins) -> Self:
        """Means as computed, ready to be shown."""
        return cls.of(found, fit=fit, labels=fit.design.value_labels, facts=margin_facts(fit, "", "", True))

    @property
    def means(self) -> pd.DataFrame:
        """One row for each mean, indexed by the levels of `by` and `specs`.

        Columns estimate, std_err, df (of t tests only), statistic, pvalue, low, high; missing where a mean is not estimable.
        """
        block = self.blocks[0]
        numbers = self.frame.drop(columns=[name for name in ("variable", *block.factors) if name in self.frame])
        return numbers.set_axis(_levels(list(block.cells), list(block.factors)), axis=0)

    @property
    def contrasts(self) -> pd.DataFrame | None:
        """None: no contrasts were asked for."""
        return None


@dataclass(frozen=True)
class MeansContrastResult(ContrastResult):
    """Contrasts of means: `contrasts` and `means` are the frames; the other attributes are those of `ContrastResult`.

    Attributes
    ----------
    compared : MeansResult
        The means that are compared.
    within : tuple of str
        The variables of `by`.
    """

    compared: MeansResult = field(kw_only=True)
    within: tuple[str, ...] = ()

    @classmethod
    def between(cls, compared: MeansResult, contrasts: Comparisons, within: tuple[str, ...]) -> Self:
        """Contrasts as computed, ready to be shown, beside the means."""
        return cls.of(contrasts, compared=compared, within=within)

    @property
    def means(self) -> pd.DataFrame:
        """One row for each mean, indexed by the levels of `by` and `specs`; columns as of `contrasts`."""
        return self.compared.means

    @property
    def contrasts(self) -> pd.DataFrame:
        """One row for each contrast, indexed by the levels of `by` and the label of the contrast.

        Columns estimate, std_err, df (of t tests only), statistic, pvalue, low, high; missing where one is not estimable.

        Examples
        --------
        >>> import sparsemixed
        >>> data = sparsemixed.datasets.simulate_longitudinal(60, 5, seed=7).assign(dose=lambda d: d["id"] % 3)
        >>> pairs = sparsemixed.mixed("y ~ C(dose) * time + (1 | id)", data).emmeans("dose", pairwise=True)
        >>> pairs.contrasts["estimate"].round(2).to_dict()
        {'0 vs 1': 0.33, '0 vs 2': 0.67, '1 vs 2': 0.34}
        """
        frame, width = self.frame, len(self.within)
        cells = dict.fromkeys(cell[:width] for cell in self.compared.blocks[0].cells)
        cell_of = dict(zip(frame.index.unique("term"), cells, strict=True))
        rows = [(*cell_of[term], label) for term, label in frame.index]
        return frame.set_axis(_levels(rows, [*self.within, "contrast"]), axis=0)


def _levels(rows: list[tuple], names: list[str]) -> pd.Index:
    if len(names) == 1:
        return pd.Index([row[0] for row in rows], name=names[0])
    return pd.MultiIndex.from_tuples(rows, names=names)
