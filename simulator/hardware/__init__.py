"""What a machine is, and how long one operation takes on it."""

from simulator.hardware.accelerator import Accelerator, Kernels
from simulator.hardware.node import Node, NodePower, ScaleUp
from simulator.hardware.software import Software

__all__ = ["Accelerator", "Kernels", "Node", "NodePower", "ScaleUp", "Software"]
