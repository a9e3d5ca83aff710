"""What a published row measured: the one place that reads its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.model import model_flop
from simulator.parallelism import Layout
from simulator.step import Job, executed_flop

GIB = 2.0**30


@dataclass(frozen=True, kw_only=True)
class Peak:
    """Device memory at its peak.

    Args:
        size: of one rank [B].
        without: the parts of a prediction that the figure does not hold.
        stage: of that rank; of the worst one where absent.
    """

    size: float
    without: tuple[str, ...]
    stage: int | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Results of one run.

    Args:
        seconds: of one step; absent where no rate is printed.
        peak: absent where no memory is printed.
        fitted: whether it ran in its memory, where that was the question.
    """

    seconds: float | None = None
    peak: Peak | None = None
    fitted: bool | None = None


ALLOCATED, RESERVED = ("workspace", "fragmentation"), ("workspace",)
"""Parts of a predicted peak that a count of allocated (reserved) memory leaves out: libraries and contexts, and what the cache keeps."""


def measured(row: Mapping[str, Any], job: Job, layout: Layout) -> Measured:
    """The results of a row in the format of published runs."""
    return Measured(seconds=_seconds(row, job, layout), peak=_peak(row), fitted=outcome(row))


def outcome(row: Mapping[str, Any]) -> bool | None:
    """Whether the run fitted into memory; None where it says neither."""
    return {"fits": True, "fit": True, "ok": True, "oom": False}.get(str(row.get("outcome", "")).lower())


def _seconds(row: Mapping[str, Any], job: Job, layout: Layout) -> float | None:
    """Step time as printed; else from tokens or samples per second; else as derived by whoever wrote the row; else from its FLOP rate."""
    printed = row.get("measured") or {}
    tokens, accelerators = float(job.sequence * job.global_batch), float(layout.accelerators)
    model = model_flop(job.model, job.sequence).total * tokens / accelerators
    hardware = executed_flop(job, layout).total * tokens / accelerators
    peak = max((float(rate) for rate in (row.get("hardware") or {}).get("peak_tflops", {}).values()), default=0.0)
    peak = float(((row.get("hardware") or {}).get("peak_tflops") or {}).get(job.precision) or peak)
    rates: tuple[tuple[Any, float], ...] = (
        (printed.get("tokens_per_s"), tokens),
        (printed.get("tokens_per_s_per_gpu"), tokens / accelerators),
        (printed.get("samples_per_s"), float(job.global_batch)),
        (printed.get("samples_per_s_per_gpu"), job.global_batch / accelerators),
    )
    flop: tuple[tuple[Any, float], ...] = (
        (printed.get("tflops_per_gpu_hardware"), hardware / 1e12),
        (printed.get("tflops_per_gpu_model"), model / 1e12),
        (printed.get("hfu_pct"), hardware / (peak * 1e10) if peak else 0.0),
        (printed.get("mfu_pct"), model / (peak * 1e10) if peak else 0.0),
    )
    times = [printed.get("iteration_time_s"), *(work / float(rate) for rate, work in rates if rate), row.get("iteration_time_s_derived")]
    times += [work / float(rate) for rate, work in flop if rate and work]
    return next((float(time) for time in times if time), None)


def _peak(row: Mapping[str, Any]) -> Peak | None:
    """The printed peak. "GB" is taken as 2^30 bytes, as PyTorch's logs divide; unless it says allocated, the allocator's reserve."""
    printed = row.get("measured") or {}
    for key, without in (
        ("memory_allocated_GiB", ALLOCATED),
        ("memory_reserved_GiB", RESERVED),
        ("memory_peak_GiB", RESERVED),
        ("memory_peak_GB", ALLOCATED if row.get("source") == "zero-bubble" else RESERVED),
    ):
        if printed.get(key):
            return Peak(size=float(printed[key]) * GIB, without=without)
    return None
