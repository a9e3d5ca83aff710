"""The recovery policy `redundant`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.reliability.surviving import Surviving
from simulator.spec import Fraction, require


@dataclass(frozen=True, kw_only=True)
class Redundant(Surviving):
    """Every node also holds the states of the next stage and computes its forward passes, in the bubbles where they last (Bamboo).

    Where a node is lost, the one before it takes over within `regroup`, with the step in progress lost. The job is then as slow as a node
    with two stages, or goes on without the pipelines that lost nodes, whichever is faster. Where a node is lost beside one that is missing
    already, or neighbours go at once (a block of nodes, several nodes that the owner takes), or the job as a whole failed, it is a restart
    from the last checkpoint.

    Args:
        drop: most nodes that can be missing at once.
        overhead: share by which every step is longer; absent: what the redundant forward passes take beyond the bubbles.
    """

    kind: Literal["redundant"] = "redundant"
    drop: int = 4
    overhead: Fraction | None = None

    def __post_init__(self) -> None:
        require(self.drop >= 1, "redundancy for no missing node", "write drop: 1 or more, or kind: restart")
