"""One switch per rail and nothing above: other rails are reached through the accelerators' own fabric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.hardware import Node
from simulator.interconnect.attached import Ports, Step, attached, ports_of
from simulator.interconnect.network import Interconnect
from simulator.outcome import NetworkLevel
from simulator.spec import Seconds, Sourced, require


@dataclass(frozen=True, kw_only=True)
class RailOnly(Sourced):
    """Interface i of every node on rail i, a non-blocking network of its own; rails are joined by no switch.

    Args:
        rail_nodes: nodes that a rail can hold; any number where absent.
        hop_latency: network interface to network interface over a rail [s].
    """

    kind: Literal["rail_only"] = "rail_only"
    rail_nodes: int | None = None
    hop_latency: Seconds = 2e-6

    def build(self, node: Node, count: int) -> Interconnect:
        """The network of `count` such nodes.

        Raises:
            MendableError: more nodes than a rail holds, or nothing inside a node that joins its rails.
        """
        most = self.rail_nodes
        require(most is None or count <= most, f"{count} nodes do not fit on rails of {most}", "write a larger rail_nodes")
        require(
            ports_of(node) == 1 or node.scale_up.kind != "pcie",
            "rails without spines need a fabric between the accelerators of a node",
            "use fat_tree with rails: false for nodes without NVLink or the like",
        )
        return attached(node, count, _Rails(rails=ports_of(node), edge_latency=self.hop_latency / 2), rails=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rails:
    rails: int
    edge_latency: float
    edge: str = "rail"
    levels: tuple[NetworkLevel, ...] = ()

    @property
    def capacity(self) -> NDArray[np.float64]:
        return np.zeros(0)

    @property
    def latency(self) -> NDArray[np.float64]:
        return np.zeros(0)

    def steps(self, out: Ports, into: Ports) -> list[Step]:
        """None: both interfaces are on one rail."""
        return []

    def ends(self, link: int) -> tuple[str, str]:
        """There is no link between rails."""
        raise IndexError(f"no link {link}")

    def level(self, link: int) -> tuple[int, int]:
        """There is no link between rails."""
        raise IndexError(f"no link {link}")

    def beside(self, port: int) -> str:
        """The rail of an interface."""
        return f"rail{port % self.rails}"
