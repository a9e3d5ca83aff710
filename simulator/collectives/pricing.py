"""The price of a collective: the fastest algorithm and protocol, all groups at once on one network."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from simulator.collectives.direct import Direct
from simulator.collectives.execution import Cost, Messages, execute
from simulator.collectives.halving_doubling import HalvingDoubling
from simulator.collectives.hierarchical import Hierarchical
from simulator.collectives.in_network import InNetwork
from simulator.collectives.multi_ring import MultiRing
from simulator.collectives.plan import Operation, Plan, Ranks
from simulator.collectives.ring import Ring
from simulator.collectives.switch_tree import SwitchTree
from simulator.collectives.tree import Tree
from simulator.collectives.tuning import HELD, OWN_COPY, PROTOCOLS, SCALE_OUT_EFFICIENCY, SCALE_UP_EFFICIENCY, Protocol
from simulator.interconnect import Interconnect
from simulator.spec import require

Algorithm = Ring | Tree | InNetwork | Direct | HalvingDoubling | Hierarchical | MultiRing | SwitchTree
"""Every algorithm: the union is the registry."""

ALGORITHMS: dict[str, Algorithm] = {member.name: member() for member in get_args(Algorithm)}
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

AlgorithmName = Literal["auto", "ring", "tree", "nvls", "direct", "halving_doubling", "hierarchical", "multi_ring", "sharp"]


@dataclass(frozen=True, kw_only=True)
class Priced:
    """What a collective takes.

    Args:
        time_s: until the last group has ended [s]; the sum of the two parts.
        algorithm: and protocol, e.g. `ring/Simple`; `none` where there is nobody to talk to.
        latency_s: of the hops, and of filling the pipeline [s].
        bandwidth_s: that the busiest link needs to carry the bytes [s].
        bottleneck: that link.
    """

    time_s: float
    algorithm: str
    latency_s: float
    bandwidth_s: float
    bottleneck: str


@dataclass(frozen=True)
class _Candidate:
    """An algorithm with a protocol: time = latency + per_byte * size + 2 sqrt(fill * per_byte * size)."""

    name: str
    latency: float
    per_byte: float
    fill: float
    bottleneck: str

    def time(self, size: float) -> float:
        moved = self.per_byte * size
        return self.latency + moved + 2.0 * math.sqrt(self.fill * moved)


class Communicator:
    """Groups on a network, ready to be priced for any size: what depends on the size alone is left for `price`.

    Args:
        groups: accelerators of each group, shape (groups, ranks); all groups run at once and contend.
    """

    def __init__(self, groups: Ranks, network: Interconnect) -> None:
        members = np.array(groups, dtype=np.int64)
        require(members.ndim == 2 and members.size > 0, f"groups have the shape {members.shape}, (groups, ranks) is expected")
        require(
            int(members.min()) >= 0 and int(members.max()) < network.accelerators,
            f"accelerator {int(members.max())} is outside a network of {network.accelerators}",
        )
        self.network = network
        self.ranks = members.shape[1]
        self._given = _unlike(members, network.cells)
        self._members, self.domains, self.local = _by_domain(self._given, network.domain)
        self._box = _box(self._given, network.grid)
        kind = SCALE_UP_EFFICIENCY[network.scale_up.kind]
        reached = network.capacity * np.where(network.scale_out, SCALE_OUT_EFFICIENCY, kind)
        # No path crosses a dead link, so that it is never busy.
        self._capacity = np.where(reached > 0, reached, np.inf)
        self._candidates: dict[tuple[str, str], tuple[_Candidate, ...]] = {}

    def price(self, operation: Operation, size: float, algorithm: AlgorithmName = "auto") -> Priced:
        """Time of one collective of `size` bytes; see `price`."""
        if self.ranks == 1 or size <= 0:
            return _NOTHING
        candidates = self._candidates.get((operation, algorithm))
        if candidates is None:
            candidates = self._candidates[operation, algorithm] = self._prepare(operation, algorithm)
        best, least = candidates[0], math.inf
        for candidate in candidates:
            time = candidate.time(size)
            if time < least:
                best, least = candidate, time
        moved = best.per_byte * size
        return Priced(time_s=least, algorithm=best.name, latency_s=least - moved, bandwidth_s=moved, bottleneck=best.bottleneck)

    def _prepare(self, operation: Operation, algorithm: str) -> tuple[_Candidate, ...]:
        require(operation in OPERATIONS, f"there is no operation {operation!r}", f"one of {', '.join(OPERATIONS)}")
        require(
            algorithm == "auto" or algorithm in ALGORITHMS, f"there is no algorithm {algorithm!r}", f"one of auto, {', '.join(ALGORITHMS)}"
        )
        require(operation != "point_to_point" or self.ranks == 2, f"point_to_point has 2 ranks, not {self.ranks}")
        names = self._choices(operation) if algorithm == "auto" else (algorithm,)
        found: list[_Candidate] = []
        seen: dict[bytes, Messages] = {}
        for name in names:
            if (name == "nvls" and not self.network.scale_up.reduction) or (name == SwitchTree.name and not self.network.reduction):
                continue
            box = self._box if name == MultiRing.name else None
            plan = _plan(self._fitted(name), operation, self.domains, self.local)
            if plan is not None:
                members = self._given if operation in ("point_to_point", "broadcast") else box[1] if box else self._members
                cost = execute(plan, members, self.network, self._capacity, seen)
                # NCCL_PROTO holds for the whole process, inside nodes too.
                able = [protocol for protocol in PROTOCOLS[name] if self.network.ordered or protocol.name == "Simple"]
                found += [self._candidate(operation, name, protocol, cost) for protocol in able]
        mend = {SwitchTree.name: "write auto, or reduction: true in a fat tree", "multi_ring": "write auto; groups fill boxes of a torus"}
        require(
            bool(found),
            f"{algorithm} cannot carry out {operation} among {self.domains} x {self.local} ranks",
            mend.get(algorithm, "write auto"),
        )
        return tuple(found)

    def _fitted(self, name: str) -> Algorithm:
        """The algorithm as this network wants it."""
        if name == SwitchTree.name:
            return SwitchTree(self.network.scale_up.reduction)
        if name == MultiRing.name and self._box is not None:
            return MultiRing(self._box[0])
        return ALGORITHMS[name]

    def _choices(self, operation: Operation) -> tuple[str, ...]:
        """What NCCL chooses from; on a mesh also the direct exchange and on a torus rings in all dimensions, which alone use all links."""
        if operation in ("all_to_all", "point_to_point"):
            return ("direct",)
        direct = ("direct",) if self.network.scale_up.kind == "mesh" and self.domains == 1 else ()
        torus = (MultiRing.name,) if self._box is not None and operation != "broadcast" else ()
        return ("ring", "tree", "nvls", SwitchTree.name, *direct, *torus)

    def _candidate(self, operation: Operation, name: str, protocol: Protocol, cost: Cost) -> _Candidate:
        copied = 0.0 if name == "nvls" else OWN_COPY.get(operation, 0.0) / (self.ranks * self.network.scale_up.rate)
        return _Candidate(
            name=f"{name}/{protocol.name}",
            latency=protocol.base + cost.near * protocol.near + cost.far * protocol.far + cost.wire,
            per_byte=cost.per_byte / protocol.share + copied,
            fill=protocol.fill_near * cost.near + protocol.fill_far * cost.far,
            bottleneck=self.network.link_name(cost.link),
        )


def price(operation: Operation, size_bytes: float, groups: Ranks, network: Interconnect, algorithm: AlgorithmName = "auto") -> Priced:
    """Time of one collective that all groups carry out at once.

    Args:
        size_bytes: as nccl-tests define it: all_reduce and broadcast: the buffer; all_gather and reduce_scatter: the whole gathered
            (scattered) buffer; all_to_all: what each rank sends; point_to_point: the message [B].
        groups: accelerators of each group, shape (groups, ranks); point_to_point: source and target.
        algorithm: `auto` takes the fastest that NCCL would consider.

    Raises:
        MendableError: no such operation or algorithm, or an accelerator outside the network.

    Accuracy: see the validation of collectives; kernels of NCCL without interference of compute.
    """
    return communicator(groups, network).price(operation, size_bytes, algorithm)


def communicator(groups: Ranks, network: Interconnect) -> Communicator:
    """The communicator of these groups; made once for equal groups. Keep it where many sizes are priced."""
    members = np.ascontiguousarray(groups, dtype=np.int64)
    return _communicator(members.tobytes(), members.shape, network)


def algorithm_bandwidth(size_bytes: float, time_s: float) -> float:
    """Size over time [B/s], as nccl-tests define it."""
    return size_bytes / time_s


def bus_bandwidth(operation: Operation, ranks: int, size_bytes: float, time_s: float) -> float:
    """Algorithm bandwidth times what a rank must send at least per byte [B/s].

    Source: NVIDIA/nccl-tests, doc/PERFORMANCE.md.

    >>> bus_bandwidth("all_reduce", 8, 1e9, 0.01)
    175000000000.0
    """
    return algorithm_bandwidth(size_bytes, time_s) * _sent(operation, ranks)


def _sent(operation: Operation, ranks: int) -> float:
    """What a rank must send at least, per byte of the collective."""
    share = (ranks - 1) / ranks
    return {"all_reduce": 2 * share, "all_gather": share, "reduce_scatter": share, "all_to_all": share}.get(operation, 1.0)


def taken(operation: Operation, ranks: int, size_bytes: float, scale_up_rate: float) -> float:
    """Seconds that a collective takes from compute that runs beside it: `HELD` of what it would take at the rate of the scale-up link.

    Args:
        scale_up_rate: of that link [B/s].

    >>> round(taken("all_gather", 8, 1e9, 450e9), 6)
    0.000449
    """
    return HELD * _sent(operation, ranks) * size_bytes / (scale_up_rate * SCALE_UP_EFFICIENCY["switch"])


_NOTHING = Priced(time_s=0.0, algorithm="none", latency_s=0.0, bandwidth_s=0.0, bottleneck="")


@functools.lru_cache(maxsize=512)
def _communicator(members: bytes, shape: tuple[int, ...], network: Interconnect) -> Communicator:
    return Communicator(np.frombuffer(members, dtype=np.int64).reshape(shape), network)


@functools.lru_cache(maxsize=128)
def _plan(algorithm: Algorithm, operation: Operation, domains: int, local: int) -> Plan | None:
    return algorithm.plan(operation, domains, local)


def _box(members: Ranks, grid: tuple[int, ...]) -> tuple[tuple[int, ...], Ranks] | None:
    """Where every group fills a box of one shape in a torus: that shape, and each group's ranks with the first dimension first."""
    ranks = members.shape[1]
    if not grid or ranks == 1:
        return None
    ordered = np.sort(members, axis=1)  # places count the first dimension first, and so does a box
    at = np.stack(np.unravel_index(ordered, grid, order="F"), axis=-1)
    shapes = {tuple(len(np.unique(group[:, dimension])) for dimension in range(len(grid))) for group in at}
    shape = next(iter(shapes))
    return (shape, ordered) if len(shapes) == 1 and math.prod(shape) == ranks else None


def _by_domain(members: Ranks, domain: int) -> tuple[Ranks, int, int]:
    """Ranks of each group, those of a domain together, and (units, ranks in each): the largest equal units that no domain's edge cuts.

    Domains stay in the order in which a group's ranks first meet them, as NCCL numbers its nodes: a ring follows the ranks, wherever a
    placement has put them.

    Assumes: where domains hold unequal numbers of a group's ranks, each unit is treated as a domain of its own.
    """
    ordered = _together(members, members // domain)
    ranks = members.shape[1]
    edges = np.diff(ordered // domain, axis=1, prepend=-1).ravel() != 0
    starts = np.append(np.flatnonzero(edges), edges.size)
    local = int(np.gcd.reduce(np.diff(starts)))
    return ordered, ranks // local, local


def _together(members: Ranks, domain: Ranks) -> Ranks:
    """Each row with equal domains side by side, in the order of their first places."""
    if (np.diff(domain, axis=1) >= 0).all():
        return members
    order = np.argsort(domain, axis=1, kind="stable")
    sorted_, place = np.take_along_axis(domain, order, axis=1), np.arange(members.shape[1])
    starts = np.diff(sorted_, axis=1, prepend=-1) != 0
    start = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
    first = np.take_along_axis(order, start, axis=1)
    return np.take_along_axis(members, np.take_along_axis(order, np.argsort(first, axis=1, kind="stable"), axis=1), axis=1)


def _unlike(members: Ranks, cells: tuple[int, ...]) -> Ranks:
    """Groups without those that repeat: where all stay inside cells of the network, cells that hold the same groups cost the same."""
    least, most = members.min(axis=1), members.max(axis=1)
    size = next((size for size in cells if (least // size == most // size).all()), None)
    if size is None:
        return members
    cell = least // size
    order = np.lexsort((members[:, 0], cell))
    ordered, cell = members[order], cell[order]
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    kept: dict[bytes, Ranks] = {}
    for groups, number in zip(np.split(ordered, starts[1:]), cell[starts], strict=True):
        kept.setdefault((groups - number * size).tobytes(), groups)
    return np.concatenate(list(kept.values()))
