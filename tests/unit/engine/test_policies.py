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
    Morph,
    Redundant,
    Repair,
    Replay,
    Reroute,
    Restart,
    ScheduledNodes,
    Spares,
    Spot,
    Templates,
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


RACK = dataclasses.replace(NODE, cause="rack", of="block", block=2)
SMALLER = dataclasses.replace(
    PLAN,
    phases=(Phase(tokens=1000.0, tokens_per_step=1.0, step_s=((2, 2.0), (3, 1.25), (4, 1.0))),),
    failures=FailureSet(classes=(NODE, CRASH, RACK)),
)
PAUSES = {"restart": 40.0, "regroup": 5.0, "rejoin": 8.0}


def test_morph_restarts_at_once_on_what_is_there_and_saves_before_it_grows(lived) -> None:
    record = lived(dataclasses.replace(SMALLER, recovery=Morph(restart=40.0), reshape_s=15.0), (150.0, NODE, 0.0))
    # At 110 s the first checkpoint was there; detected, restarted and read by 240 s; from there to the repair at 650 s three checkpoints.
    slow = 650 - 240 - 3 * 10
    assert parts(record) == {
        "productive": 1000, "degraded": slow / 5, "checkpoint": (1 + 3 + 1 + 5 + 1) * 10, "lost_work": 40,
        "detection": 30, "restart": 40, "reshape": 15, "reload": 2 * 20,
    }  # fmt: skip


@pytest.mark.parametrize("policy", [Templates(**PAUSES), Redundant(**PAUSES), Reroute(**PAUSES)])
def test_policies_with_another_copy_lose_half_a_step(lived, policy: Templates | Redundant | Reroute) -> None:
    record = lived(dataclasses.replace(SMALLER, recovery=policy), (150.0, NODE, 0.0))
    # As elastic with a table of its own: 185 s to 650 s on three nodes, four checkpoints there.
    slow = 650 - 185 - 4 * 10
    assert parts(record) == {
        "productive": 1000, "degraded": slow / 5, "checkpoint": (1 + 4 + 5 + 1) * 10, "lost_work": 0.5,
        "detection": 30, "restart": 5, "reshape": 8,
    }  # fmt: skip
    assert lived(dataclasses.replace(SMALLER, recovery=policy), (150.0, CRASH, 0.0)).parts_s["reload"] == 20


@pytest.mark.parametrize(
    ("policy", "survives"),
    [(Templates(**PAUSES), False), (Templates(**PAUSES, tolerate=2), True), (Redundant(**PAUSES), False), (Reroute(**PAUSES), True)],
)
def test_two_neighbours_lost_at_once(lived, policy: Templates | Redundant | Reroute, survives: bool) -> None:
    record = lived(dataclasses.replace(SMALLER, recovery=policy), (150.0, RACK, 0.0))
    assert record.parts_s["reload"] == (0 if survives else 20)
    assert record.parts_s["lost_work"] == pytest.approx(0.5 if survives else 40)
    assert record.parts_s["degraded"] > 0, "either way it goes on with two nodes"


def test_templates_count_what_was_lost_since_the_job_trained(lived) -> None:
    life = dataclasses.replace(SMALLER, recovery=Templates(**PAUSES))
    assert lived(life, (150.0, NODE, 0.0), (200.0, NODE, 0.0)).parts_s["reload"] == 0, "the states were copied in between"
    assert lived(life, (150.0, NODE, 0.0), (182.0, NODE, 0.0)).parts_s["reload"] == 20, "while it regroups"


@pytest.mark.parametrize(("victim", "survives"), [(0.0, False), (0.6, False), (0.7, True)])
def test_redundant_restarts_where_a_node_beside_a_missing_one_goes(lived, victim: float, survives: bool) -> None:
    life = dataclasses.replace(SMALLER, recovery=Redundant(**PAUSES))
    # Of the three that are left two stand beside the first.
    record = lived(life, (150.0, NODE, 0.0), (300.0, NODE, victim))
    assert record.parts_s["reload"] == (0 if survives else 20)


def test_an_owner_who_takes_a_node_costs_half_a_step_too(lived) -> None:
    trace = AvailabilityTrace(
        changes=(ScheduledNodes(at=0.0, nodes=4), ScheduledNodes(at=150.0, nodes=3)), length=1e6, wanted=4, source="a test"
    )  # fmt: skip
    record = lived(dataclasses.replace(SMALLER, recovery=Templates(**PAUSES), availability=Replay(trace=trace, start=0.0)))
    assert record.parts_s["lost_work"] == pytest.approx(0.5)
    assert record.parts_s["reshape"] == 5, "it regroups, nothing rejoins"


EVERY = (Restart, HotSwap, Elastic, Morph, Templates, Redundant, Reroute)


def test_without_failures_all_policies_are_one() -> None:
    calm = dataclasses.replace(SMALLER, failures=None)
    records = [live(dataclasses.replace(calm, recovery=policy(restart=40.0)), 3) for policy in EVERY]
    assert all(record == records[0] for record in records)


@pytest.mark.parametrize("seed", range(8))
def test_who_loses_less_is_not_later_where_coming_back_is_free(seed: int) -> None:
    """On one history, with the same table: half of a step for each failure, against all since the last checkpoint."""
    failing = dataclasses.replace(NODE, mtbf=2_000.0, detection=0.0)
    life = dataclasses.replace(
        SMALLER,
        failures=FailureSet(classes=(failing,)),
        checkpoints=Checkpoints(interval_s=100.0),
        phases=(Phase(tokens=5000.0, tokens_per_step=1.0, step_s=((1, 4.0), (2, 2.0), (3, 1.25), (4, 1.0))),),
    )
    free = {"restart": 0.0, "regroup": 0.0, "rejoin": 0.0}
    morph = live(dataclasses.replace(life, recovery=Morph(restart=0.0)), seed)
    for policy in (Templates(**free), Reroute(**free), Elastic(**free)):
        record = live(dataclasses.replace(life, recovery=policy), seed)
        assert record.parts_s["lost_work"] <= morph.parts_s["lost_work"]
        assert record.wall_clock_s <= morph.wall_clock_s + 4.0 * sum(record.interruptions.values())


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
