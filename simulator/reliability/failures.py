"""Failure classes: who fails, how often, and what it takes down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from simulator.reliability.distribution import Distribution
from simulator.reliability.exponential import Exponential
from simulator.spec import Fraction, Ratio, Seconds, Source, Sourced, require

_OLDEST = 600.0
"""Cumulative hazard of an age that one thing in e^600 reaches: floats tell no later failure."""


@dataclass(frozen=True, kw_only=True)
class FailureClass:
    """One cause of interruptions, as an operator would name it.

    Args:
        cause: its name in the ledger, e.g. `gpu`, `hbm`, `software`.
        of: what fails: each accelerator, each node, each block of nodes (a rack, the nodes of a leaf switch, an NVL72 domain), or the job
            as a whole (a hazard that does not grow with its size).
        block: nodes that go down together, neighbours in the machine room: the blast radius of one failure; 1 is the node alone, and as
            many as the cluster has is the site.
        mtbf: mean time between failures of one such thing [s].
        distribution: of those times; what was repaired or replaced is as good as new.
        times: when it strikes, since the start of the run, as a log has it, in place of chance; in order, and none after the last. The mean
            time between failures then only chooses the interval of checkpoints [s].
        nodes: which node each of them strikes, by number, where it is up and with the run; by chance where absent.
        age: of all such things when the run starts, as time that they were held before [s]; exponential times know none.
        share: of the nodes that have this fault when the run starts (lemons), picked by chance over the whole fleet, spares and pools
            included; `mtbf` is theirs, and the others never fail by it. A repair that succeeds, for whatever cause, cures it.
        loses_node: the node leaves for repair and must be replaced; otherwise the job restarts on the same machines.
        detection: from the failure to the decision to restart; of a hang, the time-out [s].
        outage: how long nothing can run after that: a power cut, a switch that starts again, a maintenance window [s].
        planned: it is announced (maintenance, upgrades): the job writes a checkpoint before it stops, and it is no interruption.
        slowdown: it does not stop the job but makes its steps this many times as long (a straggler, throttling, a flapping link), for
            as long as `detection` says; then the node leaves where `loses_node`, and otherwise it is over.
        rollback: the state has been spoilt for this long when it is noticed (silent data corruption): the job falls back to the last
            checkpoint that was durable before [s].
        repair: mean of the repair by people of what it took down; that of the scenario's `repair` where absent [s].
        burst: mean number of further failures of other nodes that each one brings, Poisson.
        burst_spread: mean time from the first to each of those, exponential; 0 is all at once [s].
        source: where the rate comes from.
    """

    cause: str
    of: Literal["accelerator", "node", "block", "job"]
    block: int = 1
    mtbf: Seconds
    distribution: Distribution = field(default_factory=Exponential)
    age: Seconds = 0.0
    times: tuple[Seconds, ...] = ()
    nodes: tuple[int, ...] = ()
    share: Fraction = 1.0
    loses_node: bool = True
    detection: Seconds
    outage: Seconds = 0.0
    planned: bool = False
    slowdown: Ratio = 1.0
    rollback: Seconds = 0.0
    repair: Seconds | None = None
    burst: Ratio = 0.0
    burst_spread: Seconds = 0.0
    source: Source

    def __post_init__(self) -> None:
        require(self.mtbf > 0, f"the mtbf of {self.cause!r} is 0 s", "write the mean time between two failures of one such thing")
        require(
            self.share == 1 or (self.of in ("accelerator", "node") and self.memoryless),
            f"{self.cause!r} strikes a share of the nodes: it is of nodes or accelerators, with exponential times",
            "leave out share or distribution",
        )
        require(
            not self.times or (self.memoryless and self.share == 1 and self.burst == 0),
            f"the times of {self.cause!r} are known: there is nothing left to chance",
            "leave out distribution, age, share and burst, or times",
        )
        require(self.times == tuple(sorted(self.times)), f"the times of {self.cause!r} are not in order", "sort them")
        require(
            not self.nodes or (len(self.nodes) == len(self.times) and min(self.nodes) >= 0 and self.of != "job"),
            f"the nodes of {self.cause!r} do not go with its times",
            "write one number from 0 on for each of the times, of accelerators, nodes or blocks",
        )
        require(
            self.age == 0 or not self.memoryless,
            f"{self.cause!r} has an age, and exponential times know none",
            "leave out age, or write distribution: {kind: weibull, shape: 0.7}",
        )
        require(
            self.distribution.hazard(self.age, self.mtbf) < _OLDEST,
            f"nothing of {self.cause!r} would live to that age",
            "write a shorter age, or a longer mtbf",
        )
        require(self.block >= 1, f"the block of {self.cause!r} has no node", "write 1 for the node alone")
        require(
            self.slowdown == 1
            or (self.slowdown > 1 and self.block == 1 and not (self.planned or self.outage or self.rollback or self.burst)),
            f"{self.cause!r} slows a node or the job down and cannot do more",
            "write slowdown: 1.3 without block, planned, outage, rollback and burst, or leave slowdown out",
        )

    @property
    def memoryless(self) -> bool:
        """Whether its things do not age."""
        return isinstance(self.distribution, Exponential)


@dataclass(frozen=True, kw_only=True)
class FailureSet(Sourced):
    """A catalogue set of failure classes, each cause once.

    Args:
        classes: causes of interruptions, each with its own rate and source.
    """

    classes: tuple[FailureClass, ...]

    def __post_init__(self) -> None:
        causes = [each.cause for each in self.classes]
        twice = next((cause for cause in causes if causes.count(cause) > 1), None)
        require(twice is None, f"the cause {twice!r} stands twice", "give each class its own cause: it names its line in the ledger")
