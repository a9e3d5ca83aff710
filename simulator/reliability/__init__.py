"""What fails, how often, how it is noticed, repaired and survived: rates and policies as data, closed forms as functions."""

from simulator.reliability.allocation import Allocation
from simulator.reliability.availability import Always, Availability, Schedule, ScheduledNodes
from simulator.reliability.checkpoints import CheckpointPolicy
from simulator.reliability.failures import FailureClass, FailureSet
from simulator.reliability.recovery import Recovery, Repair, Restart, Spares

__all__ = [
    "Allocation",
    "Always",
    "Availability",
    "CheckpointPolicy",
    "FailureClass",
    "FailureSet",
    "Recovery",
    "Repair",
    "Restart",
    "Schedule",
    "ScheduledNodes",
    "Spares",
]
