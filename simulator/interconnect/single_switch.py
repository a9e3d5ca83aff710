"""Every node on one switch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.hardware import Node
from simulator.interconnect.attached import attached
from simulator.interconnect.network import Interconnect
from simulator.interconnect.switched import Tree
from simulator.spec import Seconds, Sourced


@dataclass(frozen=True, kw_only=True)
class SingleSwitch(Sourced):
    """One non-blocking switch that joins all network interfaces.

    Args:
        hop_latency: network interface to network interface through the switch [s].
    """

    kind: Literal["single_switch"] = "single_switch"
    hop_latency: Seconds = 2e-6

    def build(self, node: Node, count: int) -> Interconnect:
        """The network of `count` such nodes."""
        return attached(node, count, Tree(tiers=(), hop_latency=self.hop_latency))
