"""Jobs that share links: sums by hand, the exact max-min rates, and the laws of contention."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.interconnect.machines import node

from simulator.collectives import price
from simulator.collectives.execution import execute
from simulator.collectives.pricing import ALGORITHMS
from simulator.errors import MendableError
from simulator.interconnect import FatTree, NeighbourJob, NeighbourLoad, max_min_rates, with_neighbours
from simulator.parallelism import Packed, Scattered, Spread, places

ONE = node(accelerators=1, nics=1)
RATE = ONE.nic_rate


def racks(nodes=4, oversubscription=2.0):
    return FatTree(leaf_nodes=2, rails=False, leaf_oversubscription=oversubscription).build(ONE, nodes)


def moved(network, members, operation="all_reduce", algorithm="ring"):
    """Times an interface would need for its bytes, and the busiest link."""
    plan = ALGORITHMS[algorithm].plan(operation, len(members), 1)
    cost = execute(plan, np.array([members]), network, network.capacity)
    alone = execute(plan, np.array([members]), racks(8, 1 / 8), np.full(len(racks(8).capacity), RATE))
    return cost.per_byte / alone.per_byte, network.link_name(cost.link)


def beside(neighbours, nodes, **kind):
    return with_neighbours(racks(**kind), neighbours, np.array(nodes))


@pytest.mark.parametrize(("sends", "left"), [(0.3, 0.7), (0.5, 0.5), (0.9, 0.5), (1.0, 0.5)])
def test_a_neighbour_takes_what_it_sends_up_to_the_fair_share(sends, left):
    """Two nodes in each of two racks; the uplink is as wide as one interface and carries one flow of either job."""
    spread = beside([NeighbourJob(nodes=2, sends=sends)], [0, 2])
    times, link = moved(spread, [0, 2])
    assert times == pytest.approx(1 / left, rel=1e-12)
    assert link == f"leaf0 -> spine (neighbours take {100 * sends:.3g} %)"
    assert [level.taken for level in spread.levels] == pytest.approx([sends, sends])
    packed = beside([NeighbourJob(nodes=2, sends=sends)], [0, 1])
    assert moved(packed, [0, 1])[0] == pytest.approx(1.0, rel=1e-12)


def test_wide_uplinks_have_room_for_both():
    wide = beside([NeighbourJob(nodes=2, sends=1.0)], [0, 2], oversubscription=1.0)
    assert moved(wide, [0, 2])[0] == pytest.approx(1.0, rel=1e-12)


def test_a_load_does_not_give_way():
    loaded = beside([NeighbourLoad(link="leaf* -> spine", share=0.8)], [0, 2])
    assert moved(loaded, [0, 2])[0] == pytest.approx(5.0, rel=1e-12)
    both = beside([NeighbourLoad(link="leaf* -> spine", share=0.5), NeighbourJob(nodes=2, sends=1.0)], [0, 2])
    assert moved(both, [0, 2])[0] == pytest.approx(4.0, rel=1e-12)
    twice = beside([NeighbourLoad(link="leaf* -> spine", share=0.5), NeighbourLoad(link="leaf0 -> spine", share=0.5)], [0, 2])
    assert moved(twice, [0, 2])[0] == pytest.approx(4.0, rel=1e-12)


@pytest.mark.parametrize("sends", [0.2, 0.6, 1.0])
@pytest.mark.parametrize("oversubscription", [1.0, 2.0, 4.0])
def test_a_round_takes_as_long_as_exact_max_min_sharing_says(sends, oversubscription):
    """The ring of a job spread over four racks, its neighbour's beside it: no rate of its own flows is below what is promised."""
    network = racks(8, oversubscription)
    members, others = np.array([0, 2, 4, 6]), np.array([1, 3, 5, 7])
    shared = with_neighbours(network, [NeighbourJob(nodes=4, sends=sends)], members)
    sources, targets = np.concatenate([members, others]), np.concatenate([np.roll(members, -1), np.roll(others, -1)])
    offsets, links = network.paths(sources, targets)
    demand = len(network.capacity) + np.arange(4)
    capped = np.insert(links, offsets[5:], demand)
    rates = max_min_rates(offsets + np.maximum(np.arange(9) - 4, 0), capped, np.concatenate([network.capacity, np.full(4, sends * RATE)]))
    assert moved(shared, members)[0] == pytest.approx(RATE / rates[:4].min(), rel=1e-12)


def test_neighbours_stand_on_free_nodes_alone():
    one, other = NeighbourJob(nodes=2, times=2, sends=0.1), NeighbourJob(nodes=2, placed="scattered", seed=5, sends=0.1)
    free = np.array([1, 3, 4, 5, 6, 7])
    assert one.stands(free).tolist() == [[1, 3], [4, 5]]
    assert set(other.stands(free).ravel()) <= set(free.tolist())
    sources, targets = NeighbourJob(nodes=3, sends=0.1, traffic="all_to_all").messages(free)
    assert sorted(zip(sources.tolist(), targets.tolist(), strict=True)) == [(1, 3), (1, 4), (3, 1), (3, 4), (4, 1), (4, 3)]
    with_neighbours(racks(8), [one, other], np.array([0, 2]))
    with pytest.raises(MendableError, match=r"4 are needed, 2 of the machine room are free; write a larger room"):
        with_neighbours(racks(8), [other, other, one], np.array([0, 2]))
    with pytest.raises(MendableError, match="none of this network"):
        with_neighbours(racks(8), [NeighbourLoad(link="leaf9 -> spine", share=0.5)], np.array([0, 2]))
    for broken in ({"nodes": 1}, {"times": 0}, {"seed": -1}, {"sends": 0.0}):
        with pytest.raises(MendableError):
            NeighbourJob(**{"nodes": 2, "sends": 0.5, **broken})
    for share in (0.0, 1.0):
        with pytest.raises(MendableError):
            NeighbourLoad(link="a -> b", share=share)


@settings(max_examples=40, deadline=None)
@given(
    placement=st.sampled_from([Packed(among=16), Spread(block=2, among=16), Scattered(among=16, seed=3)]),
    traffic=st.sampled_from(["ring", "all_to_all"]),
    placed=st.sampled_from(["packed", "scattered"]),
    operation=st.sampled_from(["all_reduce", "all_gather", "all_to_all"]),
    oversubscription=st.sampled_from([1.0, 2.0, 7.0]),
    sends=st.tuples(st.floats(0.05, 1.0), st.floats(0.05, 1.0)),
    rails=st.booleans(),
)
def test_neighbours_never_help_and_busier_ones_hurt_more(placement, traffic, placed, operation, oversubscription, sends, rails):
    machine = node(accelerators=2, nics=2)
    network = FatTree(leaf_nodes=2, rails=rails, leaf_oversubscription=oversubscription).build(machine, 16)
    members = places(placement, 6, 2).reshape(6, 2).T
    times = [price(operation, 64e6, members, network).time_s]
    for each in sorted(sends):
        neighbour = NeighbourJob(nodes=5, times=2, placed=placed, sends=each, traffic=traffic)
        times.append(price(operation, 64e6, members, with_neighbours(network, [neighbour], placement.stands(6))).time_s)
    assert times[0] <= times[1] * (1 + 1e-12)
    assert times[1] <= times[2] * (1 + 1e-12)
