"""Tables of likelihood-ratio tests as they are shown: `anova` and `drop1`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.inference.nested_fits import LikelihoodRatios
from sparsemixed.reporting.document import Block, Column, Document, Heading, Note, Paragraph, Row, Section, Table
from sparsemixed.reporting.shown import Shown

COLUMNS = (
    Column("npar", "number"),
    Column("AIC", "criterion"),
    Column("BIC", "criterion"),
    Column("ll", "criterion"),
    Column("LR chi2", "chi2"),
    Column("df", "number"),
    Column("P>chi2", "probability"),
)


@dataclass(frozen=True, repr=False)
class LikelihoodRatioTable(LikelihoodRatios, Shown):
    """Fits with their criteria and likelihood-ratio tests, one row each.

    The attributes are those of `LikelihoodRatios`; `str()`, `to_html()`, `to_latex()`, `to_markdown()` and notebooks show it, and
    `frame` has its numbers.
    """

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each fit: npar, AIC, BIC, logLik, deviance (-2 logLik), statistic, df, pvalue."""
        columns = {"npar": self.npar.astype(np.int64), "AIC": self.aic, "BIC": self.bic, "logLik": self.llf}
        columns |= {"deviance": -2.0 * self.llf, "statistic": self.statistic, "df": self.df, "pvalue": self.pvalue}
        return pd.DataFrame(columns, index=list(self.names))

    def document(self) -> Document:
        """The models, the table, and notes."""
        blocks: list[Block] = [Heading(self.title)]
        named = zip(self.names, self.models, strict=False)
        blocks += [Paragraph(model, f"{name}: ", joined=i > 0) for i, (name, model) in enumerate(named)]
        arrays = (self.npar, self.aic, self.bic, self.llf, self.statistic, self.df, self.pvalue)
        rows = tuple(Row(name, tuple(map(float, row))) for name, *row in zip(self.names, *arrays, strict=True))
        blocks.append(Table("fixed", "", COLUMNS, (Section("", rows, "variable"),)))
        return Document((*blocks, *(Note(text, joined=i > 0) for i, text in enumerate(self.notes))))

    def __repr__(self) -> str:
        return str(self)
