"""Nodes attached to a fabric: what every family shares, from the accelerators to their network interfaces.

Links, in the order of their numbers: the scale-up fabric (an uplink and a downlink per accelerator, or one link per pair of a mesh), an
outgoing and an incoming link per network interface, and the links of the fabric.

Assumes: interfaces are not held back by the PCI Express link to their accelerator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.hardware import Node
from simulator.interconnect.network import Interconnect, Paths, join_paths
from simulator.outcome import NetworkLevel
from simulator.spec import require

Ports = NDArray[np.int64]
"""Network interfaces: node * ports of a node + place in the node."""

Step = tuple[NDArray[np.bool_], NDArray[np.int64]]
"""One step of many paths: which of them take it, and the link that they then cross."""


class Fabric(Protocol):
    """What lies between the network interfaces: a family's own wiring and routing.

    `capacity` [B/s] and `latency` [s] are those of its directed links; `levels` tell of them; `edge` names what an interface hangs on (as
    a level is named), `edge_latency` is that of the link from an interface to it and of the link back [s].
    """

    @property
    def capacity(self) -> NDArray[np.float64]: ...
    @property
    def latency(self) -> NDArray[np.float64]: ...
    @property
    def levels(self) -> tuple[NetworkLevel, ...]: ...
    @property
    def edge(self) -> str: ...
    @property
    def edge_latency(self) -> float: ...

    def steps(self, out: Ports, into: Ports) -> list[Step]:
        """Links from interface to interface, in order; ends on one switch take none."""

    def ends(self, link: int) -> tuple[str, str]:
        """Names of the vertices that a link joins, tail first."""

    def beside(self, port: int) -> str:
        """Name of the vertex that an interface hangs on."""

    def level(self, link: int) -> tuple[int, int]:
        """Which of `levels` a link belongs to, and its place there (see `Router`)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AttachedRouter:
    """Routing from accelerator to accelerator: inside their domain, or over their interfaces and the fabric.

    Args:
        rails: a message for an accelerator on another rail first crosses to that rail inside its own domain (NCCL's PXN), where the
            scale-up fabric lets it.
        touching: pairs of the fabric's vertices that meet without a link.
        instead: of each interface, the one of the same node that carries its messages: itself, unless it is dead. Both ends then reach it
            over the fabric inside their domain.
    """

    nodes: int
    per_node: int
    ports: int
    domain: int
    mesh: bool
    rails: bool
    fabric: Fabric
    touching: tuple[tuple[str, str], ...] = ()
    instead: NDArray[np.int64] | None = None

    @property
    def _network(self) -> int:
        """Number of the first link between nodes."""
        endpoints = self.nodes * self.per_node
        return 0 if self.domain == 1 else endpoints * self.domain if self.mesh else 2 * endpoints

    def port(self, endpoint: NDArray[np.int64]) -> Ports:
        """Network interface of each accelerator; neighbours share one where there are fewer."""
        node = endpoint // self.per_node
        ports: Ports = node * self.ports + (endpoint - node * self.per_node) * self.ports // self.per_node
        return ports

    def paths(self, sources: NDArray[np.int64], targets: NDArray[np.int64]) -> Paths:
        """Links from each source to each target, in order; a negative end is the switch of the other end's own domain."""
        per_node = self.per_node
        near = (sources // self.domain == targets // self.domain) | (sources < 0) | (targets < 0)
        far = ~near
        relay, relayed = targets, near & (sources != targets)
        crossing = bool(far.any())
        if crossing:
            out, into = self.port(sources), self.port(targets)
        landed, lands = targets, np.zeros(len(targets), dtype=bool)
        if crossing and self.instead is not None:
            lands = far & (self.instead[into] != into)
            into = np.where(lands, self.instead[into], into)
            landed = np.where(lands, self._owner(into), targets)
        if crossing and self.rails and self.domain > 1:
            # The neighbour that owns the target's rail: same place in its node as the target where the rails differ.
            crosses = far & (out % self.ports != into % self.ports)
            neighbour = sources - sources % per_node + landed % per_node
            relay, relayed = np.where(crosses, neighbour, targets), relayed | crosses
            out = np.where(crosses, self.port(neighbour), out)
        if crossing and self.instead is not None:
            moved = far & (self.instead[out] != out)
            out = np.where(moved, self.instead[out], out)
            relay, relayed = np.where(moved, self._owner(out), relay), np.where(moved, self._owner(out) != sources, relayed)
        steps: list[Step] = []
        if self.domain > 1 and self.mesh:
            steps.append((relayed, sources * self.domain + relay % self.domain))
        elif self.domain > 1:
            steps += [(relayed & (sources >= 0), sources), (relayed & (relay >= 0), self.nodes * per_node + relay)]
        if crossing:
            ports, first = self.nodes * self.ports, self._network
            steps.append((far, first + out))
            steps += [(far & taken, first + 2 * ports + link) for taken, link in self.fabric.steps(out, into)]
            steps.append((far, first + ports + into))
        if lands.any() and self.mesh:
            steps.append((lands, landed * self.domain + targets % self.domain))
        elif lands.any():
            steps += [(lands, landed), (lands, self.nodes * per_node + targets)]
        return join_paths(steps, len(sources))

    def _owner(self, port: Ports) -> NDArray[np.int64]:
        """The first accelerator that is beside an interface."""
        node, place = np.divmod(port, self.ports)
        owner: NDArray[np.int64] = node * self.per_node - (-place * self.per_node // self.ports)
        return owner

    def level(self, link: int) -> tuple[int, int]:
        """Accelerators in their domain (where there are several), interfaces, then the levels of the fabric."""
        endpoints, ports, inside = self.nodes * self.per_node, self.nodes * self.ports, int(self.domain > 1)
        if link < self._network:
            source, peer = divmod(link, self.domain)
            own = source % self.domain
            return 0, source * (self.domain - 1) + peer - (peer > own) if self.mesh else link % endpoints
        link -= self._network
        if link < 2 * ports:
            return inside, link % ports
        level, place = self.fabric.level(link - 2 * ports)
        return inside + 1 + level, place

    def ends(self, link: int) -> tuple[str, str]:
        """Names of the vertices that a link joins."""
        endpoints, ports = self.nodes * self.per_node, self.nodes * self.ports
        if link < self._network:
            if self.mesh:
                source, place = divmod(link, self.domain)
                return self._accelerator(source), self._accelerator(source - source % self.domain + place)
            accelerator = self._accelerator(link % endpoints)
            inside = f"fabric{link % endpoints // self.domain}"
            return (accelerator, inside) if link < endpoints else (inside, accelerator)
        link -= self._network
        if link < 2 * ports:
            nic, vertex = self._interface(link % ports), self.fabric.beside(link % ports)
            return (nic, vertex) if link < ports else (vertex, nic)
        link -= 2 * ports
        if link >= len(self.fabric.capacity):
            raise IndexError(f"no link {link} among the {len(self.fabric.capacity)} between switches")
        return self.fabric.ends(link)

    def attachments(self) -> list[tuple[str, str]]:
        """Each accelerator beside its network interface, and what touches in the fabric."""
        endpoints = np.arange(self.nodes * self.per_node)
        return [
            *self.touching,
            *((self._accelerator(int(e)), self._interface(int(p))) for e, p in zip(endpoints, self.port(endpoints), strict=True)),
        ]

    def _accelerator(self, endpoint: int) -> str:
        return f"node{endpoint // self.per_node}.accelerator{endpoint % self.per_node}"

    def _interface(self, port: int) -> str:
        return f"node{port // self.ports}.nic{port % self.ports}"


def attached(
    node: Node,
    count: int,
    fabric: Fabric,
    *,
    rails: bool = False,
    alike: tuple[int, ...] = (),
    share: float = 1.0,
    touching: tuple[tuple[str, str], ...] = (),
) -> Interconnect:
    """`count` nodes on a fabric.

    Args:
        rails, touching: see `AttachedRouter`.
        alike: nodes, ascending, of blocks of the fabric that traffic need not leave and that look the same.
        share: of the interfaces' rate that is there (one of two planes lost: 0.5).

    Raises:
        MendableError: the scale-up domain is not made of whole nodes.
    """
    per_node, ports = node.accelerators, ports_of(node)
    domain = domain_of(node)
    require(count >= 1, f"count is {count}, at least 1 node is expected")
    require(domain % per_node == 0, f"a scale-up domain of {domain} is not made of whole nodes of {per_node}")
    mesh = node.scale_up.kind == "mesh"
    require(not mesh or domain == per_node, f"a mesh of {domain} accelerators spans nodes of {per_node}", "use a switch for such domains")
    endpoints = count * per_node
    rails = rails and node.scale_up.kind != "pcie"
    router = AttachedRouter(
        nodes=count, per_node=per_node, ports=ports, domain=domain, mesh=mesh, rails=rails, fabric=fabric, touching=touching
    )
    rate, nic = node.scale_up.rate, share * node.nics * node.nic_rate / ports
    blocks = []  # (links, capacity, latency)
    levels = []
    if domain > 1:
        links = endpoints * domain if mesh else 2 * endpoints
        blocks.append((links, rate / (domain - 1) if mesh else rate, node.scale_up.latency * (1.0 if mesh else 0.5)))
        told = endpoints * (domain - 1) if mesh else endpoints
        levels.append(NetworkLevel(name=f"accelerator-{node.scale_up.kind}", links=told, rate=blocks[0][1], oversubscription=1.0))
    inside = sum(links for links, *_ in blocks)
    blocks.append((2 * count * ports, nic, fabric.edge_latency))
    levels.append(NetworkLevel(name=f"nic-{fabric.edge}", links=count * ports, rate=nic, oversubscription=1.0))
    sizes = [links for links, *_ in blocks]
    capacity = np.concatenate([np.repeat([capacity for _, capacity, _ in blocks], sizes), fabric.capacity])
    return Interconnect(
        accelerators=endpoints,
        accelerators_per_node=per_node,
        capacity=capacity,
        latency=np.concatenate([np.repeat([latency for *_, latency in blocks], sizes), fabric.latency]),
        scale_out=np.arange(len(capacity)) >= inside,
        scale_up=node.scale_up,
        domain=domain,
        ports=ports,
        cells=_cells(domain, tuple(nodes * per_node for nodes in alike), endpoints),
        levels=(*levels, *fabric.levels),
        router=router,
    )


def ports_of(node: Node) -> int:
    """Interfaces of a node as routing sees them: at most one per accelerator, the rest adds to their rate."""
    return min(node.nics, node.accelerators)


def domain_of(node: Node) -> int:
    """Accelerators of one scale-up domain."""
    return node.scale_up.domain or node.accelerators


def interfaces(node: Node, count: int) -> Ports:
    """Every network interface of `count` nodes."""
    return np.arange(count * ports_of(node), dtype=np.int64)


def _cells(domain: int, alike: tuple[int, ...], endpoints: int) -> tuple[int, ...]:
    """Sizes of blocks that repeat: a domain, what hangs under one unit of each level, and doublings that fit evenly in the next."""
    cells, size = [domain], domain
    for above in (*alike, 0):
        if above and above % size:
            break
        while cells[-1] < endpoints and (above == 0 or (size < above and above % size == 0)):
            cells.append(size)
            size *= 2
        size = above
    return tuple(cells)
