"""Responses from random numbers: a stream of numbers for each, and the arithmetic for many at once."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sparsemixed.resampling.seeds import streams


class Draws(Protocol):
    """What is drawn for the rows of a design. A response depends on its own numbers alone, to the last digit."""

    def numbers(self, rng: np.random.Generator) -> np.ndarray:
        """The random numbers (m,) of one response."""
        ...

    def responses(self, numbers: np.ndarray) -> np.ndarray:
        """The responses (B, n) that are made of numbers (B, m)."""
        ...


def drawn(draws: Draws, seed: int, begin: int, end: int) -> np.ndarray:
    """The responses (B, n) of replicates `begin` to `end`."""
    return draws.responses(np.array([draws.numbers(rng) for rng in streams(seed, begin, end)]))
