"""Degrees of parallelism -> groups of ranks -> places in the machine room."""

from simulator.parallelism.layout import Layout, Recompute, Schedule, Sharding

__all__ = ["Layout", "Recompute", "Schedule", "Sharding"]
