"""What fails, how often, how it is noticed, repaired and survived: rates and policies as data, closed forms as functions."""

from simulator.reliability.allocation import Allocation
from simulator.reliability.availability import Always, Availability, Schedule, ScheduledNodes
from simulator.reliability.checkpoints import CheckpointPolicy, blocking_seconds, drain_seconds, interval_seconds, read_seconds
from simulator.reliability.closed_forms import (
    daly_first_order_interval,
    daly_interval,
    daly_wall_clock,
    job_hazard,
    job_mtbf,
    meta_ettr,
    things,
    waste,
    young_interval,
)
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
    "blocking_seconds",
    "daly_first_order_interval",
    "daly_interval",
    "daly_wall_clock",
    "drain_seconds",
    "interval_seconds",
    "job_hazard",
    "job_mtbf",
    "meta_ettr",
    "read_seconds",
    "things",
    "waste",
    "young_interval",
]
