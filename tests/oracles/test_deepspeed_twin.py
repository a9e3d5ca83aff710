"""Sends one way after the other (`Software.duplex_sends`) against a twin of DeepSpeed's pipeline engine, where sender and receiver wait for
each other at every message.

Source: microsoft/DeepSpeed at 56c5223, deepspeed/runtime/pipe/schedule.py (TrainSchedule.steps), in words: at each tick a stage's passes
take turns, its neighbours' the other way around; activations travel before gradients.
"""

from __future__ import annotations

import pytest

from simulator.pipeline import SCHEDULES, play

Instruction = tuple[str, int, int]
"""What (forward, backward, or a message `activation` or `gradient`), the neighbour, and the microbatch."""


def instructions(stage: int, stages: int, microbatches: int) -> list[Instruction]:
    """Of one stage in their order."""
    found: list[Instruction] = []
    before = -1
    for tick in range(2 * (microbatches + stages - 1)):
        forward = (tick + stage) % 2 == 0
        microbatch = (tick - stage if forward else tick + stage - 2 * stages + 1) // 2
        neighbour = stage - 1 if forward else stage + 1
        activation, gradient = (microbatch, before) if forward else (before, microbatch)
        messages = [(what, m) for what, m in (("activation", activation), ("gradient", gradient)) if 0 <= m < microbatches]
        if 0 <= neighbour < stages:
            found += [(what, neighbour, m) for what, m in messages]
        if 0 <= microbatch < microbatches:
            found.append(("forward" if forward else "backward", stage, microbatch))
        before = microbatch
    return found


def twin(stages: int, microbatches: int, forward: float, backward: float, message: float) -> float:
    """Seconds until the last stage is done."""
    left = [instructions(stage, stages, microbatches)[::-1] for stage in range(stages)]
    clock = [0.0] * stages
    while any(left):
        moved = False
        for stage in range(stages):
            while left[stage]:
                what, other, microbatch = left[stage][-1]
                if other == stage:
                    clock[stage] += forward if what == "forward" else backward
                elif left[other] and left[other][-1] == (what, stage, microbatch):
                    clock[stage] = clock[other] = max(clock[stage], clock[other]) + message
                    left[other].pop()
                else:
                    break
                left[stage].pop()
                moved = True
        assert moved, "nobody can go on"
    return max(clock)


@pytest.mark.parametrize(("stages", "microbatches"), [(2, 8), (4, 32), (12, 128), (35, 160)])
def test_a_message_each_way_in_turn_is_one_of_twice_the_time(stages: int, microbatches: int) -> None:
    def played(message: float) -> float:
        ones = [[1.0]] * stages
        threes, none = [[3.0]] * stages, [[0.0]] * stages
        return play(
            SCHEDULES["1f1b"],
            stages=stages,
            virtual=1,
            microbatches=microbatches,
            forward=ones,
            backward=threes,
            weight=none,
            transfer=[message] * stages,
            overlapped=False,
        ).total_s

    waits = twin(stages, microbatches, 1.0, 3.0, 0.02) - twin(stages, microbatches, 1.0, 3.0, 0.0)
    assert twin(stages, microbatches, 1.0, 3.0, 0.0) == pytest.approx(played(0.0))
    # While the pipeline fills and drains there is one way alone, which counts as two.
    assert waits <= played(0.04) - played(0.0) <= 1.13 * waits
    assert played(0.02) - played(0.0) < 0.6 * waits
