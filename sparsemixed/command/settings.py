"""Options collected from the text and from keyword arguments, each set once."""

# lark types a tree's children as trees or tokens; which it is, the grammar decides.
# pyright: reportArgumentType=false, reportAssignmentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lark import Token, Tree

from sparsemixed.command.arguments import Reader
from sparsemixed.command.options import OPTIONS, Option, find_option
from sparsemixed.command.suggestions import suggestion
from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.spec import DFMETHODS, DisplayOptions, EstimationOptions, ResidualSpec


@dataclass(frozen=True)
class Setting:
    """A value, the option that set it as written by the user, and where."""

    value: object
    written: str
    position: int | None = None


class Settings:
    """Values by field; a field set twice to different values is an error.

    Parameters
    ----------
    source : str
        The text as typed, for messages.
    text : str
        The text as parsed (continuation marks blanked), with the same offsets.
    """

    def __init__(self, source: str, text: str):
        self.source, self._text = source, text
        self._model: dict[tuple[str, str], Setting] = {}

    def read(self, options: Tree | None, equation: str) -> dict[str, object]:
        """Take the options after one comma.

        Parameters
        ----------
        options : Tree or None
            A parse tree of rule `options`.
        equation : {"fixed", "random"}

        Returns
        -------
        dict
            What concerns the equation itself: `constant`, `covariance`, `collinear`.
        """
        own: dict[tuple[str, str], Setting] = {}
        for tree in options.children[1:] if options is not None else ():
            token: Token = tree.children[0]
            position = token.start_pos or 0
            option = self._lookup(str(token), position)
            if option.equation == "random" and equation == "fixed":
                message = f"{option.written} belongs to a random-effects equation: write it after `|| level:` and a comma"
                raise OptionError(message, self.source, position)
            setting = self._setting(option, tree)
            self._store(own if option.part == "equation" else self._model, option, setting, position)
        return {field: setting.value for (_, field), setting in own.items()}

    def read_keywords(self, keywords: Mapping[str, object]) -> dict[str, object]:
        """Take keyword arguments; returns those that concern equations: `constant` of the fixed part, `collinear` of all."""
        equations: dict[str, object] = {}
        for name, value in keywords.items():
            option = self._lookup(str(name), None)
            if option.name == "covariance":
                raise OptionError(
                    "covariance belongs to one random-effects equation, not to the whole model: write "
                    "`|| id: week, covariance(unstructured)`, or (week | id) and (week || id) in a formula"
                )
            if value is None or (value is False and option.part in ("later", "default")):
                continue
            setting = _keyword_setting(option, value)
            if option.part == "equation":
                equations[option.field] = setting.value
            else:
                self._store(self._model, option, setting, None)
        return equations

    def estimation(self) -> EstimationOptions:
        """The estimation options asked for, the rest at their defaults."""
        options = EstimationOptions(**self._part("estimation"))
        asked = options.dfmethod
        if asked is not None and DFMETHODS[asked.name] and options.method != "reml":
            self._refuse("estimation", "dfmethod", "needs REML estimation; add the option reml")
        return options

    def residual(self) -> ResidualSpec:
        """The residual structure asked for; independent errors by default."""
        setting = self._model.get(("residual", "residual"))
        if setting is None:
            return ResidualSpec()
        assert isinstance(setting.value, ResidualSpec)
        return replace(setting.value, position=setting.position)

    def display(self) -> DisplayOptions:
        """The display options asked for, the rest at their defaults."""
        for field in ("dftable", "small"):
            setting = self._model.get(("display", field))
            if setting is not None and setting.value not in ("default", False) and ("estimation", "dfmethod") not in self._model:
                self._refuse("display", field, "needs degrees of freedom; add the option dfmethod()")
        return DisplayOptions(**self._part("display"))

    def _refuse(self, part: str, field: str, why: str) -> None:
        """Raise for an option that another one rules out."""
        setting = self._model[part, field]
        raise OptionError(f"option {setting.written} {why}", None if setting.position is None else self.source, setting.position)

    def _part(self, part: str) -> dict:
        return {field: setting.value for (of, field), setting in self._model.items() if of == part}

    def _lookup(self, typed: str, position: int | None) -> Option:
        option = find_option(typed)
        if option is not None:
            return option
        names = [option.name for option in OPTIONS]
        hint = suggestion(typed, names) or suggestion(typed, [option.word.shortest for option in OPTIONS])
        raise OptionError(f"unknown option {typed}{hint}", None if position is None else self.source, position)

    def _setting(self, option: Option, tree: Tree) -> Setting:
        """The setting of an option in the text."""
        token: Token = tree.children[0]
        parenthesized = len(tree.children) > 1
        if option.part == "later":
            raise NotAvailableError(f"option {option.written} is not available yet", self.source, token.start_pos)
        if parenthesized and not option.takes_argument:
            raise OptionError(f"option {option.name} takes no argument", self.source, tree.children[1].start_pos)
        if option.argument is None:
            return Setting(option.value, option.name, token.start_pos)
        if not parenthesized:
            raise OptionError(f"option {option.written} needs an argument", self.source, token.start_pos)
        opening, closing = tree.children[1], tree.children[-1]
        text = self._text[opening.end_pos : closing.start_pos]
        position = opening.end_pos + len(text) - len(text.lstrip())
        value = _argument(option, option.argument, text, self.source, position)
        return Setting(value, f"{option.name}({text.strip()})", token.start_pos)

    def _store(self, settings: dict[tuple[str, str], Setting], option: Option, setting: Setting, position: int | None) -> None:
        key = (option.part, option.field)
        before = settings.setdefault(key, setting)
        if before.value != setting.value:
            message = f"{setting.written} contradicts {before.written}"
            raise OptionError(message, None if position is None else self.source, position)


def _argument(option: Option, reader: Reader, text: str, source: str | None = None, position: int | None = None) -> object:
    """The argument's value; what is wrong with it is told with the option's name and the place."""
    try:
        return reader(text)
    except OptionError as error:
        raise type(error)(f"option {option.written}: {error.message}", source, position) from None


def _keyword_setting(option: Option, value: object) -> Setting:
    written = f"{option.name}={value!r}"
    if option.part == "later":
        raise NotAvailableError(f"option {option.name} is not available yet")
    if option.argument is not None:
        return Setting(_argument(option, option.argument, str(value)), written)
    if value is not True and value is not False:
        raise OptionError(f"option {option.name} is True or False, found {value!r}")
    return Setting(option.value if value else option.opposite, written)
