"""The closed forms against published figures and against one another."""

import math

import pytest

from simulator.errors import MendableError
from simulator.reliability import (
    Allocation,
    Bathtub,
    CheckpointPolicy,
    FailureClass,
    FailureSet,
    Lognormal,
    NearTier,
    Repair,
    Schedule,
    ScheduledNodes,
    Spares,
    Weibull,
    blocking_seconds,
    daly_first_order_interval,
    daly_interval,
    daly_wall_clock,
    drain_seconds,
    interval_seconds,
    job_hazard,
    job_mtbf,
    meta_ettr,
    optimal_interval,
    read_seconds,
    waste,
    young_interval,
)

DAY = 86400.0
RSC1 = FailureSet(classes=(FailureClass(cause="node", of="node", mtbf=DAY / 6.5e-3, detection=0.0, source="arXiv:2410.21680"),))


@pytest.mark.parametrize(("nodes", "hours"), [(2_048, 1.8), (16_384, 0.23)])
def test_meta_rsc_projections(nodes: int, hours: float) -> None:
    """R04 and R05: mean time to failure projected from 6.5 failures per 1 000 node-days."""
    assert job_mtbf(RSC1, nodes, 8) / 3600 == pytest.approx(hours, rel=0.03)


def test_hardware_alone_does_not_explain_small_jobs() -> None:
    """R06, a negative control: 7.9 h were measured at 1 024 GPUs; node failures alone give 28.8 h, a hazard of the job must be added."""
    hours = job_mtbf(RSC1, 128, 8) / 3600
    assert hours == pytest.approx(28.8, rel=0.01)
    assert hours > 3 * 7.9


def test_hazards_add_up_and_the_software_hazard_does_not_grow() -> None:
    classes = (
        FailureClass(cause="gpu", of="accelerator", mtbf=81_045 * 3600.0, detection=0.0, source="a test"),
        FailureClass(cause="software", of="job", mtbf=20.6 * 3600.0, detection=0.0, source="a test"),
    )
    failures = FailureSet(classes=classes)
    small, large = job_hazard(failures, 128, 8), job_hazard(failures, 2_048, 8)
    assert large - small == pytest.approx(1920 * 8 / (81_045 * 3600))
    assert job_hazard(None, 128, 8) == 0
    assert job_mtbf(None, 128, 8) == math.inf


@pytest.mark.parametrize(("blocking", "interval"), [(20, 667), (60, 1156)])
def test_young_at_the_scale_of_llama_3(blocking: float, interval: float) -> None:
    assert young_interval(blocking, 54 * DAY / 419) == pytest.approx(interval, abs=0.6)


@pytest.mark.parametrize("ratio", [1e-4, 1e-3, 1e-2, 0.1, 0.4])
def test_dalys_interval_is_within_two_permille_of_the_best(ratio: float) -> None:
    mtbf, blocking = 10_000.0, 10_000.0 * ratio
    best = min(daly_wall_clock(1e6, 10 * 1.002**k, blocking, 0.0, mtbf) for k in range(4_000) if 10 * 1.002**k < 30_000)
    assert daly_wall_clock(1e6, daly_interval(blocking, mtbf), blocking, 0.0, mtbf) <= 1.002 * best


def test_intervals_agree_where_all_hold_and_differ_where_they_must() -> None:
    assert daly_interval(1.0, 1e6) == pytest.approx(young_interval(1.0, 1e6), rel=1e-3)
    assert daly_first_order_interval(10.0, 1e4) == pytest.approx(young_interval(10.0, 1e4) - 10)
    assert daly_interval(500.0, 200.0) == 200.0
    assert daly_interval(10.0, math.inf) == math.inf


def test_first_order_waste_is_dalys_for_rare_failures() -> None:
    interval, blocking, restart, mtbf = 1_000.0, 10.0, 200.0, 1e6
    exact = daly_wall_clock(1e6, interval, blocking, restart, mtbf) / 1e6 - 1
    assert waste(interval, blocking, restart, mtbf) == pytest.approx(exact, rel=0.03)
    assert daly_wall_clock(1e6, interval, blocking, restart, math.inf) == pytest.approx(1e6 * 1.01)


def test_metas_ettr_is_dalys_in_its_regime() -> None:
    nodes, rate, interval, blocking, start = 2_048, 2e-3 / DAY, 600.0, 5.0, 300.0
    exact = 1e6 / daly_wall_clock(1e6, interval, blocking, start, 1 / (nodes * rate))
    assert meta_ettr(nodes, rate, interval, blocking, start) == pytest.approx(exact, rel=0.02)


def test_seconds_of_a_checkpoint() -> None:
    """R11: BLOOM's checkpoint, 14 B x 176e9 parameters in 40 s at 57.5 GB/s and 384 writers, every 3 h."""
    size = 2.3e12
    policy = CheckpointPolicy(interval=3 * 3600.0, bandwidth=57.5e9)
    assert blocking_seconds(policy, size, 384) == pytest.approx(40, rel=0.02)
    assert blocking_seconds(policy, size, 384) / (3 * 3600) == pytest.approx(0.0037, rel=0.02)
    assert drain_seconds(policy, size) == 0
    assert read_seconds(policy, size) == blocking_seconds(policy, size, 384)
    lazy = CheckpointPolicy(bandwidth=57.5e9, read_bandwidth=100e9, asynchronous=True, copy_bandwidth=10e9, setup=0.5)
    assert blocking_seconds(lazy, size, 384) == pytest.approx(0.5 + 2.3e12 / 384 / 10e9)
    assert drain_seconds(lazy, size) == pytest.approx(40)
    assert read_seconds(lazy, size) == pytest.approx(23)


def test_intervals_of_a_policy() -> None:
    assert interval_seconds(CheckpointPolicy(bandwidth=1e9), 20.0, 3.09 * 3600) == young_interval(20.0, 3.09 * 3600)
    assert interval_seconds(CheckpointPolicy(interval="daly", bandwidth=1e9), 20.0, 3.09 * 3600) == daly_interval(20.0, 3.09 * 3600)
    assert interval_seconds(CheckpointPolicy(interval=900.0, bandwidth=1e9), 20.0, 3.09 * 3600) == 900


def test_refusals_carry_a_mend() -> None:
    one = FailureClass(cause="gpu", of="node", mtbf=1.0, detection=0.0, source="a test")
    for wrong in (
        lambda: FailureClass(cause="gpu", of="node", mtbf=0.0, detection=0.0, source="a test"),
        lambda: Weibull(shape=0.0),
        lambda: Lognormal(sigma=0.0),
        lambda: Bathtub(new=0.5),
        lambda: Bathtub(wear_out=0.0),
        lambda: Bathtub(wear_shape=1.0),
        lambda: FailureClass(cause="old", of="node", mtbf=1.0, age=5.0, detection=0.0, source="a test"),
        lambda: FailureClass(cause="dead", of="node", mtbf=1.0, age=1e9, distribution=Weibull(shape=2.0), detection=0.0, source="a test"),
        lambda: FailureClass(
            cause="some", of="node", mtbf=1.0, share=0.5, distribution=Lognormal(sigma=1.0), detection=0.0, source="a test"
        ),
        lambda: FailureClass(cause="log", of="node", mtbf=1.0, times=(2.0, 1.0), detection=0.0, source="a test"),
        lambda: FailureClass(cause="log", of="node", mtbf=1.0, times=(1.0, 2.0), nodes=(3,), detection=0.0, source="a test"),
        lambda: FailureClass(cause="log", of="node", mtbf=1.0, times=(1.0,), burst=2.0, detection=0.0, source="a test"),
        lambda: CheckpointPolicy(bandwidth=1.0, keep=0),
        lambda: CheckpointPolicy(bandwidth=1.0, clearing=60.0),
        lambda: CheckpointPolicy(bandwidth=1.0, near=(NearTier(bandwidth=1.0, survives="block"), NearTier(bandwidth=1.0, survives="node"))),
        lambda: Repair(parts=-1),
        lambda: Repair(misdiagnosed=1.0),
        lambda: Spares(warm=-1),
        lambda: FailureSet(classes=(one, one)),
        lambda: Repair(crews=0),
        lambda: Spares(hot=-1),
        lambda: Schedule(changes=()),
        lambda: Schedule(changes=(ScheduledNodes(at=0.0, nodes=-1),)),
        lambda: Schedule(changes=(ScheduledNodes(at=0.0, nodes=1), ScheduledNodes(at=0.0, nodes=2))),
        lambda: CheckpointPolicy(bandwidth=0.0),
        lambda: CheckpointPolicy(bandwidth=1.0, interval=0.0),
        lambda: Allocation(job_time_limit=0.0),
        lambda: Allocation(node_hours=0.0),
        lambda: Allocation(queue_wait=5.0, queue_waits=(1.0,)),
    ):
        with pytest.raises(MendableError):
            wrong()


@pytest.mark.parametrize(("blocking", "mtbf"), [(5.0, 10_000.0), (60.0, 1_000.0), (600.0, 900.0), (1.0, 1e7)])
def test_the_optimal_interval_is_the_least_of_dalys_run_time(blocking: float, mtbf: float) -> None:
    best = optimal_interval(blocking, mtbf)
    least = daly_wall_clock(1.0, best, blocking, 100.0, mtbf)
    assert all(daly_wall_clock(1.0, best * factor, blocking, 100.0, mtbf) > least for factor in (0.98, 1.02))
    if blocking < mtbf / 2:
        assert daly_wall_clock(1.0, daly_interval(blocking, mtbf), blocking, 100.0, mtbf) < 1.002 * least
