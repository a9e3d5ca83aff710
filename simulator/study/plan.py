"""From a question to priced steps: the network is built, a layout chosen and priced for every phase and every size of the fleet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from simulator.interconnect import Interconnect
from simulator.model import parameters
from simulator.outcome import Bar, Infeasible, MemoryUse, StepTime, Term
from simulator.parallelism import Layout
from simulator.reliability import Schedule
from simulator.scenario.question import Anchored, Given, Question, Training
from simulator.step import CHECKPOINT_BYTES, Job, Machines, evaluate, memory_terms
from simulator.study.given import given_step
from simulator.study.search import search

_BARS = 2500
"""Slots of the timeline that a report draws at most."""


@dataclass(frozen=True, kw_only=True)
class PricedStep:
    """One optimizer step of one phase on one size of the fleet; `layout` and `memory` are None where a given step needs none."""

    layout: Layout | None
    time: StepTime
    memory: MemoryUse | None
    accelerators_used: int
    bars: tuple[Bar, ...] = ()
    terms: tuple[Term, ...] = ()
    assumptions: tuple[str, ...] = ()


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
    """

    phases: tuple[PhasePlan, ...]
    network: Interconnect
    checkpoint_bytes: float


def plan(question: Question) -> Plan | Infeasible:
    """Price every phase of a question on every size that its fleet will have.

    A size at which a phase does not fit is left out (the job then waits for more machines); where it fits at none, the answer is the
    reason on the largest.
    """
    networks = {size: question.cluster.topology.build(question.cluster.node, size) for size in _sizes(question)}
    phases = []
    for stretch in _stretches(question.training):
        tried = {size: _priced(question, stretch.training, network) for size, network in networks.items()}
        steps = {size: step for size, step in tried.items() if isinstance(step, PricedStep)}
        if not steps:
            reason = tried[max(tried)]
            return reason if isinstance(reason, Infeasible) else Infeasible(reason="no machines")
        training = stretch.training
        phases.append(
            PhasePlan(
                name=stretch.name, tokens=stretch.tokens, sequence=_sequence(training), global_batch=training.global_batch, steps=steps
            )
        )
    return Plan(
        phases=tuple(phases), network=networks[max(networks)], checkpoint_bytes=CHECKPOINT_BYTES * parameters(question.training.model).total
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


def _sizes(question: Question) -> tuple[int, ...]:
    """The fleet sizes [nodes] that the run will meet."""
    availability = question.cluster.availability
    if isinstance(availability, Schedule):
        return tuple(sorted({change.nodes for change in availability.changes if change.nodes}))
    return (question.cluster.count,)


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


def _priced(question: Question, training: Training, network: Interconnect) -> PricedStep | Infeasible:
    node = question.cluster.node
    accelerators = network.accelerators
    if isinstance(training.step, Given):
        used = training.layout.accelerators if isinstance(training.layout, Layout) else accelerators
        time, terms = given_step(
            training.step,
            training.model,
            sequence=_sequence(training),
            global_batch=training.global_batch,
            accelerators=used,
            peak=node.accelerator.peak[training.precision],
        )
        note = f"the step is given, not modelled ({training.step.source}); memory is not checked"
        layout = training.layout if isinstance(training.layout, Layout) else None
        return PricedStep(layout=layout, time=time, memory=None, accelerators_used=used, terms=terms, assumptions=(note,))
    machines = Machines(node=node, count=accelerators // node.accelerators, network=network)
    return modelled(training, machines)


def modelled(training: Training, machines: Machines) -> PricedStep | Infeasible:
    """The modelled step of one training on some machines, its layout searched for where it is `auto`; anchored steps are scaled later."""
    job, layout = _job(training), training.layout
    notes: tuple[str, ...] = ()
    if not isinstance(layout, Layout):
        found = search(job, machines, microbatch=training.microbatch)
        if isinstance(found, Infeasible):
            return found
        layout = found.layout
        notes = (f"layout auto: the fastest of {found.considered} considered on {machines.count} nodes, {found.fitting} of which fit",)
    answer = evaluate(job, layout, machines, bars=_BARS)
    if isinstance(answer, Infeasible):
        return answer
    return PricedStep(
        layout=layout,
        time=answer.time,
        memory=answer.memory,
        accelerators_used=answer.accelerators_used,
        bars=answer.bars,
        terms=(*answer.terms, *memory_terms(job, layout, answer.memory)),
        assumptions=(*notes, *answer.assumptions),
    )


def anchor(found: Plan, factor: float, stated: Anchored) -> Plan:
    """A plan with every step scaled to one measurement.

    Args:
        factor: measured / modelled step time of the configuration that was measured.
    """
    note = f"step times are scaled by {factor:.4g} to a measurement ({stated.source})"

    def scaled(phase: PhasePlan) -> PhasePlan:
        return replace(phase, steps={size: _scaled(step, factor, note) for size, step in phase.steps.items()})

    return replace(found, phases=tuple(map(scaled, found.phases)))


def _scaled(step: PricedStep, factor: float, note: str) -> PricedStep:
    time = step.time
    low, high = time.interval_s
    scaled = replace(
        time,
        kind="anchored",
        time_s=time.time_s * factor,
        interval_s=(low * factor, high * factor),
        parts_s={name: part * factor for name, part in time.parts_s.items()},
        model_tflops_per_accelerator=time.model_tflops_per_accelerator / factor,
        mfu=time.mfu / factor,
        hfu=time.hfu / factor,
        tokens_per_s=time.tokens_per_s / factor,
    )
    return replace(step, time=scaled, assumptions=(note, *step.assumptions))
