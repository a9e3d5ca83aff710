"""ZB-H1: 1F1B whose gradients of weights fill the end, within the memory of 1F1B."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from simulator.pipeline.slot import Route, Slot, delay_weights, looping, require_plain


@dataclass(frozen=True, kw_only=True)
class ZeroBubbleH1:
    """1F1B with split backward passes; the later a stage, the further behind its gradients of weights.

    Every stage holds as many microbatches as the first stage of 1F1B.

    Source: Qi et al. 2024, Zero Bubble Pipeline Parallelism, arXiv:2401.10241, section 2.1.
    """

    kind: Literal["zb_h1"] = "zb_h1"
    slots: ClassVar[int] = 3
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
        return delay_weights(stage, microbatches, warmup=stages - 1 - stage, lag=stage)

    def in_flight(self, stage: int, stages: int, virtual: int, microbatches: int) -> int:
        """Microbatches whose activations one stage holds at its peak, from their forward to their weights' gradients."""
        return min(stages, microbatches)

    def period(self, stages: int) -> tuple[int, int]:
        """Microbatches after which the order repeats, and in how many stretches."""
        return 1, 1
