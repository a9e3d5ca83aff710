"""A number of nodes from a time on."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.spec import Seconds


@dataclass(frozen=True, kw_only=True)
class ScheduledNodes:
    """From `at` on (since the start of the run), `nodes` nodes are there.

    Args:
        at: since the start of the run [s].
        nodes: that are there from then on; 0 is a pause.
    """

    at: Seconds
    nodes: int
