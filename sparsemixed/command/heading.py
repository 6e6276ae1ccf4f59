"""What stands before a model: the name of the command, and prefixes; other commands are told what to do here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sparsemixed.command.arguments import Word
from sparsemixed.command.prefixes import PREFIXES, without_plain_prefixes
from sparsemixed.errors import CommandError

NAMES = ("mixed", "xtmixed")
"""Commands that are read here. xtmixed is what mixed was called before Stata 13: maximum likelihood, as its last version, and
standard deviations in its tables."""

_SILENT = tuple(map(Word, ("QUIetly", "Noisily", "CAPture")))
_FITS = "a fit is an object here: fit = mixed(...), then"
_OF_MIXED = "it goes before a whole command in sparsemixed.mixed; {} does the same"
_PREFIXES: dict[str, str] = {
    **{one.pattern: _OF_MIXED.format(f"sparsemixed.{one.function}") for one in PREFIXES if one.function and not one.first},
    "mi": _OF_MIXED.format("sparsemixed.mi"),
    **{word: _OF_MIXED.format("fit.bootstrap") for word in ("BOOTstrap", "bs")},
    **{word: _OF_MIXED.format("fit.jackknife") for word in ("JACKknife", "jknife")},
    **dict.fromkeys(("PERMute", "SIMulate"), "draw data frames and fit each of them"),
    "svy": "weights are part of the command: [pweight=w], and pweight() of the groups",
    **dict.fromkeys(("STEPwise", "sw", "nestreg", "fp", "mfp"), "fit the models one by one; sparsemixed.lrtest compares two"),
    "VERsion": "commands are read as those of the present Stata; leave it out",
    "timer": "leave it out",
    "bayes": 'sparsemixed.bayes takes it: sparsemixed.bayes("bayes: mixed ...", data)',
}
"""Prefixes of Stata, in the notation of `Word`, and what to do instead."""
_XI = re.compile(r"\bi\.(?P<first>\w+)(?P<sign>[*|])")

_MODELS = "the models here are linear mixed models: mixed y x || level: ..."
_OF_DATA = (
    *("use", "sysuse", "webuse", "import", "insheet", "Generate", "replace", "egen", "merge", "APpend", "collapse", "reshape"),
    *("encode", "decode", "destring", "tostring", "recode", "REName", "drop", "keep", "sort", "gsort", "LAbel", "duplicates"),
    *("clear", "preserve", "restore", "save"),
)
_OF_LOOKS = (
    *("SUmmarize", "TABulate", "tabstat", "DEscribe", "List", "codebook", "count", "assert", "CORrelate", "pwcorr", "xtsum"),
    *("xtdescribe", "xttab", "GRaph", "TWoway", "scatter", "HISTogram", "kdensity", "qnorm", "swilk", "ttest"),
)
_OF_PROGRAMS = (
    *("foreach", "FORVALues", "while", "set", "LOCal", "GLobal", "scalar", "tempvar", "PRogram", "do", "run", "cd", "log"),
    *("DIsplay", "exit", "ssc", "net", "matsize"),
)
_AFTER = {
    "estat": f"{_FITS} fit.estat.df(), fit.estat.icc(), fit.estat.ic()",
    "PRedict": f"{_FITS} fit.predict(what=...)",
    "TEst": f'{_FITS} fit.test("2.arm = 3.arm")',
    "TESTParm": f'{_FITS} fit.testparm("i.arm")',
    "lincom": f'{_FITS} fit.lincom("2.arm - 3.arm")',
    "contrast": f'{_FITS} fit.contrast("r.arm")',
    "pwcompare": f'{_FITS} fit.pwcompare("arm")',
    "lrtest": f"{_FITS} sparsemixed.lrtest(fit, other)",
    "ESTimates": f"{_FITS} fit.save(path), sparsemixed.load(path), sparsemixed.compare(fit, other)",
    **dict.fromkeys(("esttab", "estout", "etable", "outreg2"), f"{_FITS} sparsemixed.compare(fit, other)"),
    "margins": f'{_FITS} fit.margins("arm, dydx(x)")',
    "marginsplot": f"{_FITS} fit.margins(...), whose table a plotting library draws",
    "nlcom": f"{_FITS} its methods test, lincom, margins and predict",
    **dict.fromkeys(("xtset", "tsset"), "write the option tsset(panelvar timevar)"),
    **dict.fromkeys(_OF_DATA, "prepare the data frame in Python"),
    **dict.fromkeys(_OF_LOOKS, "look at the data frame in Python"),
    **dict.fromkeys(_OF_PROGRAMS, "texts are made and loops are run in Python"),
    "CONSTraint": 'write the option constraints(#) and mixed(..., constraints={1: "x = z"})',
    **dict.fromkeys(("EREturn", "RETurn"), f"{_FITS} fit.e, fit.params, fit.cov_params()"),
    **dict.fromkeys(("MATrix", "mata"), f"{_FITS} fit.params and fit.cov_params() are for numpy and pandas"),
    "svyset": "weights are part of the command: [pweight=w], and pweight() of the groups",
    "help": "help(sparsemixed.mixed) in Python",
    **dict.fromkeys(("REGress", "areg", "anova"), "without levels: mixed y x"),
}
"""Commands other than models, and what to do instead."""
_OTHER_MODELS = ("xtreg", "meglm", "melogit", "mepoisson", "menbreg", "meologit", "xtmelogit", "xtmepoisson", "gllamm", "gsem")
_PLAIN = ("estat", "TESTParm", "lincom", "pwcompare", "lrtest", "esttab", "estout", "etable", "outreg2", "margins", "marginsplot")
_SURELY = (*_PLAIN, "nlcom", "xtset", "tsset", "egen", "foreach", "FORVALues", "areg")
"""Those that hardly any variable is called by."""

_WORD = re.compile(r"\s*(?P<word>[^\W\d]\w*)(?P<colon>\s*:)?")
_MODEL_FOLLOWS = re.compile(r"\s+(?!(?:if|in)\b)[^\W\d`]|\s*`")
_REPLAY = re.compile(r"\s*(?:,|\Z)")
_PREFIXED = re.compile(r"\s*(?P<first>[^\W\d]\w*)(?:\b(?=[^\w:])[^|:~]*)?:\s*(?P<name>(?:xt)?mixed\b)?")


@dataclass(frozen=True)
class Heading:
    """What stands before a model.

    Attributes
    ----------
    text : str
        The text with it as blanks.
    command : str
        `mixed`, `xtmixed`, or empty.
    """

    text: str
    command: str = ""

    @property
    def deviations(self) -> bool:
        """Whether the command shows standard deviations unless variances are asked for."""
        return self.command == "xtmixed"


def without_heading(text: str, source: str) -> Heading:
    """Take off the name of the command and the prefixes that concern only what is shown.

    `mixed` is the dependent variable where it can only be that.

    Raises
    ------
    CommandError
        For other prefixes and commands, and a name alone, which shows the last results in Stata.

    Examples
    --------
    >>> without_heading("mixed y x", "mixed y x")
    Heading(text='      y x', command='mixed')
    >>> without_heading("qui: mixed || id:", "qui: mixed || id:").text
    '     mixed || id:'
    """
    text = without_plain_prefixes(text, source)
    place, end = 0, 0
    while (match := _WORD.match(text, place)) is not None:
        word = match["word"]
        if word in NAMES and not match["colon"]:
            command = _named(text, match, source)
            return Heading(_blanked(text, match.end() if command else end or place), command)
        if not (any(silent.matches(word) for silent in _SILENT) or (match["colon"] and word == "xi")):
            break
        if word == "xi":
            _check_xi(text, source)
        place = match.end()
        end = place if match["colon"] else end
    text = _blanked(text, end)
    _refuse_prefix(text, source, place)
    if "||" not in text:
        _refuse_command(text, source, _SURELY)
        _refuse_command(text, source, _SURELY, place)
    _refuse_command(text, source, _OTHER_MODELS)
    return Heading(text)


def _blanked(text: str, end: int) -> str:
    return re.sub(r"[^\n]", " ", text[:end]) + text[end:]


def _named(text: str, match: re.Match, source: str) -> str:
    """The name of the command, empty where the word is the dependent variable."""
    word, end = match["word"], match.end()
    if _REPLAY.match(text, end):
        message = f"`{word}` without a model shows the last results in Stata; {_FITS} print(fit.summary(level=90))"
        raise CommandError(message, source, match.start("word"))
    return word if _MODEL_FOLLOWS.match(text, end) else ""


def _check_xi(text: str, source: str) -> None:
    """What xi: itself expands; the rest means the same without it."""
    match = _XI.search(text)
    if match is not None:
        first = match["first"]
        other = f"i.{first}##i.b, i.{first}##c.x" if match["sign"] == "*" else f"i.{first} i.{first}#c.x"
        raise CommandError(f"{match[0]} is expanded by xi: in Stata; write {other}", source, match.start())


def _refuse_prefix(text: str, source: str, place: int) -> None:
    match = _PREFIXED.match(text, place)
    if match is None:
        return
    advice = next((advice for pattern, advice in _PREFIXES.items() if Word(pattern).matches(match["first"])), None)
    if advice is not None or match["name"]:
        message = f"the prefix {match['first']}: is no part of the language; {advice or 'leave it out'}"
        raise CommandError(message, source, match.start("first"))


def _refuse_command(text: str, source: str, patterns: tuple[str, ...], place: int = 0) -> None:
    match = _WORD.match(text, place)
    found = None if match is None else next((one for one in patterns if Word(one).matches(match["word"])), None)
    if match is not None and found is not None:
        word = match["word"]
        message = other_command(word) or f"{word} is another command of Stata; {_MODELS}"
        raise CommandError(f"{message} (for a variable of that name write mixed {word})", source, match.start("word"))


def other_command(word: str) -> str:
    """What to do in place of a command of Stata's that begins with a name which the data do not have; empty for other words.

    Examples
    --------
    >>> other_command("margins")
    'margins is another command of Stata; a fit is an object here: fit = mixed(...), then fit.margins("arm, dydx(x)")'
    """
    found = next((one for one in _AFTER if Word(one).matches(word)), None)
    return "" if found is None else f"{word} is another command of Stata; {_AFTER[found]}"


def refuse_other_command(text: str, source: str) -> None:
    """What a text that is no model may be: another command, whose name could have been a variable's."""
    _refuse_command(text, source, tuple(_AFTER))
