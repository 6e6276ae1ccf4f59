"""Lists of variables with factor-variable and time-series operators and interactions, expanded to terms in Stata's order."""

# lark types a tree's children as trees or tokens; which it is, the grammar decides.
# pyright: reportArgumentType=false, reportAssignmentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import product

from lark import Token, Tree

from sparsemixed.command.factors import Operator, read_operator
from sparsemixed.command.parse import unquoted
from sparsemixed.errors import CommandError
from sparsemixed.spec import MOST_FACTORS, Base, Factor, Term

MOST_TERMS = 10_000
"""Parentheses multiply; past this many terms a list is a slip."""

Product = tuple[Factor, ...]

PATTERNS = ("WILDCARD", "SPAN")
"""Tokens that stand for several columns of the data."""

_PLAIN, _CATEGORICAL = Operator(""), Operator("categorical")
_BLANKS = re.compile(r"\s+")
ABBREVIATED = re.compile(r"\w+~\w+")
"""A pattern that stands for one column."""


class VarlistReader:
    """Reads one list of variables; a base given anywhere in the list (`ib3.a`) holds in the whole list.

    Parameters
    ----------
    source : str
        The command as typed, for messages.
    positions : dict
        Variable name to first offset; filled while reading.
    """

    def __init__(self, source: str, positions: dict[str, int]):
        self._source, self._positions = source, positions
        self._bases: dict[str, Base] = {}

    def terms(self, varlist: Tree | None) -> tuple[Term, ...]:
        """All terms of the list, each once."""
        products = [] if varlist is None else self._list(varlist, interacted=False, outer=None)
        return once(Term(tuple(self._with_common_base(factor) for factor in factors)) for factors in products)

    def response(self, chain: Tree) -> str:
        """The name of the one variable, perhaps with a time-series operator, that a chain must be."""
        tokens = list(chain.scan_values(lambda value: isinstance(value, Token)))
        # Reading it as terms first lets operators that are not understood speak for themselves.
        before = dict(self._positions)
        products = self._chain(chain, interacted=False, outer=None)
        operators = [token for token in tokens if token.type == "OPERATOR"]
        others = [
            token for token in tokens if token.type not in ("OPERATOR", "NAME", "QUOTED") and not ABBREVIATED.fullmatch(token)
        ]
        if (
            others
            or len(products) != 1
            or any(read_operator(str(one), self._source, one.start_pos or 0).kind for one in operators)
        ):
            self._positions.clear()
            self._positions.update(before)
            message = "the dependent variable comes first and is one variable, without operators but those of time series"
            raise self._error(message, tokens[0])
        return products[0][0].variable

    def _with_common_base(self, factor: Factor) -> Factor:
        if factor.kind != "categorical" or factor.levels or factor.variable not in self._bases:
            return factor
        return replace(factor, base=self._bases[factor.variable])

    def _list(self, varlist: Tree, interacted: bool, outer: Operator | None) -> list[Product]:
        products: list[Product] = []
        for chain in varlist.children:
            products += self._chain(chain, interacted, outer)
            self._check_size(products, chain)
        return products

    def _chain(self, chain: Tree, interacted: bool, outer: Operator | None) -> list[Product]:
        """Operands joined by `#` and `##`; parentheses distribute first: `a##(b c)` is `a##b a##c`."""
        operands = [child for child in chain.children if isinstance(child, Tree)]
        joints = [child for child in chain.children if isinstance(child, Token)]
        choices = [self._operand(operand, interacted or len(operands) > 1, outer) for operand in operands]
        products: list[Product] = []
        for combination in product(*choices):
            products += self._expand(combination, joints)
            self._check_size(products, chain)
        return products

    def _expand(self, factors: tuple[Product, ...], joints: list[Token]) -> list[Product]:
        """`a##b##c` to a, b, a#b, c, a#c, b#c, a#b#c: Stata's order."""
        expanded = [factors[0]]
        for joint, right in zip(joints, factors[1:], strict=True):
            joined = [left + right for left in expanded]
            expanded = [*expanded, right, *joined] if joint == "##" else joined
            if max(map(len, expanded)) > MOST_FACTORS:
                raise self._error(f"an interaction has at most {MOST_FACTORS} variables", joint)
        return expanded

    def _operand(self, operand: Tree, interacted: bool, outer: Operator | None) -> list[Product]:
        """One variable or pattern, or the list in a pair of parentheses; operators before it concern all of them."""
        *operators, last = [child for child in operand.children if not _is_parenthesis(child)]
        operator = self._operator(operators, outer)
        if isinstance(last, Tree) and last.data == "varlist":
            return self._list(last, interacted, operator)
        if interacted and (operator is None or not operator.kind):
            operator = _CATEGORICAL if operator is None else operator.before(_CATEGORICAL)
        name = last if isinstance(last, Token) else last.children[0]
        return [(factor,) for factor in self._factors(name, operator)]

    def _operator(self, tokens: list[Token], outer: Operator | None) -> Operator | None:
        """All operators before an operand as one; one of them at most may be of factor notation."""
        found, kinds = outer, 0
        for token in tokens:
            operator = read_operator(str(token), self._source, token.start_pos or 0)
            if operator.kind == "values":
                message = "R. stands alone in its random-effects equation: `|| level: R.variable`"
                raise self._error(message, token)
            kinds += bool(operator.kind)
            if kinds > 1:
                raise self._error("one factor-variable operator is enough", token)
            try:
                found = operator if found is None else found.before(operator)
            except ValueError as error:
                raise self._error(str(error), token) from None
        return found

    def _factors(self, name: Token, operator: Operator | None) -> list[Factor]:
        pattern = name.type in PATTERNS
        variable = _BLANKS.sub("", name) if pattern else unquoted(name)
        position = name.start_pos or 0
        try:
            factors = (operator or _PLAIN).factors(variable, position, pattern)
        except ValueError as error:
            raise self._error(str(error), name) from None
        for factor in factors:
            self._positions[factor.variable] = min(position, self._positions.get(factor.variable, position))
            if operator is not None and operator.base is not None:
                if self._bases.setdefault(factor.variable, operator.base) != operator.base:
                    raise self._error(f"{factor.variable} has two different base levels in one list", name)
        return factors

    def _check_size(self, products: list[Product], chain: Tree) -> None:
        if len(products) > MOST_TERMS:
            token = next(chain.scan_values(lambda value: isinstance(value, Token)))
            raise self._error(f"the list expands to more than {MOST_TERMS} terms", token)

    def _error(self, message: str, token: Token) -> CommandError:
        return CommandError(message, self._source, token.start_pos)


def once(terms: Iterable[Term]) -> tuple[Term, ...]:
    """The terms without repetitions; the order of a product's factors does not tell terms apart.

    Examples
    --------
    >>> a, b = Factor("a"), Factor("b")
    >>> len(once([Term((a, b)), Term((b, a)), Term((a, a))]))
    2
    """
    kept: dict[tuple[str, ...], Term] = {}
    for term in terms:
        kept.setdefault(tuple(sorted(map(_meaning, term.factors))), term)
    return tuple(kept.values())


def _meaning(factor: Factor) -> str:
    return repr(replace(factor, position=None))


def _is_parenthesis(child: Tree | Token) -> bool:
    return isinstance(child, Token) and child.type in ("LPAR", "RPAR")
