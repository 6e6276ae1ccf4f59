"""A report of a fit as one page that loads nothing: tables, pictures, diagnostics; for phones and screens, light and dark."""

from __future__ import annotations

from html import escape

from sparsemixed.errors import printable
from sparsemixed.plots.inline_svg import inline_svg
from sparsemixed.plots.look import DARK, LIGHT, Look
from sparsemixed.plots.subject import Subject
from sparsemixed.reporting.display import display_options
from sparsemixed.reporting.document import Document, Header, Verbatim
from sparsemixed.reporting.pages.chosen_pictures import chosen_pictures
from sparsemixed.reporting.pages.diagnostics import Finding, diagnostics
from sparsemixed.reporting.render import render
from sparsemixed.reporting.report import report
from sparsemixed.reporting.tables.titles import title

MARKS = {"warning": "!", "note": "i", "good": "✓"}
STYLE = """
:root {{ color-scheme: light dark; {light} }}
@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; margin: 0.5rem 0; }}
h2 {{ font-size: 1.15rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid var(--grid); padding-bottom: 0.25rem; }}
code, pre {{ font: 0.9em ui-monospace, monospace; }}
pre {{ overflow-x: auto; }}
.model {{ display: block; padding: 0.6rem 0.8rem; background: var(--grid); border-radius: 6px; }}
dl {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: 0.6rem; margin: 1rem 0; }}
dt {{ color: var(--soft); font-size: 0.85rem; }}
dd {{ margin: 0; font-variant-numeric: tabular-nums; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; margin: 1rem 0; font-size: 0.9rem; overflow-wrap: normal; }}
caption {{ text-align: left; font-weight: 600; }}
th, td {{ padding: 0.15rem 0.6rem; white-space: nowrap; font-variant-numeric: tabular-nums; }}
th {{ font-weight: 500; }}
thead th {{ border-bottom: 1px solid var(--soft); }}
ul {{ list-style: none; padding: 0; }}
li {{ display: flex; gap: 0.7rem; margin: 0.6rem 0; }}
li b {{ flex: none; width: 1.5rem; height: 1.5rem; border-radius: 50%; text-align: center; border: 1.5px solid currentColor; }}
.warning b {{ color: var(--line1); }} .good b {{ color: var(--line2); }} .note b {{ color: var(--soft); }}
.advice {{ color: var(--soft); }}
.pictures {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.5rem; }}
figure {{ margin: 0; min-width: 0; }}
figcaption {{ color: var(--soft); font-size: 0.9rem; }}
svg text {{ font-family: system-ui, sans-serif !important; }}
footer {{ margin: 3rem 0 1rem; color: var(--soft); font-size: 0.85rem; }}
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<h1>{heading}</h1>
<code class="model">{model}</code>
{facts}
<h2>What to know</h2>
<ul>
{findings}
</ul>
<h2>Estimates</h2>
{tables}
{pictures}
<footer>Made by sparsemixed {version}.</footer>
</body>
</html>
"""


def report_page(subject: Subject, version: str, pictures: bool = True) -> str:
    """The page as HTML.

    Parameters
    ----------
    subject : Subject
    version : str
        Of the package.
    pictures : bool
        Whether to draw, which needs matplotlib.

    Raises
    ------
    OptionError
        matplotlib is not installed.
    """
    fit = subject.fit
    document = report(fit, display_options(fit, {}))
    facts = "".join(_facts(block) for block in document.blocks if isinstance(block, Header))
    tables = Document(tuple(block for block in document.blocks if not isinstance(block, (Header, Verbatim))))
    levels = [block.levels for block in document.blocks if isinstance(block, Header) and block.levels is not None]
    return PAGE.format(
        title=escape(shown(f"{fit.spec.response}: {title(fit.spec)}")),
        style=STYLE.format(light=_variables(LIGHT), dark=_variables(DARK)),
        heading=escape(title(fit.spec)),
        model=escape(shown(fit.spec.text)),
        facts=facts,
        findings="\n".join(map(_finding, diagnostics(subject))),
        tables=_scrolling(render(Document((*levels, *tables.blocks)), "html")),
        pictures=_pictures(subject) if pictures else "",
        version=escape(version),
    )


def shown(text: str) -> str:
    """With control characters written out."""
    return printable(text).replace("\n", " ")


def _variables(look: Look) -> str:
    """The colours of a look under the names that pictures have them by."""
    named = {"ink": look.ink, "soft": look.soft, "grid": look.grid, "paper": look.paper}
    named |= {f"line{i}": colour for i, colour in enumerate(look.cycle)}
    return " ".join(f"--{name}: {colour};" for name, colour in named.items())


def _facts(header: Header) -> str:
    pairs = "".join(f"<div><dt>{escape(shown(name))}</dt><dd>{escape(shown(value))}</dd></div>" for name, value in header.facts)
    return f"<dl>{pairs}</dl>"


def _finding(one: Finding) -> str:
    advice = f' <span class="advice">{escape(shown(one.advice))}</span>' if one.advice else ""
    mark = f'<b aria-label="{one.kind}">{MARKS[one.kind]}</b>'
    return f'<li class="{one.kind}">{mark}<span>{escape(shown(one.what))}{advice}</span></li>'


def _scrolling(html: str) -> str:
    """Tables that scroll by themselves where they are wider than the page."""
    return html.replace("<table", '<div class="scroll" tabindex="0"><table').replace("</table>", "</table></div>")


def _pictures(subject: Subject) -> str:
    drawn = []
    for i, one in enumerate(chosen_pictures(subject)):
        picture = inline_svg(one.kind, one.frame, f"p{i}", one.caption, one.columns)
        drawn.append(f'<figure><div class="scroll">{picture}</div><figcaption>{escape(one.caption)}</figcaption></figure>')
    return '<h2>Pictures</h2>\n<div class="pictures">\n' + "\n".join(drawn) + "\n</div>"
