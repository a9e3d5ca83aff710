"""Who sends which chunk to whom in which round, and its price on an interconnect."""

from simulator.collectives.plan import Operation, Plan, Round
from simulator.collectives.pricing import (
    AlgorithmName,
    Communicator,
    Priced,
    algorithm_bandwidth,
    bus_bandwidth,
    communicator,
    price,
    taken,
)
from simulator.collectives.tuning import HELD

__all__ = [
    "HELD",
    "AlgorithmName",
    "Communicator",
    "Operation",
    "Plan",
    "Priced",
    "Round",
    "algorithm_bandwidth",
    "bus_bandwidth",
    "communicator",
    "price",
    "taken",
]
