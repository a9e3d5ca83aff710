"""The pipeline player against a naive event-driven twin that shares no code with it: its own orders, its own clock, one event at a time."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.pipeline import SCHEDULES, play


def twin_order(kind: str, stage: int, stages: int, virtual: int, microbatches: int) -> list[tuple[str, int, int]]:
    """What a stage does in order, as (phase, microbatch, chunk), written from the papers' words."""
    if kind == "gpipe":
        return [("forward", m, 0) for m in range(microbatches)] + [("backward", m, 0) for m in range(microbatches - 1, -1, -1)]
    total = microbatches * virtual

    def at(k: int, phase: str) -> tuple[str, int, int]:
        group, within = divmod(k, stages * virtual)
        chunk, index = divmod(within, stages)
        microbatch = group * stages + index
        if kind == "1f1b":
            return phase, k, 0
        return phase, microbatch, chunk if phase == "forward" else virtual - 1 - chunk

    ahead = stages - 1 - stage if kind == "1f1b" else 2 * (stages - 1 - stage) + (virtual - 1) * stages
    order, forward, backward = [], 0, 0
    while backward < total:
        if forward < total and forward - backward <= ahead:
            order.append(at(forward, "forward"))
            forward += 1
        else:
            order.append(at(backward, "backward"))
            backward += 1
    return order


def twin(kind, stages, virtual, microbatches, forward, backward, transfer, overlapped):
    """When the last slot and its send are done."""
    queues = [twin_order(kind, s, stages, virtual, microbatches) for s in range(stages)]
    inbox: dict[tuple[int, str, int, int], float] = {}
    free, events, last = [0.0] * stages, [(0.0, s) for s in range(stages)], 0.0
    while events:
        now, stage = heapq.heappop(events)
        if not queues[stage] or now < free[stage]:
            continue
        phase, microbatch, chunk = queues[stage][0]
        part = chunk * stages + stage
        source = part == (0 if phase == "forward" else stages * virtual - 1)
        arrived = 0.0 if source else inbox.get((stage, phase, microbatch, chunk))
        if arrived is None or arrived > now:
            continue
        queues[stage].pop(0)
        end = now + (forward if phase == "forward" else backward)[stage][chunk]
        target = part + (1 if phase == "forward" else -1)
        free[stage] = end
        if 0 <= target < stages * virtual:
            seconds = transfer[stage] if phase == "forward" else transfer[(stage - 1) % stages]
            arrival = end + seconds
            if not overlapped:
                free[stage] = arrival
            other_chunk, other = divmod(target, stages)
            inbox[other, phase, microbatch, other_chunk] = arrival
            heapq.heappush(events, (arrival, other))
        last = max(last, free[stage])
        heapq.heappush(events, (free[stage], stage))
    assert not any(queues), "the twin deadlocked"
    return last


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(sorted(SCHEDULES)),
    stages=st.integers(2, 6),
    virtual=st.integers(2, 3),
    rounds=st.integers(1, 7),
    seed=st.integers(0, 1000),
    alike=st.booleans(),
    transfer=st.sampled_from([0.0, 0.07, 0.9]),
    overlapped=st.booleans(),
)
def test_the_player_and_its_twin_agree(kind, stages, virtual, rounds, seed, alike, transfer, overlapped):
    if kind != "interleaved":
        virtual = 1
    microbatches = rounds * stages
    random = np.random.default_rng(seed)
    forward = np.ones((stages, virtual)) if alike else random.uniform(0.5, 1.5, (stages, virtual))
    backward = 2 * forward if alike else random.uniform(0.5, 3.0, (stages, virtual))
    sends = np.full(stages, transfer) * (1 if alike else random.uniform(0.5, 1.5, stages))
    played = play(
        SCHEDULES[kind],
        stages=stages,
        virtual=virtual,
        microbatches=microbatches,
        forward=forward,
        backward=backward,
        transfer=sends,
        overlapped=overlapped,
    )
    expected = twin(kind, stages, virtual, microbatches, forward, backward, sends, overlapped)
    assert played.total_s == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", sorted(SCHEDULES))
def test_the_orders_agree(kind: str) -> None:
    stages, virtual, microbatches = 4, 3 if kind == "interleaved" else 1, 12
    for stage in range(stages):
        order = SCHEDULES[kind].order(stage, stages, virtual, microbatches)
        assert [(slot.phase, slot.microbatch, slot.chunk) for slot in order] == twin_order(kind, stage, stages, virtual, microbatches)
