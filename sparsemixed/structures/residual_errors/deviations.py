"""Residual parameters as standard deviations and correlations."""

from __future__ import annotations

import re

from sparsemixed.structures.base import Parameter, correlation, standard_deviation

_COVARIANCE = re.compile(r"(?P<lead>.*)cov\((?P<one>[^,)]*)(?:,(?P<other>[^)]*))?\)")


def as_deviations(rows: list[Parameter]) -> list[Parameter]:
    """Variances become standard deviations and covariances correlations, with their gradients; the others stay.

    `cov(e1,e2)` goes with `var(e1)` and `var(e2)`, and `cov(e)` with `var(e)`, of the same level of by().
    """
    variances = {row.label: row for row in rows if row.kind == "variance"}
    found = []
    for row in rows:
        match = _COVARIANCE.fullmatch(row.label)
        if row.kind == "variance":
            found.append(standard_deviation(row))
        elif row.kind == "covariance" and match is not None:
            lead, one = match["lead"], match["one"]
            pair = variances[f"{lead}var({one})"], variances[f"{lead}var({match['other'] or one})"]
            found.append(correlation(row, *pair))
        else:
            found.append(row)
    return found
