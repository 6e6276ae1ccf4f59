"""The columns of the fixed part, for the sample and for new data."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sparsemixed.design.build import rows_of_X
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.errors import DataError
from sparsemixed.estimation.fit import Fit


def model_matrix(fit: Fit, data: Any = None) -> pd.DataFrame:
    """X (n, p) of the sample, or of new data, a column for each estimated coefficient; missing where a variable is.

    Raises
    ------
    DataError
        A fit without its rows and no data; new levels of categorical covariates.
    CommandError
        A variable is not in the data.
    """
    names = list(fit.design.names)
    if data is None:
        if not fit.design.has_rows:
            raise DataError("model_matrix: this fit was left without its rows; give data")
        return pd.DataFrame(fit.design.X.copy(), columns=names)
    X = rows_of_X(fit.design, fit.spec, model_frame(fit.spec, data))
    return pd.DataFrame(X, columns=names, index=data.index if isinstance(data, pd.DataFrame) else None)
