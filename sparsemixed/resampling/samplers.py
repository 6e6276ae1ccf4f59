"""Kinds of bootstrap: what is drawn for a replicate, and how it is fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sparsemixed.design.subset import determines_coefficients
from sparsemixed.design.values import Design
from sparsemixed.errors import DataError, OptionError, SparseMixedError, suggestion
from sparsemixed.estimation.compact import estimates
from sparsemixed.estimation.estimate import estimate_response, fit_problem
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.sources.responses import responses
from sparsemixed.postestimation.influence.remaining_rows import named_covariances, started_at
from sparsemixed.postestimation.prediction.sample_values import marginal_residuals
from sparsemixed.resampling.copies import copied_levels
from sparsemixed.resampling.draws import Draws, drawn
from sparsemixed.resampling.group_fits import LEFT_OPEN, GroupFits
from sparsemixed.resampling.reflated import reflated_model
from sparsemixed.resampling.replicates import Replicates
from sparsemixed.resampling.response_fits import ResponseFits
from sparsemixed.resampling.seeds import stream, streams
from sparsemixed.resampling.simulator import of_sample
from sparsemixed.resampling.top_groups import TopGroups, clustered, nested

FEW_CLUSTERS = 11
"""Below which signs alone give too few different responses: Webb's six points take their place (Webb 2023)."""
WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])
SIGNS = np.array([-1.0, 1.0])


class Sampler(Protocol):
    """Replicates by their numbers: each is drawn by a stream of its own, and does not depend on any other."""

    @property
    def compiled(self) -> bool:
        """Whether fits run without Python."""
        ...

    @property
    def step(self) -> int:
        """Replicates in a piece of work."""
        ...

    def replicates(self, begin: int, end: int) -> Replicates:
        """The estimates of some."""
        ...

    def fit(self, replicate: int) -> Fit:
        """The whole fit of one."""
        ...


class ResponseSampler:
    """Responses drawn for the rows of the sample.

    Parameters
    ----------
    fit : Fit
    seed : int
    draws : Draws
    """

    def __init__(self, fit: Fit, seed: int, draws: Draws):
        self._model = responses(fit.spec, fit.design)
        self.fits, self._seed, self._draws = ResponseFits(self._model, fit), seed, draws

    @property
    def compiled(self) -> bool:
        return self.fits.compiled

    @property
    def step(self) -> int:
        return self.fits.step

    def response(self, replicate: int) -> np.ndarray:
        """The response (n,) of one replicate."""
        return drawn(self._draws, self._seed, replicate, replicate + 1)[0]

    def replicates(self, begin: int, end: int) -> Replicates:
        return self.fits.drawn(lambda: drawn(self._draws, self._seed, begin, end))

    def fit(self, replicate: int) -> Fit:
        return estimate_response(self._model, self.response(replicate))


class GroupSampler:
    """Clusters of top groups drawn with replacement, as many as there are, within strata if there are any.

    Parameters
    ----------
    fit : Fit
    seed : int
    top : TopGroups
    strata : (C,) int64
        Stratum of each cluster.
    """

    def __init__(self, fit: Fit, seed: int, top: TopGroups, strata: np.ndarray):
        self.fits, self._seed, self.top = GroupFits(fit, top), seed, top
        self._strata = [np.flatnonzero(strata == s) for s in range(int(strata.max()) + 1)]

    @property
    def compiled(self) -> bool:
        return self.fits.compiled

    @property
    def step(self) -> int:
        return self.fits.step

    def counts(self, replicate: int) -> np.ndarray:
        """How often each cluster (C,) is drawn."""
        return self._counts(stream(self._seed, replicate))

    def _counts(self, rng: np.random.Generator) -> np.ndarray:
        out = np.zeros(self.top.n_clusters, np.int64)
        for own in self._strata:
            out[own] = np.bincount(rng.integers(0, len(own), len(own)), minlength=len(own))
        return out

    def replicates(self, begin: int, end: int) -> Replicates:
        return self.fits.of(np.array([self._counts(rng) for rng in streams(self._seed, begin, end)]))

    def fit(self, replicate: int) -> Fit:
        return self.fits.fitted(self.counts(replicate))


class PigeonholeSampler:
    """Levels of crossed factors drawn with replacement, factor by factor; every copy is a level of its own (Owen 2007)."""

    def __init__(self, fit: Fit, seed: int):
        random = fit.design.random
        codes = [term.codes for term in random]
        own = [not any(_goes_with(codes, t, u) for u in range(len(codes)) if u != t) for t in range(len(codes))]
        if sum(own) < 2 or fit.design.residual is not None:
            raise OptionError(
                "bootstrap: kind='pigeonhole' is for crossed random effects with independent errors; use kind='cluster' where "
                "groups share nothing"
            )
        self._fit, self._seed, self._drawn, self._named = fit, seed, own, named_covariances(fit)

    compiled, step = False, 1

    def design(self, replicate: int) -> Design:
        """The design of one replicate."""
        rng = stream(self._seed, replicate)
        counts = [
            np.bincount(rng.integers(0, term.n_groups, term.n_groups), minlength=term.n_groups) if drawn else None
            for term, drawn in zip(self._fit.design.random, self._drawn, strict=True)
        ]
        design = copied_levels(self._fit.design, counts)
        if not len(design.y) or not determines_coefficients(design):
            raise DataError(LEFT_OPEN)
        return design

    def replicates(self, begin: int, end: int) -> Replicates:
        out = Replicates.room(end - begin, len(self._fit.beta), len(self._fit.variances))
        for row, replicate in enumerate(range(begin, end)):
            try:
                out.put(row, estimates(started_at(self._fit, self._named, self.design(replicate))))
            except SparseMixedError as error:
                out.message[row] = str(error)
        return out

    def fit(self, replicate: int) -> Fit:
        return fit_problem(started_at(self._fit, self._named, self.design(replicate)))


def _goes_with(codes: list[np.ndarray], t: int, u: int) -> bool:
    """Whether the groups of term t lie within those of u; of two terms with the same groups the first one's are drawn."""
    return nested(codes[t], codes[u]) and (u < t or not nested(codes[u], codes[t]))


def _parametric(fit: Fit, seed: int) -> Sampler:
    return ResponseSampler(fit, seed, of_sample(fit, False, "bootstrap"))


def _residual(fit: Fit, seed: int) -> Sampler:
    return ResponseSampler(fit, seed, reflated_model(fit))


@dataclass(frozen=True)
class _WildDraws:
    """Residuals of the fixed part, those of a top group times one number: whatever their covariance, it stays.

    Attributes
    ----------
    mean, residuals : (n,)
    top : TopGroups
    points : (m,)
        The numbers, all of the same probability.
    """

    mean: np.ndarray
    residuals: np.ndarray
    top: TopGroups
    points: np.ndarray

    def numbers(self, rng: np.random.Generator) -> np.ndarray:
        return rng.integers(0, len(self.points), self.top.n_groups)

    def responses(self, numbers: np.ndarray) -> np.ndarray:
        return self.mean + self.residuals * self.points[numbers].take(self.top.codes, axis=1)


def _wild(fit: Fit, seed: int) -> Sampler:
    top = clustered(fit, None, "bootstrap: kind='wild'", "use kind='parametric'")
    points = WEBB if top.n_groups < FEW_CLUSTERS else SIGNS
    return ResponseSampler(fit, seed, _WildDraws(fit.design.X @ fit.beta, marginal_residuals(fit), top, points))


KINDS: dict[str, Callable[[Fit, int], Sampler]] = {
    "parametric": _parametric,
    "residual": _residual,
    "wild": _wild,
    "pigeonhole": PigeonholeSampler,
}
"""Those that need nothing but the fit; `cluster` may have clusters and strata besides."""


def sampler_of(fit: Fit, kind: str, seed: int, clusters: np.ndarray | None, strata: np.ndarray | None) -> Sampler:
    """The sampler of a kind.

    Parameters
    ----------
    clusters, strata : (n,) int64 or None
        Codes of the rows, for kind "cluster".

    Raises
    ------
    OptionError
        There is no such kind; clusters or strata for another; strata that split clusters.
    SparseMixedError
        What the kind cannot serve.
    """
    names = (*KINDS, "cluster")
    if kind not in names:
        raise OptionError(f"bootstrap: kind={kind!r} is not one of {', '.join(names)}{suggestion(str(kind), names)}")
    if kind != "cluster":
        if clusters is not None or strata is not None:
            raise OptionError(f"bootstrap: cluster= and strata= are for kind='cluster', not for kind={kind!r}")
        return KINDS[kind](fit, seed)
    top = clustered(fit, clusters, "bootstrap: kind='cluster'", "use kind='parametric', 'residual' or 'pigeonhole'")
    own = np.zeros(top.n_clusters, np.int64)
    if strata is not None:
        own[top.cluster[top.codes]] = strata
        if not np.array_equal(own[top.cluster[top.codes]], strata):
            raise OptionError("bootstrap: some clusters have rows in several strata; strata are to hold whole clusters")
    return GroupSampler(fit, seed, top, own)
