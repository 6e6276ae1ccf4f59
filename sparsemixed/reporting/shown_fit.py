"""How a fit shows itself: its tables in every format, and its estimates as tidy data frames."""

from __future__ import annotations

from typing import Literal, Unpack

import pandas as pd

from sparsemixed.command.keywords import DisplayKeywords
from sparsemixed.estimation.fit import Fit
from sparsemixed.reporting.display import display_options
from sparsemixed.reporting.document import Document
from sparsemixed.reporting.render import render
from sparsemixed.reporting.report import report
from sparsemixed.reporting.tidy import glance, tidy
from sparsemixed.spec.numbers import check_level


class Summary(str):
    """Tables as text, which notebooks show as HTML: a text like any other, but for how it shows itself."""

    _html: str

    @classmethod
    def of(cls, document: Document) -> Summary:
        """Both renderings of a document."""
        found = cls(render(document, "text"))
        found._html = render(document, "html")
        return found

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return str(self)

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return (str, (str(self),))


class ShownFit:
    """What is shown of `fit`; nothing here fits again."""

    fit: Fit

    def summary(self, **display: Unpack[DisplayKeywords]) -> Summary:
        """The tables as text, which notebooks show as HTML.

        Parameters
        ----------
        **display
            Display options in place of the model's, by their names in a command: `level=90`, `stddeviations=True`,
            `estmetric=True`, `noretable`, `cformat="%8.2f"`.
        """
        return Summary.of(self.document(**display))

    def document(self, **display: Unpack[DisplayKeywords]) -> Document:
        """What `summary` shows, before any format; display options as there."""
        return report(self.fit, display_options(self.fit, display))

    def render(self, format: str, **display: Unpack[DisplayKeywords]) -> str:  # noqa: A002  a format's name is the natural word
        """The tables in a format of `sparsemixed.reporting.render.FORMATS`; display options as in `summary`."""
        return render(self.document(**display), format)

    def to_html(self, **display: Unpack[DisplayKeywords]) -> str:
        """The tables as HTML; display options as in `summary`."""
        return self.render("html", **display)

    def to_latex(self, **display: Unpack[DisplayKeywords]) -> str:
        """The tables as LaTeX tabulars for booktabs; display options as in `summary`."""
        return self.render("latex", **display)

    def to_markdown(self, **display: Unpack[DisplayKeywords]) -> str:
        """The tables in GitHub's Markdown; display options as in `summary`."""
        return self.render("markdown", **display)

    def tidy(
        self, effects: Literal["all", "fixed", "ran_pars"] = "all", conf_int: bool = True, level: float | None = None
    ) -> pd.DataFrame:
        """Estimates as one data frame with the column names of R's broom.mixed.

        Parameters
        ----------
        effects : {"all", "fixed", "ran_pars"}
            Coefficients, variance parameters, or both.
        conf_int : bool
            Whether to add the confidence limits `conf.low` and `conf.high`.
        level : float, optional
            Of the limits, in per cent; by default the level that the model was fitted with.

        Returns
        -------
        DataFrame
            Columns effect, group, term, estimate, std.error, statistic, df, p.value; missing is what does not apply.
        """
        return tidy(self.fit, effects, conf_int, check_level(self.fit.spec.display.level if level is None else level))

    def glance(self) -> pd.DataFrame:
        """One row about the whole fit: nobs, sigma, logLik, AIC, BIC, deviance (or REMLcrit), df.residual, converged."""
        return glance(self.fit)

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return self.render("text")
