"""What happens after a failure: spares, repair, recovery policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from simulator.spec import Fraction, Kinds, Ratio, Seconds, Sourced, require


@dataclass(frozen=True, kw_only=True)
class Spares:
    """Machines kept ready beside the job. A repaired node refills first the job, then the hot spares, then the pool.

    Args:
        hot: nodes held, powered and paid for, that replace a lost node at once.
        pool: nodes that can be had on demand, not held or paid while unused.
        hot_swap: to bring a hot spare in [s].
        pool_delay: to obtain a node from the pool [s].
    """

    hot: int = 0
    pool: int = 0
    hot_swap: Seconds = 60.0
    pool_delay: Seconds = 1200.0

    def __post_init__(self) -> None:
        require(self.hot >= 0 and self.pool >= 0, "a number of spare nodes is negative", "write 0 for none")


@dataclass(frozen=True, kw_only=True)
class Repair(Sourced):
    """How a lost node comes back: lognormal repair time, limited crews.

    Args:
        mean: of the repair time [s].
        sigma: of the lognormal's logarithm; 0 is a constant time.
        crews: nodes under repair at once; absent where unlimited.
    """

    mean: Seconds = 6 * 3600.0
    sigma: Ratio = 1.0
    crews: int | None = None

    def __post_init__(self) -> None:
        require(self.crews is None or self.crews >= 1, "there is no repair crew", "leave crews out where their number does not matter")


@dataclass(frozen=True, kw_only=True)
class Restart:
    """Stop, replace what was lost, load the last checkpoint, go on.

    Args:
        restart: mean of scheduling, process start, communicator set-up, before the checkpoint is read [s].
        warm_up: share of a step's speed lost over the first steps, as time [s].
        sigma: of the lognormal's logarithm of the restart time; 0 is a constant.
        manual: share of the interruptions that wait for a person.
        manual_delay: how long they wait for that person [s].
        struck: whether failures strike while it recovers, as they do; `false` only to compare with a model in which they do not.
    """

    kind: Literal["restart"] = "restart"
    restart: Seconds = 300.0
    warm_up: Seconds = 0.0
    sigma: Ratio = 0.0
    manual: Fraction = 0.0
    manual_delay: Seconds = 3600.0
    struck: bool = True


Recovery = Annotated[Restart, Kinds()]
"""Every recovery policy: the union is the registry."""
