"""Laws of placement: scattering costs nothing where the fabric is even, and on the mean never helps where it is thin above the leaves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.collectives import Operation, price
from simulator.hardware import Accelerator, Node, NodePower, ScaleUp
from simulator.interconnect import FatTree, Interconnect, SingleSwitch
from simulator.parallelism import GivenNodes, Layout, Packed, Placement, Scattered, Spread, groups, places

few = settings(max_examples=25, deadline=None)
NODE = Node(
    accelerator=Accelerator(name="a", peak={"bf16": 1e15}, memory=80e9, memory_bandwidth=3e12, power=700.0, launched="2022-09"),
    accelerators=4,
    scale_up=ScaleUp(kind="switch", rate=450e9),
    nics=4,
    nic_rate=50e9,
    power=NodePower(rated=1.0, training=1.0, idle=1.0),
)


def seconds(placement: Placement, nodes: int, network: Interconnect, layout: Layout, operation: Operation = "all_reduce") -> float:
    return price(operation, 256e6, places(placement, nodes, NODE.accelerators)[groups(layout, "data")], network).time_s


@few
@given(
    data=st.sampled_from([2, 4, 8]),
    tensor=st.sampled_from([1, 2, 4]),
    seed=st.integers(0, 99),
    operation=st.sampled_from(["all_reduce", "reduce_scatter", "all_to_all"]),
)
def test_on_one_switch_it_does_not_matter_where_nodes_stand(data, tensor, seed, operation) -> None:
    nodes = 8
    layout = Layout(tensor=tensor, data=data, pipeline=nodes * 4 // data // tensor)
    network = SingleSwitch().build(NODE, nodes)
    packed = seconds(Packed(), nodes, network, layout, operation)
    for other in (Scattered(seed=seed), Spread(block=3), GivenNodes(nodes=tuple(np.random.default_rng(seed).permutation(nodes).tolist()))):
        assert seconds(other, nodes, network, layout, operation) == pytest.approx(packed, rel=1e-12)


@few
@given(
    data=st.sampled_from([4, 8, 16]),
    tensor=st.sampled_from([1, 2, 4]),
    oversubscription=st.sampled_from([2.0, 4.0, 7.0]),
    rails=st.booleans(),
    seed=st.integers(0, 99),
)
def test_scattered_over_a_thin_fabric_is_on_the_mean_no_faster(data, tensor, oversubscription, rails, seed) -> None:
    nodes = 16
    layout = Layout(tensor=tensor, data=data, pipeline=nodes * 4 // data // tensor)
    network = FatTree(leaf_nodes=4, leaf_oversubscription=oversubscription, rails=rails).build(NODE, nodes)
    packed = seconds(Packed(), nodes, network, layout)
    scattered = np.mean([seconds(Scattered(seed=seed + k), nodes, network, layout) for k in range(8)])
    assert scattered >= packed * (1 - 1e-12)


@few
@given(blocks=st.integers(1, 5), block=st.integers(1, 5), short=st.integers(0, 4))
def test_spreading_uses_every_block_as_evenly_as_it_can(blocks, block, short) -> None:
    count = max(1, blocks * block - short)
    used = np.bincount(Spread(block=block, among=blocks * block).stands(count) // block, minlength=blocks)
    assert used.max() - used.min() <= 1


@few
@given(nodes=st.permutations(range(6)), count=st.integers(1, 6))
def test_ranks_of_a_node_stay_together_wherever_it_stands(nodes, count) -> None:
    found = places(GivenNodes(nodes=tuple(nodes)), count, 4)
    assert (found.reshape(count, 4) // 4 == np.array(nodes[:count])[:, None]).all()
    assert (found.reshape(count, 4) % 4 == np.arange(4)).all()
