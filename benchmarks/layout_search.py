"""How fast layouts are priced in a search, and what one step of a large pipeline takes as a full timeline; beside the peers' figures.

python benchmarks/layout_search.py

Figures of the peers are CPU time on this project's own bench, one process: Calculon 178 and SimuMax 14 layouts of a 175B model per second;
SimuMax 40 s for a step of a 530B model with 35 stages and 3 chunks.
"""

from __future__ import annotations

import resource
import time

from simulator.hardware import Node
from simulator.parallelism import Layout, Packed, candidates
from simulator.scenario import entry
from simulator.step import Job, Machines, clock, evaluate, memory_use
from simulator.study.search import search

PEERS = {"Calculon": 178.0, "SimuMax": 14.0}
"""Full evaluations of one 175B layout per CPU-second."""


def question(model: str, nodes: int, batch: int) -> tuple[Job, Machines]:
    node: Node = entry("nodes", "dgx-a100-80gb")
    software = entry("software", "megatron-2022")
    network = entry("topologies", "selene").build(node, Packed().room(nodes))
    job = Job(model=entry("models", model), sequence=2048, global_batch=batch, precision="bf16", software=software)
    return job, Machines(node=node, count=nodes, network=network)


def ratios(rate: float) -> str:
    return ", ".join(f"{rate / peer:.0f} x {name}" for name, peer in PEERS.items())


def searched() -> None:
    job, machines = question("gpt3-175b", 128, 1536)
    start = time.process_time()
    found = search(job, machines)
    spent = time.process_time() - start
    rate = found.considered / spent
    full = found.fitting / spent
    size = f"{found.considered} layouts, {found.fitting} fit"
    print(f"search for a 175B model on {machines.accelerators} A100: {size}, in {spent:.2f} s")
    print(f"  {rate:.0f} layouts per CPU-second ({ratios(rate)})")
    print(f"  of those that fit {full:.0f} ({ratios(full)})")
    space = candidates(job.model, job.software, global_batch=1536, sequence=2048, accelerators=machines.accelerators, domain=8)
    start = time.process_time()
    sized = [(layout, memory_use(job, layout, machines)) for layout in space]
    fitting = [layout for layout, memory in sized if memory.total_bytes <= memory.capacity_bytes]
    times = [clock(job, layout, machines).total for layout in fitting]
    spent = time.process_time() - start
    print(f"  every schedule played and nothing shared instead: the same answer ({min(times) == found.time_s}), {spent:.2f} s")
    start = time.process_time()
    for layout in fitting[::4]:
        evaluate(job, layout, machines)
    spent = time.process_time() - start
    rate = len(fitting[::4]) / spent
    print(f"  with all terms and sources of the answer, one by one: {rate:.0f} layouts per CPU-second ({ratios(rate)})")


def timeline() -> None:
    job, machines = question("mt-nlg-530b", 280, 2240)
    layout = Layout(tensor=8, pipeline=35, virtual=3, data=8, schedule="interleaved", sequence_parallel=True, recompute="selective")
    start = time.process_time()
    timed = clock(job, layout, machines, bars=10**9)
    spent = time.process_time() - start
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(f"a step of a 530B model, 35 stages x 3 chunks, {len(timed.bars)} slots: {spent:.2f} s of CPU ({40 / spent:.0f} x SimuMax);")
    print(f"  the whole process took {most:.0f} MiB at its peak")


if __name__ == "__main__":
    timeline()
    searched()
