"""From the records of many lives to the answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.engine.life import PARTS, RunRecord
from simulator.outcome import RunTime, Summary

_SHOWN = ("productive", "checkpoint", "lost_work")
"""Parts that are shown even where they are 0."""


def summary(values: Sequence[float]) -> Summary:
    """Mean and percentiles (linear between order statistics)."""
    p10, p50, p90 = (float(p) for p in np.percentile(values, (10, 50, 90)))
    return Summary(mean=math.fsum(values) / len(values), p10=p10, p50=p50, p90=p90)


def summarise(records: Sequence[RunRecord], without_step_error: Sequence[RunRecord] = ()) -> RunTime:
    """The run over its replications.

    Args:
        records: at least one.
        without_step_error: the same replications of the same life with `step_sigma` 0, where it was not 0.
    """
    count = len(records)
    clocks = [record.wall_clock_s for record in records]
    means = {part: math.fsum(record.parts_s[part] for record in records) / count for part in PARTS}
    causes = records[0].interruptions

    def mean(told: Callable[[RunRecord], Mapping[str, float]], names: Iterable[str], each: float = 1.0) -> dict[str, float]:
        sums = {name: math.fsum(told(record).get(name, 0.0) for record in records) * each / count for name in names}
        return {name: value for name, value in sums.items() if value > 0}

    blamed = sorted({cause for record in records for cause in record.causes_s})
    hours = records[0].accelerators_per_node / 3600.0
    return RunTime(
        wall_clock_s=summary(clocks),
        parts_s={part: mean for part, mean in means.items() if mean > 0 or part in _SHOWN},
        goodput=math.fsum(record.goodput for record in records) / count,
        interruptions=summary([float(sum(record.interruptions.values())) for record in records]),
        interruptions_by_cause={cause: sum(record.interruptions[cause] for record in records) / count for cause in causes},
        accelerator_hours=math.fsum(record.accelerator_hours for record in records) / count,
        replications=count,
        p_unfinished=sum(not record.finished for record in records) / count,
        monte_carlo_error_s=float(np.std(clocks, ddof=1)) / math.sqrt(count) if count > 1 else 0.0,
        wall_clock_without_step_error_s=summary([record.wall_clock_s for record in without_step_error]) if without_step_error else None,
        accelerator_hours_by_part=mean(lambda record: record.parts_node_s, PARTS, hours),
        lost_s_by_cause=mean(lambda record: record.causes_s, blamed),
        accelerator_hours_by_cause=mean(lambda record: record.causes_node_s, blamed, hours),
    )


@dataclass(frozen=True, kw_only=True)
class Paired:
    """A difference a − b over replications with common random numbers.

    Args:
        interval: of the difference, 95 %, Student's; the difference itself twice where there is one replication.
        ratio, ratio_interval: of the means a / b, and its 95 % interval by the delta method; None where the mean of b is 0.
    """

    difference: float
    interval: tuple[float, float]
    ratio: float | None
    ratio_interval: tuple[float, float] | None


def paired(xs: Sequence[float], ys: Sequence[float]) -> Paired:
    """The mean difference x − y of a figure of two alternatives, replication by replication, with Student's 95 % interval.

    Raises:
        ValueError: not the same number of replications, or none.
    """
    difference, half = _mean_and_half_width([x - y for x, y in zip(xs, ys, strict=True)])
    below = math.fsum(ys) / len(ys)
    if not below:
        return Paired(difference=difference, interval=(difference - half, difference + half), ratio=None, ratio_interval=None)
    ratio = math.fsum(xs) / len(xs) / below
    spread = _mean_and_half_width([x - ratio * y for x, y in zip(xs, ys, strict=True)])[1] / abs(below)
    return Paired(
        difference=difference,
        interval=(difference - half, difference + half),
        ratio=ratio,
        ratio_interval=(ratio - spread, ratio + spread),
    )


def _mean_and_half_width(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half the width of its 95 % interval; 0 wide where there is one value."""
    count = len(values)
    if not count:
        raise ValueError("no replications to compare")
    mean = math.fsum(values) / count
    return mean, student_t(0.975, count - 1) * float(np.std(values, ddof=1)) / math.sqrt(count) if count > 1 else 0.0


def student_t(p: float, freedom: int) -> float:
    """The p-quantile of Student's t, p > 1/2, by bisection of its finite series.

    Source: Abramowitz and Stegun, 26.7.3 and 26.7.4.

    >>> round(student_t(0.975, 1), 3), round(student_t(0.975, 99), 3)
    (12.706, 1.984)
    """
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        angle = (low + high) / 2
        low, high = (angle, high) if _two_sided(angle, freedom) < 2 * p - 1 else (low, angle)
    return math.tan(low) * math.sqrt(freedom)


def _two_sided(angle: float, freedom: int) -> float:
    """P(|t| ≤ tan(angle)·√freedom)."""
    cos, term, total = math.cos(angle), 1.0, 0.0
    odd = freedom % 2
    if odd:
        term = cos
    for k in range(freedom // 2):
        total += term
        term *= cos * cos * ((2 * k + 2) / (2 * k + 3) if odd else (2 * k + 1) / (2 * k + 2))
    return (angle + math.sin(angle) * total) * 2 / math.pi if odd else math.sin(angle) * total
