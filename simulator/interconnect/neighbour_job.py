"""Another job on the same fabric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.spec import Fraction, require


@dataclass(frozen=True, kw_only=True)
class NeighbourJob:
    """Other jobs in the machine room, on nodes that this one leaves free: each interface sends all the time, at a share of its rate.

    Args:
        nodes: of one such job.
        times: jobs like this one.
        placed: on the free nodes in order, or `scattered` over them.
        seed: of the draw, where they are scattered.
        sends: share of its rate that each interface sends on the mean.
        traffic: `ring` (to the next node of the job, as in data parallelism) or `all_to_all` (to all of them, as experts do).
    """

    kind: Literal["job"] = "job"
    nodes: int
    times: int = 1
    placed: Literal["packed", "scattered"] = "packed"
    seed: int = 0
    sends: Fraction
    traffic: Literal["ring", "all_to_all"] = "ring"

    def __post_init__(self) -> None:
        require(self.nodes >= 2, f"nodes is {self.nodes}: nobody to talk to", "write at least 2")
        require(self.times >= 1, f"times is {self.times}, at least 1 is expected")
        require(self.seed >= 0, f"seed is {self.seed}, 0 or more is expected")
        require(self.sends > 0, "sends is 0: nothing to contend with", "leave the neighbour out")

    def stands(self, free: NDArray[np.int64]) -> NDArray[np.int64]:
        """Nodes of each such job, one per row, among those that are free.

        Raises:
            MendableError: there are too few.
        """
        needed = self.times * self.nodes
        require(
            needed <= len(free),
            f"nodes: {needed} are needed, {len(free)} of the machine room are free",
            "write a larger room, e.g. cluster.placement.among",
        )
        order = free if self.placed == "packed" else free[np.random.default_rng(self.seed).permutation(len(free))]
        return order[:needed].reshape(self.times, self.nodes)

    def messages(self, free: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Source and target node of every message that is on its way at once."""
        jobs = self.stands(free)
        shifts = range(1, 2 if self.traffic == "ring" else self.nodes)
        targets = np.concatenate([np.roll(jobs, -shift, axis=1).ravel() for shift in shifts])
        return np.tile(jobs.ravel(), len(shifts)), targets
