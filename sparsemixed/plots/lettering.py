"""Texts in pictures come from data: they are shown as they are, never read as mathematics, and cut where they are too long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sparsemixed.errors import printable
from sparsemixed.plots.look import Look

LONGEST = 40
"""Letters of a label."""
SHORT = 20
"""Letters up to which it is not asked whether a line fits, which takes time."""
LETTER, BETWEEN = 0.072, 0.35
"""Inches: width of a small letter, and what of a panel is not for its title."""
MOST_LABELS = 50
"""Labels along an axis; with more, none is shown."""


def shown(text: Any, most: int = LONGEST) -> str:
    """One line, with control characters written out; of a long one the middle is left out, for names often differ at their ends.

    Examples
    --------
    >>> shown("1.treatment#c.week", 12)
    '1.trea...eek'
    """
    line = printable(str(text)).replace("\n", " ")
    end = (most - 3) // 3
    return line if len(line) <= most else f"{line[: most - 3 - end]}...{line[len(line) - end :]}"


def head(axes: Any, look: Look, title: str = "", x: str = "", y: str = "") -> None:
    """Title and names of the axes, broken into lines where they would leave the figure; empty ones are left as they are."""
    if title:
        # A place of its own: else every drawing measures all numbers of the axes, in case some stand above.
        # One long word, as a parameter with its level, has no place to break.
        size = "small" if len(title) > SHORT and " " not in title else "medium"
        about = {"color": look.ink, "fontsize": size, "parse_math": False, "wrap": len(title) > SHORT}
        axes.set_title(shown(title, _room(axes)), loc="left", y=1.0, **about)
    if x:
        axes.set_xlabel(shown(x, 60), color=look.ink, fontsize="small", parse_math=False, wrap=len(x) > SHORT)
    if y:
        axes.set_ylabel(shown(y, 60), color=look.ink, fontsize="small", parse_math=False, wrap=len(y) > SHORT)


def _room(axes: Any) -> int:
    """Letters of a title, in small ones: up to the next panel where there are others beside."""
    spec = axes.get_subplotspec()
    columns = 1 if spec is None else spec.get_gridspec().ncols
    return 90 if columns == 1 else max(SHORT, int((axes.figure.get_figwidth() / columns - BETWEEN) / LETTER))


def ticks(axes: Any, which: str, places: Any, labels: Any, every: bool = False) -> None:
    """Labels at places of the axis `x` or `y`; slanted where they would meet, left out where too many, unless `every`."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    if len(places) > MOST_LABELS and not every:
        axis.set_ticks([])
        return
    texts = [shown(label, 28) for label in labels]
    axis.set_ticks(list(places), texts, parse_math=False)
    if which == "x" and sum(map(len, texts)) > 48:
        for label in axes.get_xticklabels():
            label.set(rotation=35, ha="right", rotation_mode="anchor")
    if which == "y" and len(places) > 25:
        axis.set_tick_params(labelsize="x-small")


def tall(lines: int) -> float:
    """Height in inches of axes with so many lines below each other, labels included where they are shown."""
    return max(2.4, 0.17 * lines + 1.0) if lines <= MOST_LABELS else 5.0


def legend(axes: Any, look: Look, handles: Sequence[Any], labels: Sequence[Any], title: str = "", inside: bool = False) -> None:
    """A legend, beside the axes unless `inside`; nothing where there is one entry and no title."""
    if not handles:
        return
    # matplotlib leaves out labels that begin with an underscore, as `_cons` does: they are set afterwards.
    beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
    # Inside it may lie over points: the paper shows behind its letters.
    over = {"loc": "best", "frameon": True, "facecolor": axes.get_facecolor(), "edgecolor": "none", "framealpha": 0.8}
    place = over if inside else {**beside, "frameon": False}
    found = axes.legend(list(handles), ["x"] * len(handles), title=title or None, fontsize="small", **place)
    for text, label in zip(found.get_texts(), labels, strict=True):
        text.set(text=shown(label), color=look.ink, parse_math=False)
    found.get_title().set(color=look.ink, fontsize="small", parse_math=False)


def nothing(axes: Any, look: Look, why: str = "nothing to draw") -> None:
    """Say so in the middle of empty axes."""
    axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", va="center", color=look.soft, parse_math=False)
    axes.set_xticks([])
    axes.set_yticks([])
