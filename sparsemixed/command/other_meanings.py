"""What a name that the data do not have may have been meant for: another command of Stata, or an option without its comma."""

from __future__ import annotations

from sparsemixed.command.heading import NAMES, other_command
from sparsemixed.command.options import find_option
from sparsemixed.errors import CommandError, UnknownVariableError
from sparsemixed.spec import ModelSpec


def with_other_meaning(error: UnknownVariableError, spec: ModelSpec) -> CommandError:
    """The error, with what else the name may mean in the place of the variables that there are.

    An abbreviated option without argument says less than a variable of nearly the same name.
    """
    if error.text is None or error.position is None or not error.text.startswith(error.name, error.position):
        return CommandError(error.message, error.text, error.position)
    name, text, place = error.name, error.text, error.position
    before, after = text[:place], text[place + len(name) :].lstrip()
    meaning = _command(name, before, spec)
    option = find_option(name)
    likely = option is not None and len(name) > 2 and option.takes_argument == after.startswith("(") and "~" not in text
    if not meaning and option is not None and likely and (option.takes_argument or "did you mean" not in error.advice):
        meaning = f"; the option {option.written} is written after a comma"
    return CommandError(f"variable `{name}` not found{meaning or error.advice}", text, place)


def _command(name: str, before: str, spec: ModelSpec) -> str:
    """The meaning of a word with which a line begins; empty if it has none but that of a variable."""
    if before.rpartition("\n")[2].strip():
        return ""
    if name.lower() in NAMES:
        return "; a text is one command" if before.strip() else f"; the command is {name.lower()}, in small letters"
    command = "" if name == spec.response and spec.random else other_command(name)
    return f"; {command}{', and a text is one command' if before.strip() else ''}" if command else ""
