"""How long one operation takes on one accelerator."""

from __future__ import annotations

import math
from functools import lru_cache

from simulator.hardware.accelerator import Accelerator, Kernels, MatrixKernels

_TILE = 128
"""Rows and columns are padded to tiles of this edge where the number of multiprocessors is not known."""

TILES = tuple(
    (rows, columns, 64 / rows + 64 / columns - 0.75) for rows in (64, 128, 256) for columns in (64, 128, 256) if rows + columns < 512
)
"""Rows and columns of the output tiles that libraries choose from, and how many more loads per FLOP they need than 128 x 256 does, in units
of what a tile of 64 elements an edge loads for one edge. 256 x 256 sums do not fit into the registers of one multiprocessor."""

SPLITS = (1, 2, 3, 4)
"""Parts into which the inner length may be split, to fill multiprocessors that would be idle; the parts' sums go through memory."""

DEFAULT_KERNELS = Kernels(
    matrix=MatrixKernels(share=0.75, depth=100.0, start=8e-6, sustained=0.85),
    memory=0.80,
    attention_forward=0.55,
    attention_backward=0.45,
    attention_length=400.0,
    attention_start=30e-6,
    launch=4e-6,
    sigma=0.40,
    calibrated_on=(
        "assumed: nobody measured this accelerator here; below the middle of A100, H100, H200 and B200. The spread is what blind runs on "
        "seven accelerators showed, which had these then (MI300X, MI325X, RTX 4090, TPU v4, v5e, v5p and v6e; at 4896eae)"
    ),
)
"""For an accelerator without measurements."""


NARROW = ("fp8", "int8", "fp4")
"""Precisions of matrix products alone: weights, activations and attention of such a run stay in 16 bit."""


def high_precision(precision: str) -> str:
    """The precision of what is no matrix product in a run of this precision.

    >>> high_precision("fp4"), high_precision("fp16")
    ('bf16', 'fp16')
    """
    return "bf16" if precision in NARROW else precision


def kernels_of(accelerator: Accelerator) -> Kernels:
    """Its measured kernel parameters, or the stated default."""
    return accelerator.kernels or DEFAULT_KERNELS


def peak_of(accelerator: Accelerator, precision: str) -> float | None:
    """Dense peak at a precision [FLOP/s]; None where the accelerator has no such units."""
    return accelerator.peak.get(precision)


def product_time(accelerator: Accelerator, precision: str, m: float, n: float, k: float, batch: float = 1) -> float:
    """Seconds of `batch` matrix products (m x k) times (k x n) in one launch.

    start + (waves^8 + power^8 + memory^8)^(1/8). `waves`: tiles of the output, `depth` longer than k each, go through the multiprocessors
    a wave at a time, the last one half empty, at the peak; the library takes the fastest of a short list of tiles and splits. `power`:
    FLOP over a rate that falls by up to `fall` for products so large that the board comes to its power limit. `memory`: bytes over
    bandwidth. Where the number of multiprocessors is not known, m and n are padded to tiles of 128 and take their FLOP over the same
    rate.

    Args:
        m, n, k: shape; a fractional m is a mean (tokens of one expert).

    Raises:
        KeyError: the accelerator has no units of this precision.

    Accuracy: mean residual on shapes held back 3-4 %; single shapes differ by 14-16 % between frameworks. Nothing below 1 024 an edge was
        measured.
    Source: roofline, and NVIDIA's "Matrix Multiplication Background User's Guide" (tile and wave quantization, split-k); parameters as
        `Kernels.calibrated_on` says. The eighth power rounds the corners where no side hides the others.
    """
    known = kernels_of(accelerator)
    # Of the narrow ones fp8 alone was measured: less of its peak than of 16 bit's.
    low = precision in NARROW
    kernel = known.matrix_fp8 if low and known.matrix_fp8 is not None else known.matrix
    flop = 2.0 * m * n * k * batch
    peak, bandwidth = accelerator.peak[precision] * kernel.sustained, accelerator.memory_bandwidth * known.memory
    rate = peak * kernel.share * (1.0 - kernel.fall * flop / (flop + kernel.fall_flop))
    size = 0.5 if precision == "fp4" else 1.0 if low else 4.0 if precision in ("fp32", "tf32") else 2.0
    memory = batch * (size * (m * k + n * k) + max(size, 2.0) * m * n) / bandwidth
    if accelerator.processors is None:
        padded = 2.0 * _TILE * math.ceil(m / _TILE) * _TILE * math.ceil(n / _TILE) * (k + kernel.depth) * batch
        return kernel.start + float(((padded / rate) ** 8 + memory**8) ** 0.125)
    waves = _waves(m, n, k, batch, accelerator.processors, kernel.depth, kernel.narrow, peak, bandwidth)
    return kernel.start + float((waves**8 + (flop / rate) ** 8 + memory**8) ** 0.125)


@lru_cache(maxsize=2**16)
def _waves(
    m: float, n: float, k: float, batch: float, processors: int, depth: float, narrow: float, rate: float, bandwidth: float
) -> float:
    """Seconds until the last multiprocessor has done its last tile, with the best tile and split."""
    best = math.inf
    for rows, columns, loads in TILES:
        tiles = math.ceil(m / rows) * math.ceil(n / columns) * batch
        for parts in SPLITS:
            wave = 2.0 * processors * rows * columns * (k / parts + depth) * (1.0 + narrow * loads) / rate
            summed = 8.0 * parts * m * n * batch / bandwidth if parts > 1 else 0.0
            best = min(best, math.ceil(tiles * parts / processors) * wave + summed)
            if tiles > 4 * processors:
                break  # nothing to gain from splitting: the last wave is a small part
    return best


def stream_time(accelerator: Accelerator, size_bytes: float, launches: float = 1.0) -> float:
    """Seconds of dependent kernels that only move `size_bytes` through device memory: bytes / sustained bandwidth + launches."""
    known = kernels_of(accelerator)
    return size_bytes / (accelerator.memory_bandwidth * known.memory) + launches * known.launch


def fused_attention_time(
    accelerator: Accelerator,
    precision: str,
    sequences: float,
    query: float,
    seen: float,
    heads: float,
    head_size: float,
    key_value_heads: float,
    slowdown: float = 1.0,
    backward: bool = False,
) -> float:
    """Seconds of fused causal attention (flash attention), forward or backward.

    FLOP of the causal half / rate x (1 + attention_length / seen) + bytes / bandwidth + start; the backward pass does 2.5 times the work
    (it computes the scores again).

    Args:
        sequences: in the microbatch.
        query, seen: tokens that ask, and tokens that they attend to (equal without context parallelism).
        heads, key_value_heads: on this rank; head_size: mean width of keys and values.
        slowdown: of an older kernel against the one that was measured.

    Accuracy: forward median residual on shapes held back 3-6 %; the backward rate is assumed from the forward's.
    Source: Dao 2023, arXiv:2307.08691 (work of the passes); parameters as `Kernels.calibrated_on` says.
    """
    known = kernels_of(accelerator)
    flop = 2.0 * sequences * heads * query * seen * head_size
    share = known.attention_backward if backward else known.attention_forward
    peak = accelerator.peak[high_precision(precision)]
    size = 4.0 * sequences * head_size * (query * heads + seen * key_value_heads)
    work = (2.5 if backward else 1.0) * flop / (peak * share) * (1.0 + known.attention_length / seen)
    return known.attention_start + work * slowdown + stream_time(accelerator, size * (2.0 if backward else 1.0), 0.0)


def unfused_attention_time(
    accelerator: Accelerator,
    precision: str,
    sequences: float,
    query: float,
    seen: float,
    heads: float,
    head_size: float,
    fused_softmax: bool,
    dropout: bool,
    backward: bool = False,
) -> float:
    """Seconds of attention that writes its scores to memory: two batched products, softmax with scale and mask, dropout.

    Bytes per score, 16 bit: softmax reads and writes (4), dropout reads, writes and keeps a mask (5); without a fused softmax, scale and
    mask are passes of their own (4 each) and the softmax runs in fp32 (10 more). Backward: dropout 5, softmax 6; unfused 12 more. Products
    are full, not causal.

    Source: Narayanan et al. 2021, arXiv:2104.04473, section 4.2 (which kernels were fused); counting passes.
    """
    batch, size = sequences * heads, sequences * heads * query * seen
    score = product_time(accelerator, precision, query, seen, head_size, batch)
    value = product_time(accelerator, precision, query, head_size, seen, batch)
    if backward:
        moved, launches = ((6.0 if fused_softmax else 18.0) + (5.0 if dropout else 0.0)) * size, 2 if fused_softmax else 5
        # Gradients of values and keys have the shape of `value`, that of the probabilities the shape of `score`, of the queries of `value`.
        return score + 3 * value + stream_time(accelerator, moved, launches)
    moved, launches = ((4.0 if fused_softmax else 22.0) + (5.0 if dropout else 0.0)) * size, 2 if fused_softmax else 6
    return score + value + stream_time(accelerator, moved, launches)
