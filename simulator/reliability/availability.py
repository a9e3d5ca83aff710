"""When machines are there at all: every kind of availability; the union is the registry."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated

from simulator.reliability.schedule import Always, Schedule
from simulator.reliability.scheduled_nodes import ScheduledNodes
from simulator.reliability.spot import Spot
from simulator.reliability.trace import AvailabilityTrace, Replay
from simulator.spec import Kinds

Availability = Annotated[Always | Schedule | Spot | Replay, Kinds()]
"""When the nodes are there."""

__all__ = ["Always", "Availability", "AvailabilityTrace", "Replay", "Schedule", "ScheduledNodes", "Spot", "reclaims"]


def reclaims(availability: Availability, nodes: int) -> float:
    """How often nodes are taken back without enough notice to matter, in the long run, of `nodes` wanted [1/s]; 0 where dates are known."""
    if isinstance(availability, Spot):
        return nodes / (availability.up + availability.down)
    if isinstance(availability, Replay):
        there = [availability.nodes(change.nodes, nodes) for change in availability.trace.changes]
        return math.fsum(after < before for before, after in pairwise([*there, there[0]])) / availability.trace.length
    return 0.0
