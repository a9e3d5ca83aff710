"""A collective as a table: who sends which chunk to whom in which round. No clock, no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Operation = Literal["all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "point_to_point"]

Ranks = NDArray[np.int64]
"""Positions in the group; -1 - d is the switch inside the group's d-th scale-up domain, -1 - ranks - p stands for the switches of the
network that add up what the group sends there: a tree whose links carry what comes from below once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Round:
    """Messages that are sent at once, and how often the pattern is repeated.

    Args:
        source, target: of each message.
        chunk: first chunk that each message carries; `width` chunks in a row. In repetition k it is `shift * k` further on, wrapped
            inside its block of `cycle` chunks.
        reduces: the target adds what arrives to what it has (else keeps it).
        chained: a message waits for nobody but the one that brought its chunk, so that latencies add along its way (else every
            repetition waits for the slowest message).
        steps: messages on that way; `repeat` unless rows relay what an earlier row of the same round has brought.
    """

    source: Ranks
    target: Ranks
    chunk: NDArray[np.int64]
    width: int = 1
    reduces: bool = False
    repeat: int = 1
    shift: int = 0
    cycle: int = 1
    chained: bool = False
    steps: int = 1

    def chunks(self, repetition: int) -> NDArray[np.int64]:
        """First chunk of each message in one repetition."""
        block = self.chunk - self.chunk % self.cycle
        moved: NDArray[np.int64] = block + (self.chunk + self.shift * repetition) % self.cycle
        return moved


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """Rounds that carry out an operation among `ranks` ranks.

    Args:
        chunks: into which the data are cut.
        unit: size of one chunk as a share of the operation's size.
        owner: rank that starts (all-gather) or ends (reduce-scatter) with each chunk.
        pipelined: all rounds run at once on successive pieces, so that a link is busy for the sum of what crosses it in all rounds
            (else rounds follow each other, and each takes as long as its busiest link).
    """

    ranks: int
    chunks: int
    unit: float
    rounds: tuple[Round, ...]
    owner: Ranks | None = None
    pipelined: bool = False
