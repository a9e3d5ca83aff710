"""Laws of the seconds of one operation."""

import dataclasses
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.hardware import Accelerator, Kernels, MatrixKernels, fused_attention_time, product_time, stream_time, unfused_attention_time
from simulator.scenario import entry

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
TILED = replace(CHIP, processors=100)
CHIPS = st.sampled_from((CHIP, TILED))
WIDTHS = st.integers(1, 200).map(lambda i: 128 * i)


@settings(max_examples=50, deadline=None)
@given(CHIPS, WIDTHS, WIDTHS, WIDTHS)
def test_a_product_is_never_faster_than_its_roofline(chip: Accelerator, m: int, n: int, k: int) -> None:
    seconds = product_time(chip, "bf16", m, n, k)
    assert seconds > 2 * m * n * k / (312e12 * 0.8)
    assert seconds > 2 * (m * k + n * k + m * n) / 2e12


@settings(max_examples=50, deadline=None)
@given(CHIPS, WIDTHS, WIDTHS, WIDTHS)
def test_a_larger_product_is_never_faster(chip: Accelerator, m: int, n: int, k: int) -> None:
    assert product_time(chip, "bf16", m, n, k) <= product_time(chip, "bf16", m + 128, n, k)
    assert product_time(chip, "bf16", m, n, k) <= product_time(chip, "bf16", m, n, k + 128)


def test_the_tile_after_a_full_wave_costs_much_of_another() -> None:
    """A hundred tiles of 128 x 256 fill a hundred multiprocessors; ten rows more ask for smaller tiles, or a split."""

    def longer(narrow: float) -> float:
        matrix = replace(KERNELS.matrix, narrow=narrow, share=1.0, fall=0.0)
        chip = replace(TILED, kernels=replace(KERNELS, matrix=matrix))
        return product_time(chip, "bf16", 1290, 2560, 4096) / product_time(chip, "bf16", 1280, 2560, 4096)

    assert 1.0 < longer(0.1) < longer(1.0) < 2.0
    assert longer(1.0) > 1.3


@pytest.mark.parametrize(
    ("name", "m", "n", "k", "seconds"),
    [
        ("a100-sxm-80gb", 3329, 1024, 1024, 31.64e-6), ("a100-sxm-80gb", 4096, 4096, 6144, 813.5e-6),
        ("h100-sxm", 2305, 1536, 4096, 38.86e-6), ("h100-sxm", 3329, 1024, 1024, 12.54e-6), ("h100-sxm", 4096, 4096, 6144, 256.9e-6),
        ("h200-sxm", 2305, 1536, 4096, 38.26e-6),
        ("b200-sxm", 2305, 1536, 4096, 22.45e-6), ("b200-sxm", 3329, 1024, 1024, 7.12e-6), ("b200-sxm", 4096, 4096, 6144, 146.3e-6),
    ],
)  # fmt: skip
def test_measured_products_that_the_fit_has_not_seen(name: str, m: int, n: int, k: int, seconds: float) -> None:
    """Medians over frameworks of ai-dynamo/aiconfigurator's silicon database, 16 bit; a benchmark's clock, not that of training."""
    chip: Accelerator = entry("accelerators", name)
    assert chip.kernels is not None
    fresh = replace(chip, kernels=replace(chip.kernels, matrix=replace(chip.kernels.matrix, sustained=1.0)))
    assert product_time(fresh, "bf16", m, n, k) == pytest.approx(seconds, rel=0.08)


def test_fused_attention_beats_attention_that_writes_its_scores() -> None:
    for backward in (False, True):
        fused = fused_attention_time(CHIP, "bf16", 4, 4096, 4096, 16, 128, 16, backward)
        assert fused < unfused_attention_time(CHIP, "bf16", 4, 4096, 4096, 16, 128, True, True, backward)
        assert unfused_attention_time(CHIP, "bf16", 4, 4096, 4096, 16, 128, True, True, backward) < unfused_attention_time(
            CHIP, "bf16", 4, 4096, 4096, 16, 128, False, True, backward
        )


def test_streams_count_bytes_and_launches() -> None:
    assert math.isclose(stream_time(CHIP, 1.6e9, 3), 1e-3 + 12e-6)


@pytest.mark.parametrize(
    ("m", "n", "k", "precision", "milliseconds"),
    [
        (8192, 8192, 8192, "bf16", 1.879), (65536, 8192, 7168, "bf16", 13.383), (65536, 3584, 8192, "bf16", 7.044),
        (8192, 8192, 8192, "fp8", 0.977), (65536, 8192, 7168, "fp8", 7.108), (65536, 3584, 8192, "fp8", 3.372),
    ],
)  # fmt: skip
def test_products_of_an_h100_held_to_500_watts(m: int, n: int, k: int, precision: str, milliseconds: float) -> None:
    """As measured: github.com/pytorch/FBGEMM, pull request 2546 (single products, so without what hours of training take)."""
    card = entry("accelerators", "h100-sxm-96gb")
    kernels = card.kernels
    fresh = {name: dataclasses.replace(getattr(kernels, name), sustained=1.0) for name in ("matrix", "matrix_fp8")}
    card = dataclasses.replace(card, kernels=dataclasses.replace(kernels, **fresh))
    assert product_time(card, precision, m, n, k) == pytest.approx(milliseconds * 1e-3, rel=0.07)


def test_narrow_products_have_their_own_rate_and_the_rest_stays_in_16_bit() -> None:
    card = entry("accelerators", "b200-sxm")
    eight, four = (product_time(card, precision, 16384, 16384, 16384) for precision in ("fp8", "fp4"))
    assert eight / four == pytest.approx(card.peak["fp4"] / card.peak["fp8"], rel=0.05)
    attention = [fused_attention_time(card, precision, 1, 8192, 4096, 32, 128, 8, 1.0) for precision in ("bf16", "fp8", "fp4", "int8")]
    assert len(set(attention)) == 1
