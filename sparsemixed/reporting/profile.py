"""Profile-likelihood limits as they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from sparsemixed.inference.profile.profile import ProfileLimits
from sparsemixed.reporting.document import Column, Document, Note, Row, Section, Table
from sparsemixed.reporting.shown import Shown
from sparsemixed.reporting.tables.columns import limit_columns
from sparsemixed.spec import DisplayOptions

if TYPE_CHECKING:
    from sparsemixed.plots.picture import Picture


@dataclass(frozen=True)
class ProfileResult(ProfileLimits, Shown):
    """Limits by profile likelihood: `limits`, a data frame, and `curve(name)`, the profile behind each of them.

    The attributes are those of `ProfileLimits`; `str()`, `to_html()`, `to_latex()`, `to_markdown()` and notebooks show it.
    """

    def document(self) -> Document:
        """Tables of coefficients and functions, and of variance parameters, with notes."""
        columns = (Column("Estimate", "estimate"), *limit_columns(DisplayOptions(level=self.level)))
        fixed = [i for i, target in enumerate(self.targets) if target.single]
        random = [i for i in range(len(self.targets)) if i not in fixed]
        blocks = []
        if fixed:
            rows = tuple(self._row(i, self.targets[i].name) for i in fixed)
            blocks.append(Table("fixed", self.response, columns, (Section("", rows, "variable"),)))
        if random:
            blocks.append(Table("random", "Random-effects parameters", columns, tuple(self._sections(random))))
        notes = [Note(f"Note: {text}", joined=i > 0) for i, text in enumerate(filter(None, self.note.split("\n")))]
        return Document((*blocks, *notes))

    def _sections(self, places: list[int]) -> list[Section]:
        """One section for each equation, the residuals' last as in the order of the targets."""
        equations = dict.fromkeys(self.targets[i].equation for i in places)
        return [
            Section(equation, tuple(self._row(i, self._label(i)) for i in places if self._is_of(i, equation)), "equation")
            for equation in equations
        ]

    def _is_of(self, i: int, equation: str) -> bool:
        return self.targets[i].equation == equation

    def _label(self, i: int) -> str:
        """The parameter without its level, which heads the section."""
        name = self.targets[i].name
        return name.partition("]")[2] if name.startswith("[") and "]" in name else name

    def _row(self, i: int, label: str) -> Row:
        remark = "(constrained)" if self.targets[i].unknown and self.targets[i].kind == "coefficient" else ""
        numbers = (self.estimate[i], self.low[i], self.high[i])
        return Row(label, tuple(map(float, numbers[:1] if remark else numbers)), remark)

    @property
    def limits(self) -> pd.DataFrame:
        """One row for each parameter by its name: estimate, low, high."""
        names = [target.name for target in self.targets]
        return pd.DataFrame({"estimate": self.estimate, "low": self.low, "high": self.high}, index=names, dtype=float)

    @property
    def frame(self) -> pd.DataFrame:
        """The same as `limits`."""
        return self.limits

    @property
    def plot(self) -> Picture:
        """The profiles over their values: `profile.plot()`; `profile.plot.frame()` has the numbers."""
        from sparsemixed.plots.picture import Picture  # delayed, with what it needs, for a quick start
        from sparsemixed.plots.profile import KIND

        return Picture("profile", KIND, self)

    @property
    def pairs(self) -> Picture:
        """Two parameters at a time, as `fit.plot.profile_pairs` draws them: `profile.pairs()`, `profile.pairs.frame()`."""
        from sparsemixed.plots.picture import Picture  # delayed, with what it needs, for a quick start
        from sparsemixed.plots.profile_pairs import KIND

        return Picture("profile_pairs", KIND, self)

    def curve(self, name: str) -> pd.DataFrame:
        """The profile of one parameter: value, zeta, deviance and slope, from low to high.

        zeta is the signed root of the rise of the deviance, which a quadratic likelihood makes a straight line; `slope` is the
        exact derivative of zeta by the value. Places are equidistant in zeta, out to the 99% limits or the level asked for.

        Raises
        ------
        OptionError
            The name is none of those in `limits`, or has no profile.

        Examples
        --------
        >>> import sparsemixed
        >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
        >>> fit = sparsemixed.mixed("y ~ time + (1 | id)", data)
        >>> list(fit.profile(["time"]).curve("time").columns)
        ['value', 'zeta', 'deviance', 'slope']
        """
        found = self.profile_of(name)
        columns = {"value": found.value, "zeta": found.zeta, "deviance": found.deviance, "slope": found.slope}
        return pd.DataFrame(columns, dtype=float)

    def traces(self, name: str) -> pd.DataFrame:
        """Every parameter along the profile of one: all others at their best where that one has the values of `curve(name)`.

        A column for each name in `limits`, indexed by zeta. NaN stands for what has no value there, as a correlation beside a
        variance of zero, and for parameters that go by another criterion: after REML coefficients go by ML, variance parameters
        by REML, and `criterion="ml"` puts all of them on one likelihood.

        Raises
        ------
        OptionError
            The name is none of those in `limits`, or has no profile.

        Examples
        --------
        >>> import sparsemixed
        >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
        >>> found = sparsemixed.mixed("y ~ time + (1 | id)", data).profile(["time", "_cons"])
        >>> found.traces("time").columns.tolist()
        ['time', '_cons']
        """
        along = self.profile_of(name)
        names = [target.name for target in self.targets]
        return pd.DataFrame(self.traces_of(name, along), index=pd.Index(along.zeta, name="zeta"), columns=names, dtype=float)
