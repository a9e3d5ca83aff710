"""What the engine is asked and what it answers: the frozen plan of a run, and the record of one life of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from simulator.outcome import LogEntry, partition
from simulator.reliability import (
    Allocation,
    Always,
    Availability,
    FailureSet,
    Recovery,
    Repair,
    Replay,
    Restart,
    Schedule,
    Spares,
    Spot,
)  # fmt: skip
from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of the run with one layout.

    Args:
        tokens: accepted in it.
        tokens_per_step: of one optimizer step.
        step_s: (nodes, seconds of one step on them), ascending in nodes: the job uses the largest size that the nodes at hand allow.
        evaluation_s: that the job stands for evaluations, per step in the mean [s].
        stalled: share of the training time, evaluations apart, that it waits for data.
    """

    name: str = ""
    tokens: float
    tokens_per_step: float
    step_s: tuple[tuple[int, float], ...]
    evaluation_s: float = 0.0
    stalled: float = 0.0

    def __post_init__(self) -> None:
        sizes = [nodes for nodes, _ in self.step_s]
        require(bool(sizes) and sizes == sorted(set(sizes)) and sizes[0] >= 1, "step_s needs at least one size, ascending in nodes")
        require(all(seconds > 0 for _, seconds in self.step_s), "a step of 0 s has no meaning here")
        require(self.evaluation_s >= 0 and 0 <= self.stalled < 1, "a phase that evaluates for less than nothing, or only waits for data")
        require(self.tokens > 0 and self.tokens_per_step > 0, "a phase has tokens and a step accepts some")

    def size(self, nodes: int) -> int:
        """The largest size that `nodes` allow; 0 where none does."""
        for size, _ in reversed(self.step_s):
            if size <= nodes:
                return size
        return 0

    def seconds(self, size: int) -> float:
        """Of one step on `size` nodes [s].

        Raises:
            KeyError: no such size.
        """
        return dict(self.step_s)[size]


@dataclass(frozen=True, kw_only=True)
class Far:
    """A tier behind the nearest one.

    Args:
        every: of all checkpoints one gets there.
        drain_s: from when one is durable near until it is durable here, beside the training.
        read_s: to load one from here.
        survives: the largest loss after which those here can be read.
    """

    every: int = 1
    drain_s: float = 0.0
    read_s: float = 0.0
    survives: Literal["process", "node", "block", "outage"] = "outage"

    def __post_init__(self) -> None:
        require(self.every >= 1 and min(self.drain_s, self.read_s) >= 0, "a tier of checkpoints makes no sense")


@dataclass(frozen=True, kw_only=True)
class Checkpoints:
    """The checkpoint policy resolved to seconds.

    Args:
        interval_s: training time between the end of one checkpoint and the start of the next; rounded to whole steps, and never
            shorter than the drain. Infinite: only where a checkpoint is due for another reason.
        blocking_s: the job stands for each checkpoint.
        drain_s: from then until it is durable, beside the training.
        read_s: to load one.
        survives: the largest loss after which those in the nearest tier can be read.
        far: the tiers behind it, each surviving as much as the one before or more, the last one everything; none where all are written to
            storage at once.
        fails: share of the checkpoints that cannot be read when they are needed.
    """

    interval_s: float
    blocking_s: float = 0.0
    drain_s: float = 0.0
    read_s: float = 0.0
    survives: Literal["process", "node", "block", "outage"] = "outage"
    far: tuple[Far, ...] = ()
    fails: float = 0.0

    @property
    def remembered(self) -> bool:
        """Whether the job may fall back further than to the last one."""
        return bool(self.far) or self.fails > 0

    @property
    def saving_s(self) -> float:
        """The job stands for a checkpoint and waits until it is durable where nothing can take it away [s]."""
        return self.blocking_s + self.drain_s + (self.far[-1].drain_s if self.far else 0.0)

    @property
    def start_read_s(self) -> float:
        """To load one from storage [s]."""
        return self.far[-1].read_s if self.far else self.read_s

    def __post_init__(self) -> None:
        require(0 <= self.fails < 1, "all checkpoints are unreadable")
        require(not self.far or self.far[-1].survives == "outage", "no tier of checkpoints survives everything")
        require(min(self.interval_s, self.blocking_s, self.drain_s, self.read_s) >= 0, "a time of a checkpoint is negative")


@dataclass(frozen=True, kw_only=True)
class Life:
    """The plan of a run: everything that the engine needs to know.

    Args:
        nodes: promised to the job where the availability is `Always`; hot spares come on top.
        reshape_s: to lay the job out anew on another number of nodes (checkpoint conversion, start, set-up), before the checkpoint is
            read; in place of the restart time.
        step_sigma: of the logarithm of the step model's own error, one draw of median 1 per replication on all step times; 0 switches
            it off and changes nothing else.
        step_stream: names the stream of that draw: accelerator and software, shared by the alternatives that have the same.
        horizon_s: the run is given up at this wall-clock; where absent, 30 days after 20 times the training and queueing on the fewest
            nodes that are promised.
    """

    phases: tuple[Phase, ...]
    nodes: int
    accelerators_per_node: int
    failures: FailureSet | None = None
    spares: Spares = field(default_factory=Spares)
    repair: Repair = field(default_factory=Repair)
    recovery: Recovery = field(default_factory=Restart)
    checkpoints: Checkpoints
    availability: Availability = field(default_factory=Always)
    allocation: Allocation = field(default_factory=Allocation)
    reshape_s: float = 0.0
    step_sigma: float = 0.0
    step_stream: str = ""
    horizon_s: float | None = None

    def __post_init__(self) -> None:
        require(bool(self.phases), "a run has at least one phase")
        require(self.nodes >= 1 and self.accelerators_per_node >= 1, "a run has at least one node with one accelerator")
        require(self.reshape_s >= 0 and self.step_sigma >= 0, "reshape_s or step_sigma is negative")

    @property
    def _promises(self) -> tuple[int, ...]:
        """Every number of nodes that may be promised; of those that nobody plans, every size that is prepared."""
        match self.availability:
            case Schedule():
                return tuple(change.nodes for change in self.availability.changes)
            case Spot():
                return (self.nodes, *(size for phase in self.phases for size, _ in phase.step_s if size <= self.nodes))
            case Replay():
                return tuple(self.availability.nodes(change.nodes, self.nodes) for change in self.availability.trace.changes)
        return (self.nodes,)

    @property
    def settled_at(self) -> float:
        """From when on the number of nodes that are promised changes no more [s]; infinite where that is not known."""
        if isinstance(self.availability, Schedule):
            return self.availability.changes[-1].at
        return 0.0 if isinstance(self.availability, Always) else math.inf

    @property
    def most_nodes(self) -> int:
        """The most nodes that the job is ever promised."""
        return max(self._promises)

    @property
    def tokens(self) -> float:
        """Of all phases."""
        return math.fsum(phase.tokens for phase in self.phases)

    @property
    def ideal_s(self) -> float:
        """Training time of all phases on the most nodes, nothing else; of the smallest size where even those are too few [s]."""
        return math.fsum(
            phase.tokens / phase.tokens_per_step * phase.seconds(phase.size(self.most_nodes) or phase.step_s[0][0]) for phase in self.phases
        )

    @property
    def horizon(self) -> float:
        """The wall-clock at which the run is given up [s]."""
        if self.horizon_s is not None:
            return self.horizon_s
        work = math.fsum(phase.tokens / phase.tokens_per_step * self._slowest(phase) for phase in self.phases)
        limit = self.allocation.job_time_limit
        jobs = 1 + (work / limit if limit else 0.0)
        planned = self.settled_at if math.isfinite(self.settled_at) else 0.0
        return 20 * (work + jobs * self.allocation.mean_wait) + planned + 30 * 86400.0

    def _slowest(self, phase: Phase) -> float:
        """The longest step of a phase on any number of nodes that is promised and enough [s]."""
        sizes = {phase.size(nodes) for nodes in self._promises} - {0}
        return max((phase.seconds(size) for size in sizes), default=0.0)


PARTS = (
    "productive", "degraded", "evaluation", "data", "checkpoint", "lost_work", "detection", "outage", "maintenance", "manual",
    "replacement", "wait_for_nodes", "restart", "reload", "warm_up", "reshape", "queue", "idle",
)  # fmt: skip
"""The ledger: every second of the wall-clock is in exactly one.

productive      ideal time of the accepted tokens: on the nodes that were promised at the time
degraded        what they took beyond that, on fewer or slower nodes
evaluation      the job stands for evaluations
data            it waits for data
checkpoint      the job stands for a checkpoint, finished or not
lost_work       training after the last durable checkpoint before a failure or the end
detection       from a failure to the decision to restart
outage          nothing can run: a power cut, a switch that starts again
maintenance     nothing can run, and that was announced
manual          waiting for a person
replacement     a spare comes in
wait_for_nodes  no spare, waiting for a repair or for the donor
restart         start of the processes
reload          reading the checkpoint
warm_up         the first slow steps
reshape         laying the job out anew after a planned change or a return of nodes
queue           before a job starts; nothing is held
idle            held, with too little time left before a planned stop to train
"""


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One life of a run.

    Args:
        finished: the last checkpoint of the last token is durable.
        ending: in words, why the record ends.
        wall_clock_s: from the request of the first machine to the last durable checkpoint, or to where it was given up.
        tokens: accepted: durable at the end.
        parts_s: partition of the wall-clock, every name of `PARTS`.
        interruptions: count by cause, every class of the set: failures that struck the nodes in use or the job, while it trained or
            recovered.
        parts_node_s: partition of the node-time held, spares included, every name of `PARTS` [s]; empty where it was not told.
        causes_s: by cause, what of the wall-clock it took: work that it lost, and all that passed from then until the job trained again or
            something else struck it; planned maintenance too [s].
        causes_node_s: node-time held in that [s].
        training_node_s: nodes of the job x time that it trained or wrote checkpoints, kept or lost.
        idle_node_s: nodes of the job x time that they were held and the job stood: detection, restart, waiting.
        spare_node_s: spares that are held x time.
        repair_node_s: nodes out for repair x time; in no other figure.
        selections, borrowings: how often hosts were selected anew since the hot spares did not suffice; nodes taken from other jobs.
        step_factor: the draw of the step model's error.
        log: entries of the operator's log, over all of its time; empty where none was asked for.
    """

    finished: bool
    ending: str
    wall_clock_s: float
    tokens: float
    parts_s: Mapping[str, float]
    interruptions: Mapping[str, int]
    training_node_s: float
    idle_node_s: float
    spare_node_s: float
    repair_node_s: float
    accelerators_per_node: int
    step_factor: float
    selections: int = 0
    borrowings: int = 0
    parts_node_s: Mapping[str, float] = field(default_factory=dict)
    causes_s: Mapping[str, float] = field(default_factory=dict)
    causes_node_s: Mapping[str, float] = field(default_factory=dict)
    log: tuple[LogEntry, ...] = ()

    def __post_init__(self) -> None:
        partition(self.wall_clock_s, self.parts_s, "wall-clock")
        if self.parts_node_s:
            partition(self.held_node_s, self.parts_node_s, "node-time")

    @property
    def held_node_s(self) -> float:
        """Nodes held, spares and idle included, x time [s]."""
        return self.training_node_s + self.idle_node_s + self.spare_node_s

    @property
    def accelerator_hours(self) -> float:
        """Held, spares and idle included [h]."""
        return self.held_node_s * self.accelerators_per_node / 3600.0

    @property
    def goodput(self) -> float:
        """Ideal time of the accepted tokens / wall-clock; 0 where it was given up at once."""
        return self.parts_s["productive"] / self.wall_clock_s if self.wall_clock_s > 0 else 0.0
