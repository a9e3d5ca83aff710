"""The recovery policy `hot_swap`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.reliability.restarting import Restarting
from simulator.spec import Seconds


@dataclass(frozen=True, kw_only=True)
class HotSwap(Restarting):
    """The processes that survive stay up; hot spares take the places of the lost nodes, and all go on from the last checkpoint.

    Where the hot spares do not suffice, or the job as a whole failed, it is a restart.

    Args:
        rejoin: to set up the communicators anew with the spares in place, instead of `restart` [s].
        peer_read: to load the checkpoint from the memory of peers, instead of from storage; from storage where absent [s].
    """

    kind: Literal["hot_swap"] = "hot_swap"
    rejoin: Seconds = 60.0
    peer_read: Seconds | None = None
