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


@pytest.mark.parametrize(
    ("name", "m", "n", "k", "precision", "tflops"),
    [
        ("mi300x", 16384, 8192, 1280, "bf16", 493.0), ("mi300x", 16384, 1024, 8192, "bf16", 546.4),
        ("mi300x", 10240, 15360, 8192, "bf16", 668.4), ("mi325x", 4096, 4096, 4096, "bf16", 751.7),
        ("mi325x", 8192, 8192, 8192, "bf16", 785.5), ("mi325x", 4096, 4864, 32896, "bf16", 831.4),
        ("mi325x", 4096, 3648, 32896, "fp8", 1408.0), ("mi355x", 16384, 16384, 16384, "bf16", 1560.0),
        ("mi355x", 12288, 8192, 8192, "bf16", 1565.0), ("mi355x", 65536, 7168, 2048, "bf16", 1268.0),
        ("mi355x", 4096, 4096, 4096, "fp8", 2748.8), ("mi355x", 16384, 16384, 16384, "fp8", 3293.2),
        ("rtx-4090", 2048, 2048, 2048, "bf16", 142.9), ("rtx-4090", 4096, 4096, 4096, "bf16", 149.5),
        ("gaudi2", 14336, 15360, 2048, "bf16", 418.7), ("gaudi2", 6144, 11264, 5120, "fp8", 826.5),
    ],
)  # fmt: skip
def test_products_as_published_where_few_are(name: str, m: int, n: int, k: int, precision: str, tflops: float) -> None:
    """The figures that `calibrated_on` names, single products; shapes and libraries differ by up to 15 % and the form by as much."""
    assert 2 * m * n * k / product_time(_fresh(name), precision, m, n, k) / 1e12 == pytest.approx(tflops, rel=0.15)


def test_products_of_llama_70b_on_an_mi300x() -> None:
    """About 620 TFLOP/s in 16 and 990 in 8 bits over five shapes: SemiAnalysis, December 2024."""
    shapes = [(16384, 8192, 1280), (16384, 1024, 8192), (16384, 8192, 7168), (16384, 3584, 8192), (8192, 8192, 8192)]
    for precision, tflops in (("bf16", 620.0), ("fp8", 990.0)):
        seconds = sum(product_time(_fresh("mi300x"), precision, *shape) for shape in shapes)
        assert sum(2 * m * n * k for m, n, k in shapes) / seconds / 1e12 == pytest.approx(tflops, rel=0.03)


def test_products_of_xla_on_a_tpu_v5e() -> None:
    """Timed from Python, of which a small product shows the dispatch: JAX's documentation, pallas/tpu/matmul."""
    for edge, seconds in ((4096, 827.3e-6), (8192, 6047.1e-6)):
        assert product_time(_fresh("tpu-v5e"), "bf16", edge, edge, edge) == pytest.approx(seconds - 107e-6, rel=0.03)


@pytest.mark.parametrize(
    ("name", "batch", "length", "heads", "forward", "backward"),
    [
        ("mi300x", 8, 8192, 64, 550.7, 432.7), ("mi300x", 1, 4096, 64, 474.4, 378.2), ("mi300x", 4, 2048, 32, 419.4, 330.2),
        ("mi355x", 8, 8192, 64, 1312.0, 1067.9), ("mi355x", 1, 4096, 64, 1046.1, 941.2), ("mi355x", 4, 2048, 32, 809.8, 783.3),
    ],
)  # fmt: skip
def test_attention_of_aiter(name: str, batch: int, length: int, heads: int, forward: float, backward: float) -> None:
    """TFLOP/s of the causal half: ROCm/aiter, op_tests/cpp/mha/README.md."""
    flop = 2e-12 * batch * heads * length**2 * 128
    told = (batch, length, length, heads, 128, 8)
    assert flop / fused_attention_time(entry("accelerators", name), "bf16", *told) == pytest.approx(forward, rel=0.1)
    assert 2.5 * flop / fused_attention_time(entry("accelerators", name), "bf16", *told, backward=True) == pytest.approx(backward, rel=0.15)


def _fresh(name: str) -> Accelerator:
    """An accelerator of the catalogue at the clock of a benchmark, not of hours of training."""
    chip: Accelerator = entry("accelerators", name)
    assert chip.kernels is not None
    low = chip.kernels.matrix_fp8
    kernels = replace(
        chip.kernels,
        matrix=replace(chip.kernels.matrix, sustained=1.0),
        matrix_fp8=None if low is None else replace(low, sustained=1.0),
    )
    return replace(chip, kernels=kernels)
