"""What the policies share under which the survivors of a failure keep the state."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.reliability.restarting import Restarting
from simulator.spec import Seconds


@dataclass(frozen=True, kw_only=True)
class Surviving(Restarting):
    """Go on without what was lost, with half of a step lost at most; take nodes in when there are some; else it is a restart.

    Args:
        regroup: to go on without what was lost: communicators, and state from other survivors where it must move [s].
        rejoin: to take nodes in: communicators, and state from a peer [s].
    """

    regroup: Seconds = 30.0
    rejoin: Seconds = 60.0
