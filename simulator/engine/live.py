"""From a plan to the record of one life."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.engine import elastic, hot_swap, restart
from simulator.engine.job import Job, Recovering
from simulator.engine.life import Life, RunRecord
from simulator.engine.watched import Story, Watched
from simulator.reliability import Elastic, HotSwap, Restart

_RECOVERIES: Mapping[type, Recovering] = {Restart: restart.POLICY, HotSwap: hot_swap.POLICY, Elastic: elastic.POLICY}
"""Recovery policy -> how it brings a job back."""

LOG_LIMIT = 400
"""Most entries of a record's log."""


def live(life: Life, seed: int, replication: int = 0, log: bool | None = None) -> RunRecord:
    """Live through the run once; the same arguments give the same record in any order and on any number of workers.

    Args:
        seed: of the study.
        replication: 0, 1, …; alternatives of the same seed and replication share their random numbers by name.
        log: whether the operator's log is kept (its first `LOG_LIMIT` entries); that of replication 0 where absent.

    Accuracy: semantics and simplifications are in `simulator.engine.job`; exponential failures agree with Daly's exact run time.
    """
    keep = replication == 0 if log is None else log
    return Job(life, _RECOVERIES[type(life.recovery)], seed, replication, LOG_LIMIT if keep else 0).run()


def tell(life: Life, seed: int, replication: int = 0) -> Story:
    """Live through the run once, as `live` does with the same arguments, and tell all of it: every state and every event."""
    return Watched(life, _RECOVERIES[type(life.recovery)], seed, replication).story()
