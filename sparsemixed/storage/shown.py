"""Everything that a fit shows, computed ahead: what was remembered for it then serves the same tables without the data."""

from __future__ import annotations

from contextlib import suppress

from sparsemixed.errors import SparseMixedError
from sparsemixed.estimation.fit import Fit
from sparsemixed.reporting.report import report
from sparsemixed.reporting.stored.results import StoredResults


def compute_shown(fit: Fit) -> None:
    """Compute the tables and the stored results."""
    report(fit, fit.spec.display)
    stored = StoredResults(fit)
    for name in stored:
        with suppress(SparseMixedError):  # what cannot be shown now need not be shown later
            stored[name]
