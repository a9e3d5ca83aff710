"""GPipe: all forwards, then all backwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from simulator.pipeline.slot import Route, Slot, looping, require_plain


@dataclass(frozen=True, kw_only=True)
class GPipe:
    """All microbatches go forward, then all come back, the last one first; every one is in flight at the turn.

    Source: Huang et al. 2019, arXiv:1811.06965, section 2.3.
    """

    kind: Literal["gpipe"] = "gpipe"
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
        return (*forwards, *(Slot(stage, index, 0, "backward") for index in reversed(range(microbatches))))

    def in_flight(self, stage: int, stages: int, virtual: int, microbatches: int) -> int:
        """Microbatches whose activations one stage holds at its peak."""
        return microbatches

    def period(self, stages: int) -> tuple[int, int]:
        """Microbatches after which the order repeats, and in how many stretches: the forwards and the backwards."""
        return 1, 2
