"""What is wrong with a network: links below their rate, links that are gone, and the ways around them.

Assumes: a dead link is gone around where it is (by the shortest ways that are left between its two ends, targets taking equally short ones
in turn), as adaptive routing and fast reroute do; everybody else keeps his route, so that a fault takes load off no link that is left.
A node with a dead interface uses the next of its own, a flow that was hashed onto a dead cable another one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from simulator.interconnect.attached import AttachedRouter
from simulator.interconnect.dead_link import DeadLink
from simulator.interconnect.degraded_link import DegradedLink
from simulator.interconnect.flapping_link import FlappingLink
from simulator.interconnect.hashed import HashedTree
from simulator.interconnect.links import between_switches
from simulator.interconnect.lost_switches import LostSwitches
from simulator.interconnect.network import Interconnect, Paths, Router
from simulator.interconnect.slow_interface import SlowInterface
from simulator.outcome import LinkFault, NetworkLevel
from simulator.spec import Kinds, require

NetworkFault = Annotated[LostSwitches | SlowInterface | DegradedLink | DeadLink | FlappingLink, Kinds()]
"""Everything that can be wrong with a network: the union is the registry."""

_WAYS = 8
"""Equally short ways around a dead link that are used at most."""

_STRETCHES = 64
"""Stretches of a level that are told apart."""


def with_faults(network: Interconnect, faults: Sequence[NetworkFault]) -> Interconnect:
    """The network with all of these faults at once; of two on one link both count.

    Raises:
        MendableError: a fault names what is not there, or cuts something off.
    """
    if not faults:
        return network
    left = np.ones(len(network.capacity))
    for fault in faults:
        links, share = fault.touches(network)
        left[links] *= share
    touched = left < 1
    dead = left == 0
    # Scale-up domains still look alike where none of their own links is touched.
    cells = () if touched[~network.scale_out].any() else tuple(size for size in network.cells if size <= network.domain)
    return replace(
        network,
        capacity=network.capacity * left,
        cells=cells if touched.any() else network.cells,
        levels=_marked(network, left),
        router=_around(network, dead) if dead.any() else network.router,
        left=left,
        even=False,
    )


def _marked(network: Interconnect, left: NDArray[np.float64]) -> tuple[NetworkLevel, ...]:
    """The levels with their faults; a link and its way back are one."""
    found: defaultdict[int, dict[frozenset[str], LinkFault]] = defaultdict(dict)
    for link in np.flatnonzero(left < 1).tolist():
        ends = network.router.ends(link)
        level, place = network.router.level(link)
        known = found[level].get(frozenset(ends))
        share = float(left[link])
        if known is None or share < known.left:
            told = known.name if known else " -> ".join(ends)
            found[level][frozenset(ends)] = LinkFault(name=told, place=place if known is None else known.place, left=share)
    return tuple(
        replace(level, faulty=len(found[number]), faults=_told(list(found[number].values()), level.links))
        for number, level in enumerate(network.levels)
    )


def _told(faults: list[LinkFault], links: int) -> tuple[LinkFault, ...]:
    """The worst of each stretch of a level, so that a picture has them all in their places; the worst of all first."""
    worst: dict[int, LinkFault] = {}
    for fault in sorted(faults, key=lambda fault: (fault.left, fault.place), reverse=True):
        worst[fault.place * _STRETCHES // links] = fault
    return tuple(sorted(worst.values(), key=lambda fault: (fault.left, fault.place)))


def _around(network: Interconnect, dead: NDArray[np.bool_]) -> Router:
    """Routing that crosses no dead link.

    Raises:
        MendableError: there is no other way.
    """
    router, first = network.router, network.first_interface
    ports = network.accelerators // network.accelerators_per_node * network.ports
    lost = dead[first : first + ports] | dead[first + ports : first + 2 * ports]
    if lost.any() and isinstance(router, AttachedRouter):
        router = replace(router, instead=_other_interfaces(lost, network.ports))
    elsewhere = dead.copy()
    elsewhere[first : first + 2 * ports] = False
    beyond = first + 2 * ports
    if elsewhere[beyond:].any() and isinstance(router, AttachedRouter) and isinstance(router.fabric, HashedTree):
        router = replace(router, fabric=router.fabric.without(dead[beyond:]))
        elsewhere[beyond:] = False
    return _Detours(router, network, elsewhere) if elsewhere.any() else router


def _other_interfaces(lost: NDArray[np.bool_], each: int) -> NDArray[np.int64]:
    """Of each interface the next of its node that is left: itself, unless it is lost."""
    node, place = np.divmod(np.arange(len(lost)), each)
    turned = node[:, None] * each + (place[:, None] + np.arange(each)) % each
    alive = ~lost[turned]
    alone = np.flatnonzero(~alive.any(axis=1))
    require(
        not len(alone),
        f"node {node[alone[0]] if len(alone) else 0} has no network interface left",
        "keep one of them, or take the node out of the job (placement, count)",
    )
    instead: NDArray[np.int64] = np.take_along_axis(turned, alive.argmax(axis=1)[:, None], axis=1)[:, 0]
    return instead


class _Detours:
    """A router whose paths go around dead links, on the shortest ways between the two ends of each."""

    def __init__(self, router: Router, network: Interconnect, dead: NDArray[np.bool_]) -> None:
        self._inner, self._dead = router, dead
        ways: list[list[int]] = []
        self._first, self._count = np.zeros(len(dead), dtype=np.int64), np.zeros(len(dead), dtype=np.int64)
        outward: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        for link in (*(range(network.first_interface) if dead[: network.first_interface].any() else ()), *between_switches(network)):
            if not dead[link]:
                tail, head = network.router.ends(link)
                outward[tail].append((link, head))
        for link in np.flatnonzero(dead).tolist():
            ends = network.router.ends(link)
            found = _shortest(outward, *ends)
            require(
                bool(found),
                f"nothing but the dead link {' -> '.join(ends)} leads there",
                "write kind: degraded_link with the rate that is left, or kind: lost_switches for some of the switches",
            )
            self._first[link], self._count[link] = len(ways), len(found)
            ways += found
        self._lengths = np.array([len(way) for way in ways], dtype=np.int64)
        self._starts = np.cumsum(self._lengths) - self._lengths
        self._links = np.array([link for way in ways for link in way], dtype=np.int64)

    def paths(self, sources: NDArray[np.int64], targets: NDArray[np.int64]) -> Paths:
        """As the router's, each dead link replaced by a way around it."""
        offsets, links = self._inner.paths(sources, targets)
        hit = self._dead[links]
        if not hit.any():
            return offsets, links
        flow = np.repeat(np.arange(len(sources)), np.diff(offsets))
        turn = np.maximum(targets, sources)[flow[hit]]
        way = self._first[links[hit]] + turn % self._count[links[hit]]
        lengths = np.ones(len(links), dtype=np.int64)
        lengths[hit] = self._lengths[way]
        starts = np.cumsum(lengths) - lengths
        answer = np.empty(int(lengths.sum()), dtype=np.int64)
        answer[starts[~hit]] = links[~hit]
        entry = np.repeat(np.arange(len(way)), self._lengths[way])
        within = np.arange(len(entry)) - np.repeat(np.cumsum(self._lengths[way]) - self._lengths[way], self._lengths[way])
        answer[starts[hit][entry] + within] = self._links[self._starts[way][entry] + within]
        total = np.zeros(len(offsets), dtype=np.int64)
        np.cumsum(np.bincount(flow, weights=lengths, minlength=len(sources)).astype(np.int64), out=total[1:])
        return total, answer

    def ends(self, link: int) -> tuple[str, str]:
        """Names of the vertices that a link joins, tail first."""
        return self._inner.ends(link)

    def attachments(self) -> list[tuple[str, str]]:
        """Pairs of vertices that touch without a link of their own."""
        return self._inner.attachments()

    def level(self, link: int) -> tuple[int, int]:
        """Which of the network's levels a link belongs to."""
        return self._inner.level(link)


def _shortest(outward: Mapping[str, Sequence[tuple[int, str]]], start: str, goal: str) -> list[list[int]]:
    """The ways of fewest links from vertex to vertex, a few where there are many (breadth first)."""
    reached: dict[str, list[list[int]]] = {start: [[]]}
    known = {start}
    while reached and goal not in reached:
        further: defaultdict[str, list[list[int]]] = defaultdict(list)
        for vertex, ways in reached.items():
            for link, head in outward.get(vertex, ()):
                if head not in known and len(further[head]) < _WAYS:
                    further[head] += [[*way, link] for way in ways][: _WAYS - len(further[head])]
        known |= further.keys()
        reached = further
    return reached.get(goal, [])
