"""The recovery policy `elastic`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.reliability.surviving import Surviving
from simulator.spec import Seconds, require


@dataclass(frozen=True, kw_only=True)
class Elastic(Surviving):
    """Drop the data-parallel replicas of the lost nodes and go on at once with the others, each with its own share of the batch.

    The survivors hold the whole state, so that only the step in progress is lost. Spares and repaired nodes come in as whole replicas, in
    a short stop. Where more replicas are lost than `drop`, or the job as a whole failed, it is a restart from the last checkpoint. Tokens
    of a step with fewer replicas count as many as they are.

    Args:
        drop: most replicas that can be missing at once.
        quorum: added to every step: the replicas agree on who takes part in it (fault tolerance per replica, as torchft has it) [s].
    """

    kind: Literal["elastic"] = "elastic"
    drop: int = 2
    quorum: Seconds = 0.0

    def __post_init__(self) -> None:
        require(self.drop >= 1, "an elastic run that can drop no replica", "write drop: 1 or more, or kind: restart")
