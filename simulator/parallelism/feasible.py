"""Whether the degrees of a layout divide what they are to divide, and the nearest change that would."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from simulator.errors import MendableError
from simulator.model import Transformer
from simulator.outcome import Infeasible
from simulator.parallelism.groups import splits
from simulator.parallelism.layout import Layout
from simulator.pipeline import SCHEDULES


def divisibility(
    layout: Layout, model: Transformer, *, global_batch: int, accelerators: int, sequence: int | None = None
) -> Infeasible | None:
    """The first reason why a layout cannot split this model and batch over these accelerators, with the nearest that would do; or None.

    Args:
        global_batch: sequences per step.
        accelerators: available; a layout may use fewer.
        sequence: [tokens]; the model's own where absent.
    """
    tensor, pipeline, data = layout.tensor, layout.pipeline, layout.data
    sequence = sequence or model.sequence
    kv = model.key_value_heads or model.heads

    def over_tensor(degree: int) -> bool:
        return model.heads % degree == 0 and model.ffn % degree == 0 and (kv % degree == 0 or degree % kv == 0)

    if not over_tensor(tensor):
        what = f"tensor {tensor} does not divide {model.heads} heads ({kv} of keys and values) and the feed-forward width {model.ffn}"
        return _infeasible(what, "tensor", tensor, over_tensor, range(1, model.heads + 1))
    if layout.stage_layers is not None:
        if sum(layout.stage_layers) != model.layers:
            what = f"stage_layers has {sum(layout.stage_layers)} layers, the model has {model.layers}"
            return Infeasible(reason=what, mend="write numbers that add up to the layers of the model, or leave stage_layers out")
    elif not splits(model.layers, pipeline * layout.virtual):
        chunks = f"pipeline {pipeline}" + (f" x virtual {layout.virtual}" if layout.virtual > 1 else "")
        what = f"{model.layers} layers do not split over {chunks} (one less on the first or last chunk is allowed)"
        return _infeasible(what, "pipeline", pipeline, lambda p: splits(model.layers, p * layout.virtual), range(1, model.layers + 1))
    pieces = layout.context * (2 if layout.context > 1 else 1) * (tensor if layout.sequence_parallel else 1)
    if sequence % pieces:
        what = f"a sequence of {sequence} tokens does not split into {pieces} pieces (2 x context for balance, tensor if sequence_parallel)"
        return _infeasible(what, "context", layout.context, lambda c: sequence % (pieces // layout.context * c) == 0, range(1, 65))
    experts = model.experts
    if layout.expert > 1 and (experts is None or experts.count % layout.expert):
        held = f"{experts.count} experts" if experts else "a model without experts"
        divisors = range(1, experts.count + 1) if experts else range(1, 2)
        count = experts.count if experts else 1
        return _infeasible(f"expert {layout.expert} does not divide {held}", "expert", layout.expert, lambda e: count % e == 0, divisors)
    inside = tensor * layout.context * data
    expert_tensor = layout.expert_tensor or tensor
    if experts is not None and inside % (layout.expert * expert_tensor):
        what = f"tensor x context x data = {inside} is not a multiple of expert {layout.expert} x expert_tensor {expert_tensor}"
        return _infeasible(what, "expert", layout.expert, lambda e: inside % (e * expert_tensor) == 0, range(1, inside + 1))
    each = tensor * layout.context * pipeline
    most = accelerators // each

    def shares(degree: int) -> bool:
        share = degree * layout.microbatch * (pipeline if layout.schedule == "interleaved" else 1)
        return degree <= most and global_batch % share == 0

    if layout.accelerators > accelerators:
        factors = [f"tensor {tensor}", f"context {layout.context}", f"pipeline {pipeline}", f"data {data}"]
        product = " x ".join(factor for factor in factors if not factor.endswith(" 1")) or "1"
        what = f"{product} = {layout.accelerators} accelerators, the cluster has {accelerators}"
        if not most:
            return Infeasible(reason=what, mend=f"tensor x context x pipeline alone is {each}: lower one of them")
        return _infeasible(what, "data", data, shares, range(1, most + 1))
    if global_batch % (data * layout.microbatch):
        what = f"a global batch of {global_batch} sequences does not split over data {data} x microbatch {layout.microbatch}"
        return _infeasible(what, "data", data, shares, range(1, most + 1))
    microbatches = global_batch // (data * layout.microbatch)
    if layout.schedule == "interleaved" and microbatches % pipeline:
        what = f"{microbatches} microbatches are not a multiple of pipeline {pipeline}, as the interleaved schedule needs"
        return _infeasible(what, "data", data, shares, range(1, most + 1), otherwise="write schedule: 1f1b, virtual: 1")
    try:
        SCHEDULES[layout.schedule].check(pipeline, layout.virtual, microbatches)
    except MendableError as error:
        return Infeasible(reason=error.what, mend=error.mend)
    return None


def _infeasible(
    what: str, name: str, value: int, allowed: Callable[[int], bool], choices: Iterable[int], otherwise: str = "lower the microbatch"
) -> Infeasible:
    """A reason with the allowed value nearest to the one asked for (the smaller of two equally near)."""
    nearest = min((choice for choice in choices if allowed(choice)), key=lambda choice: (abs(choice - value), choice), default=None)
    return Infeasible(reason=what, mend=otherwise if nearest is None else f"{name}: {nearest} would do")
