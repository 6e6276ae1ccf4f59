"""From the items of at() to settings: values, levels, and statistics of the rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np

from sparsemixed.design.data.rows import Level
from sparsemixed.design.fixed.terms import find_level, level_text
from sparsemixed.errors import OptionError, suggestion
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.margins.cell_means import Averages, continuous_variables
from sparsemixed.postestimation.margins.request import GROUPS, MOST_POINTS, OVERALL, Item
from sparsemixed.postestimation.margins.settings import Setting
from sparsemixed.spec.numbers import is_number

NO_RANKS = "percentiles need the rows, which this fit does not have: it was made from batches of data"


class FixedVariables:
    """Factors and covariates of a fit's fixed part.

    Attributes
    ----------
    factors : dict
        Variable -> its levels.
    bases : dict
        Variable -> its base level, the first where it has none.
    covariates : tuple of str
        Offsets are the last.
    offsets : tuple of str
    """

    def __init__(self, fit: Fit):
        self.factors: dict[str, tuple[Level, ...]] = dict(fit.design.levels)
        self.covariates = continuous_variables(fit.design, fit.spec)
        self.offsets = fit.spec.offsets
        self.computed = fit.spec.computed
        self.bases = {name: levels[0] for name, levels in self.factors.items()}
        for column in fit.design.columns:
            if column.status == "base" and len(column.cell) == 1:
                self.bases[fit.spec.fixed[column.term].factors[0].variable] = column.cell[0]

    @property
    def all(self) -> tuple[str, ...]:
        """Every variable; one that stands as factor and as covariate counts once."""
        return tuple(dict.fromkeys((*self.factors, *self.covariates)))

    def group(self, names: Iterable[str], where: str) -> list[str]:
        """Variables by name, or `_all`, `_factor`, `_continuous`, `*`.

        Raises
        ------
        OptionError
            A name that is no variable of the fixed part.
        """
        out: list[str] = []
        for name in names:
            plain = re.sub(r"^(?:[ic]|b\d+)\.", "", name)
            if name in ("_all", "*"):
                out += self.all
            elif name in GROUPS:
                out += self.factors if name == "_factor" else self.covariates
            elif plain in self.all:
                out.append(plain)
            else:
                self.check_free(plain, where)
                known = ", ".join(self.all) or "none"
                raise OptionError(
                    f"{where}: {name} is not a variable of the fixed part{suggestion(plain, self.all)}; its variables are {known}"
                )
        for name in out:
            self.check_free(name, where)
        return list(dict.fromkeys(out))

    def check_free(self, name: str, where: str) -> None:
        """Refuse a variable that cannot move by itself: other columns are computed from it, or it is computed.

        Raises
        ------
        OptionError
        """
        for column in self.computed:
            if name in column.sources or name in column.names():
                raise OptionError(
                    f"{where}: {name} cannot be set or differentiated, because of {column.text} in the formula; give the model "
                    "columns of the data, and powers by c.x#c.x in a command"
                )

    def factor(self, name: str, where: str) -> str:
        """A name that must be a factor's."""
        if name not in self.factors:
            known = ", ".join(self.factors) or "none"
            raise OptionError(f"{where}: {name} is not a factor of the fixed part; its factors are {known}")
        return name


def means(variables: FixedVariables, names: Iterable[str], averages: Averages, text: str = "(mean)") -> Setting:
    """Covariates at their means, factors at the shares of their levels."""
    names = list(names)
    values = {name: averages.mean(name) for name in names if name in variables.covariates}
    shares = {
        name: dict(zip(variables.factors[name], averages.shares(name).tolist(), strict=True))
        for name in names
        if name in variables.factors
    }
    return Setting(values, shares, dict.fromkeys(names, text))


def balanced(variables: FixedVariables, names: Iterable[str], reweight: bool = False) -> Setting:
    """Factors at equal shares of all their levels; with `reweight` of those of their terms' cells that occur."""
    names = list(names)
    shares = {name: dict.fromkeys(variables.factors[name], 1.0 / len(variables.factors[name])) for name in names}
    return Setting({}, shares, dict.fromkeys(names, "(asbalanced)"), frozenset(names if reweight else ()))


def points(items: Sequence[Item]) -> list[tuple[Item, ...]]:
    """The items with one value each: every combination of the values of all lists, the last list fastest."""
    lists = [[Item(i.variables, i.statistic, (v,)) for v in i.values] if not i.statistic else [i] for i in items]
    count = int(np.prod([len(one) for one in lists]))
    if count > MOST_POINTS:
        raise OptionError(f"at() has {count:,} combinations of values; at most {MOST_POINTS:,} are taken")
    return list(product(*lists))


def setting_of(
    items: Sequence[Item],
    first: Setting,
    variables: FixedVariables,
    averages: Averages,
    overall: Averages,
    reweight: bool = False,
) -> Setting:
    """What one point of an at() sets, on top of what is set before it.

    Parameters
    ----------
    items : sequence of Item
        With one value each; `generate` items set nothing here.
    first : Setting
    averages, overall : Averages
        Of the group of over(), and of all rows, whose statistics have an `o` before their word: (omean), (op25).
    reweight : bool
        Whether balanced factors leave out cells without observations.
    """
    found = first
    for item in items:
        names = variables.group(item.variables, "at()")
        if item.statistic == "generate":
            continue
        if item.statistic:
            whole = item.statistic in OVERALL or item.statistic.startswith("op")
            found = _statistic(item.statistic, names, found, variables, overall if whole else averages, reweight)
        else:
            found = found.merged(_value(names, item.values[0], variables))
    return found


def _value(names: Sequence[str], value: object, variables: FixedVariables) -> Setting:
    values, shares = {}, {}
    for name in names:
        if name in variables.factors:
            asked = value if isinstance(value, (int, float, str)) else str(value)
            level = find_level(asked, variables.factors[name])
            if level is None:
                shown = ", ".join(map(level_text, variables.factors[name][:10]))
                raise OptionError(f"at(): {level_text(asked)} is no level of {name}; its levels in the sample are {shown}")
            shares[name] = {level: 1.0}
        if name in variables.covariates:
            if not is_number(value) or not np.isfinite(value):
                raise OptionError(f"at(): {name} is continuous and takes a number or a statistic; found {value!r}")
            values[name] = float(value)
    return Setting(values, shares)


def _statistic(
    word: str, names: Sequence[str], found: Setting, variables: FixedVariables, averages: Averages, reweight: bool
) -> Setting:
    if word == "asobserved":
        return found.without(names)
    if word in ("mean", "omean"):
        return found.merged(means(variables, names, averages, f"({word})"))
    if word == "asbalanced":
        factors = [variables.factor(name, "at((asbalanced))") for name in names]
        return found.merged(balanced(variables, factors, reweight))
    if word == "base":
        bases = {name: {variables.bases[variables.factor(name, "at((base))")]: 1.0} for name in names}
        return found.merged(Setting({}, bases, dict.fromkeys(names, "(base)")))
    wrong = next((name for name in names if name not in variables.covariates), None)
    if wrong is not None:
        raise OptionError(f"at(): ({word}) is for continuous variables, and {wrong} is a factor")
    if word == "zero":
        return found.merged(Setting(dict.fromkeys(names, 0.0), {}, dict.fromkeys(names, "(zero)")))
    plain = word.removeprefix("o")
    place = {"min": 0, "median": 50, "max": 100}.get(plain) if not plain[1:].isdigit() else int(plain[1:])
    ranks = averages.statistics.percentiles
    if any(name not in ranks for name in names):
        raise OptionError(f"at(): {NO_RANKS}")
    values = {name: float(ranks[name][place]) for name in names}
    return found.merged(Setting(values, {}, dict.fromkeys(names, f"({word})")))
