"""Machines that are always there, or by a donor's schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.reliability.scheduled_nodes import ScheduledNodes
from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class Always:
    """All nodes of the cluster, from the first second to the last."""

    kind: Literal["always"] = "always"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A donor's allocation that grows or shrinks on known dates; the job is laid out anew at each change.

    Args:
        changes: in order of `at`, the first at 0 s; known beforehand, so that a checkpoint is written before nodes leave.
    """

    kind: Literal["schedule"] = "schedule"
    changes: tuple[ScheduledNodes, ...]

    def __post_init__(self) -> None:
        times = [change.at for change in self.changes]
        require(bool(times) and times[0] == 0.0, "a schedule starts at 0 s", "add {at: 0 s, nodes: ..} as its first change")
        require(times == sorted(set(times)), "the changes of a schedule are not in order of time", "sort them by `at`, each once")
        require(all(change.nodes >= 0 for change in self.changes), "a schedule has fewer than 0 nodes")
