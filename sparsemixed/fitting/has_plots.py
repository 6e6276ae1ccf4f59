"""Pictures as attributes of a fit."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pandas as pd

from sparsemixed.design.data.rows import Rows
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.errors import DataError
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call, frame_of, settled

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

    def report(self, path: str | os.PathLike, *, pictures: bool = True) -> None:
        """Write one page of HTML about the fit: tables, diagnostics in words with what to do, and the six pictures that suit it.

        The page loads nothing from elsewhere, and reads on a phone, on light and on dark screens.

        Parameters
        ----------
        path : str or path
            Replaced if it is there.
        pictures : bool
            Whether to draw, which needs matplotlib: `pip install "sparsemixed[plot]"`.

        Raises
        ------
        DataError
            The file cannot be written.
        OptionError
            matplotlib is not installed.
        """
        from sparsemixed.plots.subject import Subject  # delayed, with what it needs, for a quick start
        from sparsemixed.reporting.pages.page import report_page
        from sparsemixed.storage.destination import check_destination, whole_file

        check_destination(path)
        subject = Subject(self, self._sample_rows, self._sample_table)
        page = report_page(subject, sys.modules["sparsemixed"].__version__, pictures)
        with whole_file(path) as unfinished:
            unfinished.write_text(page, encoding="utf-8")

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
            from sparsemixed.postestimation.model_comparison import check_same_rows  # delayed for a quick start

            check_same_rows(self.fit, frame, "plot")
        return Rows(frame, self.fit.design.kept)

    def _sample_table(self) -> pd.DataFrame | None:
        """These rows as a pandas frame, where the data are one."""
        source = None if self.call is None else settled(self.call).data
        if not isinstance(source, pd.DataFrame):
            return None
        self._sample_rows()
        return source.iloc[self.fit.design.kept]
