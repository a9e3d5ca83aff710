"""`layout: auto`: the fastest layout of a stated small space that fits in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from simulator.outcome import Infeasible
from simulator.parallelism import Layout, Schedule, candidates
from simulator.step import Job, Known, KnownKinds, Machines, fits, host_memory, memory_use, unplayed

_TOLD = (
    "tensor", "context", "pipeline", "virtual", "schedule", "data", "expert", "microbatch", "sharding", "recompute", "offload"
)  # fmt: skip
"""Fields of a layout in which two candidates can differ."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """The winner and the next, with their seconds; how many layouts were considered, and how many of them fit."""

    layout: Layout
    time_s: float
    considered: int
    fitting: int
    runner_up: Layout | None
    runner_up_s: float

    @property
    def told(self) -> str:
        """In a sentence: how many were tried, how many did not fit, and by how much the winner wins over what."""
        tried = f"the fastest of {self.considered} tried, of which {self.considered - self.fitting} did not fit in memory"
        if self.runner_up is None:
            return tried
        names = [name for name in _TOLD if getattr(self.runner_up, name) != getattr(self.layout, name)]
        other = ", ".join(f"{name} {str(getattr(self.runner_up, name)).lower()}" for name in names)
        return f"{tried}; the runner-up ({other}) takes {self.runner_up_s / self.time_s - 1:.1%} longer"


def search(job: Job, machines: Machines, *, microbatch: int | None = None, schedules: tuple[Schedule, ...] = ()) -> Found | Infeasible:
    """Price every candidate that fits and take the fastest; equal times go to the first in the candidates' order.

    Every one that fits is priced but for its schedule, and the schedule played where what it cannot be shorter than leaves it a chance:
    the answer is that of playing all.

    Args:
        microbatch: sequences, where the scenario fixes it.
        schedules: of the pipeline; those of the software where none is named.

    Returns:
        `Infeasible` with the candidate that comes nearest to fitting, where none does.
    """
    node = machines.node
    space = candidates(
        job.model,
        job.software,
        global_batch=job.global_batch,
        sequence=job.sequence,
        accelerators=machines.count * node.accelerators,
        domain=node.scale_up.domain or node.accelerators,
        microbatch=microbatch,
        schedules=schedules,
    )
    if not space:
        return Infeasible(
            reason=f"no layout of {job.model.name or 'the model'} divides {machines.count * node.accelerators} accelerators and a batch of"
            f" {job.global_batch} sequences",
            mend="change global_batch or count, or give a layout",
        )
    counted: KnownKinds = {}
    sized = [(layout, memory_use(job, layout, machines, counted)) for layout in space]
    fitting = [layout for layout, memory in sized if memory.total_bytes <= memory.capacity_bytes]
    if not fitting and node.host_link and node.host_bandwidth:
        # Slower than any that fits without, and better than none.
        space = (*space, *(replace(layout, offload=("optimizer",)) for layout in space))
        sized = [(layout, memory_use(job, layout, machines, counted)) for layout in space]
        room = [layout for layout, memory in sized if memory.total_bytes <= memory.capacity_bytes]
        fitting = [layout for layout in room if host_memory(job, layout, machines) <= (node.host_memory or math.inf)]
    if not fitting:
        nearest, memory = min(sized, key=lambda pair: pair[1].total_bytes)
        verdict = fits(memory, job, nearest, machines)
        why = f"{verdict.reason}" if verdict else ""
        return Infeasible(
            reason=f"none of {len(space)} layouts fits; with the smallest, {why}", mend="add nodes, or take ones with more memory"
        )
    known: Known = {}
    drafts = [unplayed(job, layout, machines, known) for layout in fitting]
    least = [draft.least_s for draft in drafts]
    best = [(math.inf, -1)] * 2
    for place in sorted(range(len(drafts)), key=least.__getitem__):
        if least[place] > best[1][0]:
            break
        best = sorted((*best, (drafts[place].played().total, place)))[:2]
    (time_s, first), (runner_up_s, second) = best
    return Found(
        layout=fitting[first],
        time_s=time_s,
        considered=len(space),
        fitting=len(fitting),
        runner_up=fitting[second] if second >= 0 else None,
        runner_up_s=runner_up_s,
    )
