"""What the policies share under which the survivors keep the state: go on without what was lost, take nodes in when they are there.

Of the step in progress half is lost, its mean. Spares are called for when the failure is noticed and come in while the others train.

# Assumes: a spare on its way in is neither struck nor paid.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.engine import recovering
from simulator.engine.job import Events, Job, Recovering, Signal
from simulator.reliability import FailureClass, Surviving

Survives = Callable[[Job, FailureClass | None], bool]
"""(job, the failure that struck a part of it, or None where nodes went) -> whether a copy of all of the state is left."""


def policy(survives: Survives) -> Recovering:
    """The policy under which the state survives where `survives` says so and a prepared size is left."""

    def fall_back(job: Job, failure: FailureClass | None) -> None:
        """Lose the step in progress where the state survives; otherwise all since the last checkpoint."""
        spoilt = failure is not None and (failure.of == "job" or failure.rollback > 0)
        if job.alive and not spoilt and job.largest() and survives(job, failure):
            if failure or job.fleet.present < job.size:
                job.lose_step()
            return
        job.alive = False
        recovering.fall_back(job, failure)

    def recover(job: Job, how: str) -> Events:
        """Regroup or rejoin where the state is alive; else restart."""
        chosen = job.life.recovery
        if not isinstance(chosen, Surviving):
            raise TypeError(f"{type(chosen).__name__} keeps no state")
        while job.alive and not job.ending:
            known, before = recovering.noticed(job)
            job.call_spares(known)
            job.size = job.largest()
            fewer = how == "restart" or job.fleet.present < job.trained
            again = ("restart" if how == "restart" else "reshape", chosen.regroup if fewer else chosen.rejoin)
            signal = yield from job.spend(*before, again)
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

    return Recovering(recover=recover, fall_back=fall_back, saves_to_grow=False)


def lost(job: Job) -> int:
    """Nodes that went since the job last trained."""
    return job.trained - job.fleet.present
