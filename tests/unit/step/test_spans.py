"""A step laid out in time holds what the step model says, and no lane does two things at once."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest

from simulator.hardware import Node, NodePower, ScaleUp
from simulator.interconnect import SingleSwitch
from simulator.model import Experts, Transformer
from simulator.parallelism import Layout
from simulator.pipeline import SCHEDULES
from simulator.scenario import entry
from simulator.step import Job, Machines, clock
from simulator.step.spans import spans

MODEL = Transformer(layers=16, hidden=2048, heads=16, ffn=8192, vocabulary=51200, sequence=2048, positions="learned", biases=True)
MIXTURE = Transformer(
    layers=16, hidden=2048, heads=16, ffn=4096, vocabulary=32000, sequence=2048, gated=True, experts=Experts(count=8, active=2, ffn=4096)
)
NODE = Node(
    accelerator=entry("accelerators", "a100-sxm-80gb"), accelerators=8, scale_up=ScaleUp(kind="switch", rate=300e9), nics=8,
    nic_rate=25e9, power=NodePower(rated=6500.0, training=5000.0, idle=2000.0),
)  # fmt: skip
MACHINES = Machines(node=NODE, count=2, network=SingleSwitch().build(NODE, 2))
LAYOUTS = {
    "1f1b": Layout(tensor=2, pipeline=4, data=2),
    "gpipe": Layout(tensor=2, pipeline=4, data=2, schedule="gpipe"),
    "interleaved": Layout(tensor=2, pipeline=4, data=2, virtual=2, schedule="interleaved"),
    "zb_h1": Layout(tensor=2, pipeline=4, data=2, schedule="zb_h1"),
    "zb_h2": Layout(tensor=2, pipeline=4, data=2, schedule="zb_h2"),
    "zb_v": Layout(tensor=2, pipeline=4, data=2, virtual=2, schedule="zb_v"),
    "dualpipe": Layout(tensor=2, pipeline=4, data=2, schedule="dualpipe"),
    "one stage": Layout(tensor=8, data=2, sharding="zero1"),
    "context": Layout(tensor=2, context=2, pipeline=2, data=2),
}


def job(model: Transformer = MODEL, software: str = "megatron-2025") -> Job:
    return Job(model=model, sequence=2048, global_batch=16, precision="bf16", software=entry("software", software))


@pytest.mark.parametrize("software", ["megatron-2021", "megatron-2025"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_each_stage_is_busy_as_long_as_the_model_says(name: str, software: str) -> None:
    asked, layout = job(software=software), LAYOUTS[name]
    laid, timed = spans(asked, layout, MACHINES), clock(asked, layout, MACHINES)
    for stage in range(layout.pipeline):
        begun = timed.timeline.stage_start_s[stage] if SCHEDULES[layout.schedule].staggered else 0.0
        assert max(span.end_s for span in laid if span.stage == stage) == pytest.approx(begun + timed.total, rel=1e-12)
    parts: dict[str, float] = defaultdict(float)
    for stage in range(layout.pipeline):
        mine = [span for span in laid if span.stage == stage]
        working = sum(span.end_s - span.start_s for span in mine if span.slot and span.lane != "pipeline")
        sending = 0.0 if asked.software.overlap_pipeline else sum(span.end_s - span.start_s for span in mine if span.lane == "pipeline")
        assert working + sending == pytest.approx(timed.timeline.stage_busy_s[stage], rel=1e-9)
        lanes = defaultdict(list)
        for span in mine:
            lanes["slot" if span.slot and span.lane != "pipeline" else span.lane].append(span)
            parts[span.what] = max(parts[span.what], sum(s.end_s - s.start_s for s in mine if s.what == span.what))
        slots = lanes["slot"]
        assert all(after.start_s >= before.end_s - 1e-9 for before, after in pairwise(sorted(slots, key=lambda s: (s.start_s, s.end_s))))
    for what in ("data_comm", "optimizer", "jitter"):
        assert parts[what] == pytest.approx(timed.parts[what], abs=1e-12)
    assert all(span.end_s >= span.start_s >= 0 for span in laid)
    assert [span.start_s for span in laid] == sorted(span.start_s for span in laid)


def test_lanes_are_those_of_the_layout() -> None:
    found = {span.lane for span in spans(job(MIXTURE), Layout(tensor=2, pipeline=2, data=4, expert=4), MACHINES)}
    assert found >= {"compute", "tensor", "expert", "pipeline", "data"}
    assert {span.lane for span in spans(job(), Layout(pipeline=2, data=8), MACHINES)} <= {"compute", "pipeline", "data", "waiting"}
