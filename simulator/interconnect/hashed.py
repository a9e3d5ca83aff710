"""ECMP: every flow keeps to one of the equal cables upwards, chosen by a hash; some then carry several flows, and others none.

Assumes: one queue pair per pair of interfaces, so that all messages between two interfaces take the same way; hashes that are independent
from pair to pair; a cable is as fast as a network interface.
Source: the mechanism and its cost to training, Gangidi et al., RDMA over Ethernet for Distributed AI Training at Meta Scale, SIGCOMM 2024.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulator.interconnect.attached import Ports, Step
from simulator.interconnect.switched import Tree
from simulator.outcome import NetworkLevel
from simulator.spec import require


@dataclass(frozen=True, kw_only=True, eq=False)
class HashedTree:
    """The tree of `Tree`, each unit with as many cables up as its uplink holds of `cable`.

    Args:
        cable: rate of one [B/s]; cables are as much faster or slower as the uplink is no whole number of them.
        seed: of the hash.
        dead: whether each cable and direction is; a flow that would take one takes another of its unit, every one equally likely.
    """

    tree: Tree
    cable: float
    seed: int
    dead: NDArray[np.bool_] | None = None

    def without(self, dead: NDArray[np.bool_]) -> HashedTree:
        """The tree with dead cables.

        Raises:
            MendableError: two units are left without a cable of one switch above both.
        """
        first = 0
        for tier, ways in zip(self.tree.tiers, self.ways, strict=True):
            up, down = (~dead[first + way : first + way + tier.units * ways].reshape(-1, ways) for way in (0, tier.units * ways))
            hurt = ~(up & down).all(axis=1)
            apart = ~((up[hurt].astype(int) @ down.T.astype(int) > 0) & (down[hurt].astype(int) @ up.T.astype(int) > 0))
            told = f"too few cables are left above {tier.name}{int(np.argmax(hurt))}"
            require(not apart.any(), told, "keep one switch that all of them reach")
            first += 2 * tier.units * ways
        return replace(self, dead=dead)

    def _alive(
        self, up: Ports, down: Ports, other: Ports, first: tuple[Ports, Ports], tied: NDArray[np.bool_], ways: int
    ) -> tuple[Ports, Ports]:
        """Cables up and down without the dead ones; where they are tied they are of one switch.

        Args:
            other: a second hash of each pair, which says where a flow goes whose cable is dead.
            first: number of the first cable up and down of each.
        """
        if self.dead is None or ways == 1:
            return up, down
        step = 1 + other % (ways - 1)
        for _ in range(ways):
            lost, gone = self.dead[first[0] + up], self.dead[first[1] + down]
            up = np.where(lost | (tied & gone), (up + step) % ways, up)
            down = np.where(tied, up, np.where(gone, (down + step) % ways, down))
            step = np.ones_like(step)
        return up, down

    @cached_property
    def ways(self) -> tuple[int, ...]:
        """Cables up from a unit of each tier."""
        return tuple(max(1, round(tier.rate / self.cable)) for tier in self.tree.tiers)

    def _per_link(self, of_tier: list[float]) -> NDArray[np.float64]:
        counts = [2 * tier.units * ways for tier, ways in zip(self.tree.tiers, self.ways, strict=True)]
        return np.repeat(np.array(of_tier, dtype=float), counts)

    @property
    def capacity(self) -> NDArray[np.float64]:
        return self._per_link([tier.rate / ways for tier, ways in zip(self.tree.tiers, self.ways, strict=True)])

    @property
    def latency(self) -> NDArray[np.float64]:
        return self._per_link([self.tree.hop_latency / 2] * len(self.ways))

    @property
    def levels(self) -> tuple[NetworkLevel, ...]:
        return tuple(
            NetworkLevel(
                name=f"{tier.name}-{tier.above}", links=tier.units * ways, rate=tier.rate / ways, oversubscription=tier.oversubscription
            )
            for tier, ways in zip(self.tree.tiers, self.ways, strict=True)
        )

    @property
    def edge(self) -> str:
        return self.tree.edge

    @property
    def edge_latency(self) -> float:
        return self.tree.edge_latency

    def steps(self, out: Ports, into: Ports) -> list[Step]:
        """Up and down by the cables that the hash of the pair gives; below the highest switch of a path the way down is the way up."""
        climb: list[Step] = []
        descend: list[Step] = []
        first, tiers = 0, self.tree.tiers
        for index, (tier, ways) in enumerate(zip(tiers, self.ways, strict=True)):
            one, other = tier.unit[out], tier.unit[into]
            apart = one != other
            up = _hash(out, into, self.seed, index) % ways
            down, tied = up, np.ones(len(out), dtype=bool)
            if index + 1 < len(tiers):  # another pod's spine is the core's choice
                over = tiers[index + 1]
                tied = over.unit[out] == over.unit[into]
                down = np.where(tied, up, _hash(out, into, self.seed, -1 - index) % ways)
            if self.dead is not None:
                starts = first + one * ways, first + (tier.units + other) * ways
                up, down = self._alive(up, down, _hash(out, into, self.seed, 100 + index), starts, tied, ways)
            climb.append((apart, first + one * ways + up))
            descend.append((apart, first + (tier.units + other) * ways + down))
            first += 2 * tier.units * ways
        return climb + descend[::-1]

    def ends(self, link: int) -> tuple[str, str]:
        """Names of the vertices that a cable joins; those above are told apart by their number."""
        before = 0
        for tier, ways in zip(self.tree.tiers, self.ways, strict=True):
            if link < 2 * tier.units * ways:
                tail, head = self.tree.ends(before + link // ways)
                upwards = link < tier.units * ways
                below, over = (tail, head) if upwards else (head, tail)
                over = _above(over, tier.above, link % ways)
                return (below, over) if upwards else (over, below)
            link -= 2 * tier.units * ways
            before += 2 * tier.units
        raise IndexError(f"no link {link}")

    def level(self, link: int) -> tuple[int, int]:
        """The tier, and the cable there."""
        for index, (tier, ways) in enumerate(zip(self.tree.tiers, self.ways, strict=True)):
            if link < 2 * tier.units * ways:
                return index, link % (tier.units * ways)
            link -= 2 * tier.units * ways
        raise IndexError(f"no link {link}")

    @property
    def touching(self) -> tuple[tuple[str, str], ...]:
        """A pod and its spines, each of which has a share in all of the pod's cables up."""
        lower, upper = self.tree.tiers[:-1], self.tree.tiers[1:]
        return tuple(
            (f"{over.name}{unit}", _above(f"{over.name}{unit}", tier.above, number))
            for tier, over, ways in zip(lower, upper, self.ways, strict=False)
            for unit in range(over.units)
            for number in range(ways)
        )

    def beside(self, port: int) -> str:
        """The unit of the first tier."""
        return self.tree.beside(port)


def _above(over: str, kind: str, number: int) -> str:
    """One of the switches that the tree takes for one: `spine3`, in a pod `pod0.spine3`."""
    return f"{over}{number}" if over == kind else f"{over}.{kind}{number}"


def _hash(out: Ports, into: Ports, seed: int, tier: int) -> NDArray[np.int64]:
    """A number of 31 bits for each pair of interfaces: the finaliser of SplitMix64 over pair, seed and tier.

    Source: Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
    """
    mixed = (out.astype(np.uint64) << np.uint64(32)) ^ into.astype(np.uint64)
    for word in (seed, tier):
        mixed = mixed + np.uint64((0x9E3779B97F4A7C15 * (2 * word + 3)) % 2**64)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(33)).astype(np.int64)
