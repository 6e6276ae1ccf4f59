"""Random numbers of replicates: each has a stream of its own, whoever draws it and whatever was drawn before."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.spec.numbers import is_whole


def read_seed(seed: Any, command: str) -> int:
    """A seed as a number; without one the machine's own randomness.

    Raises
    ------
    OptionError
        It is no integer, or negative.
    """
    if seed is None:
        return secrets.randbits(64)
    if not is_whole(seed) or seed < 0:
        raise OptionError(f"{command}: seed={seed!r} is to be an integer of zero or more")
    return int(seed)


def stream(seed: int, replicate: int) -> np.random.Generator:
    """The stream of one replicate: that of the `replicate`-th child that `SeedSequence(seed).spawn` makes."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(replicate,)))
