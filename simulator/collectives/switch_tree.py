"""The switches between nodes add: in-network reduction over a tree of them (InfiniBand SHARP)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulator.collectives.plan import Operation, Plan, Round


@dataclass(frozen=True)
class SwitchTree:
    """All-reduce in the switches of the network, rail by rail: each rank gathers its part of the domain's data, sends it up once and
    receives the sum once, where a ring between domains would send it almost twice.

    Args:
        in_domain: the switch inside a domain adds, too (NVLS); else ranks exchange their parts directly.

    Source: Graham et al., Scalable hierarchical aggregation protocol (SHARP), COMHPC 2016; NVIDIA/nccl, CollNet.
    """

    name: ClassVar[str] = "sharp"
    in_domain: bool = False

    def plan(self, operation: Operation, domains: int, local: int) -> Plan | None:
        """Rounds of the operation; None where the algorithm does not offer it."""
        if operation != "all_reduce" or domains == 1:
            return None
        ranks = domains * local
        rank = np.arange(ranks)
        place, above = rank % local, -1 - ranks - rank % local
        gather, spread = ((), ()) if local == 1 else _by_switch(domains, local) if self.in_domain else _directly(domains, local)
        up, down = Round(source=rank, target=above, chunk=place, reduces=True), Round(source=above, target=rank, chunk=place)
        return Plan(ranks=ranks, chunks=local, unit=1 / local, rounds=(*gather, up, down, *spread), pipelined=True)


Rounds = tuple[Round, ...]


def _by_switch(domains: int, local: int) -> tuple[Rounds, Rounds]:
    """What brings each rank its part of the domain's sum, and what spreads the parts: over the switch inside the domain."""
    rank = np.arange(domains * local)
    switch, place, whole = -1 - rank // local, rank % local, np.zeros_like(rank)
    return (
        (Round(source=rank, target=switch, chunk=whole, width=local, reduces=True), Round(source=switch, target=rank, chunk=place)),
        (Round(source=rank, target=switch, chunk=place), Round(source=switch, target=rank, chunk=whole, width=local)),
    )


def _directly(domains: int, local: int) -> tuple[Rounds, Rounds]:
    """The same from rank to rank."""
    source, other = np.divmod(np.arange(domains * local * local), local)
    apart = other != source % local
    source, other = source[apart], other[apart]
    target = source - source % local + other
    return (
        (Round(source=source, target=target, chunk=other, reduces=True),),
        (Round(source=source, target=target, chunk=source % local),),
    )
