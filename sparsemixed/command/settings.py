"""What options set: values by field, each with the words that set it and their place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sparsemixed.errors import OptionError
from sparsemixed.spec import ResidualSpec, Vce


@dataclass(frozen=True)
class Setting:
    """A value, the option that set it as written by the user, and where."""

    value: object
    written: str
    position: int | None = None


class Settings:
    """Values by part of the specification and field; a field set twice to different values is an error.

    Parameters
    ----------
    source : str
        The text as typed, for messages.
    keywords_win : bool
        Whether a setting without a place in the text, which came by keyword, takes the place of what was set before.
    """

    def __init__(self, source: str, keywords_win: bool = False):
        self.source, self.keywords_win = source, keywords_win
        self._found: dict[tuple[str, str], Setting] = {}

    def store(self, part: str, field: str, setting: Setting) -> None:
        """Take a setting.

        Raises
        ------
        OptionError
            If another one contradicts it.
        """
        before = self._found.setdefault((part, field), setting)
        if before.value == setting.value:
            return
        if self.keywords_win and setting.position is None:
            self._found[part, field] = setting
            return
        if not _of_clusters(before.value, setting.value):
            source = None if setting.position is None else self.source
            raise OptionError(f"{setting.written} contradicts {before.written}", source, setting.position)
        if isinstance(setting.value, Vce) and setting.value.name == "cluster":
            self._found[part, field] = setting

    def asked(self, part: str, field: str) -> Setting | None:
        """What the text or a keyword sets, if anything does."""
        return self._found.get((part, field))

    def value(self, part: str, field: str, default: Any = None) -> Any:
        """The value of a field; the default where nothing sets it."""
        setting = self.asked(part, field)
        return default if setting is None else setting.value

    def placed(self, part: str, field: str, default: Any = None) -> Any:
        """The value, which knows a place, with the place of its option; the default where nothing sets it."""
        setting = self.asked(part, field)
        return default if setting is None else replace(setting.value, position=setting.position)  # type: ignore[type-var]

    def of_part(self, part: str) -> dict[str, Any]:
        """The values of one part by field."""
        return {field: setting.value for (of, field), setting in self._found.items() if of == part}

    def residual(self) -> ResidualSpec:
        """The residual structure asked for; independent errors by default."""
        return self.placed("residual", "residual", ResidualSpec())

    def refused(self, part: str, field: str, why: str) -> OptionError:
        """The error for an option that something else rules out."""
        setting = self._found[part, field]
        return OptionError(f"option {setting.written} {why}", None if setting.position is None else self.source, setting.position)


def _of_clusters(one: object, other: object) -> bool:
    """Whether one says robust and the other for which clusters: `robust cluster(g)` is `cluster(g)`."""
    return isinstance(one, Vce) and isinstance(other, Vce) and {one.name, other.name} == {"robust", "cluster"}
