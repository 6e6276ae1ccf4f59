"""Adaptive importance sampling: rounds of draws, each from a proposal fitted to those before, all weighted together.

Weights are p / sum_r (n_r / N) q_r, the balance heuristic, by which no draw of any round is lost and none counts too much
(Veach & Guibas 1995; Cornuet et al. 2012). All random numbers come of one generator in one order: evaluations may be shared out
among any number of workers without changing a digit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sparsemixed.bayesian.adaptation import fitted, shaped
from sparsemixed.bayesian.coefficients import Integrated
from sparsemixed.bayesian.mode import Mode
from sparsemixed.bayesian.proposal import TMixture, at_modes
from sparsemixed.bayesian.psis import GOOD, Smoothed, smooth
from sparsemixed.bayesian.special import logsumexp

Evaluate = Callable[[np.ndarray], tuple[np.ndarray, Integrated]]
"""From phi (S, n) to log densities (S,) and the coefficients' normals."""
ROUNDS = 4
"""Of adaptation, at most."""
MORE = 3
"""Times that as many draws again are made of a proposal fitted to all, where those before do not cover the posterior."""
GOOD_SHARE, GOOD_KHAT = 0.75, 0.45
"""Effective share of a round, and k-hat, from which another adaptation would not be worth its draws."""


@dataclass(frozen=True)
class Nodes:
    """Weighted places of the variance parameters, by which every expectation is a sum.

    Attributes
    ----------
    phi : (N, n)
    weights : (N,)
        Of sum one.
    integrated : Integrated
        Log likelihoods and the coefficients' normals there.
    log_marginal, log_marginal_se : float
        Log of the integral of prior times likelihood, with its Monte Carlo standard error; zero by quadrature.
    khat, ess : float
        Of the weights; by quadrature khat is NaN and ess infinite.
    spacing : (n, n) or None
        The vectors between neighbours, where the nodes are a lattice.
    """

    phi: np.ndarray
    weights: np.ndarray
    integrated: Integrated
    log_marginal: float
    log_marginal_se: float
    khat: float
    ess: float
    spacing: np.ndarray | None = None


@dataclass
class _Round:
    proposal: TMixture
    phi: np.ndarray
    log_density: np.ndarray
    integrated: Integrated


def sample(evaluate: Evaluate, modes: list[Mode], count: int, random: np.random.Generator) -> Nodes:
    """Weighted draws of a posterior with these modes: `count` of them, a part in rounds that adapt the proposal.

    Where they do not cover the posterior there are up to `MORE` times as many besides.

    Parameters
    ----------
    evaluate : callable
    modes : list of Mode
    count : int
    random : Generator
    """
    start = at_modes(modes)
    base = proposal = start
    n = len(modes[0].phi)
    pilot = int(min(max(count // 8, 20 * n + 100), count // 3))
    rounds, left = [_draw(evaluate, proposal, pilot, random)], count - pilot
    for _ in range(ROUNDS):
        base, proposal = _adapted(base, start, rounds)
        if left < 2 * pilot:
            break
        rounds.append(_draw(evaluate, proposal, pilot, random))
        left, last = left - pilot, _weighted(rounds[-1:])
        if last.khat < GOOD_KHAT and 1.0 / float(last.weights @ last.weights) > GOOD_SHARE * pilot:
            break
    rounds.append(_draw(evaluate, proposal, left, random))
    found = _nodes(rounds)
    for _ in range(MORE):
        if found.khat < GOOD:
            break
        base, proposal = _adapted(base, start, rounds)
        rounds.append(_draw(evaluate, proposal, count, random))
        found = _nodes(rounds)
    return found


def _adapted(base: TMixture, start: TMixture, rounds: list[_Round]) -> tuple[TMixture, TMixture]:
    """The mixture without skewness, fitted to all draws, and with the shape that they suggest."""
    phi, weights = np.concatenate([one.phi for one in rounds]), _weighted(rounds).weights
    base = fitted(base, phi, weights, start.roots)
    return base, shaped(base, phi, weights, start.roots)


def _draw(evaluate: Evaluate, proposal: TMixture, count: int, random: np.random.Generator) -> _Round:
    phi = proposal.draw(count, random)
    return _Round(proposal, phi, *evaluate(phi))


def _weighted(rounds: list[_Round]) -> Smoothed:
    return smooth(_log_ratios(rounds))


def _log_ratios(rounds: list[_Round]) -> np.ndarray:
    phi, counts = np.concatenate([one.phi for one in rounds]), {}
    for one in rounds:
        counts[id(one.proposal)] = counts.get(id(one.proposal), 0) + len(one.phi)
    proposals = {id(one.proposal): one.proposal for one in rounds}
    densities = [proposal.log_density(phi) + np.log(counts[key] / len(phi)) for key, proposal in proposals.items()]
    return np.concatenate([one.log_density for one in rounds]) - logsumexp(np.array(densities), axis=0)


def _nodes(rounds: list[_Round]) -> Nodes:
    ratios = _log_ratios(rounds)
    smoothed, parts = smooth(ratios), [one.integrated for one in rounds]
    integrated = Integrated(
        np.concatenate([one.log_likelihood for one in parts]),
        np.concatenate([one.mean for one in parts]),
        np.concatenate([one.root for one in parts]),
    )
    return nodes(np.concatenate([one.phi for one in rounds]), ratios, smoothed, integrated)


def nodes(phi: np.ndarray, ratios: np.ndarray, smoothed: Smoothed, integrated: Integrated) -> Nodes:
    """Nodes from log ratios (N,) of density and proposal; those without weight are left out."""
    count, weights = len(ratios), smoothed.weights
    log_marginal = float(logsumexp(ratios) - np.log(count))
    relative = np.exp(ratios - log_marginal)
    se = float(np.sqrt(np.var(relative) / count))
    keep = weights > 0
    kept = Integrated(integrated.log_likelihood[keep], integrated.mean[keep], integrated.root[keep])
    return Nodes(phi[keep], weights[keep], kept, log_marginal, se, smoothed.khat, 1.0 / float(weights @ weights))
