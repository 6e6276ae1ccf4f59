"""Margins as methods of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call

if TYPE_CHECKING:
    from sparsemixed.reporting.comparisons import ContrastResult
    from sparsemixed.reporting.margins import MarginsResult


class MarginsKeywords(TypedDict, total=False):
    """Options of `margins`: see there."""

    at: Any
    over: str | Sequence[str]
    dydx: str | Sequence[str]
    dyex: str | Sequence[str]
    eydx: str | Sequence[str]
    eyex: str | Sequence[str]
    atmeans: bool
    asbalanced: bool
    within: str | Sequence[str]
    continuous: bool
    emptycells: Literal["strict", "reweight"]
    pwcompare: bool | str
    contrast: bool | str
    mcompare: str
    vce: Literal["delta", "unconditional"]
    small: bool
    df: float
    level: float
    noweights: bool
    noesample: bool
    subpop: str
    grand: bool
    post: bool
    noatlegend: bool
    nopvalues: bool
    vsquish: bool


class HasMargins:
    """A fit with its call, of which margins are computed."""

    fit: Fit
    call: Call | None

    def margins(self, terms: str = "", *, data: Any = None, **options: Unpack[MarginsKeywords]) -> MarginsResult | ContrastResult:
        """Margins of the linear prediction: means over the rows, at values of variables, their slopes and comparisons.

        Parameters
        ----------
        terms : str
            Factors and interactions, `"sex##group"`; with contrast operators, `"r.drug"`, contrasts of margins. Stata's whole
            command is taken, too: `"sex#group, at(age=(20(10)60)) atmeans"`.
        data : DataFrame or path, optional
            Other rows to average over, unweighted.
        **options
            `at`, a text `"age=(20 40) (median) dose"`, a mapping `{"age": [20, 40], "dose": "median"}`, or a list, each entry an
            at() of its own; `over`, variables in whose groups of rows means are taken, and `within`, in whose groups only cells
            that occur are balanced; `dydx`, `dyex`, `eydx`, `eyex`, variables whose (half-)elasticities are averaged; `atmeans`,
            everything at its mean; `asbalanced`, factors at equal shares; `pwcompare`, all pairs, and `contrast`, with Stata's
            suboptions (`"effects"`, `"atcontrast(r._at)"`); `mcompare`; `vce="unconditional"`, which accounts for the sampling of
            the rows; `small`, t and F with the fit's degrees of freedom for every margin and comparison, or `df`, given ones; by
            default z, as in Stata; `post`, estimation results under `e`. The rest is on the page on margins.

        Raises
        ------
        OptionError
        DataError
            The rows are needed and not there; the data frame of the fit has changed.
        """
        from sparsemixed.fitting.margin_sample import margin_sample  # delayed, with what it needs, for a quick start
        from sparsemixed.postestimation.margins.asked import read_margins
        from sparsemixed.reporting.margins import margins_result

        asked = read_margins(terms, options, self.fit.spec.display.level)
        sample = margin_sample(self.fit, self.call, data, asked.weighted, asked.everywhere, asked.request.ranked)
        return margins_result(self.fit, asked, sample, terms)

    def _keep_margin_statistics(self) -> None:
        """Compute what margins need of the rows, for a fit that is to be left without them."""
        from sparsemixed.fitting.margin_sample import keep_margin_statistics  # delayed for a quick start

        keep_margin_statistics(self.fit, self.call)
