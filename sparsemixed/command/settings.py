"""Options collected from the text and from keyword arguments, each set once."""

# lark types a tree's children as trees or tokens; which it is, the grammar decides.
# pyright: reportArgumentType=false, reportAssignmentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lark import Token, Tree

from sparsemixed.command.arguments import Reader
from sparsemixed.command.options import OPTIONS, Option, find_option
from sparsemixed.errors import CommandError, OptionError, suggestion
from sparsemixed.spec import (
    CLUSTER_ROBUST,
    DFMETHODS,
    EXCLUSIVE,
    NOT_KRYLOV,
    DisplayOptions,
    EstimationOptions,
    ResidualSpec,
    TimeSet,
    Vce,
    WeightSpec,
)

ONLY_EM = 20
"""Stata's default of emiterate(), where EM is all there is."""


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
            What concerns the equation itself: `constant`, `covariance`, `collinear`, `fweight`, `pweight`.
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
            if option.name in ("fweight", "pweight"):
                raise OptionError(
                    f"{option.name} is an option of one random-effects equation; as a keyword write {option.name}s, for the "
                    f'observations, or by level: {option.name}s={{"": "w1", "school": "w2"}}'
                )
            if value is None:
                continue
            if option.part == "constraints":  # the keyword holds equations, the option in the text their numbers
                self._model["constraints", "definitions"] = Setting(value, option.name)
                continue
            setting = _keyword_setting(option, value)
            if option.part == "equation":
                equations[option.field] = setting.value
            else:
                self._store(self._model, option, setting, None)
        return equations

    def asked(self, part: str, field: str) -> Setting | None:
        """What the text or a keyword sets, if anything does."""
        return self._model.get((part, field))

    def estimation(self, weights: WeightSpec | None) -> EstimationOptions:
        """The estimation options asked for, the rest at their defaults."""
        options = EstimationOptions(**self._part("estimation"))
        if options.emonly:
            self._check_emonly(weights)
            if ("estimation", "emiterate") not in self._model:
                options = replace(options, emiterate=ONLY_EM)
        if options.nonrtolerance and options.nrtolerance is not None:
            self._refuse("estimation", "nonrtolerance", "and nrtolerance() exclude each other")
        if options.solver == "krylov":
            for field in NOT_KRYLOV:
                if getattr(options, field) != getattr(EstimationOptions(), field):
                    self._refuse("estimation", field, "is not available with solver(krylov), which has one way to search")
        asked = options.dfmethod
        if asked is not None and DFMETHODS[asked.name] and options.method != "reml":
            self._refuse("estimation", "dfmethod", "needs REML estimation; add the option reml")
        return options

    def _check_emonly(self, weights: WeightSpec | None) -> None:
        """Refuse EM alone where only a gradient-based search is available (manual, EM options)."""
        if weights is not None:
            self._refuse(
                "estimation",
                "emonly",
                f"is available only with unweighted estimation, not with {weights.written(weights.each[0])}",
            )
        residual = self.residual()
        if residual.name != "independent" or residual.by is not None:
            setting = self._model["residual", "residual"]
            why = f"needs independent residuals with constant variance and is not available with {setting.written}"
            self._refuse("estimation", "emonly", why)

    def residual(self) -> ResidualSpec:
        """The residual structure asked for; independent errors by default."""
        setting = self._model.get(("residual", "residual"))
        if setting is None:
            return ResidualSpec()
        assert isinstance(setting.value, ResidualSpec)
        return replace(setting.value, position=setting.position)

    def tsset(self) -> TimeSet | None:
        """What time-series operators count in, if it was declared."""
        setting = self._model.get(("data", "tsset"))
        if setting is None:
            return None
        assert isinstance(setting.value, TimeSet)
        return replace(setting.value, position=setting.position)

    def abbreviations(self) -> bool:
        """Whether names may be abbreviated."""
        return bool(self._part("data").get("abbreviations", False))

    def vce(self, weights: WeightSpec | None) -> Vce:
        """The covariance matrix asked for; robust by default with sampling weights."""
        setting = self._model.get(("vce", "vce"))
        sampling = weights is not None and weights.kind == "sampling"
        if setting is None:
            return Vce("robust") if sampling else Vce()
        asked = setting.value
        assert isinstance(asked, Vce)
        if asked.name in ("robust", "cluster") and self._part("estimation").get("method") == "reml":
            why = "is not available with reml: the restricted likelihood is not a sum over clusters. Use ML, or vce(cr2)"
            self._refuse("vce", "vce", why)
        if asked.name != "oim" and ("estimation", "dfmethod") in self._model:
            self._refuse("vce", "vce", "and dfmethod() exclude each other: degrees of freedom rest on the model's covariance")
        if asked.name == "oim" and sampling:
            self._refuse("vce", "vce", "is not available with sampling weights, whose standard errors are robust")
        if asked.name in CLUSTER_ROBUST and weights is not None and weights.kind != "precision":
            self._refuse("vce", "vce", f"is not available with {weights.name}s; use vce(robust)")
        return replace(asked, position=setting.position)

    def display(self) -> DisplayOptions:
        """The display options asked for, the rest at their defaults."""
        for field in ("dftable", "small"):
            setting = self._model.get(("display", field))
            if setting is not None and setting.value not in ("default", False) and not self._has_degrees():
                self._refuse("display", field, "needs degrees of freedom; add the option dfmethod() or vce(cr2)")
        for field, other in EXCLUSIVE:
            asked, second = self._model.get(("display", field)), self._model.get(("display", other))
            if asked is not None and second is not None and asked.value and second.value not in ("default", False):
                self._refuse("display", field, f"and {second.written} exclude each other")
        return DisplayOptions(**self._part("display"))

    def _has_degrees(self) -> bool:
        """Whether some option brings degrees of freedom."""
        vce = self._model.get(("vce", "vce"))
        own = vce is not None and isinstance(vce.value, Vce) and vce.value.name in CLUSTER_ROBUST
        return own or ("estimation", "dfmethod") in self._model

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
        if parenthesized and not option.takes_argument:
            raise OptionError(f"option {option.name} takes no argument", self.source, tree.children[1].start_pos)
        if option.argument is None:
            return Setting(option.value, option.name, token.start_pos)
        if not parenthesized:
            raise OptionError(f"option {option.written} needs an argument", self.source, token.start_pos)
        opening, closing = tree.children[1], tree.children[-1]
        text = self._text[opening.end_pos : closing.start_pos]
        position = opening.end_pos + len(text) - len(text.lstrip())
        shown = " " * opening.end_pos + text if option.in_place else text
        value = _argument(option, option.argument, shown, self.source, position)
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
