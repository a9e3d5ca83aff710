"""Every node cabled to every other, without a switch."""

from __future__ import annotations

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
class FullMesh(Sourced):
    """A cable between each pair of nodes.

    Args:
        nodes: how many are cabled; as many as there are where absent.
        link_rate: of the cables of a pair and direction [B/s]; the node's interfaces spread evenly over its peers where absent.
        hop_latency: of a cable [s].
    """

    kind: Literal["full_mesh"] = "full_mesh"
    nodes: int | None = None
    link_rate: BytesPerSecond | None = None
    hop_latency: Seconds = 1e-6

    def build(self, node: Node, count: int) -> Interconnect:
        """The network of `count` such nodes.

        Raises:
            MendableError: more nodes than are cabled.
        """
        nodes = self.nodes or count
        require(count <= nodes, f"{count} nodes do not fit into a mesh of {nodes}", f"write nodes: {count}")
        rate = self.link_rate or node.nics * node.nic_rate / max(nodes - 1, 1)
        return attached(node, count, _Mesh(nodes=nodes, ports=ports_of(node), rate=rate, hop=self.hop_latency))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Mesh:
    nodes: int
    ports: int
    rate: float
    hop: float
    edge: str = "node"
    edge_latency: float = 0.0

    @property
    def capacity(self) -> NDArray[np.float64]:
        return np.full(self.nodes * (self.nodes - 1), self.rate)

    @property
    def latency(self) -> NDArray[np.float64]:
        return np.full(self.nodes * (self.nodes - 1), self.hop)

    @property
    def levels(self) -> tuple[NetworkLevel, ...]:
        return (NetworkLevel(name="node-node", links=self.nodes * (self.nodes - 1) // 2, rate=self.rate, oversubscription=1.0),)

    def steps(self, out: Ports, into: Ports) -> list[Step]:
        """The cable of the pair."""
        one, other = out // self.ports, into // self.ports
        return [(one != other, one * (self.nodes - 1) + other - (other > one))]

    def ends(self, link: int) -> tuple[str, str]:
        """The two nodes."""
        one, other = divmod(link, self.nodes - 1)
        return f"node{one}", f"node{other + (other >= one)}"

    def level(self, link: int) -> tuple[int, int]:
        """There is one."""
        return 0, link // 2

    def beside(self, port: int) -> str:
        """The node itself."""
        return f"node{port // self.ports}"
