"""How a grant or a batch system hands out machines."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulator.spec import Ratio, Seconds, require


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """Limits of a grant or a queue; absent where there is none.

    Args:
        job_time_limit: a job is ended after this long; it writes a checkpoint just before and queues again [s].
        queue_wait: mean wait before each job starts, the first included; no machine is held meanwhile [s].
        queue_sigma: of the lognormal's logarithm of that wait; 0 is a constant.
        queue_waits: waits that were measured, in place of mean and spread: before each job one of them, each as likely [s].
        node_hours: budget; the run ends, finished or not, when it is spent; hot spares count [h of one node].
        end: the run ends, finished or not, this long after its start [s].
    """

    job_time_limit: Seconds | None = None
    queue_wait: Seconds = 0.0
    queue_sigma: Ratio = 0.0
    queue_waits: tuple[Seconds, ...] = ()
    node_hours: Ratio | None = None
    end: Seconds | None = None

    @property
    def mean_wait(self) -> float:
        """Before each job, on average [s]."""
        return math.fsum(self.queue_waits) / len(self.queue_waits) if self.queue_waits else self.queue_wait

    def __post_init__(self) -> None:
        require(
            not (self.queue_waits and (self.queue_wait or self.queue_sigma)),
            "waits are measured, and a mean or a spread of waits is stated",
            "leave out queue_wait and queue_sigma, or queue_waits",
        )
        require(self.job_time_limit is None or self.job_time_limit > 0, "a job time limit of 0 s lets nothing run", "leave it out")
        require(self.node_hours is None or self.node_hours > 0, "a budget of 0 node-hours lets nothing run", "leave it out: no budget")
