"""Every nested and simultaneous event that the job's docstring specifies, on failures written down by hand."""

import dataclasses
import math

import pytest

from simulator.engine import Checkpoints, Far, Life, Phase, RunRecord, job, live
from simulator.engine.hazards import INTERVAL, MISLED, VICTIM, Failure
from simulator.engine.streams import Streams, exponential
from simulator.outcome import partition
from simulator.reliability import Allocation, FailureClass, FailureSet, Repair, Restart, Schedule, ScheduledNodes, Spares

NEVER = FailureClass(cause="node", of="node", mtbf=1e15, detection=30.0, source="a test")
CRASH = FailureClass(cause="crash", of="job", mtbf=1e15, detection=0.0, loses_node=False, source="a test")


class Script:
    """Failures at given times, in place of the random ones: (time, class, share of the nodes held at which the victim sits)."""

    def __init__(self, *failures: tuple[float, FailureClass, float]) -> None:
        self._failures = list(failures)

    def __call__(self, *_: object) -> "Script":
        return self

    def expose(self, *_: object) -> None:
        """What is scripted comes, held or not."""

    @property
    def next(self) -> float:
        return self._failures[0][0] if self._failures else math.inf

    def strike(self) -> Failure:
        _, failure, victim = self._failures.pop(0)
        return Failure(failure, [0.5, victim, *[0.5] * 14])


PLAN = Life(
    phases=(Phase(name="all", tokens=1000.0, tokens_per_step=1.0, step_s=((4, 1.0),)),),
    nodes=4,
    accelerators_per_node=8,
    failures=FailureSet(classes=(NEVER, CRASH)),
    recovery=Restart(restart=40.0),
    repair=Repair(mean=500.0, sigma=0.0),
    checkpoints=Checkpoints(interval_s=100.0, blocking_s=10.0, read_s=20.0),
)
"""1 000 steps of 1 s on 4 nodes, a checkpoint of 10 s after every 100 s, 40 s of restart and 20 s of reading."""


def plan(**changed: object) -> Life:
    return dataclasses.replace(PLAN, **changed)


@pytest.fixture
def lived(monkeypatch: pytest.MonkeyPatch):
    """Live through a plan with scripted failures."""

    def run(life: Life, *failures: tuple[float, FailureClass, float]) -> RunRecord:
        monkeypatch.setattr(job, "Hazards", Script(*failures))
        record = live(life, 0)
        partition(record.wall_clock_s, record.parts_s, "wall-clock")
        return record

    return run


def parts(record: RunRecord) -> dict[str, float]:
    return {part: pytest.approx(seconds, abs=1e-6) for part, seconds in record.parts_s.items() if seconds > 1e-9}


def test_nothing_fails(lived) -> None:
    record = lived(plan())
    assert record.wall_clock_s == 1000 + 10 * 10
    assert record.parts_s == dict.fromkeys(record.parts_s, 0.0) | {"productive": 1000.0, "checkpoint": 100.0}
    assert record.finished
    assert record.tokens == 1000
    assert (record.training_node_s, record.idle_node_s, record.spare_node_s) == (4400.0, 0.0, 0.0)


def test_failure_while_training(lived) -> None:
    record = lived(plan(), (150.0, CRASH, 0.0))
    assert parts(record) == {"productive": 1000, "checkpoint": 100, "lost_work": 40, "restart": 40, "reload": 20}
    assert record.interruptions == {"node": 0, "crash": 1}
    assert record.training_node_s == pytest.approx(4 * 1140)
    assert record.idle_node_s == pytest.approx(4 * 60)


def test_failure_during_a_checkpoint_voids_it(lived) -> None:
    record = lived(plan(), (215.0, CRASH, 0.0))
    assert parts(record) == {"productive": 1000, "checkpoint": 105, "lost_work": 100, "restart": 40, "reload": 20}


def test_a_checkpoint_that_ends_with_the_failure_is_durable(lived) -> None:
    record = lived(plan(), (220.0, CRASH, 0.0))
    assert parts(record) == {"productive": 1000, "checkpoint": 100, "restart": 40, "reload": 20}


def test_failure_while_a_checkpoint_drains_voids_it(lived) -> None:
    checkpoints = Checkpoints(interval_s=100.0, blocking_s=10.0, drain_s=50.0, read_s=20.0)
    record = lived(plan(checkpoints=checkpoints), (150.0, CRASH, 0.0))
    assert parts(record) == {"productive": 1000, "checkpoint": 10 + 100 + 50, "lost_work": 140, "restart": 40, "reload": 20}
    record = lived(plan(checkpoints=checkpoints), (160.0, CRASH, 0.0))
    assert parts(record) == {"productive": 1000, "checkpoint": 100 + 50, "lost_work": 50, "restart": 40, "reload": 20}


def test_a_drain_longer_than_the_interval_holds_the_next_checkpoint_back(lived) -> None:
    record = lived(plan(checkpoints=Checkpoints(interval_s=100.0, blocking_s=10.0, drain_s=250.0)))
    assert parts(record) == {"productive": 1000, "checkpoint": 4 * 10 + 250}


def test_failure_during_recovery_begins_it_anew(lived) -> None:
    record = lived(plan(), (150.0, CRASH, 0.0), (180.0, CRASH, 0.0), (230.0, CRASH, 0.0))
    assert parts(record) == {"productive": 1000, "checkpoint": 100, "lost_work": 40, "restart": 30 + 40 + 40, "reload": 10 + 20}
    assert record.interruptions["crash"] == 3


def test_detection_ends_with_the_last_failure_detected(lived) -> None:
    slow = FailureClass(cause="crash", of="job", mtbf=1e15, detection=100.0, loses_node=False, source="a test")
    record = lived(plan(), (150.0, slow, 0.0), (170.0, NEVER, 0.0))
    # The node is lost during the detection of the hang; without a spare the job waits for its repair, 500 s after it was lost.
    assert parts(record) == {
        "productive": 1000, "checkpoint": 100, "lost_work": 40, "detection": 100, "wait_for_nodes": 420, "restart": 40, "reload": 20,
    }  # fmt: skip


def test_hot_spare_then_pool(lived) -> None:
    spares = Spares(hot=1, pool=1, hot_swap=15.0, pool_delay=200.0)
    life = plan(spares=spares, repair=Repair(mean=1e6, sigma=0.0))
    record = lived(life, (150.0, NEVER, 0.0))
    assert parts(record) == {
        "productive": 1000, "checkpoint": 100, "lost_work": 40, "detection": 30, "replacement": 15, "restart": 40, "reload": 20,
    }  # fmt: skip
    assert record.spare_node_s == pytest.approx(150.0)
    record = lived(life, (150.0, NEVER, 0.0), (350.0, NEVER, 0.0))
    assert record.parts_s["replacement"] == pytest.approx(215.0)


def test_failure_of_a_spare_stops_nothing(lived) -> None:
    life = plan(spares=Spares(hot=1), repair=Repair(mean=300.0, sigma=0.0))
    record = lived(life, (150.0, NEVER, 0.9))
    assert parts(record) == {"productive": 1000, "checkpoint": 100}
    assert record.interruptions["node"] == 0
    assert record.spare_node_s == pytest.approx(1100 - 300)
    assert record.repair_node_s == pytest.approx(300)


def test_a_spare_that_fails_on_its_way_in_is_one_more_lost_node(lived) -> None:
    life = plan(spares=Spares(hot=2, hot_swap=50.0), repair=Repair(mean=1e6, sigma=0.0))
    record = lived(life, (150.0, NEVER, 0.0), (200.0, NEVER, 0.5))
    assert record.parts_s["detection"] == pytest.approx(60)
    assert record.parts_s["replacement"] == pytest.approx(20 + 50)
    assert record.finished


def test_no_node_left_waits_for_a_crew(lived) -> None:
    life = plan(repair=Repair(mean=500.0, sigma=0.0, crews=1))
    record = lived(life, (150.0, NEVER, 0.0), (160.0, NEVER, 0.0))
    # Detection of the second ends at 190 s; the one crew returns the nodes at 650 s and 1 150 s.
    assert record.parts_s["wait_for_nodes"] == pytest.approx(1150 - 190)
    assert record.repair_node_s == pytest.approx(500 + 990)


def test_a_smaller_size_is_used_and_grown_back(lived) -> None:
    phase = Phase(tokens=1000.0, tokens_per_step=1.0, step_s=((3, 2.0), (4, 1.0)))
    record = lived(plan(phases=(phase,), reshape_s=70.0), (150.0, NEVER, 0.0))
    # Back at 240 s on three nodes; the repaired node comes at 650 s: three checkpoints and 390 − 10·… s of slow training, then one more.
    assert record.finished
    assert record.parts_s["reshape"] == 70
    assert record.parts_s["wait_for_nodes"] == 0
    assert record.parts_s["degraded"] == pytest.approx((650 - 240 - 30) / 2)
    assert record.parts_s["productive"] == pytest.approx(1000)


def test_nodes_beyond_the_size_fail_without_a_stop(lived) -> None:
    phase = Phase(tokens=1000.0, tokens_per_step=1.0, step_s=((3, 1.0),))
    record = lived(plan(phases=(phase,)), (150.0, NEVER, 0.9))
    assert parts(record) == {"productive": 1000, "checkpoint": 100}
    assert record.idle_node_s + record.training_node_s == pytest.approx(4 * 1100 - 500)


def test_everything_at_once(lived) -> None:
    life = plan(
        spares=Spares(hot=1, pool=1, hot_swap=10.0, pool_delay=100.0),
        availability=Schedule(changes=(ScheduledNodes(at=0.0, nodes=4), ScheduledNodes(at=220.0, nodes=5))),
        phases=(Phase(tokens=1000.0, tokens_per_step=1.0, step_s=((4, 1.0), (5, 0.5))),),
    )
    record = lived(life, (220.0, CRASH, 0.0), (220.0, NEVER, 0.0), (220.0, NEVER, 0.99))
    # At 220 s the second checkpoint ends (durable), the donor adds a node, and the job, one node and the spare set aside for it fail.
    assert record.finished
    assert record.parts_s["lost_work"] == 0
    assert record.interruptions == {"node": 2, "crash": 1}
    assert record.parts_s["detection"] == 30
    assert record.parts_s["replacement"] == 100


def test_donor_takes_nodes_back_after_a_checkpoint(lived) -> None:
    availability = Schedule(changes=(ScheduledNodes(at=0.0, nodes=4), ScheduledNodes(at=300.0, nodes=2)))
    phase = Phase(tokens=1000.0, tokens_per_step=1.0, step_s=((2, 2.0), (4, 1.0)))
    record = lived(plan(phases=(phase,), availability=availability, reshape_s=70.0))
    # To 290 s: 270 steps and two checkpoints; one more before the nodes leave. The rest at half the pace, as promised: not degraded.
    assert parts(record) == {"productive": 270 + 2 * 730, "checkpoint": 20 + 10 + 150, "reshape": 70, "reload": 20}
    assert record.training_node_s == pytest.approx(4 * 300 + 2 * (2 * 730 + 150))


def test_donor_gives_more(lived) -> None:
    availability = Schedule(changes=(ScheduledNodes(at=0.0, nodes=2), ScheduledNodes(at=330.0, nodes=4)))
    phase = Phase(tokens=1000.0, tokens_per_step=1.0, step_s=((2, 2.0), (4, 1.0)))
    record = lived(plan(phases=(phase,), availability=availability, reshape_s=70.0))
    # At 330 s the third checkpoint has just ended.
    assert parts(record) == {"productive": 300 + 850, "checkpoint": 30 + 90, "reshape": 70, "reload": 20}


def test_a_donor_that_begins_with_nothing(lived) -> None:
    availability = Schedule(changes=(ScheduledNodes(at=0.0, nodes=0), ScheduledNodes(at=5000.0, nodes=4)))
    record = lived(plan(availability=availability))
    assert parts(record) == {"productive": 1000, "checkpoint": 100, "wait_for_nodes": 5000}
    assert record.held_node_s == pytest.approx(4 * 1100)


def test_time_limit_writes_a_checkpoint_and_queues_again(lived) -> None:
    record = lived(plan(allocation=Allocation(job_time_limit=500.0, queue_wait=1000.0)))
    # Job 1: 450 s of training with four checkpoints, and one before the limit (10 s of the fifth interval's end are not trained).
    assert record.finished
    assert record.parts_s["queue"] == 3000
    assert record.parts_s["restart"] == 80
    assert record.parts_s["lost_work"] == 0
    assert record.parts_s["idle"] == pytest.approx(0)
    assert record.held_node_s == pytest.approx(4 * (record.wall_clock_s - 3000))


def test_a_failure_into_the_limit_loses_work_and_the_limit_comes_first(lived) -> None:
    record = lived(plan(allocation=Allocation(job_time_limit=500.0, queue_wait=1000.0)), (1470.0, CRASH, 0.0))
    assert record.parts_s["lost_work"] == pytest.approx(470 - 440)
    assert record.parts_s["restart"] == pytest.approx(30 + 40 + 40)


def test_end_date_and_budget_leave_what_is_durable(lived) -> None:
    record = lived(plan(allocation=Allocation(end=500.0)))
    assert not record.finished
    assert record.wall_clock_s == 500
    assert record.tokens == pytest.approx(450)
    assert record.parts_s["lost_work"] == 0
    record = lived(plan(allocation=Allocation(node_hours=4 * 500.0 / 3600)))
    assert record.wall_clock_s == pytest.approx(500)
    assert record.tokens == pytest.approx(450)
    assert "budget" in record.ending


def test_no_node_ever(lived) -> None:
    record = lived(plan(nodes=3))
    assert not record.finished
    assert record.wall_clock_s == 0
    assert record.tokens == 0
    assert record.goodput == 0


def test_horizon_ends_a_run(lived) -> None:
    record = lived(plan(horizon_s=300.0))
    assert not record.finished
    assert record.wall_clock_s == 300
    assert record.tokens == 200
    assert "horizon" in record.ending


def told(**fields: object) -> FailureClass:
    given = {"cause": "node", "of": "node", "mtbf": 1e15, "detection": 0.0, "source": "a test", **fields}
    return FailureClass(**given)


def test_a_block_goes_down_and_comes_back_together(lived) -> None:
    rack = told(block=2, detection=30.0, repair=200.0)
    life = plan(spares=Spares(hot=2, hot_swap=15.0), nodes=4)
    record = lived(life, (150.0, rack, 0.0))
    # Nodes 0 and 1 leave, both hot spares (4 and 5) come in.
    assert parts(record) == {
        "productive": 1000, "checkpoint": 100, "lost_work": 40, "detection": 30, "replacement": 15, "restart": 40, "reload": 20,
    }  # fmt: skip
    assert record.repair_node_s == pytest.approx(2 * 200.0)
    assert record.interruptions["node"] == 1
    record = lived(life, (150.0, rack, 0.9))
    assert parts(record) == {"productive": 1000, "checkpoint": 100}, "a block of spares stops nothing"


def test_a_site_goes_down(lived) -> None:
    site = told(of="block", block=100, loses_node=False, detection=10.0, outage=3600.0)
    record = lived(plan(spares=Spares(hot=1)), (150.0, site, 0.0))
    assert record.parts_s["outage"] == 3600
    assert record.parts_s["detection"] == 10
    assert record.repair_node_s == 0
    # Struck again in the middle: the longer of the two windows counts.
    record = lived(plan(), (150.0, site, 0.0), (1000.0, site, 0.0))
    assert record.parts_s["detection"] + record.parts_s["outage"] == pytest.approx(1000 - 150 + 3610)


def test_maintenance_comes_after_a_checkpoint_and_is_no_interruption(lived) -> None:
    upgrade = told(cause="upgrade", of="job", loses_node=False, outage=1000.0, planned=True)
    record = lived(plan(failures=FailureSet(classes=(NEVER, upgrade))), (150.0, upgrade, 0.0))
    assert parts(record) == {"productive": 1000, "checkpoint": 110, "maintenance": 1000, "restart": 40, "reload": 20}
    assert record.interruptions == {"node": 0}
    # In the middle of a recovery it begins at once.
    record = lived(plan(failures=FailureSet(classes=(CRASH, upgrade))), (150.0, CRASH, 0.0), (160.0, upgrade, 0.0))
    assert parts(record) == {
        "productive": 1000, "checkpoint": 100, "lost_work": 40, "maintenance": 1000, "restart": 50, "reload": 20,
    }  # fmt: skip


def test_maintenance_of_a_node_takes_it_out(lived) -> None:
    rolling = told(cause="firmware", planned=True, repair=600.0)
    record = lived(plan(failures=FailureSet(classes=(rolling,)), spares=Spares(hot=1, hot_swap=15.0)), (150.0, rolling, 0.0))
    assert parts(record) == {"productive": 1000, "checkpoint": 110, "replacement": 15, "restart": 40, "reload": 20}
    assert record.repair_node_s == pytest.approx(600.0)


def test_a_failure_during_the_checkpoint_before_maintenance(lived) -> None:
    upgrade = told(cause="upgrade", of="job", loses_node=False, outage=1000.0, planned=True)
    record = lived(plan(failures=FailureSet(classes=(CRASH, upgrade))), (150.0, upgrade, 0.0), (155.0, CRASH, 0.0))
    assert record.parts_s["lost_work"] == pytest.approx(40)
    assert record.parts_s["maintenance"] == 1000
    assert record.interruptions == {"crash": 1}


def test_a_slow_link_slows_and_is_over(lived) -> None:
    flap = told(cause="flap", of="job", loses_node=False, detection=60.0, slowdown=2.0)
    record = lived(plan(failures=FailureSet(classes=(flap,))), (120.0, flap, 0.0))
    # 1 030 s of training: the interval is in time, hence one more checkpoint.
    assert parts(record) == {"productive": 1000, "checkpoint": 110, "degraded": 30}
    assert record.interruptions == {"flap": 0}


def test_a_straggler_is_taken_out_in_the_end(lived) -> None:
    straggler = told(cause="straggler", detection=50.0, slowdown=2.0)
    life = plan(failures=FailureSet(classes=(straggler,)), spares=Spares(hot=1, hot_swap=15.0))
    record = lived(life, (120.0, straggler, 0.0))
    # 110 s into the run a checkpoint ended; 10 s at full pace, 50 s at half of it, all lost.
    assert parts(record) == {
        "productive": 1000, "checkpoint": 100, "lost_work": 60, "replacement": 15, "restart": 40, "reload": 20,
    }  # fmt: skip
    assert record.interruptions == {"straggler": 1}
    record = lived(life, (120.0, straggler, 0.9))
    assert parts(record) == {"productive": 1000, "checkpoint": 100}, "a slow spare slows nothing"


def test_silent_corruption_falls_back_beyond_what_was_saved_since(lived) -> None:
    corrupt = told(cause="corrupt", of="job", loses_node=False, rollback=250.0)
    record = lived(plan(failures=FailureSet(classes=(corrupt,))), (450.0, corrupt, 0.0))
    # Checkpoints at 110, 220, 330 and 440 s; of those only the first is older than 250 s.
    assert parts(record) == {"productive": 1000, "checkpoint": 40 + 90, "lost_work": 310, "restart": 40, "reload": 20}
    record = lived(plan(failures=FailureSet(classes=(corrupt,))), (150.0, corrupt, 0.0))
    assert record.parts_s["lost_work"] == pytest.approx(140), "to the very beginning"
    drained = Checkpoints(interval_s=100.0, blocking_s=10.0, drain_s=30.0, read_s=20.0)
    record = lived(plan(failures=FailureSet(classes=(corrupt,)), checkpoints=drained), (450.0, corrupt, 0.0), (510.0, corrupt, 0.0))
    assert record.parts_s["lost_work"] == pytest.approx(310 + 0), "durable at 140 s, before 200 s and 260 s"


NEAR = Checkpoints(interval_s=100.0, blocking_s=10.0, read_s=5.0, survives="node", far=(Far(every=3, drain_s=60.0, read_s=20.0),))
"""Near checkpoints end at 110, 220, 330, … s; the third, at 330 s, is in storage at 390 s, the sixth, at 660 s, at 720 s."""


@pytest.mark.parametrize(
    ("failure", "at", "lost", "read"),
    [
        (told(cause="crash", of="job", loses_node=False), 450.0, 10, 5),  # the fourth near one ended at 440 s
        (told(), 450.0, 10, 5),  # a node: its peer has a copy
        (told(block=2), 450.0, 110, 20),  # a rack: the third, in storage
        (told(block=2), 380.0, 350, 20),  # the third was still on its way
        (told(of="job", loses_node=False, outage=1.0), 750.0, 90, 20),  # a power cut: the sixth
    ],
)
def test_a_near_tier_is_read_where_the_failure_left_it(lived, failure, at, lost, read) -> None:
    life = plan(checkpoints=NEAR, spares=Spares(hot=2, hot_swap=0.0))
    record = lived(life, (at, failure, 0.0))
    assert record.parts_s["lost_work"] == pytest.approx(lost)
    assert record.parts_s["reload"] == pytest.approx(read)


TIERS = Checkpoints(
    interval_s=100.0,
    blocking_s=10.0,
    read_s=5.0,
    survives="process",
    far=(
        Far(every=1, drain_s=20.0, read_s=8.0, survives="node"),
        Far(every=2, drain_s=60.0, read_s=12.0, survives="block"),
        Far(every=4, drain_s=120.0, read_s=40.0),
    ),
)
"""Own memory at 110, 220, … s; a peer's 20 s later; each second on a file system 60 s, each fourth in an object store 120 s later."""


@pytest.mark.parametrize(
    ("failure", "at", "lost", "read"),
    [
        (told(cause="crash", of="job", loses_node=False), 445.0, 5, 5),  # own memory: the fourth, of 440 s
        (told(), 445.0, 105, 8),  # a node: the third, with the peer since 350 s; the fourth is on its way
        (told(), 465.0, 25, 8),  # the fourth, with the peer since 460 s
        (told(block=2), 465.0, 225, 12),  # a rack: the second, on the file system since 280 s
        (told(block=2), 505.0, 65, 12),  # the fourth, there since 500 s
        (told(of="job", loses_node=False, outage=1.0), 505.0, 465, 40),  # a power cut: the fourth is in the object store at 560 s
        (told(of="job", loses_node=False, outage=1.0), 565.0, 115, 40),
    ],
)
def test_each_tier_is_read_where_it_is_the_nearest_that_is_left(lived, failure, at, lost, read) -> None:
    record = lived(plan(checkpoints=TIERS, spares=Spares(hot=2, hot_swap=0.0)), (at, failure, 0.0))
    assert record.parts_s["lost_work"] == pytest.approx(lost)
    assert record.parts_s["reload"] == pytest.approx(read)


def test_a_second_failure_that_reaches_further_falls_back_further(lived) -> None:
    crash = told(cause="crash", of="job", loses_node=False)
    record = lived(plan(checkpoints=NEAR, spares=Spares(hot=2, hot_swap=0.0)), (450.0, crash, 0.0), (460.0, told(block=2), 0.0))
    assert record.parts_s["lost_work"] == pytest.approx(10 + 100)
    assert record.parts_s["reload"] == pytest.approx(20)


def test_what_is_saved_before_a_planned_stop_is_in_storage(lived) -> None:
    upgrade = told(cause="upgrade", of="job", loses_node=False, outage=500.0, planned=True)
    life = plan(checkpoints=NEAR, failures=FailureSet(classes=(NEVER, upgrade)), spares=Spares(hot=2, hot_swap=0.0))
    record = lived(life, (450.0, upgrade, 0.0), (800.0, told(block=2), 0.0))
    assert record.parts_s["lost_work"] == 0
    assert record.parts_s["checkpoint"] == pytest.approx(10 * 10 + 10 + 2 * 60)


def test_unreadable_checkpoints_are_passed_over(lived) -> None:
    # A draw of 0.5: with 40 % unreadable none is, with 60 % one, with 80 % three.
    for fails, lost in ((0.4, 10), (0.6, 110), (0.8, 310), (0.99, 410)):
        kept = Checkpoints(interval_s=100.0, blocking_s=10.0, read_s=20.0, fails=fails)
        record = lived(plan(checkpoints=kept), (450.0, CRASH, 0.0))
        assert record.parts_s["lost_work"] == pytest.approx(lost)
    record = lived(plan(checkpoints=Checkpoints(interval_s=100.0, fails=0.8)), (450.0, CRASH, 0.0), (495.0, CRASH, 0.0))
    assert record.parts_s["lost_work"] == pytest.approx(350 + 5), "one that was read is good"


def test_log_says_what_counts_from_there_on(lived) -> None:
    record = lived(plan(), (150.0, CRASH, 0.0))
    told = [(entry.time_s, entry.what, entry.cause, entry.tokens, entry.nodes) for entry in record.log]
    assert told == [
        (0.0, "machines are handed out", "", 0.0, 0),
        (0.0, "training", "", 0.0, 4),
        (150.0, "interruption", "crash", 100.0, 0),
        (210.0, "training", "", 100.0, 4),
        (1200.0, "finished", "", 1000.0, 0),
    ]


def test_two_phases_have_their_own_steps(lived) -> None:
    phases = (
        Phase(name="ramp", tokens=300.0, tokens_per_step=1.0, step_s=((4, 2.0),)),
        Phase(name="main", tokens=700.0, tokens_per_step=2.0, step_s=((4, 1.0),)),
    )
    record = lived(plan(phases=phases))
    assert parts(record) == {"productive": 600 + 350, "checkpoint": 100}


def test_warm_spares_come_after_the_hot_ones_and_are_held_or_not(lived) -> None:
    spares = Spares(hot=1, warm=1, hot_swap=15.0, warm_delay=70.0)
    life = plan(spares=spares, repair=Repair(mean=1e6, sigma=0.0))
    record = lived(life, (150.0, NEVER, 0.0), (350.0, NEVER, 0.0))
    # Back at 255 s; the second failure comes 95 s later and finds the warm spare alone.
    assert parts(record) == {
        "productive": 1000, "checkpoint": 100, "lost_work": 40 + 95, "detection": 60, "replacement": 15 + 70, "restart": 80, "reload": 40,
    }  # fmt: skip
    assert record.selections == 0
    assert record.spare_node_s == pytest.approx(2 * 150.0 + 200.0)
    record = lived(dataclasses.replace(life, spares=dataclasses.replace(spares, warm_held=False)), (150.0, NEVER, 0.0))
    assert record.spare_node_s == pytest.approx(150.0)


def test_a_dead_spare_costs_its_delay_and_goes_to_repair(lived) -> None:
    rows = Streams(0, 0).stream("spares", 16)
    assert [rows.row()[VICTIM] < 0.6 for _ in range(5)] == [False, True, True, True, False], "the script of this test"
    spares = Spares(hot=2, pool=3, hot_swap=15.0, pool_delay=200.0, dead=0.6)
    record = lived(plan(spares=spares, repair=Repair(mean=300.0, sigma=0.0)), (150.0, NEVER, 0.0), (150.0, NEVER, 0.0))
    # One hot spare is good and one is dead; so is one of the pool, which refills the hot ones; so is the first of these.
    assert parts(record) == {
        "productive": 1000, "checkpoint": 100, "lost_work": 40, "detection": 30, "replacement": 15 + 200 + 15 + 15,
        "restart": 40, "reload": 20,
    }  # fmt: skip
    assert record.repair_node_s == pytest.approx(5 * 300.0)


def test_where_all_spares_are_dead_the_job_waits_for_a_repair(lived) -> None:
    spares = Spares(hot=1, pool=1, hot_swap=15.0, pool_delay=200.0, dead=1.0)
    record = lived(plan(spares=spares), (150.0, NEVER, 0.0))
    # All three are in repair from the failure on, for 500 s.
    assert parts(record) == {
        "productive": 1000, "checkpoint": 100, "lost_work": 40, "detection": 30, "wait_for_nodes": 470, "restart": 40, "reload": 20,
    }  # fmt: skip
    assert record.repair_node_s == pytest.approx(3 * 500.0)


def test_after_a_wrong_diagnosis_the_fault_strikes_again(lived) -> None:
    row = Streams(0, 0).stream("relapse", 16).row()
    assert row[MISLED] > 0.51, "the script of this test: the second diagnosis is right, the first by its draw of 0.5 is not"
    repair = Repair(mean=1e6, sigma=0.0, misdiagnosed=0.51, relapse=230.0 / exponential(row[INTERVAL]))
    life = plan(spares=Spares(hot=2, hot_swap=60.0), repair=repair)
    record = lived(life, (150.0, NEVER, 0.1))
    # Back at 300 s; at 380 s the same node fails again.
    assert parts(record) == {
        "productive": 1000, "checkpoint": 100, "lost_work": 40 + 80, "detection": 60, "replacement": 120, "restart": 80, "reload": 40,
    }  # fmt: skip
    assert record.interruptions["node"] == 2
    assert record.repair_node_s == pytest.approx((record.wall_clock_s - 150.0) + (record.wall_clock_s - 380.0))


def test_no_other_node_can_be_blamed_where_there_is_one(lived) -> None:
    one = Phase(name="all", tokens=1000.0, tokens_per_step=1.0, step_s=((1, 1.0),))
    life = plan(phases=(one,), nodes=1, spares=Spares(hot=1), repair=Repair(misdiagnosed=0.6))
    assert lived(life, (150.0, NEVER, 0.0)).interruptions["node"] == 1


def test_a_node_waits_for_its_part(lived) -> None:
    repair = Repair(mean=100.0, sigma=0.0, parts=0, lead_time=400.0)
    record = lived(plan(repair=repair), (150.0, NEVER, 0.0))
    assert record.parts_s["wait_for_nodes"] == pytest.approx(500 - 30)
    assert lived(plan(repair=dataclasses.replace(repair, parts=1)), (150.0, NEVER, 0.0)).parts_s["wait_for_nodes"] == pytest.approx(70)
    never = dataclasses.replace(repair, parts_share=0.4)
    assert lived(plan(repair=never), (150.0, NEVER, 0.0)).parts_s["wait_for_nodes"] == pytest.approx(70)


def test_each_cause_answers_for_what_follows_from_it(lived) -> None:
    """A crash at 150 s; its recovery is struck by a lost node at 180 s."""
    life = plan(spares=Spares(hot=1, hot_swap=15.0), repair=Repair(mean=1e6, sigma=0.0))
    record = lived(life, (150.0, CRASH, 0.0), (180.0, NEVER, 0.0))
    # 40 s of work and 30 s of the restart, with four nodes and a spare; then 30 + 15 + 40 + 20 s with three nodes and what was the spare.
    assert record.causes_s == pytest.approx({"crash": 40 + 30, "node": 105})
    total = math.fsum(seconds for part, seconds in record.parts_s.items() if part not in ("productive", "checkpoint"))
    assert math.fsum(record.causes_s.values()) == pytest.approx(total)
    assert record.causes_node_s["node"] == pytest.approx(4 * 105)
    # Nodes held while it trained and wrote the first nine checkpoints: five before the failure, four after.
    each = (150 * 5 + (1130 - 150) * 4) / 1130
    assert record.causes_node_s["crash"] == pytest.approx(40 * each + 30 * 5)
    assert record.parts_node_s["lost_work"] == pytest.approx(40 * each)
    assert record.parts_node_s["checkpoint"] == pytest.approx(90 * each + 10 * 4)
    assert record.parts_node_s["detection"] == pytest.approx(30 * 4)
    assert math.fsum(record.parts_node_s.values()) == pytest.approx(record.held_node_s)


def test_maintenance_answers_for_its_window_and_the_start_after_it(lived) -> None:
    upgrade = FailureClass(
        cause="upgrade", of="job", mtbf=1e15, planned=True, outage=300.0, loses_node=False, detection=0.0, source="a test"
    )
    record = lived(plan(failures=FailureSet(classes=(upgrade,))), (150.0, upgrade, 0.0))
    assert record.causes_s == pytest.approx({"upgrade": 300 + 40 + 20})
    assert record.parts_node_s["checkpoint"] == pytest.approx(4 * record.parts_s["checkpoint"])


def test_evaluations_and_waits_for_data_make_steps_longer_and_are_told_apart(lived) -> None:
    """Steps of 1 s that wait 0.25 s for data and stand 0.5 s for evaluations; a failure 150 s after the start loses 40 s of all of it."""
    phase = Phase(name="all", tokens=1000.0, tokens_per_step=1.0, step_s=((4, 1.0),), evaluation_s=0.5, stalled=0.2)
    checkpoints = Checkpoints(interval_s=105.0, blocking_s=10.0, read_s=20.0)
    record = lived(plan(phases=(phase,), checkpoints=checkpoints), (155.0, CRASH, 0.0))
    # Checkpoints after 60 whole steps of 1.75 s: one before the failure; 940 steps are left, 15 periods of 60 and 40 steps more.
    assert parts(record) == {
        "productive": 1000, "evaluation": 500, "data": 250, "checkpoint": 17 * 10, "lost_work": 40, "restart": 40, "reload": 20,
    }  # fmt: skip
    each = record.parts_node_s["productive"] / 1000
    assert record.parts_node_s["data"] == pytest.approx(250 * each)


def test_a_slow_node_does_not_make_evaluations_longer(lived) -> None:
    phase = Phase(name="all", tokens=100.0, tokens_per_step=1.0, step_s=((2, 2.0), (4, 1.0)), evaluation_s=1.0)
    life = plan(phases=(phase,), nodes=4, checkpoints=Checkpoints(interval_s=math.inf), repair=Repair(mean=1e9))
    record = lived(life, (0.0, dataclasses.replace(NEVER, detection=0.0), 0.0))
    # On two nodes of the four promised: half of each step of 2 s is productive, the other half degraded.
    assert parts(record) == {"productive": 100, "degraded": 100, "evaluation": 100, "restart": 40}


def test_recorded_failures_strike_at_their_times_on_their_nodes() -> None:
    """No script: the class knows them. Node 2 fails at 150 s and is still in repair at 350 s; node 0 fails at 400 s."""
    logged = FailureClass(
        cause="logged", of="node", mtbf=1e9, times=(150.0, 350.0, 400.0), nodes=(2, 2, 0), detection=30.0, source="a test"
    )
    life = plan(failures=FailureSet(classes=(logged,)), spares=Spares(hot=2, hot_swap=15.0), repair=Repair(mean=1e6, sigma=0.0))
    for replication in range(2):
        record = live(life, 0, replication)
        # Back at 255 s; 100 s and a checkpoint later, at 365 s, and then 35 s are lost.
        assert parts(record) == {
            "productive": 1000, "checkpoint": 100, "lost_work": 40 + 35, "detection": 60, "replacement": 30, "restart": 80, "reload": 40,
        }  # fmt: skip
        assert record.interruptions == {"logged": 2}


def test_recorded_failures_find_nothing_in_a_queue() -> None:
    logged = FailureClass(cause="logged", of="job", mtbf=1e9, times=(50.0, 1e9), loses_node=False, detection=30.0, source="a test")
    record = live(plan(failures=FailureSet(classes=(logged,)), allocation=Allocation(queue_wait=100.0)), 0)
    assert parts(record) == {"productive": 1000, "checkpoint": 100, "queue": 100}


def test_measured_waits_are_drawn_alike() -> None:
    """Eleven jobs of 100 s each that wait for 10, 20 or 600 s: every wait is one of them, and each as often."""
    waits = (10.0, 20.0, 600.0)
    life = plan(
        allocation=Allocation(job_time_limit=100.0, queue_waits=waits),
        checkpoints=Checkpoints(interval_s=math.inf),
        recovery=Restart(restart=0.0),
    )
    queued = [live(life, 3, replication).parts_s["queue"] for replication in range(60)]
    assert life.allocation.mean_wait == 210.0
    jobs = 10
    assert all(each % 10.0 == 0.0 for each in queued)
    spread = math.sqrt(sum((wait - 210.0) ** 2 for wait in waits) / 3 * jobs / len(queued))
    assert abs(sum(queued) / len(queued) - 210.0 * jobs) < 4 * spread
