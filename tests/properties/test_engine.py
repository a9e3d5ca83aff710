"""Laws of every life of every run."""

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.engine import PARTS, Checkpoints, Far, Life, Phase, live
from simulator.reliability import (
    Allocation,
    Bathtub,
    Elastic,
    Exponential,
    FailureClass,
    FailureSet,
    HotSwap,
    Lognormal,
    Morph,
    Redundant,
    Repair,
    Reroute,
    Restart,
    Schedule,
    ScheduledNodes,
    Spares,
    Spot,
    Templates,
    Weibull,
)  # fmt: skip

AGING = (Weibull(shape=0.7), Weibull(shape=1.5), Lognormal(sigma=1.2), Bathtub(new=5.0, burn_in=2_000.0, wear_out=50_000.0))

seconds = st.floats(0.5, 500.0)
seeds = st.integers(0, 2**31)


@st.composite
def failure_sets(draw: st.DrawFn) -> FailureSet:
    classes = []
    for k in range(draw(st.integers(0, 3))):
        of = draw(st.sampled_from(("accelerator", "node", "job")))
        distribution = draw(st.sampled_from((Exponential(), Exponential(), *AGING)))
        kind = draw(st.sampled_from(("stops", "stops", "slows", "planned", "spoils", "bursts", "block")))
        more = {
            "stops": {},
            "slows": {"slowdown": 1.5},
            "planned": {"planned": True, "outage": 200.0},
            "spoils": {"rollback": 900.0},
            "bursts": {"burst": 1.5, "burst_spread": 100.0, "outage": 50.0},
            "block": {"block": 3, "repair": 700.0},
        }[kind]
        things = {"accelerator": 32, "node": 8, "job": 1}[of]
        classes.append(
            FailureClass(
                cause=f"cause{k}",
                of=of,
                mtbf=draw(st.floats(300.0, 30_000.0)) * things,
                distribution=distribution,
                share=draw(st.sampled_from((1.0, 0.3))) if of != "job" and isinstance(distribution, Exponential) else 1.0,
                loses_node=of != "job",
                detection=draw(st.sampled_from((0.0, 30.0, 300.0))),
                source="a test",
                **more,
            )
        )
    return FailureSet(classes=tuple(classes))


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Runs of minutes to hours on up to eight nodes, with all that can happen to them."""
    sizes = sorted(draw(st.sets(st.integers(1, 8), min_size=1, max_size=3)))
    phases = tuple(
        Phase(
            name=f"phase{k}",
            tokens=draw(st.floats(10.0, 5_000.0)),
            tokens_per_step=draw(st.floats(0.5, 4.0)),
            step_s=tuple((size, draw(st.floats(0.5, 5.0)) / size * 8) for size in sizes),
            evaluation_s=draw(st.sampled_from((0.0, 0.0, 0.4))),
            stalled=draw(st.sampled_from((0.0, 0.0, 0.1))),
        )
        for k in range(draw(st.integers(1, 3)))
    )
    times = sorted(draw(st.sets(st.floats(1.0, 10_000.0), max_size=3)))
    changes = tuple(ScheduledNodes(at=at, nodes=draw(st.integers(0, 10))) for at in (0.0, *times))
    return Life(
        phases=phases,
        nodes=8,
        accelerators_per_node=4,
        failures=draw(failure_sets()),
        spares=Spares(
            hot=draw(st.integers(0, 2)),
            warm=draw(st.integers(0, 2)),
            warm_held=draw(st.booleans()),
            warm_delay=60.0,
            dead=draw(st.sampled_from((0.0, 0.0, 0.3, 1.0))),
            pool=draw(st.integers(0, 2)),
            borrowed=draw(st.integers(0, 1)),
            hot_swap=20.0,
            pool_delay=200.0,
            struck=draw(st.booleans()),
        ),
        repair=Repair(
            mean=draw(seconds) * 10,
            sigma=draw(st.sampled_from((0.0, 1.0))),
            crews=draw(st.sampled_from((None, 1, 2))),
            automatic=draw(st.sampled_from((0.0, 60.0))),
            escalation=0.5,
            silent=0.2,
            misdiagnosed=draw(st.sampled_from((0.0, 0.3))),
            relapse=300.0,
            parts=draw(st.sampled_from((None, 0, 2))),
            lead_time=2_000.0,
            parts_share=0.7,
            retire_after=draw(st.sampled_from((None, 3))),
        ),
        recovery=draw(st.sampled_from((Restart, HotSwap, Elastic, Morph, Templates, Redundant, Reroute)))(
            restart=draw(seconds),
            warm_up=draw(st.sampled_from((0.0, 10.0))),
            sigma=draw(st.sampled_from((0.0, 1.0))),
            manual=0.2,
            manual_delay=60.0,
        ),
        checkpoints=Checkpoints(
            interval_s=draw(st.one_of(st.floats(1.0, 1_000.0), st.just(math.inf))),
            blocking_s=draw(st.sampled_from((0.0, 5.0, 40.0))),
            drain_s=draw(st.sampled_from((0.0, 15.0, 300.0))),
            read_s=draw(st.sampled_from((0.0, 30.0))),
            survives=draw(st.sampled_from(("process", "node", "block"))),
            far=draw(
                st.sampled_from(
                    (
                        (),
                        (Far(every=4, drain_s=50.0, read_s=90.0),),
                        (Far(drain_s=9.0, survives="block"), Far(every=6, drain_s=99.0, read_s=90.0)),
                    )
                )
            ),
            fails=draw(st.sampled_from((0.0, 0.3))),
        ),
        availability=draw(st.sampled_from((Schedule(changes=changes), Spot(up=2_000.0, down=500.0, notice=60.0)))),
        allocation=Allocation(
            job_time_limit=draw(st.sampled_from((None, 900.0, 5_000.0))),
            queue_wait=draw(st.sampled_from((0.0, 300.0))),
            queue_sigma=draw(st.sampled_from((0.0, 0.5))),
            node_hours=draw(st.sampled_from((None, 10.0))),
            end=draw(st.sampled_from((None, 7_000.0))),
        ),
        reshape_s=draw(st.sampled_from((0.0, 100.0))),
        step_sigma=draw(st.sampled_from((0.0, 0.1))),
        step_stream="any",
        horizon_s=200_000.0,
    )


@settings(max_examples=50, deadline=None)
@given(lives(), seeds)
def test_every_second_token_and_node_is_accounted_for(life: Life, seed: int) -> None:
    record = live(life, seed)
    assert set(record.parts_s) == set(PARTS)
    assert math.isclose(math.fsum(record.parts_s.values()), record.wall_clock_s, rel_tol=1e-9, abs_tol=1e-9)
    assert min(record.parts_s.values()) >= -1e-9
    assert math.isclose(math.fsum(record.parts_node_s.values()), record.held_node_s, rel_tol=1e-9, abs_tol=1e-6)
    beside = record.parts_s["productive"] + record.parts_s["degraded"] + record.parts_s["queue"]
    assert math.fsum(record.causes_s.values()) <= (record.wall_clock_s - beside) * (1 + 1e-9) + 1e-6
    assert math.fsum(record.causes_node_s.values()) <= record.held_node_s * (1 + 1e-9) + 1e-6
    assert min(record.causes_s.values(), default=0.0) >= -1e-9
    assert record.finished == math.isclose(record.tokens, life.tokens, rel_tol=1e-9)
    assert 0 <= record.tokens <= life.tokens * (1 + 1e-9)
    assert record.finished or record.wall_clock_s <= 200_000.0
    trained = sum(record.parts_s[part] for part in ("productive", "degraded", "evaluation", "data", "lost_work", "checkpoint"))
    assert record.training_node_s <= 10 * trained * (1 + 1e-9) + 1e-6
    held = record.wall_clock_s - record.parts_s["queue"]
    assert record.held_node_s <= (10 + life.spares.held) * held * (1 + 1e-9) + 1e-6
    if life.allocation.node_hours is not None:
        assert record.held_node_s <= life.allocation.node_hours * 3600 * (1 + 1e-9)
    if life.allocation.end is not None:
        assert record.wall_clock_s <= life.allocation.end * (1 + 1e-9)


@settings(max_examples=30, deadline=None)
@given(lives(), seeds)
def test_the_same_question_has_the_same_answer(life: Life, seed: int) -> None:
    alone = [live(life, seed, replication) for replication in range(3)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda replication: live(life, seed, replication), (2, 1, 0)))[::-1]
    assert [repr(record) for record in alone] == [repr(record) for record in together]


@settings(max_examples=30, deadline=None)
@given(lives(), seeds)
def test_a_class_that_never_fails_changes_nothing(life: Life, seed: int) -> None:
    never = FailureClass(cause="never", of="node", mtbf=1e30, detection=0.0, source="a test")
    classes = life.failures.classes if life.failures else ()
    more = dataclasses.replace(life, failures=FailureSet(classes=(never, *classes)))
    with_it, without = live(more, seed), live(life, seed)
    assert with_it.interruptions.pop("never") == 0
    assert dataclasses.replace(with_it, log=()) == dataclasses.replace(without, log=())


@settings(max_examples=30, deadline=None)
@given(lives())
def test_without_failures_or_changes_the_wall_clock_is_work_and_checkpoints(life: Life) -> None:
    calm = dataclasses.replace(life, failures=None, availability=Schedule(changes=(ScheduledNodes(at=0.0, nodes=8),)), step_sigma=0.0)
    calm = dataclasses.replace(calm, allocation=Allocation(queue_wait=300.0), horizon_s=1e9)
    record = live(calm, 1)
    parts = record.parts_s
    assert record.finished
    assert math.isclose(parts["productive"], calm.ideal_s, rel_tol=1e-9)
    assert math.isclose(
        record.wall_clock_s, sum(parts[each] for each in ("productive", "evaluation", "data", "checkpoint")) + 300.0, rel_tol=1e-12
    )
    writes = (
        (parts["checkpoint"] - (calm.checkpoints.saving_s - calm.checkpoints.blocking_s)) / calm.checkpoints.blocking_s
        if calm.checkpoints.blocking_s
        else 1
    )
    assert math.isclose(writes, round(writes), abs_tol=1e-6)
    assert round(writes) >= 1


@settings(max_examples=20, deadline=None)
@given(lives(), seeds)
def test_nothing_that_helps_harms_a_run_without_failures(life: Life, seed: int) -> None:
    """Pathwise laws hold only where chance is out of play: a failure may always come at a worse moment."""
    calm = dataclasses.replace(
        life, failures=None, availability=Schedule(changes=(ScheduledNodes(at=0.0, nodes=8),)), allocation=Allocation(), horizon_s=1e9
    )
    base = live(calm, seed).wall_clock_s
    quicker = tuple(dataclasses.replace(p, step_s=tuple((n, s / 2) for n, s in p.step_s)) for p in calm.phases)
    assert live(dataclasses.replace(calm, phases=quicker, checkpoints=Checkpoints(interval_s=math.inf)), seed).wall_clock_s <= base
    rarer = dataclasses.replace(calm.checkpoints, interval_s=calm.checkpoints.interval_s * 2)
    assert live(dataclasses.replace(calm, checkpoints=rarer), seed).wall_clock_s <= base * (1 + 1e-9)


def test_more_failures_are_never_faster_in_expectation() -> None:
    """In the mean over common random numbers, by more than its standard error; a single life may well be luckier."""
    means = []
    for mtbf in (1e9, 30_000.0, 10_000.0, 3_000.0):
        failure = FailureClass(cause="any", of="node", mtbf=8 * mtbf, detection=60.0, source="a test")
        life = Life(
            phases=(Phase(tokens=30_000.0, tokens_per_step=1.0, step_s=((8, 1.0),)),),
            nodes=8,
            accelerators_per_node=8,
            failures=FailureSet(classes=(failure,)),
            spares=Spares(hot=1, pool=2),
            checkpoints=Checkpoints(interval_s=600.0, blocking_s=10.0),
        )
        means.append(sum(live(life, 4, replication).wall_clock_s for replication in range(40)) / 40)
    assert means == sorted(means)


def test_a_run_that_can_never_finish_says_so_soon() -> None:
    failure = FailureClass(cause="any", of="job", mtbf=60.0, loses_node=False, detection=30.0, source="a test")
    life = Life(
        phases=(Phase(tokens=1e6, tokens_per_step=1.0, step_s=((8, 10.0),)),),
        nodes=8,
        accelerators_per_node=8,
        failures=FailureSet(classes=(failure,)),
        checkpoints=Checkpoints(interval_s=1_800.0, blocking_s=60.0),
    )
    record = live(life, 0)
    assert not record.finished
    assert record.tokens == 0
    assert sum(record.interruptions.values()) <= 1_000
    assert "horizon" in record.ending
    # Never all nodes at once: what fails while the job waits counts too.
    frail = FailureClass(cause="any", of="node", mtbf=3_600.0, detection=30.0, source="a test")
    phases = (Phase(tokens=1e8, tokens_per_step=1.0, step_s=((200, 10.0),)),)
    waiting = dataclasses.replace(life, nodes=200, phases=phases, failures=FailureSet(classes=(frail,)), repair=Repair(mean=7_200.0))
    record = live(waiting, 0)
    assert not record.finished
    assert record.wall_clock_s < waiting.horizon / 1_000
    starved = dataclasses.replace(life, failures=None, allocation=Allocation(job_time_limit=30.0))
    record = live(starved, 0)
    assert not record.finished
    assert record.tokens == 0
