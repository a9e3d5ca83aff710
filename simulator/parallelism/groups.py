"""Which ranks work together: the groups of every dimension, and the layers of every stage."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.parallelism.layout import Layout
from simulator.pipeline import SCHEDULES
from simulator.spec import require

Dimension = Literal["tensor", "context", "data", "data_context", "pipeline", "expert", "expert_tensor", "expert_data"]
"""What a group shares. `data_context`: the ranks that reduce the gradients of dense weights; `expert_data`: those of experts' weights."""


def groups(layout: Layout, dimension: Dimension) -> NDArray[np.int64]:
    """The groups of one dimension, one per row, each in the order of its dimension.

    Ranks are numbered as in Megatron-LM: tensor fastest, then context, then data, pipeline slowest. Inside a stage the experts see the same
    ranks as expert_tensor (fastest), expert, expert_data. Every rank is in exactly one group of every dimension.

    Returns:
        Ranks of shape [groups, ranks of a group].

    Raises:
        MendableError: tensor · context · data is not a multiple of expert · expert_tensor.

    Source: Megatron-LM, megatron/core/parallel_state.py, default order tp-cp-ep-dp-pp.
    """
    ranks = np.arange(layout.accelerators, dtype=np.int64)
    grid: NDArray[np.int64]
    if dimension.startswith("expert"):
        inside = layout.tensor * layout.context * layout.data
        expert_tensor = layout.expert_tensor or layout.tensor
        held = layout.expert * expert_tensor
        require(
            inside % held == 0,
            f"tensor · context · data = {inside} is not a multiple of expert · expert_tensor = {held}",
            "change expert or data",
        )
        grid = ranks.reshape(layout.pipeline, inside // held, layout.expert, expert_tensor)
        axis = {"expert_data": 1, "expert": 2, "expert_tensor": 3}[dimension]
    elif dimension == "data_context":
        grid, axis = ranks.reshape(layout.pipeline, layout.data * layout.context, layout.tensor), 1
    else:
        grid = ranks.reshape(layout.pipeline, layout.data, layout.context, layout.tensor)
        axis = {"pipeline": 0, "data": 1, "context": 2, "tensor": 3}[dimension]
    return np.ascontiguousarray(np.moveaxis(grid, axis, -1).reshape(-1, grid.shape[axis]))


@lru_cache(maxsize=1024)
def chunk_layers(layers: int, pipeline: int, virtual: int = 1) -> tuple[tuple[int, ...], ...]:
    """Layers of each chunk of each stage, first by stage, then by chunk.

    As equal as they can be. Where one is missing, the very last chunk has it less (it holds the output embedding); where two are, the very
    first one too (it holds the input embedding), perhaps left with none, as in Llama 3 (arXiv:2407.21783, section 3.3.2) and Megatron-LM's
    account_for_loss_in_pipeline_split; where more are, the last chunks, as frameworks with free splits do.

    Raises:
        MendableError: more than two chunks would have no layer.
    """
    chunks = pipeline * virtual
    each = -(-layers // chunks)
    missing = each * chunks - layers
    require(
        each > 1 or missing <= 2,
        f"{layers} layers leave chunks of pipeline {pipeline} x virtual {virtual} without any",
        f"lower them to {layers} chunks or fewer",
    )
    held = [each] * (chunks - missing) + [each - 1] * missing
    if missing == 2:
        held[0], held[-2] = each - 1, each
    return tuple(tuple(held[stage::pipeline]) for stage in range(pipeline))


def held_layers(layout: Layout, layers: int, output: float | None = None) -> tuple[tuple[int, ...], ...]:
    """Layers of each chunk of each stage where the schedule lays the model: those of the layout or `chunk_layers`, in every copy's order.

    Args:
        output: cost of the output matrix in layers, where a framework spreads layers by cost (`costed_layers`); in one chunk per stage.

    Raises:
        MendableError: see `chunk_layers`.
    """
    if (
        output is not None
        and layout.stage_layers is None
        and layout.pipeline > 1
        and layout.virtual == SCHEDULES[layout.schedule].copies == 1
    ):
        return costed_layers(layers, layout.pipeline, output)
    return _held(layout.schedule, layout.pipeline, layout.virtual, layers, layout.stage_layers)


@lru_cache(maxsize=1024)
def costed_layers(layers: int, pipeline: int, output: float) -> tuple[tuple[int, ...], ...]:
    """Layers of each stage where a stage is full once it holds more than its share of the cost of all layers and the output matrix.

    Source: huggingface/nanotron, src/nanotron/models/base.py (build_model).

    >>> costed_layers(16, 2, 4.0)
    ((11,), (5,))
    """
    held, stage, share = [0] * pipeline, 0, (layers + output) / pipeline
    for layer in range(1, layers + 1):
        held[stage] += 1
        stage += layer > share * (stage + 1)
    return tuple((count,) for count in held)


@lru_cache(maxsize=1024)
def _held(kind: str, pipeline: int, virtual: int, layers: int, told: tuple[int, ...] | None) -> tuple[tuple[int, ...], ...]:
    if told is None:
        split = chunk_layers(layers, pipeline, virtual)
        sizes = [split[stage][chunk] for chunk in range(virtual) for stage in range(pipeline)]
    else:
        sizes = list(told)
    schedule = SCHEDULES[kind]
    held = [[0] * (virtual * schedule.copies) for _ in range(pipeline)]
    for route in schedule.routes(pipeline, virtual):
        for (stage, chunk), size in zip(route, sizes, strict=True):
            held[stage][chunk] = size
    return tuple(map(tuple, held))


def ends_apart(layout: Layout) -> bool:
    """Whether input and output embedding lie on different stages."""
    routes = SCHEDULES[layout.schedule].routes(layout.pipeline, layout.virtual)
    return not {route[0][0] for route in routes} & {route[-1][0] for route in routes}


def splits(layers: int, chunks: int) -> bool:
    """Whether they split equally, or with one less in the last chunk, or in the last and the first."""
    return -layers % chunks <= min(2, chunks - 1)
