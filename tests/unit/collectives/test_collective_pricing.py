"""What a collective costs: closed forms in an uncontended network."""

import numpy as np
import pytest

from simulator.collectives import bus_bandwidth, communicator, price
from simulator.collectives.pricing import OPERATIONS
from simulator.errors import MendableError
from simulator.hardware import Accelerator, Node, NodePower, ScaleUp
from simulator.interconnect import FatTree, SingleSwitch

ACCELERATOR = Accelerator(name="a", peak={"bf16": 1e15}, memory=80e9, memory_bandwidth=3e12, power=700.0, launched="2022-09")
HOPPER = Node(
    accelerator=ACCELERATOR,
    accelerators=8,
    scale_up=ScaleUp(kind="switch", rate=450e9, reduction=True),
    nics=8,
    nic_rate=50e9,
    power=NodePower(rated=1.0, training=1.0, idle=1.0),
)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_alone_costs_nothing(operation):
    network = SingleSwitch().build(HOPPER, 2)
    assert price(operation, 1e9, np.array([[3]]), network).time_s == 0.0


def test_parts_sum_to_the_time():
    network = FatTree().build(HOPPER, 4)
    priced = price("all_reduce", 1e8, np.arange(32)[None], network)
    assert priced.latency_s + priced.bandwidth_s == pytest.approx(priced.time_s, rel=1e-12)
    assert priced.bottleneck


def test_a_group_per_rail_shares_nothing_and_two_groups_on_one_interface_share_it():
    network = SingleSwitch().build(HOPPER, 4)
    one = price("all_reduce", 1e9, np.arange(0, 32, 8)[None], network)
    eight = price("all_reduce", 1e9, np.arange(32).reshape(4, 8).T, network)
    assert eight.time_s == pytest.approx(one.time_s)
    shared = SingleSwitch().build(Node(**{**vars(HOPPER), "nics": 4}), 4)
    assert price("broadcast", 1e9, np.arange(32).reshape(4, 8).T, shared).bandwidth_s == pytest.approx(
        2 * price("broadcast", 1e9, np.arange(0, 32, 8)[None], shared).bandwidth_s
    )


def test_a_communicator_is_made_once():
    network = SingleSwitch().build(HOPPER, 2)
    assert communicator(np.arange(16)[None], network) is communicator(np.arange(16)[None].copy(), network)


def test_bus_bandwidth_counts_what_a_rank_must_send():
    assert bus_bandwidth("all_gather", 4, 8e9, 1.0) == 6e9
    assert bus_bandwidth("broadcast", 4, 8e9, 1.0) == 8e9


def test_what_cannot_be_priced_is_refused_with_the_mend():
    network = SingleSwitch().build(HOPPER, 2)
    with pytest.raises(MendableError, match="outside a network of 16"):
        price("all_reduce", 1e6, np.array([[0, 16]]), network)
    with pytest.raises(MendableError, match="2 ranks"):
        price("point_to_point", 1e6, np.array([[0, 1, 2]]), network)
    with pytest.raises(MendableError, match="write auto"):
        price("all_to_all", 1e6, np.array([[0, 1]]), network, "tree")
