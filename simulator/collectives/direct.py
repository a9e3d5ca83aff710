"""Everybody sends to everybody (or one to one) at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulator.collectives.plan import Operation, Plan, Round


@dataclass(frozen=True)
class Direct:
    """Direct all-to-all; all-gather, reduce-scatter and all-reduce by direct exchange; a single message."""

    name: ClassVar[str] = "direct"

    def plan(self, operation: Operation, domains: int, local: int) -> Plan | None:
        """Rounds of the operation; None where the algorithm does not offer it."""
        ranks = domains * local
        if operation == "point_to_point":
            zero = np.zeros(1, dtype=np.int64)
            return Plan(ranks=ranks, chunks=1, unit=1.0, rounds=(Round(source=zero, target=zero + 1, chunk=zero),))
        if operation == "broadcast":
            return None
        source, target = (ends.ravel() for ends in np.nonzero(~np.eye(ranks, dtype=bool)))
        if operation == "all_to_all":
            rounds = (Round(source=source, target=target, chunk=source * ranks + target),)
            return Plan(ranks=ranks, chunks=ranks * ranks, unit=1 / ranks, rounds=rounds)
        reduce = Round(source=source, target=target, chunk=target, reduces=True)
        gather = Round(source=source, target=target, chunk=source)
        phases = {"all_reduce": (reduce, gather), "reduce_scatter": (reduce,), "all_gather": (gather,)}[operation]
        return Plan(ranks=ranks, chunks=ranks, unit=1 / ranks, rounds=phases, owner=np.arange(ranks))
