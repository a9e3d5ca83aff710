"""The network as arrays: directed links with a capacity and a latency, and the links on the way from one accelerator to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.hardware import ScaleUp
from simulator.outcome import NetworkLevel

Paths = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Paths of many pairs: pair i crosses the links `links[offsets[i]:offsets[i + 1]]`."""


class Router(Protocol):
    """What a family knows about its own wiring."""

    def paths(self, sources: NDArray[np.int64], targets: NDArray[np.int64]) -> Paths:
        """Links from each source to each target, in order; none where they are the same.

        A negative end is the switch inside the other end's own scale-up domain (where the fabric has one).
        """

    def ends(self, link: int) -> tuple[str, str]:
        """Names of the vertices that a link joins, tail first."""

    def attachments(self) -> list[tuple[str, str]]:
        """Pairs of vertices that touch without a link of their own (an accelerator and its network interface)."""

    def level(self, link: int) -> tuple[int, int]:
        """Which of the network's levels a link belongs to, and its place among those drawn there; a way and the way back may share one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shared:
    """What neighbours leave of each link.

    Args:
        taken: share that they take when alone; reserved: part of it that does not give way.
        others: flows that do.
    """

    taken: NDArray[np.float64]
    others: NDArray[np.float64]
    reserved: NDArray[np.float64]

    def left(self, flows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of each link for a number of own flows: what is not taken, and at least a fair share of what is not reserved; all of
        it (asked by nobody) where there is none."""
        fair = flows / np.maximum(flows + self.others, 1.0)
        return np.where(flows > 0, np.maximum(1.0 - self.taken, (1.0 - self.reserved) * fair), 1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Interconnect:
    """A built network. Two are the same only if they are one object, so that it can key a cache.

    Args:
        accelerators: endpoints; endpoint = node * accelerators_per_node + place in the node.
        capacity: line rate of each directed link [B/s].
        latency: of each directed link [s].
        scale_out: whether a link belongs to the network between nodes (else to the fabric inside a scale-up domain).
        scale_up: the fabric inside a domain.
        domain: accelerators of one scale-up domain: `i // domain` says which one endpoint i belongs to.
        ports: network interfaces per node as seen by routing (interfaces beyond one per accelerator are added up).
        cells: sizes, ascending, of aligned blocks of endpoints between which traffic of one block is cut off from the next: traffic that
            stays inside blocks of such a size looks the same in each of them.
        levels: for drawing and telling.
        router: the family's own routing.
        left: share of its line rate that each link has left, already in `capacity`; absent where the network is whole.
        shared: what neighbours leave; absent where there are none. `capacity` is with theirs.
        reduction: switches between nodes add up what passes through them (InfiniBand SHARP), and collectives use it.
        ordered: writes between nodes arrive in order, as protocols with flags in the data need it.
        grid: places along each dimension of a torus whose places are the accelerators, in their order; empty elsewhere.
        even: links of one kind are alike: nothing is broken, nobody else is there, all nodes are of one kind.
    """

    accelerators: int
    accelerators_per_node: int
    capacity: NDArray[np.float64]
    latency: NDArray[np.float64]
    scale_out: NDArray[np.bool_]
    scale_up: ScaleUp
    domain: int
    ports: int
    cells: tuple[int, ...]
    levels: tuple[NetworkLevel, ...]
    router: Router
    left: NDArray[np.float64] | None = None
    shared: Shared | None = None
    reduction: bool = False
    ordered: bool = True
    grid: tuple[int, ...] = ()
    even: bool = True

    @property
    def first_interface(self) -> int:
        """Number of the first link between nodes: one out of each interface, then one into each."""
        return int(np.argmax(self.scale_out))

    def paths(self, sources: NDArray[np.int64], targets: NDArray[np.int64]) -> Paths:
        """Links from each source to each target accelerator (see `Paths`)."""
        return self.router.paths(np.asarray(sources, dtype=np.int64), np.asarray(targets, dtype=np.int64))

    def link_name(self, link: int) -> str:
        """A link as told: `tail -> head`, what is left of it where that is not all, and what neighbours take."""
        told = " -> ".join(self.router.ends(int(link)))
        notes = []
        if self.left is not None and self.left[link] < 1:
            notes.append(f"at {100 * self.left[link]:.3g} %")
        if self.shared is not None and self.shared.taken[link] > 0:
            notes.append(f"neighbours take {100 * self.shared.taken[link]:.3g} %")
        return f"{told} ({', '.join(notes)})" if notes else told


def join_paths(steps: list[tuple[NDArray[np.bool_], NDArray[np.int64]]], pairs: int) -> Paths:
    """Paths from their steps: step k of pair i is the link `steps[k][1][i]` where `steps[k][0][i]`."""
    present = np.array([used for used, _ in steps]).reshape(len(steps), pairs)
    offsets = np.zeros(pairs + 1, dtype=np.int64)
    np.cumsum(present.sum(axis=0), out=offsets[1:])
    links = np.array([link for _, link in steps]).reshape(len(steps), pairs)
    return offsets, links.T[present.T]
