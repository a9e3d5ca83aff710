"""Hugging Face configurations: counted against the modules that transformers builds from them, against the catalogue, and refused."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.errors import ProblemsError
from simulator.model import convert, model_flop, parameters
from simulator.scenario import entry

Json = dict[str, Any]

BOOKKEEPING: Json = {"architectures": ["X"], "torch_dtype": "bfloat16", "use_cache": True, "bos_token_id": 1, "initializer_range": 0.02}
LLAMA: Json = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 176, "num_hidden_layers": 3, "num_attention_heads": 8,
    "num_key_value_heads": 2, "vocab_size": 1000, "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "hidden_act": "silu",
}  # fmt: skip


def llama(**changes: Any) -> Json:
    return BOOKKEEPING | LLAMA | changes


def attention(hidden: int, heads: int, kv: int, size: int, bias: bool = False, out_bias: bool = False) -> int:
    """q_proj, k_proj, v_proj, o_proj as transformers makes them."""
    return hidden * (heads + 2 * kv) * size + bias * (heads + 2 * kv) * size + heads * size * hidden + out_bias * hidden


GATED = 3 * 64 * 176
NORM = 64
LINEAR = {"n_embd": 64, "n_layer": 3, "n_head": 8, "vocab_size": 1000, "n_positions": 128}
LATENT = {
    "num_key_value_heads": 8, "q_lora_rank": 24, "kv_lora_rank": 16, "qk_nope_head_dim": 8, "qk_rope_head_dim": 4, "v_head_dim": 6,
    "n_routed_experts": 16, "num_experts_per_tok": 4, "moe_intermediate_size": 20, "n_shared_experts": 2, "first_k_dense_replace": 1,
    "moe_layer_freq": 1, "n_group": 4, "topk_group": 2, "topk_method": "group_limited_greedy",
}  # fmt: skip
LATENT_ATTENTION = 64 * 24 + 24 + 24 * 8 * 12 + 64 * (16 + 4) + 16 + 16 * 8 * (8 + 6) + 8 * 6 * 64
LATENT_EXPERTS = 16 * 64 + 16 * 3 * 64 * 20 + 3 * 64 * 40
WITH_BIAS = attention(64, 8, 8, 8, True, True) + 2 * 64 * 256 + 256 + 64  # attention and two linears, every one with a bias
EMBEDDING = 1000 * 64

# Name -> (configuration, parameters of the modules that transformers builds from it).
COUNTED: dict[str, tuple[Json, int]] = {
    "llama": (llama(), 2 * EMBEDDING + 3 * (attention(64, 8, 2, 8) + GATED + 2 * NORM) + NORM),
    "llama tied": (llama(tie_word_embeddings=True), EMBEDDING + 3 * (attention(64, 8, 2, 8) + GATED + 2 * NORM) + NORM),
    "llama with biases": (
        llama(attention_bias=True, mlp_bias=True),
        2 * EMBEDDING + 3 * (attention(64, 8, 2, 8, True, True) + GATED + 2 * 176 + 64 + 2 * NORM) + NORM,
    ),
    "llama with biases of the attention": (
        llama(attention_bias=True),
        2 * EMBEDDING + 3 * (attention(64, 8, 2, 8, True, True) + GATED + 2 * NORM) + NORM,
    ),
    "mistral": (
        llama(model_type="mistral", sliding_window=32, head_dim=16),
        2 * EMBEDDING + 3 * (attention(64, 8, 2, 16) + GATED + 2 * NORM) + NORM,
    ),
    "mixtral": (
        llama(model_type="mixtral", num_local_experts=4, num_experts_per_tok=2, sliding_window=None, router_aux_loss_coef=0.02),
        2 * EMBEDDING + 3 * (attention(64, 8, 2, 8) + 4 * GATED + 64 * 4 + 2 * NORM) + NORM,
    ),
    "qwen2": (
        llama(model_type="qwen2", use_sliding_window=False, sliding_window=32, max_window_layers=2),
        2 * EMBEDDING + 3 * (attention(64, 8, 2, 8, True) + GATED + 2 * NORM) + NORM,
    ),
    "qwen2_moe": (
        llama(
            model_type="qwen2_moe", num_experts=4, num_experts_per_tok=2, moe_intermediate_size=40, shared_expert_intermediate_size=80,
            decoder_sparse_step=1, mlp_only_layers=[],
        ),
        2 * EMBEDDING + 3 * (attention(64, 8, 2, 8, True) + 3 * 64 * (4 * 40 + 80) + 64 * 4 + 64 + 2 * NORM) + NORM,
    ),
    "qwen2_moe in every other layer": (
        llama(
            model_type="qwen2_moe", num_experts=4, num_experts_per_tok=2, moe_intermediate_size=40, shared_expert_intermediate_size=80,
            decoder_sparse_step=2, num_hidden_layers=4,
        ),
        2 * EMBEDDING + 4 * (attention(64, 8, 2, 8, True) + 2 * NORM) + 2 * (GATED + 3 * 64 * (4 * 40 + 80) + 64 * 4 + 64) + NORM,
    ),
    "llama4_text": (
        llama(
            model_type="llama4_text", num_local_experts=4, num_experts_per_tok=1, intermediate_size=40, intermediate_size_mlp=176,
            interleave_moe_layer_step=2, moe_layers=[1, 3], num_hidden_layers=4, attention_chunk_size=64, use_qk_norm=True,
        ),
        2 * EMBEDDING + 4 * (attention(64, 8, 2, 8) + 2 * NORM) + 2 * (GATED + 3 * 64 * (4 + 1) * 40 + 64 * 4) + NORM,
    ),
    "qwen3": (
        llama(model_type="qwen3", head_dim=16),
        2 * EMBEDDING + 3 * (attention(64, 8, 2, 16) + 2 * 16 + GATED + 2 * NORM) + NORM,
    ),
    "granite": (
        llama(model_type="granite", embedding_multiplier=12.0, residual_multiplier=0.22, attention_multiplier=0.1, logits_scaling=8.0),
        2 * EMBEDDING + 3 * (attention(64, 8, 2, 8) + GATED + 2 * NORM) + NORM,
    ),
    "olmo2": (
        llama(model_type="olmo2"),
        2 * EMBEDDING + 3 * (attention(64, 8, 2, 8) + (8 + 2) * 8 + GATED + 2 * NORM) + NORM,
    ),
    "qwen3_moe": (
        llama(model_type="qwen3_moe", head_dim=16, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=40, mlp_only_layers=[0]),
        2 * EMBEDDING + 3 * (attention(64, 8, 2, 16) + 2 * 16 + 2 * NORM) + GATED + 2 * (4 * 3 * 64 * 40 + 64 * 4) + NORM,
    ),
    "deepseek_v2": (
        llama(model_type="deepseek_v2", **LATENT),
        2 * EMBEDDING + 3 * (LATENT_ATTENTION + 2 * NORM) + GATED + 2 * LATENT_EXPERTS + NORM,
    ),
    "deepseek_v2 lite": (
        llama(model_type="deepseek_v2", **LATENT | {"q_lora_rank": None}),
        2 * EMBEDDING + 3 * (LATENT_ATTENTION + 2 * NORM - 64 * 24 - 24 - 24 * 8 * 12 + 64 * 8 * 12) + GATED + 2 * LATENT_EXPERTS + NORM,
    ),
    "deepseek_v3": (
        llama(model_type="deepseek_v3", **LATENT | {"topk_method": "noaux_tc"}),
        2 * EMBEDDING + 3 * (LATENT_ATTENTION + 2 * NORM) + GATED + 2 * (LATENT_EXPERTS + 16) + NORM,
    ),
    "kimi_k2": (
        llama(model_type="kimi_k2", num_nextn_predict_layers=0, **LATENT),
        2 * EMBEDDING + 3 * (LATENT_ATTENTION + 2 * NORM) + GATED + 2 * (LATENT_EXPERTS + 16) + NORM,
    ),
    "gpt_neox": (
        {"model_type": "gpt_neox", "hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 3, "num_attention_heads": 8,
         "vocab_size": 1000, "max_position_embeddings": 128, "rotary_pct": 0.25, "use_parallel_residual": True},
        2 * EMBEDDING + 3 * (WITH_BIAS + 4 * NORM) + 2 * NORM,
    ),
    "gpt2": ({"model_type": "gpt2", "n_ctx": 128, **LINEAR}, EMBEDDING + 128 * 64 + 3 * (WITH_BIAS + 4 * NORM) + 2 * NORM),
    "opt": (
        {"model_type": "opt", "hidden_size": 64, "ffn_dim": 256, "num_hidden_layers": 3, "num_attention_heads": 8, "vocab_size": 1000,
         "max_position_embeddings": 128, "word_embed_proj_dim": 64, "do_layer_norm_before": True, "layerdrop": 0.0},
        EMBEDDING + 130 * 64 + 3 * (WITH_BIAS + 4 * NORM) + 2 * NORM,
    ),
    "bloom": (
        {"model_type": "bloom", "hidden_size": 64, "n_layer": 3, "num_attention_heads": 8, "vocab_size": 1000, "seq_length": 128},
        EMBEDDING + 2 * NORM + 3 * (WITH_BIAS + 4 * NORM) + 2 * NORM,
    ),
    "falcon": (
        {"model_type": "falcon", "hidden_size": 64, "num_attention_heads": 8, "num_hidden_layers": 3, "vocab_size": 1000, "bias": False,
         "max_position_embeddings": 128, "multi_query": True, "parallel_attn": True, "new_decoder_architecture": False, "alibi": False},
        EMBEDDING + 3 * (attention(64, 8, 1, 8) + 8 * 64 * 64 + 2 * NORM) + 2 * NORM,
    ),
    "falcon new": (
        {"model_type": "falcon", "hidden_size": 64, "num_attention_heads": 8, "num_hidden_layers": 3, "vocab_size": 1000, "bias": False,
         "max_position_embeddings": 128, "num_kv_heads": 4, "new_decoder_architecture": True},
        EMBEDDING + 3 * (attention(64, 8, 4, 8) + 8 * 64 * 64 + 4 * NORM) + 2 * NORM,
    ),
    "phi": (
        llama(model_type="phi", num_key_value_heads=None, intermediate_size=256, partial_rotary_factor=0.5, qk_layernorm=False),
        2 * EMBEDDING + 1000 + 3 * (WITH_BIAS + 2 * NORM) + 2 * NORM,
    ),
    "phi3": (
        llama(model_type="phi3", attention_bias=False, sliding_window=2047, original_max_position_embeddings=64),
        2 * EMBEDDING + 3 * (attention(64, 8, 2, 8) + GATED + 2 * NORM) + NORM,
    ),
    "gemma": (llama(model_type="gemma", head_dim=16), EMBEDDING + 3 * (attention(64, 8, 2, 16) + GATED + 2 * NORM) + NORM),
    "gemma2": (
        llama(model_type="gemma2", head_dim=16, sliding_window=32),
        EMBEDDING + 3 * (attention(64, 8, 2, 16) + GATED + 4 * NORM) + NORM,
    ),
    "gemma3_text": (
        llama(model_type="gemma3_text", head_dim=16, sliding_window=32, sliding_window_pattern=3),
        EMBEDDING + 3 * (attention(64, 8, 2, 16) + 2 * 16 + GATED + 4 * NORM) + NORM,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTED)
def test_parameters_are_those_of_the_modules(name: str) -> None:
    config, expected = COUNTED[name]
    found = convert(config)
    assert parameters(found.model).total + sum(found.uncounted.values()) == expected
    assert sum(map(abs, found.uncounted.values())) < 0.03 * expected


def test_every_known_architecture_is_counted() -> None:
    with pytest.raises(ProblemsError, match="known: ") as refused:
        convert({})
    known = str(refused.value).partition("known: ")[2].split(", ")
    assert set(known) == {config["model_type"] for config, _ in COUNTED.values()}


def published(model_type: str, layers: int, hidden: int, heads: int, ffn: int, vocabulary: int, **more: Any) -> Json:
    return {
        "model_type": model_type, "num_hidden_layers": layers, "hidden_size": hidden, "num_attention_heads": heads,
        "intermediate_size": ffn, "vocab_size": vocabulary, "max_position_embeddings": 4096, "tie_word_embeddings": False, **more,
    }  # fmt: skip


MLA: Json = {
    "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "moe_layer_freq": 1,
}  # fmt: skip
CATALOGUED: dict[str, Json] = {
    "llama-3-8b": published("llama", 32, 4096, 32, 14336, 128256, num_key_value_heads=8),
    "llama-3-70b": published("llama", 80, 8192, 64, 28672, 128256, num_key_value_heads=8),
    "llama-3.1-405b": published("llama", 126, 16384, 128, 53248, 128256, num_key_value_heads=8),
    "mixtral-8x7b": published("mixtral", 32, 4096, 32, 14336, 32000, num_key_value_heads=8, num_local_experts=8, num_experts_per_tok=2),
    "qwen2.5-72b": published("qwen2", 80, 8192, 64, 29568, 152064, num_key_value_heads=8),
    "qwen3-30b-a3b": published(
        "qwen3_moe", 48, 2048, 32, 6144, 151936, num_key_value_heads=4, head_dim=128, num_experts=128, num_experts_per_tok=8,
        moe_intermediate_size=768,
    ),
    "deepseek-v2": published(
        "deepseek_v2", 60, 5120, 128, 12288, 102400, n_routed_experts=160, num_experts_per_tok=6, moe_intermediate_size=1536,
        n_shared_experts=2, first_k_dense_replace=1, **MLA,
    ),
    "deepseek-v3": published(
        "deepseek_v3", 61, 7168, 128, 18432, 129280, n_routed_experts=256, num_experts_per_tok=8, moe_intermediate_size=2048,
        n_shared_experts=1, first_k_dense_replace=3, num_nextn_predict_layers=1, **MLA,
    ),
    "kimi-k2": published(
        "kimi_k2", 61, 7168, 64, 18432, 163840, n_routed_experts=384, num_experts_per_tok=8, moe_intermediate_size=2048,
        n_shared_experts=1, first_k_dense_replace=1, **MLA,
    ),
    "pythia-2.8b": published("gpt_neox", 32, 2560, 32, 10240, 50304),
    "gpt-neox-20b": published("gpt_neox", 44, 6144, 64, 24576, 50432),
    "opt-175b": {"model_type": "opt", "num_hidden_layers": 96, "hidden_size": 12288, "num_attention_heads": 96, "ffn_dim": 49152,
                 "vocab_size": 50272, "max_position_embeddings": 2048},
    "bloom-176b": {"model_type": "bloom", "n_layer": 70, "n_embed": 14336, "num_attention_heads": 112, "vocab_size": 250880,
                   "seq_length": 2048},
}  # fmt: skip


@pytest.mark.parametrize("name", CATALOGUED)
def test_agrees_with_the_catalogue(name: str) -> None:
    known = entry("models", name)
    model = convert(CATALOGUED[name], sequence=known.sequence).model
    assert parameters(model) == parameters(known)
    assert model_flop(model, 4096) == model_flop(known, 4096)


def test_extended_positions_are_not_the_training_length() -> None:
    scaled = {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 64}
    found = convert(llama(rope_scaling=scaled))
    assert found.model.sequence == 64
    assert found.sequence_from == "rope_scaling.original_max_position_embeddings"
    assert convert(llama(), sequence=32).model.sequence == 32
    assert convert(llama()).sequence_from == "max_position_embeddings"


def test_windows_of_some_layers_are_said() -> None:
    found = convert(COUNTED["gemma2"][0])
    assert found.model.window is None
    assert any("2 of 3 layers" in remark for remark in found.remarks)
    assert not convert(COUNTED["gemma2"][0], sequence=32).remarks
    used = {"use_sliding_window": True, "sliding_window": 32, "max_window_layers": 0}
    assert convert(llama(model_type="qwen2", **used)).model.window == 32
    assert convert(llama(model_type="mistral", sliding_window=32)).model.window == 32


@pytest.mark.parametrize(
    ("changes", "path", "what"),
    [
        ({"hidden_size": None}, "hidden_size", "missing"),
        ({"vocab_size": "many"}, "vocab_size", "whole number"),
        ({"tie_word_embeddings": 3}, "tie_word_embeddings", "true or false"),
        ({"use_bitnet": True}, "use_bitnet", "--ignore use_bitnet"),
        ({"use_bitnet": False}, "use_bitnet", "not known"),
        ({"is_encoder_decoder": True}, "is_encoder_decoder", "decoder alone"),
        ({"model_type": "lama"}, "model_type", "did you mean llama"),
        ({"model_type": "gemma3", "text_config": {}}, "model_type", "text_config"),
        ({"max_position_embeddings": None}, "max_position_embeddings", "--sequence"),
        ({"num_attention_heads": 7}, "", "not a multiple"),
        ({"model_type": "mixtral"}, "num_local_experts", "missing"),
        ({"model_type": "qwen3_moe", "decoder_sparse_step": 0}, "decoder_sparse_step", "at least 1"),
        ({"model_type": "llama4_text", "moe_layers": [0, 2]}, "moe_layers", "does not say"),
        ({"model_type": "qwen3_moe", "mlp_only_layers": [2]}, "mlp_only_layers", "leading"),
        ({"model_type": "deepseek_v3", "moe_layer_freq": 2}, "moe_layer_freq", "every layer"),
        ({"model_type": "phi3", "lm_head_bias": True}, "lm_head_bias", "everywhere or nowhere"),
        ({"model_type": "opt", "word_embed_proj_dim": 32}, "word_embed_proj_dim", "as wide"),
        ({"model_type": "gemma2", "layer_types": ["linear_attention"] * 3}, "layer_types", "sliding_attention"),
    ],
)
def test_refuses_by_name(changes: Json, path: str, what: str) -> None:
    with pytest.raises(ProblemsError) as refused:
        convert(llama(**changes), file="config.json")
    assert any(problem.path == path and what in str(problem) for problem in refused.value.problems), refused.value
    assert all(problem.file == "config.json" for problem in refused.value.problems)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(ProblemsError) as refused:
        convert({"model_type": "llama", "odd": 1})
    assert {problem.path for problem in refused.value.problems} > {"hidden_size", "num_hidden_layers", "odd"}


def test_ignored_fields_are_said() -> None:
    found = convert(llama(use_bitnet=False), ignored=("use_bitnet",))
    assert found.remarks == ("use_bitnet was ignored as asked",)
