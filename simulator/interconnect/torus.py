"""Rings in each dimension of a grid, straight or twisted."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.hardware import Node
from simulator.interconnect.attached import Ports, Step, attached, ports_of
from simulator.interconnect.network import Interconnect
from simulator.outcome import NetworkLevel
from simulator.spec import BytesPerSecond, Seconds, Sourced, require


@dataclass(frozen=True, kw_only=True)
class Torus(Sourced):
    """Places in a grid of any number of dimensions, each joined to its two neighbours in each; minimal routing in the order of dimensions.

    Args:
        shape: places along each dimension; nodes fill the first dimension first.
        places: what sits at one place: each network interface (an accelerator with its own links), or a whole node.
        twist: going once around a dimension leads as many places further on in every longer one (0: a straight torus).
        link_rate: of one link between neighbours and direction [B/s]; that of a network interface where absent.
        hop_latency: of such a link [s].

    Source: Camarero, Martínez, Beivide, Lattice graphs for high-scale interconnection topologies, IEEE TPDS 2015 (twisted tori).
    """

    kind: Literal["torus"] = "torus"
    shape: tuple[int, ...]
    places: Literal["interface", "node"] = "interface"
    twist: int = 0
    link_rate: BytesPerSecond | None = None
    hop_latency: Seconds = 1e-6

    def __post_init__(self) -> None:
        require(bool(self.shape) and min(self.shape) >= 1, f"shape is {list(self.shape)}", "write places per dimension, e.g. [16, 16, 16]")
        require(self.twist >= 0, f"twist is {self.twist}, 0 or more is expected")
        require(
            self.twist == 0 or len(set(self.shape)) > 1,
            f"a twist of {self.twist} needs a longer dimension",
            "leave it out where all are equal",
        )

    def build(self, node: Node, count: int) -> Interconnect:
        """The whole torus with `count` nodes at its first places.

        Raises:
            MendableError: more nodes than the torus holds.
        """
        ports = ports_of(node)
        held = ports if self.places == "node" else 1
        most = math.prod(self.shape)
        require(
            count * ports <= most * held,
            f"{count} nodes need {count * ports // held} places of {most}",
            "write a larger shape or fewer nodes",
        )
        below = node.nics * node.nic_rate / ports * held
        rate = self.link_rate or node.nic_rate
        rings = _Rings(shape=self.shape, twist=self.twist, ports=held, rate=rate, hop=self.hop_latency, below=below)
        network = attached(node, count, rings)
        alone = network.domain == 1 and count * ports // held == network.accelerators
        cells = tuple(
            size for size in network.cells if size == network.domain or (self.twist == 0 and self._alike(size * ports, node, held))
        )
        return replace(network, cells=cells, grid=self.shape if alone else ())

    def _alike(self, size: int, node: Node, held: int) -> bool:
        """Whether blocks of so many accelerators (times ports) fill boxes that fit evenly along their last dimension."""
        places, rest = divmod(size, node.accelerators * held)
        for side in self.shape:
            if rest or places <= side:
                return rest == 0 and places > 0 and side % places == 0
            places, rest = divmod(places, side)
        return True


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rings:
    """Links by place, dimension and direction (forward, backward)."""

    shape: tuple[int, ...]
    twist: int
    ports: int
    rate: float
    hop: float
    below: float
    edge: str = "place"
    edge_latency: float = 0.0

    @property
    def _places(self) -> int:
        return math.prod(self.shape)

    @property
    def _lattice(self) -> NDArray[np.int64]:
        """Displacements that lead back to the same place: once around each dimension, with its twist."""
        return np.array(
            [[size if d == e else self.twist * (other > size) for e, other in enumerate(self.shape)] for d, size in enumerate(self.shape)]
        )

    @property
    def _directions(self) -> NDArray[np.int64]:
        """Links of a place in each dimension: two, one where the neighbour ahead is the one behind, none where there is no other."""
        twisted = [self.twist > 0 and size < max(self.shape) for size in self.shape]
        return np.array([2 if turned or size > 2 else size - 1 for turned, size in zip(twisted, self.shape, strict=True)])

    @property
    def _first(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(self._directions)])

    @property
    def capacity(self) -> NDArray[np.float64]:
        return np.full(self._places * int(self._directions.sum()), self.rate)

    @property
    def latency(self) -> NDArray[np.float64]:
        return np.full(self._places * int(self._directions.sum()), self.hop)

    @property
    def levels(self) -> tuple[NetworkLevel, ...]:
        # Cut across the middle of a dimension: every ring along it is cut twice (once where it has two places).
        return tuple(
            NetworkLevel(
                name=f"place-dimension{dimension}",
                links=self._places * links // 2,
                rate=self.rate,
                oversubscription=size * self.below / (2 * links * self.rate),
            )
            for dimension, (size, links) in enumerate(zip(self.shape, self._directions.tolist(), strict=True))
            if links
        )

    def steps(self, out: Ports, into: Ports) -> list[Step]:
        """The shortest way around, dimension by dimension; of two equally short ones every second pair takes the other."""
        here, there = out // self.ports, into // self.ports
        place = self._coordinates(here)
        way = self._shortest(place, self._coordinates(there) - place)
        steps: list[Step] = []
        strides = np.cumprod([1, *self.shape[:-1]])
        total = int(self._directions.sum())
        for dimension in range(len(self.shape)):
            for hop in range(int(np.abs(way[:, dimension]).max(initial=0))):
                moving = np.abs(way[:, dimension]) > hop
                backward = (way[:, dimension] < 0) & (self._directions[dimension] == 2)
                steps.append((moving, (place @ strides) * total + self._first[dimension] + backward))
                place = place.copy()
                place[:, dimension] += np.where(moving, np.sign(way[:, dimension]), 0)
                place = self._wrapped(place)
        return steps

    def _shortest(self, place: NDArray[np.int64], straight: NDArray[np.int64]) -> NDArray[np.int64]:
        """Displacements as short as they can be; of equally short ones, places of odd sum take the last and others the first."""
        odd = place.sum(axis=1) % 2 == 1
        if self.twist == 0:
            forward = straight % self.shape
            back = (2 * forward > self.shape) | ((2 * forward == self.shape) & odd[:, None])
            turned: NDArray[np.int64] = forward - back * np.array(self.shape)
            return turned
        turns = np.array(list(itertools.product((0, -1, 1), repeat=len(self.shape)))) @ self._lattice
        ways = straight[None] + turns[:, None]
        length = np.abs(ways).sum(axis=2)
        shortest = length == length.min(axis=0)
        chosen = np.where(odd, len(turns) - 1 - np.argmax(shortest[::-1], axis=0), np.argmax(shortest, axis=0))
        way: NDArray[np.int64] = ways[chosen, np.arange(len(straight))]
        return way

    def _coordinates(self, place: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.stack(np.unravel_index(place, self.shape, order="F"), axis=-1).astype(np.int64)

    def _wrapped(self, place: NDArray[np.int64]) -> NDArray[np.int64]:
        """Coordinates inside the grid; shorter dimensions first, since their turns shift the longer ones."""
        for dimension in np.argsort(self.shape, kind="stable"):
            place = place - (place[:, dimension] // self.shape[dimension])[:, None] * self._lattice[dimension]
        return place

    def ends(self, link: int) -> tuple[str, str]:
        """The two places."""
        place, way = divmod(link, int(self._directions.sum()))
        dimension = int(np.searchsorted(self._first, way, side="right")) - 1
        ahead = self._coordinates(np.array([place]))
        ahead[0, dimension] += 1 if way == self._first[dimension] else -1
        other = int(np.ravel_multi_index(tuple(self._wrapped(ahead)[0]), self.shape, order="F"))
        return f"place{place}", f"place{other}"

    def level(self, link: int) -> tuple[int, int]:
        """The dimension, among those that have links."""
        place, way = divmod(link, int(self._directions.sum()))
        dimension = int(np.searchsorted(self._first, way, side="right")) - 1
        each = int(self._directions[dimension])
        return int(np.count_nonzero(self._directions[:dimension])), (place * each + way - int(self._first[dimension])) // 2

    def beside(self, port: int) -> str:
        """The place of an interface."""
        return f"place{port // self.ports}"
