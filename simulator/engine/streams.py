"""Named random streams: what happens by chance depends on who it happens to, never on who else is there.

Counter-based (Philox 4x64): the key is a hash of (seed, name), the counter is (draw, 0, 0, replication). A stream is read in rows, one row
per event of its owner, so that event i of a stream meets the same draws whatever the other streams do: another failure class, another
fleet size or another policy disturbs nobody, alternatives share common random numbers, and workers may take replications in any order.
"""

from __future__ import annotations

import hashlib
import math
from statistics import NormalDist

import numpy as np

_WORD = 2**64 - 1
_SMALLEST = 2.0**-54
_normal = NormalDist().inv_cdf
_FIRST_ROWS, _NEXT_ROWS = 4, 64
_ROUNDING = 1e-9
"""Of a share of a count: 15 % of 4 360 are 654 whatever the last bit says."""


class Streams:
    """All streams of one replication, over one bit generator whose key and counter are set before each block of draws."""

    def __init__(self, seed: int, replication: int) -> None:
        self._seed = seed
        self._replication = replication
        self._bits = np.random.Philox(key=0)
        self._generator = np.random.Generator(self._bits)
        self._state = self._bits.state

    def stream(self, name: str, columns: int) -> Stream:
        """The stream of that name, read in rows of `columns` draws (a multiple of 4: the counter steps by 4 draws)."""
        return Stream(self, self._key(name), columns)

    def _key(self, name: str) -> int:
        return int.from_bytes(hashlib.blake2b(f"{self._seed}/{name}".encode(), digest_size=16).digest(), "little")

    def chosen(self, name: str, share: float, among: int) -> list[int]:
        """A share of `among` things, rounded down, picked by chance."""
        draws = self.block(self._key(name), 0, 1, among)[0]
        return sorted(range(among), key=draws.__getitem__)[: math.floor(share * among + _ROUNDING)]

    def block(self, key: int, draw: int, rows: int, columns: int) -> list[list[float]]:
        """Uniform draws in [0, 1): `rows` of `columns`, the counter starting at `draw`."""
        self._state["state"] = {
            "counter": np.array([draw, 0, 0, self._replication], dtype=np.uint64),
            "key": np.array([key & _WORD, key >> 64], dtype=np.uint64),
        }
        self._bits.state = self._state
        block: list[list[float]] = self._generator.random((rows, columns)).tolist()
        return block


class Stream:
    """Rows of uniform draws in [0, 1), fetched in blocks whose size changes nothing."""

    __slots__ = ("_block", "_columns", "_draw", "_key", "_streams")

    def __init__(self, streams: Streams, key: int, columns: int) -> None:
        self._streams = streams
        self._key = key
        self._columns = columns
        self._draw = 0
        self._block: list[list[float]] = []

    def row(self) -> list[float]:
        """The next row."""
        if not self._block:
            rows = _NEXT_ROWS if self._draw else _FIRST_ROWS
            self._block = self._streams.block(self._key, self._draw, rows, self._columns)[::-1]
            self._draw += rows * self._columns // 4
        return self._block.pop()


def exponential(uniform: float) -> float:
    """A unit exponential by inversion."""
    return -math.log1p(-uniform)


def lognormal(mean: float, sigma: float, uniform: float) -> float:
    """A lognormal of that mean, by inversion; `sigma` is of the logarithm, 0 is a constant."""
    return mean * math.exp(sigma * _normal(uniform or _SMALLEST) - sigma * sigma / 2) if sigma else mean


def lognormal_factor(sigma: float, uniform: float) -> float:
    """A lognormal of median 1, by inversion."""
    return math.exp(sigma * _normal(uniform or _SMALLEST)) if sigma else 1.0
