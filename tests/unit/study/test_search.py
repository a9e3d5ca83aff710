"""`layout: auto` answers as playing every layout that fits would, and says what it tried."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.outcome import Infeasible
from simulator.parallelism import Packed, candidates
from simulator.scenario import entry
from simulator.step import Job, Machines, clock, memory_use, unplayed
from simulator.study.search import search

ALL = ("gpipe", "1f1b", "interleaved", "zb_h1", "zb_h2", "zb_v", "dualpipe")


def question(model, software="megatron-2025", nodes=4, global_batch=64, node="dgx-a100-80gb", topology="dgx-a100-superpod", **fields):
    machine = dataclasses.replace(entry("nodes", node), host_link=None)  # nothing is kept with the host: see test_offload.py
    network = entry("topologies", topology).build(machine, Packed().room(nodes))
    job = Job(model=model, sequence=2048, global_batch=global_batch, precision="bf16", software=entry("software", software))
    return dataclasses.replace(job, **fields), Machines(node=machine, count=nodes, network=network)


def model(name="gpt-neox-20b", **fields):
    return dataclasses.replace(entry("models", name), **fields)


def space(job, machines, **asked):
    return candidates(
        job.model, job.software, global_batch=job.global_batch, sequence=job.sequence, accelerators=machines.accelerators, domain=8, **asked
    )


@settings(max_examples=8, deadline=None)
@given(
    name=st.sampled_from(["gpt-neox-20b", "llama-2-13b", "mixtral-8x7b"]),
    layers=st.sampled_from([8, 12, 30]),
    software=st.sampled_from(["megatron-2021", "megatron-2023", "megatron-2025", "torchtitan-2024"]),
    nodes=st.integers(1, 4),
    global_batch=st.sampled_from([16, 48]),
    schedules=st.sampled_from([(), ("1f1b",), ("interleaved", "zb_v", "dualpipe"), ("zb_h1", "gpipe", "zb_h2")]),
)
def test_the_answer_is_that_of_playing_every_layout_that_fits(name, layers, software, nodes, global_batch, schedules):
    job, machines = question(model(name, layers=layers), software, nodes, global_batch)
    tried = space(job, machines, schedules=schedules, microbatch=2)
    fitting = [layout for layout in tried if memory_use(job, layout, machines).total_bytes <= machines.node.accelerator.memory]
    found = search(job, machines, microbatch=2, schedules=schedules)
    if not fitting:
        assert isinstance(found, Infeasible)
        return
    times = {layout: clock(job, layout, machines).total for layout in fitting}
    order = sorted(fitting, key=times.__getitem__)  # stable: equal times in the candidates' order
    assert (found.considered, found.fitting) == (len(tried), len(fitting))
    assert (found.layout, found.time_s) == (order[0], times[order[0]])
    if len(order) > 1:
        assert (found.runner_up, found.runner_up_s) == (order[1], times[order[1]])


@pytest.mark.parametrize("name", ["gpt-neox-20b", "deepseek-v2"])
def test_what_layouts_share_changes_nothing_and_no_step_is_shorter_than_its_bound(name):
    """Priced with what earlier layouts left, each gives the seconds and bytes it gives alone; both bounds on the step are below it."""
    job, machines = question(model(name), nodes=8, global_batch=128)
    passes, layers = {}, {}
    for layout in space(job, machines, schedules=ALL)[::37]:
        alone = clock(job, layout, machines)
        draft = unplayed(job, layout, machines, passes)
        assert draft.played().parts == alone.parts
        assert 0 < draft.least_s <= alone.total
        assert memory_use(job, layout, machines, layers) == memory_use(job, layout, machines)
    assert len(passes) > 5


def test_the_bound_is_the_step_itself_where_stages_are_alike():
    job, machines = question(model(tied_embeddings=True), software="megatron-2025", nodes=8, global_batch=128)
    near = [
        clock(job, layout, machines).total / unplayed(job, layout, machines).least_s
        for layout in space(job, machines)[::29]
        if layout.schedule == "1f1b"
    ]
    assert max(near) < 1.06


def test_it_says_what_it_tried():
    job, machines = question(model(), nodes=8)
    found = search(job, machines)
    assert found.told.startswith(f"the fastest of {found.considered} tried, of which {found.considered - found.fitting} did not fit")
    assert "the runner-up (" in found.told
    assert found.told.endswith("% longer")


def test_only_schedules_that_are_asked_for_are_tried():
    job, machines = question(model())
    assert {layout.schedule for layout in space(job, machines)} == {"1f1b", "interleaved"}
    assert {layout.schedule for layout in space(job, machines, schedules=("zb_v", "dualpipe"))} == {"1f1b", "zb_v", "dualpipe"}
    assert {layout.sharding for layout in space(job, machines)} == {"none", "zero1", "zero2", "zero3"}


def test_a_schedule_without_bubbles_is_chosen_where_it_may_be():
    """Few microbatches on many stages: the fastest of zero-bubble and interleaved pipelines has no bubble to speak of."""
    job, machines = question(model(layers=48), nodes=8, global_batch=16)
    plain, free = search(job, machines), search(job, machines, schedules=ALL)
    assert free.time_s <= plain.time_s
    assert free.considered > plain.considered
