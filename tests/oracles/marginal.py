"""Slow, dense, independent: the covariance matrix of any rows, from the variance parameters as they are printed."""

from __future__ import annotations

import numpy as np


def covariance_of(fit, data):
    """Cov of the random part Zb (m, m), and that of the errors, of a fit at the rows of a data frame."""
    return random_part(fit, data), error_part(fit, data)


def random_part(fit, data):
    total = np.zeros((len(data), len(data)))
    for component in fit.fit.components[:-1]:
        block, printed = component.block, {p.label: p.estimate for p in component.variances}
        equation = fit.fit.spec.random[block.position]
        names = list(block.names)
        Z = np.column_stack([np.ones(len(data)) if name in ("_cons", f"R.{block.factor}") else data[name] for name in names])
        G = np.diag([printed.get(f"var({name})", printed.get(f"var({' '.join(names)})")) for name in names])
        for i, one in enumerate(names):
            for j, other in enumerate(names):
                if f"cov({one},{other})" in printed:
                    G[i, j] = G[j, i] = printed[f"cov({one},{other})"]
        keys = list(data[[*equation.grouping, *filter(None, [block.factor])]].itertuples(index=False, name=None))
        same = np.array([[a == b for b in keys] for a in keys])
        total += np.where(same, Z @ G @ Z.T, 0.0)
    return total


def error_part(fit, data):
    """Independent errors, by levels of `arm` or with the precisions 1 + t; and those of order one within `user`."""
    spec, printed = fit.fit.spec, {p.label: p.estimate for p in fit.fit.components[-1].variances}
    if spec.residual.name == "ar":
        t, user = data["t"].to_numpy(), data["user"].to_numpy()
        R = printed["rho"] ** np.abs(t[:, None] - t)
        return printed["var(e)"] * np.where(user[:, None] == user, R, 0.0)
    if spec.residual.by is not None:
        return np.diag([printed[f"{level}: var(e)"] for level in data[spec.residual.by]])
    weights = 1.0 + data["t"].to_numpy() if spec.weights is not None else np.ones(len(data))
    (variance,) = printed.values()
    return np.diag(variance / weights)
