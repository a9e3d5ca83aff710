"""Seconds per life of large and long runs: `python -m benchmarks.engine`. Time goes with failures, not with steps, nodes or checkpoints.

Beside it, AIReSim (arXiv:2603.07041, code karthikp-ubc/airesim), as measured on an idle machine: 27 to 44 s per replication of its default
case of 4 096 servers x 256 days, 165 s of 16 384 servers x 30 days. The first two cases are those, lemons, two-stage repair and borrowed
servers included: it loses no work and nothing fails while it recovers; every step is saved at no cost.
"""

from __future__ import annotations

import time

from simulator.engine import Checkpoints, Life, Phase, live
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


def main() -> None:
    """Print one line per case."""
    for name, life in CASES.items():
        spent, records = [], []
        for replication in range(5):
            start = time.process_time()
            records.append(live(life, 1, replication, log=False))
            spent.append(time.process_time() - start)
        failures = sum(sum(record.interruptions.values()) for record in records) / len(records)
        hours = sum(record.wall_clock_s for record in records) / len(records) / 3600
        print(
            f"{name:46} {min(spent):7.3f} s CPU, best of 5  {failures:8.0f} interruptions  {min(spent) / failures * 1e6:6.1f} us each  "
            f"{hours:8.0f} h  goodput {sum(record.goodput for record in records) / len(records):.4f}"
        )


if __name__ == "__main__":
    main()
