"""What a machine is, and how long one operation takes on it."""

from simulator.hardware.accelerator import Accelerator, Kernels, MatrixKernels
from simulator.hardware.kernels import (
    DEFAULT_KERNELS,
    NARROW,
    fused_attention_time,
    high_precision,
    kernels_of,
    peak_of,
    product_time,
    stream_time,
    unfused_attention_time,
)
from simulator.hardware.node import Node, NodePower, ScaleUp
from simulator.hardware.software import Software

__all__ = [
    "DEFAULT_KERNELS",
    "NARROW",
    "Accelerator",
    "Kernels",
    "MatrixKernels",
    "Node",
    "NodePower",
    "ScaleUp",
    "Software",
    "fused_attention_time",
    "high_precision",
    "kernels_of",
    "peak_of",
    "product_time",
    "stream_time",
    "unfused_attention_time",
]
