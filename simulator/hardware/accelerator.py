"""What an accelerator is: its data sheet, and a few parameters of how close its kernels come to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.spec import Bytes, BytesPerSecond, Flop, FlopPerSecond, Fraction, Ratio, Seconds, Source, Sourced, Watts


@dataclass(frozen=True, kw_only=True)
class MatrixKernels:
    """Seconds of a matrix product, in a few parameters.

    Args:
        share: of the dense peak that a deep, well filled product sustains before the power limit bites.
        depth: inner length that filling and draining the pipeline of one tile costs [elements of k].
        narrow: share that a tile loses for each edge of 64 elements more that it loads per FLOP than one of 128 x 256 does; counts where
            `Accelerator.processors` is known.
        start: launch, first loads and the last, half-filled wave of one kernel [s].
        fall: share of the rate that is lost where the power limit lowers the clock; 0 where it does not.
        fall_flop: size at which half of `fall` is lost [FLOP].
        sustained: share of the benchmark's rate that is kept through hours of training, where real operands and neighbours that never rest
            hold the board at its power limit; fitted on training runs, not on products.
    """

    share: Fraction
    depth: Ratio
    start: Seconds
    narrow: Ratio = 0.1
    fall: Fraction = 0.0
    fall_flop: Flop = 1e12
    sustained: Fraction = 1.0


@dataclass(frozen=True, kw_only=True)
class Kernels:
    """How close kernels come to the data sheet; a few physical parameters, fitted on measurements named in `calibrated_on`.

    Args:
        matrix: products with 16-bit operands.
        matrix_fp8: products with 8-bit operands; absent where not measured.
        memory: share of the memory bandwidth that streaming kernels sustain.
        attention_forward, attention_backward: share of the dense 16-bit peak of fused attention at long sequences, counting causal FLOP.
        attention_length: sequence at which fused attention comes to half of that [tokens].
        attention_ported: time of a fused attention kernel written for the generation before, over that of the one measured.
        attention_start: launch and set-up of one call [s].
        launch: time between two dependent kernels of one stream [s].
        sigma: spread (log-normal) that these parameters add to a step on top of the step model's own.
        calibrated_on: which measurements, how many, residual on those held back; `assumed: ..` where none.
    """

    matrix: MatrixKernels
    matrix_fp8: MatrixKernels | None = None
    memory: Fraction
    attention_forward: Fraction
    attention_backward: Fraction
    attention_length: Ratio
    attention_start: Seconds
    attention_ported: Ratio = 1.0
    launch: Seconds
    sigma: Ratio = 0.0
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
        transfers_apart: collectives run on engines of their own and take nothing from compute beside them; on GPUs they are kernels.
        issue: time in which its usual host issues one operation of a framework that runs them one by one [s]; 0 where programs are compiled
            whole. The default was measured: `torch.nn.Linear` forward, 13.5 us beside an H100 on a Xeon 8480C (github.com/NVIDIA/
            TransformerEngine, issue 2053).
        processors: multiprocessors (SMs), over which products are spread tile by tile; absent where tiles are not what is known.
        kernels: measured efficiency; absent where nobody measured: a default then widens the prediction interval.
        embodied_kg: emissions of making it [kg CO2e], in `Node.embodied` where known per node.
    """

    peak: Mapping[str, FlopPerSecond]
    memory: Bytes
    memory_bandwidth: BytesPerSecond
    power: Watts
    launched: str
    issue: Seconds = 13.5e-6
    processors: int | None = None
    transfers_apart: bool = False
    kernels: Kernels | None = None
