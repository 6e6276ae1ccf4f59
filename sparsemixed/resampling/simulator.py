"""Responses drawn from a fitted model, for the rows of its sample or for other rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import block_diag

from sparsemixed.design.build import rows_of_X
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.sample import check_known, offset_values
from sparsemixed.errors import DataError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.new_data import index_of
from sparsemixed.postestimation.row_covariance import of_rows, within_sample
from sparsemixed.resampling.draws import drawn
from sparsemixed.resampling.error_roots import ErrorRoots, error_roots
from sparsemixed.spec.numbers import is_whole

MOST_NUMBERS = 1 << 20
"""In the responses that are made at once (8 MB)."""


@dataclass(frozen=True)
class Effects:
    """The random effects of one term.

    Attributes
    ----------
    codes : (n,) int64
        Group of each row.
    columns : (n, k)
    root : (k, k)
        Of the covariance of a group's effects.
    n_groups : int
        Of those that are drawn.
    known : (K, k) or None
        Effects of groups that are not drawn; those that are come after them in the codes.
    """

    codes: np.ndarray
    columns: np.ndarray
    root: np.ndarray
    n_groups: int
    known: np.ndarray | None = None

    @property
    def n_numbers(self) -> int:
        """Of the random numbers that one draw takes."""
        return self.n_groups * self.root.shape[1]

    def drawn(self, z: np.ndarray) -> np.ndarray:
        """What they add to each row (..., n), from independent numbers (..., n_numbers)."""
        # One product for every draw: a product for all of them might add in another order.
        effects = z.reshape(*z.shape[:-1], self.n_groups, -1) @ self.root.T
        if self.known is not None:
            known = np.broadcast_to(self.known, (*z.shape[:-1], *self.known.shape))
            effects = np.concatenate([known, effects], axis=-2)
        return self.added(effects)

    def added(self, effects: np.ndarray) -> np.ndarray:
        """What effects (..., J, k) add to each row (..., n)."""
        total = self.columns[:, 0] * effects[..., 0].take(self.codes, axis=-1)
        for a in range(1, self.columns.shape[1]):
            total += self.columns[:, a] * effects[..., a].take(self.codes, axis=-1)
        return total


@dataclass(frozen=True)
class Simulator:
    """A model at its estimates, of which responses are drawn.

    Attributes
    ----------
    mean : (n,)
        The fixed part, and whatever is not drawn.
    effects : tuple of Effects
    errors : ErrorRoots
    """

    mean: np.ndarray
    effects: tuple[Effects, ...]
    errors: ErrorRoots

    def numbers(self, rng: np.random.Generator) -> np.ndarray:
        return rng.standard_normal(sum(each.n_numbers for each in self.effects) + len(self.mean))

    def responses(self, numbers: np.ndarray) -> np.ndarray:
        y, begin = np.broadcast_to(self.mean, (len(numbers), len(self.mean))).copy(), 0
        for each in self.effects:
            y += each.drawn(numbers[:, begin : begin + each.n_numbers])
            begin += each.n_numbers
        y += self.errors.times(numbers[:, begin:])
        return y


def refuse_replicates(fit: Fit, command: str) -> None:
    """Raise where weights say that rows stand for several observations, which differ."""
    if fit.design.weights is not None and fit.design.weights.kind != "precision":
        advice = "repeat the rows in the data instead" if fit.design.weights.kind == "frequency" else "leave them out"
        raise OptionError(
            f"{command}: rows with {fit.design.weights.kind} weights stand for several observations, and one response drawn for "
            f"them all would not be a draw from the model; {advice}"
        )


def of_sample(fit: Fit, conditional: bool, command: str) -> Simulator:
    """Of the responses of the sample, less their offset; with `conditional` the random effects are those predicted.

    Raises
    ------
    DataError
        The fit has no rows.
    OptionError
        Frequency or sampling weights.
    """
    if not fit.design.has_rows:
        raise DataError(f"{command}: this fit does not hold its rows; save it with data=True, or fit the model again")
    refuse_replicates(fit, command)
    mean, drawn = fit.design.X @ fit.beta, []
    for term, root, u in zip(fit.design.random, term_roots(fit), fit.u, strict=True):
        own = Effects(term.codes.astype(np.int64), term.columns, root, term.n_groups)
        if conditional:
            mean = mean + own.added(u)
        else:
            drawn.append(own)
    return Simulator(mean, tuple(drawn), error_roots(within_sample(fit)))


def term_roots(fit: Fit) -> list[np.ndarray]:
    """A root (k, k) of the covariance of a group's effects, for every term of the design."""
    by_position = {component.position: component for component in fit.components if component.block is not None}
    found = []
    for term in fit.design.random:
        own = [by_position[block.position] for block in term.blocks]
        factors = [c.block.structure.factor(fit.theta[c.theta]) for c in own if c.block is not None]
        found.append(np.sqrt(fit.sigma2) * np.asarray(block_diag(*factors)))
    return found


def of_data(fit: Fit, data: Any, conditional: bool) -> tuple[Simulator, np.ndarray | float, pd.Index | None]:
    """Of the responses of other rows, with their offset and index; without missing values.

    Raises
    ------
    SparseMixedError
        As predictions for new data; missing values; weights that replicate observations.
    """
    refuse_replicates(fit, "simulate")
    if any(term.members is not None for term in fit.design.random):
        raise OptionError("simulate: data= is not available for R.varname with covariance(exchangeable)")
    frame = model_frame(fit.spec, data)
    rows, X = Rows(frame, np.arange(frame.n_rows)), rows_of_X(fit.design, fit.spec, frame)
    if fit.spec.offsets:
        check_known(frame, fit.spec.offsets, fit.spec)
    offset = offset_values(fit.spec, rows)
    missing = np.isnan(X).any(axis=1) if offset is None else np.isnan(X).any(axis=1) | np.isnan(offset)
    if missing.any():
        raise DataError(f"simulate: {int(missing.sum())} rows of the data have missing values; leave them out")
    covariance = of_rows(fit, rows, known=conditional)
    effects = []
    for t, root in enumerate(term_roots(fit)):
        codes, known = covariance.codes[t], fit.u[t] if conditional else None
        if np.isnan(covariance.columns[t]).any() or (codes < -1).any():
            raise DataError("simulate: the data have missing values in the variables of the random part; leave these rows out")
        n_groups = int(codes.max()) + 1 if known is None else 0
        if known is not None and (codes < 0).any():
            codes, n_groups = _with_new_groups(fit, t, rows, codes)
        effects.append(Effects(codes, covariance.columns[t], root, n_groups, known))
    return Simulator(X @ fit.beta, tuple(effects), error_roots(covariance)), 0.0 if offset is None else offset, index_of(data)


def _with_new_groups(fit: Fit, t: int, rows: Rows, codes: np.ndarray) -> tuple[np.ndarray, int]:
    """Codes in which the groups that the fit does not know come after those that it knows, and the number of the new ones."""
    own = _codes_among(rows, fit.design.random[t].labels)
    new = np.flatnonzero(codes < 0)
    found, place = np.unique(own[new], return_inverse=True)
    codes = codes.copy()
    codes[new] = fit.design.random[t].n_groups + place
    return codes, len(found)


def _codes_among(rows: Rows, labels: pd.DataFrame) -> np.ndarray:
    from sparsemixed.design.groups.grouping import Groups

    return Groups(rows).codes(tuple(map(str, labels.columns)))[0].astype(np.int64)


def simulated(fit: Fit, n: int, seed: int, conditional: bool, data: Any) -> pd.DataFrame:
    """`n` responses in columns 0 to n - 1, each drawn by the stream of its own number.

    Raises
    ------
    OptionError
        `n` is no positive integer.
    """
    if not is_whole(n) or n < 1:
        raise OptionError(f"simulate: n={n!r} is to be the number of responses, at least 1")
    if data is None:
        simulator, index = of_sample(fit, conditional, "simulate"), fit.design.row_index
        offset = 0.0 if fit.design.offset is None else fit.design.offset
    else:
        simulator, offset, index = of_data(fit, data, conditional)
    step = max(1, MOST_NUMBERS // len(simulator.mean))
    rows = [drawn(simulator, seed, begin, min(begin + step, n)) + offset for begin in range(0, n, step)]
    return pd.DataFrame(np.concatenate(rows).T, index=index, columns=range(n))
