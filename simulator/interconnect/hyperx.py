"""Switches in a grid, each joined directly to all others of its row in each dimension (HyperX, flattened butterfly)."""

from __future__ import annotations

import math
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
class HyperX(Sourced):
    """Full meshes of switches along each dimension of a grid; minimal routing in the order of the dimensions.

    Args:
        shape: switches along each dimension; nodes fill the first dimension first.
        switch_nodes: nodes on each switch.
        width: parallel links between two joined switches.
        link_rate: of one link and direction [B/s]; that of a network interface where absent.
        hop_latency: of a link between switches; half of it between an interface and its switch [s].

    Source: Ahn et al., HyperX: topology, routing, and packaging of efficient large-scale networks, SC 2009.
    """

    kind: Literal["hyperx"] = "hyperx"
    shape: tuple[int, ...]
    switch_nodes: int = 1
    width: int = 1
    link_rate: BytesPerSecond | None = None
    hop_latency: Seconds = 1e-6

    def __post_init__(self) -> None:
        require(bool(self.shape) and min(self.shape) >= 1, f"shape is {list(self.shape)}", "write switches per dimension, e.g. [8, 8]")
        require(self.switch_nodes >= 1, f"switch_nodes is {self.switch_nodes}, at least 1 is expected")
        require(self.width >= 1, f"width is {self.width}, at least 1 is expected")

    def build(self, node: Node, count: int) -> Interconnect:
        """The whole grid with `count` nodes on its first switches.

        Raises:
            MendableError: more nodes than the grid holds.
        """
        most = math.prod(self.shape) * self.switch_nodes
        require(count <= most, f"{count} nodes do not fit on {most // self.switch_nodes} switches", "write a larger shape or switch_nodes")
        grid = _Grid(
            shape=self.shape,
            ports=self.switch_nodes * ports_of(node),
            rate=self.width * (self.link_rate or node.nic_rate),
            hop=self.hop_latency,
            below=self.switch_nodes * node.nics * node.nic_rate,
        )
        return attached(node, count, grid)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Grid:
    """Links by dimension, switch and place of the other switch; `ports` interfaces with `below` B/s hang on each switch."""

    shape: tuple[int, ...]
    ports: int
    rate: float
    hop: float
    below: float
    edge: str = "switch"

    @property
    def _switches(self) -> int:
        return math.prod(self.shape)

    @property
    def edge_latency(self) -> float:
        return self.hop / 2

    @property
    def capacity(self) -> NDArray[np.float64]:
        return np.full(self._switches * sum(size - 1 for size in self.shape), self.rate)

    @property
    def latency(self) -> NDArray[np.float64]:
        return np.full(self._switches * sum(size - 1 for size in self.shape), self.hop)

    @property
    def levels(self) -> tuple[NetworkLevel, ...]:
        # Cut across the middle of a dimension: each switch of one half reaches size / 2 of the other.
        return tuple(
            NetworkLevel(
                name=f"switch-dimension{dimension}",
                links=self._switches * (size - 1) // 2,
                rate=self.rate,
                oversubscription=2 * self.below / (self.rate * size),
            )
            for dimension, size in enumerate(self.shape)
            if size > 1
        )

    def steps(self, out: Ports, into: Ports) -> list[Step]:
        """One hop in each dimension in which the switches differ."""
        here, there = out // self.ports, into // self.ports
        steps, first, stride = [], 0, 1
        for size in self.shape:
            own, other = here // stride % size, there // stride % size
            steps.append((own != other, first + here * (size - 1) + other - (other > own)))
            here = here + (other - own) * stride
            first, stride = first + self._switches * (size - 1), stride * size
        return steps

    def ends(self, link: int) -> tuple[str, str]:
        """The two switches."""
        stride = 1
        for size in self.shape:
            if link < self._switches * (size - 1):
                switch, place = divmod(link, size - 1)
                own = switch // stride % size
                return f"switch{switch}", f"switch{switch + (place + (place >= own) - own) * stride}"
            link, stride = link - self._switches * (size - 1), stride * size
        raise IndexError(f"no link {link}")

    def level(self, link: int) -> tuple[int, int]:
        """The dimension, among those that have links."""
        for dimension, size in enumerate(self.shape):
            if link < self._switches * (size - 1):
                return sum(size > 1 for size in self.shape[:dimension]), link // 2
            link -= self._switches * (size - 1)
        raise IndexError(f"no link {link}")

    def beside(self, port: int) -> str:
        """The switch of an interface."""
        return f"switch{port // self.ports}"
