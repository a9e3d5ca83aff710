"""The typed scenario: the domain's own classes, composed. What the YAML says, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np

from simulator.economics import Extras, Grid, Price
from simulator.hardware import Node, Software
from simulator.interconnect import Interconnect, Neighbour, NetworkFault, Topology, with_faults, with_neighbours, with_nodes
from simulator.model import Transformer
from simulator.parallelism import Layout, Packed, Placement, Schedule
from simulator.reliability import (
    Allocation,
    Always,
    Availability,
    CheckpointPolicy,
    FailureSet,
    Recovery,
    Repair,
    Restart,
    Spares,
)
from simulator.spec import Date, FlopPerSecond, Fraction, Kinds, Ratio, Seconds, Source, Tokens, Watts, require


@dataclass(frozen=True, kw_only=True)
class Modelled:
    """The step is computed from model, layout, hardware and network."""

    kind: Literal["modelled"] = "modelled"


@dataclass(frozen=True, kw_only=True)
class StatedSize:
    """A step on fewer nodes than all, as stated.

    Args:
        nodes: that the job then has.
        time: in which they train what is one step of the whole cluster [s].
    """

    nodes: int
    time: Seconds


@dataclass(frozen=True, kw_only=True)
class Given:
    """The step is stated, by time or by rate per accelerator; the mechanistic model is bypassed and every answer says so.

    Args:
        flop_accounting: which FLOP the stated rate counts: `model` (this simulator's definition, attention included) or
            `6N` (6 x parameters x tokens, as the source may count).
        time: of one step [s].
        sizes: the time on other numbers of nodes, which the recovery policy then goes on with; nothing between them is guessed.
        flop_rate: per accelerator, instead of the time [FLOP/s].
        source: who states it.
    """

    kind: Literal["given"] = "given"
    time: Seconds | None = None
    sizes: tuple[StatedSize, ...] = ()
    flop_rate: FlopPerSecond | None = None
    flop_accounting: Literal["model", "6N"] = "model"
    source: Source

    def __post_init__(self) -> None:
        require(
            (self.time is None) != (self.flop_rate is None),
            "a given step has either a time or a flop_rate",
            "write one of them, e.g. time: 12.4 s",
        )
        nodes = [each.nodes for each in self.sizes]
        require(not nodes or self.time is not None, "the step has a time on some nodes and none on all", "write its time on all nodes, too")
        require(
            len(set(nodes)) == len(nodes) and all(each.nodes >= 1 and each.time > 0 for each in self.sizes),
            "a stated size stands twice, has no node, or a step of 0 s",
            "write each number of nodes once, from 1 on, with a time above 0 s",
        )


@dataclass(frozen=True, kw_only=True)
class Anchored:
    """The modelled step, scaled to one measurement of the base layout: for what-if questions around a known machine.

    Args:
        measured: step time of the configuration that was measured [s].
        source: who measured it.
    """

    kind: Literal["anchored"] = "anchored"
    measured: Seconds
    source: Source


Step = Annotated[Modelled | Given | Anchored, Kinds()]


@dataclass(frozen=True, kw_only=True)
class EveryStep:
    """All ranks agree on every step."""

    kind: Literal["every_step"] = "every_step"


Synchronisation = Annotated[EveryStep, Kinds()]


@dataclass(frozen=True, kw_only=True)
class PhaseChange:
    """A stretch of the run with its own settings: from the end of the phase before until a share of the tokens.

    Args:
        until: share of all tokens at which it ends.
        name: as the answer calls it.
        global_batch: sequences per step while it lasts.
        sequence: length of one sequence while it lasts [tokens].
        layout: while it lasts.
    """

    name: str = ""
    until: Fraction
    global_batch: int | None = None
    sequence: int | None = None
    layout: Layout | Literal["auto"] | None = None


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The job stands while what it has learnt is evaluated on the same machines.

    Args:
        every: so many tokens [tokens].
        takes: each time [s].
    """

    every: Tokens
    takes: Seconds

    def __post_init__(self) -> None:
        require(self.every > 0, "an evaluation every 0 tokens", "write for example every: 4B tokens")


@dataclass(frozen=True, kw_only=True)
class Training:
    """What is trained, on what, and how it is split.

    Args:
        tokens: seen over the whole run.
        sequence: length of one sequence [tokens]; the model's own where absent.
        global_batch: sequences per optimizer step.
        precision: of the main matrix products.
        software: a named software generation.
        layout: degrees of parallelism, or `auto`: the fastest of a stated small space.
        phases: stretches with their own settings; what is left after the last runs with the settings above.
        evaluation: pauses for it; none where absent, or on machines of its own.
        data_stalls: share of the training time that the job waits for data.
        model: a catalogue name, or written out with a source.
        microbatch: sequences, where `auto` is not to choose it.
        schedules: pipeline schedules that `auto` chooses from; those of the software where absent.
        step: whether the step time is computed, stated, or computed and scaled to a measurement.
        synchronisation: when the ranks agree on the weights.
    """

    model: Transformer
    tokens: Tokens
    sequence: int | None = None
    global_batch: int
    microbatch: int | None = None
    precision: Literal["fp32", "tf32", "fp16", "bf16", "fp8"] = "bf16"
    software: Software
    layout: Layout | Literal["auto"] = "auto"
    schedules: tuple[Schedule, ...] = ()
    step: Step = field(default_factory=Modelled)
    synchronisation: Synchronisation = field(default_factory=EveryStep)
    phases: tuple[PhaseChange, ...] = ()
    evaluation: Evaluation | None = None
    data_stalls: Fraction = 0.0

    def __post_init__(self) -> None:
        require(self.data_stalls < 1, "the job does nothing but wait for data", "write a share below 1")


@dataclass(frozen=True, kw_only=True)
class OtherNodes:
    """Nodes of another kind in the same job.

    Args:
        node: a catalogue name, or written out with a source; of the same shape as the first kind.
        count: how many of the cluster's nodes are of this kind.
    """

    node: Node
    count: int

    def __post_init__(self) -> None:
        require(self.count >= 1, f"count is {self.count}, at least 1 is expected", "leave them out")


@dataclass(frozen=True, kw_only=True)
class PassingFault:
    """Something that goes wrong with the network now and then, and is over after a while; how much it slows a step is worked out.

    Args:
        cause: its name in the ledger, e.g. `optics`.
        fault: what is wrong while it lasts.
        mtbf: mean time between the beginnings of two, exponential [s].
        lasts: until it is mended [s].
        source: where the rate comes from.
    """

    cause: str
    fault: NetworkFault
    mtbf: Seconds
    lasts: Seconds
    source: Source

    def __post_init__(self) -> None:
        require(self.mtbf > 0, "mtbf is 0", "write the mean time between two, e.g. 20 d; what is always wrong is a network_fault")
        require(self.lasts > 0, "lasts is 0", "write how long it takes to mend, e.g. 3 h")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The machines and how they are joined and handed out.

    Args:
        count: nodes of the job; hot spares come on top.
        other_nodes: those of the `count` that are of another kind; they hold the last ranks.
        topology: how the network interfaces are joined; a catalogue name, or a family with its parameters and a source.
        node: what a node is; a catalogue name, or written out with a source.
        placement: where in the machine room the nodes of the job stand; ranks fill them in order.
        network_faults: what is wrong with the network all the time: lost switches, slow interfaces, degraded, dead and flapping links.
        passing_faults: what goes wrong with the network now and then.
        neighbours: what else runs in the machine room and sends over its links; nobody where absent.
        availability: when the nodes are there.
        allocation: how a batch system or a grant hands them out.
    """

    topology: Topology
    node: Node
    count: int
    other_nodes: tuple[OtherNodes, ...] = ()
    placement: Placement = field(default_factory=Packed)
    network_faults: tuple[NetworkFault, ...] = ()
    passing_faults: tuple[PassingFault, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    availability: Availability = field(default_factory=Always)
    allocation: Allocation = field(default_factory=Allocation)

    @property
    def kinds(self) -> tuple[tuple[Node, int], ...]:
        """Each kind of node and how many there are of it, in the order of the ranks."""
        others = tuple((other.node, other.count) for other in self.other_nodes)
        return ((self.node, self.count - sum(count for _, count in others)), *others)

    def network(self, nodes: int) -> Interconnect:
        """The machine room's network as a job of some nodes finds it.

        Args:
            nodes: of the job; faults and neighbours are told of the machine room of the whole cluster, which then is there for a smaller
                job, too.

        Raises:
            MendableError: a fault names what is not there, or cuts something off; neighbours find no room.
        """
        told = bool(self.network_faults or self.passing_faults or self.neighbours or self.other_nodes)
        room = self.placement.room(self.count if told else nodes)
        network = self.topology.build(self.node, room)
        if self.other_nodes:
            last = np.cumsum([count for _, count in self.kinds])
            stand = np.split(self.placement.stands(self.count), last[:-1])[1:]
            network = with_nodes(network, self.node, [(other.node, some) for other, some in zip(self.other_nodes, stand, strict=True)])
        faulty = with_faults(network, self.network_faults)
        return with_neighbours(faulty, self.neighbours, self.placement.stands(self.count)) if self.neighbours else faulty


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """What fails and how the run survives it; an absent set of failures means that nothing fails.

    Args:
        failures: a catalogue name, or a list of classes, each with its source.
        repair: how lost nodes come back.
        spares: nodes that replace lost ones.
        recovery: what the job does after a failure.
        checkpoint: when the state is saved, and how fast.
    """

    failures: FailureSet | None = None
    repair: Repair = field(default_factory=Repair)
    spares: Spares = field(default_factory=Spares)
    recovery: Recovery = field(default_factory=Restart)
    checkpoint: CheckpointPolicy


@dataclass(frozen=True, kw_only=True)
class Power:
    """Mean electrical power stated in the scenario instead of the node's own, per accelerator with its share of the node [W].

    Args:
        per_accelerator: mean over the run [W].
        source: who measured it.
    """

    per_accelerator: Watts
    source: Source


@dataclass(frozen=True, kw_only=True)
class Economics:
    """Prices, grid and cooling.

    Args:
        price: how the machines are come by: `on_demand`, `reserved`, `spot`, `rate`, `owned` or `donated`.
        grid: where the electricity comes from.
        pue: power usage effectiveness: what the site draws over what the machines draw.
        pue_source: who says so.
        power: mean power, stated instead of the node's own.
        extras: costs beside the machines.
    """

    price: Price
    grid: Grid
    pue: Ratio
    pue_source: Source = ""
    power: Power | None = None
    extras: Extras = field(default_factory=Extras)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One alternative, fully resolved.

    Args:
        training: what is trained, on what software, how it is split.
        cluster: machines and network.
        reliability: what fails and how the run survives it.
        economics: prices, grid and cooling.
    """

    training: Training
    cluster: Cluster
    reliability: Reliability
    economics: Economics


@dataclass(frozen=True, kw_only=True)
class Until:
    """When there are enough replications: the mean is known well enough (Monte Carlo error only).

    Args:
        half_width: of the mean's 95 % confidence interval, relative to the mean.
        of: which quantity.
    """

    half_width: Fraction
    of: Literal["wall_clock.mean"] = "wall_clock.mean"


@dataclass(frozen=True, kw_only=True)
class Replications:
    """Replicate until a condition holds.

    Args:
        at_most: replications, whether it holds or not.
    """

    until: Until
    at_most: int = 2000

    def __post_init__(self) -> None:
        require(self.at_most >= 1, f"at_most is {self.at_most}, at least 1 is expected")
        require(self.until.half_width > 0, "until.half_width is 0, that takes for ever", "write for example half_width: 1%")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A question with its alternatives, as resolved from one file.

    Args:
        name: of the file, without its ending.
        date: picks the row of every dated price list; hardware, software and prices later than it are refused.
        hindsight: hardware and software later than the date are allowed.
        alternatives: name -> question, in the order of the file.
        sweep: dotted path -> values as YAML text, such that `path=value` is an override.
        expect: path into the answer -> condition, in the order of the file.
        origins: alternative -> dotted path -> how its value came about: `file:line`, `--set path=value`, `catalog:models/x.yaml` (a whole
            entry; its own figures follow as `catalog:models/x.yaml:7`), `default`.
        inputs: path, or `catalog:kind/name.yaml` -> sha256 of every file that was read.
        overrides: each `--set` as given.
    """

    name: str
    question: str
    date: Date
    seed: int = 0
    replications: int | Replications = 100
    hindsight: bool = False
    alternatives: Mapping[str, Question]
    sweep: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    expect: tuple[Mapping[str, str], ...] = ()
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
