"""Prices of collectives at 1 k, 16 k and 131 k accelerators, and how long it takes to find them: `python benchmarks/collectives.py`.

Cold: a network and groups never seen before, plans included; warm: another size on the same communicator.
"""

from __future__ import annotations

import resource
import time

import numpy as np

from simulator.collectives import Operation, bus_bandwidth, communicator
from simulator.hardware import Accelerator, Node, NodePower, ScaleUp
from simulator.interconnect import FatTree

NODE = Node(
    accelerator=Accelerator(name="h100", peak={"bf16": 989e12}, memory=80e9, memory_bandwidth=3.35e12, power=700.0, launched="2022-09"),
    accelerators=8,
    scale_up=ScaleUp(kind="switch", rate=450e9, reduction=True),
    nics=8,
    nic_rate=50e9,
    power=NodePower(rated=10200.0, training=7750.0, idle=1980.0),
)
CASES: tuple[tuple[str, int, int, Operation, float], ...] = (
    # (what, ranks of a group, distance of its ranks, operation, bytes)
    ("data-parallel, tensor 8", 0, 8, "reduce_scatter", 2e9),
    ("data-parallel, tensor 8 x pipeline 16", -16, 8, "reduce_scatter", 2e9),
    ("one group of all", 0, 1, "all_reduce", 2.0**30),
    ("tensor 8", 8, 1, "all_reduce", 2.0**27),
    ("experts 64", 64, 1, "all_to_all", 2.0**26),
)


def main() -> None:
    print(f"{'accelerators':>12}  {'case':38} {'groups':>12}  {'algorithm':14} {'time':>10} {'bus':>9} {'cold':>9} {'warm':>8}  bottleneck")
    for accelerators in (1024, 16384, 131072):
        started = time.perf_counter()
        network = FatTree(leaf_nodes=32, pod_nodes=512, spine_oversubscription=2.0).build(NODE, accelerators // 8)
        built = time.perf_counter() - started
        for what, ranks, distance, operation, size in CASES:
            count = accelerators // distance // max(-ranks, 1) if ranks <= 0 else ranks
            groups = np.arange(accelerators).reshape(-1, count, distance).transpose(0, 2, 1).reshape(-1, count)
            started = time.perf_counter()
            group = communicator(groups, network)
            priced = group.price(operation, size)
            cold = time.perf_counter() - started
            started = time.perf_counter()
            for step in range(100):
                group.price(operation, size + step)
            warm = (time.perf_counter() - started) / 100
            bus = bus_bandwidth(operation, count, size, priced.time_s)
            print(
                f"{accelerators:12d}  {what:38} {len(groups):5d} x {count:<6d} {priced.algorithm:14} {priced.time_s * 1e3:7.2f} ms "
                f"{bus / 1e9:4.0f} GB/s {cold * 1e3:6.0f} ms {warm * 1e6:5.1f} us  {priced.bottleneck}"
            )
        print(f"{accelerators:12d}  built in {built * 1e3:.0f} ms")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
