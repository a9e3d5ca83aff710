"""A software generation: which kernels exist and how the framework overlaps. Chosen by name in a scenario, never by its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.spec import Bytes, Fraction, Ratio, Seconds, Sourced


@dataclass(frozen=True, kw_only=True)
class Software(Sourced):
    """A named software generation.

    Args:
        year: of the generation.
        fused_attention: attention is one kernel that never writes its scores to memory (flash attention).
        attention_slowdown: time of its fused attention over that of the kernel measured for the accelerator.
        native_attention: its fused attention is written for the accelerator, not ported from the generation before.
        fused_softmax: scale, mask and softmax are one kernel (where attention is not fused).
        fused_elementwise: bias, activation, dropout and residual are fused into few kernels.
        fused_norm: a root-mean-square norm is one kernel and not a chain of operations in fp32; a layer norm always is.
        fused_loss: the cross entropy over the vocabulary is one kernel and not ten passes over fp32 logits.
        parallel_loss: each tensor rank keeps the logits of its share of the vocabulary; otherwise every one keeps all of them.
        loss_bytes: of memory per token and word while the loss goes backward [B]; where absent, from `fused_loss`, `parallel_loss`.
        split_loss_bytes: likewise where each tensor rank has a share of the words; `loss_bytes` where absent.
        keeps_projection: queries stay a view of the product that made queries, keys and values, which is then kept whole (where all heads
            have keys of their own).
        keeps_sent: what a collective has read is free again when the device is through with it, not when the host, layers ahead, lets go of
            it (PyTorch's `record_stream`, unless TORCH_NCCL_AVOID_RECORD_STREAMS is set).
        split: layers over pipeline stages as `equal` numbers, or by `cost`, the output matrix counted as layers.
        reduction: kept gradients lie in one buffer that products add to and that is reduced as it lies (`in_place`); or a backward pass
            leaves 16-bit gradients, added when it is over, and communication makes `copies`: 16-bit buckets of gradients, or where states
            are sharded the weights flattened twice to be gathered; or where gradients are kept in fp32, those of a backward pass are `cast`
            and added when it is over, and all ranks get the sum, whoever updates.
        sharded_reduction: where weights are not sharded (zero1, zero2), each rank is sent its share of the summed gradients (`scatter`), or
            every rank is sent all of them: where the optimizer alone is sharded, once the backward pass is over, so that nothing hides it
            (`all_reduce`); or bucket by bucket beside that pass, and weights are gathered when all are updated, beside nothing (`buckets`).
        bucket: gradients are reduced in collectives of at least this size, of whole parameters each [B]; all at once where absent.
        fused_projections: queries, keys and values are one product, and gate and up projection another; otherwise each is a product of its
            own, and the gradients of their common input are added up.
        repeats_keys: keys and values are written out once for each query head of their group before attention.
        scaling: of 8-bit operands: by maxima of steps before (`delayed`), by that of the tensor as it is (`tensor`), or of each of its rows
            (`row`), which are others for the transpose.
        fused_accumulation: weight gradients are added to the kept ones by the matrix product itself.
        dropout: hidden and attention dropout are on, as GPT-3 class recipes had them.
        gradient_bytes: size of a gradient that is kept and reduced [B]: 4 for fp32 accumulation, 2 otherwise.
        fp16_gradients: fp16 runs keep and reduce gradients in 16 bit whatever `gradient_bytes` says of others.
        recomputes: which activations it can compute again.
        recomputes_last: full recompute repeats the whole layer; otherwise it ends at what the last product reads.
        keeps_gathered: with sequence parallelism, the gathered input of a product is kept (or computed again with the layer) for the
            gradient of its weights; otherwise it is gathered once more.
        splits_within: sequence parallelism splits each sequence where sequences are the first dimension, so that what is gathered or summed
            is copied in order; otherwise positions are the first, and it lies in order.
        context: keys and values go around the context ranks beside attention, a share a round (`ring`); or all of them are gathered before
            it, and fp32 gradients go around after each round, with nothing beside them (`gather`); or each rank exchanges its tokens for a
            share of the heads and back (`all_to_all`), with nothing beside it either.
        selective: what `selective` recompute does not keep: the core of `attention` (Megatron-LM), or of the `operations` every second
            matrix product and all that only moves bytes (torchtitan).
        shardings: which states it can shard over the data-parallel ranks.
        schedules: of the pipeline that it has, in the order in which `layout: auto` tries them; a layout may name others.
        sharded_share: share of the priced rate that gathering and scattering layer by layer (zero3) reaches.
        overlap_gradient_reduction, overlap_parameter_gather: data-parallel traffic runs beside the backward (forward) pass.
        overlap_pipeline: sends between stages run beside compute.
        overlap_tensor_backward: share of the input gradient's collective that running beside the weight gradient's product saves, net of
            the product's loss of multiprocessors and bandwidth to it.
        overlap_tensor: share of the other tensor collectives that is hidden by splitting them beside their products.
        tensor_skew: coefficient of variation, from rank to rank, of the time between two tensor collectives: launches that come late on one
            rank hold up its whole group.
        tensor_lag: likewise where a time is lost and no share: standard deviation over the ranks for a layer forward; half as much again
            backward, as launches are [s].
        scatter_sends: each tensor rank sends its share of an activation between stages and gathers it inside the node.
        duplex_sends: two stages exchange an activation and a gradient at once; otherwise one after the other.
        optimizer_passes: bytes that an optimizer step moves per parameter beside the update itself [B]: norm, clipping, unscaling, copies.
        gradient_passes: times that every kept gradient is read or written before it is reduced, sharded or not, to check and scale it.
        workspace: memory of libraries, contexts and communication buffers [B].
        fragmentation: what the allocator reserves over what is allocated, e.g. 1.05.
        jitter: coefficient of variation of one node's step time.
        sigma: spread (log-normal) of measured over modelled step times within one source, on the rows that `sources` names.
        calibrated: what the runs had that this generation was calibrated on: kinds of parallelism (`data`, `tensor`, `pipeline`, ..) and
            `fp8`; nothing where no run was used. What they did not have widens the prediction interval.
        stands_in: the run's own software is another, which this generation is like: a wider prediction interval.
    """

    year: int
    fused_attention: bool
    attention_slowdown: Ratio = 1.0
    native_attention: bool = True
    fused_softmax: bool = True
    fused_elementwise: bool
    fused_norm: bool = True
    fused_loss: bool = False
    parallel_loss: bool = True
    loss_bytes: Bytes | None = None
    split_loss_bytes: Bytes | None = None
    keeps_projection: bool = False
    keeps_sent: bool = False
    split: Literal["equal", "cost"] = "equal"
    reduction: Literal["in_place", "copies", "cast"] = "in_place"
    sharded_reduction: Literal["scatter", "all_reduce", "buckets"] = "scatter"
    bucket: Bytes | None = None
    fused_projections: bool = True
    repeats_keys: bool = False
    scaling: Literal["delayed", "tensor", "row"] = "delayed"
    fused_accumulation: bool = True
    dropout: bool = False
    gradient_bytes: int
    fp16_gradients: bool = False
    recomputes: tuple[Literal["none", "selective", "full"], ...] = ("none", "selective", "full")
    recomputes_last: bool = True
    selective: Literal["attention", "operations"] = "attention"
    keeps_gathered: bool = False
    splits_within: bool = False
    context: Literal["ring", "gather", "all_to_all"] = "ring"
    shardings: tuple[Literal["none", "zero1", "zero2", "zero3"], ...] = ("none", "zero1", "zero2", "zero3")
    schedules: tuple[Literal["gpipe", "1f1b", "interleaved", "zb_h1", "zb_h2", "zb_v", "dualpipe"], ...] = ("1f1b", "interleaved")
    sharded_share: Fraction = 1.0
    overlap_gradient_reduction: bool
    overlap_parameter_gather: bool
    overlap_pipeline: bool
    overlap_tensor_backward: Fraction = 0.0
    overlap_tensor: Fraction = 0.0
    tensor_skew: Ratio = 0.0
    tensor_lag: Seconds = 0.0
    scatter_sends: bool = True
    duplex_sends: bool = True
    optimizer_passes: Ratio = 34.0
    gradient_passes: Ratio = 0.0
    workspace: Bytes
    fragmentation: Ratio
    jitter: Ratio
    sigma: Ratio = 0.10
    calibrated: tuple[str, ...] = ()
    stands_in: bool = False

    def gradient_size(self, precision: str) -> int:
        """Size of a gradient that is kept and reduced in a run of this precision [B]."""
        return 2 if precision == "fp16" and self.fp16_gradients else self.gradient_bytes

    def casts(self, precision: str) -> bool:
        """Whether gradients of a run of this precision are kept as `reduction: cast` says."""
        return self.reduction == "cast" and self.gradient_size(precision) > 2

    def adding_bytes(self, precision: str) -> int:
        """What adding a microbatch's 16-bit gradient to the kept one moves, by passes of its own, per parameter [B].

        Read the fresh one, read and write the kept one; where it is cast, its fp32 copy is written and read in between.
        """
        kept = self.gradient_size(precision)
        return 2 + 2 * kept + (2 * kept if self.casts(precision) else 0)
