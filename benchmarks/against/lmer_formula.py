"""A formula of lme4 taken apart, for programs that want its fixed and its random part in other words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Term:
    """One `(columns | group)`.

    Attributes
    ----------
    columns : tuple of str
        Names of the columns that vary, `1` for the intercept, in the order typed.
    factors : tuple of str
        The columns of the data whose combinations are the groups.
    """

    columns: tuple[str, ...]
    factors: tuple[str, ...]

    @property
    def group(self) -> str:
        return ":".join(self.factors)

    @property
    def column(self) -> str:
        """Name of a column that tells the groups apart."""
        return "_x_".join(self.factors)


def take_apart(formula: str) -> tuple[str, list[Term]]:
    """`y ~ x` and the random terms; `a / b` stands for a and a:b, an intercept is there unless `0` is."""
    terms = []
    for inside in re.findall(r"\(([^()|]*\|[^()|]*)\)", formula):
        typed, group = (part.strip() for part in inside.split("|"))
        named = [name.strip() for name in typed.split("+")]
        columns = ("1",) * ("0" not in named) + tuple(name for name in named if name not in ("0", "1"))
        nested = [factor.strip() for factor in group.split("/")]
        terms += [Term(columns, tuple(nested[: depth + 1])) for depth in range(len(nested))]
    fixed = re.sub(r"\+?\s*\([^()|]*\|[^()|]*\)", "", formula).strip()
    return fixed if not fixed.endswith("~") else f"{fixed} 1", terms


def for_statsmodels(terms: list[Term]) -> dict[str, Any]:
    """`groups`, `re_formula` and `vc_formula` of MixedLM, empty where it has no such model.

    One factor with any columns; intercepts of a factor nested in it; or intercepts of crossed factors, for which all rows
    are one group. Correlated effects of crossed factors do not exist there.
    """
    first, rest = terms[0], terms[1:]
    if not rest:
        return {"groups": first.group, "re_formula": right_side(first), "vc_formula": None}
    if any(term.columns != ("1",) for term in terms[1:]):
        return {}
    if len(first.factors) == 1 and all(term.factors[:1] == first.factors for term in rest):
        inner = {term.factors[-1]: f"0 + C({term.factors[-1]})" for term in rest}
        return {"groups": first.group, "re_formula": right_side(first), "vc_formula": inner}
    if first.columns != ("1",) or any(len(term.factors) > 1 for term in terms):
        return {}
    return {"groups": None, "re_formula": "0", "vc_formula": {term.group: f"0 + C({term.group})" for term in terms}}


def right_side(term: Term) -> str:
    return " + ".join(term.columns if term.columns[0] == "1" else ("0", *term.columns))
