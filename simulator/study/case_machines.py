"""The machines of a published run: what its row says of accelerator, node and network -> a node of the simulator and its network."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from simulator.errors import MendableError
from simulator.hardware import Accelerator, Node, NodePower, ScaleUp
from simulator.interconnect import SingleSwitch, Topology
from simulator.step import Machines
from simulator.study.case_software import Find

_ACCELERATORS: tuple[tuple[str, str], ...] = (
    ("gb300", "gb300"), ("gb200", "gb200"), ("gh200", "gh200"), ("b300", "b300-sxm"), ("b200", "b200-sxm"),
    ("h200", "h200-sxm"), ("h800", "h800-sxm"), ("h100.*pcie", "h100-pcie"), (r"h100.*\b(96 ?gb|500 ?w)", "h100-sxm-96gb"),
    ("h100", "h100-sxm"), (r"h20\b", "h20"),
    ("a100.*pcie.*40", "a100-pcie-40gb"), ("a100.*pcie", "a100-pcie-80gb"), ("a100.*40", "a100-sxm-40gb"), ("a100", "a100-sxm-80gb"),
    ("a800", "a800-sxm-80gb"), ("v100.*16", "v100-sxm2-16gb"), ("v100", "v100-sxm2-32gb"), ("l40s", "l40s"),
    (r"a6000\b", "a6000"), (r"a40\b", "a40"), (r"a10g?\b", "a10"), (r"\bt4\b", "t4"), ("3090", "rtx-3090"), ("4090", "rtx-4090"),
    ("mi250", "mi250x"), ("mi300", "mi300x"), ("mi325", "mi325x"), ("mi355", "mi355x"),
    ("gaudi.?2|hl-?225", "gaudi2"), ("910b", "ascend-910b"),
    (r"tpu.?v?6e|trillium", "tpu-v6e"), (r"tpu.?v?5p", "tpu-v5p"), (r"tpu.?v?5.?(e|lite)|v5litepod", "tpu-v5e"), (r"tpu.?v?4", "tpu-v4"),
    (r"tpu.?v?3", "tpu-v3"),
    ("trainium.?2|trn2", "trainium2"), ("trainium|trn1", "trainium1"),
)  # fmt: skip
"""Pattern in a product's name, the first that matches -> entry of the catalogue."""

_CAPPED = 0.79
"""Power of the board's limit with which the rate of large products goes.

Source: 16-bit products of 1 to 8 TFLOP on an H100 held to 500 W (github.com/pytorch/FBGEMM, pull request 2546) against the same shapes at
700 W (the fit of h100-sxm): 0.74 to 0.79 of the rate. # Assumes: likewise on other boards and in 8 bits.
"""

_NODES: Mapping[str, str] = {
    "h100-pcie": "h100-pcie-8", "a100-pcie-40gb": "a100-pcie-8", "a100-pcie-80gb": "a100-pcie-8", "a6000": "a6000-8", "a40": "a6000-8",
    "l40s": "l40s-8", "a10": "l40s-8", "t4": "l40s-8", "rtx-3090": "rtx-3090-8", "rtx-4090": "rtx-4090-8", "mi250x": "frontier",
    "mi300x": "mi300x-8", "mi325x": "mi300x-8", "mi355x": "mi355x-8", "tpu-v4": "tpu-v4-host", "tpu-v5e": "tpu-v5e-host",
    "tpu-v5p": "tpu-v5p-host", "tpu-v6e": "tpu-v6e-host",
    "trainium1": "aws-trn1", "trainium2": "aws-trn2", "gh200": "gh200-alps",
}  # fmt: skip
"""Accelerators without NVLink switches -> a node of the catalogue whose fabric theirs is like."""

_NVLINK = {2: 150e9, 3: 300e9, 4: 450e9, 5: 900e9}
"""Generation of NVLink -> per accelerator and direction [B/s]; data sheets."""

_CUT = {"a800-sxm-80gb": 200e9, "h800-sxm": 200e9}
"""Accelerators for export, whose NVLink has eight links of 25 GB/s whatever its generation -> per direction [B/s]; as DGX H800."""

_SLICES = {"tpu-v3": 1024, "tpu-v4": 4096, "tpu-v5e": 256, "tpu-v5p": 8960, "tpu-v6e": 256}
"""TPU -> chips of a pod: a job's slice of it is one fabric, and the data-centre network joins only slices.

Source: Google Cloud, TPU system architecture (https://cloud.google.com/tpu/docs/system-architecture-tpu-vm)."""

_NVLINK_OF = (("v100", 2), ("a100", 3), ("a800", 3), ("h", 4), ("b", 5), ("gb", 5))
_NIC_GBPS = {2: 100.0, 3: 200.0, 4: 400.0, 5: 400.0}
"""Generation of NVLink -> rate of the network interfaces that were sold with it [Gb/s], where a row does not say."""


def accelerator_of(written: Mapping[str, Any], find: Find) -> tuple[Accelerator, str]:
    """The accelerator, with what the row says of a variant of it; and the entry it comes from.

    A lower power limit lowers the clock that products and attention keep. Attention, which is not at the limit: as its cube root, since
    dynamic power goes with frequency times the square of a voltage that falls with it (Weste and Harris, CMOS VLSI Design, section 5.2).
    Large products, which are, and share the board with memory and leakage that do not slow down: by `_CAPPED`.

    Raises:
        KeyError: the row does not name it.
        MendableError: the catalogue has none that is called so, or the row counts parts of it.
    """
    sku = str(written.get("gpu_sku") or "")
    if written.get("gpu") is None:
        raise KeyError("gpu")
    told = f"{sku} {written['gpu']} {written.get('gpu_memory_GB') or ''}".lower()
    name = next((entry for pattern, entry in _ACCELERATORS if re.search(pattern, told)), None)
    if name is None:
        raise MendableError(f"no accelerator of the catalogue is called like {str(written['gpu'])[:40]!r}")
    accelerator: Accelerator = find("accelerators", name)
    if name.startswith("trainium") and re.search(r"\bcores?\b|neuroncore", told):
        raise MendableError("the case counts cores of Trainium", "write chips in num_gpus, gpus_per_node and the degrees")
    watts, bandwidth = re.search(r"\b(\d{2,4})\s*W\b", sku), re.search(r"(\d+(?:\.\d+)?)\s*TB/s", sku)
    if bandwidth:
        accelerator = replace(accelerator, memory_bandwidth=float(bandwidth[1]) * 1e12)
    memory = float(written.get("gpu_memory_GB") or 0.0) * 2**30
    if memory and abs(memory / accelerator.memory - 1) > 0.08:
        accelerator = replace(accelerator, memory=memory)
    limit = float(watts[1]) if watts else accelerator.power
    if limit < accelerator.power and accelerator.kernels is not None:
        slower, products = (limit / accelerator.power) ** (1 / 3), (limit / accelerator.power) ** _CAPPED
        kernels, eight = accelerator.kernels, accelerator.kernels.matrix_fp8
        kernels = replace(
            kernels,
            matrix=replace(kernels.matrix, sustained=kernels.matrix.sustained * products),
            matrix_fp8=None if eight is None else replace(eight, sustained=eight.sustained * products),
            attention_forward=kernels.attention_forward * slower,
            attention_backward=kernels.attention_backward * slower,
        )
        accelerator = replace(accelerator, power=limit, kernels=kernels)
    return accelerator, name


def machines_of(written: Mapping[str, Any], accelerator: Accelerator, name: str, used: int, find: Find, assumed: list[str]) -> Machines:
    """Nodes and network of a run on `used` accelerators; what the row leaves out is filled in and added to `assumed`.

    Raises:
        MendableError: nothing is known of the fabric inside a node.
    """
    like: Node | None = find("nodes", _NODES[name]) if name in _NODES else None
    inside = int(written.get("gpus_per_node") or (like.accelerators if like else 8))
    if written.get("gpus_per_node") is None:
        assumed.append(f"{inside} accelerators per node")
    link = written.get("nvlink_gen") or next((gen for start, gen in _NVLINK_OF if name.startswith(start)), 0)
    domain = written.get("nvlink_domain")
    if like is not None and not written.get("nvlink_gen"):
        scale_up = replace(like.scale_up, domain=None)
        count, rate = like.nics, like.nic_rate * 8 / 1e9
        if name in _SLICES and domain is None:
            domain = min(-(-used // inside) * inside, _SLICES[name])
    elif int(link) in _NVLINK:
        told = re.search(r"NVLink\s+(\d+)\s*GB/s", str(written.get("gpu_sku") or ""))
        # Hopper's switches are the first that reduce in flight.
        scale_up = ScaleUp(
            kind="switch", rate=float(told[1]) * 1e9 / 2 if told else _CUT.get(name, _NVLINK[int(link)]), reduction=int(link) >= 4
        )
        count, rate = inside, _NIC_GBPS[int(link)]
    elif written.get("scale_up_GBps"):
        scale_up, count, rate = ScaleUp(kind="switch", rate=0.0), inside, 100.0
    else:
        raise MendableError(
            f"the fabric inside a node of {written['gpu']} is not known", "write scale_up_GBps, per accelerator and direction"
        )
    if domain is not None and used > int(domain):
        # A job is given equal shares of its racks (NVIDIA's recipes: Slurm segments of 16 trays out of 18), not full racks and a rest.
        domain = max((size for size in range(inside, int(domain) + 1, inside) if used % size == 0), default=int(domain))
    if written.get("scale_up_GBps"):
        scale_up = replace(scale_up, rate=float(written["scale_up_GBps"]) * 1e9)
    if written.get("nic_Gbps") is None and used > (domain or inside):
        assumed.append(f"{count} x {rate:g} Gb/s per node")
    node = Node(
        accelerator=accelerator,
        accelerators=inside,
        scale_up=replace(scale_up, domain=None if domain is None else int(domain)),
        nics=int(written.get("nics_per_node") or count),
        nic_rate=float(written.get("nic_Gbps") or rate) * 1e9 / 8,
        power=NodePower(rated=0.0, training=0.0, idle=0.0),
    )
    nodes = -(-used // inside)
    return Machines(node=node, count=nodes, network=_fabric(written, name, find).build(node, nodes))


def _fabric(written: Mapping[str, Any], name: str, find: Find) -> Topology:
    """One switch, but for AWS's EFA, whose messages take longer; of the A100's generation (p4d) they arrive in any order."""
    if not re.search(r"\bEFA\b", str(written.get("fabric") or "")):
        return SingleSwitch()
    network: Topology = find("topologies", "aws-efa-p4d" if name.startswith("a100") else "aws-efa")
    return network


def nodes_of_eight(gpu: str, find: Find) -> Callable[[int], Machines]:
    """Used accelerators -> as many nodes of eight of them as that takes, for runs of which memory alone is known: links and network are
    those of a DGX A100, whatever the accelerator, and count for nothing.

    Raises:
        MendableError: the catalogue has no accelerator that is called so.
    """
    node = Node(
        accelerator=accelerator_of({"gpu": gpu}, find)[0],
        accelerators=8,
        scale_up=ScaleUp(kind="switch", rate=_NVLINK[3]),
        nics=8,
        nic_rate=25e9,
        power=NodePower(rated=0.0, training=0.0, idle=0.0),
    )

    def machines(used: int) -> Machines:
        count = -(-used // 8)
        return Machines(node=node, count=count, network=SingleSwitch().build(node, count))

    return machines
