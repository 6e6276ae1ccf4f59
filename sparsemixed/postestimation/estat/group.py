"""`estat.group`: how many groups there are at each level, and how many observations they have."""

from __future__ import annotations

import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit


def group_composition(fit: Fit) -> pd.DataFrame:
    """The composition of the nested groups, from the top: groups, minimum, average, maximum, one row for each level.

    Raises
    ------
    OptionError
        The model has no groups.
    """
    if not fit.design.groups:
        raise OptionError("estat.group: the model has no groups")
    rows = [(row.n_groups, row.minimum, row.average, row.maximum) for row in fit.design.groups]
    table = pd.DataFrame(rows, index=[row.name for row in fit.design.groups], columns=["groups", "minimum", "average", "maximum"])
    table.attrs = {"heading": "", "layout": "group", "kinds": {"average": "average"}}
    return table
