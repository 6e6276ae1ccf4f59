"""Power as it is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.postestimation.power.power import PowerValue
from sparsemixed.reporting.document import (
    Block,
    Column,
    Document,
    Entries,
    Entry,
    Equations,
    Heading,
    Note,
    Paragraph,
    Row,
    Section,
    Table,
)
from sparsemixed.reporting.number_format import percent
from sparsemixed.reporting.shown import Shown
from sparsemixed.resampling.simulated_power import Simulated


@dataclass(frozen=True, repr=False)
class PowerResult(Shown):
    """Power of a test at assumed parameters.

    Attributes
    ----------
    value : PowerValue
        `power`, `df`, `ddf`, `noncentrality`, `alpha`.
    model : str
    method : str
        Of the degrees of freedom, in words; empty for chi-squared.
    equations : tuple of str
        What is tested.
    simulated : Simulated or None
        The same by simulation, where that was asked for.
    """

    value: PowerValue
    model: str
    method: str
    equations: tuple[str, ...]
    simulated: Simulated | None = None

    @property
    def power(self) -> float:
        """Probability that the test rejects."""
        return self.value.power

    @property
    def frame(self) -> pd.DataFrame:
        """One row: power, df, ddf, noncentrality, alpha, and of a simulation simulated, low, high, n."""
        own = self.value
        row = {"power": own.power, "df": own.df, "ddf": np.nan if own.ddf is None else own.ddf}
        row |= {"noncentrality": own.noncentrality, "alpha": own.alpha}
        if self.simulated is not None:
            low, high = self.simulated.limits
            row |= {"simulated": self.simulated.power, "low": low, "high": high, "n": self.simulated.n}
        return pd.DataFrame([row])

    def document(self) -> Document:
        """The model, the hypothesis, the numbers and, of a simulation, its limits as R's simr prints them."""
        own = self.value
        name = f"chi2({own.df})" if own.ddf is None else f"F({own.df}, {own.ddf:,.2f})"
        entries = (
            Entry(f"Noncentrality of {name}", own.noncentrality, "chi2"),
            Entry(f"Power at level {own.alpha:g}", own.power, "probability"),
        )
        blocks: list[Block] = [Heading("Power of a test at assumed parameters"), Paragraph(self.model, "Model: ", joined=True)]
        blocks += [Paragraph(self.method, "DF method: ", joined=True)] if self.method else []
        blocks += [Equations(self.equations), Entries(entries, layout="signs")]
        if self.simulated is not None:
            blocks.append(Paragraph(simulation_text(self.simulated), "Simulated: "))
        return Document(tuple(blocks))

    def __repr__(self) -> str:
        return str(self)


def simulation_text(found: Simulated) -> str:
    """`41.60% (38.52, 44.73), 1,000 data sets`."""
    low, high = (100.0 * limit for limit in found.limits)
    failed = f", {found.failed} of them without a test" if found.failed else ""
    return f"{100.0 * found.power:.2f}% ({low:.2f}, {high:.2f}), {found.n:,} data sets{failed}"


@dataclass(frozen=True, repr=False)
class PowerCurve(Shown):
    """Power for several sizes of a design.

    Attributes
    ----------
    along : str
        What there is more or less of.
    points : tuple of (int, PowerResult)
    """

    along: str
    points: tuple[tuple[int, PowerResult], ...]

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each size, which is the index: the columns of `PowerResult.frame`."""
        index = pd.Index([n for n, _ in self.points], name=self.along)
        return pd.concat([one.frame for _, one in self.points], ignore_index=True).set_index(index)

    def smallest(self, power: float = 0.8) -> int | None:
        """The first size of the curve with so much power; None where none has."""
        return next((n for n, one in self.points if one.power >= power), None)

    def document(self) -> Document:
        """A row for each size."""
        first, frame = self.points[0][1], self.frame
        columns = [Column("DF", "df"), Column("Noncentrality", "number"), Column("Power", "probability")]
        shown = ["ddf", "noncentrality", "power"]
        if first.simulated is not None:
            columns += [Column("Simulated", "probability"), Column(f"[{percent(95.0)}% conf. interval]", "probability")]
            columns.append(Column("", "probability"))
            shown += ["simulated", "low", "high"]
        rows = tuple(Row(str(n), tuple(map(float, frame.loc[n, shown]))) for n in frame.index)
        blocks: list[Block] = [Heading("Power of a test at assumed parameters"), Paragraph(first.model, "Model: ", joined=True)]
        blocks += [Paragraph(first.method, "DF method: ", joined=True)] if first.method else []
        blocks += [Equations(first.equations), Table("fixed", self.along, tuple(columns), (Section("", rows, "variable"),))]
        return Document((*blocks, Note(f"Level of the test: {first.value.alpha:g}")))

    def __repr__(self) -> str:
        return str(self)
