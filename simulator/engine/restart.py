"""The recovery policy `restart`: stop, replace what was lost, load the last checkpoint, go on."""

from __future__ import annotations

import math

from simulator.engine.hazards import MANUAL, RESTART
from simulator.engine.job import Events, Job, Signal
from simulator.engine.streams import lognormal


def recover(job: Job, how: str) -> Events:
    """Bring the job from where it stands to where it can train.

    Args:
        how: `start` (free), `restart` (after a failure or a queue) or `reshape` (after a planned change of its nodes).

    Returns:
        Signal.DONE, or Signal.STOPPED where a planned stop comes first or no node can come any more.
    """
    while not job.ending:
        signal = yield from _once(job, how)
        if signal in (Signal.DONE, Signal.STOPPED):
            return signal
        job.size = 0
        how = "restart" if signal is Signal.FAILED else "reshape"
    return Signal.STOPPED


def _once(job: Job, how: str) -> Events:
    policy, fleet, draws = job.life.recovery, job.fleet, job.draws
    manual = policy.manual_delay if draws and draws[MANUAL] < policy.manual else 0.0
    known = max(job.now, job.known_at)
    before: tuple[tuple[str, float], ...] = (
        ("detection", job.known_at - job.now),
        (job.back_part, job.back_at - known),
        ("manual", manual),
    )
    known = max(known, job.back_at) + manual
    full = job.phase.size(fleet.promised)
    if job.largest() < full:
        fleet.replace(known)
    if not job.largest() == full > 0:
        signal = yield from job.spend(*before)
        if signal is not Signal.DONE:
            return signal
        before = ()
    while not job.largest():
        if job.hopeless:
            job.ending = "no node is left and none can come"
            return Signal.STOPPED
        signal = yield from job.spend(("wait_for_nodes", math.inf))
        if signal is Signal.STOPPED:
            return signal
    job.size = job.largest()
    again = lognormal(policy.restart, policy.sigma, draws[RESTART]) if draws else policy.restart
    stages = {
        "start": (),
        "restart": (("restart", again), ("reload", job.life.checkpoints.read_s), ("warm_up", policy.warm_up)),
        "reshape": (("reshape", job.life.reshape_s), ("reload", job.life.checkpoints.read_s), ("warm_up", policy.warm_up)),
    }[how]
    # Maintenance may have begun while the job waited.
    window = (job.back_part, job.back_at - max(job.now, known))
    signal = yield from job.spend(*before, window, ("replacement", fleet.ready_at - max(job.now, known)), *stages)
    if signal is Signal.DONE:
        job.draws = None
    return signal
