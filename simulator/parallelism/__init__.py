"""Degrees of parallelism -> groups of ranks -> places in the machine room."""

from simulator.parallelism.feasible import divisibility
from simulator.parallelism.given import GivenNodes
from simulator.parallelism.groups import Dimension, chunk_layers, ends_apart, groups, held_layers
from simulator.parallelism.layout import Layout, Recompute, Schedule, Sharding, changed
from simulator.parallelism.packed import Packed
from simulator.parallelism.placement import Placement, places
from simulator.parallelism.scattered import Scattered
from simulator.parallelism.space import candidates
from simulator.parallelism.spread import Spread

__all__ = [
    "Dimension",
    "GivenNodes",
    "Layout",
    "Packed",
    "Placement",
    "Recompute",
    "Scattered",
    "Schedule",
    "Sharding",
    "Spread",
    "candidates",
    "changed",
    "chunk_layers",
    "divisibility",
    "ends_apart",
    "groups",
    "held_layers",
    "places",
]
