"""One optimizer step of one phase on one size of the fleet, priced."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.outcome import Bar, GroupTraffic, MemoryUse, StepTime, Term
from simulator.parallelism import Layout


@dataclass(frozen=True, kw_only=True)
class PricedStep:
    """One optimizer step of one phase on one size of the fleet; `layout` and `memory` are None where a given step needs none.

    Args:
        batch_share: of the phase's batch that the step accepts: below 1 where replicas are missing and the others keep their own share.
    """

    layout: Layout | None
    time: StepTime
    memory: MemoryUse | None
    accelerators_used: int
    batch_share: float = 1.0
    bars: tuple[Bar, ...] = ()
    traffic: tuple[GroupTraffic, ...] = ()
    terms: tuple[Term, ...] = ()
    assumptions: tuple[str, ...] = ()


def scaled(step: PricedStep, factor: float, note: str, kind: str | None = None) -> PricedStep:
    """The step with every time multiplied.

    Args:
        note: says why, among its assumptions.
        kind: of the step time from then on; as it was where absent.
    """
    time = step.time
    low, high = time.interval_s
    longer = replace(
        time,
        kind=kind or time.kind,
        time_s=time.time_s * factor,
        interval_s=(low * factor, high * factor),
        parts_s={name: part * factor for name, part in time.parts_s.items()},
        model_tflops_per_accelerator=time.model_tflops_per_accelerator / factor,
        mfu=time.mfu / factor,
        mfu_causal=None if time.mfu_causal is None else time.mfu_causal / factor,
        hfu=time.hfu / factor,
        tokens_per_s=time.tokens_per_s / factor,
    )
    return replace(step, time=longer, assumptions=(note, *step.assumptions))
