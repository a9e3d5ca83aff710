"""How many parameters, and how many FLOP per token, by closed form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from simulator.model.transformer import Transformer


@dataclass(frozen=True, kw_only=True)
class Product:
    """One weight matrix by which every visiting token is multiplied: (tokens x k) times (k x n).

    Args:
        k, n: inner and outer width of the whole, unsplit matrix.
        split: which side tensor parallelism divides: `column` (n), `row` (k) or `none` (every tensor rank holds it whole).
        part: the component it belongs to.
        count: copies in one layer that share the shape (the experts of a mixture).
        active: copies that one token visits.
    """

    name: str
    k: int
    n: int
    split: Literal["column", "row", "none"]
    part: Literal["attention", "ffn", "experts", "shared_experts", "router"]
    count: int = 1
    active: int = 1


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Parameters of a model by component; `active` are those that one token visits.

    Args:
        parts: component -> parameters; sums to `total`.
        total: all that is trained, extra prediction layers included.
        active: visited by one token in the main model (both embeddings counted, prediction layers not).
        matrix: active parameters in matrix products, output embedding (logits) included: the `N` of model FLOP = 6 N per token.
    """

    parts: Mapping[str, int]
    total: int
    active: int
    matrix: int


def products(model: Transformer, dense: bool = False) -> tuple[Product, ...]:
    """The weight matrices of one layer; `dense` asks for the dense layers of a mixture of experts.

    Queries, keys and values are one product, and so are gate and up projection, as every framework computes them.
    """
    return _attention(model) + _feed_forward(model, dense)


def _attention(model: Transformer) -> tuple[Product, ...]:
    hidden, heads, size = model.hidden, model.heads, head_size(model)
    latent = model.latent_attention
    if latent is None:
        kv = model.key_value_heads or heads
        return (
            Product(name="qkv", k=hidden, n=(heads + 2 * kv) * size, split="column", part="attention"),
            Product(name="attention_out", k=heads * size, n=hidden, split="row", part="attention"),
        )
    query_width = heads * (size + latent.rotary_head)
    down = (latent.query_rank or 0) + latent.key_value_rank + latent.rotary_head
    query = Product(name="q_up", k=latent.query_rank or hidden, n=query_width, split="column", part="attention")
    return (
        Product(name="latent_down", k=hidden, n=down, split="none", part="attention"),
        query,
        Product(name="kv_up", k=latent.key_value_rank, n=heads * (size + latent.value_head), split="column", part="attention"),
        Product(name="attention_out", k=heads * latent.value_head, n=hidden, split="row", part="attention"),
    )


def _feed_forward(model: Transformer, dense: bool) -> tuple[Product, ...]:
    hidden, wide, experts = model.hidden, 2 if model.gated else 1, model.experts
    if experts is None or dense:
        return (
            Product(name="ffn_up", k=hidden, n=wide * model.ffn, split="column", part="ffn"),
            Product(name="ffn_down", k=model.ffn, n=hidden, split="row", part="ffn"),
        )
    count, active = experts.count, experts.active
    answer = (
        Product(name="router", k=hidden, n=experts.count, split="none", part="router"),
        Product(name="expert_up", k=hidden, n=wide * experts.ffn, split="column", part="experts", count=count, active=active),
        Product(name="expert_down", k=experts.ffn, n=hidden, split="row", part="experts", count=count, active=active),
    )
    if not experts.shared:
        return answer
    inner = experts.shared * (experts.shared_ffn or experts.ffn)
    return (
        *answer,
        Product(name="shared_up", k=hidden, n=wide * inner, split="column", part="shared_experts"),
        Product(name="shared_down", k=inner, n=hidden, split="row", part="shared_experts"),
    )


def head_size(model: Transformer) -> int:
    """Width of one head (of its part without rotation under latent attention)."""
    return model.head_size or model.hidden // model.heads


def dense_layers(model: Transformer, first: int | None = None) -> int:
    """Layers with a dense feed-forward block among the `first` ones, or in the whole model: all of them without experts."""
    count, experts = model.layers if first is None else first, model.experts
    if experts is None:
        return count
    return count - (count // experts.every - min(experts.first_dense, count) // experts.every)


def layer_parameters(model: Transformer, dense: bool = False) -> Mapping[str, int]:
    """Parameters of one layer by component: its matrices, biases and norms."""
    parts: dict[str, int] = {}
    for product in products(model, dense):
        parts[product.part] = parts.get(product.part, 0) + product.k * product.n * product.count
    if model.biases:
        parts["biases"] = sum(product.n * product.count for product in products(model, dense) if product.part != "router")
    norm = model.hidden * (2 if model.norm == "layer" else 1)
    # A parallel block reads one norm for both halves (GPT-J); NeoX keeps two, a difference of 2 * hidden per layer that nothing can see.
    parts["norms"] = (1 if model.parallel_blocks else 2) * norm
    if model.latent_attention is not None:
        parts["norms"] += (model.latent_attention.query_rank or 0) + model.latent_attention.key_value_rank
    return parts


def parameters(model: Transformer, sequence: int | None = None) -> Parameters:
    """Parameters of the whole model.

    Args:
        sequence: length of the learned positions [tokens]; the model's own where absent.

    Accuracy: exact for the architectures that the class can say; bias conventions (none on attention only, say) move it by < 0.1 %.

    Source: counting; for GPT-3, Narayanan et al. 2021 (arXiv:2104.04473), eq. (2).
    """
    embedding = model.vocabulary * model.hidden
    parts: dict[str, int] = {"embeddings": embedding}
    if not model.tied_embeddings:
        parts["output"] = embedding
    if model.positions == "learned":
        parts["positions"] = (sequence or model.sequence) * model.hidden
    dense = dense_layers(model)
    for count, is_dense in ((dense, True), (model.layers - dense, False)):
        for part, size in layer_parameters(model, is_dense).items() if count else ():
            parts[part] = parts.get(part, 0) + count * size
    final_norm = model.hidden * (2 if model.norm == "layer" else 1)
    parts["norms"] += final_norm
    main = sum(parts.values())
    if model.prediction_heads:
        # One more layer each, two norms and a projection of 2 hidden -> hidden; embedding and output are shared. Source: DeepSeek-V3, 2.2.
        layer = sum(layer_parameters(model).values())
        parts["prediction"] = model.prediction_heads * (layer + 2 * model.hidden**2 + 2 * final_norm)
    idle = sum((p.count - p.active) * p.k * p.n for p in products(model)) * (model.layers - dense)
    visited = [sum(p.active * p.k * p.n for p in products(model, is_dense)) for is_dense in (True, False)]
    matrix = embedding + dense * visited[0] + (model.layers - dense) * visited[1]
    return Parameters(parts=parts, total=sum(parts.values()), active=main - idle, matrix=matrix)


@dataclass(frozen=True, kw_only=True)
class FlopPerToken:
    """FLOP of one token through forward and backward pass [FLOP]."""

    matrix: float
    attention: float

    @property
    def total(self) -> float:
        """Matrix products and attention."""
        return self.matrix + self.attention


def attention_flop(model: Transformer, sequence: int) -> float:
    """Forward FLOP of attention (scores and values) for one token in one layer, full and not causal [FLOP].

    Source: 2 s a d for each of the two products; Narayanan et al. 2021, appendix.
    """
    seen = min(sequence, model.window or sequence)
    size = head_size(model)
    latent = model.latent_attention
    score, value = (size, size) if latent is None else (size + latent.rotary_head, latent.value_head)
    return 2.0 * seen * model.heads * (score + value)


def model_flop(model: Transformer, sequence: int) -> FlopPerToken:
    """Model FLOP per token: 6 x active matrix parameters, and 12 L heads head_size s of attention; no recompute.

    Prediction layers are counted: they are trained. Source: SCENARIO definitions; Narayanan et al. 2021, eq. (3) without its recompute.
    """
    one_more = sum(p.active * p.k * p.n for p in products(model)) + model.vocabulary * model.hidden + 2 * model.hidden**2
    matrix = 6.0 * (parameters(model).matrix + model.prediction_heads * one_more)
    return FlopPerToken(matrix=matrix, attention=3.0 * (model.layers + model.prediction_heads) * attention_flop(model, sequence))


def hardware_flop(model: Transformer, sequence: int, recompute: Literal["none", "selective", "full"], share: float = 1.0) -> FlopPerToken:
    """FLOP per token that the machine executes: model FLOP and what is computed twice.

    Full recompute repeats the forward pass of a `share` of the layers (not of the logits); selective repeats the attention core.
    Source: Korthikanti et al. 2022 (arXiv:2205.05198), section 5.
    """
    flop = model_flop(model, sequence)
    again = flop.attention / 3 * share if recompute != "none" else 0.0
    logits = 6.0 * model.vocabulary * model.hidden * (1 + model.prediction_heads)
    matrix = (flop.matrix - logits) / 3 * share if recompute == "full" else 0.0
    return FlopPerToken(matrix=flop.matrix + matrix, attention=flop.attention + again)
