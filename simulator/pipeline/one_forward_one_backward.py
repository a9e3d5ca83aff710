"""1F1B: a backward as soon as there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from simulator.pipeline.slot import Route, Slot, alternate, looping, require_plain


@dataclass(frozen=True, kw_only=True)
class OneForwardOneBackward:
    """Each stage warms up with one forward per stage after it, then alternates: stage s holds at most stages − s microbatches.

    Source: Narayanan et al. 2021 (PipeDream-Flush), arXiv:2104.04473, section 2.2.1.
    """

    kind: Literal["1f1b"] = "1f1b"
    slots: ClassVar[int] = 2
    """Per microbatch and chunk, where it repeats."""
    staggered: ClassVar[bool] = False
    """A stage begins the next step on its own, without waiting for the others."""
    copies: ClassVar[int] = 1
    """Of the model; each serves its share of the microbatches."""

    def check(self, stages: int, virtual: int, microbatches: int) -> None:
        """Refuse counts that this schedule cannot run.

        Raises:
            MendableError: with the mend.
        """
        require_plain(self.kind, stages, virtual, microbatches)

    def routes(self, stages: int, virtual: int) -> tuple[Route, ...]:
        """The ways that microbatches go."""
        return looping(stages, virtual)

    def order(self, stage: int, stages: int, virtual: int, microbatches: int) -> tuple[Slot, ...]:
        """What one stage does, in order."""
        forwards = [Slot(stage, index, 0, "forward") for index in range(microbatches)]
        backwards = [Slot(stage, index, 0, "backward") for index in range(microbatches)]
        return alternate(forwards, backwards, min(stages - 1 - stage, microbatches))

    def in_flight(self, stage: int, stages: int, virtual: int, microbatches: int) -> int:
        """Microbatches whose activations one stage holds at its peak."""
        return min(stages - stage, microbatches)

    def period(self, stages: int) -> tuple[int, int]:
        """Microbatches after which the order repeats, and in how many stretches."""
        return 1, 1
