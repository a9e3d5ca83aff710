"""Degrees of parallelism -> groups of ranks -> places in the machine room."""

from simulator.parallelism.feasible import divisibility
from simulator.parallelism.groups import Dimension, chunk_layers, ends_apart, groups, held_layers
from simulator.parallelism.layout import Layout, Recompute, Schedule, Sharding
from simulator.parallelism.placement import Packed, Placement
from simulator.parallelism.space import candidates

__all__ = [
    "Dimension",
    "Layout",
    "Packed",
    "Placement",
    "Recompute",
    "Schedule",
    "Sharding",
    "candidates",
    "chunk_layers",
    "divisibility",
    "ends_apart",
    "groups",
    "held_layers",
]
