"""Laws of the seconds of one operation."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.hardware import Accelerator, Kernels, MatrixKernels, fused_attention_time, product_time, stream_time, unfused_attention_time

KERNELS = Kernels(
    matrix=MatrixKernels(share=0.8, depth=64.0, start=5e-6, fall=0.1, fall_flop=1e12),
    memory=0.8,
    attention_forward=0.6,
    attention_backward=0.5,
    attention_length=400.0,
    attention_start=2e-5,
    launch=4e-6,
    calibrated_on="assumed: a test",
)
CHIP = Accelerator(
    peak={"bf16": 312e12, "fp16": 312e12}, memory=80 * 2**30, memory_bandwidth=2e12, power=400.0, launched="2020-11", kernels=KERNELS
)
WIDTHS = st.integers(1, 200).map(lambda i: 128 * i)


@settings(max_examples=50, deadline=None)
@given(WIDTHS, WIDTHS, WIDTHS)
def test_a_product_is_never_faster_than_its_roofline(m: int, n: int, k: int) -> None:
    seconds = product_time(CHIP, "bf16", m, n, k)
    assert seconds > 2 * m * n * k / (312e12 * 0.8)
    assert seconds > 2 * (m * k + n * k + m * n) / 2e12


@settings(max_examples=50, deadline=None)
@given(WIDTHS, WIDTHS, WIDTHS)
def test_a_larger_product_is_never_faster(m: int, n: int, k: int) -> None:
    assert product_time(CHIP, "bf16", m, n, k) <= product_time(CHIP, "bf16", m + 128, n, k)
    assert product_time(CHIP, "bf16", m, n, k) <= product_time(CHIP, "bf16", m, n, k + 128)


def test_fused_attention_beats_attention_that_writes_its_scores() -> None:
    for backward in (False, True):
        fused = fused_attention_time(CHIP, "bf16", 4, 4096, 4096, 16, 128, 16, backward)
        assert fused < unfused_attention_time(CHIP, "bf16", 4, 4096, 4096, 16, 128, True, True, backward)
        assert unfused_attention_time(CHIP, "bf16", 4, 4096, 4096, 16, 128, True, True, backward) < unfused_attention_time(
            CHIP, "bf16", 4, 4096, 4096, 16, 128, False, True, backward
        )


def test_streams_count_bytes_and_launches() -> None:
    assert math.isclose(stream_time(CHIP, 1.6e9, 3), 1e-3 + 12e-6)
