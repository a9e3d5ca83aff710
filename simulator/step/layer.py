"""Operations of one microbatch on one rank, by part: seconds forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

from simulator.collectives import Operation
from simulator.hardware import (
    NARROW,
    Accelerator,
    fused_attention_time,
    high_precision,
    kernels_of,
    product_time,
    stream_time,
    unfused_attention_time,
)
from simulator.model import Product, Transformer, head_size, products
from simulator.parallelism import Layout
from simulator.step.job import Job

_SCATTERED = 2.5
"""What a copy of routed tokens in an order of their own takes over copying them as they lie.

Source: MooreThreads/SimuMax at HEAD of 2026-05, configs/system/b200_bf16_ceperm.json and simu_tools/efficency_test/
test_ce_permute_efficiency.py: a permutation and its reverse, 12.5 bytes per element, at 0.50 of the bandwidth of a B200; here they count
8 bytes at 0.80 of it. # Assumes: likewise on other accelerators.
"""

_ROUTING = (50, 20)
"""Small kernels of a router and its dispatch, forward and backward: choosing experts and the mask of the choice 12, the balancing loss 12,
counting tokens and telling all ranks 15, indices of the permutations 8, sums 3; backward those of the probabilities and of the loss.

Source: counting in NVIDIA/Megatron-LM core_v0.11.0, megatron/core/transformer/moe/moe_utils.py, router.py, token_dispatcher.py.
"""

PARTS = ("matrix", "attention", "memory_bound", "tensor_comm", "context_comm", "expert_comm")
"""Of the time that a rank is busy with microbatches; communication counts where nothing hides it."""

Communicate = Callable[[Operation, float, str], float]
"""Seconds of (operation, bytes, dimension), every group of that dimension at once."""


@dataclass(frozen=True)
class Lap:
    """Seconds of each of `PARTS` in one direction; laps add and scale."""

    matrix: float = 0.0
    attention: float = 0.0
    memory_bound: float = 0.0
    tensor_comm: float = 0.0
    context_comm: float = 0.0
    expert_comm: float = 0.0

    def __add__(self, other: Lap) -> Lap:
        return Lap(
            self.matrix + other.matrix,
            self.attention + other.attention,
            self.memory_bound + other.memory_bound,
            self.tensor_comm + other.tensor_comm,
            self.context_comm + other.context_comm,
            self.expert_comm + other.expert_comm,
        )

    def __mul__(self, times: float) -> Lap:
        return Lap(
            self.matrix * times,
            self.attention * times,
            self.memory_bound * times,
            self.tensor_comm * times,
            self.context_comm * times,
            self.expert_comm * times,
        )

    @cached_property
    def total(self) -> float:
        """All parts [s]."""
        return self.matrix + self.attention + self.memory_bound + self.tensor_comm + self.context_comm + self.expert_comm


@dataclass(frozen=True)
class Pass:
    """One microbatch through something, forward and backward; `weight` is what the gradients of weights take of the backward pass.

    # Assumes: where these are computed later, what hides behind them still does.
    """

    forward: Lap
    backward: Lap
    weight: Lap = Lap()

    def __add__(self, other: Pass) -> Pass:
        return Pass(self.forward + other.forward, self.backward + other.backward, self.weight + other.weight)

    def __mul__(self, times: float) -> Pass:
        return Pass(self.forward * times, self.backward * times, self.weight * times)

    @cached_property
    def total(self) -> float:
        """Forward and backward [s]."""
        return self.forward.total + self.backward.total


def layer_pass(job: Job, layout: Layout, accelerator: Accelerator, communicate: Communicate, dense: bool) -> Pass:
    """One layer on one rank; `dense` asks for a dense layer of a mixture of experts.

    Source: operations of Megatron-LM's transformer layer, counted; collectives of Shoeybi et al. 2019 (arXiv:1909.08053) and, with sequence
    parallelism, Korthikanti et al. 2022 (arXiv:2205.05198), section 4.2.
    """
    tokens = layout.microbatch * job.sequence / layout.context
    matrices = [_Matrix(job, layout, accelerator, product, tokens, dense) for product in products(job.model, dense)]
    attention = _attention(job, layout, accelerator)
    moved, kernels = _memory_bound(job, layout, accelerator, matrices, tokens, dense)
    forward = Lap(
        matrix=sum(matrix.forward for matrix in matrices),
        attention=attention[0],
        memory_bound=moved[0],
        context_comm=_context(job, layout, communicate, attention[0], forward=True),
        expert_comm=_experts(job, layout, communicate, tokens, dense),
    )
    backward = Lap(
        matrix=sum(matrix.input_gradient + matrix.weight_gradient for matrix in matrices),
        attention=attention[1],
        memory_bound=moved[1],
        context_comm=_context(job, layout, communicate, attention[1], forward=False),
        expert_comm=forward.expert_comm,
    )
    tensor = _tensor(job, layout, accelerator, communicate, matrices, tokens, dense)
    last, software = slowest(layout.tensor), job.software
    late = [
        last * (software.tensor_skew * lap.total + software.tensor_lag * launches) for lap, launches in ((forward, 1.0), (backward, 1.5))
    ]
    forward += Lap(tensor_comm=tensor.gathers + tensor.sums + late[0])
    backward += Lap(tensor_comm=tensor.backward + late[1])
    issued = _issued(job, layout, accelerator, matrices, kernels)
    forward += Lap(memory_bound=max(issued[0] - forward.total, 0.0))
    backward += Lap(memory_bound=max(issued[1] - backward.total, 0.0))
    if layout.recompute == "full":
        backward += forward
        if not job.software.recomputes_last:
            backward += Lap(matrix=-matrices[-1].forward, tensor_comm=-tensor.last_sum)
    elif layout.recompute == "selective" and job.software.selective == "operations":
        # What is scattered is kept.
        backward += Lap(matrix=forward.matrix * repeated_share(job.model), memory_bound=forward.memory_bound, tensor_comm=tensor.gathers)
    elif layout.recompute == "selective" and not job.software.fused_attention:
        backward += Lap(attention=attention[0])
    return Pass(forward, backward, Lap(matrix=sum(matrix.weight_gradient for matrix in matrices)))


def _issued(
    job: Job, layout: Layout, accelerator: Accelerator, matrices: list[_Matrix], launches: tuple[float, float]
) -> tuple[float, float]:
    """Seconds in which the host issues the operations of a layer, forward and backward; the device waits where it needs less.

    Args:
        launches: of kernels that only move bytes.

    # Assumes: without the interpreter (backward, and all products of a group of experts but the first) an operation takes half of the time.
    """
    fused = job.software.fused_attention
    collectives = 0 if layout.tensor == 1 else 4 if layout.sequence_parallel else 2
    forward = sum((1 + m.copies) / 2 for m in matrices) + (1 if fused else 4) + launches[0] + collectives
    backward = sum(2 * m.copies for m in matrices) + (1 if fused else 7) + launches[1] + collectives
    return accelerator.issue * forward, accelerator.issue * backward / 2


def repeated_share(model: Transformer) -> float:
    """Share of a layer's products that recompute by operation repeats: keys, output of attention, second matrix of the feed-forward block.

    Every second product in the order in which they run (query, key, value, output, up, up, down) is computed again.
    Source: pytorch/torchtitan, torchtitan/parallelisms/parallelize_llama.py (`_get_custom_policy`).
    """
    query, keys = model.heads * head_size(model), (model.key_value_heads or model.heads) * head_size(model)
    experts = model.experts
    inner = model.ffn if experts is None else experts.active * experts.ffn + experts.shared * (experts.shared_ffn or experts.ffn)
    return (keys + query + inner) / (2 * query + 2 * keys + (3 if model.gated else 2) * inner)


def slowest(count: int) -> float:
    """Expected maximum of `count` standard normal draws, in standard deviations.

    Accuracy: within 2 % for more than 2. Source: Blom 1958, Phi^-1((n - 0.375) / (n + 0.25)).

    >>> round(slowest(1), 3), round(slowest(100), 2)
    (0.0, 2.5)
    """
    return NormalDist().inv_cdf((count - 0.375) / (count + 0.25))


class _Matrix:
    """One weight matrix on one rank: shapes after the split, seconds of its three products.

    `beside` is how many matrices it is in the software, which multiply the same input one after the other.
    """

    def __init__(self, job: Job, layout: Layout, accelerator: Accelerator, product: Product, tokens: float, dense: bool) -> None:
        experts = job.model.experts
        split, self.copies, m = layout.tensor, 1.0, tokens
        if product.part == "experts" and experts is not None and not dense:
            split = layout.expert_tensor or layout.tensor
            self.copies = experts.count / layout.expert
            # Assumes: tokens are spread evenly over the experts (auxiliary loss or bias), and none is dropped.
            m = tokens * split / layout.tensor * experts.active / self.copies
        if product.part == "router" and layout.sequence_parallel:
            m = tokens / layout.tensor
        n = product.n / split if product.split == "column" else product.n
        k = product.k / split if product.split == "row" else product.k
        # The router computes in the precision of its input, which is never of 8 bits.
        # Source: NVIDIA/Megatron-LM core_v0.11.0, megatron/core/transformer/moe/router.py (`gating`); later unless asked for fp32.
        precision = high_precision(job.precision) if product.part == "router" else job.precision
        self.name, self.rows, self.k, self.n, self.tokens = product.name, m * self.copies, k, n, m
        self.parameters = k * n * self.copies
        widths = [n * share for share in _widths(job, product.name)]
        self.beside = len(widths)
        # Each expert's product is a kernel of its own (Transformer Engine, GroupedLinear: one cuBLAS call per expert).
        self.forward = self.copies * sum(product_time(accelerator, precision, m, width, k) for width in widths)
        self.input_gradient = self.copies * sum(product_time(accelerator, precision, m, k, width) for width in widths)
        self.weight_gradient = self.copies * sum(product_time(accelerator, precision, k, width, m) for width in widths)
        self.weight_gradient += _accumulated(job, accelerator, self.parameters)


def _widths(job: Job, name: str) -> tuple[float, ...]:
    """Shares of a matrix's columns that are matrices of their own in the software."""
    model = job.model
    if job.software.fused_projections:
        return (1.0,)
    if name == "qkv":
        kv = model.key_value_heads or model.heads
        return tuple(heads / (model.heads + 2 * kv) for heads in (model.heads, kv, kv))
    return (0.5, 0.5) if model.gated and name.endswith("_up") and name not in ("q_up", "kv_up") else (1.0,)


def _accumulated(job: Job, accelerator: Accelerator, parameters: float) -> float:
    """Seconds that a weight gradient's product takes longer where it adds to the kept gradient: it reads and writes that, not a fresh one.

    Accuracy: grouped weight gradients of 128 to 2 460 tokens per expert, measured on B200, take longer than the forward products of the
    same shapes by 0.91 of it in the median of 34, half of them between 0.75 and 1.13.
    Source: MooreThreads/SimuMax, configs/system/b200_bf16_ceperm.json.
    """
    if not job.software.fused_accumulation:
        return 0.0
    return stream_time(accelerator, (2.0 * job.software.gradient_size(job.precision) - 2.0) * parameters, 0.0)


def _attention(job: Job, layout: Layout, accelerator: Accelerator) -> tuple[float, float]:
    """Seconds of the attention core, forward and backward."""
    model, latent = job.model, job.model.latent_attention
    heads = model.heads / layout.tensor
    kv = max(1.0, (model.key_value_heads or model.heads) / layout.tensor)
    size = float(head_size(model))
    if latent is not None:
        size, kv = (size + latent.rotary_head + latent.value_head) / 2, heads
    query, seen = job.sequence / layout.context, float(min(job.sequence, model.window or job.sequence))
    if job.software.fused_attention:
        # A window attends to all that it sees, causal attention to half of it.
        seen_twice = seen if model.window is None or model.window >= job.sequence else min(2 * seen, job.sequence)
        slowdown = job.software.attention_slowdown
        if not job.software.native_attention:
            slowdown *= kernels_of(accelerator).attention_ported
        arguments = (job.precision, layout.microbatch, query, seen_twice, heads, size, kv, slowdown)
        return fused_attention_time(accelerator, *arguments), fused_attention_time(accelerator, *arguments, backward=True)
    precision = high_precision(job.precision)
    plain = (precision, layout.microbatch, query, float(job.sequence), heads, size, job.software.fused_softmax, job.software.dropout)
    return unfused_attention_time(accelerator, *plain), unfused_attention_time(accelerator, *plain, backward=True)


def _memory_bound(
    job: Job, layout: Layout, accelerator: Accelerator, matrices: list[_Matrix], tokens: float, dense: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Seconds of what only moves bytes, and its launches: norms, residuals, activations, rotations, casts, keeping weight gradients.

    Bytes per element of 16-bit tensors. Forward: norm 4, residual 6 (with dropout and its mask 7), bias and GeLU 4, SwiGLU 6, rotation 4.
    Backward: norm 10 (the weight's gradient reads again), residual 6 (with dropout 11), GeLU 6, SwiGLU 10, rotation 4, bias gradients 2.
    Without fusion every bias, activation and product is a pass of its own. A root-mean-square norm without a kernel of its own computes in
    fp32, an operation a pass: to fp32 6, square 8, mean 4, product 8, from fp32 6, weight 4; backward: weight 12, from fp32 6, product 24,
    square 24, sum of both ways 12, to 16 bit 6. (A layer norm always has its kernel.) Source: counting reads and writes.
    """
    model, software = job.model, job.software
    wide = tokens * model.hidden / (layout.tensor if layout.sequence_parallel else 1)
    inner = sum(m.rows * m.k for m in matrices if m.name.endswith("_down") and m.name != "latent_down")
    norms = 1 if model.parallel_blocks else 2
    residual, residual_back = (7, 11) if software.dropout else (6, 6)
    activation, activation_back = (6, 10) if model.gated else (4, 6)
    plain = 0 if software.fused_elementwise else 1
    whole = software.fused_norm or model.norm == "layer"
    norm, norm_back = (4, 10) if whole else (36, 84)
    forward = wide * (norm * norms + 2 * residual + 8 * plain) + inner * (activation + 6 * plain)
    backward = wide * (norm_back * norms + 2 * residual_back + 4 * plain) + inner * (activation_back + 8 * plain)
    if model.positions == "rotary":
        turned = tokens * (model.heads + (model.key_value_heads or model.heads)) * head_size(model) / layout.tensor
        if model.latent_attention is not None:
            # Queries and keys are put together from their two parts, values are cut out: each element is read and written.
            latent = model.latent_attention
            turned = tokens * model.heads * (2 * (head_size(model) + latent.rotary_head) + latent.value_head) / layout.tensor
        forward += turned * (4 + 8 * plain)
        backward += turned * (4 + 8 * plain)
    if not software.fused_attention:
        copied = tokens * model.heads * head_size(model) / layout.tensor
        forward, backward = forward + 4 * copied, backward + 4 * copied
    if model.biases:
        backward += sum(2 * m.rows * m.n for m in matrices)
    if model.experts is not None and not dense:
        # Routed tokens are permuted for sending, on arrival sorted in whole chunks where a rank has several experts, and both again on the
        # way back.
        # Source: NVIDIA/Megatron-LM, megatron/core/transformer/moe/token_dispatcher.py (permute, sort_chunks_by_idxs).
        routed = tokens * model.experts.active * model.hidden / (layout.tensor if layout.sequence_parallel else 1)
        copies = 2 * _SCATTERED + (2 if 1 < layout.expert < model.experts.count else 0)
        forward, backward = forward + 4 * copies * routed, backward + 4 * copies * routed
    launches = 8.0 + 8 * plain + (0 if whole else 6 * norms)
    if job.precision in NARROW:
        casts = _casts(job, layout, matrices)
        forward, backward, launches = forward + casts[0], backward + casts[1], launches + casts[2]
    # Gradients of a common input are added up: read each, write the sum.
    backward += sum(2 * (m.beside + 1) * m.rows * m.k for m in matrices if m.beside > 1)
    if software.repeats_keys and model.latent_attention is None and (model.key_value_heads or model.heads) < model.heads:
        # Both are read in their groups and written for every head; backward the heads' gradients are read and their sums written.
        repeated = 4 * tokens * (model.heads + (model.key_value_heads or model.heads)) * head_size(model) / layout.tensor
        forward, backward = forward + repeated, backward + repeated
    if software.context == "gather" and layout.context > 1:
        merged = _merges(job, layout, tokens)
        forward, backward = forward + merged[0], backward + merged[1]
    if not software.fused_accumulation:
        backward += software.adding_bytes(job.precision) * sum(m.parameters for m in matrices)
    routing = _ROUTING if model.experts is not None and not dense else (0, 0)
    issued = launches + routing[0], launches * 1.5 + routing[1]
    return (stream_time(accelerator, forward, issued[0]), stream_time(accelerator, backward, issued[1])), issued


def _casts(job: Job, layout: Layout, matrices: list[_Matrix]) -> tuple[float, float, float]:
    """Bytes that casting the operands of 8-bit products moves, forward and backward, and launches.

    Each operand is needed as it lies and transposed: read 2, write 1 and 1.

    * `delayed`: where a norm comes before, it writes both instead of 16 bit; weights are cast with the optimizer step.
    * `tensor`: a maximum must be known before the first element is cast, so that norms write 16 bit; weights were cast on their shard, and
      are transposed backward (2).
    * `row`: the transpose has scales of its own: it is written in 16 bit beside the cast (2) and cast by a second kernel (3), 8 in all, 6
      where what comes before makes the first; weights on every rank 3 forward and 7 backward; both products of the backward pass are
      scaled by a kernel of their own, which reads and writes 16 bit (4 per element of their results).

    Scaled as they are, operands are cast by each product for itself, also where several have the same input: that keys and values are
    so costs a tenth of Llama 3 70B (github.com/pytorch/torchtitan, pull request 1319). Only what is gathered in 8 bits is cast before.

    Source: pytorch/ao at 36027d8, torchao/testing/training/roofline_utils.py (get_tensor_memory_traffic_ovhd_s); at 6243040,
    torchao/float8/float8_linear.py (matmul_with_hp_or_float8_args), float8_ops.py (`post_inverse_scale`), config.py (only the forward
    product accumulates fast) and float8_tensor_parallel.py (PrepareFloat8ModuleInput).
    """
    scaling, fused = job.software.scaling, ("qkv", "ffn_up")
    inputs = sum(m.rows * m.k for m in matrices)
    after_norms = sum(m.rows * m.k for m in matrices if m.name in fused)
    outputs, weights = sum(m.rows * m.n for m in matrices), sum(m.parameters for m in matrices)
    if scaling == "delayed":
        return 4 * (inputs - after_norms), 4 * outputs, 0.0
    each = sum(m.beside * m.rows * m.k for m in matrices)
    count = float(sum(m.beside for m in matrices))
    if scaling == "tensor":
        return 4 * (each if layout.tensor == 1 else inputs), 4 * outputs + 2 * weights, 2 * count
    return 5 * each - 2 * after_norms + 3 * weights, 3 * each + 8 * outputs + 7 * weights + 4 * (each + weights), 4 * count


def _merges(job: Job, layout: Layout, tokens: float) -> tuple[float, float]:
    """Bytes that attention over gathered keys moves to merge its rounds, forward and backward.

    Per element of the queries on this rank. Forward: each round's result is merged into an fp32 one (read 4 and 2, write 4), which is made
    (6) and cast back (6) at the end; keys and values are put into one buffer (8). Backward: three fp32 gradients are set to zero (12),
    added to in each round (10 each), two of them put into one buffer to be sent (16); cast back (18) in the end, and the buffer again (8).

    Source: pytorch/pytorch, torch/distributed/tensor/experimental/_attention.py (_SDPAMerger, _templated_ring_attention_backward).
    # Assumes: compiled, so that each round's merge is one kernel.
    """
    elements = tokens * job.model.heads * head_size(job.model) / layout.tensor
    return (10 * (layout.context - 1) + 20) * elements, (46 * layout.context + 38) * elements


@dataclass(frozen=True)
class _Tensor:
    """Exposed seconds of the tensor collectives of one layer.

    Args:
        gathers, sums: forward; `last_sum`, of `sums` that of the layer's last product.
    """

    gathers: float
    sums: float
    last_sum: float
    backward: float


def _tensor(
    job: Job, layout: Layout, accelerator: Accelerator, communicate: Communicate, matrices: list[_Matrix], tokens: float, dense: bool
) -> _Tensor:
    """Exposed seconds of the tensor collectives of one layer, forward and backward.

    Two all-reduces each way, or two all-gathers and two reduce-scatters with sequence parallelism; a parallel block needs one pair. With
    sequence parallelism, routed experts take the tokens as they are split, and gather what arrives among their own tensor ranks.

    Source: NVIDIA/Megatron-LM, megatron/core/transformer/moe/token_dispatcher.py (alltoall dispatcher, `tp_size > 1`); of the copies,
    pytorch/pytorch, torch/distributed/_functional_collectives.py (all_gather_tensor, reduce_scatter_tensor: chunks put together where the
    dimension is not the first) and _symmetric_memory/__init__.py (_fused_matmul_reduce_scatter_impl: `reduce_fn`).
    """
    software, experts = job.software, job.model.experts if not dense and layout.sequence_parallel else None
    together = (layout.expert_tensor or layout.tensor) if experts is not None else 1
    routed = 0.0
    if experts is not None and together > 1:
        size = 2.0 * tokens / layout.tensor * together * experts.active * job.model.hidden
        routed = communicate("all_gather", size, "expert_tensor") + communicate("reduce_scatter", size, "expert_tensor")
    if layout.tensor == 1:
        return _Tensor(0.0, routed, 0.0, routed)
    pairs = 1 if job.model.parallel_blocks or (experts is not None and not experts.shared) else 2
    size = 2.0 * tokens * job.model.hidden
    exposed = 1.0 - software.overlap_tensor
    # The weight gradients of the column-split matrices are what the input gradient's collective can run beside.
    beside_these = ("qkv", "kv_up", "ffn_up", "expert_up" if experts is None else "shared_up")
    columns = [m for m in matrices if m.name in beside_these][:pairs]
    rows = [m for m in matrices if m.name in ("attention_out", "ffn_down", "expert_down" if experts is None else "shared_down")][-pairs:]
    weights = [m.weight_gradient for m in columns]
    share = software.overlap_tensor_backward
    if not layout.sequence_parallel:
        reduce = communicate("all_reduce", size, "tensor")
        summed = reduce * exposed
        return _Tensor(0.0, pairs * summed, summed, sum(reduce - min(share * reduce, weight) for weight in weights))
    # Operands of 8-bit products are cast before they are gathered; what is summed travels in 16 bit.
    # Source: NVIDIA/TransformerEngine, transformer_engine/pytorch/module/layernorm_linear.py.
    rowwise = job.precision in NARROW and software.scaling == "row"
    gathered = size / 2 if job.precision in NARROW and not rowwise else size
    gather, scatter = communicate("all_gather", gathered, "tensor"), communicate("reduce_scatter", size, "tensor")
    # Backward: gather the output's gradient, gather the input again (beside a product, as the scatter), scatter the input's gradient.
    again = scatter if software.keeps_gathered else gather + scatter
    beside = sum(again - min(share * again, weight) for weight in weights)
    # What is split runs beside its own product, and hides for no longer; where a cast comes between, it cannot be split.
    hidden = software.overlap_tensor
    cut = 0.0 if rowwise else hidden
    gathers = sum(gather - min(cut * gather, m.forward) for m in columns)
    sums = [scatter - min(hidden * scatter, m.forward) for m in rows]
    back = sum(gather - min(cut * gather, m.input_gradient) for m in rows)
    if software.splits_within:
        # A piece of every sequence from every rank: written in order when gathered, and before it is summed, where the pass that adds up
        # gradients does not write it so. Where the collective is cut into pieces, they come in order, and a kernel adds up the ranks' sums.
        ordered = 0.0 if cut else stream_time(accelerator, 2 * gathered)
        added = stream_time(accelerator, (1 + 1 / layout.tensor if hidden else 2) * size)
        gathers, sums, back = gathers + pairs * ordered, [each + added for each in sums], back + pairs * ordered
    last = sums[-1] if rows[-1] is matrices[-1] else 0.0
    return _Tensor(gathers, sum(sums) + routed, last, back + beside + routed)


def _context(job: Job, layout: Layout, communicate: Communicate, compute: float, forward: bool) -> float:
    """Exposed seconds of exchanging keys and values around the context ranks, beside attention itself.

    Source: ring attention, Liu et al. 2023 (arXiv:2310.01889), section 3; gradients travel back with them. All-to-all: Jacobs et al. 2023
    (arXiv:2309.14509), section 3.2.
    """
    if layout.context == 1:
        return 0.0
    model, latent = job.model, job.model.latent_attention
    if job.software.context == "all_to_all":
        # Queries, keys and values of a share of the heads come in for the whole sequence, and what attention makes of them goes back.
        passing = 2 * (model.heads + (model.key_value_heads or model.heads)) * head_size(model) / layout.tensor
        return communicate("all_to_all", 2.0 * layout.microbatch * job.sequence / layout.context * passing, "context")
    kv = max(1.0, (model.heads if job.software.repeats_keys else model.key_value_heads or model.heads) / layout.tensor)
    width = 2.0 * kv * head_size(model)
    if latent is not None:
        width = model.heads / layout.tensor * (head_size(model) + latent.rotary_head + latent.value_head)
    size = 2.0 * layout.microbatch * job.sequence * width
    time = communicate("all_gather", size, "context")
    if job.software.context == "gather":
        # fp32 gradients of keys and values go to the next rank `context` times: as far as the gather of twice the size, and once more.
        rounds = layout.context / (layout.context - 1)
        return time if forward else time + rounds * communicate("all_gather", 2 * size, "context")
    if not forward:
        time += communicate("reduce_scatter", size, "context")
    # One of the `context` rounds has nothing to hide behind.
    return max(time - compute * (1 - 1 / layout.context), time / layout.context)


def _experts(job: Job, layout: Layout, communicate: Communicate, tokens: float, dense: bool) -> float:
    """Seconds of sending each token to its experts and back, one direction of the pass; nothing hides them.

    Source: GShard, arXiv:2006.16668, section 3.3.
    """
    experts = job.model.experts
    if experts is None or dense or layout.expert == 1:
        return 0.0
    split = layout.expert_tensor or layout.tensor
    # Assumes: the combine travels in 16 bit like the dispatch; software that sends 8 bits or hides them is faster.
    size = 2.0 * tokens * split / layout.tensor * experts.active * job.model.hidden / split
    return 2 * communicate("all_to_all", size, "expert")


def embedding_pass(job: Job, layout: Layout, accelerator: Accelerator, communicate: Communicate) -> Pass:
    """Input embedding on the first stage: gather rows (and drop out); backward scatters into fp32."""
    elements = layout.microbatch * job.sequence / layout.context * job.model.hidden
    local = elements / (layout.tensor if layout.sequence_parallel else 1)
    learned = 6 if job.model.positions == "learned" else 0
    dropped, dropped_back = (5, 5) if job.software.dropout else (0, 0)
    forward = stream_time(accelerator, 4 * elements + (learned + dropped) * local, 3)
    weights = job.model.vocabulary * job.model.hidden / layout.tensor
    kept = (2 + job.software.adding_bytes(job.precision)) * weights  # rows that no token asked for are set to zero
    backward = stream_time(accelerator, 8 * elements + dropped_back * local + kept, 3)
    operation: Operation = "reduce_scatter" if layout.sequence_parallel else "all_reduce"
    reduced = communicate(operation, 2 * elements, "tensor") if layout.tensor > 1 else 0.0
    gathered = communicate("all_gather", 2 * elements, "tensor") if layout.tensor > 1 and layout.sequence_parallel else 0.0
    return Pass(Lap(memory_bound=forward, tensor_comm=reduced), Lap(memory_bound=backward, tensor_comm=gathered))


def output_pass(job: Job, layout: Layout, accelerator: Accelerator, communicate: Communicate) -> Pass:
    """Last norm, logits and loss on the last stage.

    Bytes per logit: fused loss 13 forward and 10 backward (Transformer Engine's kernel comes to 0.28 of a B200's bandwidth with the 8 that
    it needs; MooreThreads/SimuMax, configs/system/b200_bf16_ceperm.json); otherwise cast to fp32 6, maximum 4, difference 8, exponential 8,
    sum 4, division 8: 38; backward scale 8 and cast 6: 14.
    Source: counting passes of Megatron-LM's vocabulary-parallel cross entropy.
    """
    model = job.model
    tokens = layout.microbatch * job.sequence / layout.context
    width = model.vocabulary / layout.tensor
    precision = high_precision(job.precision)
    product = product_time(accelerator, precision, tokens, width, model.hidden)
    weight = product_time(accelerator, precision, width, model.hidden, tokens) + _accumulated(job, accelerator, width * model.hidden)
    gradients = product_time(accelerator, precision, tokens, model.hidden, width) + weight
    local = tokens * model.hidden / (layout.tensor if layout.sequence_parallel else 1)
    per_logit, per_logit_back = (13, 10) if job.software.fused_loss else (38, 14)
    kept = 0.0 if job.software.fused_accumulation else job.software.adding_bytes(job.precision) * width * model.hidden
    forward = stream_time(accelerator, 4 * local + per_logit * tokens * width, 4 if job.software.fused_loss else 12)
    backward = stream_time(accelerator, 10 * local + per_logit_back * tokens * width + kept, 4 if job.software.fused_loss else 8)
    gathered = reduced = 0.0
    if layout.tensor > 1:
        size = 2 * tokens * model.hidden
        gathered = communicate("all_gather", size, "tensor") if layout.sequence_parallel else 0.0
        reduced = communicate("reduce_scatter" if layout.sequence_parallel else "all_reduce", size, "tensor")
    return Pass(
        Lap(matrix=product, memory_bound=forward, tensor_comm=gathered),
        Lap(matrix=gradients, memory_bound=backward, tensor_comm=reduced),
        Lap(matrix=weight),
    )


def prediction_pass(job: Job, layout: Layout, accelerator: Accelerator, layer: Pass, output: Pass) -> Pass:
    """The multi-token prediction layers on the last stage: a projection of 2 hidden -> hidden, a layer and the shared output, each."""
    model: Transformer = job.model
    tokens = layout.microbatch * job.sequence / layout.context
    width = model.hidden / layout.tensor
    ahead = product_time(accelerator, job.precision, tokens, width, 2 * model.hidden)
    weight = product_time(accelerator, job.precision, 2 * model.hidden, width, tokens)
    back = product_time(accelerator, job.precision, tokens, 2 * model.hidden, width) + weight
    return (layer + output + Pass(Lap(matrix=ahead), Lap(matrix=back), Lap(matrix=weight))) * model.prediction_heads
