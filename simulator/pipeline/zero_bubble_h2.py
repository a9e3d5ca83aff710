"""ZB-H2: no bubble where forward, input and weight gradients take equally long, for twice the memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from simulator.pipeline.slot import Route, Slot, delay_weights, looping, require_plain


@dataclass(frozen=True, kw_only=True)
class ZeroBubbleH2:
    """ZB-H1 with twice the forwards ahead and twice the gradients of weights behind: the order of a parallelogram.

    The end is as slanted as the beginning, so a stage must begin the next step on its own: the optimizer steps at once and checks what
    stages have to agree on afterwards (the paper's post-validation).

    Source: Qi et al. 2024, Zero Bubble Pipeline Parallelism, arXiv:2401.10241, section 2.2.
    """

    kind: Literal["zb_h2"] = "zb_h2"
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
        require_plain(self.kind, stages, virtual, microbatches)

    def routes(self, stages: int, virtual: int) -> tuple[Route, ...]:
        """The ways that microbatches go."""
        return looping(stages, virtual)

    def order(self, stage: int, stages: int, virtual: int, microbatches: int) -> tuple[Slot, ...]:
        """What one stage does, in order."""
        return delay_weights(stage, microbatches, warmup=2 * (stages - 1 - stage), lag=2 * stage)

    def in_flight(self, stage: int, stages: int, virtual: int, microbatches: int) -> int:
        """Microbatches whose activations one stage holds at its peak, from their forward to their weights' gradients."""
        return min(2 * stages - 1, microbatches)

    def period(self, stages: int) -> tuple[int, int]:
        """Microbatches after which the order repeats, and in how many stretches."""
        return 1, 1
