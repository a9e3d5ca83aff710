"""A plan with its reliability -> the engine's `Life`; replications of it, in any number of processes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from simulator import units
from simulator.engine import Checkpoints, Far, Life, Phase, RunRecord, live
from simulator.outcome import Infeasible
from simulator.reliability import (
    CheckpointPolicy,
    FailureClass,
    FailureSet,
    blocking_seconds,
    clearing_seconds,
    drain_seconds,
    interval_seconds,
    job_hazard,
    read_seconds,
    reclaims,
    stored,
)
from simulator.scenario.question import Question
from simulator.study.plan import Plan
from simulator.study.workers import Progress, run_tasks, silent

_CHUNK = 10
"""Replications per task: small enough to share between workers, large enough to be worth sending."""

_NINETY_PERCENT = 1.6448536269514722
"""Half-width of the central 90 % of a normal distribution, in standard deviations."""


def life_of(question: Question, found: Plan) -> Life:
    """What the engine needs to know of a plan. Checkpoint intervals are those of the largest fleet."""
    node, reliability, training = question.cluster.node, question.reliability, question.training
    nodes = max(size for phase in found.phases for size in phase.steps)
    policy = reliability.checkpoint
    used = found.phases[-1].largest.accelerators_used
    hazard = job_hazard(reliability.failures, nodes, node.accelerators) + reclaims(question.cluster.availability, nodes)
    mtbf = 1 / hazard if hazard else math.inf
    phases = tuple(
        Phase(
            name=phase.name,
            tokens=phase.tokens,
            tokens_per_step=phase.tokens_per_step,
            evaluation_s=phase.tokens_per_step * evaluation.takes / evaluation.every if (evaluation := training.evaluation) else 0.0,
            stalled=training.data_stalls,
            step_s=tuple((size, phase.steps[size].time.time_s / phase.steps[size].batch_share) for size in sorted(phase.steps)),
        )
        for phase in found.phases
    )
    return Life(
        phases=phases,
        nodes=question.cluster.count,
        accelerators_per_node=node.accelerators,
        failures=_failures(reliability.failures, found.slowed),
        spares=reliability.spares,
        repair=reliability.repair,
        recovery=reliability.recovery,
        checkpoints=_checkpoints(policy, found.checkpoint_bytes, used, mtbf),
        availability=question.cluster.availability,
        allocation=question.cluster.allocation,
        reshape_s=reliability.recovery.restart,
        step_sigma=step_sigma(found),
        step_stream=f"{node.accelerator.name}/{training.software.name}",
    )


def _failures(stated: FailureSet | None, slowed: tuple[FailureClass, ...]) -> FailureSet | None:
    """What fails, and what passes over the network."""
    if not slowed:
        return stated
    return FailureSet(classes=slowed) if stated is None else replace(stated, classes=(*stated.classes, *slowed))


def _checkpoints(policy: CheckpointPolicy, size: float, accelerators: int, mtbf: float) -> Checkpoints:
    """A policy in seconds, for a checkpoint of `size` bytes on that many accelerators."""
    blocking, drain, read = blocking_seconds(policy, size, accelerators), drain_seconds(policy, size), read_seconds(policy, size)
    interval, full = interval_seconds(policy, blocking, mtbf), clearing_seconds(policy, size)
    if not policy.near:
        return Checkpoints(interval_s=interval, blocking_s=blocking + full, drain_s=drain, read_s=read, fails=policy.fails)
    far: list[Far] = []
    every, drained, least = 1, 0.0, 0.0
    behind = [
        (tier.seconds(policy.written * size, accelerators), tier.seconds(size, accelerators), tier.survives) for tier in policy.near[1:]
    ]
    for before, (copied, loaded, survives) in zip(policy.near, [*behind, (drain, read, "outage")], strict=True):
        every, drained = every * before.every, drained + copied
        # What goes on to the next tier must be there before the next one sets out.
        least = max(least, copied / every)
        far.append(Far(every=every, drain_s=drained, read_s=loaded, survives=survives))
    return Checkpoints(
        interval_s=max(interval, least),
        blocking_s=blocking + full / every,
        read_s=policy.near[0].seconds(size, accelerators),
        survives=policy.near[0].survives,
        far=tuple(far),
        fails=policy.fails,
    )


def too_full(question: Question, found: Plan) -> Infeasible | None:
    """What keeps the checkpoints of a run from their storage; None where they fit."""
    policy, size = question.reliability.checkpoint, found.checkpoint_bytes
    if policy.capacity is None:
        return None
    held, least = stored(policy, size), 2 if policy.keep is None else policy.keep + 1
    holds = f"storage of {_bytes(policy.capacity)} holds {held} checkpoints of {_bytes(policy.written * size)}"
    if held < least:
        also = (
            "the one before must stay until the next is durable"
            if policy.keep is None
            else f"{policy.keep} are kept while one more is written"
        )
        return Infeasible(reason=f"{holds}, and {also}", mend=f"capacity: {_bytes(1.005 * least * policy.written * size)} would do")
    life = life_of(question, found)
    every = life.checkpoints.far[-1].every if life.checkpoints.far else 1
    each = life.checkpoints.interval_s * every
    if policy.keep is not None or policy.clearing is not None or life.ideal_s <= held * each:
        return None
    return Infeasible(
        reason=f"{holds}: it is full after {_time(held * each)} of {_time(life.ideal_s)} of training, and nobody makes room",
        mend="say how many of them you keep, or how long clearing takes",
    )


def _bytes(size: float) -> str:
    return units.format(float(f"{size:.3g}"), "data")


def _time(seconds: float) -> str:
    return units.format(float(f"{seconds:.3g}"), "time")


def step_sigma(found: Plan) -> float:
    """Standard deviation of the logarithm of the step model's own error, from the 90 % interval of the last phase; 0 where given."""
    low, high = found.phases[-1].largest.time.interval_s
    return math.log(high / low) / (2 * _NINETY_PERCENT) if high > low > 0 else 0.0


@dataclass(frozen=True)
class _Task:
    life: Life
    seed: int
    first: int
    last: int


def _live(task: _Task) -> list[RunRecord]:
    return [live(task.life, task.seed, replication) for replication in range(task.first, task.last)]


def records(
    lives: dict[str, Life], seed: int, replications: range, *, workers: int = 1, progress: Progress = silent
) -> dict[str, list[RunRecord]]:
    """Some replications of each life, in order: the same records for any number of workers. Equal lives are lived once."""
    different: list[Life] = []
    for life in lives.values():
        different += [] if life in different else [life]
    tasks = [
        _Task(life, seed, first, min(first + _CHUNK, replications.stop))
        for life in different
        for first in range(replications.start, replications.stop, _CHUNK)
    ]
    chunks = run_tasks(_live, tasks, workers=workers, progress=progress, what="replications")
    lived: list[list[RunRecord]] = [[] for _ in different]
    for task, chunk in zip(tasks, chunks, strict=True):
        lived[different.index(task.life)] += chunk
    return {name: lived[different.index(life)] for name, life in lives.items()}


def without_step_error(life: Life) -> Life:
    """The same life with the step model taken at its word; everything else draws the same numbers."""
    return replace(life, step_sigma=0.0)
