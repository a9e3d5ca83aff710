"""Machines that were there as somebody wrote down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from simulator.reliability.scheduled_nodes import ScheduledNodes
from simulator.spec import Quantity, Ratio, Seconds, Sourced, require


@dataclass(frozen=True, kw_only=True)
class AvailabilityTrace(Sourced):
    """How many machines were there, as measured.

    Args:
        changes: in order of `at`, the first at 0 s.
        length: of the record [s].
        wanted: machines that were asked for: more than that were never there.
    """

    changes: tuple[ScheduledNodes, ...]
    length: Seconds
    wanted: int

    def __post_init__(self) -> None:
        times = [change.at for change in self.changes]
        require(bool(times) and times[0] == 0.0, "a trace starts at 0 s", "add {at: 0 s, nodes: ..} as its first change")
        require(times == sorted(set(times)), "the changes of a trace are not in order of time", "sort them by `at`, each once")
        require(self.length > times[-1], "a trace ends before its last change", "write its length")
        require(self.wanted >= 1, "a trace of no machines")
        require(all(0 <= change.nodes <= self.wanted for change in self.changes), "a trace has machines that were not asked for")


@dataclass(frozen=True, kw_only=True)
class Replay:
    """The nodes are there as in a trace, over and over; nobody knows beforehand.

    The job prepares a few smaller sizes and uses the largest that is there.

    Args:
        trace: a catalogue name, or written out with a source.
        scale: nodes of this run per machine of the trace; absent: such that all of the cluster is there when all of the trace is.
        start: where in the trace the run starts: `random`, anew in each replication, or a time [s].
        notice: that nodes will be taken; a checkpoint is written before where it can be written and drained in that time [s].
        sizes: of the job that are prepared, evenly spaced up to all nodes.
    """

    kind: Literal["trace"] = "trace"
    trace: AvailabilityTrace
    scale: Ratio | None = None
    start: Literal["random"] | Annotated[float, Quantity("time")] = "random"
    notice: Seconds = 0.0
    sizes: int = 4

    def __post_init__(self) -> None:
        require(self.sizes >= 1, "no size of the job is prepared", "write sizes: 1 for the whole cluster alone")
        require(self.scale is None or self.scale > 0, "a trace scaled by 0 has no machines", "leave scale out: all of the cluster")

    def nodes(self, machines: int, cluster: int) -> int:
        """Nodes of a cluster that are there while that many machines of the trace are."""
        return min(cluster, math.floor(machines * (self.scale or cluster / self.trace.wanted) + 1e-9))
