"""What is trained: parameters, FLOP and bytes by closed form."""

from simulator.model.transformer import Experts, LatentAttention, Transformer

__all__ = ["Experts", "LatentAttention", "Transformer"]
