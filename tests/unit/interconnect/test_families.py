"""Wiring of the families: structural paths are paths of the explicit graph, and levels have the capacity that the family promises."""

import itertools

import networkx
import numpy as np
import pytest
from unit.interconnect.machines import node

from simulator.collectives import bus_bandwidth, price
from simulator.errors import MendableError
from simulator.interconnect import (
    Dragonfly,
    DragonflyPlus,
    DualPlane,
    Explicit,
    FatTree,
    FullMesh,
    HyperX,
    RailOnly,
    SingleSwitch,
    Torus,
    Wan,
)
from simulator.interconnect.explicit import Link
from simulator.interconnect.graph import graph
from simulator.interconnect.wan import Site, SitePath

NETWORKS = {
    "single switch": SingleSwitch().build(node(), 3),
    "shared interfaces": SingleSwitch().build(node(nics=4), 3),
    "mesh": FatTree(leaf_nodes=2).build(node(kind="mesh"), 5),
    "pcie": FatTree(leaf_nodes=2, rails=False).build(node(kind="pcie", nics=1), 5),
    "rails": FatTree(leaf_nodes=2).build(node(accelerators=4, nics=4), 5),
    "by rack": FatTree(leaf_nodes=2, rails=False, leaf_oversubscription=2.0).build(node(accelerators=4, nics=2), 5),
    "three levels": FatTree(leaf_nodes=2, pod_nodes=4, spine_oversubscription=7.0).build(node(accelerators=4, nics=4), 12),
    "racks of one domain": FatTree(leaf_nodes=3).build(node(accelerators=4, nics=4, domain=12), 7),
    "one accelerator a node": SingleSwitch().build(node(accelerators=1, nics=1), 4),
    "rail only": RailOnly().build(node(accelerators=4, nics=4), 3),
    "dual plane": DualPlane(leaf_nodes=2, pod_nodes=4, lost_planes=1).build(node(accelerators=2, nics=2), 8),
    "dragonfly": Dragonfly(groups=4, group_switches=3, switch_interfaces=2, arc_links=2).build(node(accelerators=2, nics=1), 23),
    "dragonfly, over a third group": Dragonfly(groups=5, group_switches=2, switch_interfaces=2, routing="valiant").build(
        node(accelerators=2, nics=2), 10
    ),
    "dragonfly+": DragonflyPlus(groups=3, group_nodes=4, leaf_nodes=2, arc_links=3).build(node(accelerators=2, nics=2), 12),
    "torus of accelerators": Torus(shape=(4, 3, 2)).build(node(accelerators=2, nics=2), 12),
    "torus of nodes": Torus(shape=(5, 4), places="node").build(node(accelerators=2, nics=2), 19),
    "twisted torus": Torus(shape=(2, 4, 4), twist=2).build(node(accelerators=1, nics=1), 32),
    "hyperx": HyperX(shape=(3, 2, 2), switch_nodes=2, width=2).build(node(accelerators=2, nics=1), 24),
    "full mesh": FullMesh().build(node(accelerators=2, nics=2), 5),
    "sites": Wan(
        sites=(
            Site(name="a", nodes=4, up=1e9, down=2e9, latency=1e-3, leaf_nodes=2, leaf_oversubscription=4.0),
            Site(name="b", nodes=2),
            Site(name="home", nodes=1, times=3, up=1e6, down=1e7),
        ),
        paths=(SitePath(source="a", target="b", rate=5e8, latency=0.05),),
    ).build(node(accelerators=2, nics=2), 9),
    "explicit": Explicit(
        hosts=("one", "two", "three"),
        links=(
            *(Link(source=host, target=switch, rate=1e9) for host in ("one", "two", "three") for switch in ("red", "blue")),
            Link(source="two", target="three", rate=1e9, both=False),
        ),
    ).build(node(accelerators=4, nics=4), 3),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_paths_are_walks_of_the_graph(name):
    network = NETWORKS[name]
    wired = graph(network)
    sources, targets = (ends.ravel() for ends in np.indices((network.accelerators, network.accelerators)))
    offsets, links = network.paths(sources, targets)
    ends = {link: network.router.ends(link) for link in range(len(network.capacity))}
    assert all(wired.has_edge(*pair) for pair in ends.values())
    touching = networkx.Graph(network.router.attachments())
    touching.add_nodes_from(wired)
    per_node = network.accelerators_per_node
    for pair in range(0, len(sources), 7):
        here = f"node{sources[pair] // per_node}.accelerator{sources[pair] % per_node}"
        goal = f"node{targets[pair] // per_node}.accelerator{targets[pair] % per_node}"
        for link in links[offsets[pair] : offsets[pair + 1]]:
            tail, head = ends[int(link)]
            assert networkx.has_path(touching, here, tail)
            here = head
        assert networkx.has_path(touching, here, goal)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_link_is_on_some_path_and_has_a_name(name):
    network = NETWORKS[name]
    sources, targets = (ends.ravel() for ends in np.indices((network.accelerators, network.accelerators)))
    used = np.unique(network.paths(sources, targets)[1])
    names = [network.link_name(link) for link in used]
    # Links of a bundle join the same two vertices; no other names are the same.
    assert len(set(names)) == len(names) or name == "dragonfly"
    assert all(tail != head for tail, head in (each.split(" -> ") for each in names))
    with pytest.raises(IndexError):
        network.link_name(len(network.capacity))


def test_structural_paths_are_shortest_where_rails_do_not_cross():
    network = NETWORKS["by rack"]
    wired = graph(network)
    for source, target in ((0, 1), (0, 7), (0, 17), (19, 3)):
        _, links = network.paths(np.array([source]), np.array([target]))
        ends = [f"node{e // 4}.accelerator{e % 4}" for e in (source, target)]
        hops = sum("link" in wired.edges[edge] for edge in networkx.utils.pairwise(networkx.shortest_path(wired, *ends)))
        assert len(links) == hops


def test_oversubscription_divides_the_bandwidth_above_a_level():
    network = FatTree(leaf_nodes=4, pod_nodes=8, leaf_oversubscription=2.0, spine_oversubscription=3.0).build(node(), 32)
    below = 32 * 8 * 50e9
    by_name = {level.name: level for level in network.levels}
    assert by_name["nic-leaf"].links * by_name["nic-leaf"].rate == below
    assert by_name["leaf-spine"].links * by_name["leaf-spine"].rate == pytest.approx(below / 2)
    assert by_name["pod-core"].links * by_name["pod-core"].rate == pytest.approx(below / 6)
    assert by_name["pod-core"].oversubscription == 6.0


def test_bisection_of_a_non_blocking_tree_is_half_its_interfaces():
    network = FatTree(leaf_nodes=4, rails=False).build(node(), 8)
    wired = graph(network)
    for side, half in (("west", range(4)), ("east", range(4, 8))):
        for place in half:
            for nic in range(8):
                ends = (side, f"node{place}.nic{nic}")
                wired.add_edge(*(ends if side == "west" else ends[::-1]))  # no capacity: unlimited
    wired.remove_nodes_from([vertex for vertex in wired if "accelerator" in vertex or "fabric" in vertex])
    assert networkx.maximum_flow_value(wired, "west", "east") == pytest.approx(32 * 50e9)


def test_more_interfaces_than_accelerators_add_up_and_fewer_are_shared():
    many = SingleSwitch().build(node(nics=32, nic_rate=12.5e9), 2)
    assert many.ports == 8
    assert many.capacity[many.scale_out].max() == 50e9
    shared = SingleSwitch().build(node(nics=4), 2)
    _, links = shared.paths(np.array([0, 1, 2]), np.array([8, 9, 10]))
    assert links[0] == links[2] != links[4]


def test_latency_grows_by_one_hop_a_level():
    network = FatTree(leaf_nodes=2, pod_nodes=4, hop_latency=2e-6).build(node(), 8)
    offsets, links = network.paths(np.array([0, 0, 0]), np.array([8, 16, 32]))
    latency = [network.latency[links[a:b]].sum() for a, b in itertools.pairwise(offsets)]
    assert latency == pytest.approx([2e-6, 4e-6, 6e-6])


def test_impossible_networks_are_refused_with_the_mend():
    with pytest.raises(MendableError, match="smaller than a leaf"):
        FatTree(leaf_nodes=8, pod_nodes=4)
    with pytest.raises(MendableError, match="pod_nodes"):
        FatTree(spine_oversubscription=7.0)
    with pytest.raises(MendableError, match="at least 1 node"):
        SingleSwitch().build(node(), 0)
    with pytest.raises(MendableError, match="whole nodes"):
        SingleSwitch().build(node(domain=12), 4)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_operation_has_a_price_on_every_network(name):
    network = NETWORKS[name]
    everybody = np.arange(network.accelerators)[None]
    for operation in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast"):
        priced = price(operation, 2.0**26, everybody, network)
        assert 0 < priced.time_s < np.inf
        assert " -> " in priced.bottleneck
        # Nobody sends or receives faster than an accelerator's interfaces and links together.
        fastest = network.scale_up.rate + network.capacity[network.scale_out].max() * network.ports
        assert bus_bandwidth(operation, network.accelerators, 2.0**26, priced.time_s) <= fastest
