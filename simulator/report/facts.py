"""The figures of one alternative as text: the rows of the table that answers the question."""

from __future__ import annotations

from collections.abc import Callable

from simulator.outcome import Alternative, Bill, Carbon, LayoutUsed, MemoryUse, RunTime, StepTime, Summary
from simulator.report.headline import others_usd, project_usd, unfinished
from simulator.report.numbers import (
    NOTHING,
    clean,
    count,
    data,
    duration_error,
    duration_interval,
    energy,
    mass,
    money,
    number,
    percent,
)


def layout_text(layout: LayoutUsed | None) -> str:
    """A layout in short: `TP8·PP12·DP1`; degrees of one, save tensor, pipeline and data, and what repeats another are left out."""
    if layout is None:
        return NOTHING
    degrees = [f"TP{layout.tensor}"]
    degrees += [f"CP{layout.context}"] if layout.context > 1 else []
    degrees += [f"PP{layout.pipeline}"]
    degrees += [f"VP{layout.virtual}"] if layout.virtual > 1 else []
    degrees += [f"EP{layout.expert}"] if layout.expert > 1 else []
    degrees += [f"ETP{layout.expert_tensor}"] if layout.expert_tensor not in (1, layout.tensor) else []
    return "·".join([*degrees, f"DP{layout.data}"])


def schedule_text(layout: LayoutUsed | None) -> str:
    """What else was chosen beside the degrees."""
    if layout is None:
        return NOTHING
    chosen = [clean(layout.schedule), f"micro-batch {layout.microbatch}", clean(layout.sharding)]
    chosen += ["sequence parallel"] if layout.sequence_parallel else []
    some = "" if layout.recompute_layers is None else f" of {layout.recompute_layers} layers of each chunk"
    return ", ".join([*chosen, f"recompute {clean(layout.recompute)}{some}"])


def step_text(step: StepTime) -> str:
    """A step's time with its prediction interval, and where it was not predicted, how it came about."""
    return duration_interval(step.time_s, *step.interval_s) + ("" if step.kind == "modelled" else f" {clean(step.kind)}")


def _carbon_text(carbon: Carbon) -> str:
    embodied = f" + {mass(carbon.embodied_kg)} embodied" if carbon.embodied_kg is not None else ""
    return f"{mass(carbon.operational_kg)}{embodied}"


def memory_text(memory: MemoryUse) -> str:
    return f"{data(memory.total_bytes)} of {data(memory.capacity_bytes)}"


def _interruptions_text(summary: Summary) -> str:
    return f"{number(summary.mean)} ({number(summary.p10)}–{number(summary.p90)})"


def _wall_clock_text(alternative: Alternative) -> str:
    if alternative.run is None:
        return NOTHING
    return _summary_text(alternative.run.wall_clock_s) + (" UNFINISHED" if unfinished(alternative) else "")


def _others_text(alternative: Alternative) -> str:
    paid = {payer: usd for payer, usd in others_usd(alternative).items() if usd}
    return ", ".join(f"{money(usd)} ({clean(payer)})" for payer, usd in paid.items()) or money(0.0)


def _held_text(alternative: Alternative) -> str:
    if alternative.accelerators is None:
        return NOTHING
    used = f"{count(alternative.accelerators_used)} / " if alternative.accelerators_used is not None else ""
    return f"{used}{count(alternative.accelerators)}"


def _of_step(text: Callable[[StepTime], str | None]) -> Callable[[Alternative], str | None]:
    return lambda a: text(a.step) if a.step else None


def _of_run(text: Callable[[RunTime], str | None]) -> Callable[[Alternative], str | None]:
    return lambda a: text(a.run) if a.run else None


def _of_bill(text: Callable[[Bill], str | None]) -> Callable[[Alternative], str | None]:
    return lambda a: text(a.bill) if a.bill else None


def _summary_text(summary: Summary) -> str:
    return duration_interval(summary.p50, summary.p10, summary.p90)


def _project_text(alternative: Alternative) -> str | None:
    usd = project_usd(alternative)
    return None if usd is None else money(usd)


FIGURES: tuple[tuple[str, Callable[[Alternative], str | None], bool], ...] = (
    ("fits", lambda a: "yes" if a.feasible else "NO", True),
    ("accelerator", lambda a: clean(a.accelerator) or None, False),
    ("accelerators used / held", _held_text, True),
    ("layout", lambda a: layout_text(a.layout) if a.layout else None, True),
    ("schedule", lambda a: schedule_text(a.layout) if a.layout else None, False),
    ("step time (90% interval)", _of_step(step_text), True),
    ("MFU / HFU", _of_step(lambda s: f"{percent(s.mfu)} / {percent(s.hfu)}"), True),
    ("MFU, causal attention", _of_step(lambda s: percent(s.mfu_causal) if s.mfu_causal is not None else None), False),
    ("model TFLOP/s each", _of_step(lambda s: number(s.model_tflops_per_accelerator)), False),
    ("tokens/s", _of_step(lambda s: number(s.tokens_per_s)), False),
    ("memory of the worst rank", lambda a: memory_text(a.memory) if a.memory else None, False),
    ("wall-clock P50 (P10–P90)", lambda a: _wall_clock_text(a) if a.run else None, True),
    ("without step-model error", _of_run(lambda r: _summary_text(w) if (w := r.wall_clock_without_step_error_s) else None), False),
    ("mean ± Monte Carlo error", _of_run(lambda r: duration_error(r.wall_clock_s.mean, r.monte_carlo_error_s)), False),
    ("did not finish", _of_run(lambda r: percent(r.p_unfinished) if r.p_unfinished else None), False),
    ("goodput", _of_run(lambda r: percent(r.goodput)), True),
    ("interruptions (P10–P90)", _of_run(lambda r: _interruptions_text(r.interruptions)), True),
    ("accelerator-hours held", _of_run(lambda r: number(r.accelerator_hours)), False),
    ("cost to the project", _project_text, True),
    ("cost to others", lambda a: _others_text(a) if a.bill else None, True),
    ("cost per million tokens", _of_bill(lambda b: None if b.usd_per_million_tokens is None else money(b.usd_per_million_tokens)), True),
    ("worth of the donation", _of_bill(lambda b: None if b.donation_worth_usd is None else money(b.donation_worth_usd)), False),
    ("energy", lambda a: energy(a.energy.total_mwh) if a.energy else None, True),
    ("carbon (CO2e)", lambda a: _carbon_text(a.carbon) if a.carbon else None, False),
)
"""Heading, text of one alternative (None where it has no such figure), whether it is shown where alternatives are rows."""
