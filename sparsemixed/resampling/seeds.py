"""Random numbers of replicates: each has a stream of its own, whoever draws it and whatever was drawn before."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from sparsemixed.errors import OptionError
from sparsemixed.spec.numbers import is_whole

WORD, HALF = 1 << 32, np.uint32(16)
"""Numbers are hashed in words of 32 bits, which are mixed by their upper halves."""
POOL, FIRST, NEXT = 4, 0x43B0D7E5, 0x931E8875
"""Words of the pool that a seed is mixed into; the first constant of the hash, and the factor from each to the next."""
FIRST_OUT, NEXT_OUT = 0x8B51F9DD, 0x58F38DED
"""Those of the hash from the pool to the state of a generator."""
LEFT, RIGHT = 0xCA01F9DD, 0x4973F715
"""Factors of a word and of what is mixed into it."""


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
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(replicate,))))


def streams(seed: int, begin: int, end: int) -> Iterator[np.random.Generator]:
    """Those of replicates `begin` to `end`, one after another: the same as of `stream`, without its hashing in Python."""
    if end > WORD:
        yield from (stream(seed, replicate) for replicate in range(begin, end))
        return
    known = _Known()
    for known.words in states(seed, begin, end):
        yield np.random.Generator(np.random.PCG64(known))  # type: ignore[arg-type]  # which takes any ISeedSequence


class _Known(ISeedSequence):
    """A seed sequence whose words are known."""

    words = np.zeros(POOL, np.uint64)

    def generate_state(self, n_words: int, dtype: Any = np.uint64) -> np.ndarray:
        return self.words


def states(seed: int, begin: int, end: int) -> np.ndarray:
    """(B, 4) uint64: `SeedSequence(seed, spawn_key=(r,)).generate_state(4, np.uint64)` for r from begin to end.

    The hash is that of O'Neill (2015, "Developing a seed_seq alternative") as NumPy has it (NEP 19): what the seed makes of the
    pool is the same for all, so that only the last word, r < 2^32, is mixed in.
    """
    pool = np.random.SeedSequence(seed).pool
    # One constant for each word of the pool, one for each pair of them, and one for each word of a longer seed in each.
    longer = max(0, -(-seed.bit_length() // 32) - POOL)
    constant = FIRST * pow(NEXT, POOL * (POOL + longer), WORD) % WORD
    key, mixed = np.arange(begin, end, dtype=np.uint32), []
    for word in pool.tolist():
        hashed, constant = _hashed(key, constant, NEXT)
        other = np.uint32(word * LEFT % WORD) - hashed * np.uint32(RIGHT)
        mixed.append(other ^ (other >> HALF))
    out, constant = np.empty((end - begin, 2 * POOL), np.uint32), FIRST_OUT
    for place in range(2 * POOL):
        out[:, place], constant = _hashed(mixed[place % POOL], constant, NEXT_OUT)
    if sys.byteorder == "big":
        out = np.ascontiguousarray(out.reshape(-1, POOL, 2)[:, :, ::-1]).reshape(-1, 2 * POOL)
    return out.view(np.uint64)


def _hashed(words: np.ndarray, constant: int, factor: int) -> tuple[np.ndarray, int]:
    """Words hashed by a constant, and the next constant."""
    after = constant * factor % WORD
    out = (words ^ np.uint32(constant)) * np.uint32(after)
    return out ^ (out >> HALF), after
