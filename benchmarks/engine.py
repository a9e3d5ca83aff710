"""Seconds per life of large and long runs: `python -m benchmarks.engine`. Time goes with failures, not with steps, nodes or checkpoints.

A second table holds the failures of the whole job as they are and lets the nodes grow to a million: what an interruption costs then, and
what a life keeps in memory. Calls are of Python functions, its own and built-in ones: unlike seconds, a count that no neighbour disturbs.

Beside it, AIReSim (arXiv:2603.07041, code karthikp-ubc/airesim), as measured on an idle machine: 27 to 44 s per replication of its default
case of 4 096 servers x 256 days, 165 s of 16 384 servers x 30 days. The first two cases are those, lemons, two-stage repair and borrowed
servers included: it loses no work and nothing fails while it recovers; every step is saved at no cost.
"""

from __future__ import annotations

import cProfile
import time
import tracemalloc
from dataclasses import replace

from simulator.engine import Checkpoints, Life, Phase, RunRecord, live
from simulator.reliability import FailureClass, FailureSet, Repair, Restart, Spares, job_mtbf, young_interval

DAY = 86400.0
TABLE = "Llama 3, arXiv:2407.21783, Table 5: 419 interruptions of 16,384 GPUs in 54 days"
LLAMA3 = FailureSet(
    classes=(
        FailureClass(cause="accelerator", of="accelerator", mtbf=54 * DAY * 16_384 / 310, detection=120.0, source=TABLE),
        FailureClass(cause="host", of="node", mtbf=54 * DAY * 2_048 / 46, detection=120.0, source=TABLE),
        FailureClass(cause="software", of="job", mtbf=54 * DAY / 63, detection=120.0, loses_node=False, source=TABLE),
    )
)
SERVERS = FailureSet(
    classes=(
        FailureClass(cause="random", of="node", mtbf=100 * DAY, detection=0.0, source="arXiv:2603.07041, Table 1"),
        FailureClass(cause="systematic", of="node", mtbf=20 * DAY, share=0.15, detection=0.0, source="arXiv:2603.07041, Table 1"),
    )
)


def without_lost_work(servers: int, days: float) -> Life:
    """AIReSim's kind of case: nothing is lost but the recovery time."""
    return Life(
        phases=(Phase(tokens=days * DAY, tokens_per_step=1.0, step_s=((servers, 1.0),)),),
        nodes=servers,
        accelerators_per_node=8,
        failures=SERVERS,
        spares=Spares(hot=16, pool=servers // 85, borrowed=servers // 20, hot_swap=0.0, pool_delay=180.0, struck=False),
        repair=Repair(mean=2 * DAY, sigma=0.83, automatic=7_200.0, escalation=0.8, automatic_silent=0.4, silent=0.2),
        recovery=Restart(restart=1200.0, struck=False),
        checkpoints=Checkpoints(interval_s=0.0),
    )


def llama3(nodes: int, days: float) -> Life:
    """The rates of Llama 3's table on another size; checkpoints of 3 s at Young's interval, a hundredth of the nodes as spares."""
    return Life(
        phases=(Phase(tokens=days * DAY, tokens_per_step=5.0, step_s=((nodes, 5.0),)),),
        nodes=nodes,
        accelerators_per_node=8,
        failures=LLAMA3,
        spares=Spares(hot=nodes // 100, pool=nodes // 50),
        checkpoints=Checkpoints(interval_s=young_interval(3.0, job_mtbf(LLAMA3, nodes, 8)), blocking_s=3.0, read_s=3.0),
    )


CASES = {
    "4 096 servers x 256 d (AIReSim: 27 to 44 s)": without_lost_work(4_096, 256),
    "16 384 servers x 30 d (AIReSim: 165 s)": without_lost_work(16_384, 30),
    "16 384 GPUs x 54 d, Llama 3's rates": llama3(2_048, 54),
    "131 072 GPUs x 90 d, Llama 3's rates": llama3(16_384, 90),
}


def grown(nodes: int, days: float) -> Life:
    """A job of any size that fails as often as Llama 3's of 2 048 nodes."""
    classes = tuple(replace(each, mtbf=each.mtbf * (1 if each.of == "job" else nodes / 2_048)) for each in LLAMA3.classes)
    return replace(llama3(nodes, days), failures=FailureSet(classes=classes), checkpoints=llama3(2_048, days).checkpoints)


def spent(life: Life, replication: int = 0) -> tuple[float, RunRecord]:
    """CPU seconds of one life, and its record."""
    start = time.process_time()
    record = live(life, 1, replication, log=False)
    return time.process_time() - start, record


def calls(life: Life) -> int:
    """Of functions, in one life."""
    profile = cProfile.Profile()
    profile.runcall(live, life, 1, 0, log=False)
    return sum(entry.callcount for entry in profile.getstats())


def peak(life: Life) -> int:
    """Memory of one life [B]."""
    tracemalloc.start()
    live(life, 1, 0, log=False)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def main() -> None:
    """Print one line per case, then one per size."""
    for name, life in CASES.items():
        lives = [spent(life, replication) for replication in range(5)]
        # Each replication by itself: the one with the fewest failures is not the fastest per failure.
        each = min(seconds / sum(record.interruptions.values()) for seconds, record in lives)
        failures, hours, goodput = (
            sum(values) / len(lives)
            for values in zip(
                *((sum(record.interruptions.values()), record.wall_clock_s / 3600, record.goodput) for _, record in lives), strict=True
            )
        )
        print(
            f"{name:46} {min(seconds for seconds, _ in lives):7.3f} s CPU, best of 5 {failures:8.0f} interruptions  {each * 1e6:6.1f} us, "
            f"{calls(life) / sum(lives[0][1].interruptions.values()):5.0f} calls each  {hours:8.0f} h  goodput {goodput:.4f}"
        )
    print()
    for nodes in (2**power for power in range(10, 21, 2)):
        life, start = grown(nodes, 1_000), min(spent(grown(nodes, 1e-3))[0] for _ in range(3))
        lives = [spent(life, replication) for replication in range(3)]
        each = min((seconds - start) / sum(record.interruptions.values()) for seconds, record in lives)
        most = peak(grown(nodes, 10)) / nodes
        print(f"{nodes:9} nodes {start:7.3f} s CPU to begin  {each * 1e6:6.1f} us per interruption  {most:6.0f} B per node")


if __name__ == "__main__":
    main()
