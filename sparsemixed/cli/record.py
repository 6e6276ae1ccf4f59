"""A fit as plain numbers and texts: what --json writes. `fit.schema.json` describes it."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

from sparsemixed.cli.streams import STANDARD, write_text

if TYPE_CHECKING:
    from sparsemixed.estimation.fit import Fit
    from sparsemixed.results import Results

VERSION = sys.modules["sparsemixed"].__version__  # a package is always imported before its modules


def write_json(path: str, record: Any) -> None:
    """A record in a file, or on standard output."""
    text = json.dumps(record, indent=2, allow_nan=False) + "\n"
    if path == STANDARD:
        write_text(text)
        return
    from sparsemixed.storage.destination import whole_file

    with whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def fit_record(results: Results, seconds: float) -> dict[str, Any]:
    """All numbers of a fit for JSON; a missing value is None.

    With dfmethod() there are t statistics, their degrees of freedom and the F test.
    """
    fit = results.fit
    return plain(
        {
            "command": fit.spec.text,
            "version": VERSION,
            "header": _header(fit),
            "aic": results.aic,
            "bic": results.bic,
            "level": fit.spec.display.level,
            "fixed": _fixed(results),
            "random": _random(results),
            "converged": results.converged,
            "status": results.status,
            "boundary": list(fit.boundary_names),
            "iterations": fit.iterations,
            "factorizations": fit.factorizations,
            "gradient_norm": fit.gradient_norm,
            "solver": fit.solver,
            "seconds": seconds,
            "notes": list(fit.design.notes),
        }
    )


def _header(fit: Fit) -> dict[str, Any]:
    """Scalars and texts of e(); the test of the model, to which three of them belong, is computed once."""
    from sparsemixed.inference.hypotheses.wald import model_test
    from sparsemixed.reporting.stored.macros import MACROS
    from sparsemixed.reporting.stored.scalars import SCALARS
    from sparsemixed.reporting.stored.small_sample import SMALL_SAMPLE

    test = model_test(fit, False)
    own = test if fit.spec.small_sample is None else model_test(fit)
    known = {"df_m": int(test.df), "chi2": test.statistic, "p": own.pvalue}
    rows = (row for row in (*SCALARS, *MACROS, *SMALL_SAMPLE) if row.kind != "matrix" and row.of(fit))
    return {row.name: known[row.name] if row.name in known else row.value(fit) for row in rows}


def _fixed(results: Results) -> list[dict[str, Any]]:
    # From arrays: in a batch of small fits, data frames would take as long as the fits.
    from sparsemixed.inference.hypotheses.wald import coefficients

    fit = results.fit
    found = coefficients(fit, fit.spec.display.level)
    small = fit.spec.small_sample is not None
    table = {
        "name": list(fit.design.names),
        "estimate": found.estimate.tolist(),
        "std_err": found.std_err.tolist(),
        **({"df": results.df.tolist()} if small else {}),
        "t" if small else "z": found.statistic.tolist(),
        "p": found.pvalue.tolist(),
        "ci_low": found.low.tolist(),
        "ci_high": found.high.tolist(),
    }
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def _random(results: Results) -> list[dict[str, Any]]:
    from sparsemixed.inference.intervals import intervals

    display = results.fit.spec.display
    return [
        {
            "equation": one.parameter.equation,
            "parameter": one.parameter.label,
            "estimate": one.parameter.estimate,
            "std_err": one.std_err,
            "ci_low": one.low,
            "ci_high": one.high,
        }
        for one in intervals(results.fit, display.level, display.stddeviations)
    ]


def plain(value: Any) -> Any:
    """Numbers of NumPy as Python's own, and None for what JSON cannot say.

    Examples
    --------
    >>> plain({"a": (1.5, float("inf")), 2: None})
    {'a': [1.5, None], '2': None}
    """
    if value is None or type(value) in (str, int, bool):
        return value
    if type(value) is float:  # most of them
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
