"""Device memory of the worst rank at its peak, part by part; whether it fits, and what would."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

from simulator import units
from simulator.model import Transformer, head_size, layer_parameters, products
from simulator.outcome import Infeasible, MemoryUse
from simulator.parallelism import Layout, changed, divisibility, held_layers
from simulator.parallelism.groups import splits
from simulator.pipeline import SCHEDULES
from simulator.step.chunks import held_dense, mixed
from simulator.step.job import Job, Machines

_WIDE = {"fp32": 4, "tf32": 4}
"""Bytes of a weight and of an activation where they are not 2.

Assumes: fp8 runs keep 16-bit weights and activations and cast them on the way into each product.
"""


_AHEAD = 25
"""Layers that a host is ahead of its device at most: 1 024 launches wait, of which a tensor-parallel layer makes about 40 in eager PyTorch.

Source: counted in huggingface/nanotron at c2528430, src/nanotron/models/llama.py, with events of collectives. # Assumes: the host is fast
enough to be that far ahead; where layers are small it is not.
"""


def memory_use(job: Job, layout: Layout, machines: Machines, known: KnownKinds | None = None) -> MemoryUse:
    """Memory of the worst rank at its peak: the start of a backward pass while the most microbatches are in flight [B].

    Args:
        job: model, sequence, batch, precision, software.
        layout: degrees; they must divide the model and the batch (see `parallelism.divisibility`).
        machines: whose accelerators have how much.
        known: layers counted before for the same job, which layouts share; filled on the way.

    Raises:
        MendableError: the layers do not split over the pipeline.

    Accuracy: what Megatron-LM allocates within 3 % in the median and 8 % at worst on the rows its terms were worked out on; right about
        what fits in 96 of 100 layouts of LLaMA 30B and 65B that were held out. On nanotron and torchtitan, also held out, within 8 % in the
        median and 22 % at worst (tests/validation/test_memory.py).
        # Assumes: routed tokens are spread evenly over the experts, as a balancing loss makes them.
    Source: Korthikanti et al. 2022, arXiv:2205.05198, section 4 (activations); Rajbhandari et al. 2020, arXiv:1910.02054, sections 3 and 5
        (16-bit weights, Adam's states, sharding); Narayanan et al. 2021, arXiv:2104.04473, section 2.2 (microbatches in flight).
    """
    shared: KnownKinds = {} if known is None else known
    alike = (layout.tensor, layout.sequence_parallel, layout.expert, layout.expert_tensor, layout.recompute)
    if alike not in shared:
        shared[alike] = _kinds(job, layout)
    kinds = shared[alike]
    capacity = machines.node.accelerator.memory
    stages = (_parts(job, layout, stage, kinds, capacity) for stage in _suspects(job.model, layout))
    parts = max(stages, key=lambda each: math.fsum(each.values()))
    return MemoryUse(total_bytes=math.fsum(parts.values()), capacity_bytes=capacity, parts_bytes=parts)


def fits(memory: MemoryUse, job: Job, layout: Layout, machines: Machines) -> Infeasible | None:
    """None where the worst rank has enough memory; otherwise what is too big, by how much, and the nearest layout that would fit.

    Nearest: the fewest fields changed; among equally few, what costs least time (see `_changes`). The change named was computed to fit.
    """
    if memory.total_bytes <= memory.capacity_bytes:
        return None
    shown = [f"{name} {units.format(size, 'data', 3)}" for name, size in sorted(memory.parts_bytes.items(), key=lambda item: -item[1])[:3]]
    total, capacity = (units.format(size, "data", 3) for size in (memory.total_bytes, memory.capacity_bytes))
    over = units.format(memory.total_bytes - memory.capacity_bytes, "data", 3)
    reason = f"the worst rank needs {total} of memory and has {capacity}: {over} too much (mostly {', '.join(shown)})"
    for count in (1, 2, 3):
        for change in _changes(job, layout, machines, count):
            tried = changed(layout, **change)
            if divisibility(tried, job.model, global_batch=job.global_batch, accelerators=machines.accelerators, sequence=job.sequence):
                continue
            use = memory_use(job, tried, machines)
            room = host_memory(job, tried, machines) <= (machines.node.host_memory or math.inf)
            if use.total_bytes <= memory.capacity_bytes and room:
                told = {**change, "stage_layers": None} if tried.stage_layers != layout.stage_layers else change
                written = ", ".join(f"{name}: {_written(value)}" for name, value in told.items())
                return Infeasible(reason=reason, mend=f"{written} would fit ({units.format(use.total_bytes, 'data', 3)})")
    return Infeasible(reason=reason, mend="no layout of these accelerators near this one fits: take more of them, or larger ones")


def _written(value: Any) -> str:
    return "null" if value is None else f"[{', '.join(value)}]" if isinstance(value, tuple) else str(value).lower()


def _changes(job: Job, layout: Layout, machines: Machines, count: int) -> Iterator[Mapping[str, Any]]:
    """Changes of `count` fields that save memory, roughly by what they cost in time; data follows tensor and pipeline."""
    domain = machines.node.scale_up.domain or machines.node.accelerators
    weaker = {"none": 0, "selective": 1, "full": 2}[layout.recompute]
    stronger = ("full",) if job.software.fused_attention and weaker == 0 else ("selective", "full")[weaker:]
    choices: dict[str, list[Any]] = {
        "sharding": ["zero1"]
        if layout.sharding == "none" and layout.data * layout.context > 1 and "zero1" in job.software.shardings
        else [],
        "sequence_parallel": [True] if layout.tensor > 1 and not layout.sequence_parallel and job.software.year >= 2022 else [],
        "microbatch": [size for size in range(layout.microbatch - 1, 0, -1) if layout.microbatch % size == 0],
        "recompute": [kind for kind in stronger if kind in job.software.recomputes],
        "recompute_layers": [None] if layout.recompute_layers else [],
        "offload": [("optimizer",)] if not layout.offload and machines.node.host_link and machines.node.host_bandwidth else [],
        "tensor": [layout.tensor * 2**power for power in range(1, 7) if layout.tensor * 2**power <= domain],
        "pipeline": [
            stages
            for stages in range(layout.pipeline + 1, job.model.layers + 1)
            if stages % layout.pipeline == 0 and splits(job.model.layers, stages * layout.virtual)
        ],
    }
    for names in combinations(choices, count):
        for values in product(*(choices[name] for name in names)):
            change = dict(zip(names, values, strict=True))
            each = change.get("tensor", layout.tensor) * layout.context * change.get("pipeline", layout.pipeline)
            if each > machines.accelerators:
                continue
            if each * layout.data > machines.accelerators:
                change["data"] = machines.accelerators // each
                while job.global_batch % (change["data"] * change.get("microbatch", layout.microbatch)) and change["data"] > 1:
                    change["data"] -= 1
            yield change


def _suspects(model: Transformer, layout: Layout) -> list[int]:
    """The stages one of which is the worst: the first (most in flight), the last (logits), and the first of each kind of layer between."""
    if layout.schedule in ("zb_v", "dualpipe"):
        return list(range(layout.pipeline))
    experts = model.experts
    boundary = experts.first_dense * layout.pipeline * layout.virtual // model.layers % layout.pipeline if experts else 0
    kinds = max(2, experts.every if experts else 0)  # as many stages in a row hold every number of layers with experts
    suspects = (*range(kinds), *range(boundary, boundary + kinds), layout.pipeline - 1)
    return sorted({stage for stage in suspects if stage < layout.pipeline})


def rank_memory(job: Job, layout: Layout, stage: int, capacity: float = math.inf) -> dict[str, float]:
    """Memory of the ranks of one pipeline stage at their peak, by part [B]; see `memory_use`."""
    return _parts(job, layout, stage, _kinds(job, layout), capacity)


def _parts(job: Job, layout: Layout, stage: int, kinds: Mapping[bool, _Kind], capacity: float) -> dict[str, float]:
    model, software = job.model, job.software
    wide = _WIDE.get(job.precision, 2)
    routes = SCHEDULES[layout.schedule].routes(layout.pipeline, layout.virtual)
    first, last = any(route[0][0] == stage for route in routes), any(route[-1][0] == stage for route in routes)
    layers = _layers(job, layout, stage, kinds)
    embeddings = (first + last - (first and last and model.tied_embeddings)) * model.vocabulary * model.hidden / layout.tensor
    positions = job.sequence * model.hidden if first and model.positions == "learned" else 0
    weights, gradients, optimizer = _states(job, layout, layers, embeddings + positions)

    tokens = layout.microbatch * job.sequence / layout.context
    microbatches = job.global_batch // (layout.data * layout.microbatch)
    held: float = SCHEDULES[layout.schedule].in_flight(stage, layout.pipeline, layout.virtual, microbatches)
    held /= layout.virtual * SCHEDULES[layout.schedule].copies
    inputs = wide * model.hidden / _split(layout)
    full = layout.recompute == "full"
    sizes = held_layers(layout, model.layers, job.output_layers)[stage]
    share = sum(map(layout.computed_again, sizes)) / max(sum(sizes), 1)  # Assumes: of layers of either kind alike
    kept = working = 0.0
    away = "activations" in layout.offload
    for kind, count in layers:
        # What lies with the host is on the device for the layer at work and the one that comes next.
        kept += (min(held * count, 2.0) if away else held * count) * (share * inputs + (1 - share) * kind.kept)
        # What is computed again lives beside all that is kept, one layer at a time.
        working = max(working, kind.backward + (kind.kept if full else kind.dropped))
    logits = 0.0
    if last:
        # Logits in 16 bit and their fp32 copy; the softmax in a second copy unless it is fused; without a parallel loss every tensor rank
        # holds them all, and the gradients of copy and logits too.
        split = layout.tensor if software.parallel_loss else 1
        counted = wide + 4 if software.fused_loss else wide + 8 if software.parallel_loss else 2 * wide + 16
        told = software.split_loss_bytes if layout.tensor > 1 and software.split_loss_bytes else software.loss_bytes
        logits = (counted if told is None else told) * model.vocabulary / split
        logits += 2 * inputs
    activations = tokens * (kept + max(working, logits))

    sent = tokens * wide * model.hidden
    buffers = 2 * sent if layout.sequence_parallel and layout.tensor > 1 else 0.0  # inputs and gradients gathered from the tensor ranks
    buffers += 2 * sent / _split(layout) if layout.pipeline > 1 else 0.0  # one message from each neighbour
    # Each product of a backward pass writes its weight gradient in the matrix precision before it is added to the kept one; the experts of
    # a layer, one after the other, into the same place.
    buffers += wide * max(kind.plain + kind.experts / kind.local_experts for kind, _ in layers)
    if layout.sharding == "zero3":
        # The layer at work and the next one, gathered; embeddings stay gathered from forward to backward.
        buffers += wide * (2 * max(kind.plain + kind.experts for kind, _ in layers) + embeddings)
    if software.reduction == "copies":
        one = tokens * sum(count * (share * inputs + (1 - share) * kind.kept) for kind, count in layers) / layout.virtual
        buffers, activations = _copied(layout, buffers, activations, one, _parameters(layers, embeddings + positions))
    elif software.casts(job.precision):
        # The 16-bit gradients of a backward pass stay until the next one begins.
        stays = (buffers + wide * _parameters(layers, embeddings + positions), tokens * kept)
        buffers, activations = max((buffers, activations), stays, key=sum)
    allocated = weights + gradients + optimizer + activations + buffers
    # The allocator takes no more than there is: where it runs out it waits for the device, and gives back what is free.
    room = max(capacity - software.fragmentation * allocated - software.workspace, 0.0)
    return {
        "weights": weights,
        "gradients": gradients,
        "optimizer": optimizer,
        "activations": activations,
        "buffers": buffers,
        "workspace": software.workspace,
        "fragmentation": (software.fragmentation - 1) * allocated + min(_sent(job, layout, layers), room),
    }


def _sent(job: Job, layout: Layout, layers: list[tuple[_Kind, int]]) -> float:
    """Reserved beside what is allocated, as the host is ahead of the device: two sums of each layer that went to the tensor ranks [B].

    Source: PyTorch, documentation of `Tensor.record_stream`, and torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp (collective).
    """
    if not job.software.keeps_sent or layout.tensor == 1:
        return 0.0
    once = sum(count for _, count in layers) / layout.virtual
    whole = layout.microbatch * job.sequence / layout.context * _WIDE.get(job.precision, 2) * job.model.hidden
    return 2.0 * whole * min(once, _AHEAD)


@dataclass(frozen=True)
class _Kind:
    """One dense layer or one with experts, on one rank.

    Args:
        plain, experts: parameters outside and inside the routed experts.
        local_experts: routed experts.
        kept: activations for the backward pass, per token of a microbatch [B].
        dropped: what selective recompute does not keep, likewise.
        backward: gradients that live while the layer goes backward, likewise.
    """

    plain: float
    experts: float
    local_experts: float
    kept: float
    dropped: float
    backward: float


KnownKinds = dict[Hashable, Mapping[bool, _Kind]]
"""What layouts share of their layers; see `memory_use`."""


def _kinds(job: Job, layout: Layout) -> Mapping[bool, _Kind]:
    """The layers that a model has: by whether they are dense."""
    present = (False, True) if mixed(job.model) else (job.model.experts is None,)
    return {dense: _kind(job, layout, dense) for dense in present}


def _layers(job: Job, layout: Layout, stage: int, kinds: Mapping[bool, _Kind]) -> list[tuple[_Kind, int]]:
    """The layers of one stage: kind and count, never empty."""
    chunks = held_layers(layout, job.model.layers, job.output_layers)
    held = sum(chunks[stage])
    if len(kinds) == 1:
        return [(kind, held) for kind in kinds.values()]
    dense = sum(held_dense(job.model, layout, chunks)[stage])
    return [(kinds[is_dense], count) for is_dense, count in ((True, dense), (False, held - dense)) if count] or [(kinds[False], 0)]


def _split(layout: Layout) -> int:
    """Over how many tensor ranks the activations outside the tensor-parallel blocks are split."""
    return layout.tensor if layout.sequence_parallel else 1


def _copied(layout: Layout, buffers: float, activations: float, one: float, parameters: float) -> tuple[float, float]:
    """Buffers and activations at the peak where gradients are copied to be added and reduced (`Software.reduction`) [B].

    The peak is the start of a backward pass, its end, when all its 16-bit gradients are there and its own activations are not, or the
    gathering of updated weights, when there are no activations.

    Args:
        one: activations that one microbatch keeps.

    Source: huggingface/nanotron at c2528430, src/nanotron/optim/gradient_accumulator.py (backward, get_fp32_accum_hook),
        src/nanotron/distributed.py (all_gather_coalesced: the flattened parts, and NCCL's own copy of them); DDP's 16-bit buckets.
    """
    ways = layout.data * layout.context
    buckets = 2.0 * parameters if ways > 1 and layout.sharding == "none" else 0.0
    moments = [(buffers + buckets, activations), (buckets + 2.0 * parameters, max(activations - one, 0.0))]
    if ways > 1 and layout.sharding != "none":
        moments.append((4.0 * parameters, 0.0))
    return max(moments, key=sum)


def _parameters(layers: list[tuple[_Kind, int]], ends: float) -> float:
    """On one rank, before sharding over data-parallel ranks."""
    return ends + sum(count * (kind.plain + kind.experts) for kind, count in layers)


def host_memory(job: Job, layout: Layout, machines: Machines) -> float:
    """What the ranks of a node keep in its memory, all of them as the one with most [B]; what goes to its drives is not in it."""
    if not layout.offload:
        return 0.0
    wide = _WIDE.get(job.precision, 2)
    states = 1.5 if layout.sharding == "zero3" and wide == 2 else 1.0  # there the fp32 weights count as weights while they are here
    most = 0.0
    for stage in {0, layout.pipeline - 1}:
        here, all_here = rank_memory(job, layout, stage), rank_memory(job, replace(layout, offload=()), stage)
        optimizer = states * all_here["optimizer"] if "optimizer" in layout.offload else 0.0
        most = max(most, optimizer + all_here["activations"] - here["activations"])
    return machines.node.accelerators * most


def _states(job: Job, layout: Layout, layers: list[tuple[_Kind, int]], ends: float) -> tuple[float, float, float]:
    """Weights, gradients and optimizer states on one rank, sharded as the layout says [B].

    Adam in mixed precision: fp32 master weights, first and second moment. Under zero3 the shard of the master weights is all that is kept
    (PyTorch FSDP: Zhao et al. 2023, arXiv:2304.11277); what is gathered from it is a buffer.
    """
    wide = _WIDE.get(job.precision, 2)
    plain = ends + sum(count * kind.plain for kind, count in layers)
    experts = sum(count * kind.experts for kind, count in layers)
    replicas = layout.data * layout.context
    expert_replicas = max(replicas * layout.tensor / (layout.expert * (layout.expert_tensor or layout.tensor)), 1)
    level = {"none": 0, "zero1": 1, "zero2": 2, "zero3": 3}[layout.sharding]

    def held(sharded_from: int) -> float:
        """Parameters on one rank of a state that is sharded from this level on."""
        return plain / replicas + experts / expert_replicas if level >= sharded_from else plain + experts

    gradient = job.software.gradient_size(job.precision) if wide == 2 else wide
    if layout.updates_on_host:
        return wide * held(3), gradient * held(2), 0.0  # of fp32 runs too, the weights stay to compute with
    if level == 3 or wide == 4:
        return 4 * held(3), gradient * held(2), 8 * held(1)
    return wide * held(3), gradient * held(2), 12 * held(1)


def _kind(job: Job, layout: Layout, dense: bool) -> _Kind:
    """One layer: its parameters, and what it keeps, operation by operation; in sum the equations 1 to 4 of the source for its architecture.

    Source: Korthikanti et al. 2022, section 4.1: sbh · (34 + 5 · heads · sequence ÷ hidden) with dropout, ffn = 4 · hidden, unfused scores.
    """
    model, software, split, tensor = job.model, job.software, _split(layout), layout.tensor
    latent, hidden, wide = model.latent_attention, model.hidden, _WIDE.get(job.precision, 2)
    small = layer_parameters(model, dense)
    plain, in_experts = small["norms"] + small.get("biases", 0) / tensor, 0.0
    for each in products(model, dense):
        if each.part == "experts":
            in_experts += each.k * each.n * each.count / layout.expert / (layout.expert_tensor or tensor)
        else:
            plain += each.k * each.n / (1 if each.split == "none" else tensor)
    # Around the blocks: input and output of each norm, the masks of two dropouts at a byte each.
    norms = 1 if model.parallel_blocks else 2
    around = norms * 2 * wide * hidden + (2 * hidden if software.dropout else 0)
    gathered = norms * wide * hidden * (1 - 1 / split) if software.keeps_gathered else 0.0
    if model.norm == "rms" and not software.fused_norm:
        around += norms * 8 * hidden  # the fp32 copy and its normalised form
    if latent is not None:
        around += wide * ((latent.query_rank or 0) + latent.key_value_rank + latent.rotary_head)
    # Attention: queries, keys, values, and what goes into the output projection.
    score, value = (head_size(model),) * 2 if latent is None else (head_size(model) + latent.rotary_head, latent.value_head)
    kv = model.heads if latent is not None else model.key_value_heads or model.heads
    attention = wide * (model.heads + kv) * (score + value)
    scores = 0.0
    if software.fused_attention:
        attention += 4 * model.heads  # the sum of each row's exponentials
        if software.keeps_projection and kv == model.heads:
            attention += wide * (kv * score + kv * value)  # of the product as it came; attention has keys and values of its own
    else:
        softmax = wide if software.fused_softmax else wide + 4
        scores = model.heads * job.sequence * (softmax + (wide + 1 if software.dropout else 0)) / tensor
    # Feed-forward: input of the activation (twice as wide with a gate), its output, and the gate's own output where kernels are not fused.
    inner, routed = _feed_forward(model, layout, dense)
    widths = 2 if not model.gated else 3 if software.fused_elementwise else 4
    kept = gathered + (around + wide * routed) / split + attention / tensor + wide * widths * inner
    dropped = scores if layout.recompute == "selective" else 0.0
    if layout.recompute == "selective" and software.selective == "operations":
        # The layer's input, queries, values, attention with its sums and one matrix up stay; the rest is computed again. The output of the
        # matrix down is named, too, but nothing backward reads it: only eager checkpoints keep it all the same.
        named = 1 if software.fused_elementwise else 2
        stays = wide * named * hidden / split + (wide * (2 * model.heads * value + kv * value) + 4 * model.heads) / tensor + wide * inner
        dropped = max(kept + scores - stays, 0.0)
    backward = wide * ((3 if model.gated else 2) * inner + 2 * hidden / split)
    return _Kind(
        plain=plain,
        experts=in_experts,
        local_experts=model.experts.count / layout.expert if in_experts and model.experts else 1.0,
        kept=kept + scores - dropped,
        dropped=dropped,
        backward=backward,
    )


def kept_bytes(job: Job, layout: Layout, dense: bool) -> float:
    """Activations that one layer keeps for its backward pass, per token of a microbatch [B]."""
    if layout.recompute == "full":
        return _WIDE.get(job.precision, 2) * job.model.hidden / _split(layout)
    return _kind(job, layout, dense).kept


def _feed_forward(model: Transformer, layout: Layout, dense: bool) -> tuple[float, float]:
    """Inner feed-forward width on one rank, and the width that routing adds: inputs as sent to the experts, outputs as they come back."""
    experts = model.experts
    if experts is None or dense:
        return model.ffn / layout.tensor, 0.0
    shared = experts.shared * (experts.shared_ffn or experts.ffn)
    return (experts.active * experts.ffn + shared) / layout.tensor, 2.0 * experts.active * model.hidden
