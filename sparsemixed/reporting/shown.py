"""What every result can do: show itself in all formats, and hand out its numbers."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import Any, Self

import pandas as pd

from sparsemixed.reporting.document import Document
from sparsemixed.reporting.render import render


class Shown(ABC):
    """A result with a document: `str()` is its text, and a notebook shows its HTML.

    Classes of results add to a frozen value of `inference` or `postestimation`, which knows no layout, how it is shown.
    """

    @abstractmethod
    def document(self) -> Document:
        """What is shown, before any format."""

    @property
    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """The numbers as a data frame, a copy."""

    @classmethod
    def of(cls, value: Any, **more: Any) -> Self:
        """The result with the fields of a plain value of the same kind, and what it has besides."""
        return cls(**{field.name: getattr(value, field.name) for field in dataclasses.fields(value)}, **more)

    def render(self, format: str) -> str:  # noqa: A002  a format's name is the natural word
        """This result in a format of `sparsemixed.reporting.render.FORMATS`: text, html, latex, markdown."""
        return render(self.document(), format)

    def to_html(self) -> str:
        """HTML, which notebooks show by themselves."""
        return self.render("html")

    def to_latex(self) -> str:
        """LaTeX, with tabulars for the package booktabs."""
        return self.render("latex")

    def to_markdown(self) -> str:
        """GitHub's Markdown."""
        return self.render("markdown")

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return self.render("text")
