"""Leaves, spines, cores and cables as NVIDIA prints them.

DGX SuperPOD reference architectures (docs.nvidia.com/dgx-superpod): DGX B200, table of component counts; DGX B300, table 3, with Spectrum-4
Ethernet (two planes of 400 Gb/s; a switch has 128 such ports) and with Quantum-X800 InfiniBand (144 ports of 800 Gb/s).
"""

import pytest
from unit.interconnect.machines import node

from simulator.errors import MendableError
from simulator.interconnect import FatTree
from simulator.interconnect.switch_counts import SwitchCounts, switch_counts
from simulator.scenario import entry

B200 = [  # nodes, leaf, spine, core, cables between each two levels
    (64, 16, 8, 0, 512),
    (128, 32, 16, 0, 1024),
    (256, 64, 32, 0, 2048),
    (512, 128, 128, 64, 4096),
    (1024, 256, 256, 128, 8192),
    (2048, 512, 512, 256, 16384),
]
B300 = [  # nodes, leaf, spine, cables between each two levels
    (64, 16, 8, 512),
    (128, 32, 16, 1024),
    (256, 64, 32, 2048),
    (512, 128, 64, 4096),
    (1024, 256, 128, 8192),
]
B300_XDR = [
    (72, 8, 4, 576),
    (144, 16, 8, 1152),
    (288, 32, 18, 2304),
    (576, 64, 36, 4608),
    (1296, 144, 72, 10368),
]


@pytest.mark.parametrize(("nodes", "leaf", "spine", "core", "cables"), B200)
def test_a_superpod_of_b200_has_its_published_switches(nodes, leaf, spine, core, cables):
    assert switch_counts(nodes) == SwitchCounts(leaf=leaf, spine=spine, core=core, cables=cables)


@pytest.mark.parametrize(("nodes", "leaf", "spine", "cables"), B300)
def test_a_superpod_of_b300_on_ethernet_has_its_published_switches(nodes, leaf, spine, cables):
    assert switch_counts(nodes, radix=128, planes=2) == SwitchCounts(leaf=leaf, spine=spine, core=0, cables=cables)


@pytest.mark.parametrize(("nodes", "leaf", "spine", "cables"), B300_XDR)
def test_a_superpod_of_b300_on_infiniband_has_its_published_switches(nodes, leaf, spine, cables):
    assert switch_counts(nodes, radix=144) == SwitchCounts(leaf=leaf, spine=spine, core=0, cables=cables)


@pytest.mark.parametrize(
    ("name", "unit", "planes", "rows"), [("dgx-b300-superpod", 64, 2, B300), ("dgx-b300-superpod-xdr", 72, 1, B300_XDR)]
)
def test_the_shipped_superpods_of_b300_have_as_many_leaves_and_as_much_bandwidth_up(name, unit, planes, rows):
    family = entry("topologies", name)
    machine = node(nic_rate=100e9)
    for nodes, leaf, _, cables in rows:
        network = family.build(machine, nodes)
        (level,) = (level for level in network.levels if level.name == "leaf-spine")
        assert level.links * planes == leaf
        assert level.links * level.rate == cables * 100e9
        assert family.leaf_nodes == unit


@pytest.mark.parametrize(("nodes", "leaf"), [(row[0], row[1]) for row in B200])
def test_the_simulated_fabric_has_as_many_leaves_and_as_much_bandwidth_up(nodes, leaf):
    network = FatTree(leaf_nodes=32).build(node(), nodes)
    (level,) = (level for level in network.levels if level.name == "leaf-spine")
    assert level.links == leaf
    assert level.links * level.rate == nodes * 8 * 50e9


def test_leaves_that_are_not_full_and_fabrics_that_are_too_large_are_refused():
    with pytest.raises(MendableError, match="whole scalable units"):
        switch_counts(33, rails=1)
    with pytest.raises(MendableError, match="three levels"):
        switch_counts(32 * 1024)
