"""Machines that a provider takes and gives as it likes: spot, preemptible, volunteers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.spec import Ratio, Seconds, require


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Each node is there and away in turn, by Weibull times of its own; all are there when the run starts.

    The job prepares a few smaller sizes and uses the largest that is there.

    Args:
        up: mean time that a node stays [s].
        up_shape: Weibull shape of that time; 1 is exponential.
        down: mean time until it is there again [s].
        down_shape: Weibull shape of that time; 1 is exponential.
        notice: that a node will be taken; a checkpoint is written before where it can be written and drained in that time [s].
        sizes: of the job that are prepared, evenly spaced up to all nodes.
    """

    kind: Literal["spot"] = "spot"
    up: Seconds
    up_shape: Ratio = 1.0
    down: Seconds
    down_shape: Ratio = 1.0
    notice: Seconds = 0.0
    sizes: int = 4

    def __post_init__(self) -> None:
        require(self.up > 0 and self.down > 0, "a spot node stays or is away for 0 s", "write mean times above 0")
        require(self.up_shape > 0 and self.down_shape > 0, "a Weibull shape of 0", "write 1 for exponential times")
        require(self.sizes >= 1, "no size of the job is prepared", "write sizes: 1 for the whole cluster alone")
