"""Tables of `estat`: data frames that show themselves as fits do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import pandas as pd
from pandas.api.types import is_numeric_dtype

from sparsemixed.estimation.fit import Fit
from sparsemixed.reporting.document import Document
from sparsemixed.reporting.estat_layouts import LAYOUTS
from sparsemixed.reporting.render import render


class EstatTable(pd.DataFrame):
    """A data frame whose `str()`, `to_html()`, `to_latex()`, `to_markdown()` and display in notebooks are those of a result.

    Whatever is computed from it, also by selecting or rounding, is a plain data frame, and so is it itself once a column of texts
    was added. With arguments, `to_html`, `to_latex` and `to_markdown` are those of pandas.
    """

    # pandas marks these as its own: a subclass keeps values of its own in `_metadata` all the same, as its guide says.
    _metadata: ClassVar[list[str]] = ["_document", "_stored"]  # pyright: ignore[reportIncompatibleVariableOverride]

    @classmethod
    def of(cls, frame: pd.DataFrame, fit: Fit, name: str) -> EstatTable:
        """The numbers of a subcommand's `frame`, shown as its `attrs` say (see `postestimation.estat.table`)."""
        about = {"heading": name, **frame.attrs}
        document = LAYOUTS[about.get("layout", "")](fit, frame, about)
        table = cls(frame)
        table.attrs = {}
        table._document, table._stored = document, {"r": about.get("r") or {}, "e": about.get("e") or {}}
        return table

    @property
    def r(self) -> Mapping[str, Any]:
        """Stata's stored results of the subcommand."""
        return MappingProxyType(self._stored["r"])

    @property
    def e(self) -> Mapping[str, Any]:
        """What Stata's option post stores: cmd, b, V, properties; empty without it."""
        return MappingProxyType(self._stored["e"])

    @property
    def frame(self) -> pd.DataFrame:
        """The numbers as a plain data frame."""
        return pd.DataFrame(self, copy=True)

    def document(self) -> Document:
        """What is shown, before any format."""
        return self._document

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
