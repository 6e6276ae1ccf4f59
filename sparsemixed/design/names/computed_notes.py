"""What users are told of the functions in their formula."""

from __future__ import annotations

from collections.abc import Iterable

from sparsemixed.design.computed.contrasts import coded_variable, is_contrast
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.names.model_frame import ModelFrame
from sparsemixed.design.sample import used_variables
from sparsemixed.spec import ModelSpec


def computed_notes(spec: ModelSpec, frame: Frame) -> tuple[str, ...]:
    """A note for each function that has no value in some rows, which the model does not use."""
    notes = []
    used = set(used_variables(spec))
    for computed in spec.computed:
        if not isinstance(frame, ModelFrame) or is_contrast(computed) or not used & set(computed.columns):
            continue
        rows = frame.undefined(computed)
        if len(rows):
            where = ", ".join(f"{name} = {_shown(frame, name, rows[0])}" for name in computed.sources)
            count = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
            notes.append(
                f"note: {computed.text} has no value in {count} of the data, not used (first in row {rows[0] + 1}: {where})."
            )
    return tuple(notes)


def _shown(frame: Frame, name: str, row: int) -> str:
    variable = frame[name]
    return f"{variable.values[row]:g}" if variable.is_number else str(variable.categories[variable.values[row]])


def check_coded_levels(spec: ModelSpec, names: Iterable[str], rows: Rows) -> None:
    """Raise a DataError at levels that contrasts do not know, as other categorical variables do.

    Parameters
    ----------
    names : iterable of str
        Variables of the model that are needed.
    """
    needed = set(names)
    for computed in spec.computed:
        if is_contrast(computed) and needed & set(computed.columns):
            rows.codes(coded_variable(computed), computed.states[computed.text]["levels"])
