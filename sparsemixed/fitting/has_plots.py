"""Pictures as attributes of a fit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pandas as pd

from sparsemixed.design.data.rows import Rows
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.errors import DataError
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call, frame_of, settled
from sparsemixed.postestimation.model_comparison import check_same_rows

if TYPE_CHECKING:
    from sparsemixed.plots.face import Plots


class HasPlots:
    """A fit with its call, of which pictures are drawn."""

    fit: Fit
    call: Call | None

    @property
    def plot(self) -> Plots:
        """Pictures by name: `plot.caterpillar()` draws with matplotlib, `plot.caterpillar.frame()` has the numbers."""
        from sparsemixed.plots.face import Plots  # delayed, with what it needs, for a quick start
        from sparsemixed.plots.subject import Subject

        return Plots(Subject(self, self._sample_rows, self._sample_table))

    def _sample_rows(self) -> Rows:
        """The rows of the data that were used.

        Raises
        ------
        DataError
            The data are not known any more, or are no longer what they were.
        """
        source = None if self.call is None else settled(self.call).data
        if self.call is None or source is None:
            raise DataError("the fit does not know its data: it was loaded, or came from another process")
        frame = model_frame(self.fit.spec, frame_of(self.call, "plot"))
        if not isinstance(source, (str, os.PathLike)):
            check_same_rows(self.fit, frame, "plot")
        return Rows(frame, self.fit.design.kept)

    def _sample_table(self) -> pd.DataFrame | None:
        """These rows as a pandas frame, where the data are one."""
        source = None if self.call is None else settled(self.call).data
        if not isinstance(source, pd.DataFrame):
            return None
        self._sample_rows()
        return source.iloc[self.fit.design.kept]
