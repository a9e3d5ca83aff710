"""The machine room's network: a family and its parameters -> links with capacities -> shares."""

from typing import Annotated

from simulator.interconnect.fat_tree import FatTree
from simulator.interconnect.fluid import completion_times
from simulator.interconnect.network import Interconnect, Paths
from simulator.interconnect.sharing import max_min_rates
from simulator.interconnect.single_switch import SingleSwitch
from simulator.spec import Kinds

Topology = Annotated[SingleSwitch | FatTree, Kinds()]
"""Every family of interconnect: the union is the registry."""

__all__ = ["FatTree", "Interconnect", "Paths", "SingleSwitch", "Topology", "completion_times", "max_min_rates"]
