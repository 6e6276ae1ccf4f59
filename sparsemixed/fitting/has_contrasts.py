"""Contrasts and pairwise comparisons as methods of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from sparsemixed.command.hypothesis_options import CONTRAST, PWCOMPARE, read_comparison
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.call import Call
from sparsemixed.spec.numbers import check_level

if TYPE_CHECKING:
    from sparsemixed.postestimation.contrasts import ContrastOptions
    from sparsemixed.postestimation.margin_rows import Shares
    from sparsemixed.reporting.comparisons import ContrastResult

Adjustment = Literal["noadjust", "bonferroni", "sidak", "scheffe"]


class HasContrasts:
    """A fit with its call, whose margins are compared."""

    fit: Fit
    call: Call | None

    def contrast(
        self,
        terms: str,
        mcompare: Adjustment | None = None,
        level: float | None = None,
        small: bool = False,
        *,
        df: float | None = None,
        asobserved: bool = False,
        overall: bool = False,
        lincom: bool = False,
        sort: bool = False,
    ) -> ContrastResult:
        """Contrasts of balanced margins: `"r.drug"`, `"drug day drug#day"`, `"ar.day@drug"`, `"{drug -1 .5 .5}"`.

        Parameters
        ----------
        terms : str
            Terms with operators: r. reference (`rb2.` for another base), a. next level, ar. previous level, g. grand
            mean, h. Helmert, j. reverse Helmert, p. and q. orthogonal polynomials in values and ranks; gw., hw., jw.,
            pw. and qw. are the same with levels weighted by their numbers of observations. `a3.` and `p(1 2).` are single
            contrasts of an operator, by level or degree; `{drug -1 .5 .5}`, `{drug#day 1 -1 -1 1}` contrasts of one's own; `a@b`
            at each level of b, `a|b` of the levels of a that occur with it. Options may follow a comma.
        mcompare : {"noadjust", "bonferroni", "sidak", "scheffe"}
        level : float, optional
        small : bool
            Use the degrees of freedom of the fit's `dfmethod`.
        df : float, optional
            Given degrees of freedom.
        asobserved : bool
            Average over other factors as they were observed, not evenly.
        overall : bool
            A test of all terms together, which several terms have in any case.
        lincom : bool
            Whether coefficients of one's own need not add up to zero.
        sort : bool
            Contrasts by size within each term.
        """
        from sparsemixed.postestimation.contrasts import contrast  # delayed, with what it needs, for a quick start
        from sparsemixed.reporting.comparisons import ContrastResult

        keywords = {"mcompare": mcompare, "level": level, "small": small, "df": df, "asobserved": asobserved}
        keywords |= {"overall": overall, "lincom": lincom, "sort": sort}
        text, asked = read_comparison("contrast", terms, CONTRAST, keywords)
        return ContrastResult.of(contrast(self.fit, text, self._comparison(asked, "contrast")))

    def pwcompare(
        self,
        terms: str,
        mcompare: Adjustment | Literal["tukey"] | None = None,
        level: float | None = None,
        small: bool = False,
        *,
        df: float | None = None,
        asobserved: bool = False,
        groups: bool = False,
        cimargins: bool = False,
        sort: bool = False,
    ) -> ContrastResult:
        """All pairs of balanced margins of a factor or interaction; `mcompare` as in `contrast`, or "tukey".

        Parameters
        ----------
        terms : str
            Factors and interactions; options may follow a comma.
        groups, cimargins : bool
            Show the margins, with letters that those share which are not significantly different, or with their limits; the data
            frame `margins` has both.
        mcompare, level, small, df, asobserved, sort
            As in `contrast`.
        """
        from sparsemixed.postestimation.contrasts import pairwise  # delayed, with what it needs, for a quick start
        from sparsemixed.reporting.comparisons import ContrastResult

        keywords = {"mcompare": mcompare, "level": level, "small": small, "df": df, "asobserved": asobserved}
        keywords |= {"groups": groups, "cimargins": cimargins, "sort": sort}
        text, asked = read_comparison("pwcompare", terms, PWCOMPARE, keywords)
        return ContrastResult.of(pairwise(self.fit, text, self._comparison(asked, "pwcompare")))

    def _comparison(self, asked: dict[str, Any], command: str) -> ContrastOptions:
        from sparsemixed.postestimation.contrasts import ContrastOptions  # delayed, with what it needs, for a quick start

        level = asked.get("level")
        hidden = [table for option, table in (("nowald", "wald"), ("noeffects", "effects")) if asked.get(option)]
        return ContrastOptions(
            mcompare=asked.get("mcompare", "noadjust"),
            level=check_level(self.fit.spec.display.level if level is None else level),
            small=asked.get("small", False),
            df=asked.get("df"),
            shares=self._shares(),
            asobserved=asked.get("asobserved", False),
            overall=asked.get("overall", False),
            lincom=asked.get("lincom", False),
            margins="groups" if asked.get("groups") else "cimargins" if asked.get("cimargins") else "",
            sort=asked.get("sort", False),
            hidden=tuple(hidden),
        )

    def _shares(self) -> Shares:
        """The share of the rows in a cell of factors; looks at the data when it is first called."""
        from sparsemixed.fitting.margin_sample import margin_sample  # delayed, with what it needs, for a quick start
        from sparsemixed.postestimation.margins.cell_means import Averages

        found: list[Averages] = []

        def share(parts: Sequence[tuple[str, Any]]) -> float:
            if not found:
                found.append(Averages(margin_sample(self.fit, self.call).overall(), self.fit.design.levels))
            return found[0].of(parts)

        return share
