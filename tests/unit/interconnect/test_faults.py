"""Faulty networks against sums by hand, and the laws of faults: no path over a dead link, nothing faster than on the whole network."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from unit.interconnect.machines import node

from simulator.collectives import price
from simulator.collectives.execution import execute
from simulator.collectives.pricing import ALGORITHMS
from simulator.errors import MendableError
from simulator.interconnect import (
    DeadLink,
    DegradedLink,
    DragonflyPlus,
    DualPlane,
    Explicit,
    FatTree,
    FlappingLink,
    FullMesh,
    HyperX,
    LostSwitches,
    SingleSwitch,
    SlowInterface,
    Torus,
    Wan,
    with_faults,
)
from simulator.interconnect.explicit import Link
from simulator.interconnect.graph import graph
from simulator.interconnect.wan import Site, SitePath

ONE = node(accelerators=1, nics=1)
RACKS = FatTree(leaf_nodes=2, rails=False).build(ONE, 4)
MESH = FullMesh().build(ONE, 3)


def moved(network, operation="all_reduce", algorithm="ring", groups=None):
    """Seconds per byte that the busiest link takes, and that link: of ranks that are each alone in their node."""
    members = np.arange(network.accelerators)[None, :] if groups is None else np.array(groups)
    plan = ALGORITHMS[algorithm].plan(operation, members.shape[1], 1)
    cost = execute(plan, members, network, np.where(network.capacity > 0, network.capacity, np.inf))
    return cost.per_byte, network.link_name(cost.link)


def test_lost_spines_thin_the_uplinks_and_show_once_these_are_the_thinnest():
    """A ring through two racks of two crosses each uplink once; the uplink of a whole rack is as wide as two interfaces."""
    whole, _ = moved(RACKS)
    for lost, times in ((1, 1.0), (2, 1.0), (3, 2.0)):
        time, link = moved(with_faults(RACKS, [LostSwitches(lost=lost, of=4)]))
        assert time == pytest.approx(times * whole, rel=1e-12)
        assert ("-> spine (at 25 %)" in link) == (lost == 3)
    # All to all, four of the messages cross an uplink and three an interface: 4 / 2 < 3, and 4 / 1 is a third more.
    time, _ = moved(with_faults(RACKS, [LostSwitches(lost=2, of=4)]), "all_to_all", "direct")
    assert time == pytest.approx(4 / 3 * moved(RACKS, "all_to_all", "direct")[0], rel=1e-12)


def test_the_spines_of_one_pod_leave_the_others_alone():
    network = FatTree(leaf_nodes=1, pod_nodes=2, rails=False).build(ONE, 6)
    thin = with_faults(network, [LostSwitches(lost=1, of=2, pod=1)])
    changed = {network.link_name(link) for link in np.flatnonzero(thin.capacity < network.capacity)}
    assert changed == {
        *("leaf2 -> pod1", "leaf3 -> pod1", "pod1 -> leaf2", "pod1 -> leaf3", "pod1 -> core", "core -> pod1"),
    }
    assert set((thin.capacity / network.capacity).tolist()) == {0.5, 1.0}
    cores = with_faults(network, [LostSwitches(level="core", lost=1, of=4)])
    assert {network.link_name(link) for link in np.flatnonzero(cores.capacity < network.capacity)} == {
        name for pod in range(3) for name in (f"pod{pod} -> core", f"core -> pod{pod}")
    }
    assert [(level.name, level.faulty) for level in thin.levels] == [("nic-leaf", 0), ("leaf-spine", 2), ("pod-core", 1)]
    plus = DragonflyPlus(groups=3, group_nodes=2, leaf_nodes=1).build(ONE, 6)
    assert [level.faulty for level in with_faults(plus, [LostSwitches(of=4, pod=2)]).levels] == [0, 2, 2]


def test_a_slow_interface_slows_every_ring_through_it_by_its_own_share():
    network = SingleSwitch().build(node(accelerators=2, nics=2), 3)
    whole, _ = moved(network, groups=[[0, 2, 4], [1, 3, 5]])
    slow = with_faults(network, [SlowInterface(nodes=(1,), nic=1, rate=0.25)])
    time, link = moved(slow, groups=[[0, 2, 4], [1, 3, 5]])
    assert time == pytest.approx(4 * whole, rel=1e-12)
    assert link == "node1.nic1 -> switch (at 25 %)"
    assert moved(slow, groups=[[0, 2, 4]])[0] == pytest.approx(whole, rel=1e-12)
    both = with_faults(network, [SlowInterface(nodes=(1,), rate=0.5), DegradedLink(link="node1.nic1 -> switch", rate=0.5)])
    assert moved(both, groups=[[1, 3, 5]])[0] == pytest.approx(4 * whole, rel=1e-12)


def test_a_flapping_link_counts_with_what_it_carries_on_the_mean():
    whole, _ = moved(MESH)
    time, link = moved(with_faults(MESH, [FlappingLink(link="node0 -> node1", down=0.2)]))
    assert time == pytest.approx(whole / 0.8, rel=1e-12)
    assert link == "node0 -> node1 (at 80 %)"
    one_way = with_faults(MESH, [FlappingLink(link="node1 -> node0", down=0.2, both=False)])
    assert moved(one_way)[0] == pytest.approx(whole, rel=1e-12)


def test_a_dead_cable_of_a_mesh_is_gone_around():
    """The ring 0 -> 1 -> 2 -> 0 finds 0 -> 2 -> 1 unused; all to all, the cable from 0 to 2 carries two messages instead of one."""
    cut = with_faults(MESH, [DeadLink(link="node0 -> node1")])
    assert [cut.link_name(link) for link in cut.paths(np.array([0]), np.array([1]))[1]] == [
        *("node0.nic0 -> node0", "node0 -> node2", "node2 -> node1", "node1 -> node1.nic0"),
    ]
    assert moved(cut)[0] == pytest.approx(moved(MESH)[0], rel=1e-12)
    before, after = (moved(network, "all_to_all", "direct") for network in (MESH, cut))
    assert after[0] == pytest.approx(2 * before[0], rel=1e-12)
    assert after[1] in ("node0 -> node2", "node1 -> node2")
    with pytest.raises(MendableError, match=r"nothing but the dead link leaf0 -> spine leads there; write kind: degraded_link"):
        with_faults(RACKS, [DeadLink(link="leaf0 -> spine")])


def test_equally_short_ways_around_are_taken_in_turn():
    """Of the ways around one dead cable in a mesh of six, four are equally short."""
    cut = with_faults(HyperX(shape=(6,), switch_nodes=8).build(ONE, 48), [DeadLink(link="switch0 -> switch1")])
    sources, targets = np.zeros(8, dtype=np.int64), np.arange(8, 16)
    offsets, links = cut.paths(sources, targets)
    assert set(np.diff(offsets).tolist()) == {4}
    assert np.unique(links[1::4], return_counts=True)[1].tolist() == [2, 2, 2, 2]


def test_a_node_with_a_dead_interface_uses_the_next():
    network = SingleSwitch().build(node(accelerators=4, nics=4), 2)
    groups = [[0, 4], [1, 5], [2, 6], [3, 7]]
    cut = with_faults(network, [DeadLink(link="node0.nic1 -> *")])
    time, link = moved(cut, groups=groups)
    assert time == pytest.approx(2 * moved(network, groups=groups)[0], rel=1e-12)
    assert link == "node0.nic2 -> switch"
    names = [cut.link_name(link) for link in cut.paths(np.array([5]), np.array([1]))[1]]
    assert names == ["node1.nic1 -> switch", "switch -> node0.nic2", "node0.accelerator2 -> fabric0", "fabric0 -> node0.accelerator1"]
    dead = [DeadLink(link=f"node0.nic{nic} -> switch") for nic in range(4)]
    with_faults(network, dead[:3])
    with pytest.raises(MendableError, match="node 0 has no network interface left"):
        with_faults(network, dead)


def test_what_is_not_there_is_refused_with_what_is():
    cases = [
        (DegradedLink(link="leaf0 -> spin", rate=0.5), "did you mean leaf0 -> spine"),
        (DegradedLink(link="leaf0", rate=0.5), "two ends"),
        (SlowInterface(nodes=(4,), rate=0.5), "the network has 4"),
        (SlowInterface(nodes=(0,), nic=1, rate=0.5), "a node has 1"),
        (LostSwitches(level="core", of=4), "this network has none"),
        (LostSwitches(of=4, pod=1), "of pod 1, this network has none"),
    ]
    for fault, told in cases:
        with pytest.raises(MendableError, match=told):
            with_faults(RACKS, [fault])
    for make in (
        lambda: LostSwitches(lost=4, of=4),
        lambda: LostSwitches(level="core", of=4, pod=1),
        lambda: LostSwitches(lost=0, of=4),
        lambda: SlowInterface(nodes=(), rate=0.5),
        lambda: SlowInterface(nodes=(1,), rate=0.0),
        lambda: DegradedLink(link="a -> b", rate=0.0),
        lambda: FlappingLink(link="a -> b", down=1.0),
    ):
        with pytest.raises(MendableError):
            make()
    assert with_faults(RACKS, []) is RACKS


SITES = tuple(Site(name=name, nodes=2, up=1e9, down=1e9, latency=0.01) for name in "abc")
NETWORKS = {
    "racks": FatTree(leaf_nodes=2, rails=False, leaf_oversubscription=2.0).build(node(accelerators=2, nics=2), 6),
    "rails": FatTree(leaf_nodes=2, pod_nodes=4).build(node(accelerators=2, nics=2), 8),
    "hashed": FatTree(leaf_nodes=2, pod_nodes=4, routing="ecmp", hash_seed=3).build(node(accelerators=2, nics=2), 8),
    "planes": DualPlane(leaf_nodes=2).build(node(accelerators=2, nics=2), 6),
    "dragonfly+": DragonflyPlus(groups=3, group_nodes=2, leaf_nodes=1).build(node(accelerators=2, nics=1), 6),
    "torus": Torus(shape=(3, 4)).build(ONE, 12),
    "hyperx": HyperX(shape=(3, 2)).build(node(accelerators=2, nics=2), 6),
    "mesh": FullMesh().build(node(accelerators=2, nics=2), 5),
    "mesh inside": SingleSwitch().build(node(kind="mesh", accelerators=4, nics=4), 3),
    "sites": Wan(
        sites=SITES,
        paths=tuple(SitePath(source=one, target=other, rate=1e8, latency=0.02) for one, other in ("ab", "bc", "ca")),
    ).build(ONE, 6),
    "explicit": Explicit(
        hosts=("p", "q", "r"),
        links=tuple(Link(source=host, target=switch, rate=1e9) for host in "pqr" for switch in ("red", "blue")),
    ).build(ONE, 3),
}


@st.composite
def faults(draw, network):
    """A few faults of any kind that the network knows; dead links among those of the fabric."""
    names = [network.link_name(link) for link in range(len(network.capacity))]
    shares = st.sampled_from([0.25, 0.5, 0.9])
    count = network.accelerators // network.accelerators_per_node
    one = st.one_of(
        st.builds(DegradedLink, link=st.sampled_from(names), rate=shares, both=st.booleans()),
        st.builds(FlappingLink, link=st.sampled_from(names), down=shares, both=st.booleans()),
        st.builds(DeadLink, link=st.sampled_from(names), both=st.booleans()),
        st.builds(SlowInterface, nodes=st.tuples(st.integers(0, count - 1)), rate=shares),
        st.builds(LostSwitches, of=st.just(3), lost=st.integers(1, 2)),
    )
    return draw(st.lists(one, min_size=1, max_size=3))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(NETWORKS)), operation=st.sampled_from(["all_reduce", "all_gather", "all_to_all"]))
def test_a_fault_never_makes_anything_faster(data, name, operation):
    network = NETWORKS[name]
    try:
        faulty = with_faults(network, data.draw(faults(network)))
    except MendableError:
        assume(False)
    members = np.arange(network.accelerators).reshape(-1, network.accelerators_per_node).T
    size = 2.0 ** data.draw(st.integers(10, 32))
    whole, hurt = (price(operation, size, members, one) for one in (network, faulty))
    assert hurt.time_s >= whole.time_s * (1 - 1e-12)
    _walks(faulty)


def _walks(network):
    """Every path crosses live links, each beginning where the one before has ended."""
    pairs = np.array([(a, b) for a in range(network.accelerators) for b in range(0, network.accelerators, 3)]).T
    offsets, links = network.paths(*pairs)
    assert (network.capacity[links] > 0).all()
    touching = networkx.Graph(network.router.attachments())
    touching.add_nodes_from(graph(network))
    groups = {vertex: number for number, some in enumerate(networkx.connected_components(touching)) for vertex in some}
    per_node = network.accelerators_per_node
    for pair, (source, target) in enumerate(pairs.T):
        here = groups[f"node{source // per_node}.accelerator{source % per_node}"]
        for link in links[offsets[pair] : offsets[pair + 1]]:
            tail, head = network.router.ends(int(link))
            assert groups[tail] == here
            here = groups[head]
        assert here == groups[f"node{target // per_node}.accelerator{target % per_node}"]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_link_has_a_place_in_its_level(name):
    network = NETWORKS[name]
    ends = [network.router.ends(link) for link in range(len(network.capacity))]
    found = [network.router.level(link) for link, (tail, head) in enumerate(ends) if tail != head]
    for number, level in enumerate(network.levels):
        places = {place for at, place in found if at == number}
        assert places <= set(range(level.links)), level.name
        assert places, level.name


def test_hashed_flows_leave_dead_cables_and_lost_spines():
    """Two racks of two under ECMP, two cables up from each: cable 1 of every leaf ends on spine 1."""
    network = FatTree(leaf_nodes=2, rails=False, routing="ecmp").build(ONE, 6)
    pairs = np.array([(a, b) for a in range(6) for b in range(6) if a != b]).T
    cut = with_faults(network, [DeadLink(link="leaf0 -> spine1")])
    (offsets, before), (_, after) = (one.paths(*pairs) for one in (network, cut))
    assert (cut.capacity[after] > 0).all()
    changed = before != after
    touched = np.repeat(np.arange(len(pairs[0])), np.diff(offsets))[changed]
    assert set(touched.tolist()) <= {i for i, pair in enumerate(pairs.T) if (pair < 2).any()}
    assert changed.any()
    assert cut.levels[1].faulty == 1
    gone = with_faults(network, [LostSwitches(of=2)])
    assert {gone.link_name(link) for link in np.flatnonzero(gone.capacity == 0)} == {
        f"{name} (at 0 %)" for leaf in range(3) for name in (f"leaf{leaf} -> spine1", f"spine1 -> leaf{leaf}")
    }
    assert (gone.capacity[gone.paths(*pairs)[1]] > 0).all()
    with pytest.raises(MendableError, match="too few cables are left above leaf0"):
        with_faults(network, [DeadLink(link="leaf0 -> spine*")])
    with pytest.raises(MendableError, match="none with that number; write as many switches as a leaf has cables"):
        with_faults(network, [LostSwitches(of=9)])
    pods = FatTree(leaf_nodes=2, pod_nodes=4, rails=False, routing="ecmp").build(ONE, 12)
    thin = with_faults(pods, [LostSwitches(of=2, pod=1)])
    assert {thin.link_name(link).split(" (")[0] for link in np.flatnonzero(thin.capacity == 0) if link % 2} <= {
        name
        for leaf in (2, 3)
        for number in (1, 3)
        for name in (
            f"leaf{leaf} -> pod1.spine{number}",
            f"pod1.spine{number} -> leaf{leaf}",
            f"pod1 -> core{number}",
            f"core{number} -> pod1",
        )
    }
    ends = np.array([(a, b) for a in range(12) for b in range(12) if a != b]).T
    assert (thin.capacity[thin.paths(*ends)[1]] > 0).all()
