"""Nodes as a scheduler happens to have them free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.parallelism.room import InRoom
from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class Scattered(InRoom):
    """The job's nodes are drawn from the machine room, all draws and orders equally likely.

    Args:
        seed: of the draw; another seed is another morning at the scheduler.
    """

    kind: Literal["scattered"] = "scattered"
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.seed >= 0, f"seed is {self.seed}, 0 or more is expected")

    def stands(self, count: int) -> NDArray[np.int64]:
        """Place in the machine room of each of the job's nodes."""
        return np.random.default_rng(self.seed).permutation(self.room(count))[:count].astype(np.int64)
