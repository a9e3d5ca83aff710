"""Laws of hashed routes: never better than even spreading, exactly as many collisions as throwing balls into bins gives."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.interconnect.machines import node

from simulator.collectives import price
from simulator.interconnect import FatTree, Interconnect
from simulator.interconnect.graph import graph as wired

few = settings(max_examples=20, deadline=None)


def shifted(network: Interconnect, by: int) -> np.ndarray:
    """Links of a message from every accelerator to the one `by` further on."""
    ranks = np.arange(network.accelerators)
    return network.paths(ranks, (ranks + by) % network.accelerators)[1]


@few
@given(
    leaf_nodes=st.sampled_from([2, 4, 8]),
    pods=st.booleans(),
    rails=st.booleans(),
    oversubscription=st.sampled_from([1.0, 2.0, 3.0]),
    seed=st.integers(0, 2**20),
    operation=st.sampled_from(["all_reduce", "all_to_all", "reduce_scatter"]),
)
def test_a_hash_is_never_faster_than_spreading_evenly(leaf_nodes, pods, rails, oversubscription, seed, operation) -> None:
    machine = node(accelerators=4, nics=4)
    tree = {"leaf_nodes": leaf_nodes, "rails": rails, "leaf_oversubscription": oversubscription, "pod_nodes": 8 if pods else None}
    groups = np.arange(64).reshape(16, 4).T
    even, hashed = (
        price(operation, 1e8, groups, FatTree(**tree, **how).build(machine, 16)) for how in ({}, {"routing": "ecmp", "hash_seed": seed})
    )
    assert hashed.time_s >= even.time_s * (1 - 1e-12)


@few
@given(leaf_nodes=st.sampled_from([2, 4]), pods=st.booleans(), rails=st.booleans(), by=st.integers(1, 60), seed=st.integers(0, 99))
def test_a_message_crosses_as_many_levels_as_without_a_hash(leaf_nodes, pods, rails, by, seed) -> None:
    machine = node(accelerators=4, nics=4)
    tree = {"leaf_nodes": leaf_nodes, "rails": rails, "pod_nodes": 8 if pods else None}
    even, hashed = (FatTree(**tree, **how).build(machine, 16) for how in ({}, {"routing": "ecmp", "hash_seed": seed}))
    assert len(shifted(even, by)) == len(shifted(hashed, by))
    assert even.capacity.sum() == pytest.approx(hashed.capacity.sum())


def test_a_route_hangs_together_link_by_link() -> None:
    machine = node(accelerators=4, nics=4)
    network = FatTree(leaf_nodes=2, pod_nodes=4, routing="ecmp").build(machine, 16)
    graph = wired(network)
    assert nx.is_strongly_connected(graph)
    offsets, links = network.paths(np.array([0, 0, 0]), np.array([8, 32, 63]))
    for first, end in itertools.pairwise(offsets):
        names = [network.link_name(link).split(" -> ") for link in links[first:end]]
        for (_, head), (tail, _) in itertools.pairwise(names):
            assert tail == head or "link" not in graph[head][tail]
    names = [network.link_name(link) for link in links[offsets[0] : offsets[1]]]
    assert names[1].startswith("leaf0 -> pod0.spine")


def test_collisions_are_those_of_balls_in_bins() -> None:
    """32 flows from a leaf with 32 cables: the fullest cable carries 3.5 in the mean."""
    machine = node(accelerators=1, nics=1)
    worst = []
    for seed in range(40):
        network = FatTree(leaf_nodes=32, rails=False, routing="ecmp", hash_seed=seed).build(machine, 256)
        links = shifted(network, 32)
        up = links[[network.link_name(link).startswith("leaf0 -> ") for link in links]]
        worst.append(np.bincount(up).max())
    balls = np.random.default_rng(1).integers(0, 32, (20000, 32))
    expected = np.array([np.bincount(throw).max() for throw in balls])
    assert np.mean(worst) == pytest.approx(expected.mean(), abs=3 * expected.std() / np.sqrt(len(worst)))


def test_another_seed_gives_other_collisions_and_the_same_seed_the_same() -> None:
    machine = node(accelerators=1, nics=1)
    one, same, other = (FatTree(leaf_nodes=8, rails=False, routing="ecmp", hash_seed=seed).build(machine, 32) for seed in (1, 1, 2))
    assert shifted(one, 8).tolist() == shifted(same, 8).tolist()
    assert shifted(one, 8).tolist() != shifted(other, 8).tolist()
