"""What a life costs goes with its failures: counted in calls of functions, which no neighbour on the machine disturbs."""

import cProfile

from simulator.engine import Checkpoints, Life, Phase, live
from simulator.reliability import FailureClass, FailureSet, Spares

DAY = 86400.0


def calls_per_failure(nodes: int) -> float:
    """A job that fails every two hours, whatever its size, with slow nodes and every tenth failure of four nodes together."""
    hours = 7200.0 * nodes
    life = Life(
        phases=(Phase(tokens=30 * DAY, tokens_per_step=1.0, step_s=((nodes, 1.0),)),),
        nodes=nodes,
        accelerators_per_node=8,
        failures=FailureSet(
            classes=(
                FailureClass(cause="node", of="node", mtbf=hours, detection=60.0, source="a test"),
                FailureClass(cause="rack", of="node", mtbf=10 * hours, block=4, detection=60.0, source="a test"),
                FailureClass(cause="slow", of="node", mtbf=5 * hours, slowdown=1.2, detection=600.0, source="a test"),
            )
        ),
        spares=Spares(hot=8, pool=64),
        checkpoints=Checkpoints(interval_s=600.0, blocking_s=3.0),
    )
    profile = cProfile.Profile()
    record = profile.runcall(live, life, 1, 0, log=False)
    return sum(entry.callcount for entry in profile.getstats()) / sum(record.interruptions.values())


def test_a_failure_takes_as_many_calls_on_any_number_of_nodes() -> None:
    small, large = calls_per_failure(64), calls_per_failure(8_192)
    assert 0.9 < large / small < 1.1
    assert large < 250
