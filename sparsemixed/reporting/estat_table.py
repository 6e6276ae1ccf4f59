"""Tables of `estat`: data frames that show themselves as fits do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from sparsemixed.reporting.document import Column, Document, Heading, Row, Section, Table
from sparsemixed.reporting.render import render


class EstatTable(pd.DataFrame):
    """A data frame whose `str()`, `to_html()`, `to_latex()`, `to_markdown()` and display in notebooks are those of a result.

    Whatever is computed from it, also by selecting or rounding, is a plain data frame, and so is it itself once a column of texts
    was added. With arguments, `to_html`, `to_latex` and `to_markdown` are those of pandas.
    """

    # pandas marks these as its own: a subclass keeps values of its own in `_metadata` all the same, as its guide says.
    _metadata: ClassVar[list[str]] = ["_heading", "_kinds"]  # pyright: ignore[reportIncompatibleVariableOverride]

    @classmethod
    def of(cls, frame: pd.DataFrame, heading: str, kinds: Mapping[str, str] | None = None) -> EstatTable:
        """The numbers of `frame` under a heading.

        Parameters
        ----------
        kinds : mapping, optional
            Columns -> kinds of their numbers, keys of `number_format.FORMATS`; without one a number has seven digits.
        """
        table = cls(frame)
        table._heading, table._kinds = heading, dict(kinds or {})
        return table

    @property
    def frame(self) -> pd.DataFrame:
        """The numbers as a plain data frame."""
        return pd.DataFrame(self, copy=True)

    def document(self) -> Document:
        """What is shown, before any format."""
        columns = tuple(Column(str(name), self._kinds.get(name, "number")) for name in self)
        values = zip(self.index, np.asarray(self, dtype=float), strict=True)
        rows = tuple(Row(str(name), tuple(map(float, row))) for name, row in values)
        return Document((Heading(self._heading), Table("fixed", "", columns, (Section("", rows, "variable"),))))

    def render(self, format: str) -> str:  # noqa: A002  a format's name is the natural word
        """This table in a format of `sparsemixed.reporting.render.FORMATS`: text, html, latex, markdown."""
        return render(self.document(), format)

    def to_html(self, *args: Any, **options: Any) -> Any:
        """HTML; by pandas when there are arguments."""
        return self.frame.to_html(*args, **options) if args or options else self.render("html")

    def to_latex(self, *args: Any, **options: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """LaTeX for the package booktabs; by pandas when there are arguments."""
        return self.frame.to_latex(*args, **options) if args or options else self.render("latex")

    def to_markdown(self, *args: Any, **options: Any) -> Any:
        """GitHub's Markdown; by pandas when there are arguments."""
        return self.frame.to_markdown(*args, **options) if args or options else self.render("markdown")

    def _repr_html_(self) -> str:
        return self.render("html") if self._is_numeric() else self.frame.to_html()

    def __str__(self) -> str:
        return self.render("text") if self._is_numeric() else str(self.frame)

    __repr__ = __str__

    def _is_numeric(self) -> bool:
        return all(map(is_numeric_dtype, self.dtypes))
