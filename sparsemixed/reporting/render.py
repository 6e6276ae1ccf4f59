"""The formats that documents are written in: one renderer each."""

from __future__ import annotations

from collections.abc import Callable

from sparsemixed.errors import OptionError, suggestion
from sparsemixed.reporting.document import Document
from sparsemixed.reporting.formats.html import Html
from sparsemixed.reporting.formats.latex import Latex
from sparsemixed.reporting.formats.markdown import Markdown
from sparsemixed.reporting.formats.text import Text
from sparsemixed.reporting.printable import printable_document

FORMATS: dict[str, Callable[[Document], str]] = {
    "text": Text().render,
    "html": Html().render,
    "latex": Latex().render,
    "markdown": Markdown().render,
}
"""Name -> what writes a document: `render` of a `formats.renderer.Renderer`, or any function.

A format that stands here serves fits, comparisons and tests alike, by `render(name)`.
"""


def render(document: Document, name: str) -> str:
    """A document in a format of `FORMATS`, with control characters in its names and labels written out.

    Raises
    ------
    OptionError
        There is no such format.
    """
    if not isinstance(name, str) or name not in FORMATS:
        raise OptionError(f"there is no format {name!r}{suggestion(str(name), list(FORMATS))}; there are {', '.join(FORMATS)}")
    return FORMATS[name](printable_document(document))
