"""Laws of all collectives: the right data everywhere at the end, no fewer bytes than must move, more bandwidth never slower."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.collectives import communicator, price
from simulator.collectives.execution import execute
from simulator.collectives.multi_ring import MultiRing
from simulator.collectives.plan import Plan
from simulator.collectives.pricing import ALGORITHMS, OPERATIONS
from simulator.collectives.switch_tree import SwitchTree
from simulator.collectives.tuning import PROTOCOLS
from simulator.errors import MendableError
from simulator.hardware import Accelerator, Node, NodePower, ScaleUp
from simulator.interconnect import FatTree, SingleSwitch, Torus, max_min_rates

ACCELERATOR = Accelerator(name="a", peak={"bf16": 1e15}, memory=80e9, memory_bandwidth=3e12, power=700.0, launched="2022-09")


def node(accelerators, *, rate=450e9, nic_rate=50e9, nics=None, kind="switch"):
    return Node(
        accelerator=ACCELERATOR,
        accelerators=accelerators,
        scale_up=ScaleUp(kind=kind, rate=rate, reduction=kind == "switch"),
        nics=nics or accelerators,
        nic_rate=nic_rate,
        power=NodePower(rated=1.0, training=1.0, idle=1.0),
    )


def carried_out(plan: Plan, held: dict) -> dict:
    """Who holds what after the plan: (rank, chunk) -> how often each rank's part is in it.

    A message carries what its source held when the repetition began; a relay (one repetition, many steps) acts row by row.
    """
    held = {key: value.copy() for key, value in held.items()}
    for round_ in plan.rounds:
        for repetition in range(round_.repeat):
            relayed = round_.repeat < round_.steps
            before = held if relayed else {key: value.copy() for key, value in held.items()}
            fresh = set()
            for source, target, first in zip(round_.source, round_.target, round_.chunks(repetition), strict=True):
                for chunk in range(first, first + round_.width):
                    data = before.get((source, chunk))
                    if data is None:
                        continue
                    key = (target, chunk)
                    # A switch adds what its own accelerators send in this round to nothing.
                    if round_.reduces and (key in held) and (target >= 0 or key in fresh):
                        held[key] = held[key] + data
                    else:
                        held[key] = data.copy()
                    fresh.add(key)
    return held


def parts(ranks, owner=None):
    """One part from each rank (or from one)."""
    return np.eye(ranks, dtype=int)[owner] if owner is not None else np.eye(ranks, dtype=int)


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=12, deadline=None)
@given(domains=st.integers(1, 5), local=st.integers(1, 4))
def test_the_right_data_are_everywhere_at_the_end(name, operation, domains, local):
    ranks = domains * local
    if ranks == 1 or (operation == "point_to_point" and ranks != 2):
        return
    plan = ALGORITHMS[name].plan(operation, domains, local)
    if plan is not None:
        all_end_with_the_right_data(plan, operation)


def all_end_with_the_right_data(plan: Plan, operation: str) -> None:
    ranks = plan.ranks
    all_ranks, chunks = range(ranks), range(plan.chunks)
    whole = np.ones(ranks, dtype=int)
    if operation in ("all_reduce", "reduce_scatter"):
        held = carried_out(plan, {(rank, chunk): parts(ranks, rank) for rank in all_ranks for chunk in chunks})
        wanted = all_ranks if operation == "all_reduce" else ()
        for chunk in chunks:
            for rank in wanted or (plan.owner[chunk],):
                np.testing.assert_array_equal(held[rank, chunk], whole, err_msg=f"rank {rank} chunk {chunk}")
        if plan.owner is not None:
            assert (np.bincount(plan.owner, minlength=ranks) == plan.chunks // ranks).all()
    elif operation == "all_gather":
        held = carried_out(plan, {(plan.owner[chunk], chunk): parts(ranks, plan.owner[chunk]) for chunk in chunks})
        assert all((held[rank, chunk] == parts(ranks, plan.owner[chunk])).all() for rank in all_ranks for chunk in chunks)
    elif operation == "all_to_all":
        held = carried_out(plan, {(chunk // ranks, chunk): parts(ranks, chunk // ranks) for chunk in chunks})
        assert all((chunk % ranks, chunk) in held for chunk in chunks)
    else:
        held = carried_out(plan, {(0, chunk): parts(ranks, 0) for chunk in chunks})
        goals = all_ranks if operation == "broadcast" else (1,)
        assert all((rank, chunk) in held for rank in goals for chunk in chunks)


SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=3).filter(lambda sides: 1 < math.prod(sides) <= 24).map(tuple)


@pytest.mark.parametrize("operation", ["all_reduce", "reduce_scatter", "all_gather"])
@settings(max_examples=12, deadline=None)
@given(shape=SHAPES)
def test_rings_in_all_dimensions_bring_the_right_data(operation, shape):
    plan = MultiRing(shape).plan(operation, math.prod(shape), 1)
    assert plan is not None
    all_end_with_the_right_data(plan, operation)
    assert MultiRing(shape).plan(operation, math.prod(shape) + 1, 1) is None


def torus(shape, **how):
    return Torus(shape=shape, link_rate=50e9, hop_latency=1e-6, **how).build(
        node(1, nics=1, nic_rate=2 * len(shape) * 50e9), math.prod(shape)
    )


@pytest.mark.parametrize("shape", [(5,), (4, 4), (3, 3, 3), (6, 6), (4, 4, 4)])
def test_rings_in_all_dimensions_use_every_link_to_the_full(shape):
    ranks, network = math.prod(shape), torus(shape)
    for operation, sent in (("all_reduce", 2.0), ("reduce_scatter", 1.0), ("all_gather", 1.0)):
        cost = execute(MultiRing(shape).plan(operation, ranks, 1), np.arange(ranks)[None], network, network.capacity)
        assert cost.per_byte * 2 * len(shape) * 50e9 == pytest.approx(sent * (ranks - 1) / ranks, rel=1e-9)
        assert cost.far == pytest.approx(sent * sum(side - 1 for side in shape))


@settings(max_examples=20, deadline=None)
@given(shape=SHAPES, operation=st.sampled_from(["all_reduce", "reduce_scatter", "all_gather"]), twist=st.booleans())
def test_rings_in_all_dimensions_send_no_less_than_they_must(shape, operation, twist):
    network = torus(shape, twist=int(twist and len(set(shape)) > 1))
    ranks = math.prod(shape)
    cost = execute(MultiRing(shape).plan(operation, ranks, 1), np.arange(ranks)[None], network, network.capacity)
    links = sum(2 if side > 2 else side - 1 for side in shape) if not twist else 2 * len(shape)
    assert cost.per_byte * links * 50e9 >= LEAST[operation](ranks) * (1 - 1e-9)


def test_groups_that_fill_boxes_take_rings_in_all_dimensions_and_others_do_not():
    network = torus((4, 4, 4))
    planes = np.arange(64).reshape(4, 16)
    priced = price("all_reduce", 1e9, planes, network)
    assert priced.algorithm.startswith("multi_ring")
    assert price("all_reduce", 1e9, planes[:, ::-1], network) == priced
    assert price("all_reduce", 1e9, planes, network, "ring").time_s > 2 * priced.time_s
    assert not price("all_reduce", 1e9, np.array([[0, 1, 2, 3, 5]]), network).algorithm.startswith("multi_ring")
    with pytest.raises(MendableError, match="cannot carry out all_reduce"):
        price("all_reduce", 1e9, np.arange(16)[None], SingleSwitch().build(node(8), 2), "multi_ring")


def test_blocks_that_do_not_fit_a_torus_are_not_taken_for_alike():
    """Eight in a row of twelve: the second group lies around a corner, and shares links with the first."""
    network = torus((12, 2))
    both, one = (price("all_gather", 1e9, np.arange(24).reshape(3, 8)[:groups], network, "ring") for groups in (2, 1))
    assert set(network.cells) == {1, 2, 4}
    assert both.time_s > one.time_s


def test_switches_that_add_take_each_message_once_up_and_once_down():
    """Two pods of two leaves of two nodes: each interface and link above carries an eighth of the size, whoever sends below."""
    network = FatTree(leaf_nodes=2, pod_nodes=4, reduction=True).build(node(8), 8)
    plan = ALGORITHMS["sharp"].plan("all_reduce", 8, 8)
    cost = execute(plan, np.arange(64)[None], network, np.where(network.scale_out, network.capacity, np.inf))
    assert cost.per_byte == pytest.approx(1 / 8 / 50e9)
    assert cost.far == 2.0
    # Above a leaf of two nodes one message for both: 4:1 oversubscribed it is still the interface that is busiest.
    thin = FatTree(leaf_nodes=4, leaf_oversubscription=4.0, reduction=True).build(node(8), 8)
    assert execute(plan, np.arange(64)[None], thin, np.where(thin.scale_out, thin.capacity, np.inf)).per_byte == pytest.approx(1 / 8 / 50e9)
    quicker, ring = (price("all_reduce", 1e9, np.arange(64)[None], network, name).time_s for name in ("sharp", "ring"))
    assert 1.5 < ring / quicker < 2.0
    assert network.link_name(cost.link) == "node0.nic0 -> leaf0"
    nvls = SwitchTree(in_domain=True).plan("all_reduce", 8, 8)
    all_end_with_the_right_data(nvls, "all_reduce")
    inside = execute(nvls, np.arange(64)[None], network, np.where(network.scale_out, np.inf, network.capacity))
    assert inside.per_byte == pytest.approx((1 + 1 / 8) / 450e9)


@pytest.mark.parametrize("groups", [1, 8])
def test_switches_add_for_all_groups_at_once(groups):
    network = FatTree(leaf_nodes=2, reduction=True).build(node(8), 4)
    members = np.arange(32).reshape(4, 8).T[:groups]
    one = price("all_reduce", 1e9, members[:1], network, "sharp").time_s
    assert price("all_reduce", 1e9, members, network, "sharp").time_s == pytest.approx(one)


def test_only_switches_that_can_are_asked_to_add():
    groups = np.arange(32)[None]
    plain, adding = (FatTree(reduction=adds).build(node(8), 4) for adds in (False, True))
    assert not price("all_reduce", 1e9, groups, plain).algorithm.startswith("sharp")
    assert price("all_reduce", 1e9, groups, adding).time_s <= price("all_reduce", 1e9, groups, plain).time_s
    with pytest.raises(MendableError, match="sharp cannot carry out"):
        price("all_reduce", 1e9, groups, plain, "sharp")
    with pytest.raises(MendableError, match="hashed routes"):
        FatTree(reduction=True, routing="ecmp")


LEAST = {
    # bytes that at least leave (or, for a broadcast, reach) a rank per byte of size, without in-network reduction
    "all_reduce": lambda n: 2 * (n - 1) / n, "reduce_scatter": lambda n: (n - 1) / n, "all_gather": lambda n: (n - 1) / n,
    "all_to_all": lambda n: (n - 1) / n, "broadcast": lambda n: 1.0,
}  # fmt: skip


@pytest.mark.parametrize("name", ["ring", "direct", "halving_doubling", "tree"])
@settings(max_examples=12, deadline=None)
@given(ranks=st.integers(2, 8), operation=st.sampled_from(sorted(LEAST)))
def test_no_plan_moves_fewer_bytes_than_it_must(name, ranks, operation):
    plan = ALGORITHMS[name].plan(operation, 1, ranks)
    if plan is None:
        return
    network = SingleSwitch().build(node(8), 1)
    cost = execute(plan, np.arange(ranks)[None], network, network.capacity)
    assert cost.per_byte * 450e9 >= LEAST[operation](ranks) * (1 - 1e-9)


def test_rings_reach_the_bound():
    network = SingleSwitch().build(node(8), 1)
    for operation, least in LEAST.items():
        name = "direct" if operation == "all_to_all" else "ring"
        cost = execute(ALGORITHMS[name].plan(operation, 1, 8), np.arange(8)[None], network, network.capacity)
        slack = {"broadcast": 1.0}.get(operation, 1.0)
        assert cost.per_byte * 450e9 == pytest.approx(least(8) * slack, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    operation=st.sampled_from([name for name in OPERATIONS if name != "point_to_point"]),
    stride=st.sampled_from([1, 2, 4, 8]),
    size=st.sampled_from([1e3, 1e6, 1e8]),
    faster=st.sampled_from(["rate", "nic_rate", "leaf"]),
    seed=st.integers(0, 5),
)
def test_more_bandwidth_is_never_slower(operation, stride, size, faster, seed):
    groups = np.arange(32).reshape(-1, 32 // stride, stride).transpose(0, 2, 1).reshape(stride, -1)
    if seed:
        groups = np.random.default_rng(seed).permutation(32)[groups]
    slow = FatTree(leaf_nodes=2, leaf_oversubscription=4.0).build(node(8), 4)
    tree = FatTree(leaf_nodes=2, leaf_oversubscription=2.0 if faster == "leaf" else 4.0)
    quick = tree.build(node(8, **({faster: {"rate": 900e9, "nic_rate": 100e9}[faster]} if faster != "leaf" else {})), 4)
    assert price(operation, size, groups, quick).time_s <= price(operation, size, groups, slow).time_s * (1 + 1e-12)


@settings(max_examples=25, deadline=None)
@given(
    operation=st.sampled_from([name for name in OPERATIONS if name != "point_to_point"]),
    size=st.floats(1.0, 1e10),
    more=st.floats(1.0, 100.0),
    groups=st.sampled_from([1, 2, 4, 8]),
)
def test_more_bytes_and_more_groups_never_take_less(operation, size, more, groups):
    network = SingleSwitch().build(node(8, nics=2), 4)
    members = np.arange(32).reshape(4, 8).T[:groups]
    alone = price(operation, size, members[:1], network)
    assert price(operation, size * more, members[:1], network).time_s >= alone.time_s * (1 - 1e-12)
    assert price(operation, size, members, network).time_s >= alone.time_s * (1 - 1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), operation=st.sampled_from([name for name in OPERATIONS if name != "point_to_point"]))
def test_names_of_nodes_and_order_of_groups_do_not_matter(seed, operation):
    draw = np.random.default_rng(seed)
    network = SingleSwitch().build(node(4), 6)
    groups = np.arange(24).reshape(6, 4).T
    renamed = draw.permutation(6)[groups // 4] * 4 + groups % 4
    first = price(operation, 1e7, groups, network)
    assert price(operation, 1e7, draw.permutation(renamed), network).time_s == pytest.approx(first.time_s, rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(domains=st.integers(2, 4), local=st.integers(1, 4), groups=st.integers(1, 2))
def test_a_round_takes_what_the_slowest_max_min_rate_gives(domains, local, groups):
    network = FatTree(leaf_nodes=1, rails=False, leaf_oversubscription=3.0).build(node(8), 4)
    members = np.array([[8 * d + local * g + i for d in range(domains) for i in range(local)] for g in range(groups)])
    plan = ALGORITHMS["ring"].plan("all_gather", domains, local)
    cost = execute(plan, members, network, network.capacity)
    source, target = plan.rounds[0].source, plan.rounds[0].target
    offsets, links = network.paths(members[:, source].ravel(), members[:, target].ravel())
    rate = max_min_rates(offsets, links, network.capacity).min()
    assert cost.per_byte == pytest.approx((domains * local - 1) * plan.unit / rate, rel=1e-9)


def test_time_is_latency_and_bytes_for_every_candidate():
    network = FatTree().build(node(8), 4)
    group = communicator(np.arange(32)[None], network)
    for protocol_of in PROTOCOLS.values():
        assert all(replace(protocol) == protocol and protocol.base > 0 for protocol in protocol_of)
    small, large = group.price("all_reduce", 1.0), group.price("all_reduce", 1e12)
    assert small.bandwidth_s < 1e-3 * small.latency_s
    assert large.latency_s < 0.1 * large.bandwidth_s


@settings(max_examples=25, deadline=None)
@given(
    operation=st.sampled_from([name for name in OPERATIONS if name != "point_to_point"]),
    distance=st.sampled_from([1, 2, 4, 8]),
    ranks=st.sampled_from([2, 4, 8, 16]),
    dropped=st.integers(0, 3),
)
def test_groups_that_repeat_in_another_cell_change_nothing(operation, distance, ranks, dropped):
    network = FatTree(leaf_nodes=2, pod_nodes=8, leaf_oversubscription=2.0, spine_oversubscription=2.0).build(node(4, nics=2), 32)
    groups = np.arange(128).reshape(-1, ranks, distance).transpose(0, 2, 1).reshape(-1, ranks)[dropped:]
    quotient = price(operation, 1e7, groups, network)
    whole = price(operation, 1e7, groups, replace(network, cells=()))
    assert quotient.time_s == pytest.approx(whole.time_s, rel=1e-12)
    assert quotient.algorithm == whole.algorithm
