"""Leaves, spines, cores and cables as NVIDIA prints them.

DGX SuperPOD reference architecture, DGX B200, table of component counts (docs.nvidia.com/dgx-superpod).
"""

import pytest
from unit.interconnect.machines import node

from simulator.errors import MendableError
from simulator.interconnect import FatTree
from simulator.interconnect.switch_counts import SwitchCounts, switch_counts

B200 = [  # nodes, leaf, spine, core, cables between each two levels
    (64, 16, 8, 0, 512),
    (128, 32, 16, 0, 1024),
    (256, 64, 32, 0, 2048),
    (512, 128, 128, 64, 4096),
    (1024, 256, 256, 128, 8192),
    (2048, 512, 512, 256, 16384),
]


@pytest.mark.parametrize(("nodes", "leaf", "spine", "core", "cables"), B200)
def test_a_superpod_of_b200_has_its_published_switches(nodes, leaf, spine, core, cables):
    assert switch_counts(nodes) == SwitchCounts(leaf=leaf, spine=spine, core=core, cables=cables)


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
