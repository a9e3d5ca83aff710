"""Differences between alternatives on common random numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from simulator.engine import paired
from simulator.outcome import Comparison

Samples = Mapping[str, Sequence[float]]
"""Figure, by its name in the answer -> its value per replication; NaN where a replication did not finish."""


def compare(samples: Mapping[str, Samples]) -> tuple[Comparison, ...]:
    """Every feasible alternative against the first, figure by figure, over the replications that both finished."""
    names = list(samples)
    found = (_compared(name, names[0], figure, samples) for name in names[1:] for figure in samples[name])
    return tuple(comparison for comparison in found if comparison is not None)


def _compared(a: str, b: str, figure: str, samples: Mapping[str, Samples]) -> Comparison | None:
    both = [(x, y) for x, y in zip(samples[a][figure], samples[b][figure], strict=True) if math.isfinite(x - y)]
    if not both:
        return None
    found = paired([x for x, _ in both], [y for _, y in both])
    return Comparison(
        a=a,
        b=b,
        quantity=figure,
        difference=found.difference,
        interval=found.interval,
        ratio=found.ratio,
        ratio_interval=found.ratio_interval,
    )
