"""What every recovery policy does or falls back on: from where the job stands to where it can train, by way of the last checkpoint."""

from __future__ import annotations

import math
from collections.abc import Callable

from simulator.engine.hazards import MANUAL, RESTART
from simulator.engine.job import Events, Job, Signal
from simulator.engine.streams import lognormal
from simulator.reliability import FailureClass

Stages = tuple[tuple[str, float], ...]
"""(part of the ledger, seconds), one after the other."""


def fall_back(job: Job, failure: FailureClass | None) -> None:
    """The state is lost with the processes: back to the last checkpoint that is any good."""
    job.fall_back(failure)


def recover(job: Job, how: str, quick: Callable[[Job], Stages | None] | None = None) -> Events:
    """Bring the job from where it stands to where it can train.

    Args:
        how: `start` (free), `restart` (after a failure or a queue) or `reshape` (after a planned change of its nodes).
        quick: what is done instead of restart and reload after a failure; None where it must be those.

    Returns:
        Signal.DONE, or Signal.STOPPED where a planned stop comes first or no node can come any more.
    """
    while not job.ending:
        signal = yield from _once(job, how, quick)
        if signal in (Signal.DONE, Signal.STOPPED):
            return signal
        job.size = 0
        how = "restart" if signal is Signal.FAILED else "reshape"
    return Signal.STOPPED


def noticed(job: Job) -> tuple[float, Stages]:
    """When the last failure is dealt with so far that nodes can be called for [s], and what passes until then."""
    policy, draws = job.life.recovery, job.draws
    manual = policy.manual_delay if draws and draws[MANUAL] < policy.manual else 0.0
    known = job.known_at if job.known_at > job.now else job.now
    stages = (("detection", job.known_at - job.now), (job.back_part, job.back_at - known), ("manual", manual))
    return (job.back_at if job.back_at > known else known) + manual, stages


def _once(job: Job, how: str, quick: Callable[[Job], Stages | None] | None) -> Events:
    policy, fleet, draws = job.life.recovery, job.fleet, job.draws
    known, before = noticed(job)
    shortcut = quick(job) if quick and how == "restart" else None
    full = job.phase.size(fleet.promised)
    if fleet.present < full:
        job.replace(known)
    size = job.largest()
    if not size == full > 0:
        signal = yield from job.spend(*before)
        if signal is not Signal.DONE:
            return signal
        before = ()
        while not (size := job.largest()):
            if job.hopeless:
                job.ending = "no node is left and none can come"
                return Signal.STOPPED
            signal = yield from job.spend(("wait_for_nodes", math.inf))
            if signal is Signal.STOPPED:
                return signal
    job.size = size
    stages: Stages = ()
    if how == "restart":
        again = lognormal(policy.restart, policy.sigma, draws[RESTART]) if draws else policy.restart
        stages = (*(shortcut or (("restart", again), ("reload", job.read_s))), ("warm_up", policy.warm_up))
    elif how == "reshape":
        stages = (("reshape", job.life.reshape_s), ("reload", job.read_s), ("warm_up", policy.warm_up))
    begins = known if known > job.now else job.now
    # Maintenance may have begun while the job waited.
    window = (job.back_part, job.back_at - begins)
    signal = yield from job.spend(*before, window, ("replacement", fleet.ready_at - begins), *stages)
    if signal is Signal.DONE:
        job.draws = None
        job.whole = False
    return signal
