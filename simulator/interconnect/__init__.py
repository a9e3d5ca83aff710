"""The machine room's network: a family and its parameters -> links with capacities -> shares."""

from typing import Annotated

from simulator.interconnect.dragonfly import Dragonfly
from simulator.interconnect.dragonfly_plus import DragonflyPlus
from simulator.interconnect.dual_plane import DualPlane
from simulator.interconnect.explicit import Explicit
from simulator.interconnect.fat_tree import FatTree
from simulator.interconnect.fluid import completion_times
from simulator.interconnect.full_mesh import FullMesh
from simulator.interconnect.hyperx import HyperX
from simulator.interconnect.network import Interconnect, Paths
from simulator.interconnect.rail_only import RailOnly
from simulator.interconnect.sharing import max_min_rates
from simulator.interconnect.single_switch import SingleSwitch
from simulator.interconnect.torus import Torus
from simulator.interconnect.wan import Wan
from simulator.spec import Kinds

Topology = Annotated[
    SingleSwitch | FatTree | RailOnly | DualPlane | Dragonfly | DragonflyPlus | Torus | HyperX | FullMesh | Wan | Explicit, Kinds()
]
"""Every family of interconnect: the union is the registry."""

__all__ = [
    "Dragonfly",
    "DragonflyPlus",
    "DualPlane",
    "Explicit",
    "FatTree",
    "FullMesh",
    "HyperX",
    "Interconnect",
    "Paths",
    "RailOnly",
    "SingleSwitch",
    "Topology",
    "Torus",
    "Wan",
    "completion_times",
    "max_min_rates",
]
