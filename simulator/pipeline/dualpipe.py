"""DualPipe: microbatches from both ends through two copies of the model, each forward beside a backward of the other direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from simulator.pipeline.slot import FORWARD, Phase, Route, Slot, require_plain
from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class DualPipe:
    """Each stage holds the part of one copy that lies as far from the first end as the part of the other copy from the last.

    Half of the microbatches go each way. Backward passes are split only where the pipeline fills and drains.

    Source: DeepSeek-AI 2024, DeepSeek-V3, arXiv:2412.19437, section 3.2.1; the order as in https://github.com/deepseek-ai/DualPipe,
    dualpipe/dualpipe.py, DualPipe.step. # Assumes: a joint forward and backward take as long as both; what each hides of the other's
    exchanges is told by their durations.
    """

    kind: Literal["dualpipe"] = "dualpipe"
    slots: ClassVar[int] = 2
    """Per microbatch and chunk, where it repeats."""
    staggered: ClassVar[bool] = False
    """A stage begins the next step on its own, without waiting for the others."""
    copies: ClassVar[int] = 2
    """Of the model; each serves its share of the microbatches."""

    def check(self, stages: int, virtual: int, microbatches: int) -> None:
        """Refuse counts that this schedule cannot run.

        Raises:
            MendableError: with the mend.
        """
        require_plain(self.kind, stages, virtual, microbatches)
        require(stages % 2 == 0, f"dualpipe pairs stages, {stages} is not even", "an even number of stages, or schedule: zb_h1")
        require(
            microbatches % 2 == 0 and microbatches >= 2 * stages,
            f"dualpipe on {stages} stages needs an even number of microbatches, at least {2 * stages}, not {microbatches}",
            "a smaller microbatch, or schedule: zb_h1",
        )

    def routes(self, stages: int, virtual: int) -> tuple[Route, ...]:
        """The ways that microbatches go: through the first chunks from the first stage, through the second ones from the last."""
        return tuple((stage, 0) for stage in range(stages)), tuple((stage, 1) for stage in reversed(range(stages)))

    def order(self, stage: int, stages: int, virtual: int, microbatches: int) -> tuple[Slot, ...]:
        """What one stage does, in order."""
        half, near = microbatches // 2, min(stage, stages - 1 - stage)
        swap = stage >= stages // 2  # the near direction comes first
        inner = stages // 2 - near - 1
        done: dict[tuple[str, int], int] = {}
        waiting: list[Slot] = []
        order: list[Slot] = []

        def add(phase: Phase, way: int) -> None:
            turn = "forward" if phase in FORWARD else "backward"
            index = done.get((turn, way), 0)
            done[turn, way] = index + 1
            chunk = way ^ swap
            order.append(Slot(stage, index + chunk * half, chunk, phase))
            if phase == "input":
                waiting.append(order[-1]._replace(phase="weight"))

        def joint(ahead: int, back: int) -> None:
            add("joint_forward", ahead)
            add("joint_backward", back)

        for _ in range(2 * inner):
            add("forward", 0)
        for _ in range(near + 1):
            add("forward", 0)
            add("forward", 1)
        for _ in range(inner):
            add("input", 1)
            order.append(waiting.pop(0))
            add("forward", 1)
        for _ in range(half - stages + near + 1):
            joint(0, 1)
            joint(1, 0)
        for _ in range(inner):
            add("backward", 1)
            joint(1, 0)
        for index in range(near + 1):
            # The second half of these backward passes, in turn of the two directions, leave their weights for later.
            add("input" if 2 * index > near else "backward", 1)
            add("input" if 2 * index + 1 > near else "backward", 0)
        for _ in range(inner):
            order.append(waiting.pop(0))
            add("input", 0)
        return (*order, *waiting)

    def in_flight(self, stage: int, stages: int, virtual: int, microbatches: int) -> int:
        """Microbatches whose activations one stage holds at its peak, in either copy."""
        return stages + 1

    def period(self, stages: int) -> tuple[int, int]:
        """Microbatches after which the order repeats, and in how many stretches."""
        return 2, 1
