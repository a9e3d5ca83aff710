"""What fails, how often, how it is noticed, repaired and survived: rates and policies as data, closed forms as functions."""

from simulator.reliability.allocation import Allocation
from simulator.reliability.availability import (
    Always,
    Availability,
    AvailabilityTrace,
    Replay,
    Schedule,
    ScheduledNodes,
    Spot,
    reclaims,
)
from simulator.reliability.bathtub import Bathtub
from simulator.reliability.checkpoints import (
    CheckpointPolicy,
    NearTier,
    blocking_seconds,
    clearing_seconds,
    drain_seconds,
    interval_seconds,
    read_seconds,
    stored,
)
from simulator.reliability.closed_forms import (
    daly_first_order_interval,
    daly_interval,
    daly_wall_clock,
    job_hazard,
    job_mtbf,
    meta_ettr,
    optimal_interval,
    things,
    waste,
    young_interval,
)
from simulator.reliability.distribution import Distribution
from simulator.reliability.elastic import Elastic
from simulator.reliability.exponential import Exponential
from simulator.reliability.failures import FailureClass, FailureSet
from simulator.reliability.hot_swap import HotSwap
from simulator.reliability.lognormal import Lognormal
from simulator.reliability.morph import Morph
from simulator.reliability.recovery import Recovery
from simulator.reliability.redundant import Redundant
from simulator.reliability.reroute import Reroute
from simulator.reliability.restart import Restart
from simulator.reliability.spares import Repair, Spares
from simulator.reliability.surviving import Surviving
from simulator.reliability.templates import Templates
from simulator.reliability.weibull import Weibull

__all__ = [
    "Allocation",
    "Always",
    "Availability",
    "AvailabilityTrace",
    "Bathtub",
    "CheckpointPolicy",
    "Distribution",
    "Elastic",
    "Exponential",
    "FailureClass",
    "FailureSet",
    "HotSwap",
    "Lognormal",
    "Morph",
    "NearTier",
    "Recovery",
    "Redundant",
    "Repair",
    "Replay",
    "Reroute",
    "Restart",
    "Schedule",
    "ScheduledNodes",
    "Spares",
    "Spot",
    "Surviving",
    "Templates",
    "Weibull",
    "blocking_seconds",
    "clearing_seconds",
    "daly_first_order_interval",
    "daly_interval",
    "daly_wall_clock",
    "drain_seconds",
    "interval_seconds",
    "job_hazard",
    "job_mtbf",
    "meta_ettr",
    "optimal_interval",
    "read_seconds",
    "reclaims",
    "stored",
    "things",
    "waste",
    "young_interval",
]
