"""A fit's numbers under the names of Stata's stored results `e()`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sparsemixed.errors import printable
from sparsemixed.estimation.fit import Fit
from sparsemixed.reporting.stored.clusters import CLUSTERED
from sparsemixed.reporting.stored.macros import MACROS, SEARCH_AND_DATA
from sparsemixed.reporting.stored.matrices import MATRICES
from sparsemixed.reporting.stored.residuals import residual_rows
from sparsemixed.reporting.stored.row import Stored
from sparsemixed.reporting.stored.scalars import SCALARS
from sparsemixed.reporting.stored.small_sample import SMALL_SAMPLE
from sparsemixed.reporting.stored.weights import weight_rows
from sparsemixed.spec import ModelSpec

WITHOUT_COUNTERPART = dict.fromkeys(("asbalanced", "asobserved"), "it tells what `fvset design` declared of factor variables")
"""Names of Stata's that no fit has, and why."""


def stored_rows(spec: ModelSpec) -> tuple[Stored, ...]:
    """A row for everything that is stored with some fit; the levels of a model give groups' weights their names."""
    fixed = (*SCALARS, *MACROS, *MATRICES, *SEARCH_AND_DATA, *CLUSTERED, *SMALL_SAMPLE)
    return (*fixed, *residual_rows(), *weight_rows(spec))


class StoredResults(Mapping[str, Any]):
    """Read-only mapping of Stata's names to numbers, texts and data frames, each computed when asked for.

    Group counts (`N_g`, `g_min`, `g_avg`, `g_max`) are lists, one entry per level from the top. `sample` holds the
    positions of the rows used. `k` = `k_f` + `k_r` + `k_res`.
    """

    def __init__(self, fit: Fit):
        self._fit = fit
        self._rows = {row.name: row for row in stored_rows(fit.spec)}
        self._names = [name for name, row in self._rows.items() if row.of(fit)]

    def __getitem__(self, name: str) -> Any:
        if name in self._names:
            return self._rows[name].value(self._fit)
        row = self._rows.get(name)
        if row is not None and row.condition is not None:
            raise KeyError(f"e({name}) is stored only with {row.condition.advice}")
        if name in WITHOUT_COUNTERPART:
            raise KeyError(f"e({name}) has no counterpart here: {WITHOUT_COUNTERPART[name]}")
        raise KeyError(f"no stored result e({name}); there are {', '.join(self._names)}")

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        matrices = [name for name in self if self._rows[name].kind == "matrix"]
        lines = [f"e({name}) = {self[name]}" for name in self if name not in matrices]
        return printable("\n".join([*lines, *(f"e({name}): {type(self[name]).__name__}" for name in matrices)]))
