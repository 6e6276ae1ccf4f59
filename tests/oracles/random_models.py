"""Random small models of every structure, their likelihood from V alone: numpy and printed parameters, nothing of the engine.

A model is a list of parts, each of which turns its own stretch of the printed parameters into its share of V; frequency weights
are replicated rows, precision weights divide error variances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.linalg import lapack
from scipy.optimize import minimize

from tests.oracles.covariance_parts import Part, random_part, residual_part

FARTHEST = 15.0
"""Unconstrained numbers in searches, in absolute value: standard deviations of 3e-7 to 3e6, correlations of one to 1e-13."""

SINGULAR = 1e-6
"""Least eigenvalue of V, relative to the largest, up to which it counts as singular."""

LEVEL = 0.1
"""Largest slope of the log likelihood at an optimum: searches end with up to 0.005, or with 10 and more on their way."""


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

    @property
    def size(self) -> int:
        """Number of printed parameters."""
        return sum(part.size for part in self.parts)

    def parts_of(self, numbers: np.ndarray) -> list[tuple[Part, np.ndarray]]:
        """Each part with its own stretch of numbers (size,)."""
        stops = np.cumsum([part.size for part in self.parts])
        return list(zip(self.parts, np.split(numbers, stops[:-1]), strict=True))

    def covariance(self, printed: np.ndarray) -> np.ndarray:
        """V (n, n) of the printed parameters."""
        return sum(part.share(own) for part, own in self.parts_of(printed))

    def printed(self, free: np.ndarray) -> np.ndarray:
        """Printed parameters of unconstrained numbers, as many."""
        return np.concatenate([part.family.draw(own) for part, own in self.parts_of(free)])

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
        alone = residual_part("independent", 0, np.arange(n), np.zeros(n), None, scale)
        return RandomModel("", self.options, self.data, self.y, self.X, [alone]).llf(np.array([sigma2]))

    def slope(self, V: np.ndarray) -> tuple[float, np.ndarray] | None:
        """Log (restricted) likelihood and its derivative by V (n, n), (Pyy'P - P) / 2; None where V is not positive definite."""
        n, p = self.X.shape
        lower, failed = lapack.dpotrf(V, lower=1)
        if failed or not np.isfinite(lower[-1, -1]):
            return None
        half, _ = lapack.dpotri(lower, lower=1)
        inverse = np.tril(half) + np.tril(half, -1).T
        VX = inverse @ self.X
        XVX = self.X.T @ VX
        P = inverse - VX @ np.linalg.solve(XVX, VX.T)
        Py = P @ self.y
        value = 2.0 * np.log(np.diag(lower)).sum() + self.y @ Py + (n - p if self.reml else n) * np.log(2 * np.pi)
        if self.reml:
            value += np.linalg.slogdet(XVX)[1]
        return -0.5 * float(value), 0.5 * (np.outer(Py, Py) - (P if self.reml else inverse))

    def score(self, numbers: np.ndarray, free: bool = True, step: float | np.ndarray = 1e-5) -> tuple[float, np.ndarray]:
        """Log likelihood and its derivatives by unconstrained (or printed) numbers; -inf and zeros where there is none.

        The values in which V is linear are differentiated by central differences of `step`.
        """
        step = np.broadcast_to(step, numbers.shape)
        with np.errstate(all="ignore"):
            V = self.covariance(self.printed(numbers) if free else numbers)
            found = self.slope(V) if np.isfinite(V).all() else None
            if found is None:
                return -np.inf, np.zeros(numbers.size)
            score = []
            for (part, own), h in zip(self.parts_of(numbers), (h for _, h in self.parts_of(step)), strict=True):
                sums, draw = part.gather(found[1]).ravel(), part.family.draw if free else np.asarray
                for k, move in enumerate(np.diag(h)):
                    change = part.family.values(draw(own + move)) - part.family.values(draw(own - move))
                    score.append(sums @ change.ravel() / (2.0 * h[k]))
        return found[0], np.array(score)

    def best_elsewhere(self, seed: int, enough: float = np.inf, starts: int = 5) -> float:
        """The largest log likelihood that searches from random starts find; none is made after one above `enough`.

        Where V becomes singular the likelihood has no maximum: it rises without end. A search can stop on the way there, while V
        still has digits, but at a place whose slopes are not zero.
        """
        rng, best = np.random.default_rng(seed), -np.inf

        def loss(free: np.ndarray) -> tuple[float, np.ndarray]:
            value, score = self.score(free)
            return (-value, -score) if np.isfinite(score).all() and np.isfinite(value) else (1e10, np.zeros(free.size))

        for _ in range(starts):
            start, box = 0.7 * rng.normal(size=self.size), [(-FARTHEST, FARTHEST)] * self.size
            found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=box, options={"maxiter": 1000})
            printed = self.printed(found.x)
            values = np.linalg.eigvalsh(self.covariance(printed))
            if values[0] > SINGULAR * values[-1] and abs(found.jac).max() < LEVEL:
                best = max(best, self.llf(printed))
            if best > enough:
                break
        return best

    def fixed_std_errs(self, printed: np.ndarray) -> np.ndarray:
        """Standard errors of the coefficients (p,), sqrt(diag(inv(X'inv(V)X)))."""
        return np.sqrt(np.diag(np.linalg.inv(self.X.T @ np.linalg.solve(self.covariance(printed), self.X))))

    def numerical_std_errs(self, printed: np.ndarray, free: np.ndarray | None = None) -> np.ndarray:
        """Standard errors of the printed parameters by central differences; NaN where two step sizes disagree.

        Where `free` (size,) is false a parameter is held, and has none.
        """
        moved = np.ones(self.size, bool) if free is None else free
        fine, coarse = (self._std_errs(printed, moved, size) for size in (1e-4, 4e-4))
        with np.errstate(invalid="ignore"):
            return np.where(np.abs(fine - coarse) <= 3e-4 * fine, fine, np.nan)

    def _std_errs(self, printed: np.ndarray, free: np.ndarray, size: float) -> np.ndarray:
        step, out = size * np.maximum(np.abs(printed), 1e-2), np.full(printed.size, np.nan)
        hessian = np.empty((printed.size, printed.size))
        for k in np.flatnonzero(free):
            move = step * (np.arange(step.size) == k)
            (above, up), (below, down) = (self.score(printed + d, False, 0.1 * step) for d in (move, -move))
            if not np.isfinite(above + below):
                return out
            hessian[k] = (up - down) / (2.0 * step[k])
        own = hessian[np.ix_(free, free)]
        try:
            with np.errstate(invalid="ignore"):
                out[free] = np.sqrt(np.diag(np.linalg.inv(-(own + own.T) / 2.0)))
        except np.linalg.LinAlgError:
            return out
        return out


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
