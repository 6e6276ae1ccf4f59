"""Random models with everything that leaving rows out does to them, computed from V."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pytest

import sparsemixed
from sparsemixed.errors import NumericalError
from sparsemixed.postestimation.influence import fixed_theta, influence, left_out, leverage
from sparsemixed.postestimation.influence.dense_clusters import clusters_of, dense_whitened
from sparsemixed.postestimation.influence.eliminated_rows import eliminated_whitened
from tests.oracles import dense_deletion
from tests.oracles.random_models import RandomModel, random_model

WAYS = {"clusters": dense_whitened, "eliminated": eliminated_whitened}


class Fitted(NamedTuple):
    """A random model's fit, V at its printed parameters, and the rows of the fit that each row of V stands for."""

    model: RandomModel
    fit: sparsemixed.results.Results
    V: np.ndarray
    R: np.ndarray
    row: np.ndarray


def fitted(seed: int) -> Fitted | None:
    """None where there is no maximum, or V is singular to some digits."""
    model = random_model(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = sparsemixed.mixed(model.command, model.data, **model.options)
        except NumericalError:
            return None
    printed = np.array([parameter.estimate for parameter in fit.fit.variances])
    if not np.isfinite(printed).all() or fit.fit.without_errors:
        return None
    V = model.covariance(printed)
    values = np.linalg.eigvalsh(V)
    if values[0] < 1e-5 * values[-1]:
        return None
    row = np.arange(len(model.data))
    errors = model.parts[-1].share(printed[-model.parts[-1].size :])
    return Fitted(model, fit, V, errors, row if len(row) == len(model.y) else np.repeat(row, model.data.w))


@contextmanager
def computed_by(way: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything within comes from small clusters, or from the factored system, whatever the design."""
    with monkeypatch.context() as patched:
        for module in (fixed_theta, influence, left_out, leverage):
            patched.setattr(module, "whitened", lambda fit: WAYS[way](fit, clusters_of(fit)))
        yield


def ways(found: Fitted) -> list[str]:
    """The factored system serves independent errors."""
    return list(WAYS) if found.fit.fit.design.residual is None else ["clusters"]


def check_against_dense(found: Fitted, by: str | None, some: slice = slice(None)) -> None:
    """Every measure, prediction and density of some of the deletions."""
    model, fit, X, y = found.model, found.fit, found.model.X, found.model.y
    codes = np.arange(len(model.data)) if by is None else model.data[by].to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sparsemixed.errors.NotEstimableWarning)
        table = fit.influence(by)
        loo = None if "fweight" in model.command else fit.loo(by)
        rows = loo if by is None or loo is None else fit.loo(by, rows=True)
    whole, levels = dense_deletion.gls(found.V, X, y), np.unique(codes)
    for place in range(len(levels))[some]:
        out, here = (codes == levels[place])[found.row], codes == levels[place]
        told = table.iloc[place]
        if not dense_deletion.determined(X[~out]):
            assert told.isna().all()
            continue
        rest = dense_deletion.gls(found.V[np.ix_(~out, ~out)], X[~out], y[~out])
        expected = dense_deletion.measures(whole, rest)
        delta, spread = whole.beta - rest.beta, np.sqrt(np.diag(rest.covariance))
        expected |= {f"dfbetas[{x}]": value for x, value in zip(fit.fit.design.names, delta / spread, strict=True)}
        assert told[list(expected)].to_dict() == pytest.approx(expected, rel=1e-8, abs=1e-10)
        if loo is None:
            continue
        predicted = dense_deletion.predicted(found.V, X, y, out)
        assert loo["elpd"].iloc[place] == pytest.approx(predicted.density, rel=1e-9)
        assert rows["mean"].to_numpy()[here] == pytest.approx(predicted.mean, rel=1e-9, abs=1e-9)
        assert rows["sd"].to_numpy()[here] == pytest.approx(np.sqrt(np.diag(predicted.covariance)), rel=1e-9)
        assert loo["sd"].iloc[place] == pytest.approx(np.sqrt(predicted.covariance.sum()) / here.sum(), rel=1e-9)
