"""From a question to priced steps: the network is built, a layout chosen and priced for every phase and every size of the fleet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from simulator.hardware import Node
from simulator.interconnect import Interconnect
from simulator.model import model_flop, parameters
from simulator.outcome import Infeasible, MemoryUse
from simulator.parallelism import Layout
from simulator.reliability import Elastic, FailureClass, Replay, Schedule, Spot
from simulator.scenario.question import Anchored, Given, Question, StatedSize, Training
from simulator.step import CHECKPOINT_BYTES, Job, Machines, evaluate, memory_terms
from simulator.study.degraded import Degrading, degraded
from simulator.study.given import given_step
from simulator.study.priced import PricedStep, scaled
from simulator.study.search import search

_BARS = 2500
"""Slots of the timeline that a report draws at most."""


@dataclass(frozen=True, kw_only=True)
class PhasePlan:
    """A stretch of the run: its tokens [count], its batch [sequences], and the step at each fleet size [nodes] at which it fits."""

    name: str
    tokens: float
    sequence: int
    global_batch: int
    steps: Mapping[int, PricedStep]

    @property
    def tokens_per_step(self) -> int:
        """Tokens that one step accepts."""
        return self.sequence * self.global_batch

    @property
    def largest(self) -> PricedStep:
        """The step on the largest fleet at which the phase fits."""
        return self.steps[max(self.steps)]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the engine will live through.

    Args:
        checkpoint_bytes: model states that a checkpoint writes [B].
        slowed: what passing faults of the network do to the steps.
    """

    phases: tuple[PhasePlan, ...]
    network: Interconnect
    checkpoint_bytes: float
    slowed: tuple[FailureClass, ...] = ()


def plan(question: Question) -> Plan | Infeasible:
    """Price every phase of a question on every size that its fleet will have.

    A size at which a phase does not fit is left out (the job then waits for more machines); where it fits at none, the answer is the
    reason on the largest.
    """

    @cache
    def network(size: int) -> Interconnect:
        return question.cluster.network(size)

    phases = []
    for stretch in _stretches(question.training):
        steps = _steps(question, stretch.training, network)
        if isinstance(steps, Infeasible):
            return steps
        steps = {size: _both_conventions(step, stretch.training) for size, step in steps.items()}
        training = stretch.training
        phases.append(
            PhasePlan(
                name=stretch.name, tokens=stretch.tokens, sequence=_sequence(training), global_batch=training.global_batch, steps=steps
            )
        )
    return Plan(
        phases=tuple(phases),
        network=network(max(_sizes(question))),
        checkpoint_bytes=CHECKPOINT_BYTES * parameters(question.training.model).total,
        slowed=tuple(_slowed(question, training, phases[-1])),
    )


def _slowed(question: Question, training: Training, phase: PhasePlan) -> Iterator[FailureClass]:
    """Passing faults as causes that make the steps longer: by as much as on a network that has them all the time.

    Assumes: by as much in every phase as in the last, on its largest fleet. A step that is given knows no network, and what slows nothing
    is no event.
    """
    cluster, whole, size = question.cluster, phase.largest, max(phase.steps)
    if whole.layout is None or whole.time.kind == "given":
        return
    # What a recovery policy adds to every step is no matter of the network.
    plain = _priced(question, replace(training, layout=whole.layout), size, cluster.network(size)) if cluster.passing_faults else whole
    well = plain.time.time_s if isinstance(plain, PricedStep) else whole.time.time_s
    for passing in cluster.passing_faults:
        faulty = replace(cluster, network_faults=(*cluster.network_faults, passing.fault))
        asked = replace(question, cluster=faulty)
        hurt = _priced(asked, replace(training, layout=whole.layout), size, faulty.network(size))
        times = hurt.time.time_s / well if isinstance(hurt, PricedStep) else 1.0
        if times > 1:
            yield FailureClass(
                cause=passing.cause,
                of="job",
                mtbf=passing.mtbf,
                detection=passing.lasts,
                loses_node=False,
                slowdown=times,
                source=passing.source,
            )


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    name: str
    tokens: float
    training: Training


def _stretches(training: Training) -> Iterator[_Stretch]:
    """The phases in order, each with the training settings that hold in it; what no phase claims runs with the training's own."""
    start = 0.0
    for number, phase in enumerate(training.phases, 1):
        yield _Stretch(
            name=phase.name or f"phase {number}",
            tokens=(phase.until - start) * training.tokens,
            training=replace(
                training,
                phases=(),
                global_batch=phase.global_batch or training.global_batch,
                sequence=phase.sequence or training.sequence,
                layout=phase.layout or training.layout,
            ),
        )
        start = phase.until
    if start < 1.0:
        yield _Stretch(
            name="main" if training.phases else "", tokens=(1.0 - start) * training.tokens, training=replace(training, phases=())
        )


def _both_conventions(step: PricedStep, training: Training) -> PricedStep:
    """The step with its MFU under causal attention too, where that makes more than 2 % of difference.

    A causal mask lets each token see half of a full row on average; inside a sliding window it sees nearly all of it, and both agree.
    """
    sequence, window = _sequence(training), training.model.window
    flop = model_flop(training.model, sequence)
    share = 1.0 if window is not None and window < sequence else (flop.matrix + flop.attention / 2) / flop.total
    return replace(step, time=replace(step.time, mfu_causal=step.time.mfu * share)) if share < 0.98 else step


def _sizes(question: Question) -> tuple[int, ...]:
    """The fleet sizes [nodes] that the run will meet: those of a schedule; a few up to the whole cluster where nobody knows beforehand."""
    availability, count = question.cluster.availability, question.cluster.count
    match availability:
        case Schedule():
            return tuple(sorted({change.nodes for change in availability.changes if change.nodes}))
        case Spot() | Replay():
            return tuple(sorted({max(1, count * part // availability.sizes) for part in range(1, availability.sizes + 1)}))
    return (count,)


def _steps(question: Question, training: Training, network: Callable[[int], Interconnect]) -> Mapping[int, PricedStep] | Infeasible:
    """The step at each fleet size at which it fits; where it fits at none, the reason on the largest."""
    recovery, sizes = question.reliability.recovery, _sizes(question)
    if isinstance(training.step, Given) and training.step.sizes:
        return _stated(question, training, training.step)
    if isinstance(recovery, Elastic):
        return _without_replicas(question, training, network, recovery)
    if isinstance(recovery, Degrading):
        whole = _priced(question, training, max(sizes), network(max(sizes)))
        if isinstance(whole, Infeasible):
            return whole
        if len(sizes) == 1:
            sizes = tuple(range(max(1, sizes[0] - recovery.drop), sizes[0] + 1))

        def machines(size: int) -> Machines:
            return _machines(question, size, network(size))

        return degraded(recovery, training, _job(training), whole, sizes, machines, modelled)
    unplanned = isinstance(question.cluster.availability, Spot | Replay)
    tried = {size: _priced(question, _fitted(training, question, size) if unplanned else training, size, network(size)) for size in sizes}
    steps = {size: step for size, step in tried.items() if isinstance(step, PricedStep)}
    reason = tried[max(tried)]
    return steps or (reason if isinstance(reason, Infeasible) else Infeasible(reason="no machines"))


def _fitted(training: Training, question: Question, size: int) -> Training:
    """The training with a stated layout's data degree lowered to what `size` nodes hold and the batch divides by."""
    layout = training.layout
    if not isinstance(layout, Layout) or size == question.cluster.count:
        return training
    most = min(layout.data, size * question.cluster.node.accelerators * layout.data // layout.accelerators)
    fits = (data for data in range(most, 0, -1) if training.global_batch % (data * layout.microbatch) == 0)
    return replace(training, layout=replace(layout, data=next(fits, layout.data)))


def _without_replicas(
    question: Question, training: Training, network: Callable[[int], Interconnect], recovery: Elastic
) -> Mapping[int, PricedStep] | Infeasible:
    """The step with all data-parallel replicas and with some missing: each replica keeps its own share of the batch."""
    count, accelerators = max(_sizes(question)), question.cluster.node.accelerators
    whole = _priced(question, training, count, network(count))
    if isinstance(whole, Infeasible):
        return whole
    layout = whole.layout
    if layout is None:
        return Infeasible(reason="an elastic run drops data-parallel replicas, and nothing says what one is", mend="write the layout")
    if layout.expert > 1 or layout.data == 1:
        why = "experts are spread over the replicas" if layout.expert > 1 else "there is only one replica"
        return Infeasible(reason=f"no replica can be dropped: {why}", mend="another layout, or recovery: {kind: restart}")
    replica, ways = layout.accelerators // layout.data, layout.data
    by_size = {size: min(ways, size * accelerators // replica) for size in _sizes(question)}
    if len(by_size) == 1:
        sizes = {math.ceil(data * replica / accelerators) for data in range(ways, max(0, ways - recovery.drop - 1), -1)}
        by_size = {size: min(ways, size * accelerators // replica) for size in {*sizes, count}}
    steps: dict[int, PricedStep] = {}
    for size, data in sorted(by_size.items()):
        kept = replace(training, layout=replace(layout, data=data), global_batch=training.global_batch * data // ways) if data else None
        step = whole if data == ways else kept and _priced(question, kept, size, network(size), scaled=False)
        if isinstance(step, PricedStep):
            notes = (
                (*step.assumptions, "the survivors of a failure hold the whole state") if layout.sharding != "none" else step.assumptions
            )
            step = replace(step, batch_share=data / ways, assumptions=notes)
            asked = recovery.quorum
            steps[size] = scaled(step, 1 + asked / step.time.time_s, f"{asked:.4g} s of every step are its quorum") if asked else step
    return steps


def _sequence(training: Training) -> int:
    return training.sequence or training.model.sequence


def _job(training: Training) -> Job:
    return Job(
        model=training.model,
        sequence=_sequence(training),
        global_batch=training.global_batch,
        precision=training.precision,
        software=training.software,
    )


def _priced(question: Question, training: Training, size: int, network: Interconnect, scaled: bool = True) -> PricedStep | Infeasible:
    """The step on some nodes.

    Args:
        size: how many of them the job has.
        scaled: whether a stated time is that of the whole cluster for the same batch, so that fewer machines take longer.
    """
    node = question.cluster.node
    accelerators = size * node.accelerators
    if isinstance(training.step, Given):
        used = training.layout.accelerators if isinstance(training.layout, Layout) else accelerators
        whole = question.cluster.count
        stated, note = training.step, f"the step is given, not modelled ({training.step.source}); memory is not checked"
        if scaled and stated.time is not None and size < whole:
            stated = replace(stated, time=stated.time * whole / size)
            note += f"; on {size} nodes it takes {whole}/{size} of the time given for {whole}"
        time, terms = given_step(
            stated,
            training.model,
            sequence=_sequence(training),
            global_batch=training.global_batch,
            accelerators=used,
            peak=_mean_peak(question.cluster.kinds, training.precision),
        )
        layout = training.layout if isinstance(training.layout, Layout) else None
        return PricedStep(layout=layout, time=time, memory=None, accelerators_used=used, terms=terms, assumptions=(note,))
    machines = _machines(question, size, network)
    if question.cluster.other_nodes:
        return _of_kinds(training, machines, question.cluster.kinds)
    return modelled(training, machines)


def _machines(question: Question, size: int, network: Interconnect) -> Machines:
    return Machines(node=question.cluster.node, count=size, network=network, placement=question.cluster.placement)


def _stated(question: Question, training: Training, stated: Given) -> Mapping[int, PricedStep] | Infeasible:
    """The steps that the scenario states, one for each number of nodes."""
    node = question.cluster.node
    steps = {}
    for each in (*stated.sizes, StatedSize(nodes=question.cluster.count, time=stated.time or 0.0)):
        time, terms = given_step(
            replace(stated, time=each.time, sizes=()),
            training.model,
            sequence=_sequence(training),
            global_batch=training.global_batch,
            accelerators=each.nodes * node.accelerators,
            peak=node.accelerator.peak[training.precision],
        )
        steps[each.nodes] = PricedStep(
            layout=training.layout if isinstance(training.layout, Layout) else None,
            time=time,
            memory=None,
            accelerators_used=each.nodes * node.accelerators,
            terms=terms,
            assumptions=(f"the step on each number of nodes is given, not modelled ({stated.source}); memory is not checked",),
        )
    return steps


def _of_kinds(training: Training, machines: Machines, kinds: Sequence[tuple[Node, int]]) -> PricedStep | Infeasible:
    """The step of a job over several kinds of node: everybody waits for the slowest, and the layout fits on all.

    Assumes: the slowest kind has a rank in every stage and replica; layouts that give it less to do are not looked for.
    """
    each = {node.name or node.accelerator.name: replace(machines, node=node) for node, _ in kinds}
    fixed = training.layout
    layouts: list[Layout] = []
    if isinstance(fixed, Layout):
        layouts = [fixed]
    else:
        for known in each.values():
            found = search(_job(training), known, microbatch=training.microbatch, schedules=training.schedules)
            if isinstance(found, Infeasible):
                return found
            layouts += [found.layout] if found.layout not in layouts else []
    best: PricedStep | None = None
    refused: Infeasible | None = None
    for layout in layouts:
        priced = {name: modelled(replace(training, layout=layout), known) for name, known in each.items()}
        no = next(((name, step) for name, step in priced.items() if isinstance(step, Infeasible)), None)
        if no is not None:
            refused = replace(no[1], reason=f"on {no[0]}: {no[1].reason}")
            continue
        steps = {name: step for name, step in priced.items() if isinstance(step, PricedStep)}
        slowest = max(steps, key=lambda name: steps[name].time.time_s)
        step, time = steps[slowest], steps[slowest].time
        share = each[slowest].node.accelerator.peak[training.precision] / _mean_peak(kinds, training.precision)
        fullest = max((one for one in steps.values() if one.memory), key=lambda one: _fullness(one.memory))
        told = ", ".join(f"{count} x {node.name or node.accelerator.name}" for node, count in kinds)
        notes: tuple[str, ...] = (
            f"mixed nodes ({told}): every step takes as long as on {slowest} alone, and the layout fits on each kind",
            "mixed nodes: faster ones draw their power of training while they wait; all kinds fail alike; spares are of the first kind",
        )
        if not isinstance(fixed, Layout):
            notes += (f"layout auto: the fastest of the {len(layouts)} that are fastest on one kind of node",)
        step = replace(
            step,
            time=replace(time, mfu=time.mfu * share, hfu=time.hfu * share),
            memory=fullest.memory,
            assumptions=(*notes, *step.assumptions),
        )
        if best is None or step.time.time_s < best.time.time_s:
            best = step
    return best or refused or Infeasible(reason="no layout of one kind of node fits on the others")


def _mean_peak(kinds: Sequence[tuple[Node, int]], precision: str) -> float:
    """Dense peak of one accelerator on the mean over the nodes [FLOP/s]."""
    return sum(node.accelerator.peak[precision] * count for node, count in kinds) / sum(count for _, count in kinds)


def _fullness(memory: MemoryUse | None) -> float:
    return memory.total_bytes / memory.capacity_bytes if memory else 0.0


def modelled(training: Training, machines: Machines) -> PricedStep | Infeasible:
    """The modelled step of one training on some machines, its layout searched for where it is `auto`; anchored steps are scaled later."""
    job, layout = _job(training), training.layout
    quiet = machines.network.accelerators > machines.accelerators and machines.network.shared is None
    notes: tuple[str, ...] = ("network: whatever else runs in the machine room keeps off the links of this job",) if quiet else ()
    if machines.network.left is not None:
        notes += ("network: what is wrong is wrong all the time; a dead link is gone around between its own ends",)
    if machines.network.shared is not None:
        notes += ("network: neighbours send on the mean what is stated, all the time, and share links max-min fairly",)
    if not isinstance(layout, Layout):
        found = search(job, machines, microbatch=training.microbatch, schedules=training.schedules)
        if isinstance(found, Infeasible):
            return found
        layout = found.layout
        notes += (f"layout auto on {machines.count} nodes: {found.told}",)
    answer = evaluate(job, layout, machines, bars=_BARS)
    if isinstance(answer, Infeasible):
        return answer
    return PricedStep(
        layout=layout,
        time=answer.time,
        memory=answer.memory,
        accelerators_used=answer.accelerators_used,
        bars=answer.bars,
        traffic=answer.traffic,
        terms=(*answer.terms, *memory_terms(job, layout, answer.memory)),
        assumptions=(*notes, *answer.assumptions),
    )


def anchor(found: Plan, factor: float, stated: Anchored) -> Plan:
    """A plan with every step scaled to one measurement.

    Args:
        factor: measured / modelled step time of the configuration that was measured.
    """
    note = f"step times are scaled by {factor:.4g} to a measurement ({stated.source})"

    def anchored(phase: PhasePlan) -> PhasePlan:
        return replace(phase, steps={size: scaled(step, factor, note, "anchored") for size, step in phase.steps.items()})

    return replace(found, phases=tuple(map(anchored, found.phases)))
