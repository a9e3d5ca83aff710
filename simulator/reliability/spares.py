"""What stands ready for a failure: spares and repair."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.spec import Fraction, Ratio, Seconds, Sourced, require


@dataclass(frozen=True, kw_only=True)
class Spares:
    """Machines kept ready beside the job. A repaired node refills first the job, then the hot spares, then the pool.

    Where the hot spares do not suffice, hosts are selected anew: the pool fills the job and the hot spares. Where the pool does not fill
    the job, machines of lower-priority jobs are borrowed for it, one after the other; they are not given back.

    Args:
        hot: nodes held, powered and paid for, that replace a lost node at once.
        pool: nodes that can be had on demand, not held or paid while unused.
        borrowed: nodes of lower-priority jobs that can be had once the pool is empty.
        hot_swap: to bring a hot spare in [s].
        pool_delay: to select hosts and obtain nodes from the pool, however many [s].
        borrow_delay: to free one node of a lower-priority job [s].
        struck: whether failures strike hot spares while they stand by; `false` only to compare with a model in which they do not.
    """

    hot: int = 0
    pool: int = 0
    borrowed: int = 0
    hot_swap: Seconds = 60.0
    pool_delay: Seconds = 1200.0
    borrow_delay: Seconds = 1200.0
    struck: bool = True

    def __post_init__(self) -> None:
        require(min(self.hot, self.pool, self.borrowed) >= 0, "a number of spare nodes is negative", "write 0 for none")


@dataclass(frozen=True, kw_only=True)
class Repair(Sourced):
    """How a lost node comes back: an automatic stage where there is one (reset, new image, tests), then people; lognormal times.

    A repair may fail and not be noticed: the node comes back with the fault that made it a lemon.

    Args:
        mean: of the repair by people [s].
        sigma: of the lognormal's logarithm, of both stages; 0 is a constant time, 0.83 spreads as much as an exponential time.
        crews: nodes that people repair at once, first come first served; absent where unlimited.
        automatic: mean of an automatic repair before it; 0 where there is none [s].
        escalation: share of the automatic repairs after which people must come.
        silent: share of the repairs by people that leave the fault in.
        automatic_silent: share of the automatic repairs that end there and leave the fault in.
        retire_after: a node is taken out for good where it would be repaired this many times; absent where never.
    """

    mean: Seconds = 6 * 3600.0
    sigma: Ratio = 1.0
    crews: int | None = None
    automatic: Seconds = 0.0
    escalation: Fraction = 1.0
    silent: Fraction = 0.0
    automatic_silent: Fraction = 0.0
    retire_after: int | None = None

    def __post_init__(self) -> None:
        require(self.crews is None or self.crews >= 1, "there is no repair crew", "leave crews out where their number does not matter")
        require(self.retire_after is None or self.retire_after >= 1, "retire_after is below 1", "leave it out: no node is retired")
