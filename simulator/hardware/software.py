"""A software generation: which kernels exist and how the framework overlaps. Chosen by name in a scenario, never by its result."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.spec import Bytes, Ratio, Sourced


@dataclass(frozen=True, kw_only=True)
class Software(Sourced):
    """A named software generation.

    Args:
        year: of the generation.
        fused_attention: attention is one kernel that never writes its scores to memory (flash attention).
        fused_elementwise: bias, activation, dropout and residual are fused into few kernels.
        gradient_bytes: size of a gradient that is kept and reduced [B]: 4 for fp32 accumulation, 2 otherwise.
        overlap_gradient_reduction, overlap_parameter_gather: data-parallel traffic runs beside the backward (forward) pass.
        overlap_pipeline: sends between stages run beside compute.
        workspace: memory of libraries, contexts and communication buffers [B].
        fragmentation: allocator reserve as a ratio of what is allocated.
        jitter: coefficient of variation of one rank's step time.
    """

    year: int
    fused_attention: bool
    fused_elementwise: bool
    gradient_bytes: int
    overlap_gradient_reduction: bool
    overlap_parameter_gather: bool
    overlap_pipeline: bool
    workspace: Bytes
    fragmentation: Ratio
    jitter: Ratio
