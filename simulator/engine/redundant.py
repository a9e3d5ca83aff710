"""The recovery policy `redundant`: the node before a lost one takes over its stage.

# Assumes: nodes that go at one instant are neighbours; which node stands beside a missing one is chance, two for each that is missing.
"""

from __future__ import annotations

from simulator.engine import surviving
from simulator.engine.hazards import VICTIM
from simulator.engine.job import Job
from simulator.reliability import FailureClass


def _survives(job: Job, failure: FailureClass | None) -> bool:
    """A node stays covered as long as neither neighbour of a missing one goes."""
    if failure is None or failure.block > 1:
        return surviving.lost(job) <= 1
    struck = 1 if failure.loses_node else 0
    alive = job.fleet.present + struck
    missing = job.fleet.promised - alive
    return job.draws is None or job.draws[VICTIM] * alive >= 2 * missing


POLICY = surviving.policy(_survives)
