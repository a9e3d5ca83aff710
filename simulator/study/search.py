"""`layout: auto`: the fastest layout of a stated small space that fits in memory."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.outcome import Infeasible
from simulator.parallelism import Layout, candidates
from simulator.step import Job, Machines, clock, fits, memory_use


@dataclass(frozen=True, kw_only=True)
class Found:
    """The winner, how many layouts were considered and how many of them fit."""

    layout: Layout
    considered: int
    fitting: int


def search(job: Job, machines: Machines, *, microbatch: int | None = None) -> Found | Infeasible:
    """Price every candidate that fits and take the fastest; equal times go to the first in the candidates' order.

    Args:
        microbatch: sequences, where the scenario fixes it.

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
    )
    if not space:
        return Infeasible(
            reason=f"no layout of {job.model.name or 'the model'} divides {machines.count * node.accelerators} accelerators and a batch of"
            f" {job.global_batch} sequences",
            mend="change global_batch or count, or give a layout",
        )
    sized = [(layout, memory_use(job, layout, machines)) for layout in space]
    fitting = [layout for layout, memory in sized if memory.total_bytes <= memory.capacity_bytes]
    if not fitting:
        nearest, memory = min(sized, key=lambda pair: pair[1].total_bytes)
        verdict = fits(memory, job, nearest, machines)
        why = f"{verdict.reason}" if verdict else ""
        return Infeasible(
            reason=f"none of {len(space)} layouts fits; with the smallest, {why}", mend="add nodes, or take ones with more memory"
        )
    fastest = min(fitting, key=lambda layout: clock(job, layout, machines).total)
    return Found(layout=fastest, considered=len(space), fitting=len(fitting))
