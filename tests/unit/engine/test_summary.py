"""From records to the answer."""

import dataclasses
import math

import pytest

from simulator.engine import Checkpoints, Life, Phase, live, paired, summarise
from simulator.engine.summary import student_t
from simulator.reliability import FailureClass, FailureSet

FAILURES = FailureSet(
    classes=(
        FailureClass(cause="gpu", of="accelerator", mtbf=4e5, detection=60.0, source="a test"),
        FailureClass(cause="software", of="job", mtbf=2e4, detection=60.0, loses_node=False, source="a test"),
    )
)
LIFE = Life(
    phases=(Phase(tokens=5e4, tokens_per_step=1.0, step_s=((4, 1.0),)),),
    nodes=4,
    accelerators_per_node=8,
    failures=FAILURES,
    checkpoints=Checkpoints(interval_s=600.0, blocking_s=10.0),
    step_sigma=0.05,
    step_stream="a100/megatron-2021",
)


def test_the_answer_is_a_partition_and_counts_what_the_records_say() -> None:
    records = [live(LIFE, 1, replication) for replication in range(20)]
    steady = [live(dataclasses.replace(LIFE, step_sigma=0.0), 1, replication) for replication in range(20)]
    run = summarise(records, steady)
    assert math.fsum(run.parts_s.values()) == pytest.approx(run.wall_clock_s.mean, rel=1e-12)
    assert run.replications == 20
    assert run.interruptions.mean == pytest.approx(sum(sum(r.interruptions.values()) for r in records) / 20)
    assert set(run.interruptions_by_cause) == {"gpu", "software"}
    assert run.accelerator_hours == pytest.approx(sum(r.held_node_s for r in records) * 8 / 3600 / 20)
    assert run.wall_clock_s.p10 <= run.wall_clock_s.p50 <= run.wall_clock_s.p90
    assert run.wall_clock_without_step_error_s is not None
    assert 0 < run.goodput < 1


def test_step_error_is_one_draw_shared_by_name_and_changes_nothing_else() -> None:
    calm = dataclasses.replace(LIFE, failures=None)
    for replication in range(3):
        drawn, steady = live(calm, 1, replication), live(dataclasses.replace(calm, step_sigma=0.0), 1, replication)
        assert drawn.step_factor != 1.0
        assert drawn.parts_s["productive"] == pytest.approx(steady.parts_s["productive"] * drawn.step_factor)
        same = live(dataclasses.replace(LIFE, nodes=8, step_sigma=0.05), 1, replication)
        assert same.step_factor == drawn.step_factor
        other = live(dataclasses.replace(calm, step_stream="h100/megatron-2024"), 1, replication)
        assert other.step_factor != drawn.step_factor
    a, b = (live(dataclasses.replace(LIFE, step_sigma=sigma), 1, 0) for sigma in (0.0, 1e-12))
    assert a.interruptions == b.interruptions
    assert a.wall_clock_s == pytest.approx(b.wall_clock_s)


def test_common_random_numbers_make_paired_differences_narrow() -> None:
    slower = dataclasses.replace(LIFE, checkpoints=Checkpoints(interval_s=600.0, blocking_s=30.0))
    a = [live(slower, 1, replication) for replication in range(120)]
    b = [live(LIFE, 1, replication) for replication in range(120)]
    clocks = [[record.wall_clock_s for record in records] for records in (a, b)]
    pair = paired(*clocks)
    assert pair.interval[0] < pair.difference < pair.interval[1]
    assert pair.interval[0] > 0
    assert pair.difference == pytest.approx(sum(r.wall_clock_s for r in a) / 120 - sum(r.wall_clock_s for r in b) / 120)
    apart = math.hypot(summarise(a).monte_carlo_error_s, summarise(b).monte_carlo_error_s) * 2
    assert (pair.interval[1] - pair.interval[0]) / 2 < 0.7 * apart
    assert pair.ratio is not None
    assert pair.ratio_interval is not None
    assert pair.ratio_interval[0] < pair.ratio < pair.ratio_interval[1]
    with pytest.raises(ValueError, match="shorter"):
        paired(clocks[0], clocks[1][:3])


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.7062), (2, 4.30265), (3, 3.18245), (10, 2.22814), (29, 2.04523), (1000, 1.96234)])
def test_students_t_is_the_tables(freedom: int, quantile: float) -> None:
    assert student_t(0.975, freedom) == pytest.approx(quantile, rel=1e-5)
