"""A model text with everything blank that says nothing of the model, so that offsets stay those of what was typed."""

from __future__ import annotations

import re

from sparsemixed.errors import CommandError

MOST_CHARACTERS = 100_000
"""A longer text is a file that was taken for a model."""

_PROTECTED_OR_COMMENT = re.compile(r"\"[^\"\n]*\"|`[^`\n]*`|/\*.*?\*/|/\*|///[^\n]*|(?<!\S)//[^\n]*", re.DOTALL)
_NOT_A_BREAK = re.compile(r"[^\n]")
_UNREADABLE = re.compile("[\x00\ud800-\udfff]")

_COMPOUND_QUOTES = re.compile(r"`(\"[^\"\n]*\")'")
_PROMPT = re.compile(r"\s*(?:\d+)?\.(?=[ \t]+\S)")
_STARRED = re.compile(r"(?:[^\S\n]*(?:\*|#d(?:elimit)?\b)[^\n]*\n|\s*\n)+")
_END = re.compile(r";\s*(?:#d\w*\s+cr\s*)?\Z")
_MARK = re.compile(r"\n[ \t]*>(?=[ \t])")

_SIGNS = re.compile(rf"\|\||\bif\b|[\[(),]|{_MARK.pattern}")
_OPERAND_BEFORE = re.compile(r"[\w.)\]\"`]")
_OPERAND_AFTER = re.compile(r"\s*(?!(?:if|in)\b)[\w.(\"`!~-]")

_QUOTED = re.compile(r"\"[^\"\n]*\"|`[^`\n]*`")
_LOCAL = re.compile(r"(?<!`)(?P<macro>`+\w*'+|`[=:][^'`\n]*')")
_GLOBAL = re.compile(r"(?P<macro>\$\{?\w+\}?)")
_AS_IN = 'as in mixed(f"y {controls} || id:", data)'


def readable(source: str) -> str:
    """The text with comments, marks of logs (`.`, `2.` in a loop) and do-files, and compound quotes as blanks.

    Raises
    ------
    CommandError
        A `/*` that is not closed, a macro, a character that is no text, and more than `MOST_CHARACTERS`.

    Examples
    --------
    >>> readable(". mixed y x ///\\n> || id:")
    '  mixed y x    \\n  || id:'
    """
    if len(source) > MOST_CHARACTERS:
        raise CommandError(f"the text has {len(source)} characters, more than {MOST_CHARACTERS}", source, MOST_CHARACTERS)
    refuse_unreadable(source)
    text = _COMPOUND_QUOTES.sub(r" \1 ", source)
    text = without_comments(text, source)
    for mark in (_STARRED, _PROMPT):
        match = mark.match(text)
        text = text if match is None else _blank(match) + text[match.end() :]
    text = _END.sub(_blank, _without_marks(text, source))
    _refuse_macros(text, source)
    return text


def refuse_unreadable(text: str) -> None:
    """Refuse characters that are no text.

    Raises
    ------
    CommandError
        At a NUL, which ends a text elsewhere, and at half of a surrogate pair, which no file or terminal can hold.
    """
    found = _UNREADABLE.search(text)
    if found is not None:
        raise CommandError(f"the character U+{ord(found[0]):04X} is no text; take it out", text, found.start())


def without_comments(text: str, source: str) -> str:
    """The text with comments as blanks: `/* ... */`, and `//` or `///` to the end of a line.

    Two slashes start a comment only after a blank or at the start of a line, as in Stata.

    Examples
    --------
    >>> typed = "y x /// outcome\\n || id: /* persons */ x"
    >>> without_comments(typed, typed)
    'y x            \\n || id:               x'
    """

    def blank(match: re.Match) -> str:
        if match[0] == "/*":
            raise CommandError("the comment that starts here is not closed with `*/`", source, match.start())
        return _blank(match) if match[0].startswith("/") else match[0]

    return _PROTECTED_OR_COMMENT.sub(blank, text)


def _blank(match: re.Match) -> str:
    return _NOT_A_BREAK.sub(" ", match[0])


def _without_marks(text: str, source: str) -> str:
    """The text without the `>` with which a log continues a line; one that compares two values stays.

    It compares where it stands between two operands of a condition or a weight, unless `///` ends the line before it.
    """
    pieces, place, conditional, depth = [], 0, False, 0
    for sign in _SIGNS.finditer(text):
        if sign[0] == "||":
            conditional, depth = False, 0
        elif sign[0] in ("if", "["):
            conditional = True
        elif sign[0] in ("(", ")"):
            depth += 1 if sign[0] == "(" else -1
        elif sign[0] == ",":
            conditional = conditional and depth > 0
        elif not (conditional and _compares(text, sign)) or "///" in _line_before(source, sign.start()):
            pieces += [text[place : sign.start()], _blank(sign)]
            place = sign.end()
    return "".join([*pieces, text[place:]])


def _compares(text: str, mark: re.Match) -> bool:
    """Whether there are operands on both sides of a `>`."""
    before = text[: mark.start()].rstrip()
    return bool(_OPERAND_BEFORE.match(before[-1:]) and _OPERAND_AFTER.match(text, mark.end()))


def _line_before(source: str, position: int) -> str:
    return source[source.rfind("\n", 0, position) + 1 : position]


def _refuse_macros(text: str, source: str) -> None:
    """Macros are expanded by Stata before a command is read; here there is nothing to expand them from."""
    quoted = text.count("`") % 2 == 0 and text.count("'") < text.count("`")
    found = None if quoted else _LOCAL.search(text)
    if found is not None:
        message = f"{found['macro']} is a local macro, and macros are not expanded: put its contents in its place, {_AS_IN}"
        raise CommandError(message, source, found.start())
    found = _GLOBAL.search(_QUOTED.sub(lambda match: "q" * len(match[0]), text))
    if found is not None:
        message = (
            f"{found['macro']} is a macro, and macros are not expanded, or R's way to a column: put the contents or the name in "
            f"its place, {_AS_IN}"
        )
        raise CommandError(message, source, found.start())
