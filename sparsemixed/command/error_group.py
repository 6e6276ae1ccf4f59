"""Which level's groups hold the correlated errors of residuals()."""

from __future__ import annotations

from collections.abc import Sequence

from sparsemixed.command.settings import Setting, Settings
from sparsemixed.errors import OptionError, suggestion
from sparsemixed.spec import RandomEquation
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES

Grouping = tuple[str, ...]


def error_group(settings: Settings, equations: Sequence[RandomEquation], formula: bool) -> Grouping | None:
    """The level that group() asks for, in residuals() or beside it, or that within all others; None for the level typed last.

    In a command levels are nested as they are typed, and the last is the lowest. The terms of a formula have no order, so it must
    have a level whose groups lie within those of all others.

    Raises
    ------
    OptionError
        No such level, two of them, or several and nothing to choose by.
    """
    groupings = {equation.grouping: equation.label for equation in equations}
    asked, residual = _asked(settings), settings.asked("residual", "residual")
    correlated = not RESIDUAL_STRUCTURES[settings.residual().name].independent_rows
    if asked is not None:
        found = next((grouping for grouping, label in groupings.items() if asked.value in (label, ":".join(grouping))), None)
        if found is None:
            labels = list(groupings.values())
            known = suggestion(str(asked.value), labels) or f"; the levels are {', '.join(labels) or 'none'}"
            source = None if asked.position is None else settings.source
            raise OptionError(f"group(): the model has no level {asked.value}{known}", source, asked.position)
    elif formula and len(groupings) > 1 and residual is not None and correlated:
        found = next((one for one in groupings if all(set(other) <= set(one) for other in groupings)), None)
        if found is None:
            labels, first = " and ".join(groupings.values()), next(iter(groupings.values()))
            message = (
                f"option {residual.written}: the groups within which errors are correlated could be those of {labels}; name one "
                f"by the keyword group={first!r}, or by group({first}) beside t() within residuals"
            )
            raise OptionError(message)
    else:
        return None
    return found


def _asked(settings: Settings) -> Setting | None:
    """What group() names, wherever it stands."""
    beside, within = settings.asked("residual", "group"), settings.residual()
    if within.group is None:
        return beside
    label = ":".join(within.group)
    if beside is not None and beside.value != label:
        source = None if beside.position is None else settings.source
        raise OptionError(f"{beside.written} contradicts group({label}) within residuals()", source, beside.position)
    if RESIDUAL_STRUCTURES[within.name].independent_rows:
        raise OptionError(f"group({label}) says where errors are correlated, and those of residuals({within.name}) are not")
    return Setting(label, f"group({label})", None if within.position is None else within.positions.get(label))
