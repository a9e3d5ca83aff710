"""Rings: every rank passes chunks to its neighbour; one ring per rank of a domain, so that every network interface carries one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulator.collectives.plan import Operation, Plan, Round


@dataclass(frozen=True)
class Ring:
    """Ring all-reduce, all-gather and reduce-scatter; broadcast as a chain around the ring.

    A group of `domains` x `local` ranks runs `local` rings at once, each with its share of the data. Ring c enters every domain at one
    rank and leaves at its other end; the order turns around in every second domain, so that hops between domains join equal places.
    """

    name: ClassVar[str] = "ring"

    def plan(self, operation: Operation, domains: int, local: int) -> Plan | None:
        """Rounds of the operation; None where the algorithm does not offer it."""
        ranks = domains * local
        order = ring_orders(domains, local)
        if operation == "broadcast":
            order = np.array([np.roll(ring, -int(np.flatnonzero(ring == 0)[0])) for ring in order])
            hops = order.T  # row k: rank that holds the data after k hops, of each ring
            relay = Round(
                source=hops[:-1].ravel(), target=hops[1:].ravel(), chunk=np.tile(np.arange(local), ranks - 1), chained=True, steps=ranks - 1
            )
            return Plan(ranks=ranks, chunks=local, unit=1 / local, rounds=(relay,), pipelined=True)
        place = np.arange(ranks)
        reduce, gather = (
            Round(
                source=order.ravel(),
                target=np.roll(order, -1, axis=1).ravel(),
                chunk=(np.arange(local)[:, None] * ranks + (place - late) % ranks).ravel(),
                reduces=bool(late),
                repeat=ranks - 1,
                shift=-1,
                cycle=ranks,
                chained=True,
                steps=ranks - 1,
            )
            for late in (1, 0)
        )
        rounds = {"all_reduce": (reduce, gather), "reduce_scatter": (reduce,), "all_gather": (gather,)}.get(operation)
        if rounds is None:
            return None
        return Plan(ranks=ranks, chunks=ranks * local, unit=1 / (ranks * local), rounds=rounds, owner=order.ravel())


def ring_orders(domains: int, local: int) -> NDArray[np.int64]:
    """Order of the ranks in each ring, shape (local, domains * local).

    Rings step through a domain by different strides, so that those of a mesh spread over its links, as long as each still leaves at a
    place of its own.
    """
    ring = np.arange(local)
    coprime = [stride for stride in range(1, local + 1) if math.gcd(stride, local) == 1]
    strides = np.array(coprime)[ring % len(coprime)]
    if len(set(((ring - strides) % local).tolist())) < local:
        strides = np.ones_like(ring)
    turn = (ring[:, None] + strides[:, None] * ring) % local
    runs = [turn if domain % 2 == 0 else turn[:, ::-1] for domain in range(domains)]
    return np.concatenate([domain * local + run for domain, run in enumerate(runs)], axis=1).astype(np.int64)
