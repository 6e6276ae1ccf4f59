"""Margins of every model of the manual's sessions by their definition: rows of X for changed copies of the data, averaged."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.inference.covariance.vce import beta_covariance
from tests.oracles.printed import SESSIONS, steps
from tests.postestimation.margins.dense import X_of


def models(session) -> list[tuple[str, str]]:
    """The data set and the command of every model of a session, without those that restrict the sample."""
    out, data = [], ""
    for typed, _ in steps(session.read_text(encoding="utf-8")):
        word, _, rest = typed.removeprefix("quietly ").partition(" ")
        data = rest.strip() if word == "use" else data
        if word == "mixed" and rest and not rest.startswith(","):
            out.append((data, rest))
    return out


def close(found: np.ndarray, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10 * np.abs(wanted).max(initial=1e-3))


def check(fit: sparsemixed.Results, margins, rows: list[np.ndarray]) -> None:
    K, V = np.array(rows), beta_covariance(fit.fit)  # without the adjustment for small samples, as margins are z unless asked
    close(margins.estimate, K @ fit.params.to_numpy())
    close(margins.covariance, K @ V @ K.T)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: path.stem)
def test_every_model(session, manual_data):
    for name, command in models(session):
        data = pd.read_stata(manual_data(name), convert_categoricals=False)
        if re.search(r"\bif\b", command):
            continue  # rows outside of the sample would have to be left out by hand
        fit = sparsemixed.mixed(command, data)
        raw = np.ones(len(data))  # weights of rows times those of groups, before they are rescaled
        for weight in re.findall(r"pw=([^]]+)\]|pweight\((\w+)\)", command):
            raw = raw * data.eval("".join(weight)).to_numpy()
        raw = raw[fit.fit.design.kept]
        share = raw / raw.sum()
        check(fit, fit.margins(), [share @ X_of(fit, data)])
        levels = fit.fit.design.levels
        for factor in (f for f in levels if any(factor_of(column, f) for column in fit.params.index)):
            check(fit, fit.margins(factor), [share @ X_of(fit, data, **{factor: level}) for level in levels[factor]])
        for x in (c for c in data.columns if c in fit.params.index and c not in levels):
            up, down = (X_of(fit, data, **{x: data[x] + step}) for step in (0.5, -0.5))  # exact for columns of degree two
            check(fit, fit.margins(dydx=x), [share @ (up - down)])


def factor_of(column: str, factor: str) -> bool:
    return any(re.fullmatch(rf"\d+b?n?\.{factor}", part) for part in column.split("#"))
