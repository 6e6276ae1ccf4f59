"""Random small models of every structure, their likelihood from V alone: numpy and printed parameters, nothing of the engine.

A model is a list of parts, each of which turns its own stretch of the printed parameters into its share of V; frequency weights
are replicated rows, precision weights divide error variances.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize

Share = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Part:
    """One covariance matrix of a model.

    Attributes
    ----------
    size : int
        Number of printed parameters.
    share : callable
        From them (size,) to its share of V (n, n).
    draw : callable
        From unconstrained numbers (size,) to printed parameters: for searches of its own.
    """

    size: int
    share: Share
    draw: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class RandomModel:
    """A model in Stata's words, its data, and its likelihood.

    Attributes
    ----------
    command : str
    options : dict
    data : DataFrame
        As the package gets it.
    y : (n,);  X : (n, p)
        Frequency weights replicated.
    parts : list of Part
        In the order printed, the residuals' last.
    """

    command: str
    options: dict
    data: pd.DataFrame
    y: np.ndarray
    X: np.ndarray
    parts: list[Part]

    @property
    def reml(self) -> bool:
        return bool(self.options["reml"])

    def covariance(self, printed: np.ndarray) -> np.ndarray:
        """V (n, n) of the printed parameters."""
        stops = np.cumsum([part.size for part in self.parts])
        return sum(part.share(own) for part, own in zip(self.parts, np.split(printed, stops[:-1]), strict=True))

    def printed(self, free: np.ndarray) -> np.ndarray:
        """Printed parameters of unconstrained numbers, as many."""
        stops = np.cumsum([part.size for part in self.parts])
        return np.concatenate([part.draw(own) for part, own in zip(self.parts, np.split(free, stops[:-1]), strict=True)])

    def llf(self, printed: np.ndarray) -> float:
        """Log (restricted) likelihood, beta profiled out; -inf where V is not positive definite."""
        V, (n, p) = self.covariance(printed), self.X.shape
        try:
            lower = np.linalg.cholesky(V)
        except np.linalg.LinAlgError:
            return -np.inf
        half = np.linalg.solve(lower, np.column_stack([self.X, self.y]))
        Q, R = np.linalg.qr(half[:, :p])
        e = half[:, p] - Q @ (Q.T @ half[:, p])
        value = 2.0 * np.log(np.diag(lower)).sum() + e @ e + (n - p if self.reml else n) * np.log(2 * np.pi)
        if self.reml:
            value += 2.0 * np.log(np.abs(np.diag(R))).sum()
        return -0.5 * float(value)

    def linear_llf(self) -> float:
        """Of the model without random effects, with independent errors of one variance (times those of precision weights)."""
        scale = 1.0 / np.sqrt(self.data.precision.to_numpy()) if "precision_weights" in self.options else np.ones(self.y.size)
        e, X = self.y / scale, self.X / scale[:, None]
        e = e - X @ np.linalg.lstsq(X, e, rcond=None)[0]
        n, p = self.X.shape
        sigma2 = float(e @ e) / (n - p if self.reml else n)
        alone = RandomModel("", self.options, self.data, self.y, self.X, [Part(1, lambda v: v[0] * np.diag(scale**2), np.exp)])
        return alone.llf(np.array([sigma2]))

    def best_elsewhere(self, seed: int, starts: int = 5) -> float:
        """The largest log likelihood that searches from random starts find, by finite differences."""
        rng, size = np.random.default_rng(seed), sum(part.size for part in self.parts)

        def loss(free: np.ndarray) -> float:
            with np.errstate(all="ignore"):
                printed = self.printed(free)
                value = self.llf(printed) if np.all(np.isfinite(printed)) else -np.inf
            return -value if np.isfinite(value) else 1e10

        return max(-minimize(loss, 0.7 * rng.normal(size=size), method="L-BFGS-B").fun for _ in range(starts))

    def numerical_std_errs(self, printed: np.ndarray) -> np.ndarray:
        """Standard errors of the printed parameters by central differences; NaN where two step sizes disagree."""
        fine, coarse = (self._std_errs(printed, size) for size in (1e-4, 4e-4))
        return np.where(np.abs(fine - coarse) <= 3e-4 * fine, fine, np.nan)

    def _std_errs(self, printed: np.ndarray, size: float) -> np.ndarray:
        n = printed.size
        step = size * np.maximum(np.abs(printed), 1e-2)

        def at(k: int, a: int, l: int, b: int) -> float:
            moved = printed.copy()
            moved[k] += a * step[k]
            moved[l] += b * step[l]
            return self.llf(moved)

        hessian = np.empty((n, n))
        with np.errstate(invalid="ignore"):
            for k in range(n):
                for l in range(k + 1):
                    value = at(k, 1, l, 1) - at(k, 1, l, -1) - at(k, -1, l, 1) + at(k, -1, l, -1)
                    hessian[k, l] = hessian[l, k] = value / (4.0 * step[k] * step[l])
            with suppress(np.linalg.LinAlgError):
                return np.sqrt(np.diag(np.linalg.inv(-hessian)))
        return np.full(n, np.nan)


def autocorrelations(phi: np.ndarray, longest: int) -> np.ndarray:
    """Of an AR(p) process by the Yule-Walker equations."""
    p = phi.size
    system, right = np.eye(p), np.zeros(p)
    for lag in range(1, p + 1):
        for j in range(1, p + 1):
            if abs(lag - j) == 0:
                right[lag - 1] += phi[j - 1]
            else:
                system[lag - 1, abs(lag - j) - 1] -= phi[j - 1]
    out = np.concatenate([[1.0], np.linalg.solve(system, right)])
    while out.size <= longest:
        out = np.append(out, phi @ out[-p:][::-1])
    return out[: longest + 1]


def moving_average_correlations(theta: np.ndarray, longest: int) -> np.ndarray:
    """Of an MA(q) process."""
    weights = np.append(1.0, theta)
    full = np.correlate(weights, weights, "full")[theta.size :]
    return np.pad(full / full[0], (0, max(longest - theta.size, 0)))[: longest + 1]


def partial_to_phi(partial: np.ndarray) -> np.ndarray:
    """AR coefficients of partial autocorrelations."""
    phi = partial[:0]
    for value in partial:
        phi = np.append(phi - value * phi[::-1], value)
    return phi


def _unstructured(m: int) -> tuple[int, Callable, Callable]:
    pairs = [(i, j) for i in range(m) for j in range(i + 1, m)]

    def matrix(v: np.ndarray) -> np.ndarray:
        G = np.diag(v[:m])
        for (i, j), c in zip(pairs, v[m:], strict=True):
            G[i, j] = G[j, i] = c
        return G

    def draw(f: np.ndarray) -> np.ndarray:
        lower = np.diag(np.exp(f[:m]))
        for (i, j), c in zip(pairs, f[m:], strict=True):
            lower[j, i] = c
        G = lower @ lower.T
        return np.concatenate([np.diag(G), [G[i, j] for i, j in pairs]])

    return m + len(pairs), matrix, draw


def _exchangeable(m: int) -> tuple[int, Callable, Callable]:
    least = -1.0 / (m - 1)

    def draw(f: np.ndarray) -> np.ndarray:
        variance = np.exp(2.0 * f[0])
        return np.array([variance, variance * (least + (1.0 - least) / (1.0 + np.exp(-f[1])))])

    return 2, lambda v: (v[0] - v[1]) * np.eye(m) + v[1], draw


def _structure(name: str, m: int) -> tuple[int, Callable, Callable]:
    """Number of parameters, matrix of printed parameters, printed parameters of free ones."""
    if name == "identity" or m == 1:
        return 1, lambda v: v[0] * np.eye(m), lambda f: np.exp(2.0 * f)
    if name == "independent":
        return m, np.diag, lambda f: np.exp(2.0 * f)
    return _exchangeable(m) if name == "exchangeable" else _unstructured(m)


def random_part(group: np.ndarray, columns: np.ndarray, structure: str) -> Part:
    """Random effects of `columns` (n, m) within groups."""
    size, matrix, draw = _structure(structure, columns.shape[1])
    same = group[:, None] == group[None, :]
    return Part(size, lambda v: np.where(same, columns @ matrix(v) @ columns.T, 0.0), draw)


def _errors(word: str, order: int, t: np.ndarray, levels: int) -> tuple[int, Callable, Callable]:
    """The same for the errors of one group, the matrix (n, n) of all pairs of times."""
    lag = np.abs(t[:, None] - t[None, :])
    place = lag.astype(int)
    longest = int(place.max())
    if word == "independent":
        return 1, lambda v: v[0] * np.eye(t.size), lambda f: np.exp(2.0 * f)
    if word == "exchangeable":
        n = 5

        def draw(f: np.ndarray) -> np.ndarray:
            return _exchangeable(n)[2](f)

        return 2, lambda v: (v[0] - v[1]) * np.eye(t.size) + v[1], draw
    if word == "ar":
        return (
            order + 1,
            lambda v: v[-1] * autocorrelations(v[:-1], longest)[place],
            lambda f: np.append(partial_to_phi(np.tanh(f[:-1])), np.exp(2.0 * f[-1])),
        )
    if word == "ma":
        return (
            order + 1,
            lambda v: v[-1] * moving_average_correlations(v[:-1], longest)[place],
            lambda f: np.append(-partial_to_phi(np.tanh(f[:-1])), np.exp(2.0 * f[-1])),
        )
    if word == "toeplitz":

        def toeplitz(v: np.ndarray) -> np.ndarray:
            return v[-1] * np.concatenate([[1.0], v[:-1], np.zeros(max(longest - order, 0))])[: longest + 1][place]

        return order + 1, toeplitz, lambda f: np.append(np.tanh(f[:-1]), np.exp(2.0 * f[-1]))
    if word == "exponential":
        return 2, lambda v: v[1] * v[0] ** lag, lambda f: np.array([1.0 / (1.0 + np.exp(-f[0])), np.exp(2.0 * f[1])])
    size, matrix, draw = _unstructured(levels)
    own = t.astype(int)
    if word == "banded":
        pairs = [(i, j) for i in range(levels) for j in range(i + 1, levels)]
        kept = np.array([True] * levels + [j - i <= order for i, j in pairs])

        def full(v: np.ndarray) -> np.ndarray:
            out = np.zeros(size)
            out[kept] = v
            return out

        return (
            int(kept.sum()),
            lambda v: matrix(full(v))[np.ix_(own, own)],
            lambda f: np.where(np.arange(f.size) < levels, np.exp(2.0 * f), np.tanh(f)),
        )
    return size, lambda v: matrix(v)[np.ix_(own, own)], draw


def residual_part(word: str, order: int, group: np.ndarray, t: np.ndarray, by: np.ndarray | None, scale: np.ndarray) -> Part:
    """Errors within groups; `scale` (n,) multiplies standard deviations."""
    same = (group[:, None] == group[None, :]) & np.isfinite(t[:, None])
    levels = int(t.max()) + 1
    size, matrix, draw = _errors(word, order, t, levels)
    if word == "independent":
        same = np.eye(t.size, dtype=bool)
    weights = np.outer(scale, scale)
    if by is None:
        return Part(size, lambda v: np.where(same, matrix(v), 0.0) * weights, draw)
    sets = [same & np.outer(by == k, by == k) for k in np.unique(by)]

    def share(v: np.ndarray) -> np.ndarray:
        return sum(np.where(own, matrix(part), 0.0) for own, part in zip(sets, np.split(v, len(sets)), strict=True)) * weights

    return Part(size * len(sets), share, lambda f: np.concatenate([draw(part) for part in np.split(f, len(sets))]))


STRUCTURES = ("identity", "independent", "exchangeable", "unstructured")
ERRORS = (
    *(("", 0),) * 6,
    ("independent", 0),
    ("exchangeable", 0),
    ("ar", 1),
    ("ar", 2),
    ("ma", 1),
    ("ma", 2),
    ("toeplitz", 1),
    ("toeplitz", 2),
    ("exponential", 0),
    ("unstructured", 0),
    ("banded", 1),
)


def _frame(rng: np.random.Generator) -> pd.DataFrame:
    """Nested groups a > b, a crossed factor c, times within b with gaps."""
    tops, inner, times = int(rng.integers(4, 8)), int(rng.integers(2, 4)), 4
    rows = [
        (a, a * inner + k, t) for a in range(tops) for k in range(inner) for t in range(times) if t == 0 or rng.random() < 0.85
    ]
    d = pd.DataFrame(rows, columns=["a", "b", "t"])
    n = len(d)
    d["c"] = rng.integers(0, 5, n)
    d["x"], d["z"] = rng.normal(size=(2, n))
    d["arm"] = d.b % 2
    d["u"] = d.t * float(rng.choice([1.0, 0.3, 7.0])) + 0.1 * d.t**2
    effects = [rng.normal(size=60) * rng.choice([0.0, 0.5, 1.0, 2.0]) for _ in range(4)]
    d["y"] = 1.0 + 0.5 * d.x + effects[0][d.a] + effects[1][d.b] + effects[2][d.c] + effects[3][d.b] * d.x + rng.normal(size=n)
    d["w"] = rng.integers(1, 4, n)
    d["precision"] = rng.uniform(0.5, 2.0, n)
    return d


def random_model(seed: int) -> RandomModel:
    """A model of at most about a hundred rows: one to three terms, any structures, errors and kinds of weights, ML or REML."""
    rng = np.random.default_rng(seed)
    data = _frame(rng)
    word, order = ERRORS[rng.integers(len(ERRORS))]
    weights = str(rng.choice(["none", "none", "none", "fweight", "precision"])) if not word else "none"
    rows = data.loc[np.repeat(data.index, data.w)] if weights == "fweight" else data
    columns = {name: rows[name].to_numpy(float) for name in ("x", "z", "t", "u")}
    fixed = [[], ["x"], ["x", "z"]][rng.integers(3)]
    X = np.column_stack([*(columns[name] for name in fixed), np.ones(len(rows))])
    parts, terms = [], []
    levels = [name for name in ("c", "a", "b") if rng.random() < (0.3 if name == "c" else 0.55)]
    if word and "b" not in levels:
        levels.append("b")
    for level in levels or ["b"]:
        group = rows[level].to_numpy()
        if level == "c":
            parts.append(random_part(group, np.ones((len(rows), 1)), "identity"))
            terms.append("|| _all: R.c")
            continue
        own = [[], ["x"], ["x", "z"]][rng.choice(3, p=[0.55, 0.3, 0.15])] if level == "b" or rng.random() < 0.3 else []
        if word and level == "b":
            own = [] if rng.random() < 0.7 else ["x"]
            if not own and rng.random() < 0.6:
                terms.append("|| b:, noconstant")
                continue
        structure = str(rng.choice(STRUCTURES)) if own else "identity"
        parts.append(random_part(group, np.column_stack([*(columns[name] for name in own), np.ones(len(rows))]), structure))
        terms.append(f"|| {level}: {' '.join(own)}" + (f", covariance({structure})" if own else ""))
    scale = 1.0 / np.sqrt(rows.precision.to_numpy()) if weights == "precision" else np.ones(len(rows))
    by = word in ("independent", "exchangeable", "ar", "exponential") and (word == "independent" or rng.random() < 0.3)
    time = columns["u" if word == "exponential" else "t"]
    parts.append(residual_part(word or "independent", order, rows.b.to_numpy(), time, rows.arm.to_numpy() if by else None, scale))
    command = f"y {' '.join(fixed)}{' [fweight=w]' if weights == 'fweight' else ''} {' '.join(terms)}"
    options: dict = {"reml": bool(rng.random() < 0.5 and weights != "fweight")}
    if word:
        arguments = [] if word in ("independent", "exchangeable") else [f"t({'u' if word == 'exponential' else 't'})"]
        arguments += ["by(arm)"] if by else []
        options["residuals"] = f"{word}{f' {order}' if order else ''}" + (f", {' '.join(arguments)}" if arguments else "")
    if weights == "precision":
        options["precision_weights"] = "precision"
    return RandomModel(command, options, data, rows.y.to_numpy(), X, parts)
