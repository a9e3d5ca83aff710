"""The machine room's network: a family and its parameters -> links with capacities -> shares."""

from typing import Annotated

from simulator.interconnect.fat_tree import FatTree
from simulator.interconnect.single_switch import SingleSwitch
from simulator.spec import Kinds

Topology = Annotated[SingleSwitch | FatTree, Kinds()]
"""Every family of interconnect: the union is the registry."""

__all__ = ["FatTree", "SingleSwitch", "Topology"]
