"""What `layout: auto` would choose for published runs, and by how much the published layout is slower, both as modelled.

python benchmarks/layout_regret.py
"""

from __future__ import annotations

from simulator.outcome import Infeasible
from simulator.parallelism import Layout, Packed, Schedule
from simulator.scenario import entry
from simulator.step import Job, Machines, clock, memory_use
from simulator.study.search import search

SP = {"tensor": 8, "sequence_parallel": True}
RUNS = (
    # name, model, node, topology, software, nodes, sequence, global batch, published layout
    ("GPT-3 175B, 64 A100", "gpt3-175b", "dgx-a100-80gb", "selene", "megatron-2022", 8, 2048, 64,
     Layout(pipeline=8, virtual=3, schedule="interleaved", recompute="selective", **SP)),
    ("GPT 145.6B, 1 536 A100", "megatron-145.6b", "dgx-a100-80gb", "selene", "megatron-2021", 192, 2048, 2304,
     Layout(tensor=8, pipeline=8, virtual=2, schedule="interleaved", data=24, microbatch=2, recompute="full")),
    ("MT-NLG 530B, 2 240 A100", "mt-nlg-530b", "dgx-a100-80gb", "selene", "megatron-2022", 280, 2048, 2240,
     Layout(pipeline=35, virtual=3, schedule="interleaved", data=8, recompute="selective", **SP)),
    ("Llama 3.1 405B, 8 192 H100", "llama-3.1-405b", "meta-grand-teton-h100", "meta-24k-roce", "megatron-2023", 1024, 8192, 2048,
     Layout(pipeline=16, virtual=8, schedule="interleaved", data=64, sharding="zero2", **SP)),
    ("Llama 3.1 405B, 16 384 H100", "llama-3.1-405b", "meta-grand-teton-h100", "meta-24k-roce", "megatron-2023", 2048, 8192, 2048,
     Layout(pipeline=16, virtual=8, schedule="interleaved", data=128, sharding="zero2", **SP)),
    ("Llama 3.1 405B, 131 072 tokens", "llama-3.1-405b", "meta-grand-teton-h100", "meta-24k-roce", "megatron-2023", 2048, 131072, 128,
     Layout(context=16, pipeline=16, virtual=8, schedule="interleaved", data=8, sharding="zero2", **SP)),
)  # fmt: skip
NO_BUBBLE: tuple[Schedule, ...] = ("1f1b", "interleaved", "zb_h1", "zb_h2", "zb_v", "dualpipe")


def short(layout: Layout) -> str:
    context = f"CP{layout.context}·" if layout.context > 1 else ""
    chunks = f"·VP{layout.virtual}" if layout.virtual > 1 else ""
    recompute = "" if layout.recompute == "none" else f", {layout.recompute}"
    shape = f"TP{layout.tensor}·{context}PP{layout.pipeline}{chunks}·DP{layout.data}"
    return f"{shape}, {layout.schedule}, micro {layout.microbatch}, {layout.sharding}{recompute}"


def main() -> None:
    for name, model, kind, topology, software, nodes, sequence, batch, published in RUNS:
        node = entry("nodes", kind)
        network = entry("topologies", topology).build(node, Packed().room(nodes))
        asked, generation = entry("models", model), entry("software", software)
        job = Job(model=asked, sequence=sequence, global_batch=batch, precision="bf16", software=generation)
        machines = Machines(node=node, count=nodes, network=network)
        memory = memory_use(job, published, machines)
        seconds = clock(job, published, machines).total
        print(f"{name}: published {short(published)}: {seconds:.2f} s, {memory.total_bytes / memory.capacity_bytes:.0%} of memory")
        for schedules in ((), NO_BUBBLE):
            found = search(job, machines, schedules=schedules)
            if isinstance(found, Infeasible):
                print(f"    {found.reason}")
                continue
            tried = f"{found.considered} tried, {found.considered - found.fitting} did not fit"
            print(f"    {short(found.layout)}: {found.time_s:.2f} s, published {seconds / found.time_s - 1:+.1%}; {tried}")


if __name__ == "__main__":
    main()
