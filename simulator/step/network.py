"""Prices the collectives of one layout on the machines' network."""

from __future__ import annotations

from functools import lru_cache
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from simulator.collectives import Communicator, Operation, communicator
from simulator.interconnect import Interconnect
from simulator.parallelism import Dimension, Layout, Packed, Placement, groups, places
from simulator.step.job import Machines


class Network:
    """Seconds of the collectives of one layout.

    Groups that stay inside a node are priced on the first node alone: nodes are alike and their fabrics separate.
    """

    def __init__(self, layout: Layout, machines: Machines) -> None:
        self.layout, self.machines = layout, machines
        self._degrees = (layout.tensor, layout.context, layout.pipeline, layout.data, layout.expert, layout.expert_tensor)
        self._seconds: dict[tuple[str, float, str], float] = {}

    def communicate(self, operation: Operation, size: float, dimension: str) -> float:
        """Seconds of one collective in every group of a dimension at once.

        Args:
            size: as nccl-tests define it [B].
            dimension: of `parallelism.groups`, or `ends` (first and last stage), or `boundary i` (stage i and the next).
        """
        key = (operation, size, dimension)
        if key not in self._seconds:
            at = self.machines
            ready = _communicator(self._degrees, dimension, at.node.accelerators, at.placement, at.count, at.network)
            self._seconds[key] = ready.price(operation, size).time_s
        return self._seconds[key]

    def transfers(self, size: float, scatter: bool) -> list[float]:
        """Seconds to send one microbatch's activations over each boundary, from the last stage back to the first included.

        Args:
            size: whole activations [B].
            scatter: every tensor rank sends its share, and where activations are not kept split the receiver gathers them in its group.

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
        packed = isinstance(self.machines.placement, Packed)
        for stage in range(layout.pipeline):
            crosses = stage * stride // inside != (stage + 1) % layout.pipeline * stride // inside
            # Assumes: of packed ranks, boundaries whose first pair stays inside a node are alike, and so are those that leave it.
            like = int(crosses) if packed or not crosses else -stage
            if like not in known:
                known[like] = self.communicate("point_to_point", sent, f"boundary {stage}") + gather
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
    if (node == node[:, :1]).all():
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
