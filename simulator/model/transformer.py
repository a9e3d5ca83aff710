"""What is trained: a decoder-only transformer as a handful of integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.spec import Sourced, require


@dataclass(frozen=True, kw_only=True)
class Experts:
    """A mixture of experts in place of the feed-forward block.

    Args:
        count: routed experts per layer.
        active: routed experts that each token visits (top-k).
        ffn: inner size of one expert.
        shared: experts that every token visits.
        shared_ffn: inner size of each shared expert; `ffn` where absent.
        first_dense: leading layers that keep the dense block (of size `Transformer.ffn`).
        every: of the layers after those, the ones that have experts: each whose number, counted from 1, it divides (2: every other one).
    """

    count: int
    active: int
    ffn: int
    shared: int = 0
    shared_ffn: int | None = None
    first_dense: int = 0
    every: int = 1

    def __post_init__(self) -> None:
        require(self.every >= 1, f"experts in every {self.every}th layer: at least 1 is expected")


@dataclass(frozen=True, kw_only=True)
class LatentAttention:
    """Multi-head latent attention: queries and key-values pass through low-rank latents, positions through a separate part.

    Source: DeepSeek-V2, arXiv:2405.04434, section 2.1.

    Args:
        query_rank: width of the latent of the queries; absent where they have none.
        key_value_rank: width of the latent that keys and values share.
        rotary_head: width of the rotated part of a head.
        value_head: width of a head's values.
    """

    query_rank: int | None
    key_value_rank: int
    rotary_head: int
    value_head: int


@dataclass(frozen=True, kw_only=True)
class Transformer(Sourced):
    """A decoder-only transformer.

    Args:
        hidden, ffn, heads, key_value_heads, head_size: widths; `key_value_heads` defaults to `heads`, `head_size` to `hidden / heads`.
        gated: the feed-forward block has a gate (SwiGLU): three matrices instead of two.
        tied_embeddings: input and output embedding share their weights.
        positions: `learned` adds `sequence * hidden` parameters.
        biases: linear layers have biases.
        norm: kind of normalisation.
        window: sliding attention window [tokens], absent where attention is full.
        sequence: the length it is trained at unless a scenario says otherwise [tokens].
        parallel_blocks: attention and feed-forward read the same input (GPT-J, NeoX, PaLM).
        prediction_heads: extra multi-token prediction layers (DeepSeek-V3).
        layers: transformer blocks.
        vocabulary: rows of the embedding, padding included.
        experts: the mixture of experts, absent in dense models.
        latent_attention: absent where attention is plain, grouped or multi-query.
    """

    layers: int
    hidden: int
    heads: int
    ffn: int
    vocabulary: int
    key_value_heads: int | None = None
    head_size: int | None = None
    gated: bool = False
    tied_embeddings: bool = True
    positions: Literal["learned", "rotary", "alibi", "none"] = "rotary"
    biases: bool = False
    norm: Literal["layer", "rms"] = "layer"
    sequence: int
    window: int | None = None
    parallel_blocks: bool = False
    experts: Experts | None = None
    latent_attention: LatentAttention | None = None
    prediction_heads: int = 0

    def __post_init__(self) -> None:
        for name in ("layers", "hidden", "heads", "ffn", "vocabulary", "sequence"):
            require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}, at least 1 is expected")
        require(
            self.head_size is not None or self.hidden % self.heads == 0,
            f"hidden {self.hidden} is not a multiple of {self.heads} heads",
            "give head_size",
        )
        kv = self.key_value_heads
        require(kv is None or (kv >= 1 and self.heads % kv == 0), f"{self.heads} heads are not a multiple of {kv} key_value_heads")
