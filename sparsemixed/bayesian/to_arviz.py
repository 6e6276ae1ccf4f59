"""Draws as arviz takes them: an xarray DataTree by arviz-base, which is optional."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sparsemixed.bayesian.posterior import Posterior
from sparsemixed.errors import NotAvailableError


def to_arviz(posterior: Posterior, draws: pd.DataFrame) -> Any:
    """Groups posterior, sample_stats (k-hat and effective draws as attributes) and observed_data.

    Raises
    ------
    NotAvailableError
        arviz-base is not installed.
    """
    try:
        import arviz_base  # an extra, which only this needs
    except ImportError:
        raise NotAvailableError("to_arviz needs arviz-base: pip install 'sparsemixed[bayes]'") from None
    groups: dict[str, dict[str, Any]] = {"posterior": {name: draws[name].to_numpy()[None] for name in draws}}
    design = posterior.fit.design
    if design.has_rows:
        y = design.y if design.offset is None else design.y + design.offset
        groups["observed_data"] = {posterior.fit.spec.response: y}
    tree = arviz_base.from_dict(groups)
    tree["posterior"].attrs.update(ess=posterior.ess, khat=posterior.khat, log_marginal=posterior.log_marginal)
    return tree
