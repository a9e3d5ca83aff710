"""The machine room's network: a family and its parameters -> links with capacities -> shares."""

from typing import Annotated

from simulator.interconnect.dead_link import DeadLink
from simulator.interconnect.degraded_link import DegradedLink
from simulator.interconnect.dragonfly import Dragonfly
from simulator.interconnect.dragonfly_plus import DragonflyPlus
from simulator.interconnect.dual_plane import DualPlane
from simulator.interconnect.explicit import Explicit
from simulator.interconnect.fat_tree import FatTree
from simulator.interconnect.faults import NetworkFault, with_faults
from simulator.interconnect.flapping_link import FlappingLink
from simulator.interconnect.fluid import completion_times
from simulator.interconnect.full_mesh import FullMesh
from simulator.interconnect.hyperx import HyperX
from simulator.interconnect.lost_switches import LostSwitches
from simulator.interconnect.mixed import joinable, with_nodes
from simulator.interconnect.neighbour_job import NeighbourJob
from simulator.interconnect.neighbour_load import NeighbourLoad
from simulator.interconnect.neighbours import Neighbour, with_neighbours
from simulator.interconnect.network import Interconnect, Paths
from simulator.interconnect.rail_only import RailOnly
from simulator.interconnect.sharing import max_min_rates
from simulator.interconnect.single_switch import SingleSwitch
from simulator.interconnect.slow_interface import SlowInterface
from simulator.interconnect.torus import Torus
from simulator.interconnect.wan import Wan
from simulator.spec import Kinds

Topology = Annotated[
    SingleSwitch | FatTree | RailOnly | DualPlane | Dragonfly | DragonflyPlus | Torus | HyperX | FullMesh | Wan | Explicit, Kinds()
]
"""Every family of interconnect: the union is the registry."""

__all__ = [
    "DeadLink",
    "DegradedLink",
    "Dragonfly",
    "DragonflyPlus",
    "DualPlane",
    "Explicit",
    "FatTree",
    "FlappingLink",
    "FullMesh",
    "HyperX",
    "Interconnect",
    "LostSwitches",
    "Neighbour",
    "NeighbourJob",
    "NeighbourLoad",
    "NetworkFault",
    "Paths",
    "RailOnly",
    "SingleSwitch",
    "SlowInterface",
    "Topology",
    "Torus",
    "Wan",
    "completion_times",
    "joinable",
    "max_min_rates",
    "with_faults",
    "with_neighbours",
    "with_nodes",
]
