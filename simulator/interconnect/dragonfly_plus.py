"""Groups that are two-level trees inside, and groups that are all joined to one another by their spines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.hardware import Node
from simulator.interconnect.attached import Ports, Step, attached, ports_of
from simulator.interconnect.network import Interconnect
from simulator.outcome import NetworkLevel
from simulator.spec import BytesPerSecond, Ratio, Seconds, Sourced, require


@dataclass(frozen=True, kw_only=True)
class DragonflyPlus(Sourced):
    """A dragonfly+ (megafly).

    Args:
        groups: how many.
        group_nodes: nodes in each.
        leaf_nodes: nodes on one leaf of a group.
        leaf_oversubscription: bandwidth below a leaf over bandwidth to its spines.
        arc_links: links between each pair of groups.
        link_rate: of one such link and direction [B/s]; that of a network interface where absent.
        hop_latency: of each switch level that a path climbs and descends, and of a link between groups [s].

    Source: Shpiner et al., Dragonfly+: low cost topology for scaling datacenters, HiPINEB 2017.
    """

    kind: Literal["dragonfly_plus"] = "dragonfly_plus"
    groups: int
    group_nodes: int
    leaf_nodes: int
    leaf_oversubscription: Ratio = 1.0
    arc_links: int = 1
    link_rate: BytesPerSecond | None = None
    hop_latency: Seconds = 1e-6

    def __post_init__(self) -> None:
        for name in ("groups", "group_nodes", "leaf_nodes", "arc_links"):
            require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}, at least 1 is expected")
        require(
            self.group_nodes % self.leaf_nodes == 0,
            f"group_nodes of {self.group_nodes} is not made of leaves of {self.leaf_nodes}",
            "write a multiple of leaf_nodes",
        )
        require(self.leaf_oversubscription > 0, "an oversubscription of 0 is no network", "write 1 for a non-blocking level")

    def build(self, node: Node, count: int) -> Interconnect:
        """The whole network with `count` nodes in its first groups.

        Assumes: the spines of a group are one logical switch, and the links of an arc one logical link (adaptive routing).

        Raises:
            MendableError: more nodes than it holds.
        """
        most = self.groups * self.group_nodes
        require(count <= most, f"{count} nodes do not fit into {self.groups} groups of {self.group_nodes}", "write more groups")
        below = self.leaf_nodes * node.nics * node.nic_rate
        wiring = _Groups(
            groups=self.groups,
            leaves=self.group_nodes // self.leaf_nodes,
            ports=self.leaf_nodes * ports_of(node),
            leaf=below / self.leaf_oversubscription,
            arc=self.arc_links * (self.link_rate or node.nic_rate),
            hop=self.hop_latency,
            below=below,
        )
        return attached(node, count, wiring, alike=(self.leaf_nodes, self.group_nodes))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Groups:
    """Uplinks and downlinks of leaves, then arcs by group and other group; `below` is what hangs on a leaf [B/s]."""

    groups: int
    leaves: int
    ports: int
    leaf: float
    arc: float
    hop: float
    below: float
    edge: str = "leaf"

    @property
    def _all(self) -> int:
        return self.groups * self.leaves

    @property
    def edge_latency(self) -> float:
        return self.hop / 2

    @property
    def capacity(self) -> NDArray[np.float64]:
        return np.repeat([self.leaf, self.arc], [2 * self._all, self.groups * (self.groups - 1)])

    @property
    def latency(self) -> NDArray[np.float64]:
        return np.repeat([self.hop / 2, self.hop], [2 * self._all, self.groups * (self.groups - 1)])

    @property
    def levels(self) -> tuple[NetworkLevel, ...]:
        leaf = NetworkLevel(name="leaf-spine", links=self._all, rate=self.leaf, oversubscription=self.below / self.leaf)
        if self.groups == 1:
            return (leaf,)
        blocking = self.leaves * self.below / ((self.groups - 1) * self.arc)
        return leaf, NetworkLevel(name="group-group", links=self.groups * (self.groups - 1) // 2, rate=self.arc, oversubscription=blocking)

    def steps(self, out: Ports, into: Ports) -> list[Step]:
        """Up to the spines, to the other group, down."""
        one, other = out // self.ports, into // self.ports
        group, goal = one // self.leaves, other // self.leaves
        arc = 2 * self._all + group * (self.groups - 1) + goal - (goal > group)
        return [(one != other, one), (group != goal, arc), (one != other, self._all + other)]

    def ends(self, link: int) -> tuple[str, str]:
        """The two switches."""
        if link < 2 * self._all:
            leaf = link % self._all
            ends = (f"leaf{leaf}", f"spine{leaf // self.leaves}")
            return ends if link < self._all else ends[::-1]
        group, place = divmod(link - 2 * self._all, self.groups - 1)
        return f"spine{group}", f"spine{place + (place >= group)}"

    def level(self, link: int) -> tuple[int, int]:
        """Above the leaves, or between groups."""
        return (0, link % self._all) if link < 2 * self._all else (1, (link - 2 * self._all) // 2)

    def beside(self, port: int) -> str:
        """The leaf of an interface."""
        return f"leaf{port // self.ports}"
