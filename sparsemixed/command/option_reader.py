"""Options in the text and keyword arguments, read by the table of options into settings."""

# lark types a tree's children as trees or tokens; which it is, the grammar decides.
# pyright: reportArgumentType=false, reportAssignmentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

from collections.abc import Mapping

from lark import Token, Tree

from sparsemixed.command.arguments import Reader
from sparsemixed.command.options import Option, find_option, option_advice
from sparsemixed.command.settings import Setting, Settings
from sparsemixed.errors import CommandError, OptionError, shortened

DEFINITIONS = ("constraints", "definitions")
"""Where the equations of the keyword `constraints` are kept; the option in the text holds their numbers."""


def read_options(options: Tree | None, equation: str, settings: Settings, text: str) -> dict[str, object]:
    """Take the options after one comma.

    Parameters
    ----------
    options : Tree or None
        A parse tree of rule `options`.
    equation : {"fixed", "random"}
    settings : Settings
        Receives what concerns the model.
    text : str
        The text as parsed, with the offsets of `settings.source`.

    Returns
    -------
    dict
        What concerns the equation itself: `constant`, `covariance`, `collinear`, `fweight`, `pweight`.
    """
    own = Settings(settings.source)
    for tree in option_trees(options):
        token: Token = tree.children[0]
        option = _lookup(str(token), settings.source, token.start_pos)
        if option.equation == "random" and equation == "fixed":
            message = f"{option.written} belongs to a random-effects equation: write it after `|| level:` and a comma"
            raise OptionError(message, settings.source, token.start_pos)
        target = own if option.part == "equation" else settings
        target.store(option.part, option.field, _setting(option, tree, settings.source, text))
    return own.of_part("equation")


def option_trees(options: Tree | None) -> list[Tree]:
    """The options of a parse tree of rule `options`, without its commas."""
    return [] if options is None else [child for child in options.children if isinstance(child, Tree)]


def read_keywords(keywords: Mapping[str, object], settings: Settings) -> dict[str, object]:
    """Take keyword arguments; returns those that concern equations: `constant` of the fixed part, `collinear` of all."""
    equations: dict[str, object] = {}
    for name, value in keywords.items():
        option = _lookup(str(name), None, None)
        _refuse_of_equations(option)
        if value is None:
            continue
        if option.part == "constraints":
            settings.store(*DEFINITIONS, Setting(value, option.name))
            continue
        setting = _keyword_setting(option, value)
        if option.part == "equation":
            equations[option.field] = setting.value
        else:
            settings.store(option.part, option.field, setting)
    return equations


def _refuse_of_equations(option: Option) -> None:
    """No keyword argument can say which equation it means."""
    if option.name == "covariance":
        raise OptionError(
            "covariance belongs to one random-effects equation, not to the whole model: write "
            "`|| id: week, covariance(unstructured)`, or (week | id) and (week || id) in a formula"
        )
    if option.name in ("fweight", "pweight"):
        raise OptionError(
            f"{option.name} is an option of one random-effects equation; as a keyword write {option.name}s, for the "
            f'observations, or by level: {option.name}s={{"": "w1", "school": "w2"}}'
        )


def _lookup(typed: str, source: str | None, position: int | None) -> Option:
    option = find_option(typed)
    if option is not None:
        return option
    raise OptionError(f"unknown option {shortened(typed)}{option_advice(typed)}", source, position)


def _setting(option: Option, tree: Tree, source: str, text: str) -> Setting:
    """The setting of an option in the text."""
    token: Token = tree.children[0]
    parenthesized = len(tree.children) > 1
    if parenthesized and not option.takes_argument:
        raise OptionError(f"option {option.name} takes no argument", source, tree.children[1].start_pos)
    if option.argument is None:
        return Setting(option.value, option.name, token.start_pos)
    if not parenthesized:
        raise OptionError(f"option {option.written} needs an argument", source, token.start_pos)
    opening, closing = tree.children[1], tree.children[-1]
    typed = text[opening.end_pos : closing.start_pos]
    position = opening.end_pos + len(typed) - len(typed.lstrip())
    shown = " " * opening.end_pos + typed if option.in_place else typed
    value = _argument(option, option.argument, shown, source, position)
    return Setting(value, f"{option.name}({typed.strip()})", token.start_pos)


def _argument(option: Option, reader: Reader, text: str, source: str | None = None, position: int | None = None) -> object:
    """The argument's value; what is wrong with it is told with the option's name and the place."""
    try:
        return reader(text)
    except CommandError as error:
        place = error.position if option.in_place and error.position is not None else position
        raise type(error)(f"option {option.written}: {error.message}", source, place) from None


def _keyword_setting(option: Option, value: object) -> Setting:
    written = f"{option.name}={value!r}"
    if option.argument is not None:
        return Setting(_argument(option, option.argument, str(value)), written)
    if value is not True and value is not False:
        raise OptionError(f"option {option.name} is True or False, found {value!r}")
    return Setting(option.value if value else option.opposite, written)
