"""Prices the collectives of one layout on the machines' network."""

from __future__ import annotations

from functools import lru_cache
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from simulator.collectives import Communicator, Operation, Priced, communicator
from simulator.interconnect import Interconnect
from simulator.outcome import GroupTraffic
from simulator.parallelism import Dimension, Layout, Packed, Placement, groups, places
from simulator.step.job import Machines


class Network:
    """Seconds of the collectives of one layout.

    Groups that stay inside a node are priced on the first node alone where nodes are alike: their fabrics are separate.
    """

    def __init__(self, layout: Layout, machines: Machines) -> None:
        self.layout, self.machines = layout, machines
        self._degrees = (layout.tensor, layout.context, layout.pipeline, layout.data, layout.expert, layout.expert_tensor)
        self._priced: dict[tuple[Operation, float, str], tuple[Priced, int]] = {}

    def communicate(self, operation: Operation, size: float, dimension: str) -> float:
        """Seconds of one collective in every group of a dimension at once.

        Args:
            size: as nccl-tests define it [B].
            dimension: of `parallelism.groups`, or `ends` (first and last stage), or `boundary i` (stage i and the next).
        """
        key = (operation, size, dimension)
        if key not in self._priced:
            ready = self.communicator(dimension)
            self._priced[key] = ready.price(operation, size), ready.ranks
        return self._priced[key][0].time_s

    def communicator(self, dimension: str) -> Communicator:
        """Of every group of a dimension; the same object for layouts whose groups stand on the same places."""
        at = self.machines
        return _communicator(self._degrees, dimension, at.node.accelerators, at.placement, at.count, at.network)

    def traffic(self) -> tuple[GroupTraffic, ...]:
        """What has been priced so far: of each operation in the groups of a dimension the slowest, in the order of the first asked."""
        told: dict[tuple[str, str], GroupTraffic] = {}
        for (operation, size, dimension), (priced, ranks) in self._priced.items():
            groups = "stages" if dimension.startswith("boundary") else dimension
            before = told.get((groups, operation))
            if priced.time_s > (before.time_s if before else 0.0):
                told[groups, operation] = GroupTraffic(
                    groups=groups,
                    operation=operation,
                    size_bytes=size,
                    ranks=ranks,
                    time_s=priced.time_s,
                    algorithm=priced.algorithm,
                    bottleneck=priced.bottleneck,
                )
        return tuple(told.values())

    def transfers(self, size: float, scatter: bool, duplex: bool = True) -> list[float]:
        """Seconds to send one microbatch's activations over each boundary, from the last stage back to the first included.

        Args:
            size: whole activations [B].
            scatter: every tensor rank sends its share, and where activations are not kept split the receiver gathers them in its group.
            duplex: both directions at once; otherwise an activation waits for the gradient that comes the other way.

        Source: Narayanan et al. 2021, section 4.1.
        """
        layout = self.layout
        if layout.pipeline == 1:
            return [0.0]
        split = layout.sequence_parallel or scatter
        gather = 0.0 if layout.sequence_parallel or not scatter else self.communicate("all_gather", size, "tensor")
        sent = size / layout.tensor if split else size
        stride, inside = layout.accelerators // layout.pipeline, self.machines.node.accelerators
        known: dict[int, float] = {}
        answer = []
        alike = isinstance(self.machines.placement, Packed) and self.machines.network.even
        for stage in range(layout.pipeline):
            crosses = stage * stride // inside != (stage + 1) % layout.pipeline * stride // inside
            # Assumes: of packed ranks on a whole network, boundaries whose first pair stays inside a node are alike, and so are those
            # that leave it.
            like = int(crosses) if alike or (not crosses and self.machines.network.cells) else -1 - stage
            if like not in known:
                known[like] = (1 if duplex else 2) * self.communicate("point_to_point", sent, f"boundary {stage}") + gather
            answer.append(known[like])
        return answer


@lru_cache(maxsize=1024)
def _communicator(
    degrees: tuple[int, int, int, int, int, int | None],
    dimension: str,
    inside: int,
    placement: Placement,
    nodes: int,
    network: Interconnect,
) -> Communicator:
    """The communicator of a dimension; the same for all layouts with these degrees."""
    tensor, context, pipeline, data, expert, expert_tensor = degrees
    layout = Layout(tensor=tensor, context=context, pipeline=pipeline, data=data, expert=expert, expert_tensor=expert_tensor)
    found = places(placement, nodes, inside)[_members(layout, dimension)]
    node = found // inside
    if network.cells and (node == node[:, :1]).all():
        found = found[node[:, 0] == node[0, 0]]
    return communicator(found, network)


def _members(layout: Layout, dimension: str) -> NDArray[np.int64]:
    for known in get_args(Dimension):
        if known == dimension:
            return groups(layout, known)
    stages = groups(layout, "pipeline")
    if dimension == "ends":
        return stages[:, [0, -1]]
    first = int(dimension.removeprefix("boundary "))
    return stages[:, [first, (first + 1) % layout.pipeline]]
