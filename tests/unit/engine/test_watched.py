"""The operator's log, whole: the same life, and the ledger's sums."""

import itertools
import math

import pytest
from hypothesis import given, settings

from simulator.engine import PARTS, Checkpoints, Life, Phase, live, tell
from simulator.engine.live import LOG_LIMIT
from simulator.engine.progress import Progress, pace
from simulator.reliability import FailureClass, FailureSet, Spares
from tests.properties.test_engine import lives, seeds

TRAINING = ("productive", "degraded", "evaluation", "data", "lost_work")


@given(lives(), seeds)
@settings(max_examples=50, deadline=None)
def test_a_life_that_is_watched_is_the_same_life_and_every_second_is_told_once(life: Life, seed: int) -> None:
    story, plain = tell(life, seed), live(life, seed, log=False)
    assert story.record == plain
    clock = 0.0
    for stretch in story.stretches:
        assert stretch.start_s == pytest.approx(clock, abs=1e-6)
        assert stretch.end_s > stretch.start_s
        clock = stretch.end_s
    assert clock == pytest.approx(plain.wall_clock_s, abs=1e-6)
    close = 1e-6 * max(1.0, plain.wall_clock_s)
    told = {part: math.fsum(s.end_s - s.start_s for s in story.stretches if s.state == part) for part in ("training", *PARTS)}
    assert told["training"] == pytest.approx(math.fsum(plain.parts_s[part] for part in TRAINING), abs=close)
    for part in PARTS:
        if part not in TRAINING:
            assert told[part] == pytest.approx(plain.parts_s[part], abs=close), part
    assert [event.time_s for event in story.events] == sorted(event.time_s for event in story.events)
    assert sum(event.what == "interruption" for event in story.events) == sum(plain.interruptions.values())


def test_stretches_are_what_advance_books() -> None:
    phase = Phase(tokens=1_000.0, tokens_per_step=1.0, step_s=((1, 1.0),))
    checkpoints = Checkpoints(interval_s=100.0, blocking_s=7.0)
    speed = pace(phase, 1, 1, checkpoints, 1.0)
    progress = Progress((phase,), checkpoints)
    progress.start(speed)
    now = 0.0
    for elapsed in (50.0, 53.0, 4.0, 214.0, 106.0, 1.0):
        told = list(progress.stretches(elapsed, speed))
        before = (progress.productive, progress.checkpoint)
        now += elapsed
        progress.advance(elapsed, speed, now, to_end=False)
        assert sum(seconds for state, seconds in told if state == "training") == pytest.approx(progress.productive - before[0])
        assert sum(seconds for state, seconds in told if state == "checkpoint") == pytest.approx(progress.checkpoint - before[1])


def test_one_failure_written_down() -> None:
    failure = FailureClass(cause="gpu", of="node", mtbf=4_000.0, detection=30.0, source="a test")
    life = Life(
        phases=(Phase(tokens=1_000.0, tokens_per_step=1.0, step_s=((2, 1.0),)),),
        nodes=2,
        accelerators_per_node=8,
        failures=FailureSet(classes=(failure,)),
        spares=Spares(hot=1, hot_swap=60.0),
        checkpoints=Checkpoints(interval_s=100.0, blocking_s=5.0, read_s=8.0),
    )
    story = next(told for seed in range(100) if sum((told := tell(life, seed)).record.interruptions.values()) == 1)
    (struck,) = [event for event in story.events if event.what == "interruption"]
    assert struck.cause == "gpu"
    after = [s for s in story.stretches if s.start_s >= struck.time_s - 1e-9][:4]
    told = [(s.state, round(s.end_s - s.start_s)) for s in after]
    assert told == [("detection", 30), ("replacement", 60), ("restart", 300), ("reload", 8)]
    assert {(s.nodes, s.hot) for s in after} == {(2, 0)}


def test_a_long_log_is_thinned_over_all_of_its_time() -> None:
    failure = FailureClass(cause="gpu", of="node", mtbf=4_000.0, detection=30.0, source="a test")
    life = Life(
        phases=(Phase(tokens=400_000.0, tokens_per_step=1.0, step_s=((2, 1.0),)),),
        nodes=2,
        accelerators_per_node=8,
        failures=FailureSet(classes=(failure,)),
        spares=Spares(pool=100),
        checkpoints=Checkpoints(interval_s=100.0, blocking_s=5.0, read_s=8.0),
    )
    whole, log = tell(life, 1).events, live(life, 1, log=True).log
    assert len(whole) > LOG_LIMIT >= len(log) > LOG_LIMIT / 3
    assert set(log) <= set(whole)
    assert (log[0], log[-1]) == (whole[0], whole[-1])
    gaps = [later.time_s - earlier.time_s for earlier, later in itertools.pairwise(log)]
    assert max(gaps) < 0.05 * whole[-1].time_s
    stops = [i for i, entry in enumerate(log) if entry.what == "interruption"]
    assert all(log[i + 1].what in ("training", "nodes come or go", "interruption", "failure beside the job") for i in stops)
