"""A step that the scenario states, by time or by rate: bookkeeping, and every answer says so."""

from __future__ import annotations

from simulator.model import Transformer, model_flop, parameters
from simulator.outcome import StepTime, Term
from simulator.scenario.question import Given


def given_step(
    stated: Given, model: Transformer, *, sequence: int, global_batch: int, accelerators: int, peak: float
) -> tuple[StepTime, tuple[Term, ...]]:
    """The stated step as a step time with its rates, and the line that explains it.

    Args:
        sequence: [tokens]; global_batch: [sequences].
        accelerators: that work on the step.
        peak: dense peak of one accelerator in the main precision [FLOP/s].

    Accuracy: as stated; a FLOP rate counts what `flop_accounting` says (`6N` leaves attention out, as GPT-3's own table does).
    """
    tokens = float(sequence * global_batch)
    flop = model_flop(model, sequence)
    if stated.time is not None:
        seconds, formula = stated.time, "as given"
    else:
        counted = 6.0 * parameters(model).matrix if stated.flop_accounting == "6N" else flop.total
        rate = stated.flop_rate or 0.0
        seconds = counted * tokens / (rate * accelerators)
        formula = f"{counted:.6g} FLOP/token x {tokens:,.0f} tokens / ({rate:.6g} FLOP/s x {accelerators} accelerators)"
    achieved = flop.total * tokens / (seconds * accelerators)
    step = StepTime(
        kind="given",
        time_s=seconds,
        interval_s=(seconds, seconds),
        parts_s={"given": seconds},
        model_tflops_per_accelerator=achieved / 1e12,
        mfu=achieved / peak,
        hfu=achieved / peak,
        tokens_per_s=tokens / seconds,
    )
    return step, (Term(path="step.time_s", value=seconds, unit="s", formula=formula, source=stated.source),)
