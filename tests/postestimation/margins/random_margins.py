"""Random models of every structure, and their margins by the definition: functions of rows of X, averaged; clusters stacked."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd

import sparsemixed
from sparsemixed.errors import SparseMixedError, SparseMixedWarning
from sparsemixed.structures.random.table import STRUCTURES
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES
from tests.oracles import dense_sandwich
from tests.postestimation.margins.dense import X_of, simulated

FIXED = (
    ("i.a i.b x", "additive"),
    ("i.a i.b x z c.x#c.x", "additive"),
    ("i.a##i.b x z", "factors"),
    ("i.a##i.b##c.x", "covariates"),
    ("i.a i.b##c.x c.x#c.z", "additive"),
    ("ibn.a#i.b c.x z, noconstant", "factors"),
    ("i.c i.a##c.z i.b x", "covariates"),
)
"""Fixed parts, and what interacts with a: nothing, factors alone, or covariates as well."""
WEIGHTS = ("", "", "fweight", "gweight", "pweight", "precision")
ORDERS = {"ar": "1", "ma": "1", "toeplitz": "1", "banded": "1"}


@dataclass(frozen=True)
class RandomCase:
    """A fit with its data, the rows' weights and clusters, and what it was made of.

    `interacts` says what does with a, as in `FIXED`; `weight` (n,) has the weights of the rows used.
    """

    fit: sparsemixed.Results
    data: pd.DataFrame
    weight: np.ndarray
    interacts: str
    text: str

    def X(self, **values) -> np.ndarray:
        return X_of(self.fit, self.data, **values)

    def column(self, name: str) -> np.ndarray:
        return self.data[name].to_numpy()[self.fit.fit.design.kept]


def random_case(seed: int, ml: bool = False) -> RandomCase | None:
    """A model and its fit; None where the data admit none."""
    rng = np.random.default_rng(seed)
    data = simulated(seed, n_groups=int(rng.integers(14, 26)))
    data["t"] = data.groupby("g").cumcount() % 4 + 1
    data = data.drop_duplicates(["g", "t"]).reset_index(drop=True)
    data["wg"] = data["g"] % 3 + 1
    fixed, interacts = FIXED[seed % len(FIXED)]
    weights = WEIGHTS[rng.integers(len(WEIGHTS))]
    words, options = [*STRUCTURES, *RESIDUAL_STRUCTURES], {}
    word = words[(seed // len(FIXED)) % len(words)]
    columns, _, comma = fixed.partition(",")
    comma = f",{comma}" if comma else ""
    if word in STRUCTURES:
        group = f"g: x, covariance({word})"
    else:
        time = "" if word in ("independent", "exchangeable") else ", t(t)"
        group = "g:, noconstant" if rng.random() < 0.5 and word != "independent" else "g:,"
        by = ", by(b)" if word == "independent" else ""
        group += f" residuals({word} {ORDERS.get(word, '')}{time}{by})"
        weights = weights if weights in ("", "gweight") else ""
    if weights == "precision":
        options["precision_weights"] = "p"
    of_group = {"gweight": " fweight(wg)", "pweight": " pweight(wg)"}.get(weights, "")
    own = {"fweight": "[fw=w]"}.get(weights, "")
    reml = bool(not ml and weights in ("", "precision") and rng.random() < 0.5)
    options |= {"reml": True, "dfmethod": "satterthwaite"} if reml else {}
    if rng.random() < 0.3:
        options["constraints"] = ["x = 0.5"] if " x" in f" {columns}" else []
    text = f"y {columns} {own}{comma} || {group}{of_group}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparseMixedWarning)
        try:
            fit = sparsemixed.mixed(text, data, iterate=6, **{k: v for k, v in options.items() if v})
        except SparseMixedError:
            return None
    kept = fit.fit.design.kept
    weight = {"fweight": "w", "gweight": "wg", "pweight": "wg", "precision": "p"}.get(weights)
    return RandomCase(fit, data, np.ones(len(kept)) if weight is None else data[weight].to_numpy(float)[kept], interacts, text)


Form = Callable[[np.ndarray], np.ndarray]
"""Coefficients (p,), also complex ones, -> what is averaged, (n,)."""


@dataclass(frozen=True)
class DenseMargin:
    """What is averaged in every row, over which rows (n,) bool, and whether it is the same in all by design."""

    form: Form
    where: np.ndarray
    fixed: bool = False


def value(X: np.ndarray) -> Form:
    return lambda b: X @ b


def ratio(D: np.ndarray, X: np.ndarray) -> Form:
    return lambda b: (D @ b) / (X @ b)


def slope(case: RandomCase, **values) -> np.ndarray:
    """dX/dx in every row: central differences are exact for columns of degree two."""
    x = values.pop("x", case.data["x"].to_numpy())
    return case.X(x=x + 0.5, **values) - case.X(x=x - 0.5, **values)


def balanced(case: RandomCase, factors: list[str], **values) -> np.ndarray:
    """Mean of X over all combinations of factors' levels."""
    levels = [case.fit.fit.design.levels[name] for name in factors if name not in values]
    names = [name for name in factors if name not in values]
    cells = [case.X(**dict(zip(names, cell, strict=True)), **values) for cell in product(*levels)]
    return sum(cells) / len(cells)


def expected(case: RandomCase) -> dict[str, list[DenseMargin]]:
    """Stata's text -> the margins by their definition."""
    everything, design = np.ones(len(case.weight), bool), case.fit.fit.design
    factors, x, b = list(design.levels), case.data["x"].to_numpy(), case.column("b")
    a, here = design.levels["a"], np.full(len(case.weight), True)
    D, x_used, high = slope(case), case.column("x"), case.column("x") > 3

    def each(arrays, where=everything, fixed=False) -> list[DenseMargin]:
        return [DenseMargin(value(X), where, fixed) for X in arrays]

    found = {
        "": each([case.X()]),
        "a#b": each([case.X(a=i, b=j) for i in a for j in (0, 1)]),
        "a, over(b)": [m for g in (0, 1) for m in each([case.X(a=i) for i in a], b == g)],
        "b, subpop(x > 3)": each([case.X(b=j) for j in (0, 1)], high),
        "b, at(x=(2 4))": each([case.X(b=j, x=float(v)) for v in (2, 4) for j in (0, 1)]),
        ", at(x=generate(x+1)) at(a=2)": each([case.X(x=x + 1), case.X(a=2)]),
        ", dydx(x)": each([D]),
        "a, dydx(x)": each([slope(case, a=i) for i in a]),
        ", dydx(a)": each([case.X(a=i) - case.X(a=a[0]) for i in a[1:]]),
        ", dyex(x)": each([D * x_used[:, None]]),
        "b, asbalanced": each([balanced(case, factors, b=j) for j in (0, 1)]),
        ", eydx(x)": [DenseMargin(ratio(D, case.X()), here)],
        ", eyex(x)": [DenseMargin(ratio(D * x_used[:, None], case.X()), here)],
        ", eydx(a) continuous": [DenseMargin(ratio(case.X(a=i) - case.X(a=a[0]), case.X()), here) for i in a[1:]],
    }
    if all(np.all(case.X(a=i) @ design_beta(case) > 0) for i in a):
        found[", eydx(a)"] = [DenseMargin(difference_of_logs(case.X(a=i), case.X(a=a[0])), here) for i in a[1:]]
    return found


def design_beta(case: RandomCase) -> np.ndarray:
    return case.fit.params.to_numpy()


def difference_of_logs(X: np.ndarray, Y: np.ndarray) -> Form:
    return lambda b: np.log(X @ b) - np.log(Y @ b)


def dense_margins(case: RandomCase, margins: list[DenseMargin]) -> tuple[np.ndarray, np.ndarray]:
    """Estimates (m,), and derivatives (m, p) by complex steps."""
    beta, h = design_beta(case), 1e-30
    shares = [case.weight * one.where / (case.weight * one.where).sum() for one in margins]
    estimates = np.array([share @ one.form(beta) for share, one in zip(shares, margins, strict=True)])
    steps = beta + 1j * h * np.eye(len(beta))
    J = [[(share @ one.form(b)).imag / h for b in steps] for share, one in zip(shares, margins, strict=True)]
    return estimates, np.array(J)


def stacked_covariance(case: RandomCase, margins: list[DenseMargin]) -> np.ndarray:
    """Covariance (m, m) from estimating equations of coefficients and margins, stacked over top-level clusters.

    A'-inverse of the sum of outer products of the clusters' equations, A their derivative.
    """
    fit = case.fit.fit
    codes = fit.design.random[0].codes if fit.design.random else fit.design.residual.codes
    beta, p, m, M = design_beta(case), len(fit.beta), len(margins), int(codes.max()) + 1
    rows_too, kind = "[fw=w]" in case.text, None if fit.design.weights is None else fit.design.weights.kind
    # Frequencies of rows are rows; weights of groups multiply equations, and frequencies among them count clusters.
    copies = np.repeat(np.arange(len(codes)), case.weight.astype(int)) if rows_too else np.arange(len(codes))
    own = np.array([case.weight[codes == j][0] for j in range(M)])
    own = np.ones(M) if rows_too or kind not in ("frequency", "sampling") else own
    frequency = own if kind == "frequency" else np.ones(M)
    V = dense_covariance(fit, copies)
    y, X, clusters = fit.design.y[copies], fit.design.X[copies], codes[copies]
    Z, H = np.zeros((M, p + m)), np.zeros((p, p))
    for j in range(M):
        rows = clusters == j
        inverse = np.linalg.inv(V[np.ix_(rows, rows)])
        Z[j, :p] = own[j] * X[rows].T @ inverse @ (y[rows] - X[rows] @ beta)
        H += own[j] * X[rows].T @ inverse @ X[rows]
    estimates, J = dense_margins(case, margins)
    A = np.zeros((p + m, p + m))
    for k, one in enumerate(margins):
        w = case.weight * one.where
        if not one.fixed:
            Z[:, p + k] = np.bincount(codes, w * (one.form(beta) - estimates[k]), M)
        A[p + k, :p], A[p + k, p + k] = -w.sum() * J[k], w.sum()
    T = np.eye(p) if fit.design.constraints is None else fit.design.constraints.T
    # Under constraints the free coefficients have the equations: beta = T gamma + a.
    basis = np.block([[T, np.zeros((p, m))], [np.zeros((m, T.shape[1])), np.eye(m)]])
    A[:p, :p] = H
    A, Z = basis.T @ A @ basis, Z @ basis
    influence = np.linalg.solve(A, (Z / np.sqrt(frequency)[:, None]).T)
    number = frequency.sum()
    return (number / (number - 1) * influence @ influence.T)[-m:, -m:]


def dense_covariance(fit, copies: np.ndarray) -> np.ndarray:
    """V (n, n) of rows, with precisions; copies of one row have errors of their own."""
    weights = fit.design.weights
    if weights is None or weights.kind == "precision":
        return dense_sandwich.covariance(fit)
    V = dense_sandwich.covariance(replace(fit, design=replace(fit.design, weights=None)))
    if len(copies) == len(V):
        return V
    return (V - fit.sigma2 * np.eye(len(V)))[np.ix_(copies, copies)] + fit.sigma2 * np.eye(len(copies))
