"""Recursive halving and doubling: partners twice (half) as far apart in every round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulator.collectives.plan import Operation, Plan, Round


@dataclass(frozen=True)
class HalvingDoubling:
    """Recursive halving reduce-scatter, recursive doubling all-gather, both for an all-reduce; powers of two only.

    Source: Thakur, Rabenseifner, Gropp, Optimization of collective communication operations in MPICH, IJHPCA 2005, section 4.
    """

    name: ClassVar[str] = "halving_doubling"

    def plan(self, operation: Operation, domains: int, local: int) -> Plan | None:
        """Rounds of the operation; None where the algorithm does not offer it."""
        ranks = domains * local
        if ranks & (ranks - 1) or operation not in ("all_reduce", "reduce_scatter", "all_gather"):
            return None
        rank = np.arange(ranks)
        distances = [1 << k for k in range(ranks.bit_length() - 1)]
        halving = tuple(Round(source=rank, target=rank ^ d, chunk=(rank ^ d) // d * d, width=d, reduces=True) for d in reversed(distances))
        doubling = tuple(Round(source=rank, target=rank ^ d, chunk=rank // d * d, width=d) for d in distances)
        rounds = {"all_reduce": halving + doubling, "reduce_scatter": halving, "all_gather": doubling}[operation]
        return Plan(ranks=ranks, chunks=ranks, unit=1 / ranks, rounds=rounds, owner=rank)
