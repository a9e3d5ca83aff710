"""What stands ready for a failure: spares and repair."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.spec import Fraction, Ratio, Seconds, Sourced, require


@dataclass(frozen=True, kw_only=True)
class Spares:
    """Machines kept ready beside the job. A repaired node refills first the job, then the hot spares, the warm ones, the pool.

    Where hot and warm spares do not suffice, hosts are selected anew: the pool fills the job and these spares. Where the pool does not fill
    the job, machines of lower-priority jobs are borrowed for it, one after the other; they are not given back.

    Args:
        hot: nodes held, powered and paid for, that replace a lost node at once.
        warm: nodes powered and set up beside the hot ones, without the processes of the job; failures do not strike them.
        pool: nodes that can be had on demand, not held or paid while unused.
        borrowed: nodes of lower-priority jobs that can be had once the pool is empty.
        hot_swap: to bring a hot spare in [s].
        warm_delay: to bring warm spares in, however many [s].
        warm_held: whether warm spares are held and paid for; `false` where they do other work until they are called.
        pool_delay: to select hosts and obtain nodes from the pool, however many [s].
        borrow_delay: to free one node of a lower-priority job [s].
        dead: share of the spares that turn out not to work when they come in: each goes to repair and another is
            called, with its own delay.
        struck: whether failures strike hot spares while they stand by; `false` only to compare with a model in which they do not.
    """

    hot: int = 0
    warm: int = 0
    pool: int = 0
    borrowed: int = 0
    hot_swap: Seconds = 60.0
    warm_delay: Seconds = 300.0
    warm_held: bool = True
    pool_delay: Seconds = 1200.0
    borrow_delay: Seconds = 1200.0
    dead: Fraction = 0.0
    struck: bool = True

    @property
    def held(self) -> int:
        """Nodes held and paid for beside the job's."""
        return self.hot + (self.warm if self.warm_held else 0)

    def __post_init__(self) -> None:
        require(min(self.hot, self.warm, self.pool, self.borrowed) >= 0, "a number of spare nodes is negative", "write 0 for none")


@dataclass(frozen=True, kw_only=True)
class Repair(Sourced):
    """How a lost node comes back: an automatic stage where there is one (reset, new image, tests), then people; lognormal times.

    A repair may fail and not be noticed: the node comes back with the fault that made it a lemon. A diagnosis may be wrong: the node beside
    the faulty one is repaired in its stead, and the fault strikes again.

    Args:
        mean: of the repair by people [s].
        sigma: of the lognormal's logarithm, of both stages; 0 is a constant time, 0.83 spreads as much as an exponential time.
        crews: nodes that people repair at once, first come first served; absent where unlimited.
        automatic: mean of an automatic repair before it; 0 where there is none [s].
        escalation: share of the automatic repairs after which people must come.
        silent: share of the repairs by people that leave the fault in.
        automatic_silent: share of the automatic repairs that end there and leave the fault in.
        misdiagnosed: share of the failures of single nodes of the job after which another node of it is taken out.
        relapse: mean time until a fault that was left in so strikes again, exponential [s].
        parts: spare parts in stock, of one kind; each that is used is ordered again at once; absent where they never run out.
        lead_time: from the order of a part until it is there [s].
        parts_share: of the repairs by people that need a part.
        retire_after: a node is taken out for good where it would be repaired this many times; absent where never.
    """

    mean: Seconds = 6 * 3600.0
    sigma: Ratio = 1.0
    crews: int | None = None
    automatic: Seconds = 0.0
    escalation: Fraction = 1.0
    silent: Fraction = 0.0
    automatic_silent: Fraction = 0.0
    misdiagnosed: Fraction = 0.0
    relapse: Seconds = 3600.0
    parts: int | None = None
    lead_time: Seconds = 14 * 86400.0
    parts_share: Fraction = 1.0
    retire_after: int | None = None

    def __post_init__(self) -> None:
        require(self.crews is None or self.crews >= 1, "there is no repair crew", "leave crews out where their number does not matter")
        require(
            self.parts is None or self.parts >= 0, "a stock of parts is negative", "write parts: 0 where each is ordered when it is needed"
        )
        require(self.misdiagnosed < 1, "every diagnosis is wrong: no fault is ever found", "write a share below 1")
        require(self.retire_after is None or self.retire_after >= 1, "retire_after is below 1", "leave it out: no node is retired")
