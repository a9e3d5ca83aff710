"""Laws of one step: parts sum, more of what is scarce is never slower, nothing depends on the scale of units."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.hardware import Node, NodePower, ScaleUp
from simulator.interconnect import (
    DegradedLink,
    FatTree,
    LostSwitches,
    NeighbourJob,
    SingleSwitch,
    SlowInterface,
    with_faults,
    with_neighbours,
)
from simulator.model import Transformer
from simulator.outcome import Infeasible
from simulator.parallelism import Layout
from simulator.scenario import entry
from simulator.step import Job, Machines, clock, evaluate

MODEL = Transformer(layers=24, hidden=4096, heads=32, ffn=16384, vocabulary=51200, sequence=2048, positions="learned", biases=True)
CHIP = entry("accelerators", "a100-sxm-80gb")
SOFTWARE = {name: entry("software", name) for name in ("megatron-2021", "megatron-2022", "megatron-2023", "fsdp-2023")}


def machines(count: int = 4, rate: float = 300e9, nic_rate: float = 25e9, **accelerator: float) -> Machines:
    node = Node(
        accelerator=dataclasses.replace(CHIP, **accelerator),
        accelerators=8,
        scale_up=ScaleUp(kind="switch", rate=rate),
        nics=8,
        nic_rate=nic_rate,
        power=NodePower(rated=6500.0, training=5000.0, idle=2000.0),
    )
    return Machines(node=node, count=count, network=SingleSwitch().build(node, count))


def job(software: str = "megatron-2023", global_batch: int = 64, model: Transformer = MODEL) -> Job:
    return Job(model=model, sequence=2048, global_batch=global_batch, precision="bf16", software=SOFTWARE[software])


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    tensor = draw(st.sampled_from([1, 2, 4, 8]))
    pipeline = draw(st.sampled_from([1, 2, 4]))
    virtual = draw(st.sampled_from([1, 2])) if pipeline > 1 else 1
    return Layout(
        tensor=tensor,
        pipeline=pipeline,
        virtual=virtual,
        data=32 // tensor // pipeline,
        microbatch=draw(st.sampled_from([1, 2])),
        schedule="interleaved" if virtual > 1 else "1f1b",
        sharding=draw(st.sampled_from(["none", "zero1"])) if pipeline > 1 else draw(st.sampled_from(["none", "zero1", "zero3"])),
        sequence_parallel=tensor > 1 and draw(st.booleans()),
        recompute=draw(st.sampled_from(["none", "selective", "full"])),
    )


@settings(max_examples=40, deadline=None)
@given(layouts(), st.sampled_from(sorted(SOFTWARE)))
def test_parts_sum_and_none_is_negative(layout: Layout, software: str) -> None:
    answered = evaluate(job(software), layout, machines())
    if isinstance(answered, Infeasible):
        assert answered.mend
        return
    assert math.isclose(math.fsum(answered.time.parts_s.values()), answered.time.time_s, rel_tol=1e-12)
    assert min(answered.time.parts_s.values()) >= 0
    assert 0 < answered.time.mfu <= answered.time.hfu < 1
    assert answered.time.interval_s[0] < answered.time.time_s < answered.time.interval_s[1]
    assert {term.path for term in answered.terms} >= {f"step.parts_s.{name}" for name in answered.time.parts_s}


@settings(max_examples=30, deadline=None)
@given(layouts(), st.sampled_from(["megatron-2022", "megatron-2023"]))
def test_more_of_what_is_scarce_is_never_slower(layout: Layout, software: str) -> None:
    base = clock(job(software), layout, machines()).total
    margin = 1 + 1e-9
    assert clock(job(software), layout, machines(rate=600e9)).total <= base * margin
    assert clock(job(software), layout, machines(nic_rate=50e9)).total <= base * margin
    assert clock(job(software), layout, machines(memory_bandwidth=2 * CHIP.memory_bandwidth)).total <= base * margin
    faster = {name: 2 * rate for name, rate in CHIP.peak.items()}
    quicker = clock(job(software), layout, machines(peak=faster)).total
    # Equal where weights and gradients of zero3 take longer than all compute.
    assert quicker <= base * margin if layout.sharding == "zero3" else quicker < base


@settings(max_examples=20, deadline=None)
@given(layouts())
def test_recompute_never_saves_time(layout: Layout) -> None:
    plain, full = (clock(job(), dataclasses.replace(layout, recompute=kind), machines()).total for kind in ("none", "full"))
    # Equal where weights and gradients of zero3 take longer than all compute.
    assert plain * (1 - 1e-12) <= full < 1.5 * plain


@settings(max_examples=20, deadline=None)
@given(layouts())
def test_more_batch_takes_longer_and_is_used_better(layout: Layout) -> None:
    once, twice = (clock(job(global_batch=batch), layout, machines()).total for batch in (64, 128))
    assert once < twice < 2 * once * (1 + 1e-9)


def test_fewer_stages_have_less_of_a_bubble() -> None:
    shares = []
    for stages in (1, 2, 4, 8):
        timed = clock(job(), Layout(tensor=4, pipeline=stages, data=8 // stages), machines())
        shares.append(timed.parts["pipeline_bubble"] / timed.total)
    assert shares[0] == 0
    assert shares == sorted(shares)


@settings(max_examples=25, deadline=None)
@given(
    layouts(),
    st.sampled_from(
        [
            SlowInterface(nodes=(2,), rate=0.5),
            SlowInterface(nodes=(0,), nic=3, rate=0.1),
            LostSwitches(lost=3, of=4),
            DegradedLink(link="leaf1 -> spine", rate=0.2),
            DegradedLink(link="node1.accelerator5 -> fabric1", rate=0.5),
            NeighbourJob(nodes=2, times=2, sends=0.5),
        ]
    ),
)
def test_neither_a_fault_nor_a_neighbour_makes_a_step_faster(layout: Layout, wrong: Any) -> None:
    even = machines()
    network = FatTree(leaf_nodes=2, leaf_oversubscription=2.0).build(even.node, 8)
    if isinstance(wrong, NeighbourJob):
        hurt = with_neighbours(network, [wrong], np.arange(4))
    else:
        hurt = with_faults(network, [wrong])
    times = [clock(job(), layout, dataclasses.replace(even, network=one)).total for one in (network, hurt)]
    assert times[1] >= times[0] * (1 - 1e-12)
