"""`augment`: the rows with what a fit says of each, under the column names of R's broom.mixed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.influence.fixed_theta import whitened
from sparsemixed.postestimation.influence.leverage import conditional_cooks
from sparsemixed.postestimation.predict import WHAT


def augmented(fit: Fit) -> pd.DataFrame:
    """One row for each row of the sample.

    `.fitted` and `.mu` are predictions with random effects, `.fixed` those without, offsets included; `.resid` and `.wtres` are
    plain residuals and those times the root of their weight; `.hat` leverages; `.cooksd` Cook's distances of the fitted values
    (see `leverage.conditional_cooks`); `.offset`, `.weights`, `.sqrtXwt` and `.sqrtrwt` (both roots of the weights) are what they
    are in lme4.
    """
    weights = np.ones(fit.design.n_rows) if fit.design.weights is None else fit.design.weights.rows
    fitted, residuals = WHAT["fitted"](fit).to_numpy(), WHAT["residuals"](fit).to_numpy()
    root = np.sqrt(weights)
    hat = whitened(fit).precision.leverages()
    columns = {
        fit.spec.response: fitted + residuals,
        ".fitted": fitted,
        ".resid": residuals,
        ".hat": hat,
        ".cooksd": conditional_cooks(hat, residuals * root, fit.sigma2, fit.root.shape[1]),
        ".fixed": WHAT["xb"](fit).to_numpy(),
        ".mu": fitted,
        ".offset": np.zeros(len(weights)) if fit.design.offset is None else fit.design.offset,
        ".sqrtXwt": root,
        ".sqrtrwt": root,
        ".weights": weights,
        ".wtres": residuals * root,
    }
    return pd.DataFrame(columns, index=fit.design.row_index)
