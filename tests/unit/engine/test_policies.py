"""Recovery policies and availabilities on plans written down by hand."""

import dataclasses
import itertools
import math

import pytest

from simulator.engine import Checkpoints, Life, Phase, RunRecord, donors, job, live
from simulator.engine.hazards import Failure
from simulator.engine.streams import Streams
from simulator.outcome import partition
from simulator.reliability import (
    AvailabilityTrace,
    Elastic,
    FailureClass,
    FailureSet,
    HotSwap,
    Repair,
    Replay,
    Restart,
    ScheduledNodes,
    Spares,
    Spot,
    reclaims,
)
from simulator.scenario import entry

NODE = FailureClass(cause="node", of="node", mtbf=1e15, detection=30.0, source="a test")
CRASH = FailureClass(cause="crash", of="job", mtbf=1e15, detection=0.0, loses_node=False, source="a test")
PLAN = Life(
    # Four replicas of a node each; with one missing, a step accepts three quarters of the tokens in the same time.
    phases=(Phase(tokens=1000.0, tokens_per_step=1.0, step_s=((3, 4 / 3), (4, 1.0))),),
    nodes=4,
    accelerators_per_node=8,
    failures=FailureSet(classes=(NODE, CRASH)),
    repair=Repair(mean=500.0, sigma=0.0),
    checkpoints=Checkpoints(interval_s=100.0, blocking_s=10.0, read_s=20.0),
)
ELASTIC = Elastic(restart=40.0, regroup=5.0, rejoin=8.0, drop=1)


@pytest.fixture
def lived(monkeypatch: pytest.MonkeyPatch):
    def run(life: Life, *failures: tuple[float, FailureClass, float]) -> RunRecord:
        left = list(failures)

        class Script:
            next = property(lambda _: left[0][0] if left else math.inf)

            def expose(self, *_: object) -> None:
                """What is scripted comes, held or not."""

            def strike(self) -> Failure:
                _, failure, victim = left.pop(0)
                return Failure(failure, [0.5, victim, *[0.5] * 10])

        monkeypatch.setattr(job, "Hazards", lambda *_: Script())
        record = live(life, 0)
        partition(record.wall_clock_s, record.parts_s, "wall-clock")
        return record

    return run


def parts(record: RunRecord) -> dict[str, float]:
    return {part: pytest.approx(seconds, abs=1e-6) for part, seconds in record.parts_s.items() if seconds > 1e-9}


def test_elastic_goes_on_without_the_replica_and_takes_it_back(lived) -> None:
    record = lived(dataclasses.replace(PLAN, recovery=ELASTIC), (150.0, NODE, 0.0))
    # Half a step is lost; from 185 s to 650 s on three replicas (four checkpoints there), then 8 s to take the fourth back.
    slow = 650 - 185 - 4 * 10
    assert parts(record) == {
        "productive": 1000, "degraded": slow / 4, "checkpoint": (1 + 4 + 5 + 1) * 10, "lost_work": 0.5,
        "detection": 30, "restart": 5, "reshape": 8,
    }  # fmt: skip
    assert record.interruptions == {"node": 1, "crash": 0}


def test_elastic_takes_spares_in_while_it_trains(lived) -> None:
    life = dataclasses.replace(PLAN, recovery=ELASTIC, spares=Spares(hot=1, hot_swap=100.0))
    record = lived(life, (150.0, NODE, 0.0))
    # Noticed at 180 s, the spare is there at 280 s: 95 s on three replicas.
    assert record.parts_s["degraded"] == pytest.approx(95 / 4, abs=3)
    assert record.parts_s["replacement"] == 0
    assert record.parts_s["reshape"] == 8


def test_elastic_falls_back_where_no_replica_can_be_missed_or_the_job_crashed(lived) -> None:
    life = dataclasses.replace(PLAN, recovery=ELASTIC)
    record = lived(life, (150.0, CRASH, 0.0))
    assert parts(record) == {"productive": 1000, "checkpoint": 100, "lost_work": 40, "restart": 40, "reload": 20}
    record = lived(life, (150.0, NODE, 0.0), (160.0, NODE, 0.0))
    assert record.parts_s["lost_work"] == pytest.approx(40)
    assert record.parts_s["wait_for_nodes"] > 0
    assert record.parts_s["reload"] == 20


def test_a_failure_while_it_regroups_loses_no_further_step(lived) -> None:
    life = dataclasses.replace(
        PLAN, recovery=ELASTIC, phases=(Phase(tokens=1000.0, tokens_per_step=1.0, step_s=((2, 2.0), (3, 4 / 3), (4, 1.0))),)
    )
    record = lived(life, (150.0, NODE, 0.0), (182.0, NODE, 0.0))
    assert record.parts_s["lost_work"] == pytest.approx(0.5)
    assert record.parts_s["detection"] == pytest.approx(60)
    assert record.parts_s["restart"] == pytest.approx(2 + 5)


def test_hot_swap_takes_the_short_way_where_it_is_open(lived) -> None:
    life = dataclasses.replace(PLAN, recovery=HotSwap(restart=40.0, rejoin=7.0, peer_read=3.0), spares=Spares(hot=1, hot_swap=15.0))
    base = {"productive": 1000, "checkpoint": 100, "lost_work": 40}
    assert parts(lived(life, (150.0, NODE, 0.0))) == {**base, "detection": 30, "replacement": 15, "restart": 7, "reload": 3}
    assert parts(lived(life, (150.0, CRASH, 0.0))) == {**base, "restart": 40, "reload": 20}
    record = lived(life, (150.0, NODE, 0.0), (160.0, NODE, 0.0))
    assert record.parts_s["restart"] == 40, "the second finds no hot spare"


def test_surprise_is_an_interruption_and_notice_saves_the_work(lived) -> None:
    trace = AvailabilityTrace(
        changes=(ScheduledNodes(at=0.0, nodes=2), ScheduledNodes(at=300.0, nodes=0), ScheduledNodes(at=400.0, nodes=2)),
        length=10_000.0, wanted=2, source="a test",
    )  # fmt: skip
    life = dataclasses.replace(PLAN, availability=Replay(trace=trace, start=0.0), reshape_s=40.0)
    record = lived(life)
    # Checkpoints end at 110 s and 220 s; all four nodes go at 300 s.
    assert parts(record) == {
        "productive": 1000, "checkpoint": 100, "lost_work": 80, "wait_for_nodes": 100, "reshape": 40, "reload": 20,
    }  # fmt: skip
    assert record.interruptions["reclaimed"] == 1
    record = lived(dataclasses.replace(life, availability=Replay(trace=trace, start=0.0, notice=10.0)))
    assert record.parts_s["lost_work"] == 0
    assert record.interruptions["reclaimed"] == 0
    record = lived(dataclasses.replace(life, availability=Replay(trace=trace, start=0.0, notice=9.0)))
    assert record.parts_s["lost_work"] == 80, "too short a notice for a checkpoint"


def average(changes, until: float) -> tuple[float, int]:
    """Mean number of nodes, and how often it fell."""
    before, total, falls = next(changes), 0.0, 0
    for change in itertools.takewhile(lambda c: c.at < until, changes):
        total += before.nodes * (change.at - before.at)
        falls += change.nodes < before.nodes
        before = change
    return (total + before.nodes * (until - before.at)) / until, falls


@pytest.mark.parametrize(("up_shape", "down_shape"), [(1.0, 1.0), (0.7, 2.0)])
def test_spot_nodes_are_there_as_renewal_theory_says(up_shape: float, down_shape: float) -> None:
    """The share of time up is up / (up + down) whatever the shapes."""
    spot = Spot(up=3.0, down=1.0, up_shape=up_shape, down_shape=down_shape)
    share, falls = average(donors.changes(spot, 400, Streams(1, 0)), 200.0)
    assert abs(share / 400 - 0.75) < 0.01
    assert abs(falls / 200.0 / reclaims(spot, 400) - 1) < 0.05


def test_a_trace_is_replayed_from_a_place_of_its_own_and_over_and_over() -> None:
    trace = entry("traces", "aws-v100-16-nodes-2023")
    there = sum(a.nodes * (b - a.at) for a, b in zip(trace.changes, [*[c.at for c in trace.changes[1:]], trace.length], strict=True))
    replay = Replay(trace=trace)
    shares = [average(donors.changes(replay, 16, Streams(1, r)), 3 * trace.length)[0] for r in range(3)]
    assert shares == pytest.approx([there / trace.length] * 3)
    firsts = {next(donors.changes(replay, 16, Streams(1, r))).nodes for r in range(20)}
    assert len(firsts) > 1
    half = donors.changes(Replay(trace=trace, start=0.0), 8, Streams(1, 0))
    assert max(change.nodes for change in itertools.islice(half, 200)) == 8


def test_a_trace_that_never_changes_ends() -> None:
    trace = AvailabilityTrace(changes=(ScheduledNodes(at=0.0, nodes=4),), length=10.0, wanted=4, source="a test")
    assert [change.nodes for change in donors.changes(Replay(trace=trace), 4, Streams(1, 0))] == [4]


def test_nothing_lasts_for_ever_where_no_node_ever_stays() -> None:
    life = dataclasses.replace(PLAN, failures=None, availability=Spot(up=1.0, down=1e4, sizes=1), recovery=Restart())
    record = live(dataclasses.replace(life, horizon_s=1e6), 1)
    assert not record.finished
    assert record.wall_clock_s == 1e6
