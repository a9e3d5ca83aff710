"""Interleaved 1F1B: several model chunks per stage, for a smaller bubble and more transfers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from simulator.pipeline.slot import Route, Slot, alternate, looping
from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class Interleaved:
    """1F1B over model chunks: microbatches advance in groups of as many as there are stages, each group through one chunk after another.

    The microbatches must be a multiple of the stages: the first microbatch of a group is back at the first stage, ready for the next
    chunk, exactly when the group's last one has left it; a shorter group would leave every stage waiting at each chunk, and Megatron-LM
    refuses it.

    Source: Narayanan et al. 2021, arXiv:2104.04473, section 2.2.2; order and warm-up (2 · (stages − 1 − stage) + (virtual − 1) · stages
    forwards) as in Megatron-LM, megatron/core/pipeline_parallel/schedules.py.
    """

    kind: Literal["interleaved"] = "interleaved"
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
        require(
            stages >= 2 and virtual >= 2,
            f"an interleaved schedule of {stages} stages with {virtual} chunks each",
            "it needs at least 2 of both; write schedule: 1f1b",
        )
        below = microbatches // stages * stages
        nearest = f"{below} or {below + stages}" if below else f"{stages}"
        require(
            microbatches >= 1 and microbatches % stages == 0,
            f"{microbatches} microbatches are not a multiple of {stages} pipeline stages, as the interleaved schedule needs",
            f"{nearest} microbatches would do, or schedule: 1f1b",
        )

    def routes(self, stages: int, virtual: int) -> tuple[Route, ...]:
        """The ways that microbatches go."""
        return looping(stages, virtual)

    def order(self, stage: int, stages: int, virtual: int, microbatches: int) -> tuple[Slot, ...]:
        """What one stage does, in order."""
        walk = [(group + index, chunk) for group in range(0, microbatches, stages) for chunk in range(virtual) for index in range(stages)]
        forwards = [Slot(stage, microbatch, chunk, "forward") for microbatch, chunk in walk]
        backwards = [Slot(stage, microbatch, virtual - 1 - chunk, "backward") for microbatch, chunk in walk]
        return alternate(forwards, backwards, self._warmup(stage, stages, virtual, microbatches))

    def in_flight(self, stage: int, stages: int, virtual: int, microbatches: int) -> int:
        """Microbatches times chunks whose activations one stage holds at its peak; each is 1/virtual of the stage's layers."""
        return min(self._warmup(stage, stages, virtual, microbatches) + 1, microbatches * virtual)

    def period(self, stages: int) -> tuple[int, int]:
        """Microbatches after which the order repeats, and in how many stretches."""
        return stages, 1

    def _warmup(self, stage: int, stages: int, virtual: int, microbatches: int) -> int:
        return min(2 * (stages - 1 - stage) + (virtual - 1) * stages, microbatches * virtual)
