"""Double binary trees between domains, chains inside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulator.collectives.double_tree import tree_rounds
from simulator.collectives.plan import Operation, Plan, Round


@dataclass(frozen=True)
class Tree:
    """All-reduce as NCCL's tree: on each rail, a chain inside the domain up to the rail's rank, a double binary tree between domains, and
    the same way back; pieces follow each other through all of it.

    Source: Sanders, Speck, Träff, Two-tree algorithms for full bandwidth broadcast, reduction and scan, Parallel Computing 2009.
    """

    name: ClassVar[str] = "tree"

    def plan(self, operation: Operation, domains: int, local: int) -> Plan | None:
        """Rounds of the operation; None where the algorithm does not offer it."""
        if operation != "all_reduce":
            return None
        ranks = domains * local
        domain, rail = (index.ravel() for index in np.indices((domains, local)))

        def link(place: int, back: bool) -> Round:
            outer, inner = (domain * local + (rail + offset) % local for offset in (place, place - 1))
            source, target = (inner, outer) if back else (outer, inner)
            return Round(source=source, target=target, chunk=2 * rail, width=2, reduces=not back)

        up = [link(place, back=False) for place in range(local - 1, 0, -1)]
        down = [link(place, back=True) for place in range(1, local)]
        rounds = (*up, *tree_rounds(domains, local), *down)
        return Plan(ranks=ranks, chunks=2 * local, unit=1 / (2 * local), rounds=rounds, pipelined=True)
