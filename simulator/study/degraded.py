"""The step on fewer nodes than all, as each recovery policy lays the job out on them: the tables that the engine goes on with.

Work here is what the busiest stage computes for its micro-batches, traffic of tensor, context and experts included; it grows with the
micro-batches. The bubble is idle time of the schedule; everything else of a step stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from simulator.outcome import Infeasible
from simulator.parallelism import Layout, changed, divisibility
from simulator.reliability import Morph, Redundant, Reroute, Templates
from simulator.scenario.question import Training
from simulator.step import Job, Machines, clock, memory_use
from simulator.study.priced import PricedStep, scaled

Degrading = Morph | Templates | Redundant | Reroute
"""Policies whose steps on fewer nodes are worked out here."""

Price = Callable[[Training, Machines], PricedStep | Infeasible]

_WORK = ("matrix", "attention", "memory_bound", "tensor_comm", "context_comm", "expert_comm")
_FORWARD = 1 / 3
"""Share of a forward pass in a forward and a backward pass: the backward pass has two products for each one."""

_BATCH = 0.1
"""A layout whose batch, rounded to what its replicas share evenly, is off by more than this is left out."""


def degraded(
    recovery: Degrading,
    training: Training,
    job: Job,
    whole: PricedStep,
    sizes: Sequence[int],
    machines: Callable[[int], Machines],
    price: Price,
) -> Mapping[int, PricedStep] | Infeasible:
    """The step at each of the sizes [nodes] at which the policy can train.

    Args:
        whole: the step on all nodes, the last of `sizes`.
        machines: of a number of nodes.
        price: the step of a training with a layout of its own on some machines.

    Returns:
        `Infeasible` where the policy cannot work with the layout at all.
    """
    layout, kind = whole.layout, recovery.kind
    tolerate = recovery.tolerate if isinstance(recovery, Templates) else 0
    if layout is None:
        return Infeasible(reason=f"{kind} lays the job out anew, and nothing says how it is", mend="write the layout")
    needs = {
        "experts are spread over the replicas": layout.expert > 1,
        "there is only one pipeline, and no other copy of its states": layout.data == 1 and isinstance(recovery, Templates | Reroute),
        f"there are {layout.data} pipelines, and {tolerate} losses at once are to be survived": layout.data <= tolerate,
        "there is only one stage, and no next one to hold a copy of": layout.pipeline == 1 and isinstance(recovery, Redundant),
    }
    why = next((why for why, met in needs.items() if met), None)
    if why:
        return Infeasible(
            reason=f"recovery: {kind} does not work with this layout: {why}", mend="another layout, or recovery: {kind: restart}"
        )
    fewer = [size for size in sizes if size < sizes[-1]]
    match recovery:
        case Morph():
            steps = _morphed(training, job, layout, fewer, machines, price)
        case Templates():
            steps = _mixed(recovery, job, layout, whole, fewer, machines)
        case Reroute():
            steps = _rerouted(recovery, layout, whole, fewer, machines)
        case Redundant():
            covered = _covered(recovery, layout, whole, machines(sizes[-1]))
            if isinstance(covered, Infeasible):
                return covered
            whole, steps = covered, _taken_over(layout, covered, fewer, machines)
    return {**steps, sizes[-1]: whole}


def _groups(layout: Layout, machines: Machines) -> int:
    """Stages that the machines can hold: groups of ranks that share a stage's work."""
    return machines.accelerators // (layout.tensor * layout.context)


def _at_depth(job: Job, layout: Layout, depth: int, data: int, machines: Machines) -> tuple[Job, Layout] | None:
    """The layout with another depth and number of pipelines, each with as many micro-batches as come nearest to the batch; None where it
    does not fit. Of an interleaved schedule, the most chunks up to the stated ones that split the layers, else 1F1B."""
    tried = [changed(layout, pipeline=depth, data=data)]
    if layout.schedule == "interleaved":
        chunks = range(layout.virtual, 1, -1) if depth > 1 else ()
        tried = [changed(layout, pipeline=depth, data=data, virtual=each) for each in chunks]
        tried.append(changed(layout, pipeline=depth, data=data, virtual=1, schedule="1f1b"))
    for each in tried:
        unit = data * each.microbatch * (depth if each.schedule == "interleaved" else 1)
        batch = max(1, round(job.global_batch / unit)) * unit
        near = replace(job, global_batch=batch)
        if abs(batch / job.global_batch - 1) > _BATCH or divisibility(
            each, job.model, global_batch=batch, accelerators=machines.accelerators, sequence=job.sequence
        ):
            continue
        memory = memory_use(near, each, machines)
        return (near, each) if memory.total_bytes <= memory.capacity_bytes else None
    return None


def _depths(layout: Layout, layers: int) -> range:
    """Depths of a pipeline that are tried: half the stated one to twice it."""
    return range(max(1, (layout.pipeline + 1) // 2), min(2 * layout.pipeline, layers) + 1)


def _morphed(
    training: Training, job: Job, layout: Layout, sizes: Sequence[int], machines: Callable[[int], Machines], price: Price
) -> dict[int, PricedStep]:
    """The fastest depth x replicas on each size, everything else of the layout kept.

    Source: Athlur et al., Varuna, EuroSys 2022, arXiv:2111.04007 (morphing).
    # Assumes: the batch is rounded to the nearest one that the replicas share evenly, by 10 % at most.
    """
    steps = {}
    for size in sizes:
        there = machines(size)
        found = [
            each
            for depth in _depths(layout, job.model.layers)
            if (data := _groups(layout, there) // depth) and (each := _at_depth(job, layout, depth, data, there))
        ]
        if not found:
            continue
        near, best = min(found, key=lambda each: clock(each[0], each[1], there).total / each[0].global_batch)
        step = price(replace(training, layout=best, global_batch=near.global_batch), there)
        if isinstance(step, PricedStep):
            note = f"morph: on {size} nodes pipeline {best.pipeline} x data {best.data}, the fastest of {len(found)} depths that fit"
            steps[size] = replace(step, batch_share=near.global_batch / job.global_batch, assumptions=(note, *step.assumptions))
    return steps


def _mixed(
    recovery: Templates, job: Job, layout: Layout, whole: PricedStep, sizes: Sequence[int], machines: Callable[[int], Machines]
) -> dict[int, PricedStep]:
    """The fastest mix of two neighbouring depths that covers each size.

    A batch that is shared in proportion to speed takes B / (sum of the pipelines' rates); the rate of a pipeline of some depth is that of a
    job of such pipelines alone.

    Source: Jang et al., Oobleck, SOSP 2023, arXiv:2309.08125 (pipeline templates, batch distribution).
    # Assumes: micro-batches can be shared in any proportion; gradients of unlike pipelines are summed as fast as those of like ones; a
    # depth over which the layers do not split is as fast as the next smaller one over which they do.
    """
    if not sizes:
        return {}
    there, depths = machines(max(sizes)), _depths(layout, job.model.layers)
    speed = job.global_batch / whole.time.time_s
    rates: dict[int, float] = {layout.pipeline: 1 / layout.data}

    def rate(depth: int) -> float:
        """Of one pipeline, as a share of the whole job; 0 where it is too shallow."""
        if depth not in depths:
            return 0.0 if depth < depths.start else rate(depths.stop - 1)
        if depth not in rates:
            data = min(layout.data, _groups(layout, there) // depth)
            found = _at_depth(job, layout, depth, data, there) if data else None
            # Another number of pipelines may have a batch of its own: what counts is how fast each trains.
            alone = found and found[0].global_batch / found[1].data / clock(found[0], found[1], there).total
            rates[depth] = alone / speed if alone else rate(depth - 1)
        return rates[depth]

    steps = {}
    for size in sizes:
        stages = _groups(layout, machines(size))
        mixes = [(count, *divmod(stages, count)) for count in range(recovery.tolerate + 1, layout.data + 1)]
        fastest, count, depth, deeper = max(((c - more) * rate(d) + more * rate(d + 1), c, d, more) for c, d, more in mixes)
        if fastest > 0:
            mix = f"{count - deeper} pipelines of {depth} stages" + (f" and {deeper} of {depth + 1}" if deeper else "")
            steps[size] = replace(
                scaled(whole, 1 / fastest, f"templates: {size} nodes hold {mix}"), accelerators_used=stages * layout.tensor * layout.context
            )
    return steps


def _part(step: PricedStep, *names: str) -> float:
    return math.fsum(step.time.parts_s.get(name, 0.0) for name in names)


def _missing(layout: Layout, machines: Machines) -> int:
    """Groups of ranks that the stated layout has and the machines cannot hold."""
    return max(0, layout.pipeline * layout.data - _groups(layout, machines))


def _rerouted(
    recovery: Reroute, layout: Layout, whole: PricedStep, sizes: Sequence[int], machines: Callable[[int], Machines]
) -> dict[int, PricedStep]:
    """The busiest stage, with f of D workers lost, has D / (D - f) times the micro-batches; bubbles take up a share of them.

    Source: Gandhi et al., ReCycle, SOSP 2024, arXiv:2405.14009 (adaptive pipelining; counting micro-batches is our own).
    # Assumes: the lost workers are spread over the stages as evenly as can be, which takes copies of states between peers.
    """
    work, bubble = _part(whole, *_WORK), _part(whole, "pipeline_bubble")
    steps = {}
    for size in sizes:
        lost = math.ceil(_missing(layout, machines(size)) / layout.pipeline)
        if lost < layout.data:
            more = max(0.0, work * lost / (layout.data - lost) - recovery.absorbed * bubble)
            note = f"reroute: on {size} nodes {lost} of {layout.data} workers of the busiest stage are missing"
            steps[size] = scaled(whole, 1 + more / whole.time.time_s, note)
    return steps


def _covered(recovery: Redundant, layout: Layout, whole: PricedStep, machines: Machines) -> PricedStep | Infeasible:
    """The step with every stage's forward passes computed twice; infeasible where the states of two stages do not fit.

    Source: Thorpe et al., Bamboo, NSDI 2023, arXiv:2204.12013 (redundant computation in the bubbles).
    # Assumes: a forward pass is a third of the work; all of the bubble takes it up; the activations of the copy wait in host memory.
    """
    if whole.memory is not None:
        states = math.fsum(whole.memory.parts_bytes[name] for name in ("weights", "optimizer"))
        if whole.memory.total_bytes + states > whole.memory.capacity_bytes:
            over = (whole.memory.total_bytes + states - whole.memory.capacity_bytes) / 1e9
            return Infeasible(
                reason=f"recovery: redundant keeps the weights and optimizer states of the next stage as well: {over:.3g} GB too much",
                mend="more stages, more sharding, or another recovery",
            )
    more = max(0.0, _part(whole, *_WORK) * _FORWARD - _part(whole, "pipeline_bubble")) / whole.time.time_s
    share = more if recovery.overhead is None else recovery.overhead
    return scaled(whole, 1 + share, f"redundant: every step is {share:.1%} longer for the forward passes of the next stage")


def _taken_over(layout: Layout, covered: PricedStep, sizes: Sequence[int], machines: Callable[[int], Machines]) -> dict[int, PricedStep]:
    """One node with two stages holds all others up; or the pipelines that lost nodes are left out, whichever is faster."""
    steps = {}
    for size in sizes:
        missing = _missing(layout, machines(size))
        left = layout.data - math.ceil(missing / layout.pipeline)
        # Of two neighbours one is there at least.
        doubled = 1 + _part(covered, *_WORK) / covered.time.time_s if missing else 1.0
        if 2 * missing > layout.pipeline * layout.data:
            doubled = math.inf
        fewer = layout.data / left if left else math.inf
        how = "a node has two stages" if doubled < fewer else f"{left} of {layout.data} pipelines are left"
        if min(doubled, fewer) < math.inf:
            steps[size] = scaled(covered, min(doubled, fewer), f"redundant: on {size} nodes {how}")
    return steps
