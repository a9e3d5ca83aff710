"""One cell of a pipeline schedule, and what it waits for. Knows an order and no clock."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple, get_args

from simulator.spec import require

Phase = Literal["forward", "backward", "input", "weight", "joint_forward", "joint_backward"]

PHASES: tuple[Phase, ...] = get_args(Phase)
FORWARD = ("forward", "joint_forward")


class Slot(NamedTuple):
    """One microbatch passes one model chunk of one stage, in one direction.

    A backward pass is one slot, or two: the gradient of the input, for which the stage before waits, and that of the weights, for which
    nobody does. A joint forward runs beside the joint backward that comes next on its stage: both start when both can and end together.
    """

    stage: int
    microbatch: int
    chunk: int
    phase: Phase


Route = tuple[tuple[int, int], ...]
"""The way of a microbatch: (stage, chunk) from the first part of the model to the last."""


@lru_cache
def looping(stages: int, virtual: int) -> tuple[Route, ...]:
    """One way, around the stages once per chunk: chunk c of stage s is the model's part c · stages + s."""
    return (tuple((stage, chunk) for chunk in range(virtual) for stage in range(stages)),)


def predecessor(slot: Slot, routes: tuple[Route, ...]) -> Slot | None:
    """The slot whose output this one needs, of the same phase; None where the data starts (the first part forward, the last backward), and
    for gradients of weights. That a backward needs its own forward, and a weight gradient its own backward, is kept by the order on the
    stage itself.
    """
    route = next(route for route in routes if (slot.stage, slot.chunk) in route)
    part = route.index((slot.stage, slot.chunk)) + (-1 if slot.phase in FORWARD else 1)
    if slot.phase == "weight" or not 0 <= part < len(route):
        return None
    stage, chunk = route[part]
    return Slot(stage, slot.microbatch, chunk, slot.phase)


def alternate(forwards: list[Slot], backwards: list[Slot], warmup: int) -> tuple[Slot, ...]:
    """`warmup` forwards, then one forward and one backward in turn, then the backwards that are left."""
    steady = [slot for pair in zip(forwards[warmup:], backwards, strict=False) for slot in pair]
    return (*forwards[:warmup], *steady, *backwards[len(forwards) - warmup :])


def delay_weights(stage: int, microbatches: int, warmup: int, lag: int) -> tuple[Slot, ...]:
    """1F1B with split backward passes: gradients of weights follow `lag` microbatches behind those of the input, and fill the end."""
    order = [Slot(stage, index, 0, "forward") for index in range(min(warmup, microbatches))]
    for index in range(microbatches + lag):
        if warmup + index < microbatches:
            order.append(Slot(stage, warmup + index, 0, "forward"))
        if index < microbatches:
            order.append(Slot(stage, index, 0, "input"))
        if lag <= index:
            order.append(Slot(stage, index - lag, 0, "weight"))
    return tuple(order)


def require_plain(kind: str, stages: int, virtual: int, microbatches: int) -> None:
    """Refuse counts below one, and model chunks for a schedule that has none.

    Raises:
        MendableError: with the mend.
    """
    require(
        stages >= 1 and microbatches >= 1, f"a pipeline of {stages} stages and {microbatches} microbatches", "at least 1 of each is needed"
    )
    require(virtual == 1, f"the {kind} schedule has one model chunk per stage, not {virtual}", "write schedule: interleaved")
