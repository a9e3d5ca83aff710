"""When machines are there at all: always, or by a donor's schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from simulator.spec import Kinds, Seconds, require


@dataclass(frozen=True, kw_only=True)
class Always:
    """All nodes of the cluster, from the first second to the last."""

    kind: Literal["always"] = "always"


@dataclass(frozen=True, kw_only=True)
class ScheduledNodes:
    """From `at` on (since the start of the run), `nodes` nodes are there.

    Args:
        at: since the start of the run [s].
        nodes: that are there from then on; 0 is a pause.
    """

    at: Seconds
    nodes: int


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


Availability = Annotated[Always | Schedule, Kinds()]
"""Every kind of availability: the union is the registry."""
