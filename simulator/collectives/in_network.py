"""The switch inside a domain adds: in-network reduction (NVLS), alone or below a double binary tree between domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulator.collectives.double_tree import tree_rounds
from simulator.collectives.plan import Operation, Plan, Round


@dataclass(frozen=True)
class InNetwork:
    """All-reduce in the scale-up switch: it adds up each shard for the rank that owns it, and spreads the sum to all.

    Per rank and direction S (1 + 1/n) bytes cross the link to the switch, against 2 S (n - 1)/n of a ring.
    """

    name: ClassVar[str] = "nvls"

    def plan(self, operation: Operation, domains: int, local: int) -> Plan | None:
        """Rounds of the operation; None where the algorithm does not offer it."""
        if operation != "all_reduce" or local == 1:
            return None
        ranks = domains * local
        rank = np.arange(ranks)
        switch, shard = -1 - rank // local, 2 * (rank % local)
        whole = np.zeros(ranks, dtype=np.int64)
        rounds = (
            Round(source=rank, target=switch, chunk=whole, width=2 * local, reduces=True),
            Round(source=switch, target=rank, chunk=shard, width=2),
            *tree_rounds(domains, local),
            Round(source=rank, target=switch, chunk=shard, width=2),
            Round(source=switch, target=rank, chunk=whole, width=2 * local),
        )
        return Plan(ranks=ranks, chunks=2 * local, unit=1 / (2 * local), rounds=rounds, pipelined=True)
