"""One step laid out in time: what each stage does on each of its lanes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from simulator.parallelism import Layout
from simulator.pipeline import FORWARD, SCHEDULES, Slot
from simulator.step.clock import Clock, clock
from simulator.step.job import Job, Machines
from simulator.step.layer import Lap

Lane = Literal["compute", "tensor", "context", "expert", "pipeline", "data", "waiting"]

_LANES: dict[str, Lane] = {"tensor_comm": "tensor", "context_comm": "context", "expert_comm": "expert"}
"""Of the parts of a slot; the others compute."""

_EVERY = 10**9


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of time on one lane of one stage [s].

    Args:
        what: the part of the step time that it belongs to.
        slot: the microbatch, chunk and direction that it serves; None after the last one.
    """

    stage: int
    lane: Lane
    what: str
    start_s: float
    end_s: float
    slot: Slot | None = None


def spans(job: Job, layout: Layout, machines: Machines) -> tuple[Span, ...]:
    """Every span of one step, in order of start, stage and lane; the layout divides what it must (`parallelism.divisibility`).

    Each stage's last span ends when the step does; where stages begin the next step on their own, a step after its first one began.

    Accuracy: slots are as played. # Assumes: the parts of a slot stand one after the other where layers repeat them in turn; exposed data
    traffic, optimizer and jitter stand behind the last slot, as the step model adds them.
    """
    timed = clock(job, layout, machines, bars=_EVERY)
    found = [*_slots(timed, layout), *_tail(timed, layout.pipeline, SCHEDULES[layout.schedule].staggered)]
    return tuple(sorted(found, key=lambda span: (span.start_s, span.stage, span.lane, span.end_s)))


def _slots(timed: Clock, layout: Layout) -> Iterator[Span]:
    schedule = SCHEDULES[layout.schedule]
    routes = schedule.routes(layout.pipeline, layout.virtual)
    into = {route[place]: route[place - 1][0] for route in routes for place in range(1, len(route))}
    onto = {route[place - 1]: route[place][0] for route in routes for place in range(1, len(route))}
    lanes: list[list[tuple[float, float]]] = [[] for _ in range(layout.pipeline)]
    for bar in timed.bars:
        lanes[bar.lane].append((bar.start_s, bar.end_s))
    for stage, bars in enumerate(lanes):
        order = schedule.order(stage, layout.pipeline, layout.virtual, timed.microbatches)
        known: dict[tuple[int, str], list[tuple[Lane, str, float]]] = {}
        for place, (slot, (start, end)) in enumerate(zip(order, bars, strict=True)):
            at = start
            key = (slot.chunk, slot.phase)
            if key not in known:
                known[key] = [(_LANES.get(what, "compute"), what, took) for what, took in asdict(_lap(timed, slot)).items() if took > 0]
            for lane, what, took in known[key]:
                yield Span(stage=stage, lane=lane, what=what, start_s=at, end_s=at + took, slot=slot)
                at += took
            target = None if slot.phase == "weight" else (onto if slot.phase in FORWARD else into).get((stage, slot.chunk))
            if target is None or target == stage:
                continue
            sent = timed.transfers[stage if target == (stage + 1) % layout.pipeline else target]
            after = bars[place + 1][1] if slot.phase == "joint_forward" else end
            if sent > 0:
                yield Span(stage=stage, lane="pipeline", what="pipeline_comm", start_s=after, end_s=after + sent, slot=slot)


def _lap(timed: Clock, slot: Slot) -> Lap:
    through = timed.passes[slot.stage][slot.chunk]
    if slot.phase in FORWARD:
        return through.forward
    if slot.phase == "weight":
        return through.weight
    return through.backward + through.weight * -1.0 if slot.phase == "input" else through.backward


def _tail(timed: Clock, stages: int, staggered: bool) -> Iterator[Span]:
    """What follows the last slot, on every stage alike; on staggered stages as long after their own start."""
    lanes: dict[str, Lane] = {"data_comm": "data", "optimizer": "compute", "jitter": "waiting"}
    for stage in range(stages):
        last = timed.total + (timed.timeline.stage_start_s[stage] if staggered else 0.0)
        at = last - sum(timed.parts[what] for what in lanes)
        for what, lane in lanes.items():
            end = last if what == "jitter" else at + timed.parts[what]
            if timed.parts[what] > 0:
                yield Span(stage=stage, lane=lane, what=what, start_s=at, end_s=end)
            at = end
