"""From text to a parse tree: the grammars, built once, with their failures told in the user's words."""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from itertools import accumulate
from pathlib import Path

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from sparsemixed.errors import CommandError

DEEPEST = 4000
"""Parentheses within parentheses that are still read."""
_STEPS = {"(": 1, ")": -1}

_OPERATORS = ("OR", "AND", "COMPARE", "PLUS", "MINUS", "TIMES", "POWER")

_WORDS = {
    "NAME": "a name",
    "QUOTED": "a name",
    "SHORT": "a name",
    "LEVEL": "a name",
    "OPERATOR": "a name",
    "SERIES": "a value",
    "WILDCARD": "a name",
    "SPAN": "a name",
    "NUMBER": "a value",
    "MISSING": "a value",
    "STRING": "a value",
    "NOT": "a value",
    "WORD": "a word",
    "RANGE": "a range of rows such as 1/100",
    "COLON": "`:`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "EQUALS": "`=`",
    "IF": "`if`",
    "IN": "`in`",
    "LSQB": "`[`",
    "SUBSCRIPT": "`[`",
    "HASH": "`#`",
    "COMMA": "`,`",
    "BARS": "`||`",
    "$END": "the end",
    **dict.fromkeys(_OPERATORS, "an operator"),
}


@cache
def _parser(grammar: str, start: str) -> Lark:
    """The parser of a grammar; its tables are kept on disk, because making them takes a tenth of a second."""
    source = (Path(__file__).parent / grammar).read_text(encoding="utf-8")
    options = {"parser": "lalr", "lexer": "contextual", "propagate_positions": True, "maybe_placeholders": False}
    # lark looks whether the file is of this grammar and of these versions, and makes the tables anew where it is not.
    return Lark(source, start=start, cache=_kept_tables(f"{Path(grammar).stem}.{start}"), **options)


def _kept_tables(name: str) -> str | None:
    """The file for the tables of a parser, beside the byte code; None where nothing can be written."""
    folder = Path(__file__).parent / "__pycache__"
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return None
    return str(folder / f"{name}.{sys.implementation.cache_tag}.lark") if os.access(folder, os.W_OK) else None


def parse_tree(text: str, source: str, grammar: str = "grammar.lark", start: str = "command") -> Tree:
    """Parse `text`, whose offsets are those of `source`; the source is what an error shows.

    Raises
    ------
    CommandError
        With the place of what was not understood.
    RecursionError
        For a text that is nested too deeply.

    Examples
    --------
    >>> [str(child.data) for child in parse_tree("y x || id:", "y x || id:").children]
    ['varlist', 'equation']
    """
    if max(accumulate(_STEPS.get(sign, 0) for sign in text), default=0) > DEEPEST:
        raise RecursionError
    try:
        return _parser(grammar, start).parse(text)
    except UnexpectedInput as error:
        raise _translated(error, text, source) from None


def _translated(error: UnexpectedInput, text: str, source: str) -> CommandError:
    """Our error for a lark error: what was found, what would have been understood, and a hint for the usual slips."""
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        # A token that fits nowhere may have swallowed the rest of the text; its first word is enough.
        position = error.token.start_pos or 0
        found = _word_at(text, position)
    elif isinstance(error, UnexpectedCharacters):
        position, found = error.pos_in_stream or 0, _word_at(text, error.pos_in_stream or 0)
    else:
        position, found = len(text.rstrip()), "the end of the text"
    # `error.expected` lists lookaheads of merged parser states, some of which would fail; `accepts` only real ones.
    expected = set(error.interactive_parser.accepts())
    message = f"found {found}, expected {_alternatives(expected)}"
    hint = _hint(text, position, expected)
    return CommandError(f"{message}; {hint}" if hint else message, source, position)


def _word_at(text: str, position: int) -> str:
    word = re.compile(r"\w+|\|\||##|.", re.DOTALL).match(text, position)
    return f"`{word[0]}`" if word else "the end of the text"


def _alternatives(expected: set[str]) -> str:
    """Terminals as a readable list, in the order of `_WORDS`.

    Examples
    --------
    >>> _alternatives({"COLON", "RPAR", "PLUS", "AND"})
    '`:`, `)` or an operator'
    """
    if "NUMBER" in expected:
        expected = expected - {"LPAR", "PLUS", "MINUS"}
    words = list(dict.fromkeys(word for terminal, word in _WORDS.items() if terminal in expected))
    if not words:
        return "nothing more"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _hint(text: str, position: int, expected: set[str]) -> str:
    rest = text[position:]
    if re.match(r"(?:if|in)\b", rest):
        return "`if` and `in` go in the fixed part, before its comma"
    if re.search(r"\*\s*(?:[ic]|ib?\d+)?\Z", text[:position]) and rest.startswith("."):
        return "interactions are written with # or ##, as in i.a##c.x"
    if "COLON" in expected:
        return "a random-effects equation starts with its level variable and a colon: `|| id:`"
    if rest.startswith("[") and "LSQB" in expected:
        return "weights say of what kind they are: [fweight=w] or [pweight=w]"
    if rest.startswith("`"):
        return "a backquoted name ends with a backquote too; macros are not expanded"
    if rest[:1] in ("{", "}"):
        return "blocks are Python's: a text is one command"
    if rest.startswith(";"):
        return "a text is one command"
    if rest.startswith("||") and "RPAR" in expected:
        return "a parenthesis is not closed"
    if rest.startswith("=") and expected & {"COMPARE", "BARS"}:
        return "compare with `==`"
    return ""


def unquoted(token: Token) -> str:
    """The variable a NAME or a backquoted name stands for.

    Examples
    --------
    >>> unquoted(Token("QUOTED", "`my var`"))
    'my var'
    """
    return str(token).strip("`")
