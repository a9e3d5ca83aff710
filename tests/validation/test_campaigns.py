"""Published campaigns lived through: each test states inputs, published figure, tolerance, evidence. A miss is asserted as the miss it is.

Marked as calibration where a rate comes from the run that it is compared with. Figures that were read in a secondary are named so.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from simulator.engine import Checkpoints, Life, Phase, RunRecord, live, summarise, tell
from simulator.model import parameters
from simulator.outcome import RunTime
from simulator.reliability import (
    Allocation,
    FailureClass,
    FailureSet,
    Repair,
    Restart,
    Schedule,
    ScheduledNodes,
    Spares,
    job_mtbf,
    young_interval,
)
from simulator.scenario import entry

HOUR, DAY = 3600.0, 86400.0
LLAMA3 = entry("failures", "llama3-h100")


def hazard(cause: str, mtbf: float) -> FailureClass:
    """Of the job as a whole, noticed at once."""
    return FailureClass(cause=cause, of="job", mtbf=mtbf, loses_node=False, detection=0.0, source="a test")


def endless(nodes: int, failures: FailureSet, days: float, checkpoints: Checkpoints, recovery: Restart, accelerators: int = 8) -> Life:
    """A job that is watched for so many days, spares never short."""
    return Life(
        phases=(Phase(tokens=1e12, tokens_per_step=1.0, step_s=((nodes, 5.0),)),),
        nodes=nodes,
        accelerators_per_node=accelerators,
        failures=failures,
        spares=Spares(pool=nodes, pool_delay=0.0),
        recovery=recovery,
        checkpoints=checkpoints,
        allocation=Allocation(end=days * DAY),
    )


def lived(life: Life, replications: int) -> list[RunRecord]:
    return [live(life, 1, replication) for replication in range(replications)]


def mttf_h(records: list[RunRecord]) -> float:
    """Wall-clock ÷ interruptions [h]."""
    return sum(each.wall_clock_s for each in records) / sum(sum(each.interruptions.values()) for each in records) / HOUR


# -------------------------------------------------------------------------------------------------------------- Meta's RSC clusters

RSC1 = entry("failures", "rsc1-a100")
QUICK = (Checkpoints(interval_s=600.0), Restart(restart=60.0))


@pytest.mark.parametrize(("nodes", "days", "published"), [(2_048, 60, 1.8), (16_384, 8, 0.23)])
def test_jobs_of_rsc1_fail_as_projected(nodes: int, days: int, published: float) -> None:
    """R04, R05: RSC-1's 6.50 failures per 1 000 node-days; MTTF 1.8 h at 16 384 GPUs and 0.23 h at 131 072; 3 %.

    The published figures are projections of the same rate: bookkeeping that the engine's fleet must not lose. Evidence: secondary.
    """
    assert mttf_h(lived(endless(nodes, RSC1, days, *QUICK), 6)) == pytest.approx(published, rel=0.03)


def test_hardware_alone_does_not_explain_small_jobs() -> None:
    """R06, a negative control: 1 024 GPUs were seen to fail every 7.9 h; hardware's rate gives 28.8 h. Evidence: secondary."""
    found = mttf_h(lived(endless(128, RSC1, 200, *QUICK), 6))
    assert found == pytest.approx(28.8, rel=0.08)
    assert found > 3 * 7.9


@pytest.mark.calibration
def test_a_hazard_that_does_not_grow_with_the_job_does() -> None:
    """R06: what is missing is one failure of the job in 10.9 h; solved for, hence no prediction, and the engine adds the two up."""
    missing = 1 / (1 / 7.9 - 128 * 6.5e-3 / 24)
    both = FailureSet(classes=(*RSC1.classes, hazard("software", missing * HOUR)))
    assert mttf_h(lived(endless(128, both, 200, *QUICK), 6)) == pytest.approx(7.9, rel=0.06)
    # The same hazard hardly matters at 16 384 GPUs: the projection stands.
    assert mttf_h(lived(endless(2_048, both, 30, *QUICK), 6)) == pytest.approx(1 / (1 / 1.8 + 1 / missing), rel=0.04)


# -------------------------------------------------------------------------------------------------------------------------- Llama 3


def llama3_hours(attention: float) -> tuple[float, float]:
    """GPU-hours of compute at the published rate alone, and as lived, in millions.

    Inputs: 400 TFLOP/s per GPU on 16 384 GPUs, 430 on 8 192, 380 for long context, failures (arXiv:2407.21783, Tables 4 and 5, as
    transcribed by G. Lockwood and in the validation report of the simulator netcap); a checkpoint of 5.67 TB at 2 TB/s; unverified:
    batches of 4M, 8M and 16M tokens, doubled after 252M and 2.87T tokens, and 800B tokens of long context (the same paper, section 3.4).

    # Assumes: the phases before 2.87T tokens ran on 8 192 GPUs; all long context at the last length, 131 072: an upper bound; hot spares
    # are not in the published hours.

    Args:
        attention: share of the full square that counts as FLOP: 0, ½ (causal) or 1. The paper does not say which.
    """

    def flop(length: int) -> float:
        return 6 * 405e9 + attention * 12 * 126 * 16_384 * length

    phases = ((252e6, 4_096, 4e6, 1_024, 430e12), (2.87e12 - 252e6, 8_192, 8e6, 1_024, 430e12), (11.93e12, 8_192, 16e6, 2_048, 400e12))
    held = 0.0
    for tokens, length, batch, nodes, rate in (*phases, (800e9, 131_072, 16e6, 2_048, 380e12)):
        step = flop(length) * batch / (nodes * 8 * rate)
        write = 405e9 * 14 / 2e12
        life = Life(
            phases=(Phase(tokens=tokens, tokens_per_step=batch, step_s=((nodes, step),)),),
            nodes=nodes,
            accelerators_per_node=8,
            failures=LLAMA3,
            spares=Spares(hot=16, pool=992),
            repair=Repair(),
            recovery=Restart(restart=300.0),
            checkpoints=Checkpoints(interval_s=young_interval(write, job_mtbf(LLAMA3, nodes, 8)), blocking_s=write, read_s=write),
        )
        records = lived(life, 6)
        held += sum((each.training_node_s + each.idle_node_s) * 8 / HOUR for each in records) / 6
    return 15.6e12 * flop(8_192) / 400e12 / HOUR / 1e6, held / 1e6


@pytest.mark.calibration
@pytest.mark.parametrize(("attention", "alone", "expected"), [(0.5, 27.4, 29.9), (1.0, 28.5, 32.0)])
def test_llama3s_hours_are_compute_phases_and_goodput(attention: float, alone: float, expected: float) -> None:
    """30.84 M published GPU-hours within ± 7 %: −3 % with causal attention counted, +4 % with all of it. Evidence: primary (model card).

    A calibration: failure rates and TFLOP/s are those of the run itself; what is tested is that goodput and phases explain the rest.
    """
    plain, held = llama3_hours(attention)
    assert plain == pytest.approx(alone, rel=0.01)
    assert held == pytest.approx(expected, rel=0.01)
    assert held == pytest.approx(30.84, rel=0.07)


@pytest.mark.calibration
def test_llama3s_hours_without_attention_are_a_miss() -> None:
    """26.3 M GPU-hours of 6·N·D at 400 TFLOP/s become 27.8 M: 10 % short of 30.84 M, outside the ± 7 % asked for.

    What is missing at this convention are 3 M GPU-hours: the FLOP of attention, or stops that nobody published.
    """
    plain, held = llama3_hours(0.0)
    assert plain == pytest.approx(26.3, rel=0.005)
    assert -0.11 < held / 30.84 - 1 < -0.09


# ---------------------------------------------------------------------------------------------------------------------------- BLOOM


def test_blooms_checkpoint() -> None:
    """R11: 2.3 TB in 40 s, 0.37 % at 3 h; 2 % asked for. Evidence: primary (chronicles).

    Predicted: 14 bytes × 176.2e9 = 2.47 TB. That is 7 % above 2.3 TB, and 2.4 % below 2.3 TiB: a miss either way, by what the source's
    unit leaves open. The overhead of 40 s in 3 h is then arithmetic, and the engine's.
    """
    size = 14 * parameters(entry("models", "bloom-176b")).total
    assert size / 2.3e12 - 1 == pytest.approx(0.07, abs=0.01)
    assert size / (2.3 * 2**40) - 1 == pytest.approx(-0.024, abs=0.005)
    (record,) = lived(endless(48, FailureSet(classes=()), 40, Checkpoints(interval_s=3 * HOUR, blocking_s=40.0), Restart()), 1)
    assert record.parts_s["checkpoint"] / record.wall_clock_s == pytest.approx(0.0037, abs=0.00005)


def test_blooms_grant_shrinks() -> None:
    """D14: 48 nodes become 24 on a known date: 47.9 min of reshaping, then half the throughput. Evidence: primary; both are inputs.

    What is tested is the event: a checkpoint before, nothing lost, the stop, half the pace after it and no node of the grant idle.
    """
    shrink, reshape = 20 * DAY, 47.9 * 60
    life = Life(
        phases=(Phase(tokens=30 * DAY / 105.0, tokens_per_step=1.0, step_s=((24, 210.0), (48, 105.0))),),
        nodes=48,
        accelerators_per_node=8,
        checkpoints=Checkpoints(interval_s=3 * HOUR, blocking_s=40.0, read_s=40.0),
        availability=Schedule(changes=(ScheduledNodes(at=0.0, nodes=48), ScheduledNodes(at=shrink, nodes=24))),
        reshape_s=reshape,
    )
    story = tell(life, 1)
    record = story.record
    assert record.finished
    assert record.parts_s["reshape"] == pytest.approx(reshape)
    assert record.parts_s["lost_work"] == 0.0
    assert record.parts_s["checkpoint"] / record.parts_s["productive"] == pytest.approx(40 / (3 * HOUR), rel=0.03)
    (stop,) = [each for each in story.stretches if each.state == "reshape"]
    assert stop.start_s == pytest.approx(shrink, abs=1.0)
    before, after = ([each for each in story.stretches if each.state == "training" and each.nodes == nodes] for nodes in (48, 24))
    paces = []
    for stretches in (before, after):
        first, last = stretches[0], stretches[-1]
        paces.append((last.tokens - first.tokens) / (last.end_s - first.end_s))
    assert paces[1] / paces[0] == pytest.approx(0.5, rel=0.01)
    assert after[0].start_s >= stop.end_s


@pytest.mark.calibration
def test_blooms_effective_time_is_overestimated() -> None:
    """A miss: 0.87 to 0.92 of the calendar was effective (two end points in the log disagree); lived 0.96 to 0.97. Evidence: primary.

    Inputs: one GPU failure a week, one hang a month, 1 and 5 h until a person restarts, 4 spare nodes, checkpoints of 40 s every 250
    (later 100) steps of 105 s. Neither the rates nor the stops that the chronicle names (7.3, 18, 6 and 11 h) account for all that was
    lost.
    """
    bloom = entry("failures", "bloom-2022")
    for steps in (250, 100):
        life = replace(
            endless(48, bloom, 108, Checkpoints(interval_s=steps * 105.0, blocking_s=40.0, read_s=40.0), Restart(restart=600.0)),
            spares=Spares(hot=4),
        )
        assert 0.94 < summarise(lived(life, 20)).goodput < 0.98


# ------------------------------------------------------------------------------------------------------- recoveries, fast and slow


@pytest.mark.calibration
def test_hlats_people_take_hours() -> None:
    """R19: 4 096 Trainium, uptime 0.9881 with automatic and 0.7783 with manual restarts. Evidence: secondary.

    Circular: neither rate nor delays are published. With 2 min of detection and 5 min of restart, the first figure says one failure in
    9.7 h and the second that a person took 2.6 h. The engine gives both back, and their gap within the 0.05 asked for.
    """
    mtbf = 420.0 * 0.9881 / 0.0119
    delay = mtbf * 0.2217 / 0.7783 - 420.0
    assert (mtbf / HOUR, delay / HOUR) == pytest.approx((9.7, 2.6), abs=0.1)
    uptime = []
    for manual in (0.0, 1.0):
        recovery = Restart(restart=300.0, manual=manual, manual_delay=delay, struck=False)
        failures = FailureSet(classes=(replace(hazard("any", mtbf), detection=120.0),))
        records = lived(endless(256, failures, 60, Checkpoints(interval_s=600.0), recovery, accelerators=16), 10)
        down = sum(each.parts_s[part] for each in records for part in ("detection", "manual", "restart"))
        uptime.append(1 - down / sum(each.wall_clock_s for each in records))
    assert uptime[0] == pytest.approx(0.9881, abs=0.002)
    assert uptime[0] - uptime[1] == pytest.approx(0.9881 - 0.7783, abs=0.05)


def gemini(pods: int, checkpoints: Checkpoints, restart: float) -> RunTime:
    tpu = entry("failures", "tpu-v4-2024")
    failures = FailureSet(classes=tuple(replace(each, detection=0.0) for each in tpu.classes))
    return summarise(lived(endless(pods * 1_024, failures, 30, checkpoints, Restart(restart=restart), accelerators=4), 4))


@pytest.mark.parametrize("pods", [1, 2, 4])
def test_gemini_gains_from_recovery_out_of_memory(pods: int) -> None:
    """R20: goodput 0.85 with checkpoints on storage, 0.97 with replicas in memory; sign and magnitude. Evidence: secondary.

    Inputs from elsewhere, none from Gemini: TPU v4's failures by part (NSDI 2024, unverified); storage checkpoints of 3.6 min every 40 min
    (median of 40 production runs, VAST's survey, secondary) and 15 min of recovery; 0.04 s in memory and 105 s of recovery (ByteRobust,
    AWS; secondary). The number of pods is not published: 1, 2 and 4 of 4 096 chips.
    Lived: 0.88, 0.85, 0.80 before, 0.99 to 1.00 after: the gain of 0.12 comes out as 0.11 to 0.19, and the end too high by 0.02.
    """
    before = gemini(pods, Checkpoints(interval_s=2_400.0, blocking_s=216.0), 900.0).goodput
    after = gemini(pods, Checkpoints(interval_s=60.0, blocking_s=0.04), 105.0).goodput
    assert before == pytest.approx({1: 0.883, 2: 0.852, 4: 0.797}[pods], abs=0.01)
    assert after == pytest.approx({1: 0.997, 2: 0.995, 4: 0.991}[pods], abs=0.003)
    assert 0.5 < (after - before) / 0.12 < 1.7


@pytest.mark.calibration
def test_torchfts_commits_are_not_memoryless() -> None:
    """R21, a miss: 300 L40S, 0.823 of the steps committed with a failure every 60 s, 0.302 with one every 15 s; ± 0.08 asked for.

    The step time is not published. The first figure says 11.7 s where a failure voids the step that it strikes and costs nothing else;
    then the second is 0.46, 0.16 too high: at 15 s failures cost more than the step that they strike, of which there is no input.
    Evidence: secondary.
    """
    step = -60 * math.log(0.823)
    assert step == pytest.approx(11.7, abs=0.05)
    committed = []
    for mtbf in (60.0, 15.0):
        life = Life(
            phases=(Phase(tokens=6_000.0, tokens_per_step=1.0, step_s=((38, step),)),),
            nodes=38,
            accelerators_per_node=8,
            failures=FailureSet(classes=(hazard("killed", mtbf),)),
            recovery=Restart(restart=0.0),
            checkpoints=Checkpoints(interval_s=step),
        )
        record = live(life, 1)
        committed.append(6_000 / (6_000 + sum(record.interruptions.values())))
    assert committed[0] == pytest.approx(0.823, abs=0.015)
    assert committed[1] - 0.302 == pytest.approx(0.157, abs=0.02)


@pytest.mark.calibration
def test_olmos_recoveries_have_a_heavy_tail() -> None:
    """Median 222 s, mean 2 334 s, uptime 0.97: a lognormal of σ = 2.17, and one failure in 21 h. Evidence: secondary (Lambda's blog).

    Circular: all three are inputs; that the engine's draws keep median, mean and uptime is tested, in 5 000 recoveries.
    """
    sigma = math.sqrt(2 * math.log(2_334 / 222))
    assert sigma == pytest.approx(2.17, abs=0.005)
    mtbf = 2_334 * 0.97 / 0.03
    life = Life(
        phases=(Phase(tokens=4_000 * mtbf, tokens_per_step=1.0, step_s=((1, 1.0),)),),
        nodes=1,
        accelerators_per_node=8,
        failures=FailureSet(classes=(hazard("any", mtbf),)),
        recovery=Restart(restart=2_334.0, sigma=sigma, struck=False),
        checkpoints=Checkpoints(interval_s=mtbf / 2),
    )
    story = tell(life, 4)
    took = np.array([each.end_s - each.start_s for each in story.stretches if each.state == "restart"])
    assert len(took) > 4_000
    assert np.median(took) == pytest.approx(222, rel=0.08)
    # The standard error of this mean is e^(σ²/2) ≈ 10 times itself over √n.
    assert took.mean() == pytest.approx(2_334, rel=3 * math.sqrt(math.expm1(sigma**2) / len(took)))
    assert 1 - took.sum() / story.record.wall_clock_s == pytest.approx(0.97, abs=0.01)
