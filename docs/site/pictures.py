"""A hook of mkdocs: pages that begin with `<!-- pictures -->` show what their code draws, and all pages have the colours for it.

Their Python blocks are run in order, as the tests run them; after each that leaves new Axes in `axes` stands its picture.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from mkdocs.structure.files import File

from sparsemixed.plots.inline_svg import embedded_figure
from sparsemixed.plots.look import DARK, LIGHT, Look

MARK = "<!-- pictures -->"
BLOCK = re.compile(r"^```python\n(?P<body>.*?)^```\n(?:\n```text\n.*?^```\n)?", re.MULTILINE | re.DOTALL)
STYLE = """
[data-md-color-scheme="default"] {{ {light} }}
[data-md-color-scheme="slate"] {{ {dark} }}
.picture {{ overflow-x: auto; margin: 1em 0; }}
.picture svg text {{ font-family: var(--md-text-font-family), sans-serif !important; }}
.formula {{ overflow-x: auto; overflow-y: hidden; margin: 1em 0; text-align: center; }}
.formula svg {{ max-width: none; }}
.md-typeset table:not([class]) {{ display: block; overflow-x: auto; max-width: 100%; }}
.md-typeset table:not([class]) td code {{ overflow-wrap: break-word; word-break: normal; }}
"""
WORKER = Path(__file__).with_name("iframe-worker.js")


def on_files(files: Any, config: Any) -> Any:
    """Adds the style and the script by which search works from files."""
    style = STYLE.format(light=_variables(LIGHT), dark=_variables(DARK))
    files.append(File.generated(config, "assets/pictures.css", content=style))
    files.append(File.generated(config, "assets/iframe-worker.js", content=WORKER.read_text(encoding="utf-8")))
    return files


def on_config(config: Any) -> Any:
    """The script has to stand before the theme's own."""
    config.extra["polyfills"] = ["assets/iframe-worker.js"]
    return config


def _variables(look: Look) -> str:
    named = {"ink": look.ink, "soft": look.soft, "grid": look.grid}
    named |= {f"line{i}": colour for i, colour in enumerate(look.cycle)}
    return " ".join(f"--{name}: {colour};" for name, colour in named.items())


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """The page with its pictures."""
    if not markdown.lstrip().startswith(MARK):
        return markdown
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    namespace: dict[str, Any] = {"__name__": page.file.name}
    seen: list[Any] = [None]
    counter = iter(range(1000))

    def with_picture(block: re.Match) -> str:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(block["body"], page.file.src_path, "exec"), namespace)
        axes = namespace.get("axes")
        if axes is None or axes is seen[0]:
            return block[0]
        seen[0] = axes
        first = np.ravel(np.asarray(axes, dtype=object))[0]
        says = first.get_title(loc="left") or "picture of the code above"
        element = embedded_figure(first.figure, f"{page.file.name}{next(counter)}", says)
        lines = "\n".join(line for line in element.splitlines() if line.strip())
        return f'{block[0]}\n<div class="picture">{lines}</div>\n'

    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            found = BLOCK.sub(with_picture, markdown.replace(MARK, "", 1))
        finally:
            os.chdir(before)
            pyplot.close("all")
    return found
