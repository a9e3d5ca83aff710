"""The recovery policy `templates`: cover the nodes that are left with pipelines of other depths.

# Assumes: more nodes lost at once than are tolerated take all copies of a layer with them.
"""

from __future__ import annotations

from simulator.engine import surviving
from simulator.engine.job import Job
from simulator.reliability import FailureClass, Templates


def _survives(job: Job, failure: FailureClass | None) -> bool:
    policy = job.life.recovery
    return isinstance(policy, Templates) and surviving.lost(job) <= policy.tolerate


POLICY = surviving.policy(_survives)
