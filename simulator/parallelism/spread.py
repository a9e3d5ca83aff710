"""Neighbours apart: each next node in another block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.parallelism.room import InRoom
from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class Spread(InRoom):
    """The job's nodes are dealt out to blocks of the machine room in turn, so that consecutive ones share nothing below the block's uplink.

    Args:
        block: nodes of one block: those under a leaf, of a rack, a pod, a site.
    """

    kind: Literal["spread"] = "spread"
    block: int

    def __post_init__(self) -> None:
        require(self.block >= 1, f"block is {self.block}, at least 1 node is expected")

    def stands(self, count: int) -> NDArray[np.int64]:
        """Place in the machine room of each of the job's nodes."""
        block, place = np.divmod(np.arange(self.room(count), dtype=np.int64), self.block)
        return np.lexsort((block, place))[:count]
