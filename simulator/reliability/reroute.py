"""The recovery policy `reroute`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.reliability.surviving import Surviving
from simulator.spec import Fraction, require


@dataclass(frozen=True, kw_only=True)
class Reroute(Surviving):
    """The micro-batches of a lost worker go to its data-parallel peers of the same stage; the whole batch is kept (ReCycle).

    Peers hold the stage's state, so that only the step in progress is lost while each stage has a worker left. The losses are spread over
    the stages. Where a stage would have no worker left, or the job as a whole failed, it is a restart from the last checkpoint.

    Args:
        drop: most nodes that can be missing at once.
        absorbed: share of the pipeline bubbles that takes up rerouted work: 0 where it comes on top of the schedule; near 1 with the
            gradients of weights decoupled and each stage's optimizer step on its own time.
    """

    kind: Literal["reroute"] = "reroute"
    drop: int = 4
    absorbed: Fraction = 0.0

    def __post_init__(self) -> None:
        require(self.drop >= 1, "rerouting around no missing node", "write drop: 1 or more, or kind: restart")
