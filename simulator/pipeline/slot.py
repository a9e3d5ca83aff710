"""One cell of a pipeline schedule, and what it waits for. Knows an order and no clock."""

from __future__ import annotations

from typing import Literal, NamedTuple

from simulator.spec import require


class Slot(NamedTuple):
    """One microbatch passes one model chunk of one stage, in one direction."""

    stage: int
    microbatch: int
    chunk: int
    phase: Literal["forward", "backward"]


def predecessor(slot: Slot, stages: int, virtual: int) -> Slot | None:
    """The slot on another stage whose output this one needs; None where the data starts (the first chunk forward, the last backward).

    Chunk c of stage s is the model's part c · stages + s. That a backward needs its own forward is kept by the order on the stage itself.
    """
    part = slot.chunk * stages + slot.stage + (-1 if slot.phase == "forward" else 1)
    if not 0 <= part < stages * virtual:
        return None
    chunk, stage = divmod(part, stages)
    return Slot(stage, slot.microbatch, chunk, slot.phase)


def alternate(forwards: list[Slot], backwards: list[Slot], warmup: int) -> tuple[Slot, ...]:
    """`warmup` forwards, then one forward and one backward in turn, then the backwards that are left."""
    steady = [slot for pair in zip(forwards[warmup:], backwards, strict=False) for slot in pair]
    return (*forwards[:warmup], *steady, *backwards[len(forwards) - warmup :])


def require_plain(kind: str, stages: int, virtual: int, microbatches: int) -> None:
    """Refuse counts below one, and model chunks for a schedule that has none.

    Raises:
        MendableError: with the mend.
    """
    require(
        stages >= 1 and microbatches >= 1, f"a pipeline of {stages} stages and {microbatches} microbatches", "at least 1 of each is needed"
    )
    require(virtual == 1, f"the {kind} schedule has one model chunk per stage, not {virtual}", "write schedule: interleaved")
