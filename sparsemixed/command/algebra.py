"""The algebra of formula terms (`+ - * : / ^ %in%`), done by formulaic and restricted to what a model can use.

formulaic sees names only: calls are read by `command.calls`, and a name of the same length stands in for each. Sums of names are
read without it, because formulaic takes a third of a second to load.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sparsemixed.command.calls import CallReader, Offset
from sparsemixed.command.varlist import MOST_TERMS, once
from sparsemixed.errors import CommandError, shortened
from sparsemixed.spec import MOST_FACTORS, Factor, Term

if TYPE_CHECKING:
    from formulaic.parser.types import Token

_OPERATORS = re.compile(r"[+-]+|\*|:|/|\^|\*\*")
_POWERS = ("^", "**")
_CALL = re.compile(r"(?<![\w.])[^\W\d][\w.]*(?:::+[\w.]+)?\s*\(")
_STRING = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`\n]*`")
_POINT = re.compile(r"(?<![\w.])\.(?![\w.])")
_QUOTED = re.compile(r"`(?P<name>[^`\n]+)`")
_PLAIN = re.compile(r"[^\W\d][\w.]*")
_ITEM = re.compile(r"[^\W\d]\w*(?:\.\w+)*|[01]")
_SUM = re.compile(rf"\s*(?:{_ITEM.pattern})(?:\s*\+\s*(?:{_ITEM.pattern}))*\s*")
_SPLIT_UP = re.compile(r"%\s*in\s*%")
_ANSI = re.compile(r"\x1b\[\d+m|⧛\S*?⧚")


class Name(NamedTuple):
    """A name in a formula and its offset, as formulaic's tokens have them."""

    token: str
    source_start: int


class Algebra:
    """Expands the sums and products of one formula.

    Parameters
    ----------
    source : str
        The formula as typed, for messages.
    positions : dict
        Variable name to first offset; filled while reading.
    calls : CallReader, optional
        Reads the calls among the terms.
    """

    def __init__(self, source: str, positions: dict[str, int], calls: CallReader | None = None):
        self._source, self._positions = source, positions
        self._calls = calls or CallReader(source, positions)
        self._stand_ins: dict[str, str | Factor | Offset] = {}
        self._others: Sequence[str] | None = None

    def terms(self, text: str) -> tuple[tuple[Term, ...], bool]:
        """Terms by ascending number of variables, and whether there is a constant; as `terms_and_offsets`, without these.

        Raises
        ------
        CommandError
            For an offset as well.

        Examples
        --------
        >>> terms, constant = Algebra("x*z - 1", {}).terms("x*z - 1")
        >>> [[factor.variable for factor in term.factors] for term in terms], constant
        ([['x'], ['z'], ['x', 'z']], False)
        """
        terms, constant, offsets = self.terms_and_offsets(text)
        if offsets:
            start = len(text) - len(text.lstrip())
            raise CommandError("offset() is part of the fixed effects, and there is one here", self._source, start)
        return terms, constant

    def terms_and_offsets(self, text: str, others: Sequence[str] | None = None) -> tuple[tuple[Term, ...], bool, tuple[str, ...]]:
        """Terms by ascending number of variables, whether there is a constant, and the variables of offsets.

        Parameters
        ----------
        text : str
            A part of the source, padded with blanks so that offsets agree.
        others : sequence of str, optional
            What a point stands for; a pattern `.` where that is not known yet.
        """
        text = self._without_calls(text)
        if (plain := self._plain_sum(text)) is not None:
            return plain
        from formulaic.errors import FormulaicError  # delayed for a quick start
        from formulaic.parser import DefaultFormulaParser

        parser, start = DefaultFormulaParser(), len(text) - len(text.lstrip())
        try:
            factors = self._factors(list(parser.get_tokens(text)))
            text = self._without_points(text, others, factors)
            if _size(parser.get_ast(text)) > MOST_TERMS:
                raise CommandError(f"the formula expands to more than {MOST_TERMS} terms", self._source, start)
            expanded = list(parser.get_terms(text))
        except (FormulaicError, SyntaxError) as error:
            # Formulaic reads what looks like a call as Python.
            message = _plain(error)
            for name in self._stand_ins:
                message = message.replace(f"`{name}`", "what is called")
            raise CommandError(message, self._source, min(start, len(self._source))) from None
        products = [tuple(factors[f.expr] for f in term.factors if f.expr in factors) for term in expanded]
        offsets = tuple(product[0].variable for product in products if len(product) == 1 and isinstance(product[0], Offset))
        products = [product for product in products if not (len(product) == 1 and isinstance(product[0], Offset))]
        if any(isinstance(factor, Offset) for product in products for factor in product):
            raise CommandError("offset() is a term of its own, added with +", self._source, start)
        constant = () in products
        found = (tuple(factor for factor in product if isinstance(factor, Factor)) for product in products if product)
        terms = sorted(once(map(Term, found)), key=lambda term: len(term.factors))
        if terms and len(terms[-1].factors) > MOST_FACTORS:
            raise CommandError(f"an interaction has at most {MOST_FACTORS} variables", self._source, start)
        return tuple(terms), constant, offsets

    def _plain_sum(self, text: str) -> tuple[tuple[Term, ...], bool, tuple[str, ...]] | None:
        """The same of a sum of names, with at most one 0 or 1, which needs no algebra; None of anything else."""
        items = [*_ITEM.finditer(text)] if _SUM.fullmatch(text) else []
        numbers = [item[0] for item in items if item[0] in ("0", "1")]
        names = [Name(item[0], item.start()) for item in items if item[0] not in ("0", "1")]
        if not items or len(numbers) > 1 or len(names) > MOST_TERMS:
            return None
        if any(isinstance(self._stand_ins.get(name.token), Offset) for name in names):
            return None
        factors: dict[str, Factor | Offset] = {}
        for name in names:
            factors.setdefault(name.token, self._factor(name))
        return once(Term((factor,)) for factor in factors.values() if isinstance(factor, Factor)), numbers != ["0"], ()

    def _without_calls(self, text: str) -> str:
        """The text with a name of the same length for each call and each name in backquotes, so that no sign in them has a
        meaning; a column `1` is no intercept, and a column `a:b` no product.
        """
        shielded = _STRING.sub(lambda match: "`" + "_" * (len(match[0]) - 2) + "`", text)
        parts, done = [], 0
        while match := _CALL.search(shielded, done):
            end = _closing(shielded, match.end())
            parts.append(self._unquoted(text[done : match.start()]))
            parts.append(self._stand_in(self._calls.read(match.start(), end), end - match.start()))
            done = end
        parts.append(self._unquoted(text[done:]))
        return _SPLIT_UP.sub(lambda match: ":".center(len(match[0])), "".join(parts))

    def _unquoted(self, text: str) -> str:
        def plain(match: re.Match) -> str:
            name = match["name"]
            if _PLAIN.fullmatch(name):
                return f" {name} "
            return self._stand_in(name, len(match[0]))

        return _QUOTED.sub(plain, text)

    def _stand_in(self, meant: str | Factor | Offset, length: int = 1) -> str:
        """A name that the formula does not have, the same for the same meaning, and blanks."""
        known = next((name for name, other in self._stand_ins.items() if other == meant), None)
        if known is None:
            count = len(self._stand_ins)
            while (known := chr(0x4E00 + count)) in self._source or known in self._stand_ins:
                count += 1
            self._stand_ins[known] = meant
        return known.ljust(length)

    def _without_points(self, text: str, others: Sequence[str] | None, factors: dict[str, Factor | Offset]) -> str:
        """The text with the sum of all other columns, or a pattern for them, in place of every lone point."""
        match = _POINT.search(text)
        if match is None:
            return text
        if others is not None and not 0 < len(others) <= MOST_TERMS:
            message = f"`.` stands for {len(others)} columns of the data here, those that the formula does not use otherwise"
            raise CommandError(message, self._source, match.start())
        point = Factor(".", pattern=True, position=match.start())
        found = [point] if others is None else [Factor(name, "by_type", position=point.position) for name in others]
        names = []
        for factor in found:
            known = next((name for name, other in factors.items() if other == factor), None)
            names.append(known or self._stand_in(factor, 1))
            factors.setdefault(names[-1], factor)
        return _POINT.sub(f"({' + '.join(names)})", text)

    def _factors(self, tokens: list[Token]) -> dict[str, Factor | Offset]:
        """The factor that each variable's token stands for; everything that is no model term is refused here."""
        factors: dict[str, Factor | Offset] = {}
        for before, token in zip([None, *tokens], tokens, strict=False):
            kind = token.kind.value if token.kind else ""
            if before is not None and before.token in _POWERS:
                self._check_power(token)
            elif kind == "name" and token.token != ".":
                factors.setdefault(token.token, self._factor(token))
            elif kind == "value":
                self._check_intercept(token)
            elif token.token != "." and not (
                _OPERATORS.fullmatch(token.token) if kind == "operator" else token.token in ("(", ")")
            ):
                raise self._refused(token)
        return factors

    def _factor(self, token: Token | Name) -> Factor | Offset:
        meant = self._stand_ins.get(token.token, token.token)
        if not isinstance(meant, str):
            return meant
        position = token.source_start or 0
        self._positions[meant] = min(position, self._positions.get(meant, position))
        return Factor(meant, "by_type", position=position)

    def _check_power(self, token: Token) -> None:
        if not token.token.isdecimal() or len(token.token) > 2 or not 1 <= int(token.token) <= MOST_FACTORS:
            message = f"a power must be a whole number from 1 to {MOST_FACTORS}, found {shortened(token.token)}"
            raise CommandError(message, self._source, token.source_start or 0)

    def _check_intercept(self, token: Token) -> None:
        if token.token not in ("0", "1"):
            message = f"found {shortened(token.token)}; the only numbers in a formula are 0 and 1, for the intercept"
            raise CommandError(message, self._source, token.source_start or 0)

    def _refused(self, token: Token) -> CommandError:
        position = token.source_start or 0
        if token.kind and token.kind.value == "python":
            hint = "functions such as log(x) may be called; compute other columns first"
        elif token.token == ",":
            hint = "options of a formula are keyword arguments, as in mixed(formula, data, reml=True)"
        else:
            hint = "terms are joined by + - * : / ^"
        typed = self._source[position : (token.source_end or position) + 1]
        return CommandError(f"{typed} is not understood in a formula; {hint}", self._source, position)


def _closing(text: str, start: int) -> int:
    """Offset after the parenthesis that closes the one before `start`; the end of the text where none does."""
    depth = 1
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position + 1
    return len(text)


def _size(node: Any) -> int:
    """An upper bound of the number of terms below a node of formulaic's tree, so that none are expanded in vain."""
    total = 0
    # Sums lean to the left; following them in a loop spares the stack.
    while (symbol := _symbol(node)) == "+" and len(node.args) == 2:
        total += _size(node.args[1])
        node = node.args[0]
    if symbol is None:
        return total + 1
    sizes = [_size(argument) for argument in node.args]
    if symbol in _POWERS:
        return total + min(sizes[0], MOST_TERMS + 1) ** min(int(str(node.args[1])), MOST_FACTORS)
    if symbol in ("*", ":"):
        return total + sizes[0] * sizes[1] + (sum(sizes) if symbol == "*" else 0)
    return total + sum(sizes)


def _symbol(node: Any) -> str | None:
    operator = getattr(node, "operator", None)
    return None if operator is None else operator.symbol


def _plain(error: Exception) -> str:
    """formulaic's message without its own picture of the place."""
    return _ANSI.sub("", str(error)).split("\n", 1)[0].rstrip(".")
