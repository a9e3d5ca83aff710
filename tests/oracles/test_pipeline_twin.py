"""The pipeline player against a naive event-driven twin that shares no code with it: its own orders, its own clock, one event at a time."""

from __future__ import annotations

import heapq
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.pipeline import SCHEDULES, play


def twin_order(kind: str, stage: int, stages: int, virtual: int, microbatches: int) -> list[tuple[str, int, int]]:
    """What a stage does in order, as (phase, microbatch, chunk), written from the papers' words."""
    if kind == "gpipe":
        return [("forward", m, 0) for m in range(microbatches)] + [("backward", m, 0) for m in range(microbatches - 1, -1, -1)]
    if kind in ("zb_h1", "zb_h2"):
        return split_order(stage, stages, microbatches, 1 if kind == "zb_h1" else 2)
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


def split_order(stage: int, stages: int, microbatches: int, slope: int) -> list[tuple[str, int, int]]:
    """Zero bubble by hand: as many forwards ahead as stages follow and weights behind as stages precede, each times `slope`; at the end
    inputs and weights in turn, then the weights that are left."""
    ahead, behind = slope * (stages - 1 - stage), slope * stage
    order: list[tuple[str, int, int]] = []
    count = {"forward": 0, "input": 0, "weight": 0}

    def do(phase: str) -> None:
        order.append((phase, count[phase], 0))
        count[phase] += 1

    while count["weight"] < microbatches:
        if count["forward"] < microbatches and count["forward"] - count["input"] <= ahead:
            do("forward")
        elif count["input"] < microbatches:
            do("input")
            if count["input"] - count["weight"] > behind:
                do("weight")
        else:
            do("weight")
    return order


def way(kind: str, stages: int, virtual: int) -> dict[tuple[int, int], tuple[int, int]]:
    """(stage, chunk) -> the next one that a microbatch goes through."""
    if kind == "zb_v":
        path = [[(s, 0) for s in range(stages)] + [(s, 1) for s in range(stages)][::-1]]
    elif kind == "dualpipe":
        path = [[(s, 0) for s in range(stages)], [(s, 1) for s in range(stages)][::-1]]
    else:
        path = [[(s, c) for c in range(virtual) for s in range(stages)]]
    return {here: there for each in path for here, there in pairwise(each)}


def twin(kind, stages, virtual, microbatches, forward, backward, weight, transfer, overlapped):
    """When the last slot and its send are done; where stages are staggered, the longest time that one of them takes."""
    if kind in ("zb_v", "dualpipe"):  # the order is the schedule's own here: the clock alone is twice
        own = [SCHEDULES[kind].order(s, stages, virtual, microbatches) for s in range(stages)]
        queues = [[(slot.phase, slot.microbatch, slot.chunk) for slot in order] for order in own]
    else:
        queues = [twin_order(kind, s, stages, virtual, microbatches) for s in range(stages)]
    onward = way(kind, stages, virtual)
    back = {there: here for here, there in onward.items()}
    begun: dict[int, float] = {}
    inbox: dict[tuple[int, str, int, int], float] = {}
    free, events, last = [0.0] * stages, [(0.0, s) for s in range(stages)], 0.0
    while events:
        now, stage = heapq.heappop(events)
        if not queues[stage] or now < free[stage]:
            continue
        jobs = queues[stage][: 2 if queues[stage][0][0] == "joint_forward" else 1]
        turns = [{"joint_forward": "forward", "forward": "forward", "weight": "weight"}.get(phase, "backward") for phase, _, _ in jobs]
        arrivals = []
        for turn, (_, microbatch, chunk) in zip(turns, jobs, strict=True):
            source = turn == "weight" or (stage, chunk) not in (back if turn == "forward" else onward)
            arrivals.append(0.0 if source else inbox.get((stage, turn, microbatch, chunk)))
        if None in arrivals or max(arrivals) > now:
            continue
        del queues[stage][: len(jobs)]
        begun.setdefault(stage, now)
        end, sending = now, 0.0
        for turn, (phase, _, chunk) in zip(turns, jobs, strict=True):
            whole = backward[stage][chunk]
            end += {"forward": forward[stage][chunk], "weight": weight[stage][chunk], "backward": whole}[turn]
            end -= weight[stage][chunk] if phase == "input" else 0.0
        for turn, (_, microbatch, chunk) in zip(turns, jobs, strict=True):
            target = None if turn == "weight" else (onward if turn == "forward" else back).get((stage, chunk))
            if target is None:
                continue
            seconds = 0.0 if target[0] == stage else transfer[stage if target[0] == (stage + 1) % stages else target[0]]
            if turn == "backward" and target[0] != stage and kind not in ("zb_v", "dualpipe"):
                seconds = transfer[(stage - 1) % stages]
            elif turn == "backward" and target[0] != stage:
                seconds = transfer[target[0] if stage == (target[0] + 1) % stages else stage]
            sending += seconds
            inbox[target[0], turn, microbatch, target[1]] = end + (sending if not overlapped else seconds)
            heapq.heappush(events, (inbox[target[0], turn, microbatch, target[1]], target[0]))
        free[stage] = end if overlapped else end + sending
        last = max(last, free[stage])
        heapq.heappush(events, (free[stage], stage))
    assert not any(queues), "the twin deadlocked"
    return max(free[stage] - begun[stage] for stage in range(stages)) if kind in ("zb_h2", "zb_v") else last


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
        virtual = 2 if kind == "zb_v" else 1
    stages += stages % 2 if kind == "dualpipe" else 0
    microbatches = rounds * stages + (2 * stages if kind == "dualpipe" else 0)
    shape = (stages, virtual * SCHEDULES[kind].copies)
    random = np.random.default_rng(seed)
    forward = np.ones(shape) if alike else random.uniform(0.5, 1.5, shape)
    backward = 2 * forward if alike else random.uniform(0.5, 3.0, shape)
    weight = backward / 2 if alike else backward * random.uniform(0, 1, shape)
    sends = np.full(stages, transfer) * (1 if alike else random.uniform(0.5, 1.5, stages))
    played = play(
        SCHEDULES[kind],
        stages=stages,
        virtual=virtual,
        microbatches=microbatches,
        forward=forward,
        backward=backward,
        weight=weight,
        transfer=sends,
        overlapped=overlapped,
    )
    expected = twin(kind, stages, virtual, microbatches, forward, backward, weight, sends, overlapped)
    assert played.total_s == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", sorted(set(SCHEDULES) - {"zb_v", "dualpipe"}))
def test_the_orders_agree(kind: str) -> None:
    stages, virtual, microbatches = 4, 3 if kind == "interleaved" else 1, 12
    for stage in range(stages):
        order = SCHEDULES[kind].order(stage, stages, virtual, microbatches)
        assert [(slot.phase, slot.microbatch, slot.chunk) for slot in order] == twin_order(kind, stage, stages, virtual, microbatches)
