"""The algebra of formula terms (`+ - * : / ^`), done by formulaic and restricted to what a model can use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sparsemixed.command.varlist import MOST_TERMS, once
from sparsemixed.errors import CommandError, shortened
from sparsemixed.spec import MOST_FACTORS, Factor, Term

if TYPE_CHECKING:
    from formulaic.parser.types import Token

_OPERATORS = re.compile(r"[+-]+|\*|:|/|\^|\*\*")
_POWERS = ("^", "**")
_CATEGORICAL = re.compile(r"C\(\s*(?P<name>`[^`\n]+`|[^\W\d][\w.]*)\s*\)")
_QUOTED = re.compile(r"`(?P<name>[^`\n]+)`")
_PLAIN = re.compile(r"[^\W\d][\w.]*")
_ANSI = re.compile(r"\x1b\[\d+m|⧛\S*?⧚")


class Algebra:
    """Expands the sums and products of one formula.

    Parameters
    ----------
    source : str
        The formula as typed, for messages.
    positions : dict
        Variable name to first offset; filled while reading.
    """

    def __init__(self, source: str, positions: dict[str, int]):
        self._source, self._positions = source, positions
        self._quoted: dict[str, str] = {}

    def terms(self, text: str) -> tuple[tuple[Term, ...], bool]:
        """Terms by ascending number of variables, and whether there is a constant.

        Parameters
        ----------
        text : str
            A part of the source, padded with blanks so that offsets agree.

        Examples
        --------
        >>> terms, constant = Algebra("x*z - 1", {}).terms("x*z - 1")
        >>> [[factor.variable for factor in term.factors] for term in terms], constant
        ([['x'], ['z'], ['x', 'z']], False)
        """
        # formulaic takes a third of a second to import, which commands need not wait for.
        from formulaic.errors import FormulaicError
        from formulaic.parser import DefaultFormulaParser

        text, parser = self._unquoted(text), DefaultFormulaParser()
        start = len(text) - len(text.lstrip())
        try:
            factors = self._factors(list(parser.get_tokens(text)))
            if _size(parser.get_ast(text)) > MOST_TERMS:
                raise CommandError(f"the formula expands to more than {MOST_TERMS} terms", self._source, start)
            expanded = list(parser.get_terms(text))
        except (FormulaicError, SyntaxError) as error:
            # Formulaic reads what looks like a call as Python.
            raise CommandError(_plain(error), self._source, min(start, len(self._source))) from None
        products = [tuple(factors[f.expr] for f in term.factors if f.expr in factors) for term in expanded]
        constant = () in products
        terms = sorted(once(Term(product) for product in products if product), key=lambda term: len(term.factors))
        if terms and len(terms[-1].factors) > MOST_FACTORS:
            raise CommandError(f"an interaction has at most {MOST_FACTORS} variables", self._source, start)
        return tuple(terms), constant

    def _unquoted(self, text: str) -> str:
        """The text with names in backquotes as plain names of the same length, so that no sign in them has a meaning.

        A column `1` is no intercept, and a column `a:b` no product.
        """

        def plain(match: re.Match) -> str:
            name = match["name"]
            if _PLAIN.fullmatch(name):
                return f" {name} "
            count = len(self._quoted)
            while (stand_in := chr(0x4E00 + count).ljust(len(match[0]), "_")) in text:
                count += 1
            known = next((other for other, meant in self._quoted.items() if meant == name), stand_in)
            self._quoted[known] = name
            return known

        return _QUOTED.sub(plain, text)

    def _factors(self, tokens: list[Token]) -> dict[str, Factor]:
        """The factor that each variable's token stands for; everything that is no model term is refused here."""
        factors: dict[str, Factor] = {}
        for before, token in zip([None, *tokens], tokens, strict=False):
            kind = token.kind.value if token.kind else ""
            if before is not None and before.token in _POWERS:
                self._check_power(token)
            elif kind in ("name", "python") and token.token != ".":
                factors.setdefault(token.token, self._factor(token, kind))
            elif kind == "value":
                self._check_intercept(token)
            elif not (_OPERATORS.fullmatch(token.token) if kind == "operator" else token.token in ("(", ")")):
                raise self._refused(token)
        return factors

    def _factor(self, token: Token, kind: str) -> Factor:
        position = token.source_start or 0
        if kind == "name":
            name, variable_kind = self._quoted.get(token.token, token.token), "by_type"
        else:
            match = _CATEGORICAL.fullmatch(self._source[position : (token.source_end or position) + 1])
            if match is None:
                raise self._refused(token)
            name, variable_kind = match["name"].strip("`"), "categorical"
        self._positions[name] = min(position, self._positions.get(name, position))
        return Factor(name, variable_kind, position=position)

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
            hint = "only C(variable) may be called; compute other columns first"
        elif token.token == ",":
            hint = "options of a formula are keyword arguments, as in mixed(formula, data, reml=True)"
        else:
            hint = "terms are joined by + - * : / ^"
        typed = self._source[position : (token.source_end or position) + 1]
        return CommandError(f"{typed} is not understood in a formula; {hint}", self._source, position)


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
