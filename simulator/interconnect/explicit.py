"""A network given link by link, with shortest-path routing."""

from __future__ import annotations

import functools
import heapq
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.hardware import Node
from simulator.interconnect.attached import Ports, Step, attached, ports_of
from simulator.interconnect.network import Interconnect
from simulator.outcome import NetworkLevel
from simulator.spec import BytesPerSecond, Seconds, Sourced, require


@dataclass(frozen=True, kw_only=True)
class Link:
    """A cable between two vertices.

    Args:
        source, target: names of the vertices.
        rate: per direction [B/s].
        latency: [s].
        both: there is the same link back.
    """

    source: str
    target: str
    rate: BytesPerSecond
    latency: Seconds = 1e-6
    both: bool = True

    def __post_init__(self) -> None:
        require(self.rate > 0, f"rate from {self.source} to {self.target} is 0", "leave a dead link out")


@dataclass(frozen=True, kw_only=True)
class Explicit(Sourced):
    """Vertices and links as they are; messages take a shortest path, and of equally short ones each target has its own.

    Args:
        file: GraphML (`.graphml`) or node-link JSON (`.json`) that says hosts and links instead, by its path relative to this file.
        hosts: vertices that are nodes, in their order; every other vertex is a switch.
        links: between vertices.
        shortest: what is least along a path: the number of its links, or its latency.
    """

    kind: Literal["explicit"] = "explicit"
    file: str = ""
    hosts: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    shortest: Literal["hops", "latency"] = "hops"

    def __post_init__(self) -> None:
        require(bool(self.hosts), "hosts is empty", "name the vertices that are nodes, or a file with them: file: net.graphml")
        require(len(set(self.hosts)) == len(self.hosts), "hosts names one vertex twice", "name each once")
        joined = {end for link in self.links for end in (link.source, link.target)}
        missing = [host for host in self.hosts if host not in joined]
        require(not missing or len(self.hosts) == 1, f"hosts names {', '.join(missing[:5])}, which no link joins", "add the links")

    def build(self, node: Node, count: int) -> Interconnect:
        """The network with `count` nodes at its first hosts; a node's interfaces all hang on its vertex.

        Raises:
            MendableError: more nodes than hosts, or hosts that cannot reach one another.
        """
        require(count <= len(self.hosts), f"{count} nodes do not fit on {len(self.hosts)} hosts", "name more hosts")
        directed = [(link.source, link.target, link) for link in self.links]
        directed += [(link.target, link.source, link) for link in self.links if link.both]
        names = tuple(dict.fromkeys([*self.hosts, *(end for one, other, _ in directed for end in (one, other))]))
        number = {name: place for place, name in enumerate(names)}
        wiring = _Graph(
            names=names,
            ports=ports_of(node),
            tails=tuple(number[one] for one, _, _ in directed),
            heads=tuple(number[other] for _, other, _ in directed),
            capacity=np.array([link.rate for *_, link in directed]),
            latency=np.array([link.latency for *_, link in directed]),
            by_latency=self.shortest == "latency",
        )
        reached = wiring.towards(0)
        lost = next((host for host in range(1, count) if not reached[host] or not wiring.towards(host)[0]), None)
        require(lost is None, f"there is no way between {names[0]} and {names[lost or 0]} and back", "add the links")
        return attached(node, count, wiring)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Graph:
    names: tuple[str, ...]
    ports: int
    tails: tuple[int, ...]
    heads: tuple[int, ...]
    capacity: NDArray[np.float64]
    latency: NDArray[np.float64]
    by_latency: bool
    edge: str = "host"
    edge_latency: float = 0.0

    @property
    def levels(self) -> tuple[NetworkLevel, ...]:
        if not len(self.capacity):
            return ()
        return (NetworkLevel(name="links", links=len(self.capacity), rate=float(self.capacity.min()), oversubscription=1.0),)

    @functools.cached_property
    def _into(self) -> list[list[int]]:
        """Links into each vertex."""
        into: list[list[int]] = [[] for _ in self.names]
        for link, head in enumerate(self.heads):
            into[head].append(link)
        return into

    @functools.cached_property
    def _known(self) -> dict[int, list[list[int]]]:
        return {}

    def towards(self, goal: int) -> list[list[int]]:
        """Links that each vertex can take next on a shortest path to `goal`; none where there is no way (Dijkstra's algorithm)."""
        if goal in self._known:
            return self._known[goal]
        length = self.latency.tolist() if self.by_latency else [1.0] * len(self.capacity)
        far = [float("inf")] * len(self.names)
        following: list[list[int]] = [[] for _ in self.names]
        far[goal] = 0.0
        queue = [(0.0, goal)]
        done = set()
        while queue:
            distance, vertex = heapq.heappop(queue)
            if vertex in done:
                continue
            done.add(vertex)
            for link in self._into[vertex]:
                tail, there = self.tails[link], distance + length[link]
                if there < far[tail] * (1 - 1e-12):
                    far[tail], following[tail] = there, [link]
                    heapq.heappush(queue, (there, tail))
                elif tail not in done and there <= far[tail] * (1 + 1e-12):
                    following[tail].append(link)
        following[goal] = []
        self._known[goal] = following
        return following

    def steps(self, out: Ports, into: Ports) -> list[Step]:
        """From vertex to vertex; where several links are as good, targets take them in turn (as D-mod-k routing does)."""
        here, goal = out // self.ports, into // self.ports
        turn = into % _TURNS
        key, which = np.unique((here * len(self.names) + goal) * _TURNS + turn, return_inverse=True)
        walks = [self._walk(int(one) // _TURNS // len(self.names), int(one) // _TURNS % len(self.names), int(one) % _TURNS) for one in key]
        longest = max((len(walk) for walk in walks), default=0)
        table = np.full((longest, len(walks)), -1, dtype=np.int64)
        for place, walk in enumerate(walks):
            table[: len(walk), place] = walk
        return [(row[which] >= 0, row[which]) for row in table]

    def _walk(self, here: int, goal: int, turn: int) -> list[int]:
        following = self.towards(goal)
        walk: list[int] = []
        while here != goal:
            ways = following[here]
            walk.append(ways[(turn + len(walk)) % len(ways)])
            here = self.heads[walk[-1]]
        return walk

    def ends(self, link: int) -> tuple[str, str]:
        """The two vertices."""
        return self.names[self.tails[link]], self.names[self.heads[link]]

    def level(self, link: int) -> tuple[int, int]:
        """There is one."""
        return 0, link

    def beside(self, port: int) -> str:
        """The vertex of a node."""
        return self.names[port // self.ports]


_TURNS = 840
"""Turns that targets take: a multiple of every number of equal ways up to eight."""
