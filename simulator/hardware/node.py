"""What a machine is: accelerators, the fabric inside, network interfaces, power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.hardware.accelerator import Accelerator
from simulator.spec import Bytes, BytesPerSecond, Kilograms, Seconds, Sourced, Watts, require


@dataclass(frozen=True, kw_only=True)
class ScaleUp:
    """The fabric that joins the accelerators of one domain.

    Args:
        kind: `switch` (NVSwitch: any pair at full rate), `mesh` (direct links shared between the peers), `pcie` (through the host).
        rate: per accelerator and direction [B/s].
        latency: of one hop [s].
        domain: accelerators in one domain; the node's own number where absent (72 for an NVL72 rack).
        reduction: the switch reduces in flight (NVLS).
    """

    kind: Literal["switch", "mesh", "pcie"]
    rate: BytesPerSecond
    latency: Seconds = 1e-6
    domain: int | None = None
    reduction: bool = False


@dataclass(frozen=True, kw_only=True)
class NodePower:
    """Electrical power of the whole node at the plug [W], before cooling and losses (PUE).

    Args:
        rated: name plate.
        training: typical under a training load.
        idle: switched on and waiting for work.
    """

    rated: Watts
    training: Watts
    idle: Watts


@dataclass(frozen=True, kw_only=True)
class Node(Sourced):
    """A machine.

    Args:
        accelerator: which, by catalogue name or inline.
        accelerators: how many.
        nics, nic_rate: network interfaces for the training network, and the rate of each and direction [B/s].
        host_memory: [B].
        host_bandwidth: of the host's memory, all sockets together [B/s].
        host_link: between each accelerator and its host, per direction [B/s].
        nvme: reading or writing the node's drives, all together [B/s].
        power: of the whole node.
        embodied: emissions of making the node [kg CO2e].
        life: over which `embodied` and a purchase are written off [s].
        scale_up: the fabric between its accelerators.
    """

    accelerator: Accelerator
    accelerators: int
    scale_up: ScaleUp
    nics: int
    nic_rate: BytesPerSecond
    power: NodePower
    host_memory: Bytes | None = None
    host_bandwidth: BytesPerSecond | None = None
    host_link: BytesPerSecond | None = None
    nvme: BytesPerSecond | None = None
    embodied: Kilograms | None = None
    life: Seconds = 4 * 365.25 * 86400.0

    def __post_init__(self) -> None:
        require(self.accelerators >= 1, f"accelerators is {self.accelerators}, at least 1 is expected")
        require(self.nics >= 1, f"nics is {self.nics}, at least 1 is expected")
