"""One optimizer step as answered: does it divide, does it fit, how long, and why."""

from __future__ import annotations

from collections.abc import Mapping

from simulator import units
from simulator.collectives import HELD
from simulator.hardware import DEFAULT_KERNELS, kernels_of
from simulator.model import model_flop, parameters
from simulator.outcome import Infeasible, MemoryUse, StepTime, Term
from simulator.parallelism import Layout, divisibility
from simulator.pipeline import SCHEDULES
from simulator.step import offload
from simulator.step.chunks import executed_flop
from simulator.step.clock import UPDATE_BYTES, Clock, clock
from simulator.step.job import Job, Machines, StepAnswer
from simulator.step.memory import fits, host_memory, memory_use
from simulator.step.uncertainty import SOURCES, interval, sigma, spread

CHECKPOINT_BYTES = 14.0
"""Per parameter: 16-bit weights 2, fp32 weights 4, two Adam moments 4 each. Source: BLOOM (arXiv:2211.05100), 2.3 TB for 176B; counting."""


def evaluate(job: Job, layout: Layout, machines: Machines, bars: int = 0) -> StepAnswer | Infeasible:
    """One step of `job` split as `layout` on healthy `machines`.

    time = microbatches of the busiest stage + bubble + sends (played) + exposed data-parallel traffic + optimizer, all times 1 + jitter of
    the slowest node.

    Args:
        bars: slots of the timeline to return for a picture, the earliest first.

    Raises:
        MendableError: counts that a room refuses although they divide.

    Accuracy: `interval_s` holds nine of ten measured runs if their log residuals are spread as `uncertainty.spread` says; how many it
        held is in reports/validation.md.
    """
    refused = _refused(job, layout, machines) or divisibility(
        layout, job.model, global_batch=job.global_batch, accelerators=machines.accelerators, sequence=job.sequence
    )
    if refused is not None:
        return refused
    memory = memory_use(job, layout, machines)
    refused = fits(memory, job, layout, machines) or offload.refused(job, layout, machines)
    return refused if refused is not None else answer(job, layout, machines, memory, bars)


def answer(job: Job, layout: Layout, machines: Machines, memory: MemoryUse, bars: int = 0) -> StepAnswer:
    """The step of a layout that divides and fits; see `evaluate`."""
    timed = clock(job, layout, machines, bars)
    tokens = float(job.global_batch * job.sequence)
    flop = model_flop(job.model, job.sequence)
    executed = executed_flop(job, layout)
    peak = machines.node.accelerator.peak[job.precision] * layout.accelerators
    parts = spread(job, layout, machines)
    width = sigma(parts)
    seconds = timed.total
    time = StepTime(
        kind="modelled",
        time_s=seconds,
        interval_s=interval(seconds, width),
        parts_s=timed.parts,
        model_tflops_per_accelerator=flop.total * tokens / seconds / layout.accelerators / 1e12,
        mfu=flop.total * tokens / seconds / peak,
        hfu=executed.total * tokens / seconds / peak,
        tokens_per_s=tokens / seconds,
    )
    return StepAnswer(
        time=time,
        memory=memory,
        bars=timed.bars,
        traffic=timed.network.traffic(),
        terms=_terms(job, layout, machines, timed, parts),
        assumptions=_assumptions(job, layout, machines),
        model_flop=flop.total * tokens,
        checkpoint_bytes=CHECKPOINT_BYTES * parameters(job.model, job.sequence).total,
        accelerators_used=layout.accelerators,
        sigma=width,
    )


def _refused(job: Job, layout: Layout, machines: Machines) -> Infeasible | None:
    """What neither the accelerator nor the software can do."""
    accelerator, software = machines.node.accelerator, job.software
    if job.precision not in accelerator.peak:
        known = ", ".join(sorted(accelerator.peak))
        return Infeasible(reason=f"{accelerator.name or 'the accelerator'} has no {job.precision} units", mend=f"one of {known} would do")
    if layout.sharding not in software.shardings:
        reason = f"{software.name or 'the software'} cannot shard as {layout.sharding}"
        return Infeasible(reason=reason, mend=f"sharding: {' or '.join(software.shardings)} would do")
    if layout.recompute not in software.recomputes:
        reason = f"{software.name or 'the software'} has no {layout.recompute} recompute"
        return Infeasible(reason=reason, mend=f"recompute: {' or '.join(software.recomputes)} would do")
    return None


def _terms(job: Job, layout: Layout, machines: Machines, timed: Clock, spreads: Mapping[str, float]) -> tuple[Term, ...]:
    """Formula and source of each part."""
    accelerator, software = machines.node.accelerator, job.software
    calibrated = kernels_of(accelerator).calibrated_on
    each = f"{timed.microbatches} microbatches x {{}} s on the busiest stage"
    lap = timed.busiest.forward + timed.busiest.backward
    shown: Mapping[str, tuple[str, str]] = {
        "matrix": (
            each.format(f"{lap.matrix:.6g}") + "; a product: start + max of waves of tiles, FLOP / rate and bytes / bandwidth",
            calibrated,
        ),
        "attention": (each.format(f"{lap.attention:.6g}") + (", fused" if software.fused_attention else ", scores in memory"), calibrated),
        "memory_bound": (each.format(f"{lap.memory_bound:.6g}") + "; bytes / sustained bandwidth + launches", "counting reads and writes"),
        "tensor_comm": (each.format(f"{lap.tensor_comm:.6g}") + ", what is not hidden", "Korthikanti et al. 2022, arXiv:2205.05198, 4.2"),
        "context_comm": (each.format(f"{lap.context_comm:.6g}") + ", less what attention hides", "Liu et al. 2023, arXiv:2310.01889"),
        "expert_comm": (each.format(f"{lap.expert_comm:.6g}") + ", two all-to-alls each way", "GShard, arXiv:2006.16668"),
        "pipeline_bubble": (
            f"{layout.schedule} of {layout.pipeline} x {layout.virtual} with {timed.microbatches} microbatches, played",
            "Narayanan et al. 2021, arXiv:2104.04473, 2.2",
        ),
        "pipeline_comm": ("played with sends, less played without", "Narayanan et al. 2021, 4.1"),
        "data_comm": (f"{timed.data_traffic:.6g} s of traffic, less what is hidden", "Rajbhandari et al. 2020, arXiv:1910.02054, 7"),
        "optimizer": (
            f"({UPDATE_BYTES:g} + {software.optimizer_passes:g}) B x {timed.parameters:.6g} parameters ({layout.sharding}) / bandwidth"
            if not layout.updates_on_host
            else f"{offload.HOST_UPDATE_BYTES:g} B x {timed.parameters:.6g} parameters ({layout.sharding}) x accelerators of a node / (its"
            f" host's memory x {offload.HOST_SHARE:g}), or the link's or drives' time",
            "counting reads and writes",
        ),
        "jitter": (f"cv {software.jitter:g} x expected maximum over the nodes", software.source_of("jitter")),
    }
    parts = tuple(
        Term(path=f"step.parts_s.{name}", value=seconds, unit="s", formula=shown[name][0], source=shown[name][1])
        for name, seconds in timed.parts.items()
    )
    width = Term(
        path="step.sigma",
        value=sigma(spreads),
        formula="root of the squares of "
        + ", ".join(f"{name} {size:.3g}" for name, size in spreads.items())
        + ", times Student's quantile",
        source=f"leave one source out over {SOURCES} calibration sources; within: {software.source_of('sigma')}",
    )
    traffic = (
        Term(
            path=f"step.traffic.{told.groups}.{told.operation}",
            value=told.time_s,
            unit="s",
            formula=f"{told.size_bytes:.6g} B among {told.ranks} by {told.algorithm}; the busiest link is {told.bottleneck}",
            source="docs/explanation/network.md",
        )
        for told in timed.network.traffic()
    )
    return (*parts, *traffic, width)


def _assumptions(job: Job, layout: Layout, machines: Machines) -> tuple[str, ...]:
    """What the answer rests on beyond its inputs."""
    found = []
    if kernels_of(machines.node.accelerator) is DEFAULT_KERNELS:
        found.append(f"step: no kernel was measured for {machines.node.accelerator.name}: default efficiencies and a wider interval")
    if job.model.experts is not None:
        found.append("step: tokens are spread evenly over the experts, and none is dropped")
    if layout.context > 1:
        found.append("step: causal attention is balanced over the context ranks")
    if SCHEDULES[layout.schedule].staggered and layout.pipeline > 1:
        found.append(
            f"step: under {layout.schedule} a stage begins the next step on its own; what stages must agree on is checked afterwards"
        )
    if SCHEDULES[layout.schedule].copies > 1:
        found.append(
            "step: the gradients of both copies of the model are reduced along with those of the data-parallel ranks, at no more cost"
        )
    if layout.offload:
        shown = units.format(host_memory(job, layout, machines), "data", 3)
        found.append(f"layout: {' and '.join(layout.offload)} kept off the accelerators, {shown} of it in the memory of each host")
    shared = not machines.node.accelerator.transfers_apart
    if shared and (layout.sharding != "none" or job.software.overlap_gradient_reduction):
        found.append(
            f"step: data-parallel traffic takes {HELD:.0%} of the compute beside it while it has the full rate of the scale-up link"
        )
    return tuple(found)
