"""Nodes under tiers of switches: what every switched family shares, from the accelerators up to the last tier.

Links, in the order of their numbers: the scale-up fabric (an uplink and a downlink per accelerator, or one link per pair of a mesh), an
outgoing and an incoming link per network interface, and an uplink and a downlink per unit (a leaf, a pod) of each tier.

Assumes: the switches above a unit are one logical switch, reached by one logical link with the summed capacity (adaptive routing spreads
traffic evenly; hash collisions of ECMP are not modelled). Interfaces are not held back by the PCI Express link to their accelerator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.hardware import Node
from simulator.interconnect.network import Interconnect, Paths, join_paths
from simulator.outcome import NetworkLevel
from simulator.spec import require


@dataclass(frozen=True, kw_only=True, eq=False)
class Tier:
    """A tier of switches below which traffic need not climb further.

    Args:
        name: of a unit, e.g. `leaf`, and of what is above it, e.g. `spine`.
        unit: interface port (node * ports + port) -> the unit it hangs under; units of a tier nest inside those of the next.
        rate: from one unit up to the tier above, and down [B/s].
        oversubscription: endpoints' bandwidth below over the bandwidth of this tier.
    """

    name: str
    above: str
    unit: NDArray[np.int64]
    rate: float
    oversubscription: float

    @property
    def units(self) -> int:
        """How many there are."""
        return int(self.unit[-1]) + 1


@dataclass(frozen=True, kw_only=True, eq=False)
class SwitchedRouter:
    """Structural routing: up to the lowest unit that holds both ends, and down again.

    Args:
        rails: a message for an accelerator on another rail first crosses to that rail inside its own domain (NCCL's PXN), where the
            scale-up fabric lets it.
    """

    nodes: int
    per_node: int
    ports: int
    domain: int
    mesh: bool
    rails: bool
    tiers: tuple[Tier, ...]

    @property
    def _network(self) -> int:
        """Number of the first link between nodes."""
        endpoints = self.nodes * self.per_node
        return 0 if self.domain == 1 else endpoints * self.domain if self.mesh else 2 * endpoints

    def port(self, endpoint: NDArray[np.int64]) -> NDArray[np.int64]:
        """Network interface of each accelerator; neighbours share one where there are fewer."""
        node = endpoint // self.per_node
        ports: NDArray[np.int64] = node * self.ports + (endpoint - node * self.per_node) * self.ports // self.per_node
        return ports

    def paths(self, sources: NDArray[np.int64], targets: NDArray[np.int64]) -> Paths:
        """Links from each source to each target, in order; a negative end is the switch of the other end's own domain."""
        pairs, per_node = len(sources), self.per_node
        near = (sources // self.domain == targets // self.domain) | (sources < 0) | (targets < 0)
        far = ~near
        relay, relayed = targets, near & (sources != targets)
        crossing = bool(far.any())
        if crossing:
            out, into = self.port(sources), self.port(targets)
        if crossing and self.rails and self.domain > 1:
            # The neighbour that owns the target's rail: same place in its node as the target where the rails differ.
            crosses = far & (out % self.ports != into % self.ports)
            neighbour = sources - sources % per_node + targets % per_node
            relay, relayed = np.where(crosses, neighbour, targets), relayed | crosses
            out = np.where(crosses, self.port(neighbour), out)
        steps: list[tuple[NDArray[np.bool_], NDArray[np.int64]]] = []
        if self.domain > 1 and self.mesh:
            steps.append((relayed, sources * self.domain + relay % self.domain))
        elif self.domain > 1:
            steps += [(relayed & (sources >= 0), sources), (relayed & (relay >= 0), self.nodes * per_node + relay)]
        if crossing:
            ports, first = self.nodes * self.ports, self._network
            climb, descend = [(far, first + out)], [(far, first + ports + into)]
            first += 2 * ports
            for tier in self.tiers:
                one, other = tier.unit[out], tier.unit[into]
                apart = far & (one != other)
                climb.append((apart, first + one))
                descend.append((apart, first + tier.units + other))
                first += 2 * tier.units
            steps += climb + descend[::-1]
        return join_paths(steps, pairs)

    def ends(self, link: int) -> tuple[str, str]:
        """Names of the vertices that a link joins."""
        endpoints, ports = self.nodes * self.per_node, self.nodes * self.ports
        if link < self._network:
            if self.mesh:
                source, place = divmod(link, self.domain)
                return self._accelerator(source), self._accelerator(source - source % self.domain + place)
            accelerator = self._accelerator(link % endpoints)
            fabric = f"fabric{link % endpoints // self.domain}"
            return (accelerator, fabric) if link < endpoints else (fabric, accelerator)
        link -= self._network
        if link < 2 * ports:
            nic = self._interface(link % ports)
            switch = f"{self.tiers[0].name}{self.tiers[0].unit[link % ports]}" if self.tiers else "switch"
            return (nic, switch) if link < ports else (switch, nic)
        link -= 2 * ports
        for index, tier in enumerate(self.tiers):
            if link < 2 * tier.units:
                unit = link % tier.units
                above = tier.above
                if index + 1 < len(self.tiers):
                    over = self.tiers[index + 1]
                    above = f"{over.name}{over.unit[int(np.argmax(tier.unit == unit))]}"
                return (f"{tier.name}{unit}", above) if link < tier.units else (above, f"{tier.name}{unit}")
            link -= 2 * tier.units
        raise IndexError(f"no link {link}")

    def attachments(self) -> list[tuple[str, str]]:
        """Each accelerator beside its network interface."""
        endpoints = np.arange(self.nodes * self.per_node)
        return [(self._accelerator(int(e)), self._interface(int(p))) for e, p in zip(endpoints, self.port(endpoints), strict=True)]

    def _accelerator(self, endpoint: int) -> str:
        return f"node{endpoint // self.per_node}.accelerator{endpoint % self.per_node}"

    def _interface(self, port: int) -> str:
        return f"node{port // self.ports}.nic{port % self.ports}"


def switched(
    node: Node, count: int, *, tiers: tuple[Tier, ...], tier_nodes: tuple[int, ...], rails: bool, hop_latency: float
) -> Interconnect:
    """`count` nodes under tiers of switches.

    Args:
        tier_nodes: nodes under one group of units of each tier.
        hop_latency: of each switch level that a path climbs and descends [s]; half of it falls to each of the two links.

    Raises:
        MendableError: the scale-up domain is not made of whole nodes.
    """
    per_node, ports = node.accelerators, ports_of(node)
    domain = node.scale_up.domain or per_node
    require(count >= 1, f"count is {count}, at least 1 node is expected")
    require(domain % per_node == 0, f"a scale-up domain of {domain} is not made of whole nodes of {per_node}")
    mesh = node.scale_up.kind == "mesh"
    require(not mesh or domain == per_node, f"a mesh of {domain} accelerators spans nodes of {per_node}", "use a switch for such domains")
    endpoints = count * per_node
    router = SwitchedRouter(
        nodes=count, per_node=per_node, ports=ports, domain=domain, mesh=mesh, rails=rails and node.scale_up.kind != "pcie", tiers=tiers
    )
    rate, nic = node.scale_up.rate, node.nics * node.nic_rate / ports
    blocks = []  # (links, capacity, latency, between nodes)
    levels = []
    if domain > 1:
        links = endpoints * domain if mesh else 2 * endpoints
        blocks.append((links, rate / (domain - 1) if mesh else rate, node.scale_up.latency * (1.0 if mesh else 0.5), False))
        told = endpoints * (domain - 1) if mesh else endpoints
        levels.append(NetworkLevel(name=f"accelerator-{node.scale_up.kind}", links=told, rate=blocks[0][1], oversubscription=1.0))
    lowest = tiers[0].name if tiers else "switch"
    blocks.append((2 * count * ports, nic, hop_latency / 2, True))
    levels.append(NetworkLevel(name=f"nic-{lowest}", links=count * ports, rate=nic, oversubscription=1.0))
    for tier in tiers:
        blocks.append((2 * tier.units, tier.rate, hop_latency / 2, True))
        levels.append(
            NetworkLevel(name=f"{tier.name}-{tier.above}", links=tier.units, rate=tier.rate, oversubscription=tier.oversubscription)
        )
    sizes = [links for links, *_ in blocks]
    return Interconnect(
        accelerators=endpoints,
        accelerators_per_node=per_node,
        capacity=np.repeat([capacity for _, capacity, _, _ in blocks], sizes),
        latency=np.repeat([latency for _, _, latency, _ in blocks], sizes),
        scale_out=np.repeat([out for *_, out in blocks], sizes),
        scale_up=node.scale_up,
        domain=domain,
        ports=ports,
        cells=_cells(domain, tuple(nodes * per_node for nodes in tier_nodes), endpoints),
        levels=tuple(levels),
        router=router,
    )


def ports_of(node: Node) -> int:
    """Interfaces of a node as routing sees them: at most one per accelerator, the rest adds to their rate."""
    return min(node.nics, node.accelerators)


def _cells(domain: int, tiers: tuple[int, ...], endpoints: int) -> tuple[int, ...]:
    """Sizes of blocks that repeat: a domain, what hangs under one unit of each tier, and doublings that fit evenly in the next."""
    cells, size = [domain], domain
    for above in (*tiers, 0):
        if above and above % size:
            break
        while cells[-1] < endpoints and (above == 0 or (size < above and above % size == 0)):
            cells.append(size)
            size *= 2
        size = above
    return tuple(cells)
