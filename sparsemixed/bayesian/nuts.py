"""Hamiltonian sampling of the few variance parameters, by nutpie, where proposals do not cover the posterior."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from sparsemixed.bayesian.bridge import bridged
from sparsemixed.bayesian.mode import Mode
from sparsemixed.bayesian.sampling import Nodes
from sparsemixed.bayesian.target import Target
from sparsemixed.errors import NotAvailableError, NumericalError, SlowSamplingWarning, warn

CHAINS, TUNING, STEPS = 2, 500, 7
"""Chains, draws of each that only tune it, and evaluations that a draw takes, about."""
HOW = "No-U-turn sampling could take over: pip install 'sparsemixed[bayes]'"


def nuts_nodes(
    target: Target, mode: Mode, count: int, random: np.random.Generator, told: Callable[[int], None], why: str = ""
) -> Nodes:
    """Equally weighted draws of the exact density, in coordinates in which the mode's curvature is the identity.

    `told` is called with one at every evaluation. Where there is a reason `why` this sampler has taken over, a warning has it,
    with the time that is to be expected.

    Raises
    ------
    NotAvailableError
        nutpie is not installed, or broke off; the message begins with `why`.
    """
    try:
        import nutpie  # an extra, which only this needs
        from nutpie.compiled_pyfunc import from_pyfunc
    except ImportError:
        raise NotAvailableError(f"{why or 'bayes: method=nuts needs nutpie'}. {HOW}") from None
    root, centre, n = np.linalg.cholesky(mode.covariance), mode.phi, target.n
    if why:
        _warn(target, mode, count, why)

    def make_expand(*_):
        return lambda x: {"x": x}

    model = from_pyfunc(
        n,
        lambda: _log_density(target, centre, root, told),
        make_expand,
        [np.dtype(np.float64)],
        [(n,)],
        ["x"],
        make_initial_point_fn=None,
    )
    each, seed = -(-count // CHAINS), int(random.integers(1 << 31))
    trace = _sampled(nutpie, model, each, seed, why)
    x = np.asarray(trace.posterior["x"]).reshape(-1, n)
    phi = centre + x @ root.T
    ess = float(effective_draws(x.reshape(CHAINS, each, n)))
    log_marginal, error = bridged(phi, target.log_density, ess / len(phi), random)
    return Nodes(phi, np.full(len(phi), 1.0 / len(phi)), target.integrated(phi), log_marginal, error, float("nan"), ess)


def _sampled(nutpie: Any, model: Any, each: int, seed: int, why: str) -> Any:
    """The chains; whatever ends them is one message."""
    try:
        return nutpie.sample(model, draws=each, tune=TUNING, chains=CHAINS, cores=1, seed=seed, progress_bar=False)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of compiled code is none of Python's Exceptions
        reason = str(error).partition("\n")[0]
        raise NotAvailableError(f"{why or 'bayes'}. No-U-turn sampling broke off: {reason}") from error


def _warn(target: Target, mode: Mode, count: int, why: str) -> None:
    """Say why it is slow, before it is."""
    began = time.perf_counter()
    target.log_density(mode.phi[None])
    target.gradient(
        mode.phi + 1e-3 * np.sqrt(np.diag(mode.covariance))
    )  # elsewhere: what is known of the mode would cost nothing
    evaluations = STEPS * (CHAINS * TUNING + count)
    seconds = (time.perf_counter() - began) * evaluations
    words = f"{seconds / 60:,.0f} minutes" if seconds > 90 else f"{seconds:,.0f} seconds"
    text = f"{why}. The No-U-turn sampler takes over: some {evaluations:,} evaluations with derivatives, about {words}"
    warn(text, SlowSamplingWarning)


def _log_density(
    target: Target, centre: np.ndarray, root: np.ndarray, told: Callable[[int], None]
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """The log density and its gradient in coordinates around the mode, as nutpie takes them."""

    def logp(x: np.ndarray) -> tuple[float, np.ndarray]:
        told(1)
        phi, nowhere = centre + root @ x, (-np.inf, np.zeros(target.n))
        # Where there is no density nutpie turns back; an exception would end the sampler.
        try:
            with np.errstate(all="ignore"):
                value, slope = float(target.log_density(phi[None])[0]), target.gradient(phi)
        except (NumericalError, np.linalg.LinAlgError):
            return nowhere
        return (value, root.T @ slope) if np.isfinite(value) and np.isfinite(slope).all() else nowhere

    return logp


def effective_draws(x: np.ndarray) -> float:
    """The least effective number of draws of columns of chains (c, S, n), by initial monotone sequences (Geyer 1992)."""
    chains, count, n = x.shape
    least = float(chains * count)
    for k in range(n):
        off = x[:, :, k] - x[:, :, k].mean()
        transformed = np.fft.rfft(off, 2 * count, axis=1)
        covariance = np.fft.irfft(np.abs(transformed) ** 2, axis=1)[:, :count].mean(axis=0) / count
        rho = covariance / covariance[0]
        pairs = rho[: count - count % 2].reshape(-1, 2).sum(axis=1)
        pairs = np.minimum.accumulate(pairs[: int(np.argmax(pairs <= 0)) or len(pairs)])
        least = min(least, chains * count / max(2.0 * float(pairs.sum()) - 1.0, 1e-12))
    return least
