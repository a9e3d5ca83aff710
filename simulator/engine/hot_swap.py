"""The recovery policy `hot_swap`: hot spares take the places of the lost nodes among processes that stay up."""

from __future__ import annotations

from simulator.engine import recovering
from simulator.engine.job import Events, Job, Recovering
from simulator.engine.recovering import Stages
from simulator.reliability import HotSwap


def _quick(job: Job) -> Stages | None:
    """Rejoin, and load the state from peers where they hold it; None where the processes are gone or the hot spares are too few."""
    policy, fleet = job.life.recovery, job.fleet
    if not isinstance(policy, HotSwap) or job.whole or fleet.promised - fleet.present > len(fleet.hot):
        return None
    read = job.read_s if policy.peer_read is None else policy.peer_read
    return (("restart", policy.rejoin), ("reload", read))


def recover(job: Job, how: str) -> Events:
    """As `recovering.recover`, with the short way where it is open."""
    return recovering.recover(job, how, _quick)


POLICY = Recovering(recover=recover, fall_back=recovering.fall_back)
