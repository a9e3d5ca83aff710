"""What is trained: parameters, FLOP and bytes by closed form."""

from simulator.model.hugging_face import Conversion, convert
from simulator.model.parameters import (
    FlopPerToken,
    Parameters,
    Product,
    attention_flop,
    dense_layers,
    hardware_flop,
    head_size,
    layer_parameters,
    model_flop,
    parameters,
    products,
)
from simulator.model.transformer import Experts, LatentAttention, Transformer

__all__ = [
    "Conversion",
    "Experts",
    "FlopPerToken",
    "LatentAttention",
    "Parameters",
    "Product",
    "Transformer",
    "attention_flop",
    "convert",
    "dense_layers",
    "hardware_flop",
    "head_size",
    "layer_parameters",
    "model_flop",
    "parameters",
    "products",
]
