"""Another simulator's answer to a case that both can state: AIReSim's default case without its bad servers.

Source: AIReSim, arXiv:2603.07041, code karthikp-ubc/airesim at 7b139c7, one rerun with systematic fraction 0: 9 637.9 h, 10 465 failures,
38 host selections of 3 min, 11 preemptions of 20 min. Nothing fails there while the job recovers, and no work is lost.
"""

import math

from simulator.engine import Checkpoints, Life, Phase, live
from simulator.reliability import FailureClass, FailureSet, Repair, Restart, Spares

DAY = 86400.0


def test_random_failures_of_4096_servers_for_256_days() -> None:
    server = FailureClass(cause="server", of="node", mtbf=100 * DAY, detection=0.0, source="arXiv:2603.07041, Table 1")
    life = Life(
        phases=(Phase(tokens=256 * DAY, tokens_per_step=1.0, step_s=((4_096, 1.0),)),),
        nodes=4_096,
        accelerators_per_node=8,
        failures=FailureSet(classes=(server,)),
        # Sixteen standbys and 48 + 200 servers in its two pools; 0.2 x 120 min + 0.8 x (120 min + 2 d) of repair.
        spares=Spares(hot=16, pool=248, hot_swap=0.0, pool_delay=180.0),
        repair=Repair(mean=7_200 + 0.8 * 2 * DAY, sigma=0.0),
        recovery=Restart(restart=1_200.0, struck=False),
        checkpoints=Checkpoints(interval_s=0.0),
    )
    record = live(life, 1, 0)
    failures = record.interruptions["server"]
    assert abs(failures - 10_465) < 3 * math.sqrt(2 * 10_465), "two Poisson counts of the same mean"
    hours = record.wall_clock_s / 3600
    assert abs(hours - 9_637.9) < 0.01 * 9_637.9
    # Its identity: 20 min per failure beside the work; what is left are selections and preemptions.
    assert 0 <= hours - 6_144 - failures / 3 < 0.005 * hours
    assert record.parts_s["lost_work"] < failures * 1.0
