"""Two- and three-level fat trees, rail-optimised or by rack, with oversubscription at each level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulator.hardware import Node
from simulator.interconnect.network import Interconnect
from simulator.interconnect.switched import Tier, ports_of, switched
from simulator.spec import Ratio, Seconds, Sourced, require


@dataclass(frozen=True, kw_only=True)
class FatTree(Sourced):
    """A fat tree of leaf, spine and (where pods are given) core switches.

    Args:
        rails: network interface i of every node of a group attaches to leaf i of that group (rail-optimised); otherwise a node's
            interfaces all attach to the leaf of its rack.
        leaf_nodes: nodes whose interfaces share a leaf (a rail group, a rack).
        pod_nodes: nodes under one set of spines; absent where two levels suffice.
        leaf_oversubscription: bandwidth below a leaf over bandwidth above it.
        spine_oversubscription: bandwidth below a pod's spines over bandwidth above them; needs `pod_nodes`.
        hop_latency: added by each switch level that a path climbs and descends [s].
    """

    kind: Literal["fat_tree"] = "fat_tree"
    rails: bool = True
    leaf_nodes: int = 32
    pod_nodes: int | None = None
    leaf_oversubscription: Ratio = 1.0
    spine_oversubscription: Ratio = 1.0
    hop_latency: Seconds = 2e-6

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

    def build(self, node: Node, count: int) -> Interconnect:
        """The network of `count` such nodes, in order of leaf and pod.

        Assumes: a leaf that is not full of the job's nodes still has all its uplinks.
        """
        ports = ports_of(node)
        nodes, port = np.divmod(np.arange(count * ports), ports)
        group = nodes // self.leaf_nodes
        per_node = node.nics * node.nic_rate
        per_leaf = self.leaf_nodes * per_node / (ports if self.rails else 1)
        leaf = Tier(
            name="leaf",
            above="spine",
            unit=group * ports + port if self.rails else group,
            rate=per_leaf / self.leaf_oversubscription,
            oversubscription=self.leaf_oversubscription,
        )
        tiers: tuple[Tier, ...] = (leaf,)
        if self.pod_nodes is not None:
            whole = self.leaf_oversubscription * self.spine_oversubscription
            pod = group * self.leaf_nodes // self.pod_nodes
            tiers += (Tier(name="pod", above="core", unit=pod, rate=self.pod_nodes * per_node / whole, oversubscription=whole),)
        under = (self.leaf_nodes,) if self.pod_nodes is None else (self.leaf_nodes, self.pod_nodes)
        return switched(node, count, tiers=tiers, tier_nodes=under, rails=self.rails, hop_latency=self.hop_latency)
