"""Degree, diameter, bisection and balance of each family against their closed forms."""

import math

import networkx
import numpy as np
import pytest
from unit.interconnect.machines import node

from simulator.errors import MendableError
from simulator.interconnect import Dragonfly, DragonflyPlus, DualPlane, Explicit, FullMesh, HyperX, RailOnly, SingleSwitch, Torus, Wan
from simulator.interconnect.explicit import Link
from simulator.interconnect.graph import graph
from simulator.interconnect.wan import Site, SitePath

SMALL = node(accelerators=1, nics=1)


def switches(network):
    """The network between switches alone."""
    wired = graph(network)
    wired.remove_nodes_from([vertex for vertex in wired if "accelerator" in vertex or ".nic" in vertex])
    return wired


def hops(network):
    """Links between switches on the path of every pair of accelerators that are apart."""
    sources, targets = (ends.ravel() for ends in np.nonzero(~np.eye(network.accelerators, dtype=bool)))
    offsets, links = network.paths(sources, targets)
    return np.diff(offsets) - 2, sources, targets, links


def loads(network):
    """How often the links between switches are crossed by an all-to-all."""
    counted = np.bincount(hops(network)[3], minlength=len(network.capacity))
    return counted[2 * network.accelerators :]


def crossing(wired, side):
    """Capacity from the vertices of one side to the others [B/s]."""
    return sum(data["capacity"] for tail, head, data in wired.edges(data=True) if tail in side and head not in side)


@pytest.mark.parametrize("shape", [(4,), (4, 4), (5, 3), (4, 4, 4), (6, 4, 3)])
def test_a_torus(shape):
    network = Torus(shape=shape).build(SMALL, math.prod(shape))
    wired = switches(network)
    assert {degree for _, degree in wired.out_degree()} == {2 * len(shape)}
    assert networkx.diameter(wired) == sum(size // 2 for size in shape) == hops(network)[0].max()
    longest = int(np.argmax(shape))
    if shape[longest] % 2 == 0:
        half = {f"place{p}" for p in range(math.prod(shape)) if np.unravel_index(p, shape, order="F")[longest] < shape[longest] // 2}
        assert crossing(wired, half) == 2 * math.prod(shape) / shape[longest] * SMALL.nic_rate
        level = next(level for level in network.levels if level.name == f"place-dimension{longest}")
        # Half of the endpoints over what the cut carries.
        assert level.oversubscription == pytest.approx(len(half) * SMALL.nic_rate / crossing(wired, half))


@pytest.mark.parametrize(
    "family",
    [
        Torus(shape=(4, 4)),
        Torus(shape=(6, 4, 3)),
        Torus(shape=(4, 8), twist=4),
        Torus(shape=(2, 2, 4), twist=2),
        Torus(shape=(2, 4, 4), twist=2),
        HyperX(shape=(4, 3)),
        FullMesh(nodes=7),
    ],
    ids=str,
)
def test_paths_are_shortest(family):
    count = math.prod(family.shape) if hasattr(family, "shape") else family.nodes
    network = family.build(SMALL, count)
    wired, prefix = switches(network), network.router.fabric.edge
    length = dict(networkx.all_pairs_shortest_path_length(wired))
    taken, sources, targets, _ = hops(network)
    assert [length[f"{prefix}{s}"][f"{prefix}{t}"] for s, t in zip(sources, targets, strict=True)] == taken.tolist()


def test_a_twist_shortens_the_longest_way():
    straight, twisted = (Torus(shape=(4, 8), twist=twist).build(SMALL, 32) for twist in (0, 4))
    assert hops(straight)[0].max() == 6
    assert hops(twisted)[0].max() == 4


def test_an_all_to_all_loads_a_torus_and_a_hyperx_evenly():
    for family in (Torus(shape=(4, 4)), Torus(shape=(4, 4, 4)), Torus(shape=(5, 5)), HyperX(shape=(4, 4)), FullMesh(nodes=5)):
        count = math.prod(family.shape) if hasattr(family, "shape") else family.nodes
        assert len(set(loads(family.build(SMALL, count)).tolist())) == 1


def test_a_hyperx():
    network = HyperX(shape=(4, 4, 2), switch_nodes=2, width=3).build(SMALL, 64)
    wired = switches(network)
    assert {degree for _, degree in wired.out_degree()} == {3 + 3 + 1}
    assert networkx.diameter(wired) == 3
    half = {f"switch{s}" for s in range(32) if s % 4 < 2}
    assert crossing(wired, half) == 16 * 2 * 3 * SMALL.nic_rate
    level = next(level for level in network.levels if level.name == "switch-dimension0")
    assert level.oversubscription == pytest.approx(2 * 16 * SMALL.nic_rate / crossing(wired, half))


def test_a_full_mesh():
    network = FullMesh().build(node(), 6)
    wired = switches(network)
    assert {degree for name, degree in wired.out_degree() if not name.startswith("fabric")} == {5}
    assert sum(data["capacity"] for *_, data in wired.out_edges("node0", data=True)) == pytest.approx(8 * 50e9)


def test_a_dragonfly():
    family = Dragonfly(groups=9, group_switches=4, switch_interfaces=2, arc_links=1)
    network = family.build(SMALL, 72)
    wired = switches(network)
    # Balanced: a = 2 p = 2 h, g = a h + 1 (Kim et al. 2008).
    assert {degree for _, degree in wired.out_degree()} == {3 + 2}
    assert hops(network)[0].max() == 3 == networkx.diameter(wired)
    # Each cable of an arc joins the same two switches both ways.
    assert all(wired.has_edge(head, tail) for tail, head in wired.edges)
    assert len(set(loads(network)[-72:].tolist())) == 1
    spread = Dragonfly(groups=9, group_switches=4, switch_interfaces=2, routing="valiant").build(SMALL, 72)
    assert hops(spread)[0].max() == 5
    neighbours = np.arange(8), np.arange(8, 16)  # all of group 0 to all of group 1
    worst = [np.bincount(n.paths(*neighbours)[1]).max() for n in (network, spread)]
    assert worst[0] == 8
    assert worst[1] < 8


def test_frontier_is_oversubscribed_as_published():
    """G. Lockwood, digital garden, Frontier: 512 endpoints of a group over 73 arcs of 4 links."""
    network = Dragonfly(groups=74, group_switches=32, switch_interfaces=16, arc_links=4).build(node(nics=4, nic_rate=25e9), 8)
    (level,) = (level for level in network.levels if level.name == "group-group")
    assert level.oversubscription == pytest.approx(1.753, abs=5e-4)


def test_a_dragonfly_plus():
    network = DragonflyPlus(groups=4, group_nodes=8, leaf_nodes=4, leaf_oversubscription=2.0, arc_links=2).build(SMALL, 32)
    wired = switches(network)
    assert networkx.diameter(wired) == 3 == hops(network)[0].max()
    assert {wired.out_degree(f"spine{g}") for g in range(4)} == {3 + 2}
    half = {v for v in wired if v in ("spine0", "spine1", "leaf0", "leaf1", "leaf2", "leaf3")}
    assert crossing(wired, half) == 2 * 2 * 2 * SMALL.nic_rate
    assert wired.edges["leaf0", "spine0"]["capacity"] == 4 * SMALL.nic_rate / 2


def test_rails_without_spines_cross_inside_the_nodes():
    network = RailOnly().build(node(), 4)
    offsets, links = network.paths(np.array([0, 0]), np.array([9, 8]))
    names = [network.link_name(link) for link in links[: offsets[1]]]
    assert names[:2] == ["node0.accelerator0 -> fabric0", "fabric0 -> node0.accelerator1"]
    assert names[2:] == ["node0.nic1 -> rail1", "rail1 -> node1.nic1"]
    assert offsets[2] - offsets[1] == 2
    with pytest.raises(MendableError, match="fabric between"):
        RailOnly().build(node(kind="pcie"), 4)
    with pytest.raises(MendableError, match="do not fit"):
        RailOnly(rail_nodes=2).build(node(), 4)


def test_a_lost_plane_halves_the_network():
    whole, half = (DualPlane(leaf_nodes=2, lost_planes=lost).build(node(), 8) for lost in (0, 1))
    outside = whole.scale_out
    np.testing.assert_allclose(half.capacity[outside], whole.capacity[outside] / 2)
    np.testing.assert_allclose(half.capacity[~outside], whole.capacity[~outside])


def test_sites_have_asymmetric_links_and_measured_paths():
    wan = Wan(
        sites=(Site(name="a", nodes=2, up=1e9, down=4e9, latency=1e-3), Site(name="b", nodes=2, latency=2e-3), Site(name="c", nodes=1)),
        paths=(
            SitePath(source="a", target="b", rate=5e8, latency=0.05),
            SitePath(source="b", target="a", rate=2e8, latency=0.07),
            SitePath(source="b", target="c", rate=3e8, latency=0.01, both=False),
        ),
        hop_latency=0.0,
    )
    network = wan.build(SMALL, 5)

    def narrowest(source, target):
        links = network.paths(np.array([source]), np.array([target]))[1]
        return network.capacity[links].min(), network.latency[links].sum()

    assert narrowest(0, 1) == (50e9, 0.0)
    assert narrowest(0, 2) == (5e8, pytest.approx(0.053))
    assert narrowest(2, 0) == (2e8, pytest.approx(0.073))
    assert narrowest(3, 4) == (3e8, pytest.approx(0.012))
    assert narrowest(4, 3) == (50e9, pytest.approx(0.002))
    assert narrowest(4, 0) == (4e9, pytest.approx(0.001))
    with pytest.raises(MendableError, match="no single site"):
        Wan(sites=(Site(name="a", nodes=2),), paths=(SitePath(source="a", target="d", rate=1.0, latency=0.0),))
    with pytest.raises(MendableError, match="do not fit"):
        wan.build(SMALL, 6)


def test_a_given_graph_routes_like_the_family_it_copies():
    family = HyperX(shape=(3, 3)).build(SMALL, 9)
    links = [
        Link(source=tail, target=head, rate=data["capacity"], latency=data["latency"], both=False)
        for tail, head, data in switches(family).edges(data=True)
    ]
    copy = Explicit(hosts=tuple(f"switch{s}" for s in range(9)), links=tuple(links)).build(SMALL, 9)
    assert hops(copy)[0].tolist() == hops(family)[0].tolist()
    assert sum(loads(copy)) == sum(loads(family))


def test_a_given_graph_takes_equally_short_ways_in_turn_and_refuses_what_cannot_be_reached():
    ends = [Link(source=host, target=switch, rate=1e9) for host in ("h0", "h1") for switch in ("s0", "s1")]
    network = Explicit(hosts=("h0", "h1"), links=tuple(ends)).build(node(), 2)
    links = network.paths(np.arange(8), np.arange(8, 16))[1]
    assert np.bincount(links)[-8:].tolist() == [4, 4, 0, 0, 0, 0, 4, 4]
    with pytest.raises(MendableError, match="no way"):
        Explicit(hosts=("a", "b"), links=(Link(source="a", target="b", rate=1.0, both=False),)).build(SMALL, 2)
    with pytest.raises(MendableError, match="no link joins"):
        Explicit(hosts=("a", "b", "c"), links=(Link(source="a", target="b", rate=1.0),))


def test_too_many_nodes_and_impossible_shapes_are_refused():
    for family, match in (
        (Torus(shape=(2, 2)), "places"),
        (HyperX(shape=(2, 2)), "do not fit"),
        (FullMesh(nodes=4), "do not fit"),
        (Dragonfly(groups=1, group_switches=2, switch_interfaces=1), "do not fit"),
        (DragonflyPlus(groups=1, group_nodes=2, leaf_nodes=2), "do not fit"),
    ):
        with pytest.raises(MendableError, match=match):
            family.build(SMALL, 5)
    for make in (
        lambda: Torus(shape=()),
        lambda: Torus(shape=(4, 4), twist=2),
        lambda: HyperX(shape=(0,)),
        lambda: Dragonfly(groups=0, group_switches=1, switch_interfaces=1),
        lambda: DragonflyPlus(groups=2, group_nodes=3, leaf_nodes=2),
        lambda: DualPlane(lost_planes=2),
        lambda: Wan(sites=()),
        lambda: Explicit(hosts=(), links=()),
    ):
        with pytest.raises(MendableError):
            make()


def test_networks_of_one_node():
    for family in (RailOnly(), FullMesh(), SingleSwitch(), Torus(shape=(8,)), Explicit(hosts=("a",), links=())):
        assert family.build(node(), 1).accelerators == 8
