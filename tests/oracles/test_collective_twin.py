"""A naive twin for small groups: every message an event, every port a queue. Too slow to ship, right to convict the fast code."""

import heapq
from collections import defaultdict

import numpy as np
import pytest

from simulator.collectives.execution import execute
from simulator.collectives.pricing import ALGORITHMS
from simulator.hardware import Accelerator, Node, NodePower, ScaleUp
from simulator.interconnect import SingleSwitch

RATE, HOP = 100e9, 2e-6
ACCELERATOR = Accelerator(name="a", peak={"bf16": 1e15}, memory=80e9, memory_bandwidth=3e12, power=700.0, launched="2022-09")


def network_of(ranks):
    """One switch: no two messages of a permutation share a link."""
    node = Node(
        accelerator=ACCELERATOR,
        accelerators=ranks,
        scale_up=ScaleUp(kind="switch", rate=RATE, latency=HOP),
        nics=1,
        nic_rate=1e9,
        power=NodePower(rated=1.0, training=1.0, idle=1.0),
    )
    return SingleSwitch().build(node, 1)


def played(plan, size):
    """Time of the last arrival. A rank sends its messages in order, each once the data it carries have arrived; a message holds the
    sender's port and the receiver's port for its bytes and arrives one latency later."""
    messages = []
    for number, round_ in enumerate(plan.rounds):
        for repetition in range(round_.repeat):
            for source, target, chunk in zip(round_.source, round_.target, round_.chunks(repetition), strict=True):
                chunks = [(int(chunk) + k) for k in range(round_.width)]
                messages.append((number, repetition, int(source), int(target), chunks, round_.width * plan.unit * size))
    arrived = defaultdict(float)  # (rank, chunk) -> when its newest contribution came
    out, into = defaultdict(float), defaultdict(float)
    last = 0.0
    stages = defaultdict(list)
    for message in messages:
        stages[message[:2]].append(message)
    for stage in sorted(stages):
        heap = []
        for order, (_, _, source, target, chunks, volume) in enumerate(stages[stage]):
            heapq.heappush(heap, (max(arrived[source, chunk] for chunk in chunks), order, source, target, chunks, volume))
        news = {}
        while heap:
            ready, _, source, target, chunks, volume = heapq.heappop(heap)
            start = max(ready, out[source], into[target] - HOP)
            out[source] = start + volume / RATE
            into[target] = out[source] + HOP
            for chunk in chunks:
                news[target, chunk] = max(news.get((target, chunk), 0.0), into[target])
            last = max(last, into[target])
        for key, when in news.items():
            arrived[key] = max(arrived[key], when)
    return last


def modelled(plan, size, ranks):
    network = network_of(ranks)
    cost = execute(plan, np.arange(ranks)[None], network, network.capacity)
    return cost.wire + cost.per_byte * size


@pytest.mark.parametrize("ranks", [2, 3, 4, 8, 16])
@pytest.mark.parametrize("size", [1e3, 1e6, 1e9])
@pytest.mark.parametrize("operation", ["all_reduce", "all_gather", "reduce_scatter"])
def test_ring(ranks, size, operation):
    plan = ALGORITHMS["ring"].plan(operation, ranks, 1)  # one ring
    assert modelled(plan, size, ranks) == pytest.approx(played(plan, size), rel=1e-9)
    rounds = (2 if operation == "all_reduce" else 1) * (ranks - 1)
    assert modelled(plan, size, ranks) == pytest.approx(rounds * (HOP + size / ranks / RATE), rel=1e-9)


@pytest.mark.parametrize("ranks", [2, 4, 8, 16])
@pytest.mark.parametrize("size", [1e3, 1e9])
@pytest.mark.parametrize("operation", ["all_reduce", "all_gather", "reduce_scatter"])
def test_halving_and_doubling(ranks, size, operation):
    plan = ALGORITHMS["halving_doubling"].plan(operation, 1, ranks)
    assert modelled(plan, size, ranks) == pytest.approx(played(plan, size), rel=1e-9)
    phases, steps = (2 if operation == "all_reduce" else 1), ranks.bit_length() - 1
    closed = phases * (steps * HOP + (ranks - 1) / ranks * size / RATE)
    assert modelled(plan, size, ranks) == pytest.approx(closed, rel=1e-9)


@pytest.mark.parametrize("shape", [(2, 2), (2, 4), (4, 4)])
def test_hierarchical(shape):
    domains, local = shape
    plan = ALGORITHMS["hierarchical"].plan("all_reduce", domains, local)
    size, ranks = 1e8, domains * local
    assert modelled(plan, size, ranks) == pytest.approx(played(plan, size), rel=1e-9)
    moved = 2 * ((local - 1) / local + (domains - 1) / domains / local) * size / RATE
    assert modelled(plan, size, ranks) == pytest.approx(2 * (local + domains - 2) * HOP + moved, rel=1e-9)


@pytest.mark.parametrize("ranks", [2, 4, 8, 16])
def test_direct_all_to_all(ranks):
    plan, size = ALGORITHMS["direct"].plan("all_to_all", 1, ranks), 1e8
    closed = HOP + (ranks - 1) / ranks * size / RATE
    assert modelled(plan, size, ranks) == pytest.approx(closed, rel=1e-9)
    # The twin sends in the order of the table, so that receivers queue: never faster than fair sharing, and at most twice as slow.
    assert closed * (1 - 1e-9) <= played(plan, size) <= 2 * closed


@pytest.mark.parametrize("ranks", [2, 5, 8])
def test_a_pipelined_tree_is_no_faster_than_its_busiest_port_and_no_slower_than_its_rounds_in_a_row(ranks):
    plan, size = ALGORITHMS["tree"].plan("all_reduce", ranks, 1), 1e8
    assert modelled(plan, size, ranks) <= played(plan, size) * (1 + 1e-9)
