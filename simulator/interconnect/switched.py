"""Tiers of switches above the network interfaces: a tree.

Assumes: the switches above a unit are one logical switch, reached by one logical link with the summed capacity (adaptive routing spreads
traffic evenly; `hashed` has the collisions of ECMP).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.hardware import Node
from simulator.interconnect.attached import Ports, Step, interfaces, ports_of
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

    @functools.cached_property
    def first(self) -> NDArray[np.int64]:
        """Of each unit, the first interface under it."""
        return np.unique(self.unit, return_index=True)[1]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tree:
    """Structural routing: up to the lowest unit that holds both ends, and down again. An uplink and a downlink per unit of each tier.

    Args:
        hop_latency: of each switch level that a path climbs and descends [s]; half of it falls to each of the two links.
    """

    tiers: tuple[Tier, ...]
    hop_latency: float

    @property
    def capacity(self) -> NDArray[np.float64]:
        return np.repeat([tier.rate for tier in self.tiers], [2 * tier.units for tier in self.tiers])

    @property
    def latency(self) -> NDArray[np.float64]:
        return np.full(sum(2 * tier.units for tier in self.tiers), self.hop_latency / 2)

    @property
    def levels(self) -> tuple[NetworkLevel, ...]:
        return tuple(
            NetworkLevel(name=f"{tier.name}-{tier.above}", links=tier.units, rate=tier.rate, oversubscription=tier.oversubscription)
            for tier in self.tiers
        )

    @property
    def edge(self) -> str:
        return self.tiers[0].name if self.tiers else "switch"

    @property
    def edge_latency(self) -> float:
        return self.hop_latency / 2

    def steps(self, out: Ports, into: Ports) -> list[Step]:
        """Up while the ends hang under different units, and down again."""
        climb, descend, first = [], [], 0
        for tier in self.tiers:
            one, other = tier.unit[out], tier.unit[into]
            apart = one != other
            climb.append((apart, first + one))
            descend.append((apart, first + tier.units + other))
            first += 2 * tier.units
        return climb + descend[::-1]

    def ends(self, link: int) -> tuple[str, str]:
        """Names of the vertices that a link joins."""
        for index, tier in enumerate(self.tiers):
            if link < 2 * tier.units:
                unit = link % tier.units
                above = tier.above
                if index + 1 < len(self.tiers):
                    over = self.tiers[index + 1]
                    above = f"{over.name}{over.unit[tier.first[unit]]}"
                return (f"{tier.name}{unit}", above) if link < tier.units else (above, f"{tier.name}{unit}")
            link -= 2 * tier.units
        raise IndexError(f"no link {link}")

    def level(self, link: int) -> tuple[int, int]:
        """The tier, and the unit whose link it is."""
        for index, tier in enumerate(self.tiers):
            if link < 2 * tier.units:
                return index, link % tier.units
            link -= 2 * tier.units
        raise IndexError(f"no link {link}")

    def beside(self, port: int) -> str:
        """The unit of the first tier, or the one switch."""
        return f"{self.tiers[0].name}{self.tiers[0].unit[port]}" if self.tiers else "switch"


@dataclass(frozen=True, kw_only=True)
class Levels:
    """Sizes and oversubscription of a leaf level and, where pods are given, of a core level.

    Args:
        rails: network interface i of every node of a group attaches to leaf i of that group; otherwise all to the leaf of its rack.
        leaf_nodes, pod_nodes: nodes under one group of leaves, and under one set of spines.
        leaf_oversubscription, spine_oversubscription: bandwidth below a level over bandwidth above it.
    """

    rails: bool
    leaf_nodes: int
    pod_nodes: int | None
    leaf_oversubscription: float
    spine_oversubscription: float

    def __post_init__(self) -> None:
        require(self.leaf_nodes >= 1, f"leaf_nodes is {self.leaf_nodes}, at least 1 is expected")
        require(
            self.pod_nodes is None or self.pod_nodes >= self.leaf_nodes,
            f"a pod of {self.pod_nodes} nodes is smaller than a leaf of {self.leaf_nodes}",
            f"write pod_nodes: {self.leaf_nodes} or more, or leave it out",
        )
        require(
            self.leaf_oversubscription > 0 and self.spine_oversubscription > 0,
            "an oversubscription of 0 is no network",
            "write 1 for a non-blocking level",
        )
        require(
            self.pod_nodes is not None or self.spine_oversubscription == 1.0,
            f"a spine_oversubscription of {self.spine_oversubscription:g} needs pods to stand between",
            "write pod_nodes too",
        )

    @property
    def alike(self) -> tuple[int, ...]:
        """Nodes of blocks that look the same."""
        return (self.leaf_nodes,) if self.pod_nodes is None else (self.leaf_nodes, self.pod_nodes)

    def tiers(self, node: Node, count: int, share: float = 1.0) -> tuple[Tier, ...]:
        """The tiers above the interfaces of `count` nodes; `share` of each level's bandwidth is there."""
        ports = ports_of(node)
        nodes, port = np.divmod(interfaces(node, count), ports)
        group = nodes // self.leaf_nodes
        per_node = share * node.nics * node.nic_rate
        per_leaf = self.leaf_nodes * per_node / (ports if self.rails else 1)
        leaf = Tier(
            name="leaf",
            above="spine",
            unit=group * ports + port if self.rails else group,
            rate=per_leaf / self.leaf_oversubscription,
            oversubscription=self.leaf_oversubscription,
        )
        if self.pod_nodes is None:
            return (leaf,)
        whole = self.leaf_oversubscription * self.spine_oversubscription
        pod = group * self.leaf_nodes // self.pod_nodes
        return (leaf, Tier(name="pod", above="core", unit=pod, rate=self.pod_nodes * per_node / whole, oversubscription=whole))
