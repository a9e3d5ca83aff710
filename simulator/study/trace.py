"""One step of an alternative as a trace that Perfetto and chrome://tracing open."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, get_args

from simulator.errors import SimulatorError
from simulator.outcome import Infeasible
from simulator.parallelism import Layout
from simulator.scenario import Scenario
from simulator.scenario.question import Given
from simulator.step import Job, Machines
from simulator.step.spans import Lane, Span, spans
from simulator.study.evaluate import anchored
from simulator.study.plan import plan

Json = dict[str, Any]

_LANES = get_args(Lane)


def trace(scenario: Scenario, alternative: str) -> Json:
    """The step of the last phase on the largest fleet, in the Trace Event Format: a process per stage, a thread per lane, microseconds.

    Raises:
        SimulatorError: the alternative is infeasible, or its step is given and has no timeline.

    Accuracy: as `step.spans`; times are rounded to the nanosecond.
    Source: Trace Event Format, https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU: complete (X) and metadata
        (M) events.
    """
    question = scenario.alternatives[alternative]
    training = question.training
    found = anchored(question, plan(question), (scenario,))
    if isinstance(found, Infeasible):
        raise SimulatorError(f"{alternative} is infeasible: {found}")
    phase = found.phases[-1]
    step, layout = phase.largest, phase.largest.layout
    if isinstance(training.step, Given) or layout is None:
        raise SimulatorError(f"the step of {alternative} is given, not modelled: there is no timeline to draw")
    if question.cluster.other_nodes:
        raise SimulatorError(f"the nodes of {alternative} are of several kinds: a timeline shows one; export it without other_nodes")
    job = Job(
        model=training.model,
        sequence=phase.sequence,
        global_batch=phase.global_batch,
        precision=training.precision,
        software=training.software,
    )
    cluster, count = question.cluster, max(phase.steps)
    machines = Machines(node=cluster.node, count=count, network=cluster.network(count), placement=cluster.placement)
    laid = spans(job, layout, machines)
    scale = step.time.time_s / max(span.end_s for span in laid if span.stage == 0)
    used = sorted({span.lane for span in laid}, key=_LANES.index)
    return {
        "displayTimeUnit": "ms",
        "otherData": {
            "scenario": scenario.name,
            "alternative": alternative,
            "step_time_s": step.time.time_s,
            "layout": _told(layout),
            "microbatches": phase.global_batch // (layout.data * layout.microbatch),
        },
        "traceEvents": [*_names(layout, used), *(_event(span, scale) for span in laid)],
    }


def _told(layout: Layout) -> str:
    return ", ".join(f"{name} {value}" for name, value in asdict(layout).items() if value is not None)


def _names(layout: Layout, lanes: list[Lane]) -> list[Json]:
    answer = []
    for stage in range(layout.pipeline):
        answer.append({"ph": "M", "pid": stage, "tid": 0, "name": "process_name", "args": {"name": f"stage {stage}"}})
        answer.append({"ph": "M", "pid": stage, "tid": 0, "name": "process_sort_index", "args": {"sort_index": stage}})
        for lane in lanes:
            named = {"ph": "M", "pid": stage, "tid": _LANES.index(lane), "name": "thread_name", "args": {"name": lane}}
            answer.append(named)
            answer.append(named | {"name": "thread_sort_index", "args": {"sort_index": _LANES.index(lane)}})
    return answer


def _event(span: Span, scale: float) -> Json:
    start, end = round(span.start_s * scale * 1e6, 3), round(span.end_s * scale * 1e6, 3)
    event: Json = {"ph": "X", "pid": span.stage, "tid": _LANES.index(span.lane), "ts": start, "dur": round(max(end - start, 0.0), 3)}
    if span.slot is None:
        return event | {"name": span.what, "cat": span.lane}
    slot = span.slot
    told = {"phase": slot.phase, "microbatch": slot.microbatch, "chunk": slot.chunk}
    return event | {"name": f"{slot.phase} {slot.microbatch}: {span.what}", "cat": span.lane, "args": told}
