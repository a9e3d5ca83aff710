"""What an accelerator is: its data sheet, and a few parameters of how close its kernels come to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.spec import Bytes, BytesPerSecond, FlopPerSecond, Fraction, Seconds, Source, Sourced, Watts


@dataclass(frozen=True, kw_only=True)
class Kernels:
    """How close kernels come to the data sheet; a few physical parameters, fitted on measurements named in `calibrated_on`.

    Args:
        matrix: share of the dense peak that a large matrix product sustains.
        memory: share of the memory bandwidth that streaming kernels sustain.
        attention_forward, attention_backward: share of the dense peak of fused attention at long sequences, counting causal FLOP.
        launch: time between two dependent kernels of one stream [s].
        calibrated_on: which measurements; `assumed: ..` where none.
    """

    matrix: Fraction
    memory: Fraction
    attention_forward: Fraction
    attention_backward: Fraction
    launch: Seconds
    calibrated_on: Source


@dataclass(frozen=True, kw_only=True)
class Accelerator(Sourced):
    """One accelerator as the framework sees it (a rank).

    Args:
        peak: precision (`fp32`, `tf32`, `fp16`, `bf16`, `fp8`, `fp4`, `int8`) -> dense peak without sparsity [FLOP/s].
        memory: device memory [B]; vendors' "80 GB" of HBM is 80 GiB.
        memory_bandwidth: [B/s].
        power: board power limit (TDP) [W].
        launched: year and month.
        kernels: measured efficiency; absent where nobody measured: a default then widens the prediction interval.
        embodied_kg: emissions of making it [kg CO2e], in `Node.embodied` where known per node.
    """

    peak: Mapping[str, FlopPerSecond]
    memory: Bytes
    memory_bandwidth: BytesPerSecond
    power: Watts
    launched: str
    kernels: Kernels | None = None
