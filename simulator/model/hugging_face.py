"""A Hugging Face `config.json` as a model of ours: every field is mapped, known to change nothing, or refused by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.errors import MendableError, Problem, ProblemsError, did_you_mean
from simulator.model.parameters import dense_layers, head_size
from simulator.model.transformer import Experts, LatentAttention, Transformer

Json = Mapping[str, Any]

_LENGTHS = ("original_max_position_embeddings", "max_position_embeddings", "n_positions", "seq_length")
"""Fields that say how long a sequence can be, the first one that is there counts."""


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """A model as converted, and what it could not take over.

    Args:
        uncounted: what the checkpoint holds and `parameters(model)` does not count -> parameters; negative where it counts too many.
        remarks: whole sentences on what is counted otherwise than the configuration says, and on fields that were ignored as asked.
        sequence_from: the field that gave the length of a sequence; empty where the caller gave it.
    """

    model: Transformer
    uncounted: Mapping[str, int]
    remarks: tuple[str, ...]
    sequence_from: str


def convert(config: Json, *, sequence: int | None = None, ignored: Collection[str] = (), file: str = "") -> Conversion:
    """The model that a configuration describes.

    Args:
        sequence: length to train at [tokens]; the longest that the configuration allows before any extension where absent.
        ignored: fields that the caller says change no shape and no operation.
        file: named in problems.

    Raises:
        ProblemsError: with every field that is missing, malformed, unknown, or says what a `Transformer` cannot.

    Accuracy: parameters as the checkpoint has them once `uncounted` is added (tests/unit/model/test_hugging_face.py).
    Source: configuration and modelling classes of https://github.com/huggingface/transformers, src/transformers/models.
    """
    read = _Config(config, file)
    kind = str(config.get("model_type") or "")
    if kind not in _FAMILIES:
        if isinstance(config.get("text_config"), Mapping):
            mend = "import what stands under text_config as a file of its own; the encoder of images or sound is not modelled"
        else:
            mend = did_you_mean(kind, _FAMILIES) if kind else f"known: {', '.join(_FAMILIES)}"
        raise ProblemsError((Problem(what=f"the architecture {kind!r} is not known", mend=mend, path="model_type", file=file),))
    found = _FAMILIES[kind](read)
    found.fields["sequence"], origin = (sequence, "") if sequence else _sequence(read)
    read.take(*_LENGTHS)
    read.only("is_encoder_decoder", (False,), "a decoder alone is expected")
    unknown = [name for name in config if name not in read.used and name not in _BOOKKEEPING and name not in ignored]
    for name in unknown:
        read.refuse(name, "is not known, and may change what is computed", f"--ignore {name} if it changes no shape and no operation")
    if read.problems:
        raise ProblemsError(tuple(read.problems))
    try:
        model = Transformer(**found.fields)
    except MendableError as error:
        raise ProblemsError((Problem(what=error.what, mend=error.mend, file=file),)) from None
    remarks = [*found.remarks, *(f"{name} was ignored as asked" for name in config if name in ignored and name not in read.used)]
    if found.windowed and found.window < model.sequence:
        remarks.append(
            f"{found.windowed} of {model.layers} layers see a window of {found.window} tokens; all are counted with full attention"
        )
    uncounted = {what: count(model) for what, count in found.uncounted.items()}
    return Conversion(model=model, uncounted={what: n for what, n in uncounted.items() if n}, remarks=tuple(remarks), sequence_from=origin)


_BIASES = "a model of ours has biases everywhere or nowhere"


class _Config:
    """Fields of one configuration: remembers which were read and what is wrong with them."""

    def __init__(self, config: Json, file: str) -> None:
        self.config, self.file = config, file
        self.used: set[str] = {"model_type"}
        self.problems: list[Problem] = []

    def refuse(self, name: str, what: str, mend: str = "") -> None:
        self.problems.append(Problem(what=what, mend=mend, path=name, file=self.file))

    def take(self, *names: str) -> Any:
        """The value under the first of these names that is there; None where none is, or where it is null."""
        self.used.update(names)
        return next((self.config[name] for name in names if self.config.get(name) is not None), None)

    def maybe(self, *names: str, least: int = 1) -> int | None:
        """A whole number, or None where there is none."""
        value = self.take(*names)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= least):
            return value
        self.refuse(names[0], f"is {value!r}, a whole number of at least {least} is expected")
        return None

    def count(self, *names: str) -> int:
        """A whole number that must be there."""
        value = self.maybe(*names)
        if value is None and not any(problem.path == names[0] for problem in self.problems):
            self.refuse(names[0], "is missing", f"write it into the configuration ({' or '.join(names)})")
        return value or 1

    def flag(self, name: str, default: bool) -> bool:
        """True or false; `default` is that of the configuration class, which Hugging Face leaves out when it writes."""
        value = self.take(name)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.refuse(name, f"is {value!r}, true or false is expected")
        return default

    def only(self, name: str, allowed: Collection[Any], why: str) -> None:
        """Refuse a field that says what the model cannot."""
        value = self.take(name)
        if value is not None and value not in allowed:
            self.refuse(name, f"is {value!r}: {why}")


@dataclass(kw_only=True)
class _Found:
    """What a family makes of a configuration, before it is a model."""

    fields: dict[str, Any]
    uncounted: dict[str, Callable[[Transformer], int]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    window: int = 0
    windowed: int = 0
    """Layers that see `window` tokens where the others see all."""


def _sequence(read: _Config) -> tuple[int, str]:
    for inside in ("rope_scaling", "rope_parameters"):
        scaling = read.config.get(inside)
        if isinstance(scaling, Mapping) and isinstance(scaling.get("original_max_position_embeddings"), int):
            return scaling["original_max_position_embeddings"], f"{inside}.original_max_position_embeddings"
    found = next((name for name in _LENGTHS if read.config.get(name) is not None), "")
    length = read.maybe(*_LENGTHS)
    if length is None:
        read.refuse("max_position_embeddings", "is missing", "--sequence gives the length of a training sequence")
    return length or 1, found


def _shared(read: _Config, *, tied: bool, **fixed: Any) -> dict[str, Any]:
    """The names that most families share; `fixed` holds what the architecture itself says."""
    fields: dict[str, Any] = {
        "layers": read.count("num_hidden_layers"),
        "hidden": read.count("hidden_size"),
        "heads": read.count("num_attention_heads"),
        "ffn": read.count("intermediate_size"),
        "vocabulary": read.count("vocab_size"),
        "tied_embeddings": read.flag("tie_word_embeddings", tied),
    }
    return fields | fixed


def _plain(read: _Config, *, tied: bool, grouped: bool = False, **fixed: Any) -> _Found:
    """Plain or grouped attention; `grouped` families must say how many key-value heads they have: their class has a default of its own."""
    fields = _shared(read, tied=tied, **fixed)
    kv, size = read.maybe("num_key_value_heads"), read.maybe("head_dim")
    if grouped and "num_key_value_heads" not in read.config:
        read.count("num_key_value_heads")
    if kv is not None and kv != fields["heads"]:
        fields["key_value_heads"] = kv
    if size is not None and size * fields["heads"] != fields["hidden"]:
        fields["head_size"] = size
    return _Found(fields=fields)


def _qkv(model: Transformer) -> int:
    return model.layers * (model.heads + 2 * (model.key_value_heads or model.heads)) * head_size(model)


def _head_norms(model: Transformer) -> int:
    return model.layers * 2 * head_size(model)


def _all_heads_norms(model: Transformer) -> int:
    return model.layers * (model.heads + (model.key_value_heads or model.heads)) * head_size(model)


def _windows(read: _Config, found: _Found, windowed: Callable[[int], bool]) -> None:
    """Attention windows: of every layer, of none, or of some, by `layer_types` where given and by number otherwise."""
    window, types, layers = read.maybe("sliding_window", "sliding_window_size"), read.take("layer_types"), found.fields["layers"]
    if types is not None:
        if not isinstance(types, list) or len(types) != layers or not set(types) <= {"sliding_attention", "full_attention"}:
            read.refuse("layer_types", f"is not {layers} times sliding_attention or full_attention")
            return
        count = types.count("sliding_attention")
    else:
        count = sum(map(windowed, range(layers)))
    if window is None or not count:
        return
    if count == layers:
        found.fields["window"] = window
    else:
        found.window, found.windowed = window, count


def _llama(read: _Config) -> _Found:
    found = _plain(read, tied=False, gated=True, norm="rms")
    attention, feed_forward = read.flag("attention_bias", False), read.flag("mlp_bias", False)
    if attention and feed_forward:
        found.fields["biases"] = True
    elif attention:
        found.uncounted["biases of the attention"] = lambda model: _qkv(model) + model.layers * model.hidden
    elif feed_forward:
        found.uncounted["biases of the feed-forward block"] = lambda model: model.layers * (2 * model.ffn + model.hidden)
    return found


def _granite(read: _Config) -> _Found:
    read.take("embedding_multiplier", "residual_multiplier", "attention_multiplier", "logits_scaling")  # element by element
    return _llama(read)


def _olmo2(read: _Config) -> _Found:
    """Norms stand behind the blocks in place of before them: as many; those of queries and keys are over all heads."""
    found = _plain(read, tied=False, gated=True, norm="rms")
    read.only("attention_bias", (False,), _BIASES)
    found.uncounted["norms of queries and keys"] = _all_heads_norms
    return found


def _mistral(read: _Config, grouped: bool = True) -> _Found:
    found = _plain(read, tied=False, grouped=grouped, gated=True, norm="rms")
    for name in ("attention_bias", "mlp_bias", "lm_head_bias"):
        read.only(name, (False,), _BIASES)
    for name in ("full_attn_mod", "interpolate_factor"):  # of Phi-3: no layer is left out, no position squeezed
        read.only(name, (1,), "every layer attends alike in a model of ours")
    _windows(read, found, lambda layer: True)
    return found


def _mixtral(read: _Config) -> _Found:
    found = _mistral(read)
    count, active = read.count("num_local_experts"), read.count("num_experts_per_tok")
    found.fields["experts"] = Experts(count=count, active=active, ffn=found.fields["ffn"])
    return found


def _llama4(read: _Config) -> _Found:
    """Every `interleave_moe_layer_step`-th layer has experts, one of them shared; norms of queries and keys have no weights."""
    found = _plain(read, tied=False, grouped=True, gated=True, norm="rms", ffn=read.count("intermediate_size_mlp"))
    layers, step = found.fields["layers"], read.maybe("interleave_moe_layer_step") or 1
    routed = read.take("moe_layers")
    if routed is not None and routed != [layer for layer in range(layers) if (layer + 1) % step == 0]:
        read.refuse("moe_layers", f"is {routed!r}, which interleave_moe_layer_step: {step} does not say")
    read.only("attention_bias", (False,), _BIASES)
    read.take("use_qk_norm", "attn_temperature_tuning", "attn_scale", "floor_scale", "for_llm_compressor")  # element by element
    chunk, whole = read.maybe("attention_chunk_size"), read.maybe("no_rope_layer_interval") or 4
    read.take("no_rope_layers", "layer_types")
    if chunk is not None:
        found.window, found.windowed = chunk, layers - layers // whole
    count, active, inner = read.count("num_local_experts"), read.count("num_experts_per_tok"), read.count("intermediate_size")
    found.fields["experts"] = Experts(count=count, active=active, ffn=inner, shared=1, every=step)
    return found


def _qwen2(read: _Config) -> _Found:
    found = _plain(read, tied=False, grouped=True, gated=True, norm="rms")
    if read.flag("qkv_bias", True):
        found.uncounted["biases of queries, keys and values"] = _qkv
    _qwen_windows(read, found)
    return found


def _qwen3(read: _Config) -> _Found:
    found = _plain(read, tied=False, grouped=True, gated=True, norm="rms")
    if read.flag("attention_bias", False):
        found.uncounted["biases of the attention"] = lambda model: _qkv(model) + model.layers * model.hidden
    found.uncounted["norms of queries and keys"] = _head_norms
    _qwen_windows(read, found)
    return found


def _qwen_windows(read: _Config, found: _Found) -> None:
    full, used = read.maybe("max_window_layers", least=0), read.flag("use_sliding_window", False)
    if used:
        _windows(read, found, lambda layer: layer >= (full or 0))
    else:
        read.take("sliding_window", "layer_types")


def _qwen_experts(read: _Config, found: _Found) -> _Found:
    step, alone = read.maybe("decoder_sparse_step") or 1, read.take("mlp_only_layers") or []
    if not isinstance(alone, list) or sorted(alone) != list(range(len(alone))):
        read.refuse("mlp_only_layers", f"is {alone!r}: only leading layers can be dense")
        alone = []
    shared = read.maybe("shared_expert_intermediate_size", least=0)
    count, active, inner = (
        read.count("num_experts", "num_local_experts"),
        read.count("num_experts_per_tok"),
        read.count("moe_intermediate_size"),
    )
    found.fields["experts"] = Experts(
        count=count, active=active, ffn=inner, first_dense=len(alone), every=step, shared=1 if shared else 0, shared_ffn=shared or None
    )
    if shared:
        found.uncounted["gate of the shared expert"] = lambda model: _routed(model) * model.hidden
    return found


def _deepseek(read: _Config) -> _Found:
    read.take("head_dim")  # of transformers itself: the rotated part, which has its own field
    fields = _shared(read, tied=False, gated=True, norm="rms")
    found = _Found(fields=fields)
    read.only("num_key_value_heads", (fields["heads"],), "latent attention has as many key-value heads as heads")
    for name in ("attention_bias", "mlp_bias"):
        read.only(name, (False,), _BIASES)
    read.only("moe_layer_freq", (1,), "every layer after the leading dense ones has experts in a model of ours")
    groups, chosen = read.maybe("n_group"), read.maybe("topk_group")
    if groups and chosen and chosen < groups:
        found.remarks.append(
            f"each token visits {chosen} of {groups} groups of experts only, which the traffic between nodes does not know"
        )
    fields["head_size"] = read.count("qk_nope_head_dim")
    fields["latent_attention"] = LatentAttention(
        query_rank=read.maybe("q_lora_rank"),
        key_value_rank=read.count("kv_lora_rank"),
        rotary_head=read.count("qk_rope_head_dim"),
        value_head=read.count("v_head_dim"),
    )
    fields["experts"] = Experts(
        count=read.count("n_routed_experts", "num_experts"),
        active=read.count("num_experts_per_tok"),
        ffn=read.count("moe_intermediate_size"),
        shared=read.maybe("n_shared_experts", least=0) or 0,
        first_dense=read.maybe("first_k_dense_replace", least=0) or 0,
    )
    fields["prediction_heads"] = read.maybe("num_nextn_predict_layers", least=0) or 0
    if read.take("topk_method") == "noaux_tc" or read.config["model_type"] != "deepseek_v2":
        found.uncounted["correction biases of the routers"] = lambda model: _routed(model) * (model.experts.count if model.experts else 0)
    return found


def _routed(model: Transformer) -> int:
    return model.layers + model.prediction_heads - dense_layers(model)


def _gpt_neox(read: _Config) -> _Found:
    parallel = read.flag("use_parallel_residual", True)
    found = _plain(read, tied=False, norm="layer", biases=True, parallel_blocks=parallel)
    if parallel:
        found.uncounted["second norm of each layer"] = lambda model: 2 * model.hidden * model.layers
    if not read.flag("attention_bias", True):
        found.uncounted["biases of the attention, which it does not have"] = lambda model: -_qkv(model) - model.layers * model.hidden
    return found


def _gpt2(read: _Config) -> _Found:
    hidden = read.count("n_embd", "hidden_size")
    read.only("add_cross_attention", (False,), "a decoder without an encoder is expected")
    fields = {
        "layers": read.count("n_layer", "num_hidden_layers"),
        "hidden": hidden,
        "heads": read.count("n_head", "num_attention_heads"),
        "ffn": read.maybe("n_inner") or 4 * hidden,
        "vocabulary": read.count("vocab_size"),
        "tied_embeddings": read.flag("tie_word_embeddings", True),
        "positions": "learned",
        "biases": True,
        "norm": "layer",
    }
    read.take("n_ctx")
    found = _Found(fields=fields)
    return _learned(read, found, "n_positions", 0)


def _learned(read: _Config, found: _Found, name: str, more: int) -> _Found:
    """Learned positions: as many rows as the configuration says, and `more` for padding."""
    rows = read.count(name) + more
    found.uncounted["rows of the positions beyond the sequence"] = lambda model: (rows - model.sequence) * model.hidden
    return found


def _opt(read: _Config) -> _Found:
    hidden = read.count("hidden_size", "d_model")
    read.only("word_embed_proj_dim", (hidden,), "the embedding is as wide as the layers in a model of ours")
    read.only("enable_bias", (True,), "every OPT of this architecture has biases")
    read.only("layer_norm_elementwise_affine", (True,), "norms have weights in a model of ours")
    read.only("layerdrop", (0, 0.0), "no layer is skipped at random in a model of ours")
    final = read.flag("do_layer_norm_before", True) and not read.flag("_remove_final_layer_norm", False)
    fields = {
        "layers": read.count("num_hidden_layers"),
        "hidden": hidden,
        "heads": read.count("num_attention_heads"),
        "ffn": read.count("ffn_dim"),
        "vocabulary": read.count("vocab_size"),
        "tied_embeddings": read.flag("tie_word_embeddings", True),
        "positions": "learned",
        "biases": True,
        "norm": "layer",
    }
    found = _Found(fields=fields)
    if not final:
        found.uncounted["final norm, which it does not have"] = lambda model: -2 * model.hidden
    return _learned(read, found, "max_position_embeddings", 2)


def _bloom(read: _Config) -> _Found:
    hidden = read.count("hidden_size", "n_embed")
    fields = {
        "layers": read.count("n_layer", "num_hidden_layers"),
        "hidden": hidden,
        "heads": read.count("n_head", "num_attention_heads"),
        "ffn": read.maybe("n_inner") or 4 * hidden,
        "vocabulary": read.count("vocab_size"),
        "tied_embeddings": read.flag("tie_word_embeddings", True),
        "positions": "alibi",
        "biases": True,
        "norm": "layer",
    }
    return _Found(fields=fields, uncounted={"norm of the embedding": lambda model: 2 * model.hidden})


def _falcon(read: _Config) -> _Found:
    hidden, heads = read.count("hidden_size", "n_embed"), read.count("num_attention_heads", "n_head")
    new, many, kv = read.flag("new_decoder_architecture", False), read.flag("multi_query", True), read.maybe("num_kv_heads", "n_head_kv")
    parallel, norms = read.flag("parallel_attn", True) or new, read.maybe("num_ln_in_parallel_attn")
    fields = {
        "layers": read.count("num_hidden_layers", "n_layer"),
        "hidden": hidden,
        "heads": heads,
        "key_value_heads": (kv or heads) if new else 1 if many else heads,
        "ffn": read.maybe("ffn_hidden_size") or 4 * hidden,
        "vocabulary": read.count("vocab_size"),
        "tied_embeddings": read.flag("tie_word_embeddings", True),
        "positions": "alibi" if read.flag("alibi", False) else "rotary",
        "biases": read.flag("bias", False),
        "norm": "layer",
        "parallel_blocks": parallel,
    }
    found = _Found(fields=fields)
    if (new and norms != 1) or (parallel and norms == 2):
        found.uncounted["second norm of each layer"] = lambda model: 2 * model.hidden * model.layers
    return found


def _phi(read: _Config) -> _Found:
    found = _plain(read, tied=False, norm="layer", biases=True, parallel_blocks=True)
    found.uncounted["biases of the logits"] = lambda model: model.vocabulary
    if read.flag("qk_layernorm", False):
        found.uncounted["norms of queries and keys"] = lambda model: model.layers * 4 * head_size(model)
    return found


def _gemma(read: _Config) -> _Found:
    found = _plain(read, tied=True, grouped=True, gated=True, norm="rms")
    read.count("head_dim")
    read.only("attention_bias", (False,), _BIASES)
    return found


def _gemma2(read: _Config) -> _Found:
    found = _gemma(read)
    found.uncounted["norms behind the blocks"] = lambda model: 2 * model.layers * model.hidden
    read.only("use_bidirectional_attention", (False,), "attention is causal in a model of ours")
    _windows(read, found, lambda layer: layer % 2 == 0)
    return found


def _gemma3(read: _Config) -> _Found:
    pattern = read.maybe("sliding_window_pattern", "_sliding_window_pattern") or 6
    found = _gemma(read)
    found.uncounted["norms behind the blocks"] = lambda model: 2 * model.layers * model.hidden
    found.uncounted["norms of queries and keys"] = _head_norms
    read.only("use_bidirectional_attention", (False,), "attention is causal in a model of ours")
    _windows(read, found, lambda layer: (layer + 1) % pattern != 0)
    return found


_FAMILIES: Mapping[str, Callable[[_Config], _Found]] = {
    "llama": _llama,
    "granite": _granite,
    "olmo2": _olmo2,
    "mistral": _mistral,
    "mixtral": _mixtral,
    "llama4_text": _llama4,
    "qwen2": _qwen2,
    "qwen2_moe": lambda read: _qwen_experts(read, _qwen2(read)),
    "qwen3": _qwen3,
    "qwen3_moe": lambda read: _qwen_experts(read, _qwen3(read)),
    "deepseek_v2": _deepseek,
    "deepseek_v3": _deepseek,
    "kimi_k2": _deepseek,
    "gpt_neox": _gpt_neox,
    "gpt2": _gpt2,
    "opt": _opt,
    "bloom": _bloom,
    "falcon": _falcon,
    "phi": _phi,
    "phi3": lambda read: _mistral(read, grouped=False),
    "gemma": _gemma,
    "gemma2": _gemma2,
    "gemma3_text": _gemma3,
}
"""`model_type` -> how its configuration is read."""

_NAMES = """
    _attn_implementation _name_or_path architectures attn_implementation auto_map cache_implementation chat_template custom_pipelines
    id2label label2id name_or_path prefix problem_type task_specific_params tokenizer_class transformers_version
    dtype torch_dtype quantization_config use_cache use_return_dict return_dict output_attentions output_hidden_states
    output_past output_router_logits is_decoder gradient_checkpointing unsloth_fixed
    bos_token_id eos_token_id pad_token_id sep_token_id unk_token_id decoder_start_token_id forced_eos_token_id
    suppress_tokens begin_suppress_tokens vocab_file do_sample max_length temperature top_k top_p tie_encoder_decoder torchscript
    initializer_range init_std initializer_factor layer_norm_eps layer_norm_epsilon rms_norm_eps
    hidden_act hidden_activation activation_function
    activation_dropout attention_dropout attention_probs_dropout_prob attn_pdrop
    classifier_dropout dropout embd_pdrop hidden_dropout hidden_dropout_prob resid_pdrop
    summary_activation summary_first_dropout summary_proj_to_labels summary_type summary_use_proj
    attn_logit_softcapping final_logit_softcapping query_pre_attn_scalar scale_attn_weights scale_attn_by_inverse_layer_idx
    reorder_and_upcast_attn attention_softmax_in_fp32 masked_softmax_fusion bias_dropout_fusion slow_but_exact skip_bias_add
    skip_bias_add_qkv apply_residual_connection_post_layernorm offset_alibi pretraining_tp
    partial_rotary_factor rope_interleave rope_local_base_freq rope_parameters rope_scaling rope_theta rotary_emb_base rotary_pct
    aux_loss_alpha ep_size norm_topk_prob routed_scaling_factor router_aux_loss_coef router_jitter_noise scoring_func seq_aux topk_method
"""
_BOOKKEEPING = frozenset(_NAMES.split())
"""Fields that change no shape and no product: names, tokens, initial values, what is done element by element, how rotations are scaled,
how a router weighs and is balanced, and precision, which a scenario says."""
