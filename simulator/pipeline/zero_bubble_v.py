"""ZB-V: no bubble where forward, input and weight gradients take equally long, within the memory of 1F1B."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar, Literal

from simulator.pipeline.slot import Phase, Route, Slot
from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class ZeroBubbleV:
    """Two chunks per stage, the second on the way back: the first stage holds both ends of the model, and stages end as they began.

    Stages begin the next step on their own, as under ZB-H2.

    Source: Qi et al. 2024, Zero Bubble Pipeline Parallelism, arXiv:2401.10241, section 6 (ZB-V); the order by hand as PyTorch has it,
    torch/distributed/pipelining/schedules.py, ScheduleZBVZeroBubble.
    """

    kind: Literal["zb_v"] = "zb_v"
    slots: ClassVar[int] = 3
    """Per microbatch and chunk, where it repeats."""
    staggered: ClassVar[bool] = True
    """A stage begins the next step on its own, without waiting for the others."""
    copies: ClassVar[int] = 1
    """Of the model; each serves its share of the microbatches."""

    def check(self, stages: int, virtual: int, microbatches: int) -> None:
        """Refuse counts that this schedule cannot run.

        Raises:
            MendableError: with the mend.
        """
        require(stages >= 2 and microbatches >= 1, f"a zb_v schedule of {stages} stages and {microbatches} microbatches", "write 1f1b")
        require(virtual == 2, f"the zb_v schedule has 2 model chunks per stage, not {virtual}", "write virtual: 2")

    def routes(self, stages: int, virtual: int) -> tuple[Route, ...]:
        """The ways that microbatches go: down through the first chunks, back through the second ones."""
        return ((*((stage, 0) for stage in range(stages)), *((stage, 1) for stage in reversed(range(stages)))),)

    def order(self, stage: int, stages: int, virtual: int, microbatches: int) -> tuple[Slot, ...]:
        """What one stage does, in order."""
        done: dict[tuple[Phase, int], int] = {}
        order: list[Slot] = []

        def add(*what: tuple[Phase, int]) -> None:
            for phase, chunk in what:
                index = done.get((phase, chunk), 0)
                done[phase, chunk] = index + 1
                if index < microbatches:
                    order.append(Slot(stage, index, chunk, phase))

        # Laid out for at least as many microbatches as fill the pipeline; those that are not there are left out.
        most, later = max(microbatches, 2 * stages - 1), stages - stage
        down: tuple[tuple[Phase, int], ...] = (("input", 0), ("weight", 0))
        back: tuple[tuple[Phase, int], ...] = (("forward", 1), ("input", 1), ("weight", 1))
        for _ in range(2 * later - 1):
            add(("forward", 0))
        for _ in range(stage):
            add(("forward", 1), ("forward", 0))
        add(*back * later)
        for index in range(most - stages):
            if 2 * stages - 1 - stage + index < most:
                add(("forward", 0))
            add(*down, *back)
        for _ in range(stage):
            add(("input", 0), ("input", 1))
        add(*down * later)
        for chunk in (1, 0):
            for _ in range(stage):
                add(("weight", chunk))
        return tuple(order)

    def in_flight(self, stage: int, stages: int, virtual: int, microbatches: int) -> int:
        """Microbatches times chunks whose activations one stage holds at its peak; each is half of the stage's layers."""
        few = min(microbatches, 2 * stages)  # more add nothing
        turns = (slot.phase for slot in self.order(stage, stages, virtual, few))
        return max(accumulate({"forward": 1, "weight": -1}.get(phase, 0) for phase in turns))

    def period(self, stages: int) -> tuple[int, int]:
        """Microbatches after which the order repeats, and in how many stretches."""
        return 1, 1
