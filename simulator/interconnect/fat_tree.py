"""Two- and three-level fat trees, rail-optimised or by rack, with oversubscription at each level."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from simulator.hardware import Node
from simulator.interconnect.attached import attached, ports_of
from simulator.interconnect.hashed import HashedTree
from simulator.interconnect.network import Interconnect
from simulator.interconnect.switched import Levels, Tree
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
        routing: `adaptive` spreads traffic evenly over all ways up; with `ecmp` each pair of interfaces keeps to one, chosen by a hash.
        reduction: the switches add up what passes through them (InfiniBand SHARP), and NCCL has its plug-in to use it.
        ordered: writes arrive in the order in which they were sent; where they do not, NCCL is kept to its Simple protocol.
        hash_seed: of that hash: another seed, other collisions.
    """

    kind: Literal["fat_tree"] = "fat_tree"
    rails: bool = True
    leaf_nodes: int = 32
    pod_nodes: int | None = None
    leaf_oversubscription: Ratio = 1.0
    spine_oversubscription: Ratio = 1.0
    hop_latency: Seconds = 2e-6
    reduction: bool = False
    ordered: bool = True
    routing: Literal["adaptive", "ecmp"] = "adaptive"
    hash_seed: int = 0

    def __post_init__(self) -> None:
        self._levels()
        require(
            not self.reduction or self.routing == "adaptive",
            "reduction needs a tree of switches, which hashed routes do not keep to",
            "write routing: adaptive, or reduction: false",
        )
        require(self.hash_seed >= 0, f"hash_seed is {self.hash_seed}, 0 or more is expected")

    def _levels(self) -> Levels:
        return Levels(
            rails=self.rails,
            leaf_nodes=self.leaf_nodes,
            pod_nodes=self.pod_nodes,
            leaf_oversubscription=self.leaf_oversubscription,
            spine_oversubscription=self.spine_oversubscription,
        )

    def build(self, node: Node, count: int) -> Interconnect:
        """The network of `count` such nodes, in order of leaf and pod.

        Assumes: a leaf that is not full of the job's nodes still has all its uplinks.
        """
        levels = self._levels()
        tree = Tree(tiers=levels.tiers(node, count), hop_latency=self.hop_latency)
        if self.routing == "adaptive":
            network = attached(node, count, tree, rails=self.rails, alike=levels.alike)
            return replace(network, reduction=self.reduction, ordered=self.ordered)
        cable = node.nics * node.nic_rate / ports_of(node)
        fabric = HashedTree(tree=tree, cable=cable, seed=self.hash_seed)
        hashed = attached(node, count, fabric, rails=self.rails, touching=fabric.touching)
        return replace(hashed, cells=hashed.cells[:1], ordered=self.ordered)  # no two leaves collide alike
