"""Every interface on several independent planes at once (dual-ToR): a lost plane halves the network instead of cutting nodes off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.hardware import Node
from simulator.interconnect.attached import attached
from simulator.interconnect.network import Interconnect
from simulator.interconnect.switched import Levels, Tree
from simulator.spec import Ratio, Seconds, Sourced, require


@dataclass(frozen=True, kw_only=True)
class DualPlane(Sourced):
    """Parallel fat trees: each interface has a port, with its share of the rate, on each.

    Args:
        planes: how many fat trees.
        lost_planes: how many of them are down.
        rails: network interface i of every node of a group attaches to leaf i (of each plane) of that group.
        leaf_nodes: nodes whose interfaces share a leaf of each plane.
        pod_nodes: nodes under one set of spines; absent where two levels suffice.
        leaf_oversubscription: bandwidth below a leaf over bandwidth above it.
        spine_oversubscription: bandwidth below a pod's spines over bandwidth above them; needs `pod_nodes`.
        hop_latency: added by each switch level that a path climbs and descends [s].
    """

    kind: Literal["dual_plane"] = "dual_plane"
    planes: int = 2
    lost_planes: int = 0
    rails: bool = True
    leaf_nodes: int = 128
    pod_nodes: int | None = None
    leaf_oversubscription: Ratio = 1.0
    spine_oversubscription: Ratio = 1.0
    hop_latency: Seconds = 2e-6

    def __post_init__(self) -> None:
        require(self.planes >= 1, f"planes is {self.planes}, at least 1 is expected")
        require(
            0 <= self.lost_planes < self.planes, f"lost_planes is {self.lost_planes} of {self.planes}", "leave at least one plane standing"
        )
        self._levels()

    def _levels(self) -> Levels:
        return Levels(
            rails=self.rails,
            leaf_nodes=self.leaf_nodes,
            pod_nodes=self.pod_nodes,
            leaf_oversubscription=self.leaf_oversubscription,
            spine_oversubscription=self.spine_oversubscription,
        )

    def build(self, node: Node, count: int) -> Interconnect:
        """The network of `count` such nodes.

        Assumes: the messages between two interfaces spread evenly over the planes (many queue pairs per connection), so that the planes
        left act as one network with their summed capacity.
        """
        levels, share = self._levels(), 1.0 - self.lost_planes / self.planes
        tree = Tree(tiers=levels.tiers(node, count, share), hop_latency=self.hop_latency)
        return attached(node, count, tree, rails=self.rails, alike=levels.alike, share=share)
