"""What `measure_accelerator.py` measures: shapes and sizes, chosen without PyTorch so that they can be read and tested anywhere."""

from __future__ import annotations

import itertools

SIZE = {"bf16": 2.0, "fp16": 2.0, "fp32": 4.0, "fp8": 1.0}
"""Of an element [B]."""
OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all")


def products(quick: bool, precision: str) -> list[tuple[int, int, int]]:
    """(m, n, k) of the products of training: layers, their gradients, shallow and narrow ones; for fp8 in sixteens, as its units ask."""
    widths = (64, 128, 320, 512, 768) if quick else (128, 512, 1024, 2048, 4096, 5120, 8192, 12288, 16384)
    tokens = (64, 256, 512) if quick else (128, 512, 1024, 2048, 4096, 8192, 16384)
    every = 1 if quick else 3 if precision != "fp8" else 6
    shapes = [(m, n, k) for m in tokens for n, k in itertools.product(widths, repeat=2) if quick or 1e9 <= 2.0 * m * n * k <= 8e12]
    return [shape for shape in shapes[::every] if precision != "fp8" or not any(edge % 16 for edge in shape)]


def product_bytes(shape: tuple[int, int, int], precision: str) -> float:
    """Of both factors and the result, which fp8 products write in 16 bit [B]."""
    m, n, k = shape
    size = SIZE[precision]
    return size * (m * k + k * n) + max(size, 2.0) * m * n


def groups(accelerators: int) -> list[int]:
    """Ranks of the groups inside a node: powers of two, and all of them."""
    return sorted({2**power for power in range(1, accelerators.bit_length()) if 2**power <= accelerators} | {accelerators} - {1, 0})


def messages(quick: bool) -> list[int]:
    """Sizes of collectives as nccl-tests define them [B], each divisible by any number of ranks up to 16 times 4 bytes."""
    step = 16 * 9 * 5 * 7 * 11 * 13 * 4
    return [step * 4**power for power in range(3 if quick else 8)]


def share(operation: str, size: int, ranks: int) -> tuple[int, int]:
    """32-bit elements that each rank puts in, and that it gets, of a collective of `size` bytes as nccl-tests define it."""
    whole, part = size // 4, size // 4 // ranks
    return {"all_reduce": (whole, whole), "all_gather": (part, whole), "reduce_scatter": (whole, part), "all_to_all": (whole, whole)}[
        operation
    ]
