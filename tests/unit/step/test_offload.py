"""What is kept with the host: device memory saved, room there, and the seconds it costs."""

from __future__ import annotations

import dataclasses

import pytest

from simulator.model import parameters
from simulator.outcome import Infeasible
from simulator.parallelism import Layout, Packed
from simulator.scenario import entry
from simulator.step import Job, Machines, clock, evaluate, host_memory, memory_use
from simulator.step.offload import HOST_SHARE, HOST_UPDATE_BYTES, optimizer_time
from simulator.study.search import search


def question(model="llama-2-13b", nodes=1, global_batch=64, **node):
    machine = dataclasses.replace(entry("nodes", "dgx-a100-80gb"), **node)
    network = entry("topologies", "dgx-a100-superpod").build(machine, Packed().room(nodes))
    job = Job(
        model=entry("models", model), sequence=4096, global_batch=global_batch, precision="bf16", software=entry("software", "fsdp-2023")
    )
    return job, Machines(node=machine, count=nodes, network=network)


PLAIN = Layout(data=8, sharding="zero3", recompute="full")


@pytest.mark.parametrize("sharding", ["zero1", "zero2", "zero3"])
def test_states_go_to_the_host_and_nothing_is_lost(sharding):
    """Device memory saved is what the host keeps, but for the 16-bit weights that stay where the fp32 ones were."""
    job, machines = question()
    layout = dataclasses.replace(PLAIN, sharding=sharding)
    away = dataclasses.replace(layout, offload=("optimizer",))
    here, there = memory_use(job, layout, machines).parts_bytes, memory_use(job, away, machines).parts_bytes
    assert there["optimizer"] == 0.0
    states = 12 * here["weights"] / 4 if sharding == "zero3" else here["optimizer"]
    assert host_memory(job, away, machines) == pytest.approx(8 * states)
    assert there["weights"] == (here["weights"] / 2 if sharding == "zero3" else here["weights"])
    assert there["activations"] == here["activations"]


def test_kept_activations_go_but_for_two_layers():
    job, machines = question()
    layout = Layout(data=8, sharding="zero3")
    away = dataclasses.replace(layout, offload=("activations",))
    here, there = memory_use(job, layout, machines).parts_bytes, memory_use(job, away, machines).parts_bytes
    assert there["activations"] < here["activations"] / 5
    assert host_memory(job, away, machines) == pytest.approx(8 * (here["activations"] - there["activations"]))
    assert there["optimizer"] == here["optimizer"]


def test_the_update_takes_the_hosts_memory_or_the_link_whichever_is_slower():
    job, machines = question(host_bandwidth=400e9, host_link=25e9)
    assert optimizer_time(job, machines, 1e9, 10.0) == pytest.approx(HOST_UPDATE_BYTES * 8e9 / (HOST_SHARE * 400e9))
    fast = dataclasses.replace(machines, node=dataclasses.replace(machines.node, host_bandwidth=1e15))
    assert optimizer_time(job, fast, 1e9, 10.0) == pytest.approx(2e9 / 25e9)
    assert optimizer_time(job, fast, 1e9, 0.0) == pytest.approx((2 + job.software.gradient_bytes) * 1e9 / 25e9)


def test_a_step_is_longer_by_what_is_not_hidden():
    job, machines = question()
    plain = clock(job, PLAIN, machines).parts
    away = clock(job, dataclasses.replace(PLAIN, offload=("optimizer",)), machines).parts
    assert away["optimizer"] > 5 * plain["optimizer"]
    assert all(away[name] == plain[name] for name in plain if name not in ("optimizer", "jitter"))
    layout = Layout(data=8, sharding="zero3")
    inputs = clock(job, dataclasses.replace(layout, offload=("activations",)), machines).parts
    slow = dataclasses.replace(machines, node=dataclasses.replace(machines.node, host_link=1e9))
    assert inputs["memory_bound"] < clock(job, dataclasses.replace(layout, offload=("activations",)), slow).parts["memory_bound"]
    endless = dataclasses.replace(machines, node=dataclasses.replace(machines.node, host_link=1e15))
    assert clock(job, dataclasses.replace(layout, offload=("activations",)), endless).parts == clock(job, layout, machines).parts
    drives = dataclasses.replace(machines, node=dataclasses.replace(machines.node, nvme=1e9))
    on_drives = clock(job, dataclasses.replace(PLAIN, offload=("optimizer_nvme",)), drives).parts["optimizer"]
    assert on_drives == pytest.approx(24 * parameters(job.model, job.sequence).total / 1e9, rel=0.02)
    assert host_memory(job, dataclasses.replace(PLAIN, offload=("optimizer_nvme",)), drives) == 0.0


def test_what_the_node_does_not_say_or_has_no_room_for_is_refused_with_a_mend():
    layout = dataclasses.replace(PLAIN, offload=("optimizer",))
    job, machines = question(host_link=None)
    answer = evaluate(job, layout, machines)
    assert isinstance(answer, Infeasible)
    assert "does not say its host_link" in answer.reason
    assert answer.mend.startswith("node.host_link: ")
    job, machines = question(host_memory=64e9)
    answer = evaluate(job, layout, machines)
    assert isinstance(answer, Infeasible)
    assert "the host of a node would keep" in answer.reason
    job, machines = question()
    assert any("kept off the accelerators" in note for note in evaluate(job, layout, machines).assumptions)


def test_the_search_turns_to_the_host_where_nothing_fits_without():
    job, machines = question("llama-2-70b")
    found = search(job, machines)
    assert found.layout.offload == ("optimizer",)
    job, machines = question("llama-2-70b", host_link=None)
    assert isinstance(search(job, machines), Infeasible)
    job, machines = question("llama-2-13b")
    assert search(job, machines).layout.offload == ()


def test_the_order_of_a_published_slowdown():
    """LLaMA 7B on 8 A800, ZeRO-3, 8 192 tokens a microbatch, 64 sequences a step: 4.45 sequences a second, 2.05 with states on the host.

    Source: https://gist.github.com/chenyaofo/d4cd6a20ab4b95cb3a49491747e2139a. Its Adam runs on cores that nobody bound to ranks, several
    times slower than the host's memory allows: the direction is held, the size is not.
    """
    job, machines = question("llama-2-7b")
    layout = Layout(data=8, sharding="zero3", recompute="full", microbatch=2)
    here, away = (clock(job, dataclasses.replace(layout, offload=where), machines).total for where in ((), ("optimizer",)))
    assert here < away < 4.45 / 2.05 * here
