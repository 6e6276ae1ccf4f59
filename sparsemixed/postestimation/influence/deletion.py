"""What the deletion of rows does to the estimates, and the measures of it that have names.

In coordinates in which the covariance of the coefficients is the identity, delta = root d and Phi_(I) = root K root':

- Cook's distance: delta'inv(Phi)delta / r = d'd / r;
- MDFFITS: delta'inv(Phi_(I))delta / r = d'inv(K)d / r;
- COVRATIO: det Phi_(I) / det Phi = det K;        COVTRACE: |tr(inv(Phi)Phi_(I)) - r| = |tr K - r|;
- DFBETAS: delta over the standard errors without the rows, sqrt(diag(root K root'));
- relative change of a variance parameter: what it is without the rows over what it is with them, less one.

Cook & Weisberg (1982); Belsley, Kuh & Welsch (1980); Christensen, Pearson & Johnson (1992); Dillane (2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError, suggestion
from sparsemixed.estimation.fit import Fit
from sparsemixed.spec.names import names_in

MEASURES = ("cooks", "mdffits", "covratio", "covtrace", "dfbetas", "dfbeta", "rvc")
"""Names of what `influence` tells; the last two are shown where they are asked for, and where variances are estimated anew."""
ALONE = 1e-10
"""Share of the information on a direction of the coefficients below which what is left holds none."""


@dataclass(frozen=True)
class Deletion:
    """The estimates without each of J sets of rows; NaN where the rest does not determine the coefficients.

    Attributes
    ----------
    d : (J, r) float64
        root d = beta - beta_(I).
    K : (J, r, r) float64
        root K root' = Phi_(I).
    root : (p, r) float64
    variances : (J, v) float64 or None
        The printed variance parameters without the rows; None where they count as known.
    """

    d: np.ndarray
    K: np.ndarray
    root: np.ndarray
    variances: np.ndarray | None = None


def alone(P: np.ndarray, H: np.ndarray) -> np.ndarray:
    """Whether rows hold all information on some coefficient, from the diagonals of P and H (n,)."""
    return ~(P > ALONE * H)


def from_information(G: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """d (J, r), K (J, r, r) and log|K| (J,) of sets that have the share G (J, r, r) of the information, with scores c (J, r)."""
    r = G.shape[1]
    values, vectors = np.linalg.eigh(np.eye(r) - G)
    values = np.where((values > ALONE).all(axis=1, keepdims=True), values, np.nan)
    K = (vectors / values[:, None, :]) @ vectors.transpose(0, 2, 1)
    return np.einsum("jab,jb->ja", K, c), K, -np.log(values).sum(axis=1)


def asked_measures(what: str | Sequence[str] | None, estimated: bool) -> tuple[str, ...]:
    """The measures that are asked for, by default all that apply but `dfbeta`."""
    if what is None:
        return tuple(name for name in MEASURES if name != "dfbeta" and (estimated or name != "rvc"))
    names = names_in(what, "influence: what")
    for name in names:
        if name not in MEASURES:
            raise OptionError(f"influence: what={name!r} is not one of {', '.join(MEASURES)}{suggestion(str(name), MEASURES)}")
    if "rvc" in names and not estimated:
        raise OptionError(
            "influence: the relative variance change, rvc, needs variances estimated anew: method='onestep' or 'exact'"
        )
    return names


def measured(fit: Fit, found: Deletion, names: Sequence[str], index: pd.Index) -> pd.DataFrame:
    """One row for each set of rows, a column for each measure; those of single parameters as `dfbetas[x]`, `rvc[id: var(x)]`."""
    r = found.d.shape[1]
    delta = found.d @ found.root.T
    columns: dict[str, np.ndarray] = {}
    for name in names:
        if name == "dfbetas":
            with np.errstate(invalid="ignore"):
                spread = np.sqrt(np.einsum("pa,jab,pb->jp", found.root, found.K, found.root, optimize=True))
            scaled = np.divide(delta, spread, out=np.full_like(delta, np.nan), where=spread > 0)
            columns |= {f"dfbetas[{x}]": scaled[:, i] for i, x in enumerate(fit.design.names)}
        elif name == "dfbeta":
            columns |= {f"dfbeta[{x}]": delta[:, i] for i, x in enumerate(fit.design.names)}
        elif name == "rvc":
            columns |= _variance_changes(fit, found)
        else:
            columns[name] = _one_number(name, found, r)
    return pd.DataFrame(columns, index=index)


def _one_number(name: str, found: Deletion, r: int) -> np.ndarray:
    d, K = found.d, found.K
    known, out = np.isfinite(d).all(axis=1), np.full(len(d), np.nan)
    if not r:
        return out
    if name == "cooks":
        return np.einsum("ja,ja->j", d, d) / r
    if name == "covtrace":
        return np.abs(np.einsum("jaa->j", K) - r)
    if name == "covratio":
        out[known] = np.linalg.det(K[known])
        return out
    out[known] = np.einsum("ja,ja->j", d[known], np.linalg.solve(K[known], d[known][..., None])[..., 0]) / r
    return out


def _variance_changes(fit: Fit, found: Deletion) -> dict[str, np.ndarray]:
    assert found.variances is not None
    columns = {}
    for i, (name, parameter) in enumerate(zip(variance_names(fit), fit.variances, strict=True)):
        now = parameter.estimate
        change = found.variances[:, i] / now - 1.0 if now != 0.0 else np.full(len(found.variances), np.nan)
        columns[f"rvc[{name}]"] = change
    return columns


def variance_names(fit: Fit) -> list[str]:
    """The printed variance parameters with the level that they belong to: `id: var(_cons)`, `var(Residual)`."""
    return [
        parameter.label if component.block is None else f"{component.block.equation}: {parameter.label}"
        for component in fit.components
        for parameter in component.variances
    ]
