"""Network interfaces below their rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.interconnect.links import interface_links
from simulator.interconnect.network import Interconnect
from simulator.spec import Fraction, require


@dataclass(frozen=True, kw_only=True)
class SlowInterface:
    """Network interfaces that carry less than they should, in both directions: a bad cable, a PCI Express link with half of its lanes.

    Args:
        nodes: whose, by place in the machine room, from 0 in order of leaves and pods.
        nic: which of a node's interfaces, from 0; all of them where absent.
        rate: share of their rate that is left.
    """

    kind: Literal["slow_nic"] = "slow_nic"
    nodes: tuple[int, ...]
    nic: int | None = None
    rate: Fraction

    def __post_init__(self) -> None:
        require(bool(self.nodes), "nodes is empty", "write for example nodes: [3]")
        require(self.rate > 0, "rate is 0: the interface is dead", "write {kind: dead_link, link: 'node3.nic0 -> *'}")

    def touches(self, network: Interconnect) -> tuple[NDArray[np.int64], float]:
        """The links that lose, and the share of their capacity that is left.

        Raises:
            MendableError: no such node or interface.
        """
        return interface_links(network, self.nodes, self.nic), self.rate
