"""From a plan to the record of one life."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace

from simulator.engine import elastic, hot_swap, morph, redundant, reroute, restart, templates
from simulator.engine.job import Job, Recovering
from simulator.engine.life import Life, RunRecord
from simulator.engine.watched import Story, Watched
from simulator.outcome import LogEntry
from simulator.reliability import Elastic, HotSwap, Morph, Redundant, Reroute, Restart, Templates

_RECOVERIES: Mapping[type, Recovering] = {
    Restart: restart.POLICY,
    HotSwap: hot_swap.POLICY,
    Elastic: elastic.POLICY,
    Morph: morph.POLICY,
    Templates: templates.POLICY,
    Redundant: redundant.POLICY,
    Reroute: reroute.POLICY,
}
"""Recovery policy -> how it brings a job back."""

LOG_LIMIT = 400
"""Most entries of a record's log."""

_WHOLE = 10_000_000
"""Entries of a log before it is thinned: more than any life has."""


def live(life: Life, seed: int, replication: int = 0, log: bool | None = None) -> RunRecord:
    """Live through the run once; the same arguments give the same record in any order and on any number of workers.

    Args:
        seed: of the study.
        replication: 0, 1, …; alternatives of the same seed and replication share their random numbers by name.
        log: whether the operator's log is kept, evenly thinned to `LOG_LIMIT` entries; that of replication 0 where absent.

    Accuracy: semantics and simplifications are in `simulator.engine.job`; exponential failures agree with Daly's exact run time.
    """
    keep = replication == 0 if log is None else log
    record = Job(life, _RECOVERIES[type(life.recovery)], seed, replication, _WHOLE if keep else 0).run()
    return replace(record, log=thinned(record.log, LOG_LIMIT)) if keep else record


def thinned(log: tuple[LogEntry, ...], most: int) -> tuple[LogEntry, ...]:
    """At most `most` entries of a log, over all of its time: every n-th stop with all that belongs to it, and the end.

    A stop begins where nodes are at work, with an entry that has a cause, or after which none is at work any more. Where so much lies
    between stops that this is not enough, single entries, evenly spread.
    """
    if len(log) <= most:
        return log
    begins = [i for i, entry in enumerate(log) if log[i - 1].nodes and i and (entry.cause or not entry.nodes)]
    for every in range(math.ceil(len(log) / most), len(begins) + 1):
        chosen = [log[begin:end] for begin, end in itertools.pairwise([0, *begins, len(log)])][::every]
        if sum(map(len, chosen)) < most:
            return (*(entry for group in chosen for entry in group if entry is not log[-1]), log[-1])
    return (*log[: -1 : math.ceil(len(log) / (most - 1))], log[-1])


def tell(life: Life, seed: int, replication: int = 0) -> Story:
    """Live through the run once, as `live` does with the same arguments, and tell all of it: every state and every event."""
    return Watched(life, _RECOVERIES[type(life.recovery)], seed, replication).story()
