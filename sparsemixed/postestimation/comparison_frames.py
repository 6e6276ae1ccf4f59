"""Comparisons and their tests as data frames, whatever they compare: balanced means or margins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sparsemixed.inference.hypotheses.wald import Coefficients, HypothesisTest


def effects_frame(term: str, labels: Sequence[str], table: Coefficients) -> pd.DataFrame:
    """The comparisons of a term, one row for each, by (term, contrast)."""
    index = pd.MultiIndex.from_tuples([(term, label) for label in labels], names=["term", "contrast"])
    columns = {"estimate": table.estimate, "std_err": table.std_err}
    columns["ddf"] = np.full(len(labels), np.nan) if table.df is None else table.df
    columns |= {name: getattr(table, name) for name in ("statistic", "pvalue", "low", "high")}
    return pd.DataFrame(columns, index=index)


def tests_frame(tests: Mapping[str, HypothesisTest]) -> pd.DataFrame:
    """Joint tests, one row for each, by term."""
    return pd.DataFrame(_values(tests), index=list(tests), columns=["df", "ddf", "statistic", "pvalue"], dtype=float)


def parts_frame(parts: Mapping[tuple[str, str], HypothesisTest]) -> pd.DataFrame | None:
    """Tests of the parts of terms, by (term, part); None without any."""
    if not parts:
        return None
    index = pd.MultiIndex.from_tuples(list(parts), names=["term", "part"])
    return pd.DataFrame(_values(parts), index=index, columns=["df", "ddf", "statistic", "pvalue"], dtype=float)


def _values(tests: Mapping) -> list[tuple]:
    return [(t.df, np.nan if t.ddf is None else t.ddf, t.statistic, t.pvalue) for t in tests.values()]
