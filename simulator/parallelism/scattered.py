"""Nodes as a scheduler happens to have them free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class Scattered:
    """The job's nodes are drawn from the machine room, all draws and orders equally likely.

    Args:
        among: nodes of the machine room; those of the job alone (in random order) where absent. Whatever else runs there keeps quiet,
            unless it is listed under `neighbours`.
        seed: of the draw; another seed is another morning at the scheduler.
    """

    kind: Literal["scattered"] = "scattered"
    among: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.seed >= 0, f"seed is {self.seed}, 0 or more is expected")

    def room(self, count: int) -> int:
        """Nodes of the machine room whose network is built."""
        require(self.among is None or self.among >= count, f"{count} nodes do not fit among {self.among}", f"write among: {count} or more")
        return self.among or count

    def stands(self, count: int) -> NDArray[np.int64]:
        """Place in the machine room of each of the job's nodes."""
        return np.random.default_rng(self.seed).permutation(self.room(count))[:count].astype(np.int64)
