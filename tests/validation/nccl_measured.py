"""Published measurements of NCCL, the machines they were taken on, and which of them may be fitted on.

The split is by cluster (by system inside one node) and was written down before the first fit: rows of one cluster share its software.
"""

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulator.collectives import Communicator, bus_bandwidth, communicator
from simulator.hardware import Accelerator, Node, NodePower, ScaleUp
from simulator.interconnect import FatTree, Interconnect

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Machine:
    """What a row's cluster is, as its name and source say."""

    split: str  # calibration, held_out, or outside (what the model does not claim to know: TCP transports, InfiniBand SHARP)
    rate: float  # scale-up [B/s]
    reduction: bool = True
    accelerators: int = 8
    domain: int | None = None
    nics: int = 8
    nic_rate: float = 50e9
    hop_latency: float = 2e-6
    ordered: bool = True


A100, H100, B200 = 300e9, 450e9, 900e9
EFA = 40e-6
"""Fitted on AWS p4de alone (the least mean |log error| of 2, 6, 10, 15, 20, 30, 40, 60 us), as in topologies/aws-efa.yaml."""

SYSTEMS = {
    "a100_sxm": Machine("calibration", A100, reduction=False, nic_rate=25e9),
    "h100_sxm": Machine("calibration", H100),
    "b200_sxm": Machine("calibration", B200),
    "h200_sxm": Machine("held_out", H100),
    "b300_sxm": Machine("held_out", B200, nic_rate=100e9),
    "gb200": Machine("held_out", B200, accelerators=4, domain=72, nics=4),
    "gb300": Machine("held_out", B200, accelerators=4, domain=72, nics=4, nic_rate=100e9),
}

CLUSTERS = {
    "DGX H100 (8xH100 SXM, NVLS)": Machine("calibration", H100),
    "Dell XE9680 HGX H100 (8x400G NDR IB)": Machine("calibration", H100),
    # EFA of the A100 generation must not use LL and LL128, says its maintainer (https://github.com/aws/aws-ofi-nccl/issues/76).
    "AWS p4de.24xlarge (8xA100-80G, 4x100G EFA)": Machine(
        "calibration", A100, reduction=False, nics=4, nic_rate=12.5e9, hop_latency=EFA, ordered=False
    ),
    "HGX B200 Vultr (NVLink5)": Machine("calibration", B200),
    "HGX B200 Vultr (8x400G NDR)": Machine("calibration", B200),
    'HGX B200 Vultr (8x400G NDR), retuned run "v2"': Machine("calibration", B200),
    "default_algo_H100_arXiv2411.13055": Machine("calibration", H100),
    "A100 node (8xA100, NVLink3)": Machine("held_out", A100, reduction=False),
    "AWS p5.48xlarge (8xH100, 32x100G EFA)": Machine("held_out", H100, nics=32, nic_rate=12.5e9, hop_latency=EFA),
    "AWS p5.48xlarge (8xH100, 32x100G EFA; NCCL 2.18.5, EFA 1.28)": Machine("held_out", H100, nics=32, nic_rate=12.5e9, hop_latency=EFA),
    "AWS p5en.48xlarge (8xH200, 16x200G EFAv3)": Machine("held_out", H100, nics=16, nic_rate=25e9, hop_latency=EFA),
    "AWS p6-b200 (8xB200, 8x400G EFAv4)": Machine("held_out", B200, hop_latency=EFA),
    "AWS p6-b200 (8xB200, NVLink5)": Machine("held_out", B200),
    "CoreWeave GB200 NVL72, 1 rack (18x4)": Machine("held_out", B200, accelerators=4, domain=72, nics=4),
    "CoreWeave GB200 NVL72, 2 racks (rank count from ratio)": Machine("held_out", B200, accelerators=4, domain=72, nics=4),
    "CoreWeave GB200 NVL72, 20 racks": Machine("held_out", B200, accelerators=4, domain=72, nics=4),
    "H100 NVLink + 8x400G IB (Ring-like)": Machine("held_out", H100),
    "HGX H100 node": Machine("held_out", H100),
    "Nebius H100 (8xH100, IB), torch.distributed": Machine("held_out", H100),
    "Supermicro HGX H100 (MLPerf v4.0 preflight)": Machine("held_out", H100),
    "H200 node (8xH200, NVLS)": Machine("held_out", H100),
    "H200 node (8xH200) NVLS": Machine("held_out", H100),
    "H200 node (8xH200) NCCL_NVLS_ENABLE=0 (Ring)": Machine("held_out", H100, reduction=False),
    "H200 node (8xH200) Ring": Machine("held_out", H100),
    "NVLSTree_H100_GTC24-S62129": Machine("held_out", H100),
    "CoreWeave HGX A100-80G (HDR IB, SHARP plugin)": Machine("outside", A100, reduction=False, nic_rate=25e9),
    "GCP 8x400G RoCE, 16 GPUs (A3U/A4 class)": Machine("outside", H100),  # which of the two is not said
    "GCP A3 High (8xH100, 800Gbps TCPX)": Machine("outside", H100, nics=4, nic_rate=25e9),
    "GCP A3 Mega (8xH100, 1.8Tbps TCPXO)": Machine("outside", H100, nic_rate=25e9),
    "GCP A3 High/2xH100 nodes 800Gbps (all_reduce_bench)": Machine("outside", H100, nics=4, nic_rate=25e9),
}
for _gpus in (4, 5, 6, 7, 8):
    for _card, _rate in (("B200", B200), ("H200", H100)):
        CLUSTERS[f"{_card} node, {_gpus} GPUs, default"] = Machine("held_out", _rate)
        CLUSTERS[f"{_card} node, {_gpus} GPUs, NVLS off (Ring)"] = Machine("held_out", _rate, reduction=False)


@dataclass(frozen=True)
class Case:
    """One measured point."""

    cluster: str
    kind: str  # one_node, printed, digitised
    split: str
    operation: str
    gpus: int
    nodes: int
    size: float
    bus_bandwidth: float

    @property
    def time(self) -> float:
        """Measured [s]."""
        return bus_bandwidth(self.operation, self.gpus, self.size, 1.0) / self.bus_bandwidth

    def communicator(self) -> Communicator:
        """The same ranks on the model's network."""
        machine = SYSTEMS.get(self.cluster) or CLUSTERS[self.cluster]
        network = network_of(machine, self.nodes)
        return communicator(np.arange(self.gpus)[None], network)

    def modelled(self) -> float:
        """Time of the model [s]."""
        return self.communicator().price(self.operation, self.size).time_s


@functools.cache
def network_of(machine: Machine, nodes: int) -> Interconnect:
    """The machine's nodes under a non-blocking rail-optimised fat tree."""
    accelerator = Accelerator(name="a", peak={"bf16": 1e15}, memory=80e9, memory_bandwidth=3e12, power=700.0, launched="2022-09")
    node = Node(
        accelerator=accelerator,
        accelerators=machine.accelerators,
        scale_up=ScaleUp(kind="switch", rate=machine.rate, domain=machine.domain, reduction=machine.reduction),
        nics=machine.nics,
        nic_rate=machine.nic_rate,
        power=NodePower(rated=1.0, training=1.0, idle=1.0),
    )
    return FatTree(leaf_nodes=32, hop_latency=machine.hop_latency, ordered=machine.ordered).build(node, nodes)


def rows(name: str) -> list[dict[str, str]]:
    """Rows of a file beside this one."""
    return list(csv.DictReader((DATA / name).read_text(encoding="utf-8").splitlines()))


def cases() -> list[Case]:
    """Every measured point, equal rows once."""
    found = []
    for row in rows("nccl_one_node.csv"):
        machine, gpus, size = SYSTEMS[row["system"]], int(row["gpus"]), float(row["bytes"])
        rate = bus_bandwidth(row["operation"], gpus, size, float(row["time_us"]) * 1e-6)
        nodes = -(-gpus // machine.accelerators)
        found.append(Case(row["system"], "one_node", machine.split, row["operation"], gpus, nodes, size, rate))
    for name, kind in (("nccl_many_nodes.csv", "printed"), ("nccl_plots.csv", "digitised")):
        for row in rows(name):
            machine = CLUSTERS[row["cluster"]]
            rate = float(row["bus_bandwidth_GBps"]) * 1e9
            gpus, nodes = int(row["gpus"]), int(row["nodes"])
            if rate > 0:
                found.append(Case(row["cluster"], kind, machine.split, row["operation"], gpus, nodes, float(row["bytes"]), rate))
    return list(dict.fromkeys(found))
