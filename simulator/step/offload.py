"""What a rank keeps in the memory of its host, or on the drives there: whether it has room, and the seconds that it costs."""

from __future__ import annotations

from simulator import units
from simulator.outcome import Infeasible
from simulator.parallelism import Layout
from simulator.step.job import Job, Machines
from simulator.step.layer import Lap, Pass
from simulator.step.memory import host_memory, kept_bytes

HOST_UPDATE_BYTES = 34.0
"""Adam on the host, per parameter: the update (28), one more read of the gradient for its norm (4), a 16-bit copy of the weight (2)."""

HOST_SHARE = 0.5
"""Share of the rate of the host's memory that its Adam reaches, on cores of its own.

Source: unverified: Ren et al. 2021 (ZeRO-Offload), arXiv:2101.06840, Table 4 (0.22 s for a billion parameters on a DGX-2, 256 GB/s of two
sockets), from memory.
"""

_NEEDS = {
    "optimizer": ("host_link", "host_bandwidth"),
    "optimizer_nvme": ("host_link", "host_bandwidth", "nvme"),
    "activations": ("host_link",),
}
_EXAMPLES = {"host_link": "31 GB/s", "host_bandwidth": "400 GB/s", "nvme": "25 GB/s"}


def refused(job: Job, layout: Layout, machines: Machines) -> Infeasible | None:
    """Why the host cannot keep what the layout gives it; None where it can.

    Room is checked where the node says its `host_memory`; drives are taken to be large enough.
    """
    node = machines.node
    for kept in layout.offload:
        missing = next((name for name in _NEEDS[kept] if getattr(node, name) is None), None)
        if missing is not None:
            return Infeasible(
                reason=f"offload of {kept} is not priced: the node does not say its {missing}", mend=f"node.{missing}: {_EXAMPLES[missing]}"
            )
    needed = host_memory(job, layout, machines)
    if node.host_memory is not None and needed > node.host_memory:
        shown = units.format(needed, "data", 3), units.format(node.host_memory, "data", 3)
        return Infeasible(reason=f"the host of a node would keep {shown[0]} and has {shown[1]}", mend="more nodes, or less offload")
    return None


def _said(rate: float | None) -> float:
    """A rate of the node that `refused` has asked for [B/s]."""
    if rate is None:
        raise ValueError("offload is priced on a node that does not say how fast its host is")
    return rate


def optimizer_time(job: Job, machines: Machines, parameters: float, backward: float) -> float:
    """Exposed seconds of an optimizer step on the host: gradients down, update, weights up.

    Gradients travel while the last microbatch goes backward; weights return piece by piece beside the update. All accelerators of a
    node share the host's memory.

    Args:
        parameters: that this rank updates.
        backward: of the last microbatch on this rank [s].

    Source: Ren et al. 2021, arXiv:2101.06840, sections 4.1 and 5.1.
    """
    link, host = _said(machines.node.host_link), _said(machines.node.host_bandwidth)
    down = job.software.gradient_size(job.precision) * parameters / link
    update = HOST_UPDATE_BYTES * parameters * machines.node.accelerators / (HOST_SHARE * host)
    return max(down - backward, 0.0) + max(update, 2.0 * parameters / link)


def drive_time(machines: Machines, parameters: float) -> float:
    """Seconds to read the states of a rank from the drives of its node and to write them back, beside those of its neighbours.

    12 bytes per parameter each way. Source: Rajbhandari et al. 2021 (ZeRO-Infinity), arXiv:2104.07857, section 5.2.
    """
    return 24.0 * parameters * machines.node.accelerators / _said(machines.node.nvme)


def waiting(job: Job, layout: Layout, machines: Machines, layer: Pass, dense: bool) -> Pass:
    """A layer whose kept activations go to the host beside its forward pass and come back beside its backward pass.

    # Assumes: the link is free of other traffic, and one layer's transfer hides behind one layer's compute.
    """
    seconds = layout.microbatch * job.sequence / layout.context * kept_bytes(job, layout, dense) / _said(machines.node.host_link)
    exposed = [Lap(memory_bound=max(seconds - lap.total, 0.0)) for lap in (layer.forward, layer.backward)]
    return layer + Pass(exposed[0], exposed[1])
