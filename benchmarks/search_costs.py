"""What one evaluation costs inside a search of layouts: a pipeline schedule played, a memory verdict, the space enumerated.

python benchmarks/search_costs.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from simulator.hardware import Node
from simulator.parallelism import Layout, candidates
from simulator.pipeline import SCHEDULES, play
from simulator.scenario import entry
from simulator.step import Job, Machines
from simulator.step.memory import memory_use


def best(call: Callable[[], object], times: int = 30) -> float:
    """The shortest of several runs after a first one [ms]."""
    call()
    shortest = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        call()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest * 1e3


def schedules() -> None:
    print("schedule     stages chunks microbatches  equal stages  loss on the last, sent   every microbatch [ms]")
    for kind, stages, virtual, microbatches in (
        ("1f1b", 64, 1, 192), ("interleaved", 64, 2, 192), ("1f1b", 8, 1, 1000), ("interleaved", 8, 4, 1000), ("1f1b", 1, 1, 1000)
    ):  # fmt: skip
        uneven = np.ones((stages, virtual))
        uneven[0, 0] += 0.02  # embedding
        uneven[-1, -1] += 0.15  # logits and loss
        counts = {"stages": stages, "virtual": virtual, "microbatches": microbatches}

        def one(forward, transfer, bars=0, kind=kind, counts=counts):
            return best(
                lambda: play(SCHEDULES[kind], **counts, forward=forward, backward=2 * forward, transfer=transfer, bars=bars),
                5 if bars else 30,
            )

        times = one(np.ones_like(uneven), 0.0), one(uneven, 0.05), one(uneven, 0.05, 1)
        print(f"{kind:12s} {stages:6d} {virtual:6d} {microbatches:12d} {times[0]:13.2f} {times[1]:23.2f} {times[2]:25.2f}")


def memory_and_space() -> None:
    for model, node, software, count in (
        ("gpt3-175b", "dgx-a100-80gb", "megatron-2021", 128), ("deepseek-v3", "dgx-h800", "megatron-2025", 256)
    ):  # fmt: skip
        machine: Node = entry("nodes", node)
        job = Job(model=entry("models", model), sequence=4096, global_batch=1536, precision="bf16", software=entry("software", software))
        machines = Machines(node=machine, count=count, network=None)
        experts = {"expert": 8, "expert_tensor": 1} if job.model.experts else {}
        layout = Layout(tensor=8, pipeline=4, data=16, sharding="zero1", **experts)
        took = best(lambda job=job, layout=layout, machines=machines: memory_use(job, layout, machines), 200)
        start = time.perf_counter()
        space = candidates(job.model, job.software, global_batch=1536, accelerators=8 * count, domain=8)
        spent = (time.perf_counter() - start) * 1e3
        print(f"{model}: memory {took:.3f} ms a layout; {len(space)} candidates for {8 * count} accelerators in {spent:.0f} ms")


if __name__ == "__main__":
    schedules()
    memory_and_space()
