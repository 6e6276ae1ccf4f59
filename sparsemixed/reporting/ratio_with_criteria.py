"""A likelihood-ratio test with the information criteria of its models."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import pandas as pd

from sparsemixed.inference.hypotheses.wald import HypothesisTest
from sparsemixed.reporting.document import Column, Document, Heading, Row, Section, Table
from sparsemixed.reporting.hypothesis_tests import TestResult

COLUMNS = (
    Column("N", "count"),
    Column("ll(model)", "criterion"),
    Column("df", "count"),
    Column("AIC", "criterion"),
    Column("BIC", "criterion"),
)


@dataclass(frozen=True)
class RatioWithCriteria(TestResult):
    """The test, and `criteria`: N, ll, df, AIC, BIC of each model."""

    criteria: pd.DataFrame = field(default_factory=pd.DataFrame)

    @classmethod
    def of_fits(cls, test: HypothesisTest, criteria: pd.DataFrame) -> RatioWithCriteria:
        """A test with the table of its models."""
        own = {one.name: getattr(test, one.name) for one in dataclasses.fields(test)}
        return cls(**own, criteria=criteria.loc[:, ["N", "ll", "df", "AIC", "BIC"]])

    def document(self) -> Document:
        """The test, then Stata's table of criteria."""
        numbers = zip(self.criteria.index, self.criteria.to_numpy(), strict=True)
        rows = tuple(Row(str(name), tuple(map(float, values))) for name, values in numbers)
        heading = Heading("Akaike's information criterion and Bayesian information criterion")
        return Document((*super().document().blocks, heading, Table("fixed", "Model", COLUMNS, (Section("", rows, "variable"),))))
