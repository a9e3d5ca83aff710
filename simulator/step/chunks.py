"""Of the layers of each chunk: which have experts, and which are computed again."""

from __future__ import annotations

from simulator.model import FlopPerToken, Transformer, dense_layers, hardware_flop
from simulator.parallelism import Layout, held_layers
from simulator.pipeline import SCHEDULES
from simulator.step.job import Job

Held = tuple[tuple[int, ...], ...]
"""A number of layers for each chunk of each stage, first by stage, then by chunk."""


def mixed(model: Transformer) -> bool:
    """Whether some layers have experts and some have not."""
    return 0 < dense_layers(model) < model.layers


def held_dense(model: Transformer, layout: Layout, held: Held) -> Held:
    """Of the layers that each chunk holds, those with a dense feed-forward block: all of them without experts."""
    if not mixed(model):
        return held if model.experts is None else tuple((0,) * len(chunks) for chunks in held)
    dense = [[0] * len(chunks) for chunks in held]
    for route in SCHEDULES[layout.schedule].routes(layout.pipeline, layout.virtual):
        before = 0
        for stage, chunk in route:
            after = before + held[stage][chunk]
            dense[stage][chunk] = dense_layers(model, after) - dense_layers(model, before)
            before = after
    return tuple(map(tuple, dense))


def executed_flop(job: Job, layout: Layout) -> FlopPerToken:
    """FLOP per token of model and recompute."""
    sizes = [count for chunks in held_layers(layout, job.model.layers, job.output_layers) for count in chunks]
    share = sum(map(layout.computed_again, sizes)) / sum(sizes) if layout.recompute == "full" else 1.0
    return hardware_flop(job.model, job.sequence, layout.recompute, share)
