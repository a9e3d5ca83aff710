"""How cost grows to a million accelerators, and beside other simulators: `python benchmarks/scale.py [--without-flows]`.

The curve: a three-level rail-optimised fat tree (pods of 4,096 accelerators, 2:1 above them) with the layout of Llama 3.1 405B, tensor 8 x
pipeline 16 x data: 128 data-parallel groups at once, gradients scattered and parameters gathered (each rank's 1/128 of 405e9 in bf16).

The others' figures are CPU-seconds as measured or published, on other machines than this: the ratio is one of orders of magnitude.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
from collectives import NODE
from flows import SIMGRID_S, finished

from simulator.collectives import communicator
from simulator.interconnect import FatTree

OTHERS = (  # (what, simulator, least and most CPU-seconds, accelerators of our collective; 0: flows)
    ("1 GiB ring all-reduce, 1,024 ranks", "ASTRA-sim 2, congestion-aware", (20.0, 34.0), 1024),
    ("1 GiB ring all-reduce, 2,048 ranks", "ASTRA-sim 2, congestion-aware", (249.0, 249.0), 2048),
    ("step of 9,216 GPUs; ours: data groups", "SimAI, analytical", (2.9, 2.9), 9216),
    ("10,000 flows on 1,024 hosts", "SimGrid 4.1 (C++)", (SIMGRID_S[10_000], SIMGRID_S[10_000]), 0),
)


def of_405b(accelerators: int) -> tuple[float, float]:
    """CPU-seconds to build the network and lay the groups, cold; and what the answer is [s]."""
    started = time.process_time()
    network = FatTree(leaf_nodes=32, pod_nodes=512, spine_oversubscription=2.0).build(NODE, accelerators // 8)
    data = accelerators // 128
    groups = np.arange(accelerators).reshape(16, data, 8).transpose(0, 2, 1).reshape(-1, data)
    group = communicator(groups, network)
    time_s = sum(group.price(operation, 2 * 405e9 / 128).time_s for operation in ("reduce_scatter", "all_gather"))
    return time.process_time() - started, time_s


def ring(accelerators: int) -> float:
    """CPU-seconds of a ring all-reduce of 1 GiB over all, cold."""
    started = time.process_time()
    network = FatTree(leaf_nodes=32).build(NODE, accelerators // 8)
    communicator(np.arange(accelerators)[None], network).price("all_reduce", 2.0**30, "ring")
    return time.process_time() - started


def main(flows: bool) -> None:
    print(f"{'accelerators':>12} {'groups':>12} {'CPU':>9} {'peak memory':>12} {'answer':>8}")
    for accelerators in (1024, 4096, 16384, 65536, 131072, 262144, 524288, 1048576):
        took, time_s = of_405b(accelerators)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{accelerators:12,d} {f'128 x {accelerators // 128:,d}':>12} {took * 1e3:6.0f} ms {peak:8.0f} MiB {time_s * 1e3:5.0f} ms")
    print(f"\n{'case':38} {'other':30} {'its CPU':>9} {'ours':>9}  ratio")
    for what, other, (least, most), accelerators in OTHERS:
        ours: Callable[[], float] = {0: lambda: finished(10_000)[0], 9216: lambda: of_405b(9216)[0]}.get(
            accelerators, lambda accelerators=accelerators: ring(accelerators)
        )
        if accelerators == 0 and not flows:
            continue
        took = ours()
        span, ratio = (
            (f"{least:g}", f"{least / took:,.0f}") if least == most else (f"{least:g}-{most:g}", f"{least / took:,.0f}-{most / took:,.0f}")
        )
        print(f"{what:38} {other:30} {span:>7} s {took:7.3f} s  {ratio}")


if __name__ == "__main__":
    main("--without-flows" not in sys.argv)
