r"""A hook of mkdocs: formulas between `$$`, which GitHub sets by itself, as outlines in the colour of the text.

matplotlib sets them while the site is built, so that a reader needs neither scripts nor a network; their TeX is their name.
"""

from __future__ import annotations

import io
import re
from html import escape
from zlib import crc32

FORMULA = re.compile(r"^\$\$\n(?P<lines>.*?)\n\$\$$", re.MULTILINE | re.DOTALL)
INK = "#123456"


def on_page_markdown(markdown: str, **_: object) -> str:
    """The page with its formulas set, each line of a block by itself."""
    return FORMULA.sub(lambda found: _block(found["lines"]), markdown)


def _block(lines: str) -> str:
    return "\n".join(f'<div class="formula">{_set(line.strip())}</div>\n' for line in lines.splitlines() if line.strip())


def _set(tex: str) -> str:
    """An `<svg>` element."""
    from matplotlib.mathtext import math_to_image  # optional, and slow to load

    stream = io.BytesIO()
    math_to_image(f"${tex}$", stream, format="svg", color=INK, dpi=72)
    svg = stream.getvalue().decode("utf-8")
    element = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    element = element.replace(INK, "currentColor")
    element = re.sub(r'width="([\d.]+)pt"', lambda w: f'width="{float(w[1]) * 1.55:.1f}"', element, count=1)
    element = re.sub(r'height="([\d.]+)pt"', lambda h: f'height="{float(h[1]) * 1.55:.1f}"', element, count=1)
    # No background, and identifiers that other formulas of the page do not have.
    element = re.sub(r'<g id="patch_1">.*?</g>', "", element, flags=re.DOTALL)
    name = f"f{crc32(tex.encode()):x}"
    element = re.sub(r'(id="|href="#|url\(#)', lambda found: f"{found[1]}{name}-", element)
    head, _, rest = element.partition(">")
    body = "\n".join(line for line in rest.splitlines() if line.strip())
    return f'{head} role="img" aria-label="{escape(tex, quote=True)}">{body}'
