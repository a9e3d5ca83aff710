"""Parameter counts and FLOP against published totals (inputs from the cited model cards and papers)."""

import dataclasses
import math

import pytest

from simulator.model import Experts, LatentAttention, Transformer, dense_layers, hardware_flop, model_flop, parameters

GPT3 = Transformer(layers=96, hidden=12288, heads=96, ffn=49152, vocabulary=50257, sequence=2048, positions="learned", biases=True)
BLOOM = Transformer(layers=70, hidden=14336, heads=112, ffn=57344, vocabulary=250880, sequence=2048, positions="alibi", biases=True)
LLAMA2_70B = Transformer(
    layers=80, hidden=8192, heads=64, key_value_heads=8, ffn=28672, vocabulary=32000, sequence=4096, gated=True, tied_embeddings=False,
    norm="rms",
)  # fmt: skip
LLAMA_405B = Transformer(
    layers=126, hidden=16384, heads=128, key_value_heads=8, ffn=53248, vocabulary=128256, sequence=8192, gated=True, tied_embeddings=False,
    norm="rms",
)  # fmt: skip
MIXTRAL = Transformer(
    layers=32, hidden=4096, heads=32, key_value_heads=8, ffn=14336, vocabulary=32000, sequence=32768, gated=True, tied_embeddings=False,
    norm="rms",
    experts=Experts(count=8, active=2, ffn=14336),
)  # fmt: skip
DEEPSEEK_V3 = Transformer(
    layers=61, hidden=7168, heads=128, head_size=128, ffn=18432, vocabulary=129280, sequence=4096, gated=True, tied_embeddings=False,
    norm="rms",
    experts=Experts(count=256, active=8, ffn=2048, shared=1, first_dense=3),
    latent_attention=LatentAttention(query_rank=1536, key_value_rank=512, rotary_head=64, value_head=128),
)  # fmt: skip
LLAMA4_MAVERICK = Transformer(
    layers=48, hidden=5120, heads=40, key_value_heads=8, head_size=128, ffn=16384, vocabulary=202048, sequence=8192, gated=True,
    tied_embeddings=False, norm="rms",
    experts=Experts(count=128, active=1, ffn=8192, shared=1, every=2),
)  # fmt: skip


@pytest.mark.parametrize(
    ("model", "total", "active"),
    [
        (GPT3, 174.6e9, 174.6e9),  # Brown et al. 2020, table D.1
        (BLOOM, 176.247e9, 176.247e9),  # BLOOM model card: 176,247,271,424
        (LLAMA2_70B, 68.98e9, 68.98e9),  # Llama 2 weights: 68,976,648,192
        (LLAMA_405B, 405.85e9, 405.85e9),  # Llama 3.1 405B weights: 405,853,388,800
        (MIXTRAL, 46.7e9, 12.9e9),  # Jiang et al. 2024
        (DEEPSEEK_V3, 671e9, 37.55e9),  # DeepSeek-V3 report: 671B, 37B activated
        (LLAMA4_MAVERICK, 400.7e9, 17.17e9),  # Meta, April 2025: 400B, 17B active
    ],
)
def test_parameters_match_the_published_totals(model: Transformer, total: float, active: float) -> None:
    counted = parameters(model)
    assert counted.total == pytest.approx(total, rel=1e-3)
    assert counted.active == pytest.approx(active, rel=5e-3)
    assert math.fsum(counted.parts.values()) == counted.total


@pytest.mark.parametrize("first_dense", [0, 1, 4, 20])
@pytest.mark.parametrize("every", [1, 2, 3, 5])
def test_dense_layers_are_counted_as_they_are_laid(first_dense: int, every: int) -> None:
    model = dataclasses.replace(DEEPSEEK_V3, layers=17, experts=Experts(count=4, active=1, ffn=8, first_dense=first_dense, every=every))
    with_experts = [layer >= first_dense and (layer + 1) % every == 0 for layer in range(model.layers)]
    assert [dense_layers(model, first) for first in range(18)] == [with_experts[:first].count(False) for first in range(18)]
    assert dense_layers(model) == with_experts.count(False)


def test_recompute_of_some_layers_executes_their_share() -> None:
    none, third, full = (hardware_flop(LLAMA2_70B, 4096, "full", share).total for share in (0.0, 1 / 3, 1.0))
    assert none == model_flop(LLAMA2_70B, 4096).total
    assert third == pytest.approx(none + (full - none) / 3)


def test_exact_counts() -> None:
    assert parameters(LLAMA_405B).total == 405_853_388_800
    assert parameters(LLAMA2_70B).total == 68_976_648_192
    # The card counts one more norm (after the embedding): 2 x 14336.
    assert parameters(BLOOM).total == 176_247_271_424 - 2 * 14336


def test_flop_match_the_formula_of_the_megatron_paper() -> None:
    # Narayanan et al. 2021, eq. (3): F = 96 B s l h^2 (1 + s/6h + V/16lh), with full recompute of the layers.
    model = Transformer(layers=128, hidden=25600, heads=160, ffn=102400, vocabulary=51200, sequence=2048, positions="learned", biases=True)
    s, layers, h, v = 2048, 128, 25600, 51200
    assert hardware_flop(model, s, "full").total == pytest.approx(96 * layers * h**2 * (1 + s / (6 * h) + v / (16 * layers * h)), rel=1e-12)
    assert model_flop(model, s).total == pytest.approx(72 * layers * h**2 * (1 + s / (6 * h) + v / (12 * layers * h)), rel=1e-12)


def test_prediction_layers_are_trained_and_counted_apart() -> None:
    more = parameters(dataclasses.replace(DEEPSEEK_V3, prediction_heads=1))
    # 14B in the report, the shared embedding and output (1.85B) included.
    assert more.parts["prediction"] == pytest.approx(14e9 - 1.85e9, rel=0.06)
    assert more.active == parameters(DEEPSEEK_V3).active


def test_a_window_bounds_attention() -> None:
    windowed = dataclasses.replace(MIXTRAL, window=4096)
    assert model_flop(windowed, 32768).attention * 8 == model_flop(MIXTRAL, 32768).attention
