"""The recovery policy `elastic`: go on without the lost replicas, take others in when they are there.

Of the step in progress half is lost, its mean. Spares are called for when the failure is noticed and come in while the others train.

# Assumes: the survivors hold the whole state; a spare on its way in is neither struck nor paid.
"""

from __future__ import annotations

from simulator.engine import recovering
from simulator.engine.job import Events, Job, Recovering, Signal
from simulator.reliability import Elastic, FailureClass


def fall_back(job: Job, failure: FailureClass | None) -> None:
    """Lose the step in progress where a whole replica survives; otherwise the state is lost too."""
    spoilt = failure is not None and (failure.of == "job" or failure.rollback > 0)
    if job.alive and not spoilt and job.largest():
        if failure or job.fleet.present < job.size:
            job.lose_step()
        return
    job.alive = False
    recovering.fall_back(job, failure)


def recover(job: Job, how: str) -> Events:
    """Regroup or rejoin where the state is alive; else restart."""
    policy = job.life.recovery
    if not isinstance(policy, Elastic):
        raise TypeError(f"{type(policy).__name__} is not elastic")
    while job.alive and not job.ending:
        known, before = recovering.noticed(job)
        job.call_spares(known)
        job.size = job.largest()
        signal = yield from job.spend(*before, ("restart", policy.regroup) if how == "restart" else ("reshape", policy.rejoin))
        if signal is Signal.DONE:
            job.draws = None
            return signal
        if signal is Signal.STOPPED:
            job.alive = False
            return signal
        if signal is Signal.CHANGED:
            fall_back(job, None)
        job.size = 0
        how = "restart" if signal is Signal.FAILED else "reshape"
    signal = yield from recovering.recover(job, how)
    job.alive = signal is Signal.DONE
    return signal


POLICY = Recovering(recover=recover, fall_back=fall_back, saves_to_grow=False)
